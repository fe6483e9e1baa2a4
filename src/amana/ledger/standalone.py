"""Engines on their own, without the writer: each call is one durable commit.

For tests, benches and tools; services speak to the books through the one writer.
"""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from amana.kernel import Chance, Instant
from amana.ledger.memory import MemoryLedger
from amana.ledger.model import Account, AccountResult, Transfer, TransferResult
from amana.ledger.ports import LedgerEngine
from amana.ledger.sqlite import SQLiteLedger
from amana.ledger.tables import TABLES
from amana.storage import WriterCore, metadata, open_writer_connection

_T = TypeVar("_T")


class SystemChance:
    """Random bytes of the operating system."""

    def draw(self, count: int) -> bytes:
        """Return `count` random bytes."""
        return secrets.token_bytes(count)


class MemoryCommits:
    """The commits of an engine that has no database."""

    def __init__(self, engine: LedgerEngine) -> None:
        self._engine = engine

    def begin(self) -> None:
        """Do nothing: a group opens with its first batch."""

    def commit(self) -> None:
        """Keep what was applied."""
        self._engine.before_commit()
        self._engine.after_commit()

    def rollback(self) -> None:
        """Take back what was applied."""
        self._engine.after_rollback()


class StandaloneLedger:
    """One engine and its commits; each call that changes the books is durable when it answers."""

    def __init__(
        self,
        engine: LedgerEngine,
        commits: MemoryCommits | WriterCore,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine: Final = engine
        self._commits = commits
        self.close: Final = close
        self.lookup_accounts: Final = engine.lookup_accounts
        self.lookup_transfers: Final = engine.lookup_transfers
        self.account_transfers: Final = engine.account_transfers
        self.account_balances: Final = engine.account_balances
        self.query_transfers: Final = engine.query_transfers
        self.changes: Final = engine.changes
        self.verify: Final = engine.verify

    def create_accounts(self, accounts: Sequence[Account], *, now: Instant) -> list[AccountResult]:
        """Open accounts, durably."""
        return self.run(lambda: self.engine.create_accounts(accounts, now=now))

    def create_transfers(
        self, transfers: Sequence[Transfer], *, now: Instant
    ) -> list[TransferResult]:
        """Move money, durably."""
        return self.run(lambda: self.engine.create_transfers(transfers, now=now))

    def expire_due(self, *, now: Instant) -> int:
        """End the holds whose time is over, durably; return how many."""
        return self.run(lambda: self.engine.expire_due(now=now))

    def run(self, work: Callable[[], _T]) -> _T:
        """Run one commit group; if anything raises, nothing of it stays."""
        try:
            self._commits.begin()
            answer = work()
            self._commits.commit()
        except BaseException:
            self._commits.rollback()
            raise
        return answer


def open_memory_ledger(*, chance: Chance | None = None) -> StandaloneLedger:
    """Open empty books in memory."""
    engine = MemoryLedger(chance=chance or SystemChance())
    return StandaloneLedger(engine, MemoryCommits(engine))


def open_sqlite_ledger(path: Path, *, chance: Chance | None = None) -> StandaloneLedger:
    """Open books in a file, making its tables where there are none."""
    made = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    metadata.create_all(made, tables=TABLES)
    connection = open_writer_connection(path)
    engine = SQLiteLedger(connection, chance=chance or SystemChance())
    core = WriterCore(connection)
    core.join(engine)
    return StandaloneLedger(engine, core, connection.close)
