"""What may be paid, and what of it is the fee."""

from typing import Final

import msgspec

from amana.kernel import AMOUNT_MINOR_MAX, MILLISECOND_NS, Instant
from amana.kernel.limits import HOLD_LIFE_MS
from amana.payments.model import (
    IdReused,
    Intent,
    Order,
    Payment,
    PaymentKind,
    PaymentStatus,
    Reason,
    TipMode,
)

BASIS_POINTS: Final = 10_000

_NO_PARTY_ACCOUNT: Final = 0


class IntentFacts(msgspec.Struct, frozen=True):
    """What the decision on an intent needs to know beside the intent.

    `spent_today` is what the payer has intended, held or paid this UTC day; `holding` is the
    payee's balance and all that is on its way there; both in minor units.
    """

    spent_today: int = 0
    holding: int = 0
    order: Order | None = None
    order_payment: Payment | None = None
    original: Payment | None = None


def fee_due(amount: int, basis_points: int) -> int:
    """Return the fee on an amount: hundredths of a percent, rounded down, in minor units.

    Rounding down is in the merchant's favour and is stated in the published schedule.
    """
    assert amount >= 0, "a fee is due on what was taken"
    return amount * basis_points // BASIS_POINTS


def same_request(stored_body: bytes, body: bytes) -> IdReused | None:
    """Refuse a key that came before with another request."""
    return None if stored_body == body else IdReused()


def decide_intent(intent: Intent, facts: IntentFacts) -> Payment:
    """Decide whether a payment may go to the ledger.

    Returns:
        A PENDING payment, or one REFUSED with the first reason that holds, in declared order.
    """
    amount = _amount_asked(intent, facts)
    reason = (
        _refuse_amount(intent, amount)
        or _refuse_parties(intent)
        or _refuse_order(intent, facts, amount)
        or _refuse_refund(intent, facts, amount)
        or _refuse_limits(intent, facts, amount)
    )
    total = max(0, min(amount, AMOUNT_MINOR_MAX))
    payment = payment_of(intent, total=total, fee=_fee_of(intent, facts, total, reason))
    if reason is None:
        return payment
    return msgspec.structs.replace(
        payment, status=PaymentStatus.REFUSED, reason=reason, concluded_at=intent.created_at
    )


def _amount_asked(intent: Intent, facts: IntentFacts) -> int:
    if intent.amount is not None:
        return intent.amount + intent.tip
    assert intent.kind is PaymentKind.REFUND, "only a refund may leave its amount open"
    return 0 if facts.original is None else facts.original.taken - facts.original.refunded


def _refuse_amount(intent: Intent, amount: int) -> Reason | None:
    if intent.kind is PaymentKind.REFUND and intent.amount is None:
        return None  # whether anything is left is for `_refuse_refund`
    if amount <= 0 or intent.tip < 0 or (intent.amount is not None and intent.amount <= 0):
        return Reason.AMOUNT_NOT_POSITIVE
    if amount > AMOUNT_MINOR_MAX:
        return Reason.AMOUNT_TOO_LARGE
    return None


def _refuse_parties(intent: Intent) -> Reason | None:
    payer, payee = intent.payer, intent.payee
    if payee is None or payer is None:
        is_refund = intent.kind is PaymentKind.REFUND
        return Reason.ORDER_NOT_PAID if is_refund else Reason.PAYEE_NOT_FOUND
    if payer.id == payee.id:
        return Reason.PAYEE_IS_PAYER
    if not payer.is_open:
        return Reason.PAYER_CLOSED
    if not payee.is_open:
        return Reason.PAYEE_CLOSED
    return None


def _refuse_order(intent: Intent, facts: IntentFacts, amount: int) -> Reason | None:
    order = facts.order
    if intent.kind is PaymentKind.REFUND:
        return None
    if order is None:
        return Reason.ORDER_NOT_FOUND if intent.order_id is not None else None
    if order.cancelled_at is not None:
        return Reason.ORDER_CANCELLED
    taken_by = facts.order_payment
    if taken_by is not None:
        is_open = taken_by.status is PaymentStatus.PENDING
        return Reason.ORDER_IN_PROGRESS if is_open else Reason.ORDER_ALREADY_PAID
    if intent.created_at >= order.expires_at:
        return Reason.ORDER_EXPIRED
    if amount - intent.tip != order.amount:
        return Reason.AMOUNT_MISMATCH
    if intent.tip and order.tip is TipMode.NONE:
        return Reason.TIP_NOT_ASKED
    return None


def _refuse_refund(intent: Intent, facts: IntentFacts, amount: int) -> Reason | None:
    if intent.kind is not PaymentKind.REFUND:
        return None
    original = facts.original
    is_paid = original is not None and original.status is PaymentStatus.PAID
    if original is None or not is_paid or original.kind not in REFUNDABLE:
        return Reason.ORDER_NOT_PAID
    if not _has_way_back(original):
        return Reason.REFUND_NEEDS_KEY
    left = original.taken - original.refunded
    if amount > left or not left:
        return Reason.EXCEEDS_PAID
    return None


def _has_way_back(original: Payment) -> bool:
    """Say whether money can reach the payer: by the account, or by the key left for it."""
    return original.kind is not PaymentKind.PURSE or original.refund_key is not None


def is_refundable(payment: Payment) -> bool:
    """Say whether a merchant could give something of a purchase back now."""
    is_paid = payment.kind in REFUNDABLE and payment.status is PaymentStatus.PAID
    return is_paid and payment.taken > payment.refunded and _has_way_back(payment)


REFUNDABLE: Final = frozenset({PaymentKind.PURCHASE, PaymentKind.PURSE})
_UNLIMITED: Final = frozenset({PaymentKind.REFUND, PaymentKind.DEPOSIT})
"""What a payer gets back, and what was the payer's own all the time."""


def _refuse_limits(intent: Intent, facts: IntentFacts, amount: int) -> Reason | None:
    """Hold the payer's and payee's limits; what is given back is never limited."""
    payer, payee = intent.payer, intent.payee
    assert payer is not None, "parties were checked before"
    assert payee is not None, "parties were checked before"
    if intent.kind in _UNLIMITED:
        return None
    if payer.payment_limit is not None and amount > payer.payment_limit:
        return Reason.EXCEEDS_PAYMENT_LIMIT
    if payer.day_limit is not None and facts.spent_today + amount > payer.day_limit:
        return Reason.EXCEEDS_DAY_LIMIT
    if payee.holding_limit is not None and facts.holding + amount > payee.holding_limit:
        return Reason.EXCEEDS_HOLDING_LIMIT
    return None


def _fee_of(intent: Intent, facts: IntentFacts, total: int, reason: Reason | None) -> int:
    """Return the fee to take, or for a refund the part of the fee to give back.

    After each refund, the fee that stays is the fee due on what stays; so a full refund, in
    however many parts, gives back the whole fee.
    """
    if reason is not None or intent.payee is None:
        return 0
    if intent.kind is PaymentKind.REFUND:
        original = facts.original
        assert original is not None, "a refund that is not refused has its payment"
        left = original.taken - original.refunded - total
        stays = fee_due(left, original.fee_basis_points)
        return max(0, original.fee - original.fee_returned - stays)
    return fee_due(total, intent.payee.fee_basis_points)


def payment_of(intent: Intent, *, total: int, fee: int) -> Payment:
    payer, payee = intent.payer, intent.payee
    hold_ends = Instant(intent.created_at + HOLD_LIFE_MS * MILLISECOND_NS)
    return Payment(
        id=intent.id,
        kind=intent.kind,
        status=PaymentStatus.PENDING,
        reason=None,
        initiator=intent.initiator,
        key=intent.key,
        body=intent.body,
        payer=None if payer is None else payer.id,
        payee=None if payee is None else payee.id,
        payer_account=_NO_PARTY_ACCOUNT if payer is None else payer.account,
        payee_account=_NO_PARTY_ACCOUNT if payee is None else payee.account,
        total=total,
        tip=max(0, min(intent.tip, total)),
        fee=fee,
        fee_basis_points=0 if payee is None else payee.fee_basis_points,
        order_id=intent.order_id,
        refund_of=intent.refund_of,
        till_id=intent.till_id,
        captured=0,
        refunded=0,
        fee_returned=0,
        steps=0,
        hold_expires_at=hold_ends if intent.is_hold else None,
        sealed_note=intent.sealed_note,
        note_key=intent.note_key,
        created_at=intent.created_at,
        concluded_at=None,
    )
