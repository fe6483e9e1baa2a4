"""What e-cash may pay."""

import msgspec

from amana.kernel import Instant
from amana.payments.model import (
    ECASH_ACCOUNT,
    PURSE_PARTY,
    CaptureMode,
    Intent,
    Order,
    Party,
    PartyKind,
    Payment,
    PaymentKind,
    PaymentStatus,
    PurseTaking,
    Reason,
    TipMode,
)
from amana.payments.rules._intents import payment_of


def decide_purse(
    taking: PurseTaking, order: Order | None, order_payment: Payment | None
) -> tuple[Payment, Order] | Reason:
    """Decide whether e-cash may be spent on an order now, or on a new one where it names none.

    Returns:
        The payment, PAID: its proofs are spent in the same commit; and the order it takes.
    """
    payee = taking.payee
    if taking.tip < 0 or taking.total - taking.tip <= 0:
        return Reason.AMOUNT_NOT_POSITIVE
    if not payee.is_open:
        return Reason.PAYEE_CLOSED
    if order is None:
        if taking.order_id is not None:
            return Reason.ORDER_NOT_FOUND
        order = _order_of(taking)
    reason = _refuse_taking(taking, order, order_payment)
    if reason is not None:
        return reason
    payment = payment_of(
        Intent(
            id=taking.id,
            kind=PaymentKind.PURSE,
            initiator=PURSE_PARTY,
            key=taking.key,
            body=taking.key,
            payer=Party(PURSE_PARTY, PartyKind.OPERATOR, ECASH_ACCOUNT),
            payee=payee,
            amount=taking.total - taking.tip,
            created_at=taking.now,
            tip=taking.tip,
            order_id=order.id,
            till_id=order.till_id,
        ),
        total=taking.total,
        fee=taking.fee,
    )
    paid = msgspec.structs.replace(
        payment,
        status=PaymentStatus.PAID,
        steps=taking.attempt,
        concluded_at=taking.now,
        refund_key=taking.refund_key,
    )
    return paid, msgspec.structs.replace(order, payment_id=paid.id)


def _order_of(taking: PurseTaking) -> Order:
    """Make the order of a payment by static code or handle: the same bits, another kind."""
    return Order(
        id=taking.id,
        merchant=taking.payee.id,
        till_id=None,
        amount=taking.total - taking.tip,
        reference=None,
        basket_hash=None,
        capture=CaptureMode.AUTOMATIC,
        tip=TipMode.PROMPT,
        key=taking.key,
        body=taking.key,
        created_at=taking.now,
        expires_at=Instant(taking.now + 1),
    )


def _refuse_taking(
    taking: PurseTaking, order: Order, order_payment: Payment | None
) -> Reason | None:
    if order.cancelled_at is not None:
        return Reason.ORDER_CANCELLED
    if order_payment is not None:
        is_open = order_payment.status is PaymentStatus.PENDING
        return Reason.ORDER_IN_PROGRESS if is_open else Reason.ORDER_ALREADY_PAID
    if taking.now >= order.expires_at:
        return Reason.ORDER_EXPIRED
    if order.capture is CaptureMode.MANUAL:
        return Reason.PURSE_CANNOT_HOLD
    if taking.total - taking.tip != order.amount or order.merchant != taking.payee.id:
        return Reason.AMOUNT_MISMATCH
    if taking.tip and order.tip is TipMode.NONE:
        return Reason.TIP_NOT_ASKED
    return None
