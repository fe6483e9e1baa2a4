"""What clients were told, against what is stored: an answer once given never changes."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from amana.payments.books import PaymentRows
from amana.payments.model import (
    TRANSITIONS,
    IdReused,
    Order,
    Payment,
    PaymentStatus,
    Reason,
    Refused,
    Step,
    StepStatus,
)
from amana.testing.simulator._clients import Operation
from amana.testing.simulator._node import Answer, Ask, Request
from amana.testing.simulator._stores import Stored
from amana.testing.simulator._violation import Violation

_FACTS: Final = ("id", "kind", "initiator", "key", "body", "payer", "payee", "total", "tip")
_RULE: Final = "an answer never changes"


def audit_told(stored: Stored, operations: Iterable[Operation]) -> Iterator[Violation]:
    """Check every answer that a client heard, and that everybody who asks has heard one."""
    keys = _bodies(stored)
    for operation in operations:
        if not operation.heard and not operation.is_abandoned:
            yield Violation("everybody is answered", str(operation.number), "an answer", "none")
        for answer in operation.heard:
            match answer:
                case IdReused():
                    request = _request(operation)
                    if keys[request.ask].get(request.key, request.body) == request.body:
                        yield _changed(operation, "a stored row of another body", answer)
                case Payment():
                    yield from _payment(stored, operation, answer)
                case (Payment() as payment, Step() as step):
                    yield from _status(stored, operation, payment)
                    yield from _step(stored, operation, step)
                case Order():
                    yield from _order(stored, operation, answer)
                case Refused():
                    yield from _not_cancelled(stored, operation, answer)
                case _:
                    pass


def audit_durable(rows: PaymentRows, operation: Operation, answer: Answer) -> Iterator[Violation]:
    """Check, at the moment of an answer, that what it tells of cannot be lost any more."""
    match answer:
        case IdReused():
            stored = _by_key(rows, operation)
            is_durable = stored is not None and stored != _request(operation).body
        case Payment():
            row = rows.payment(answer.id)
            is_durable = row is not None and row.status in _reachable(answer.status)
        case (Payment(), Step() as told):
            step = rows.step_by_key(told.key)
            is_durable = step is not None and step.status is told.status
        case Order():
            order = rows.order(answer.id)
            cancelled_at = None if order is None else order.cancelled_at
            is_durable = order is not None and answer.cancelled_at in {None, cancelled_at}
        case _:
            is_durable = True
    if not is_durable:
        yield Violation("an answer is durable", _name(operation), "a stored row", str(answer))


def _reachable(told: PaymentStatus) -> frozenset[PaymentStatus]:
    return TRANSITIONS[told] | {told}


def _by_key(rows: PaymentRows, operation: Operation) -> bytes | None:
    """Return the body of the durable row that a request's key belongs to."""
    key = _request(operation).key
    row: Payment | Step | Order | None
    match operation.request.ask:
        case Ask.CAPTURE | Ask.VOID:
            row = rows.step_by_key(key)
        case Ask.ORDER:
            row = rows.order_by_key(key)
        case _:
            row = rows.payments_by_key([key]).get(key)
    return None if row is None else row.body


def audit_filled(operations: Iterable[Operation]) -> Iterator[Violation]:
    """Check that what a limit leaves could be used to the last unit."""
    for operation in operations:
        for answer in operation.heard:
            if not isinstance(answer, Payment) or answer.status is not PaymentStatus.PAID:
                amount = operation.request.amount
                yield Violation("a limit can be used up", f"{amount}", "PAID", str(answer))


def _bodies(stored: Stored) -> dict[Ask, dict[bytes, bytes]]:
    """Return which body each key belongs to, by what is asked."""
    payments = {payment.key: payment.body for payment in stored.payments.values()}
    steps = {step.key: step.body for step in stored.steps.values()}
    orders = {order.key: order.body for order in stored.orders.values()}
    return {
        Ask.PAY: payments,
        Ask.PAY_ORDER: payments,
        Ask.REFUND: payments,
        Ask.CAPTURE: steps,
        Ask.VOID: steps,
        Ask.ORDER: orders,
    }


def _request(operation: Operation) -> Request:
    """Return the request of an operation on accounts."""
    assert isinstance(operation.request, Request), "purses are told other things"
    return operation.request


def _changed(operation: Operation, expected: object, found: object) -> Violation:
    return Violation(_RULE, _name(operation), str(expected), str(found))


def _name(operation: Operation) -> str:
    return f"operation {operation.number} ({operation.request.ask.name})"


def _payment(stored: Stored, operation: Operation, told: Payment) -> Iterator[Violation]:
    row = stored.payments.get(told.id)
    if row is None:
        yield _changed(operation, "the stored row", f"none, told {told.status.name}")
        return
    request = _request(operation)
    is_query = request.ask is Ask.QUERY
    if not is_query and (row.key, row.body) != (request.key, request.body):
        yield _changed(operation, "the request's own payment", row.id)
    for name in _FACTS:
        if getattr(row, name) != getattr(told, name):
            yield _changed(operation, f"{name} {getattr(row, name)}", getattr(told, name))
    if told.status is PaymentStatus.PENDING and not is_query:
        yield _changed(operation, "an outcome", "PENDING")
    yield from _status(stored, operation, told)


def _status(stored: Stored, operation: Operation, told: Payment) -> Iterator[Violation]:
    row = stored.payments.get(told.id)
    if row is None:
        yield _changed(operation, "the stored row", "none")
        return
    if told.status is PaymentStatus.PENDING:
        return
    if row.status is not told.status and row.status not in TRANSITIONS[told.status]:
        yield _changed(operation, f"{told.status.name} as told", row.status.name)
    if row.status is told.status and (row.reason, row.fee) != (told.reason, told.fee):
        found = (told.reason, told.fee)
        yield _changed(operation, (row.reason, row.fee), found)


def _step(stored: Stored, operation: Operation, told: Step) -> Iterator[Violation]:
    row = stored.steps.get(told.key)
    if told.status is StepStatus.PENDING or row != told:
        yield _changed(operation, row, told)


def _order(stored: Stored, operation: Operation, told: Order) -> Iterator[Violation]:
    row = stored.orders.get(told.id)
    if row is None:
        yield _changed(operation, "the stored order", "none")
        return
    is_cancel = operation.request.ask is Ask.CANCEL
    if is_cancel and (told.cancelled_at is None or row.cancelled_at != told.cancelled_at):
        yield _changed(operation, told.cancelled_at, row.cancelled_at)
    first = msgspec.structs.replace(told, payment_id=None, cancelled_at=None)
    if msgspec.structs.replace(row, payment_id=None, cancelled_at=None) != first:
        yield _changed(operation, row, told)


def _not_cancelled(stored: Stored, operation: Operation, told: Refused) -> Iterator[Violation]:
    subject = _request(operation).subject
    if told.reason is not Reason.ORDER_ALREADY_PAID or subject is None:
        return
    row = stored.orders.get(subject)
    if row is None or row.payment_id is None or row.cancelled_at is not None:
        yield _changed(operation, "an order that is paid", row)
