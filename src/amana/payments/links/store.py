"""Payment links' statements: look-ups on a reading connection, changes through the one writer."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

import sqlalchemy as sa

from amana.kernel import AmanaId, Instant
from amana.payments.links.model import Link
from amana.payments.links.tables import links_table
from amana.storage import sql_text

_T = TypeVar("_T")
_ID_BYTES: Final = 16
_ID_MAX: Final = 2**128 - 1

_BY_SECRET: Final = sql_text(
    sa.select(links_table).where(links_table.c.secret == sa.bindparam("secret"))
)
_BY_KEY: Final = sql_text(
    sa.select(links_table).where(links_table.c.intent_key == sa.bindparam("key"))
)
_LINKS_OF: Final = (
    f"SELECT * FROM {links_table.name} WHERE merchant = ? AND id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608 - our own table
)
_ADD: Final = sql_text(sa.insert(links_table))
_REMOVE: Final = "DELETE FROM payments_links WHERE id = ? AND merchant = ?"
_FOLLOW: Final = "UPDATE payments_links SET order_id = ? WHERE id = ?"


class UnitWriter(Protocol):
    """Runs units of work, each durable when it returns."""

    async def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run one unit of work."""


class LinkRows:
    """Look-ups of what is committed, on a connection that only reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def by_secret(self, secret: bytes) -> Link | None:
        """Return the link that a secret opens."""
        row = self._connection.execute(_BY_SECRET, (secret,)).fetchone()
        return None if row is None else _link(row)

    def links_of(self, merchant: AmanaId, *, before: int, limit: int) -> Sequence[Link]:
        """Return a merchant's links below an id, newest first."""
        ceiling = min(before, _ID_MAX).to_bytes(_ID_BYTES)
        rows = self._connection.execute(_LINKS_OF, (_bytes(merchant), ceiling, limit))
        return [_link(row) for row in rows]


class LinkStore:
    """Changes, each one durable unit of work."""

    def __init__(self, writer: UnitWriter) -> None:
        self._writer = writer

    async def add(self, link: Link) -> Link:
        """Keep a link; with a key seen before, return what was kept then."""

        def work(connection: sqlite3.Connection) -> Link:
            met = connection.execute(_BY_KEY, (link.key,)).fetchone()
            if met is not None:
                return _link(met)
            connection.execute(_ADD, _row(link))
            return link

        return await self._writer.run(work)

    async def remove(self, merchant: AmanaId, link: AmanaId) -> bool:
        """Delete a merchant's link; False where there is none."""

        def work(connection: sqlite3.Connection) -> bool:
            return connection.execute(_REMOVE, (_bytes(link), _bytes(merchant))).rowcount == 1

        return await self._writer.run(work)

    async def follow(self, link: AmanaId, order: AmanaId) -> None:
        """Keep which order of a link is its newest."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_FOLLOW, (_bytes(order), _bytes(link)))

        await self._writer.run(work)


def _bytes(identifier: AmanaId) -> bytes:
    return identifier.to_bytes(_ID_BYTES)


def _row(link: Link) -> tuple[Any, ...]:
    return (
        _bytes(link.id),
        _bytes(link.merchant),
        link.secret,
        link.amount,
        link.reference,
        int(link.is_single_use),
        link.key,
        link.body,
        link.created_at,
        link.expires_at,
        None if link.order_id is None else _bytes(link.order_id),
    )


def _link(row: Any) -> Link:  # noqa: ANN401 - a row of the database
    identifier, merchant, secret, amount, reference, is_single_use, *rest = row
    key, body, created_at, expires_at, order = rest
    return Link(
        id=AmanaId(int.from_bytes(identifier)),
        merchant=AmanaId(int.from_bytes(merchant)),
        secret=secret,
        amount=amount,
        reference=reference,
        is_single_use=bool(is_single_use),
        key=key,
        body=body,
        created_at=Instant(created_at),
        expires_at=None if expires_at is None else Instant(expires_at),
        order_id=None if order is None else AmanaId(int.from_bytes(order)),
    )
