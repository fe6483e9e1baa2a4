"""Reading the books from SQLite: look-ups, the change feed, and what verification asks for."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from amana.kernel import Instant
from amana.ledger import _filters
from amana.ledger.model import (
    Account,
    AccountBalance,
    AccountFilter,
    Change,
    ChangeKind,
    Expiry,
    Failure,
    HoldStatus,
    Pruning,
    Seal,
    Transfer,
    TransferFilter,
    VerifyReport,
)
from amana.ledger.sqlite._rows import (
    ACCOUNT_COLUMNS,
    TRANSFER_COLUMNS,
    account_of,
    id_bytes,
    id_of,
    opened_account_of,
    signed,
    transfer_of,
)
from amana.ledger.verification import HoldState, verify

# ruff: noqa: S608 - the statements are joined from constants of this room; values are parameters

_CHUNK: Final = 500
"""Ids in one statement; SQLite takes at most 32,766 parameters, and long lists gain nothing."""
_TIME_MAX: Final = 2**63 - 1
_FIRST_TRANSFER: Final = f"SELECT {TRANSFER_COLUMNS} FROM ledger_transfers"
_T = TypeVar("_T")


class LedgerReader:
    """The committed books, over a connection of their own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    # Look-ups -------------------------------------------------------------------------------

    def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        """Return the accounts that exist among these, in the order asked."""
        select = f"SELECT {ACCOUNT_COLUMNS} FROM ledger_accounts WHERE id IN "
        found = {row[1]: account_of(row) for row in self.by_ids(select, ids)}
        return [found[key] for key in map(id_bytes, ids) if key in found]

    def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        """Return the transfers that exist among these, in the order asked."""
        found = {row[1]: transfer_of(row) for row in self.by_ids(_BY_ID, ids)}
        return [found[key] for key in map(id_bytes, ids) if key in found]

    def account_transfers(self, wanted: AccountFilter) -> list[Transfer]:
        """Return transfers of one account by time."""
        return [transfer_of(row) for row in self._of_account(wanted, _FIRST_TRANSFER)]

    def account_balances(self, wanted: AccountFilter) -> list[AccountBalance]:
        """Return past balances of one account with history; none where it has none."""
        select = (
            "SELECT timestamp, debits_pending, debits_posted, credits_pending, credits_posted"
            " FROM ledger_balances AS balance JOIN ledger_transfers USING (timestamp)"
        )
        rows = self._of_account(wanted, select, "balance.account_id = ?1 AND ")
        return [AccountBalance(*row) for row in rows]

    def query_transfers(self, wanted: TransferFilter) -> list[Transfer]:
        """Return transfers of all accounts by time."""
        where, values = _within(wanted)
        if wanted.ledger:
            # The plus keeps SQLite from inventing an index for a column of a few values.
            where += " AND +ledger = ?"
            values.append(wanted.ledger)
        text = f"{_FIRST_TRANSFER} WHERE {where} {_order(wanted)} LIMIT ?"
        return [transfer_of(row) for row in self._connection.execute(text, [*values, wanted.limit])]

    def changes(self, after: Instant, limit: int) -> list[Change]:
        """Return what changed after a position, oldest first."""
        text = f"{_FIRST_TRANSFER} WHERE timestamp > ? ORDER BY timestamp LIMIT ?"
        made = [
            _filters.change_of(transfer_of(row))
            for row in self._connection.execute(text, (after, limit))
        ]
        text = (
            f"SELECT expiry.timestamp, {_columns_of('held')} FROM ledger_expiries AS expiry"
            " JOIN ledger_transfers AS held ON held.id = expiry.transfer_id"
            " WHERE expiry.timestamp > ? ORDER BY expiry.timestamp LIMIT ?"
        )
        ended = [
            Change(row[0], ChangeKind.HOLD_EXPIRED, transfer_of(row[1:]))
            for row in self._connection.execute(text, (after, limit))
        ]
        return sorted(made + ended, key=lambda change: change.timestamp)[:limit]

    def by_ids(self, select: str, ids: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        """Run a statement that ends in `IN`, for any number of ids."""
        keys = [id_bytes(identifier) for identifier in ids]
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            yield from self._connection.execute(f"{select} ({marks})", chunk)

    def _of_account(
        self, wanted: AccountFilter, select: str, condition: str = ""
    ) -> list[tuple[Any, ...]]:
        """Read rows of one account's transfers: debits and credits by their own indexes, merged."""
        assert wanted.limit > 0, "a page has at least one item"
        where, values = _within(wanted)
        sides = {
            "debit_account_id": wanted.includes_debits,
            "credit_account_id": wanted.includes_credits,
        }
        found: list[tuple[Any, ...]] = []
        for side, is_included in sides.items():
            if is_included:
                text = f"{select} WHERE {condition}{side} = ?1 AND {where} {_order(wanted)} LIMIT ?"
                parameters = [id_bytes(wanted.account_id), *values, wanted.limit]
                found += self._connection.execute(text, parameters)
        found.sort(key=lambda row: row[0], reverse=wanted.is_newest_first)
        return found[: wanted.limit]

    # What verification reads ----------------------------------------------------------------

    def verify(self) -> VerifyReport:
        """Recompute the whole committed books and name each difference."""
        assert not self._connection.in_transaction, "books are verified between units of work"
        self._connection.execute("BEGIN")
        try:
            return verify(self)
        finally:
            self._connection.execute("ROLLBACK")

    def accounts(self) -> Iterator[Account]:
        """Yield the accounts as they are now, by timestamp."""
        return self._stream(_ACCOUNTS, account_of)

    def opened(self) -> Iterator[Account]:
        """Yield the accounts as they were opened, by timestamp."""
        return self._stream(_ACCOUNTS, opened_account_of)

    def transfers(self) -> Iterator[Transfer]:
        """Yield the transfers by timestamp."""
        return self._stream(f"{_FIRST_TRANSFER} ORDER BY timestamp", transfer_of)

    def expiries(self) -> Iterator[Expiry]:
        """Yield the holds that ended by timeout, by timestamp."""
        text = "SELECT timestamp, transfer_id FROM ledger_expiries ORDER BY timestamp"
        return self._stream(text, lambda row: Expiry(row[0], id_of(row[1])))

    def failures(self) -> Iterator[Failure]:
        """Yield the burnt ids, by timestamp."""
        text = "SELECT timestamp, transfer_id FROM ledger_failures ORDER BY timestamp"
        return self._stream(text, lambda row: Failure(row[0], id_of(row[1])))

    def holds(self) -> Iterator[HoldState]:
        """Yield what became of each hold, by timestamp."""
        text = (
            "SELECT transfer.id, hold.status, hold.expires_at FROM ledger_holds AS hold"
            " LEFT JOIN ledger_transfers AS transfer USING (timestamp) ORDER BY hold.timestamp"
        )
        return self._stream(text, lambda row: HoldState(id_of(row[0]), HoldStatus(row[1]), row[2]))

    def seals(self) -> Iterator[Seal]:
        """Yield the seals by number."""
        return self._stream(f"{SELECT_SEAL} ORDER BY number", lambda row: Seal(*row))

    def prunings(self) -> Iterator[Pruning]:
        """Yield the prunings by timestamp."""
        text = "SELECT timestamp, cut, batches, digest FROM ledger_prunings ORDER BY timestamp"
        return self._stream(text, lambda row: Pruning(*row))

    def closings(self) -> Iterator[Account]:
        """Yield the accounts with their balances at the last cut, by timestamp."""
        columns = _columns_of("account", ACCOUNT_COLUMNS[: ACCOUNT_COLUMNS.index(" debits")])
        text = (
            f"SELECT {columns} closing.debits_pending, closing.debits_posted,"
            " closing.credits_pending, closing.credits_posted, closing.is_closed"
            " FROM ledger_closings AS closing"
            " JOIN ledger_accounts AS account USING (timestamp) ORDER BY closing.timestamp"
        )
        return self._stream(text, account_of)

    def balances(self) -> Iterator[tuple[int, AccountBalance]]:
        """Yield the kept history with its accounts' ids, by timestamp and then by account."""
        text = (
            "SELECT account_id, timestamp, debits_pending, debits_posted, credits_pending,"
            " credits_posted FROM ledger_balances ORDER BY timestamp, account_id"
        )
        return self._stream(text, lambda row: (id_of(row[0]), AccountBalance(*row[1:])))

    def repeated_ids(self) -> Iterator[int]:
        """Yield the transfer ids that occur more than once, burnt and pruned ones included."""
        text = (
            "SELECT id FROM (SELECT id FROM ledger_transfers"
            " UNION ALL SELECT transfer_id FROM ledger_failures"
            " UNION ALL SELECT transfer_id FROM ledger_pruned_ids ORDER BY 1)"
            " GROUP BY id HAVING count(*) > 1"
        )
        return self._stream(text, lambda row: id_of(row[0]))

    def _stream(self, text: str, make: Callable[[tuple[Any, ...]], _T]) -> Iterator[_T]:
        return map(make, self._connection.execute(text))


_BY_ID: Final = f"{_FIRST_TRANSFER} WHERE id IN "
_ACCOUNTS: Final = f"SELECT {ACCOUNT_COLUMNS} FROM ledger_accounts ORDER BY timestamp"
SELECT_SEAL: Final = (
    "SELECT number, previous_hash, root, count, timestamp_min, timestamp_max, hash, secret"
    " FROM ledger_seals"
)


def _columns_of(table: str, columns: str = TRANSFER_COLUMNS) -> str:
    """Put a table's name before each column."""
    names = [name.strip() for name in columns.split(",")]
    return ", ".join(f"{table}.{name}" if name else "" for name in names)


def _within(wanted: AccountFilter | TransferFilter) -> tuple[str, list[Any]]:
    """Write the conditions that both filters share."""
    where = "ledger_transfers.timestamp BETWEEN ? AND ?"
    values: list[Any] = [wanted.timestamp_min, wanted.timestamp_max or _TIME_MAX]
    for name, value in (
        ("code", wanted.code),
        ("user_data_128", id_bytes(wanted.user_data_128) if wanted.user_data_128 else 0),
        ("user_data_64", signed(wanted.user_data_64)),
        ("user_data_32", wanted.user_data_32),
    ):
        if value:
            # Of an account's transfers the account's index is the right one; over all accounts,
            # the code's.
            is_hidden = name != "code" or isinstance(wanted, AccountFilter)
            where += f" AND {'+' if is_hidden else ''}{name} = ?"
            values.append(value)
    return where, values


def _order(wanted: AccountFilter | TransferFilter) -> str:
    direction = "DESC" if wanted.is_newest_first else "ASC"
    return f"ORDER BY ledger_transfers.timestamp {direction}"
