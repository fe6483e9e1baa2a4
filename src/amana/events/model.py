"""What an event is: one fact, told to one party, numbered in that party's own feed."""

from enum import StrEnum

import msgspec

from amana.kernel import AmanaId, Instant


class EventKind(StrEnum):
    """What happened, from the side of the party that is told."""

    PAYMENT_PAID = "payment.paid"
    PAYMENT_AUTHORISED = "payment.authorised"
    PAYMENT_CAPTURED = "payment.captured"
    PAYMENT_VOIDED = "payment.voided"
    PAYMENT_EXPIRED = "payment.expired"
    PAYMENT_RECEIVED = "payment.received"
    PAYMENT_REFUNDED = "payment.refunded"
    PAYMENT_REFUSED = "payment.refused"
    ORDER_PAID = "order.paid"
    ORDER_AUTHORISED = "order.authorised"
    ORDER_CAPTURED = "order.captured"
    ORDER_CANCELLED = "order.cancelled"
    ORDER_VOIDED = "order.voided"
    ORDER_EXPIRED = "order.expired"
    ORDER_REFUNDED = "order.refunded"
    ORDER_CREDITED = "order.credited"
    REFUND_REFUSED = "refund.refused"
    CREDIT_REFUSED = "credit.refused"
    TOPUP_PAID = "topup.paid"
    TOPUP_REFUSED = "topup.refused"
    PURSE_REFILLED = "purse.refilled"
    PURSE_DEPOSITED = "purse.deposited"
    REFILL_REFUSED = "refill.refused"
    DEPOSIT_REFUSED = "deposit.refused"


class Event(msgspec.Struct, frozen=True):
    """One fact for one party. `number` counts from 1 in the party's feed, without gaps."""

    stream: AmanaId
    number: int
    kind: EventKind
    subject: AmanaId
    order_id: AmanaId | None
    amount: int
    occurred_at: Instant
