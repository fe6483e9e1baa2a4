"""Whether a mailbox takes one more letter."""

from amana.purse.mail.model import (
    DRAW_BYTES,
    MAIL_FREELY_MAX,
    MAIL_STEP,
    MAIL_WAITING_MAX,
    MailReason,
)


def decide_delivery(waiting: int, draw: bytes) -> MailReason | None:
    """Refuse a letter where too many wait, or where many wait and the draw says so.

    Above MAIL_FREELY_MAX the chance halves with every MAIL_STEP letters. An attempt costs a blind
    token whatever its answer, so a letter's price in tokens doubles where its chance halves:
    whoever fills a mailbox pays for all the letters, and whoever writes to its owner for one.

    Args:
        waiting: Letters that wait for the same payee.
        draw: DRAW_BYTES random bytes.
    """
    assert waiting >= 0, "a count is not negative"
    assert len(draw) == DRAW_BYTES, "a draw has eight bytes"
    if waiting >= MAIL_WAITING_MAX:
        return MailReason.MAILBOX_FULL
    if waiting < MAIL_FREELY_MAX:
        return None
    halvings = 1 + (waiting - MAIL_FREELY_MAX) // MAIL_STEP
    is_drawn = int.from_bytes(draw) % (1 << halvings) == 0
    return None if is_drawn else MailReason.MAILBOX_CROWDED
