"""Access's statements: look-ups on a reading connection, changes through the one writer."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from amana.kernel import AmanaId
from amana.purse.auth.ports import SpentKey
from amana.purse.auth.tables import quota_table, spent_tokens_table
from amana.storage import Writer, sql_text

_ID_BYTES: Final = 16

_IS_SPENT: Final = sql_text(
    sa.select(sa.literal_column("1")).where(
        spent_tokens_table.c.keyset == sa.bindparam("keyset"),
        spent_tokens_table.c.nullifier == sa.bindparam("nullifier"),
    )
)
_GIVEN: Final = sql_text(
    sa.select(quota_table.c.count).where(
        quota_table.c.day == sa.bindparam("day"), quota_table.c.party == sa.bindparam("party")
    )
)
_SPEND: Final = (
    "INSERT INTO purse_auth_spent (keyset, nullifier) VALUES (?, ?) ON CONFLICT DO NOTHING"
)
_FORGET_SPENT: Final = (
    "DELETE FROM purse_auth_spent WHERE keyset = ?1 AND nullifier IN "
    "(SELECT nullifier FROM purse_auth_spent WHERE keyset = ?1 LIMIT ?2)"
)
_FORGET_AT_ONCE: Final = 500
_FORGET: Final = "DELETE FROM purse_auth_quota WHERE day < ?"
_COUNT: Final = (
    "INSERT INTO purse_auth_quota (day, party, count) VALUES (?, ?, ?) "
    "ON CONFLICT (day, party) DO UPDATE SET count = count + excluded.count "
    "WHERE count + excluded.count <= ?"
)


class AuthRows:
    """Look-ups of what is committed, on a connection that only reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def is_spent(self, token: SpentKey) -> bool:
        """Say whether a blind token was used."""
        return self._connection.execute(_IS_SPENT, token).fetchone() is not None

    def given(self, party: AmanaId, day: int) -> int:
        """Return how many blind tokens a customer was given on a day."""
        row = self._connection.execute(_GIVEN, (day, party.to_bytes(_ID_BYTES))).fetchone()
        return 0 if row is None else int(row[0])


class AuthStore:
    """Changes, each durable when it returns, many in one commit."""

    def __init__(self, writer: Writer, connection: sqlite3.Connection) -> None:
        """Join the writer; `connection` is the writer's own."""
        self._writer = writer
        self._connection = connection

    async def spend(self, token: SpentKey) -> bool:
        """Note that a blind token is used; False where it was before."""
        is_new: bool = await self._writer.submit(self._spend, token)
        await self._writer.durable()
        return is_new

    async def count(self, party: AmanaId, *, day: int, tokens: int, a_day: int) -> bool:
        """Count tokens given out today, at most so many a day; False where nothing was counted."""
        assert 0 < tokens <= a_day, "one request is at most a day's tokens"

        def work(connection: sqlite3.Connection) -> bool:
            connection.execute(_FORGET, (day,))
            row = (day, party.to_bytes(_ID_BYTES), tokens, a_day)
            return connection.execute(_COUNT, row).rowcount == 1

        return await self._writer.run(work)

    async def forget_counts(self, *, before: int) -> None:
        """Forget what was counted on days before this one."""
        await self._writer.run(lambda connection: _forget(connection, before))

    async def forget_spent(self, keyset: int) -> int:
        """Forget some used tokens of a keyset that has ended; return how many."""
        return await self._writer.run(
            lambda connection: connection.execute(_FORGET_SPENT, (keyset, _FORGET_AT_ONCE)).rowcount
        )

    def _spend(self, tokens: Sequence[SpentKey]) -> list[bool]:
        return [self._connection.execute(_SPEND, token).rowcount == 1 for token in tokens]


def _forget(connection: sqlite3.Connection, before: int) -> None:
    connection.execute(_FORGET, (before,))
