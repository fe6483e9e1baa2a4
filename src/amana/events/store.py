"""The table of events, and its statements."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from amana.events.model import Event, EventKind
from amana.kernel import AmanaId, Instant
from amana.storage import (
    Bytes,
    Category,
    Int64,
    Joinable,
    Purpose,
    Retention,
    Text,
    column,
    sql_text,
    strict_table,
)

_ID_BYTES: Final = 16


def _column(name: str, kind: Any, category: Category, **more: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own types
    declared = {
        "purpose": Purpose.PAYMENT_MANAGEMENT,
        "retention": Retention.PAYMENT,
        "joinable": Joinable.NOTHING,
    }
    return column(name, kind, category=category, **{**declared, **more})


events_table: Final = strict_table(
    "events_events",
    _column("stream", Bytes, Category.IDENTIFIER, joinable=Joinable.PARTY),
    _column("number", Int64, Category.NONE, joinable=Joinable.WITHIN_ROOM),
    _column("kind", Text, Category.NONE),
    _column("subject", Bytes, Category.TRANSACTION, joinable=Joinable.WITHIN_ROOM),
    _column("order_id", Bytes, Category.TRANSACTION, is_null=True, joinable=Joinable.WITHIN_ROOM),
    _column("amount", Int64, Category.TRANSACTION),
    _column("occurred_at", Int64, Category.TRANSACTION),
    sa.PrimaryKeyConstraint("stream", "number"),
    sa.CheckConstraint("length(stream) = 16", name="stream_is_an_id"),
    sa.CheckConstraint("number > 0", name="numbers_count_from_one"),
    has_rowid=False,
)

_INSERT: Final = sql_text(sa.insert(events_table))
_HEAD: Final = "SELECT max(number) FROM events_events WHERE stream = ?"
_FEED: Final = (
    "SELECT stream, number, kind, subject, order_id, amount, occurred_at FROM events_events "
    "WHERE stream = ? AND number > ? ORDER BY number LIMIT ?"
)


class SqlEventRows:
    """Events in the file of books."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def last_number(self, stream: AmanaId) -> int:
        """Return the number of the newest event of a stream, 0 where there is none."""
        row = self._connection.execute(_HEAD, (stream.to_bytes(_ID_BYTES),)).fetchone()
        return int(row[0] or 0)

    def write(self, events: Sequence[Event]) -> None:
        """Add events within the open commit group."""
        self._connection.executemany(_INSERT, [_row(event) for event in events])

    def feed(self, stream: AmanaId, *, after: int, limit: int) -> list[Event]:
        """Return a party's events after a number, oldest first."""
        found = self._connection.execute(_FEED, (stream.to_bytes(_ID_BYTES), after, limit))
        return [_event(row) for row in found]


def _row(event: Event) -> tuple[object, ...]:
    return (
        event.stream.to_bytes(_ID_BYTES),
        event.number,
        event.kind.value,
        event.subject.to_bytes(_ID_BYTES),
        None if event.order_id is None else event.order_id.to_bytes(_ID_BYTES),
        event.amount,
        event.occurred_at,
    )


def _event(row: tuple[bytes, int, str, bytes, bytes | None, int, int]) -> Event:
    stream, number, kind, subject, order_id, amount, occurred_at = row
    return Event(
        stream=AmanaId(int.from_bytes(stream)),
        number=number,
        kind=EventKind(kind),
        subject=AmanaId(int.from_bytes(subject)),
        order_id=None if order_id is None else AmanaId(int.from_bytes(order_id)),
        amount=amount,
        occurred_at=Instant(occurred_at),
    )
