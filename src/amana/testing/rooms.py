"""The lower rooms put together by hand: a steered clock, seeded chance, books with one writer."""

import asyncio
import random
import sqlite3
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from amana.kernel import Chance, Clock, Instant
from amana.ledger import (
    Account,
    AccountBalance,
    AccountFilter,
    AccountResult,
    Change,
    MemoryLedger,
    Transfer,
    TransferFilter,
    TransferResult,
)
from amana.storage import BOOKS_FILE, Writer, metadata, open_reader, open_writer_connection

START: Final = Instant(1_795_000_000_000_000_000)
"""A Wednesday in November 2026."""

_T = TypeVar("_T")


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: Instant = START) -> None:
        self._now = start

    def now(self) -> Instant:
        """Return the present instant."""
        return self._now

    def advance(self, nanoseconds: int) -> None:
        """Move on, or back."""
        self._now = Instant(self._now + nanoseconds)


class SeededChance:
    """Chance that repeats with its seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a test must repeat

    def draw(self, count: int) -> bytes:
        """Return `count` bytes."""
        return self._random.randbytes(count)


class AwaitedMemoryLedger:
    """The memory engine as services await it."""

    def __init__(self, *, clock: Clock, chance: Chance) -> None:
        self._engine = MemoryLedger(chance=chance)
        self._clock = clock

    async def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        """Open accounts."""
        return self._engine.create_accounts(accounts, now=self._clock.now())

    async def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """Move money."""
        return self._engine.create_transfers(transfers, now=self._clock.now())

    async def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        """Return the accounts that exist among these."""
        return self._engine.lookup_accounts(ids)

    async def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        """Return the transfers that exist among these."""
        return self._engine.lookup_transfers(ids)

    async def account_transfers(self, wanted: AccountFilter) -> list[Transfer]:
        """Return transfers of one account by time."""
        return self._engine.account_transfers(wanted)

    async def account_balances(self, wanted: AccountFilter) -> list[AccountBalance]:
        """Return past balances of one account with history."""
        return self._engine.account_balances(wanted)

    async def query_transfers(self, wanted: TransferFilter) -> list[Transfer]:
        """Return transfers of all accounts by time."""
        return self._engine.query_transfers(wanted)

    async def changes(self, after: Instant, limit: int) -> list[Change]:
        """Return what changed after a position, oldest first."""
        return self._engine.changes(after, limit)


@dataclass(frozen=True, slots=True)
class Books:
    """A file of books with its one writer and a reading connection."""

    folder: Path
    writer: Writer
    connection: sqlite3.Connection
    reading: sqlite3.Connection
    runner: "asyncio.Runner"

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine to its end on the books' own loop."""
        return self.runner.run(work)


@contextmanager
def open_books(folder: Path) -> Iterator[Books]:
    """Make or open the books of a folder, with the tables of every room imported so far."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.resolve() / BOOKS_FILE
    engine = sa.create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    connection = open_writer_connection(path)
    reading = open_reader(path)
    try:
        with asyncio.Runner() as runner:
            yield Books(folder, Writer(connection), connection, reading, runner)
    finally:
        reading.close()
        connection.close()
