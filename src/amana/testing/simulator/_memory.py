"""Rows of payments and events in memory: durable when flushed, gone when discarded."""

from collections.abc import Sequence
from typing import Protocol

from amana.events import Event
from amana.kernel import AmanaId, Instant
from amana.payments.books import Changes
from amana.payments.model import Order, Payment, PaymentStatus, Step, StepStatus, Takings


class MemoryPaymentRows:
    """Payments, steps and orders that have been committed."""

    def __init__(self) -> None:
        self.payments: dict[AmanaId, Payment] = {}
        self.steps: dict[bytes, Step] = {}
        self.orders: dict[AmanaId, Order] = {}
        self.days: dict[tuple[AmanaId, int], int] = {}
        self.merchant_days: dict[tuple[AmanaId, int], Takings] = {}
        self._payment_keys: dict[bytes, AmanaId] = {}
        self._order_keys: dict[bytes, AmanaId] = {}
        self._staged: list[Changes] = []

    def payment(self, payment_id: AmanaId) -> Payment | None:
        """Return a payment."""
        return self.payments.get(payment_id)

    def payments_by_key(self, keys: Sequence[bytes]) -> dict[bytes, Payment]:
        """Return the payments with these keys, by key."""
        known = self._payment_keys
        return {key: self.payments[known[key]] for key in keys if key in known}

    def step_by_key(self, key: bytes) -> Step | None:
        """Return the step with this key."""
        return self.steps.get(key)

    def open_step(self, payment_id: AmanaId) -> Step | None:
        """Return the pending step of a hold."""
        for step in self.steps.values():
            if step.payment_id == payment_id and step.status is StepStatus.PENDING:
                return step
        return None

    def order(self, order_id: AmanaId) -> Order | None:
        """Return an order."""
        return self.orders.get(order_id)

    def order_by_key(self, key: bytes) -> Order | None:
        """Return the order with this key."""
        found = self._order_keys.get(key)
        return None if found is None else self.orders[found]

    def spent(self, payer: AmanaId, day: int) -> int:
        """Return what a payer's limit of one day has taken so far."""
        return self.days.get((payer, day), 0)

    def takings(self, merchant: AmanaId, day: int) -> Takings:
        """Return what a merchant took on a day."""
        return self.merchant_days.get((merchant, day), Takings())

    def unfinished(self) -> list[tuple[Payment, Step | None]]:
        """Return pending payments, and holds with a pending step."""
        found: list[tuple[Payment, Step | None]] = [
            (payment, None)
            for payment in self.payments.values()
            if payment.status is PaymentStatus.PENDING
        ]
        found += [
            (self.payments[step.payment_id], step)
            for step in self.steps.values()
            if step.status is StepStatus.PENDING
        ]
        return found

    def holds_expiring(self, until: Instant) -> list[Payment]:
        """Return holds whose time is over, without a pending step."""
        return [
            payment
            for payment in self.payments.values()
            if payment.status is PaymentStatus.AUTHORISED
            and payment.hold_expires_at is not None
            and payment.hold_expires_at <= until
            and self.open_step(payment.id) is None
        ]

    def write(self, changes: Changes) -> None:
        """Write a group's changes within the open commit group."""
        self._staged.append(changes)

    def flush(self) -> None:
        """Make durable what was written."""
        for changes in self._staged:
            for payment in changes.new_payments:
                assert payment.key not in self._payment_keys, "a payment's key is unique"
                self._payment_keys[payment.key] = payment.id
            for order in changes.new_orders:
                assert order.key not in self._order_keys, "an order's key is unique"
                self._order_keys[order.key] = order.id
            for payment in (*changes.new_payments, *changes.changed_payments):
                self.payments[payment.id] = payment
            for step in (*changes.new_steps, *changes.changed_steps):
                self.steps[step.key] = step
            for order in (*changes.new_orders, *changes.changed_orders):
                self.orders[order.id] = order
            for payer, day, minor in changes.spent:
                self.days[payer, day] = minor
            for merchant, day, takings in changes.takings:
                self.merchant_days[merchant, day] = takings
        self._staged = []

    def discard(self) -> None:
        """Forget what was written since the last flush."""
        self._staged = []


class FeedRows(Protocol):
    """What a reader of feeds needs of the rows of events."""

    def feed(self, stream: AmanaId, *, after: int, limit: int) -> list[Event]:
        """Return a party's events after a number, oldest first."""


class MemoryEventRows:
    """Events that have been committed, feed by feed."""

    def __init__(self) -> None:
        self.feeds: dict[AmanaId, list[Event]] = {}
        self._staged: list[Event] = []

    def last_number(self, stream: AmanaId) -> int:
        """Return the number of the newest event of a stream, 0 where there is none."""
        feed = self.feeds.get(stream)
        return feed[-1].number if feed else 0

    def write(self, events: Sequence[Event]) -> None:
        """Add events within the open commit group."""
        self._staged += events

    def feed(self, stream: AmanaId, *, after: int, limit: int) -> list[Event]:
        """Return a party's events after a number, oldest first."""
        found = [event for event in self.feeds.get(stream, []) if event.number > after]
        return found[:limit]

    def flush(self) -> None:
        """Make durable what was written."""
        for event in self._staged:
            self.feeds.setdefault(event.stream, []).append(event)
        self._staged = []

    def discard(self) -> None:
        """Forget what was written since the last flush."""
        self._staged = []
