"""Ended keysets in the file of books."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

from amana.purse.books import PurseBooks
from amana.storage import Writer

ROWS_AT_ONCE: Final = 2_000
"""Rows looked at in one unit of work: a few milliseconds, between which payments go on."""

_KEYS: Final = {"purse_spent": "nullifier", "purse_signed": "point"}
_ENDED: Final = "SELECT DISTINCT keyset FROM purse_ended WHERE is_dropped = 0 ORDER BY keyset"
_DROPPED: Final = "UPDATE purse_ended SET is_dropped = 1 WHERE keyset = ?"
_UNSHOW: Final = "DELETE FROM purse_shown WHERE nullifier = ?"


class EndingStore:
    """The EndingStorage of the service, over the one writer."""

    def __init__(
        self, writer: Writer, books: PurseBooks, *, rows_at_once: int = ROWS_AT_ONCE
    ) -> None:
        self._writer = writer
        self._books = books
        self._rows_at_once = rows_at_once

    async def end(self, keysets: Sequence[int]) -> None:
        """Set the counts of some keysets apart, for ever."""
        await self._writer.submit(self._end, keysets)
        await self._writer.durable()

    def _end(self, asked: Sequence[Sequence[int]]) -> list[None]:
        """Change the books' own counts: so it is a handler, which is undone with its group."""
        for keysets in asked:
            self._books.end_keysets(keysets)
        return [None] * len(asked)

    async def ended(self) -> Sequence[int]:
        """Return the keysets that were ended and still may have rows."""
        return await self._writer.run(lambda books: [row[0] for row in books.execute(_ENDED)])

    async def drop_some(self, table: str, keysets: Sequence[int], after: bytes) -> bytes | None:
        """Drop the rows of these keysets among the next few of a table."""
        return await self._writer.run(self._dropping(table, frozenset(keysets), after))

    def _dropping(
        self, table: str, keysets: frozenset[int], after: bytes
    ) -> Callable[[sqlite3.Connection], bytes | None]:
        key, count = _KEYS[table], self._rows_at_once
        read = f"SELECT {key}, keyset FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"  # noqa: S608 - our own names
        drop = f"DELETE FROM {table} WHERE {key} = ?"  # noqa: S608 - likewise

        def work(books: sqlite3.Connection) -> bytes | None:
            rows: list[Any] = books.execute(read, (after, count)).fetchall()
            over = [(row[0],) for row in rows if row[1] in keysets]
            if table == "purse_spent":
                books.executemany(_UNSHOW, over)
            books.executemany(drop, over)
            return bytes(rows[-1][0]) if len(rows) == count else None

        return work

    async def dropped(self, keysets: Sequence[int]) -> None:
        """Note that no row of these keysets is left."""
        some = [(number,) for number in keysets]
        await self._writer.run(lambda books: books.executemany(_DROPPED, some).close())
