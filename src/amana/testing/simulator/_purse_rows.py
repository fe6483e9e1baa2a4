"""The purse's rows of a world: in memory where the payments are, and read out for the auditor."""

import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from amana.kernel import AmanaId
from amana.purse import tables
from amana.storage import metadata

_TABLES = (
    tables.spent_table,
    tables.signed_table,
    tables.shown_table,
    tables.totals_table,
    tables.issue_quotes_table,
    tables.redeem_quotes_table,
    tables.refills_table,
    tables.deposits_table,
)


@cache
def _empty_purse() -> bytes:
    """Return a database of the purse's tables with nothing in it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "purse.db"
        engine = sa.create_engine(f"sqlite:///{path}", poolclass=NullPool)
        metadata.create_all(engine, tables=list(_TABLES))
        return path.read_bytes()


class MemoryPurse:
    """The purse's tables in memory: durable when flushed, gone when discarded."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.deserialize(_empty_purse())

    def flush(self) -> None:
        """Make durable what was written."""
        self.connection.commit()

    def discard(self) -> None:
        """Forget what was written since the last flush."""
        self.connection.rollback()


class StoredRedemption(NamedTuple):
    """A quote as stored; states 1 unpaid, 2 held, 3 spent, 4 paid."""

    method: str
    amount: int
    state: int
    attempts: int
    payment_id: AmanaId


class StoredRefill(NamedTuple):
    """A refill as stored; states 1 waiting, 2 debited, 3 signed."""

    party: AmanaId
    amount: int
    state: int


class StoredPurse(msgspec.Struct, frozen=True):
    """Everything of the purse that is durable. Amounts are minor units."""

    spent: dict[bytes, tuple[int, int]]
    """Nullifier to keyset and amount."""
    signed: dict[bytes, tuple[int, int]]
    """Point to keyset and amount."""
    totals: dict[tuple[int, int], tuple[int, int]]
    """Keyset and amount to signed and spent."""
    redemptions: dict[bytes, StoredRedemption]
    claims: dict[bytes, tuple[str, int]]
    """A refund's quote to the payment in text, and what was issued."""
    refills: list[StoredRefill]
    deposits: dict[bytes, tuple[int, int]]
    """A deposit's id to amount and state: 1 open, 2 waiting, 3 open for any sum."""

    @property
    def out(self) -> int:
        """What is signed and not spent."""
        signed = sum(amount for _, amount in self.signed.values())
        return signed - sum(amount for _, amount in self.spent.values())


def read_purse(connection: sqlite3.Connection) -> StoredPurse:
    """Read everything."""
    ask = connection.execute
    return StoredPurse(
        spent={row[0]: row[1:] for row in ask("SELECT nullifier, keyset, amount FROM purse_spent")},
        signed={row[0]: row[1:] for row in ask("SELECT point, keyset, amount FROM purse_signed")},
        totals={
            row[:2]: row[2:]
            for row in ask("SELECT keyset, amount, signed, spent FROM purse_totals")
        },
        redemptions={
            row[0]: StoredRedemption(
                row[1], row[2], row[3], row[4], AmanaId(int.from_bytes(row[5]))
            )
            for row in ask(
                "SELECT id, method, amount, state, attempts, payment_id FROM purse_redeem_quotes"
            )
        },
        claims={
            row[0]: row[1:]
            for row in ask(
                "SELECT id, request, issued FROM purse_issue_quotes WHERE method = 'amana-refund'"
            )
        },
        refills=[
            StoredRefill(AmanaId(int.from_bytes(row[0])), *row[1:])
            for row in ask("SELECT party, amount, state FROM purse_refills")
        ],
        deposits={row[0]: row[1:] for row in ask("SELECT id, amount, state FROM purse_deposits")},
    )
