"""Payments in the file of books, and the store the service awaits."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import sqlalchemy as sa

from amana.kernel import AmanaId, Clock, Instant
from amana.payments import tables
from amana.payments.books import Changes, PaymentBooks
from amana.payments.model import (
    CaptureMode,
    Intent,
    Order,
    Payment,
    PaymentKind,
    PaymentStatus,
    Reason,
    Refused,
    Step,
    StepIntent,
    StepKind,
    StepStatus,
    Takings,
    TipMode,
)
from amana.storage import Handler, sql_text

_ID_BYTES: Final = 16
_KEYS_A_QUERY: Final = 64


def _names(table: sa.Table) -> str:
    return ", ".join(column.name for column in table.columns)


_PAYMENT_NAMES: Final = _names(tables.payments_table)
_STEP_NAMES: Final = _names(tables.steps_table)
_ORDER_NAMES: Final = _names(tables.orders_table)

_INSERT_PAYMENT: Final = sql_text(sa.insert(tables.payments_table))
_INSERT_STEP: Final = sql_text(sa.insert(tables.steps_table))
_INSERT_ORDER: Final = sql_text(sa.insert(tables.orders_table))
_UPDATE_PAYMENT: Final = (
    "UPDATE payments_payments SET status = ?, reason = ?, fee = ?, captured = ?, refunded = ?, "
    "fee_returned = ?, steps = ?, concluded_at = ? WHERE id = ?"
)
_UPDATE_STEP: Final = (
    "UPDATE payments_steps SET status = ?, reason = ?, concluded_at = ? WHERE intent_key = ?"
)
_UPDATE_ORDER: Final = "UPDATE payments_orders SET payment_id = ?, cancelled_at = ? WHERE id = ?"
_UPSERT_SPENT: Final = (
    "INSERT INTO payments_spent (payer, day, minor) VALUES (?, ?, ?) "
    "ON CONFLICT (payer, day) DO UPDATE SET minor = excluded.minor"
)
_UPSERT_TAKINGS: Final = (
    "INSERT INTO payments_takings (merchant, day, payments, gross, fees, refunded) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (merchant, day) DO UPDATE SET "
    "payments = excluded.payments, gross = excluded.gross, fees = excluded.fees, "
    "refunded = excluded.refunded"
)
_SELECT_PAYMENT: Final = f"SELECT {_PAYMENT_NAMES} FROM payments_payments"  # noqa: S608 - column names of our own table
_SELECT_STEP: Final = f"SELECT {_STEP_NAMES} FROM payments_steps"  # noqa: S608 - likewise
_SELECT_ORDER: Final = f"SELECT {_ORDER_NAMES} FROM payments_orders"  # noqa: S608 - likewise
_BY_KEYS: Final = f"{_SELECT_PAYMENT} WHERE intent_key IN ({','.join('?' * _KEYS_A_QUERY)})"
_UNFINISHED: Final = f"{_SELECT_PAYMENT} WHERE status = 1 AND status <= 2"
_EXPIRING: Final = (
    f"{_SELECT_PAYMENT} WHERE status = 2 AND status <= 2 AND hold_expires_at <= ? "  # noqa: S608 - likewise
    "AND NOT EXISTS (SELECT 1 FROM payments_steps WHERE payment_id = payments_payments.id "
    "AND payments_steps.status = 1)"
)


def _bytes(identifier: int | None) -> bytes | None:
    return None if identifier is None else identifier.to_bytes(_ID_BYTES)


def _id(stored: bytes | None) -> AmanaId | None:
    return None if stored is None else AmanaId(int.from_bytes(stored))


def _payment_row(payment: Payment) -> tuple[Any, ...]:
    return (
        payment.id.to_bytes(_ID_BYTES),
        int(payment.kind),
        int(payment.status),
        payment.reason,
        payment.initiator.to_bytes(_ID_BYTES),
        payment.key,
        payment.body,
        _bytes(payment.payer),
        _bytes(payment.payee),
        payment.payer_account.to_bytes(_ID_BYTES),
        payment.payee_account.to_bytes(_ID_BYTES),
        payment.total,
        payment.tip,
        payment.fee,
        payment.fee_basis_points,
        _bytes(payment.order_id),
        _bytes(payment.refund_of),
        _bytes(payment.till_id),
        payment.captured,
        payment.refunded,
        payment.fee_returned,
        payment.steps,
        payment.hold_expires_at,
        payment.sealed_note,
        payment.note_key,
        payment.created_at,
        payment.concluded_at,
        payment.refund_key,
    )


def payment_of(row: Any) -> Payment:  # noqa: ANN401 - a row of the database
    """Read a payment from its row."""
    return Payment(
        id=AmanaId(int.from_bytes(row[0])),
        kind=PaymentKind(row[1]),
        status=PaymentStatus(row[2]),
        reason=None if row[3] is None else Reason(row[3]),
        initiator=AmanaId(int.from_bytes(row[4])),
        key=row[5],
        body=row[6],
        payer=_id(row[7]),
        payee=_id(row[8]),
        payer_account=int.from_bytes(row[9]),
        payee_account=int.from_bytes(row[10]),
        total=row[11],
        tip=row[12],
        fee=row[13],
        fee_basis_points=row[14],
        order_id=_id(row[15]),
        refund_of=_id(row[16]),
        till_id=_id(row[17]),
        captured=row[18],
        refunded=row[19],
        fee_returned=row[20],
        steps=row[21],
        hold_expires_at=None if row[22] is None else Instant(row[22]),
        sealed_note=row[23],
        note_key=row[24],
        created_at=Instant(row[25]),
        concluded_at=None if row[26] is None else Instant(row[26]),
        refund_key=row[27],
    )


def _step_row(step: Step) -> tuple[Any, ...]:
    return (
        step.payment_id.to_bytes(_ID_BYTES),
        step.number,
        int(step.kind),
        int(step.status),
        step.reason,
        step.key,
        step.body,
        step.amount,
        step.fee,
        step.created_at,
        step.concluded_at,
    )


def _step_of(row: Any) -> Step:  # noqa: ANN401 - a row of the database
    return Step(
        payment_id=AmanaId(int.from_bytes(row[0])),
        number=row[1],
        kind=StepKind(row[2]),
        status=StepStatus(row[3]),
        reason=None if row[4] is None else Reason(row[4]),
        key=row[5],
        body=row[6],
        amount=row[7],
        fee=row[8],
        created_at=Instant(row[9]),
        concluded_at=None if row[10] is None else Instant(row[10]),
    )


def _order_row(order: Order) -> tuple[Any, ...]:
    return (
        order.id.to_bytes(_ID_BYTES),
        order.merchant.to_bytes(_ID_BYTES),
        _bytes(order.till_id),
        order.amount,
        order.reference,
        order.basket_hash,
        int(order.capture),
        int(order.tip),
        order.key,
        order.body,
        order.created_at,
        order.expires_at,
        _bytes(order.payment_id),
        order.cancelled_at,
    )


def order_of(row: Any) -> Order:  # noqa: ANN401 - a row of the database
    """Read an order from its row."""
    return Order(
        id=AmanaId(int.from_bytes(row[0])),
        merchant=AmanaId(int.from_bytes(row[1])),
        till_id=_id(row[2]),
        amount=row[3],
        reference=row[4],
        basket_hash=row[5],
        capture=CaptureMode(row[6]),
        tip=TipMode(row[7]),
        key=row[8],
        body=row[9],
        created_at=Instant(row[10]),
        expires_at=Instant(row[11]),
        payment_id=_id(row[12]),
        cancelled_at=None if row[13] is None else Instant(row[13]),
    )


class SqlPaymentRows:
    """Payments in the file of books."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _one(self, statement: str, *parameters: object) -> Any:  # noqa: ANN401 - a row
        return self._connection.execute(statement, parameters).fetchone()

    def payment(self, payment_id: AmanaId) -> Payment | None:
        """Return a payment."""
        row = self._one(f"{_SELECT_PAYMENT} WHERE id = ?", payment_id.to_bytes(_ID_BYTES))
        return None if row is None else payment_of(row)

    def payments(self, ids: Sequence[AmanaId]) -> dict[AmanaId, Payment]:
        """Return the payments that exist among these ids, by id."""
        marks = ",".join("?" * len(ids))
        found = self._connection.execute(
            f"{_SELECT_PAYMENT} WHERE id IN ({marks})",
            [identifier.to_bytes(_ID_BYTES) for identifier in ids],
        )
        payments = (payment_of(row) for row in found)
        return {payment.id: payment for payment in payments}

    def refunds_of(self, payment_id: AmanaId) -> list[Payment]:
        """Return the refunds of a payment, oldest first."""
        found = self._connection.execute(
            f"{_SELECT_PAYMENT} WHERE refund_of = ? ORDER BY id",
            (payment_id.to_bytes(_ID_BYTES),),
        )
        return [payment_of(row) for row in found]

    def payments_by_key(self, keys: Sequence[bytes]) -> dict[bytes, Payment]:
        """Return the payments with these keys, by key."""
        found: dict[bytes, Payment] = {}
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = list(keys[start : start + _KEYS_A_QUERY])
            if len(some) == 1:
                rows = self._connection.execute(f"{_SELECT_PAYMENT} WHERE intent_key = ?", some)
            else:
                some += [some[0]] * (_KEYS_A_QUERY - len(some))
                rows = self._connection.execute(_BY_KEYS, some)
            for row in rows:
                payment = payment_of(row)
                found[payment.key] = payment
        return found

    def step_by_key(self, key: bytes) -> Step | None:
        """Return the step with this key."""
        row = self._one(f"{_SELECT_STEP} WHERE intent_key = ?", key)
        return None if row is None else _step_of(row)

    def open_step(self, payment_id: AmanaId) -> Step | None:
        """Return the pending step of a hold."""
        row = self._one(
            f"{_SELECT_STEP} WHERE payment_id = ? AND status = 1", payment_id.to_bytes(_ID_BYTES)
        )
        return None if row is None else _step_of(row)

    def order(self, order_id: AmanaId) -> Order | None:
        """Return an order."""
        row = self._one(f"{_SELECT_ORDER} WHERE id = ?", order_id.to_bytes(_ID_BYTES))
        return None if row is None else order_of(row)

    def order_by_key(self, key: bytes) -> Order | None:
        """Return the order with this key."""
        row = self._one(f"{_SELECT_ORDER} WHERE intent_key = ?", key)
        return None if row is None else order_of(row)

    def orders_of(self, merchant: AmanaId, *, before: int, limit: int) -> list[Order]:
        """Return a merchant's orders older than an id, newest first."""
        found = self._connection.execute(
            f"{_SELECT_ORDER} WHERE merchant = ? AND id < ? ORDER BY id DESC LIMIT ?",
            (merchant.to_bytes(_ID_BYTES), before.to_bytes(_ID_BYTES), limit),
        )
        return [order_of(row) for row in found]

    def spent(self, payer: AmanaId, day: int) -> int:
        """Return what a payer's limit of one day has taken so far."""
        row = self._one(
            "SELECT minor FROM payments_spent WHERE payer = ? AND day = ?",
            payer.to_bytes(_ID_BYTES),
            day,
        )
        return 0 if row is None else int(row[0])

    def takings(self, merchant: AmanaId, day: int) -> Takings:
        """Return what a merchant took on one day."""
        row = self._one(
            "SELECT payments, gross, fees, refunded FROM payments_takings "
            "WHERE merchant = ? AND day = ?",
            merchant.to_bytes(_ID_BYTES),
            day,
        )
        return Takings() if row is None else Takings(*row)

    def direct_payments_to(self, merchant: AmanaId, *, before: int, limit: int) -> list[Payment]:
        """Return purchases without an order, older than an id, newest first; refused ones aside."""
        found = self._connection.execute(
            f"{_SELECT_PAYMENT} WHERE payee = ? AND id < ? AND kind = 1 AND order_id IS NULL "
            "AND status <> 4 ORDER BY id DESC LIMIT ?",
            (merchant.to_bytes(_ID_BYTES), before.to_bytes(_ID_BYTES), limit),
        )
        return [payment_of(row) for row in found]

    def receipt_note(self, payment_id: AmanaId) -> str | None:
        """Return what the merchant sealed to the payer's one-time key."""
        row = self._one(
            "SELECT sealed_note FROM payments_receipt_notes WHERE payment_id = ?",
            payment_id.to_bytes(_ID_BYTES),
        )
        return None if row is None else str(row[0])

    def put_receipt_note(self, payment_id: AmanaId, sealed_note: str) -> None:
        """Keep what the merchant sealed; a later note replaces an earlier one."""
        self._connection.execute(
            "INSERT INTO payments_receipt_notes (payment_id, sealed_note) VALUES (?, ?) "
            "ON CONFLICT (payment_id) DO UPDATE SET sealed_note = excluded.sealed_note",
            (payment_id.to_bytes(_ID_BYTES), sealed_note),
        )

    def unfinished(self) -> list[tuple[Payment, Step | None]]:
        """Return pending payments, and holds with a pending step."""
        pending: list[tuple[Payment, Step | None]] = [
            (payment_of(row), None) for row in self._connection.execute(_UNFINISHED)
        ]
        steps = [
            _step_of(row) for row in self._connection.execute(f"{_SELECT_STEP} WHERE status = 1")
        ]
        for step in steps:
            payment = self.payment(step.payment_id)
            assert payment is not None, "a step's payment is there"
            pending.append((payment, step))
        return pending

    def holds_expiring(self, until: Instant) -> list[Payment]:
        """Return holds whose time is over, without a pending step."""
        return [payment_of(row) for row in self._connection.execute(_EXPIRING, (until,))]

    def write(self, changes: Changes) -> None:
        """Write a group's changes within the open commit group."""
        many = self._connection.executemany
        if changes.new_orders:
            many(_INSERT_ORDER, [_order_row(order) for order in changes.new_orders])
        if changes.new_payments:
            many(_INSERT_PAYMENT, [_payment_row(payment) for payment in changes.new_payments])
        if changes.changed_payments:
            many(_UPDATE_PAYMENT, [_changed_payment(row) for row in changes.changed_payments])
        if changes.new_steps:
            many(_INSERT_STEP, [_step_row(step) for step in changes.new_steps])
        if changes.changed_steps:
            many(
                _UPDATE_STEP,
                [(int(s.status), s.reason, s.concluded_at, s.key) for s in changes.changed_steps],
            )
        if changes.changed_orders:
            many(
                _UPDATE_ORDER,
                [
                    (_bytes(o.payment_id), o.cancelled_at, _bytes(o.id))
                    for o in changes.changed_orders
                ],
            )
        if changes.spent:
            many(_UPSERT_SPENT, [(p.to_bytes(_ID_BYTES), day, m) for p, day, m in changes.spent])
        if changes.takings:
            many(_UPSERT_TAKINGS, [_takings_row(*entry) for entry in changes.takings])


def _changed_payment(payment: Payment) -> tuple[Any, ...]:
    return (
        int(payment.status),
        payment.reason,
        payment.fee,
        payment.captured,
        payment.refunded,
        payment.fee_returned,
        payment.steps,
        payment.concluded_at,
        payment.id.to_bytes(_ID_BYTES),
    )


def _takings_row(merchant: AmanaId, day: int, takings: Takings) -> tuple[Any, ...]:
    counts = (takings.payments, takings.gross, takings.fees, takings.refunded)
    return (merchant.to_bytes(_ID_BYTES), day, *counts)


class GroupWriter(Protocol):
    """The part of the one writer that a store needs."""

    async def submit(self, handler: Handler, item: Any) -> Any:  # noqa: ANN401 - the handler's own types
        """Hand one item to a handler; answer when it is applied."""

    async def durable(self) -> None:
        """Wait until everything applied is durable."""

    async def run(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Run one unit of work; answer when it is durable."""


class WrittenPayments:
    """The PaymentStore of the service: books reached through the one writer."""

    def __init__(self, writer: GroupWriter, books: PaymentBooks, clock: Clock) -> None:
        self._writer = writer
        self._books = books
        self._clock = clock

    async def record_intent(self, intent: Intent) -> Payment:
        """Decide and store; with a key seen before, return what was stored then."""
        stored: Payment = await self._writer.submit(self._books.record_intents, intent)
        if stored.status is not PaymentStatus.PENDING or stored.body != intent.body:
            await self._writer.durable()
        return stored

    async def conclude(self, payment: Payment, reason: Reason | None) -> Payment:
        """Store the outcome and its events, unless one is stored; return the stored one."""
        item = (payment.id, reason, self._clock.now())
        stored: Payment = await self._writer.submit(self._books.conclude, item)
        await self._writer.durable()
        return stored

    async def record_step(self, intent: StepIntent) -> tuple[Payment, Step]:
        """Decide and store a step; with a key seen before, return what was stored then."""
        stored: tuple[Payment, Step] = await self._writer.submit(self._books.record_steps, intent)
        step = stored[1]
        if step.status is not StepStatus.PENDING or step.body != intent.body:
            await self._writer.durable()
        return stored

    async def conclude_step(self, step: Step, reason: Reason | None) -> tuple[Payment, Step]:
        """Store a step's outcome and its events, unless stored; return the stored one."""
        item = (step, reason, self._clock.now())
        stored: tuple[Payment, Step] = await self._writer.submit(self._books.conclude_steps, item)
        await self._writer.durable()
        return stored

    async def create_order(self, order: Order) -> Order:
        """Store an order; with a key seen before, return what was stored then."""
        stored: Order = await self._writer.submit(self._books.create_orders, order)
        await self._writer.durable()
        return stored

    async def cancel_order(self, order_id: AmanaId) -> Order | Refused:
        """Cancel an order that nobody has paid."""
        item = (order_id, self._clock.now())
        answer: Order | Refused = await self._writer.submit(self._books.cancel_orders, item)
        await self._writer.durable()
        return answer

    async def put_receipt_note(self, payment_id: AmanaId, sealed_note: str) -> None:
        """Keep what the merchant sealed to the payer."""
        await self._writer.run(
            lambda connection: SqlPaymentRows(connection).put_receipt_note(payment_id, sealed_note)
        )

    async def payment(self, payment_id: AmanaId) -> Payment | None:
        """Return a payment as it stands, durably."""
        found = self._books.payment(payment_id)
        await self._writer.durable()
        return found

    async def order(self, order_id: AmanaId) -> Order | None:
        """Return an order as it stands, durably."""
        found = self._books.order(order_id)
        await self._writer.durable()
        return found

    async def unfinished(self) -> Sequence[tuple[Payment, Step | None]]:
        """Return every pending payment, and every hold with its pending step."""
        return self._books.rows.unfinished()

    async def holds_expiring(self, until: Instant) -> Sequence[Payment]:
        """Return the holds whose time is over at `until`, that no step has ended."""
        return self._books.rows.holds_expiring(until)
