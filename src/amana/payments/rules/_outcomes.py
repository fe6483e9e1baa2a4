"""What an outcome means to orders, parties and takings."""

from typing import Final

import msgspec

from amana.events import EventKind
from amana.kernel import AmanaId, Instant
from amana.payments.model import (
    CaptureMode,
    Order,
    OrderStatus,
    PartyKind,
    Payment,
    PaymentKind,
    PaymentStatus,
    Reason,
    Refused,
    Step,
    StepKind,
    Takings,
)
from amana.payments.rules._intents import REFUNDABLE


def order_status(order: Order, payment: Payment | None, *, now: Instant) -> OrderStatus:
    """Return where an order stands, from the order and the payment that took it."""
    if order.cancelled_at is not None:
        return OrderStatus.CANCELLED
    if payment is not None and payment.status is not PaymentStatus.PENDING:
        return _ORDER_STATUS[payment.status]
    is_over = payment is None and now >= order.expires_at
    return OrderStatus.EXPIRED if is_over else OrderStatus.OPEN


_ORDER_STATUS: Final = {
    PaymentStatus.AUTHORISED: OrderStatus.AUTHORISED,
    PaymentStatus.PAID: OrderStatus.PAID,
    PaymentStatus.REFUSED: OrderStatus.OPEN,
    PaymentStatus.VOIDED: OrderStatus.VOIDED,
    PaymentStatus.EXPIRED: OrderStatus.EXPIRED,
}


def decide_cancel(order: Order, payment: Payment | None, *, now: Instant) -> Order | Refused:
    """Cancel an order that nobody has paid; say what stands in the way of any other."""
    if order.cancelled_at is not None:
        return order
    if payment is not None:
        if payment.status is PaymentStatus.PENDING:
            return Refused(Reason.ORDER_IN_PROGRESS)
        return Refused(Reason.ORDER_ALREADY_PAID)
    return msgspec.structs.replace(order, cancelled_at=now)


def kind_between(payer: PartyKind, payee: PartyKind) -> PaymentKind:
    """Return what a payment between two kinds of party is."""
    if payer is PartyKind.OPERATOR:
        return PaymentKind.TOPUP
    if payer is PartyKind.MERCHANT:
        return PaymentKind.CREDIT
    return PaymentKind.PURCHASE if payee is PartyKind.MERCHANT else PaymentKind.PERSON


def is_held(order: Order | None) -> bool:
    """Whether paying this order holds the money for a later capture."""
    return order is not None and order.capture is CaptureMode.MANUAL


_TOLD: Final = {
    (PaymentKind.PURCHASE, PaymentStatus.PAID): (EventKind.PAYMENT_PAID, EventKind.ORDER_PAID),
    (PaymentKind.PURCHASE, PaymentStatus.AUTHORISED): (
        EventKind.PAYMENT_AUTHORISED,
        EventKind.ORDER_AUTHORISED,
    ),
    (PaymentKind.PURCHASE, PaymentStatus.VOIDED): (
        EventKind.PAYMENT_VOIDED,
        EventKind.ORDER_VOIDED,
    ),
    (PaymentKind.PURCHASE, PaymentStatus.EXPIRED): (
        EventKind.PAYMENT_EXPIRED,
        EventKind.ORDER_EXPIRED,
    ),
    (PaymentKind.PURCHASE, PaymentStatus.REFUSED): (EventKind.PAYMENT_REFUSED, None),
    (PaymentKind.PERSON, PaymentStatus.PAID): (
        EventKind.PAYMENT_PAID,
        EventKind.PAYMENT_RECEIVED,
    ),
    (PaymentKind.PERSON, PaymentStatus.REFUSED): (EventKind.PAYMENT_REFUSED, None),
    (PaymentKind.TOPUP, PaymentStatus.PAID): (EventKind.TOPUP_PAID, EventKind.PAYMENT_RECEIVED),
    (PaymentKind.TOPUP, PaymentStatus.REFUSED): (EventKind.TOPUP_REFUSED, None),
    (PaymentKind.REFUND, PaymentStatus.PAID): (
        EventKind.ORDER_REFUNDED,
        EventKind.PAYMENT_REFUNDED,
    ),
    (PaymentKind.REFUND, PaymentStatus.REFUSED): (EventKind.REFUND_REFUSED, None),
    (PaymentKind.CREDIT, PaymentStatus.PAID): (
        EventKind.ORDER_CREDITED,
        EventKind.PAYMENT_RECEIVED,
    ),
    (PaymentKind.CREDIT, PaymentStatus.REFUSED): (EventKind.CREDIT_REFUSED, None),
    (PaymentKind.PURSE, PaymentStatus.PAID): (None, EventKind.ORDER_PAID),
    (PaymentKind.REFILL, PaymentStatus.PAID): (EventKind.PURSE_REFILLED, None),
    (PaymentKind.REFILL, PaymentStatus.REFUSED): (EventKind.REFILL_REFUSED, None),
    (PaymentKind.DEPOSIT, PaymentStatus.PAID): (None, EventKind.PURSE_DEPOSITED),
    (PaymentKind.DEPOSIT, PaymentStatus.REFUSED): (None, EventKind.DEPOSIT_REFUSED),
}
"""What the payer and the payee are told of each outcome. Nobody is told of a payment that somebody
else tried in vain: a merchant learns of payments, not of empty purses."""

_CAPTURED: Final = (EventKind.PAYMENT_CAPTURED, EventKind.ORDER_CAPTURED)


def events_of(payment: Payment, step: Step | None) -> tuple[tuple[AmanaId, EventKind], ...]:
    """Return who is told what of an outcome; a party of None is nobody."""
    is_capture = step is not None and step.kind is StepKind.CAPTURE
    kinds = _CAPTURED if is_capture else _TOLD[payment.kind, payment.status]
    sides = zip((payment.payer, payment.payee), kinds, strict=True)
    return tuple((party, kind) for party, kind in sides if party is not None and kind is not None)


def takings_after(before: Takings, payment: Payment) -> Takings:
    """Add a concluded payment to the payee's, or refund or credit to the payer's, takings."""
    if payment.status is not PaymentStatus.PAID:
        return before
    if payment.kind in REFUNDABLE:
        return Takings(
            payments=before.payments + 1,
            gross=before.gross + payment.taken,
            fees=before.fees + payment.fee,
            refunded=before.refunded,
        )
    return Takings(
        payments=before.payments,
        gross=before.gross,
        fees=before.fees - payment.fee,
        refunded=before.refunded + payment.total,
    )


def merchant_of(payment: Payment) -> AmanaId | None:
    """Return the merchant whose takings a payment changes, if there is one."""
    if payment.kind in REFUNDABLE:
        return payment.payee
    return payment.payer if payment.kind in _GIVING_BACK else None


_GIVING_BACK: Final = frozenset({PaymentKind.REFUND, PaymentKind.CREDIT})


def order_of(payment: Payment) -> AmanaId | None:
    """Return the order a payment belongs to, as the merchant knows it.

    A payment by static code or handle is its own order: the same bits, another kind.
    """
    if payment.kind is PaymentKind.REFUND:
        return payment.order_id or payment.refund_of
    if payment.kind is PaymentKind.PURCHASE:
        return payment.order_id or payment.id
    return payment.order_id
