"""The facts of a statement, read from the books; and the statements."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from amana.kernel import AmanaId, Instant
from amana.payments import postings
from amana.payments.model import ECASH_ACCOUNT, PURSE_PARTY
from amana.purse.liabilities.model import Count, Facts
from amana.purse.liabilities.tables import statements_table
from amana.purse.methods import merchant, refund
from amana.purse.model import RedeemState
from amana.purse.standing.model import DepositState, RefillState
from amana.purse.standing.rules import deposit_payment_key, refill_payment_key
from amana.purse.store import GroupWriter

_ID_BYTES: Final = 16
_COUNTS: Final = (
    "SELECT keyset, amount, signed, spent FROM purse_totals UNION ALL "
    "SELECT keyset, amount, signed, spent FROM purse_ended ORDER BY keyset, amount"
)
_BALANCE: Final = "SELECT credits_posted - debits_posted FROM ledger_accounts WHERE id = ?"
_TO_POST: Final = (
    "SELECT payment_id, attempts, amount FROM purse_redeem_quotes "
    "WHERE state >= 2 AND state <= 3 AND state = ? AND method = ?"
)
_GIVEN_BACK: Final = (
    "SELECT id, total, status FROM payments_payments "
    "WHERE refund_of IS NOT NULL AND kind = 4 AND status IN (1, 3) AND payee = ?"
)
_CLAIMED: Final = "SELECT coalesce(sum(issued), 0) FROM purse_issue_quotes WHERE method = ?"
_DEBITED: Final = "SELECT id, attempts FROM purse_refills WHERE state = ?"
_RETURNING: Final = "SELECT id, amount, due_at FROM purse_deposits WHERE state = ?"
_PAYMENT: Final = (
    "SELECT id, total, status FROM payments_payments WHERE intent_key = ? AND status IN (1, 3)"
)
_TRANSFER: Final = "SELECT 1 FROM ledger_transfers WHERE id = ?"
_PENDING: Final = 1

_TABLE: Final = statements_table.name
_DAYS: Final = f"SELECT day FROM {_TABLE} ORDER BY day DESC"  # noqa: S608 - our own table
_OF_DAY: Final = f"SELECT statement FROM {_TABLE} WHERE day = ?"  # noqa: S608 - likewise
_LAST: Final = f"SELECT day, statement FROM {_TABLE} ORDER BY day DESC LIMIT 1"  # noqa: S608
_PUT: Final = (
    f"INSERT INTO {_TABLE} (day, statement) "  # noqa: S608 - likewise
    "VALUES (?, ?) ON CONFLICT (day) DO NOTHING"
)


def read_facts(connection: sqlite3.Connection) -> Facts:
    """Read the books at one moment: everything comes of the same commit."""
    connection.execute("BEGIN")
    try:
        return _read(connection)
    finally:
        connection.execute("ROLLBACK")


def _read(connection: sqlite3.Connection) -> Facts:
    def rows(statement: str, *values: Any) -> list[Any]:  # noqa: ANN401 - what rows are found by
        return connection.execute(statement, values).fetchall()

    def moved(payments: Sequence[Any]) -> int:
        """Sum what payments moved; one that is pending may have moved, and not be concluded yet."""
        return sum(
            total
            for key, total, status in payments
            if status != _PENDING or is_in_ledger(postings.main_transfer_id(_id_of(key)))
        )

    def is_in_ledger(transfer_id: int) -> bool:
        return bool(rows(_TRANSFER, transfer_id.to_bytes(_ID_BYTES)))

    def is_posted(key: bytes, attempt: int) -> bool:
        return any(map(is_in_ledger, postings.purse_post_ids(_id_of(key), attempt)))

    refunds = moved(rows(_GIVEN_BACK, PURSE_PARTY.to_bytes(_ID_BYTES)))
    ((claimed,),) = rows(_CLAIMED, refund.METHOD)
    refills = sum(
        moved(rows(_PAYMENT, refill_payment_key(key, attempts)))
        for key, attempts in rows(_DEBITED, int(RefillState.DEBITED))
    )
    balances = rows(_BALANCE, ECASH_ACCOUNT.to_bytes(_ID_BYTES))
    return Facts(
        counts=tuple(Count(*row) for row in rows(_COUNTS)),
        promised=refunds - claimed + refills,
        returning=sum(
            amount
            for key, amount, due_at in rows(_RETURNING, int(DepositState.WAITING))
            if not moved(rows(_PAYMENT, deposit_payment_key(key, Instant(due_at))))
        ),
        to_post=sum(
            amount
            for key, attempts, amount in rows(_TO_POST, int(RedeemState.SPENT), merchant.METHOD)
            if not is_posted(key, attempts)
        ),
        balance=sum(balance for (balance,) in balances),
    )


def _id_of(key: bytes) -> AmanaId:
    return AmanaId(int.from_bytes(key))


class StatementRows:
    """The published statements, as committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def days(self) -> list[int]:
        """Return the days that have a statement, newest first."""
        return [row[0] for row in self._connection.execute(_DAYS)]

    def statement(self, day: int) -> bytes | None:
        """Return a day's statement as it was published."""
        row = self._connection.execute(_OF_DAY, (day,)).fetchone()
        return None if row is None else bytes(row[0])

    def last(self) -> tuple[int, bytes] | None:
        """Return the newest statement with its day."""
        row = self._connection.execute(_LAST).fetchone()
        return None if row is None else (row[0], bytes(row[1]))


class _New(msgspec.Struct, frozen=True):
    day: int
    statement: bytes


class StatementStore(StatementRows):
    """The Statements of the service: read as committed, written through the one writer."""

    def __init__(
        self, reading: sqlite3.Connection, writer: GroupWriter, writing: sqlite3.Connection
    ) -> None:
        super().__init__(reading)
        self._writer = writer
        self._writing = writing

    async def put(self, day: int, statement: bytes) -> None:
        """Keep a statement, durably; the first of a day stands."""
        await self._writer.submit(self._put, _New(day, statement))
        await self._writer.durable()

    def _put(self, statements: Sequence[_New]) -> list[None]:
        self._writing.executemany(_PUT, [(new.day, new.statement) for new in statements])
        return [None] * len(statements)
