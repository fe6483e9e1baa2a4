"""What the API answers: payments and orders as their parties may see them."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, Final

from amana.kernel import AmanaId, IdKind, Instant, format_id, format_instant
from amana.node.operator import Operator
from amana.node.purse import public_profile
from amana.payments.model import (
    CaptureMode,
    Order,
    Payment,
    PaymentKind,
    PaymentStatus,
    TipMode,
)
from amana.payments.rules import is_refundable, order_status
from amana.people import PartyFacts

View = dict[str, Any]

_STATUS: Final = {status: status.name.lower() for status in PaymentStatus}
_KIND: Final = {kind: kind.name.lower() for kind in PaymentKind}
_CAPTURE: Final = {mode: mode.name.lower() for mode in CaptureMode}
_TIP: Final = {mode: mode.name.lower() for mode in TipMode}


def money_view(operator: Operator, minor: int) -> View:
    """Write minor units as an amount."""
    return {"currency": operator.settings.currency, "minor": str(minor)}


def instant_view(instant: Instant | None) -> str | None:
    """Write an instant, if there is one."""
    return None if instant is None else format_instant(instant)


def id_view(kind: IdKind, identifier: AmanaId | None) -> str | None:
    """Write an identifier, if there is one."""
    return None if identifier is None else format_id(kind, identifier)


def key_view(key: bytes | None) -> str | None:
    """Write a key as base64url, if there is one."""
    return None if key is None else urlsafe_b64encode(key).rstrip(b"=").decode()


def payee_view(facts: PartyFacts) -> View:
    """Write a party's public profile."""
    return public_profile(facts)


def payment_id_view(payment: Payment) -> str:
    """Write a payment's id; a refund's has its own kind."""
    kind = IdKind.REFUND if payment.kind is PaymentKind.REFUND else IdKind.PAYMENT
    return format_id(kind, payment.id)


def outcome_view(operator: Operator, payment: Payment) -> View:
    """Write what was decided when the payment was made, and nothing that happened since.

    This is the answer to the request that made it, and to every repetition of that request.
    """
    payee = None if payment.payee is None else operator.directory.by_id(payment.payee)
    concluded_at = payment.concluded_at
    if payment.is_hold and payment.status is not PaymentStatus.AUTHORISED:
        concluded_at = None
    return {
        "id": payment_id_view(payment),
        "kind": _KIND[payment.kind],
        "status": "authorised" if payment.is_hold else _STATUS[payment.status],
        "amount": money_view(operator, payment.total - payment.tip),
        "tip": money_view(operator, payment.tip),
        "total": money_view(operator, payment.total),
        "fee": None if payment.is_hold else money_view(operator, payment.fee),
        "fee_paid_by": "payee",
        "payee": None
        if payee is None
        else {"handle": payee.handle, "kind": payee_view(payee)["kind"]},
        "order_id": id_view(IdKind.ORDER, payment.order_id),
        "privacy": "named",
        "created_at": format_instant(payment.created_at),
        "concluded_at": None if payment.is_hold else instant_view(concluded_at),
    }


def payment_view(operator: Operator, payment: Payment, viewer: AmanaId) -> View:
    """Write a payment as one of its parties sees it now. A merchant payee never sees this."""
    view = outcome_view(operator, payment)
    payer = None if payment.payer is None else operator.directory.by_id(payment.payer)
    payee = None if payment.payee is None else operator.directory.by_id(payment.payee)
    order = None if payment.order_id is None else operator.payments_read.order(payment.order_id)
    refund_of = payment.refund_of
    view.update(
        {
            "status": _STATUS[payment.status],
            "reason": None if payment.reason is None else payment.reason.value,
            "direction": "out" if payment.payer == viewer else "in",
            "payee": None if payee is None else payee_view(payee),
            "payer": None if payer is None else payee_view(payer),
            "fee": money_view(operator, 0 if payment.kind is PaymentKind.REFUND else payment.fee),
            "captured": money_view(operator, payment.captured) if payment.is_hold else None,
            "refunded": money_view(operator, payment.refunded),
            "refund_of": id_view(IdKind.PAYMENT, refund_of),
            "reference": None if order is None else order.reference,
            "hold_expires_at": instant_view(payment.hold_expires_at),
            "sealed_note": payment.sealed_note,
            "receipt_note": operator.payments_read.receipt_note(payment.id),
            "note_key": key_view(payment.note_key),
            "concluded_at": instant_view(payment.concluded_at),
        }
    )
    return view


def order_answer(operator: Operator, order: Order, code: str, *, cashu_request: str | None) -> View:
    """Write an order as it was made: the answer to every repetition of its request."""
    return {
        "id": format_id(IdKind.ORDER, order.id),
        "status": "open",
        "amount": money_view(operator, order.amount),
        "reference": order.reference,
        "basket_hash": None if order.basket_hash is None else order.basket_hash.hex(),
        "capture": _CAPTURE[order.capture],
        "till": id_view(IdKind.TILL, order.till_id),
        "tip": _TIP[order.tip],
        "code": code,
        "cashu_request": cashu_request,
        "expires_at": format_instant(order.expires_at),
        "created_at": format_instant(order.created_at),
    }


def order_view(
    operator: Operator,
    order: Order,
    payment: Payment | None,
    *,
    code: str,
    cashu_request: str | None,
) -> View:
    """Write an order as it stands now; there is no payer in it."""
    view = order_answer(operator, order, code, cashu_request=cashu_request)
    view["status"] = order_status(order, payment, now=operator.clock.now()).value
    view.update(_paid_view(operator, payment))
    return view


def direct_order_view(operator: Operator, payment: Payment) -> View:
    """Write a payment by static code or handle as the order it is to the merchant."""
    return {
        "id": format_id(IdKind.ORDER, payment.id),
        "status": _STATUS[payment.status]
        if payment.status is not PaymentStatus.PENDING
        else "open",
        "amount": money_view(operator, payment.total - payment.tip),
        "reference": None,
        "basket_hash": None,
        "capture": "automatic",
        "till": id_view(IdKind.TILL, payment.till_id),
        "tip": "none",
        "code": None,
        "cashu_request": None,
        "expires_at": None,
        "created_at": format_instant(payment.created_at),
        **_paid_view(operator, payment),
    }


_UNPAID: Final = (
    "payment_id",
    "paid",
    "paid_from",
    "tip_paid",
    "captured",
    "fee",
    "net",
    "note_key",
    "concluded_at",
    "hold_expires_at",
)


def _paid_view(operator: Operator, payment: Payment | None) -> View:
    if payment is None or payment.status is PaymentStatus.PENDING:
        view: View = dict.fromkeys(_UNPAID)
        view["pending"] = payment is not None
        view["refundable"] = False
        view["refunded"] = money_view(operator, 0)
        view["refunds"] = []
        return view
    taken = payment.taken
    return {
        "pending": False,
        "payment_id": format_id(IdKind.PAYMENT, payment.id),
        "paid": money_view(operator, payment.total),
        "paid_from": "purse" if payment.kind is PaymentKind.PURSE else "account",
        "tip_paid": money_view(operator, payment.tip),
        "captured": money_view(operator, payment.captured) if payment.is_hold else None,
        "fee": money_view(operator, payment.fee - payment.fee_returned),
        "net": money_view(operator, taken - payment.refunded - payment.fee + payment.fee_returned),
        "refunded": money_view(operator, payment.refunded),
        "refundable": is_refundable(payment),
        "refunds": _refunds_view(operator, operator.payments_read.refunds_of(payment.id)),
        "note_key": key_view(payment.note_key),
        "hold_expires_at": instant_view(payment.hold_expires_at),
        "concluded_at": instant_view(payment.concluded_at),
    }


def _refunds_view(operator: Operator, refunds: Sequence[Payment]) -> list[View]:
    return [
        {
            "id": format_id(IdKind.REFUND, refund.id),
            "status": _STATUS[refund.status],
            "amount": money_view(operator, refund.total),
            "fee_returned": money_view(operator, refund.fee),
            "created_at": format_instant(refund.created_at),
        }
        for refund in refunds
        if refund.status is not PaymentStatus.REFUSED
    ]
