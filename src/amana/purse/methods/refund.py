"""`amana-refund`: what a merchant gave back of a purchase from the purse.

The payer left a one-time key with the payment. The quote's id follows from that key, so that only
who has the key can ask, and only its signature gets the e-cash (NUT-20).
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from amana.kernel import AmanaId, IdKind, Instant, format_id, parse_id
from amana.payments.model import Payment, PaymentStatus
from amana.purse.model import Code, IssueAsk, IssueQuote, Refusal

METHOD: Final = "amana-refund"
_ID_BYTES: Final = 16
_TAG: Final = b"amana-refund"


def refund_quote_id(key: bytes) -> bytes:
    """Return the id of the quote that belongs to a payer's one-time key (33 bytes, compressed)."""
    return sha256(_TAG + key).digest()[:_ID_BYTES]


def refund_quote(payment: Payment, key: bytes, *, unit: str, now: Instant) -> IssueQuote:
    """Make the quote of a purchase: nothing is given back yet."""
    return IssueQuote(
        id=refund_quote_id(key),
        method=METHOD,
        request=format_id(IdKind.PAYMENT, payment.id),
        unit=unit,
        amount=payment.total,
        paid=0,
        issued=0,
        pubkey=key,
        expires_at=None,
        updated_at=now,
    )


class RefundIssue:
    """An IssueMethod whose quotes come with payments, and are paid by refunds."""

    def __init__(self, refunds_of: Callable[[AmanaId], Sequence[Payment]]) -> None:
        self._refunds_of = refunds_of

    async def quote(self, quote_id: bytes, ask: IssueAsk) -> IssueQuote | Refusal:
        """Refuse: a refund's quote comes with its payment."""
        del quote_id, ask
        return Refusal(Code.ISSUE_DISABLED, "A refund's quote comes with its payment.")

    def paid(self, quote: IssueQuote) -> int:
        """Return what the merchant has given back by now."""
        payment = parse_id(IdKind.PAYMENT, quote.request)
        assert payment is not None, "a refund's quote names its payment"
        return sum(
            refund.total
            for refund in self._refunds_of(payment)
            if refund.status is PaymentStatus.PAID
        )
