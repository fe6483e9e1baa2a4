"""Whether a refill may be left, and what becomes of it."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from amana.kernel import Instant
from amana.purse.model import BlindedMessage, Keyset
from amana.purse.ports import Blank
from amana.purse.standing.model import Refill, RefillState, StandingReason, StandingRefused

_KEY_BYTES: Final = 16


def decide_outputs(
    outputs: Sequence[BlindedMessage],
    keyset: Keyset | None,
    expected: Sequence[int],
    *,
    unit: str,
) -> tuple[Blank, ...] | StandingRefused:
    """Decide whether outputs are those that everybody leaves for this tier.

    Args:
        outputs: What the wallet left.
        keyset: The keyset they name, if there is one.
        expected: The denominations of the policy, ascending.
        unit: The unit of the account.
    """
    if keyset is None or not keyset.is_active or keyset.unit != unit:
        return StandingRefused(StandingReason.KEYSET_INACTIVE)
    amounts = [output.amount for output in outputs]
    are_of_one = all(output.keyset_id == keyset.id for output in outputs)
    are_apart = len({output.point for output in outputs}) == len(outputs)
    if amounts != list(expected) or not are_of_one or not are_apart:
        return StandingRefused(StandingReason.OUTPUTS_DIFFER)
    return tuple([Blank(keyset.number, output.amount, output.point) for output in outputs])


def decide_leave(
    refill: Refill, stored: Refill | None, *, are_used: bool
) -> Refill | StandingRefused:
    """Put a refill in the place of the one before.

    One that was debited keeps its debit: the new outputs are signed for it, if they are of the
    same sum. One that is left again is left once.

    Args:
        refill: What is left now.
        stored: What was left before.
        are_used: Whether one of the outputs was signed already, and can never be signed again.
    """
    if stored is not None and (stored.amount, stored.outputs) == (refill.amount, refill.outputs):
        return stored
    if are_used:
        return StandingRefused(StandingReason.OUTPUTS_USED)
    if stored is None or stored.state is not RefillState.DEBITED:
        return refill
    if stored.amount != refill.amount:
        return StandingRefused(StandingReason.DEBITED_DIFFERS)
    return msgspec.structs.replace(
        stored, keyset=refill.keyset, outputs=refill.outputs, due_at=refill.due_at
    )


def refill_payment_key(refill_id: bytes, attempt: int) -> bytes:
    """Return the key of a refill's payment: it follows from the order, so a retry meets itself."""
    return _key(b"refill", refill_id, attempt)


def deposit_payment_key(deposit_id: bytes, due_at: Instant) -> bytes:
    """Return the key of a deposit's payment.

    A refused payment stays refused under its key: each postponement has one of its own.
    """
    return _key(b"deposit", deposit_id, due_at)


def _key(kind: bytes, identifier: bytes, turn: int) -> bytes:
    return blake2b(kind + identifier + turn.to_bytes(8), digest_size=_KEY_BYTES).digest()


def due_at(now: Instant, minutes: int, *, minute_ns: int) -> Instant:
    """Return when an order of now is due: at once, or at the first whole minute after its delay.

    What is done to the second would say to the second when it was asked for.

    Args:
        now: When it is asked for.
        minutes: The delay that was drawn.
        minute_ns: How long a minute is; less than a true one in the demo alone.
    """
    if not minutes:
        return now
    return Instant(((now + minutes * minute_ns) // minute_ns + 1) * minute_ns)


def refused(refill: Refill, due_at: Instant) -> Refill:
    """Let a refill that the books refused wait, to be asked for anew under another id there."""
    return msgspec.structs.replace(
        refill, state=RefillState.WAITING, attempts=refill.attempts + 1, due_at=due_at
    )


def later(refill: Refill, due_at: Instant) -> Refill:
    """Look at a refill again later; what was debited stays debited."""
    return msgspec.structs.replace(refill, due_at=due_at)
