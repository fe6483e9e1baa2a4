"""Webhooks' statements: look-ups on a reading connection, changes through the one writer."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from amana.events.model import EventKind
from amana.events.webhooks.model import (
    DELIVERED_EVENTS_KEPT,
    Delivery,
    DeliveryStatus,
    ListedDelivery,
    Webhook,
)
from amana.events.webhooks.tables import deliveries, webhooks
from amana.kernel import AmanaId, Instant
from amana.storage import sql_text

_T = TypeVar("_T")
_ID_BYTES: Final = 16
_NUMBER_MAX: Final = 2**63 - 1

_WEBHOOK: Final = sql_text(sa.select(webhooks).where(webhooks.c.id == sa.bindparam("webhook")))
_WEBHOOKS_OF: Final = sql_text(
    sa.select(webhooks)
    .where(webhooks.c.merchant == sa.bindparam("merchant"))
    .order_by(webhooks.c.id)
)
_ENABLED: Final = sql_text(
    sa.select(webhooks).where(webhooks.c.is_enabled == sa.literal_column("1"))
)
_DELIVERY: Final = sql_text(
    sa.select(deliveries).where(
        deliveries.c.webhook == sa.bindparam("webhook"),
        deliveries.c.number == sa.bindparam("number"),
    )
)
_DELIVERIES: Final = (
    "SELECT d.webhook, d.number, d.attempts, d.status, d.next_attempt_at, d.last_error, e.kind "
    "FROM events_deliveries d JOIN events_webhooks w ON w.id = d.webhook "
    "JOIN events_events e ON e.stream = w.merchant AND e.number = d.number "
    "WHERE d.webhook = ? AND d.number < ? ORDER BY d.number DESC LIMIT ?"
)
_KINDS: Final = (
    "SELECT kind, count(*) FROM events_events WHERE stream = ? AND number > ? GROUP BY kind"
)
_ADD: Final = sql_text(sa.insert(webhooks))
_REMOVE: Final = "DELETE FROM events_webhooks WHERE id = ?"
_REMOVE_DELIVERIES: Final = "DELETE FROM events_deliveries WHERE webhook = ? AND number > ?"
_SET_BACK: Final = (
    "UPDATE events_webhooks SET handled_number = ?, is_enabled = 1, replays = replays + 1 "
    "WHERE id = ?"
)
_SET_FORWARD: Final = (
    "UPDATE events_webhooks SET handled_number = max(handled_number, ?), is_enabled = ? "
    "WHERE id = ? AND replays = ?"
)
_keep: Final = insert(deliveries)
_KEEP: Final = sql_text(
    _keep.on_conflict_do_update(
        index_elements=["webhook", "number"],
        set_={
            name: _keep.excluded[name]
            for name in ("attempts", "status", "next_attempt_at", "last_error")
        },
    )
)
_PRUNE: Final = (
    "DELETE FROM events_deliveries WHERE webhook = ? AND number <= ? AND status = 'delivered'"
)


class UnitWriter(Protocol):
    """Runs units of work, each durable when it returns."""

    async def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run one unit of work."""


class WebhookRows:
    """Look-ups of what is committed, on a connection that only reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def webhook(self, webhook: AmanaId) -> Webhook | None:
        """Return a webhook."""
        row = self._connection.execute(_WEBHOOK, (_bytes(webhook),)).fetchone()
        return None if row is None else _webhook(row)

    def webhooks_of(self, merchant: AmanaId) -> tuple[Webhook, ...]:
        """Return a merchant's webhooks, oldest first."""
        rows = self._connection.execute(_WEBHOOKS_OF, (_bytes(merchant),))
        return tuple(_webhook(row) for row in rows)

    def enabled(self) -> tuple[Webhook, ...]:
        """Return every webhook that is switched on."""
        return tuple(_webhook(row) for row in self._connection.execute(_ENABLED))

    def delivery(self, webhook: AmanaId, number: int) -> Delivery | None:
        """Return the delivery of an event, if an attempt was made."""
        row = self._connection.execute(_DELIVERY, (_bytes(webhook), number)).fetchone()
        return None if row is None else _delivery(row)

    def deliveries(
        self, webhook: AmanaId, *, before: int | None, limit: int
    ) -> Sequence[ListedDelivery]:
        """Return deliveries, newest event first, of events before a number."""
        # A cursor that somebody made up can hold more than the books' numbers do.
        ceiling = _NUMBER_MAX if before is None else min(before, _NUMBER_MAX)
        rows = self._connection.execute(_DELIVERIES, (_bytes(webhook), ceiling, limit))
        return tuple(ListedDelivery(_delivery(row[:-1]), EventKind(row[-1])) for row in rows)

    def count(self, webhook: Webhook, *, after: int) -> int:
        """Count the events after a number that the webhook asked for."""
        rows = self._connection.execute(_KINDS, (_bytes(webhook.merchant), after))
        return sum(
            count for kind, count in rows if not webhook.kinds or EventKind(kind) in webhook.kinds
        )


class WebhookStore:
    """Changes, each one durable unit of work."""

    def __init__(self, writer: UnitWriter) -> None:
        self._writer = writer

    async def add(self, webhook: Webhook) -> None:
        """Keep a new webhook."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_ADD, _webhook_row(webhook))

        await self._writer.run(work)

    async def remove(self, webhook: AmanaId) -> None:
        """Delete a webhook and its deliveries."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_REMOVE_DELIVERIES, (_bytes(webhook), 0))
            connection.execute(_REMOVE, (_bytes(webhook),))

        await self._writer.run(work)

    async def replay(self, webhook: AmanaId, *, after: int) -> None:
        """Set a webhook back to a number, forget later deliveries, and switch it on."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SET_BACK, (after, _bytes(webhook)))
            connection.execute(_REMOVE_DELIVERIES, (_bytes(webhook), after))

        await self._writer.run(work)

    async def skip(self, webhook: Webhook, *, number: int) -> None:
        """Set the handled number past events nobody asked for, unless a replay came between."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_SET_FORWARD, (number, 1, _bytes(webhook.id), webhook.replays))

        await self._writer.run(work)

    async def conclude(self, webhook: Webhook, delivery: Delivery, *, is_gone: bool) -> bool:
        """Keep what became of an attempt; False where the webhook was deleted or set back."""
        is_waiting = delivery.status is DeliveryStatus.WAITING
        handled = delivery.number - 1 if is_waiting else delivery.number

        def work(connection: sqlite3.Connection) -> bool:
            changed = connection.execute(
                _SET_FORWARD, (handled, int(not is_gone), _bytes(webhook.id), webhook.replays)
            )
            if not changed.rowcount:
                return False
            connection.execute(_KEEP, _delivery_row(delivery))
            oldest = delivery.number - DELIVERED_EVENTS_KEPT
            connection.execute(_PRUNE, (_bytes(webhook.id), oldest))
            return True

        return await self._writer.run(work)


def _bytes(identifier: AmanaId) -> bytes:
    return identifier.to_bytes(_ID_BYTES)


def _id(stored: bytes) -> AmanaId:
    return AmanaId(int.from_bytes(stored))


def _webhook_row(webhook: Webhook) -> tuple[Any, ...]:
    return (
        _bytes(webhook.id),
        _bytes(webhook.merchant),
        webhook.url,
        " ".join(sorted(webhook.kinds)),
        webhook.secret,
        webhook.created_at,
        int(webhook.is_enabled),
        webhook.handled_number,
        webhook.replays,
    )


def _webhook(row: Any) -> Webhook:  # noqa: ANN401 - a row of the database
    webhook, merchant, url, kinds, secret, created_at, is_enabled, handled_number, replays = row
    return Webhook(
        id=_id(webhook),
        merchant=_id(merchant),
        url=url,
        secret=secret,
        created_at=Instant(created_at),
        handled_number=handled_number,
        kinds=frozenset(EventKind(kind) for kind in kinds.split()),
        is_enabled=bool(is_enabled),
        replays=replays,
    )


def _delivery_row(delivery: Delivery) -> tuple[Any, ...]:
    return (
        _bytes(delivery.webhook),
        delivery.number,
        delivery.attempts,
        delivery.status.value,
        delivery.next_attempt_at,
        delivery.last_error,
    )


def _delivery(row: Any) -> Delivery:  # noqa: ANN401 - a row of the database
    webhook, number, attempts, status, next_attempt_at, last_error = row
    return Delivery(
        webhook=_id(webhook),
        number=number,
        attempts=attempts,
        status=DeliveryStatus(status),
        next_attempt_at=None if next_attempt_at is None else Instant(next_attempt_at),
        last_error=last_error,
    )
