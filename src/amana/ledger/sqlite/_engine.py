"""The SQLite engine: the rules in memory against cached accounts, written once per commit group.

A hot account costs one update per commit, not one per transfer; a transfer costs one inserted row.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final

from amana.kernel import Chance, Instant
from amana.kernel.limits import BATCH_TRANSFERS_MAX
from amana.ledger import rules, seals
from amana.ledger.model import (
    ID_MAX,
    Account,
    AccountBalance,
    AccountFilter,
    AccountResult,
    Change,
    HoldStatus,
    PruneRefused,
    Pruning,
    Seal,
    Transfer,
    TransferFilter,
    TransferFlags,
    TransferResult,
    VerifyReport,
)
from amana.ledger.sqlite import _rows
from amana.ledger.sqlite._pruning import cut_before, prune
from amana.ledger.sqlite._reader import SELECT_SEAL, LedgerReader
from amana.ledger.verification import verify

ACCOUNTS_CACHED_MAX: Final = 100_000
"""Accounts kept in memory between commits: about 40 MB."""

# ruff: noqa: S608 - the statements are joined from constants of this room; values are parameters

_by_timestamp: Final = attrgetter("timestamp")
_HOLD_FLAGS: Final = int(
    TransferFlags.PENDING
    | TransferFlags.POST_PENDING_TRANSFER
    | TransferFlags.VOID_PENDING_TRANSFER
)
_PENDING: Final = int(TransferFlags.PENDING)
_SELECT_HELD: Final = (
    "SELECT hold.status, hold.expires_at, "
    + ", ".join(f"held.{name.strip()}" for name in _rows.TRANSFER_COLUMNS.split(","))
    + " FROM ledger_transfers AS held JOIN ledger_holds AS hold USING (timestamp)"
)


class SQLiteLedger:
    """The books on the connection of the one writer.

    Batches are applied at once and written when the group is committed; look-ups here see what is
    applied. Who opens and closes the database's units of work calls the three hooks.
    """

    def __init__(self, connection: sqlite3.Connection, *, chance: Chance) -> None:
        self._connection = connection
        self._chance = chance
        self._reader = LedgerReader(connection)
        self._books = rules.Books()
        self._touched: set[int] = set()
        self._sealable: list[bytes] = []
        self._sealable_from = 0
        self._sealable_to = 0
        self._seal: Seal | None = None
        self._highest_id = 0
        self._reload()

    def _reload(self) -> None:
        """Begin again from what is committed."""
        row = self._connection.execute(f"{SELECT_SEAL} ORDER BY number DESC LIMIT 1").fetchone()
        self._seal = Seal(*row) if row else None
        self._books = rules.Books(max(self._books.last, row[5] if row else 0))
        self._books.next_expiry = self._earliest_expiry()
        self._touched.clear()
        self._sealable = []
        self._sealable_from = 0
        highest = self._connection.execute(
            "SELECT max((SELECT coalesce(max(id), x'') FROM ledger_transfers),"
            " (SELECT coalesce(max(transfer_id), x'') FROM ledger_failures),"
            " (SELECT coalesce(max(transfer_id), x'') FROM ledger_pruned_ids))"
        ).fetchone()
        self._highest_id = _rows.id_of(highest[0])

    # The batch ------------------------------------------------------------------------------

    def create_accounts(self, accounts: Sequence[Account], *, now: Instant) -> list[AccountResult]:
        """Open accounts; applied, not yet committed."""
        self._load_accounts({account.id for account in accounts})
        return rules.create_accounts(self._books, accounts, now=now)

    def create_transfers(
        self, transfers: Sequence[Transfer], *, now: Instant
    ) -> list[TransferResult]:
        """Move money; applied, not yet committed. Holds that are due expire first."""
        self.expire_due(now=now)
        self._load_transfers(transfers)
        accounts = {transfer.debit_account_id for transfer in transfers}
        accounts.update([transfer.credit_account_id for transfer in transfers])
        self._load_accounts(accounts)
        return rules.create_transfers(self._books, transfers, now=now)

    def expire_due(self, *, now: Instant) -> int:
        """End the holds whose time is over, at most a batch of them; return how many."""
        books = self._books
        if now < books.next_expiry:
            return 0
        self._flush()
        text = (
            f"{_SELECT_HELD} WHERE hold.status = 1 AND hold.expires_at > 0"
            " AND hold.expires_at <= ? ORDER BY hold.expires_at, hold.timestamp LIMIT ?"
        )
        rows = self._connection.execute(text, (now, BATCH_TRANSFERS_MAX)).fetchall()
        held = [self._keep_held(row) for row in rows]
        self._load_accounts(_accounts_of(held))
        rules.expire_holds(books, held, now=now)
        self._flush()
        books.next_expiry = self._earliest_expiry()
        return len(held)

    def prune(self, *, before: Instant, now: Instant) -> Pruning | PruneRefused | None:
        """Replace the rows of batches that end before an instant by closing balances and hashes.

        It is asked at the beginning of a commit group, with `PRAGMA secure_delete` on where the
        rows must be gone from the file too.

        Returns:
            What was pruned; None where there is nothing to prune.
        """
        self._flush()
        assert not self._sealable, "books are pruned at the beginning of a commit group"
        cut = cut_before(self._connection, before)
        if not cut:
            return None
        report = verify(self._reader)
        if not report.is_sound:
            return PruneRefused(report)
        timestamp = self._books.reserve_timestamps(1, now) + 1
        pruning = prune(self._connection, cut=cut, timestamp=timestamp)
        self._sealable.append(seals.canonical_row(pruning))
        self._sealable_from = self._sealable_to = timestamp
        return pruning

    # Facts ----------------------------------------------------------------------------------

    def _load_accounts(self, ids: set[int]) -> None:
        """Have these accounts in memory, as far as they exist."""
        accounts = self._books.accounts
        missing = [key for key in ids if key not in accounts and 0 < key < ID_MAX]
        if missing:
            for account in self._reader.lookup_accounts(missing):
                accounts[account.id] = rules.AccountState.of(account)

    def _load_transfers(self, batch: Sequence[Transfer]) -> None:
        """Have in memory what the batch repeats and the holds it names, as far as they exist."""
        books = self._books
        highest = self._highest_id
        known = books.transfers
        ids = {transfer.id for transfer in batch}
        old = [key for key in ids if 0 < key <= highest and key not in known]
        if old:
            self._load_old(old)
        self._highest_id = max(highest, max((key for key in ids if key < ID_MAX), default=0))
        pending = {transfer.pending_id for transfer in batch}
        pending.update([known[key].pending_id for key in ids if key in known])
        missing = [key for key in pending if key not in books.holds and 0 < key < ID_MAX]
        if missing:
            self._load_held(missing)

    def _load_old(self, ids: list[int]) -> None:
        books = self._books
        for transfer in self._reader.lookup_transfers(ids):
            books.transfers[transfer.id] = transfer
        for table in ("ledger_failures", "ledger_pruned_ids"):
            select = f"SELECT transfer_id FROM {table} WHERE transfer_id IN"
            books.failed.update([_rows.id_of(row[0]) for row in self._reader.by_ids(select, ids)])

    def _load_held(self, ids: list[int]) -> None:
        held = [self._keep_held(row) for row in self._reader.by_ids(_HELD_BY_ID, ids)]
        self._load_accounts(_accounts_of(held))
        plain = [key for key in ids if key not in self._books.transfers]
        for transfer in self._reader.lookup_transfers(plain):
            self._books.transfers[transfer.id] = transfer

    def _keep_held(self, row: tuple[Any, ...]) -> Transfer:
        """Have a hold and its transfer in memory; what memory knows is newer than the row."""
        transfer = self._books.transfers.setdefault(_rows.id_of(row[3]), _rows.transfer_of(row[2:]))
        self._books.holds.setdefault(transfer.id, rules.Hold(HoldStatus(row[0]), row[1]))
        return transfer

    def _earliest_expiry(self) -> int:
        text = "SELECT min(expires_at) FROM ledger_holds WHERE status = 1 AND expires_at > 0"
        earliest = self._connection.execute(text).fetchone()[0]
        return earliest if earliest is not None else rules.NO_EXPIRY

    # The commit group -----------------------------------------------------------------------

    def before_commit(self) -> None:
        """Write and seal what was applied since the last commit."""
        self._flush()
        if not self._sealable:
            return
        accounts = self._books.accounts
        touched = sorted([accounts[key] for key in self._touched], key=_by_timestamp)
        self._connection.executemany(_rows.UPDATE_ACCOUNT, map(_rows.counters_row, touched))
        seal = seals.make_seal(
            self._seal,
            self._sealable,
            first=self._sealable_from,
            last=self._sealable_to,
            secret=self._chance.draw(seals.SECRET_BYTES),
        )
        self._connection.execute(
            "INSERT INTO ledger_seals (number, previous_hash, root, count, timestamp_min,"
            " timestamp_max, hash, secret) VALUES (?,?,?,?,?,?,?,?)",
            (
                seal.number,
                seal.previous_hash,
                seal.root,
                seal.count,
                seal.timestamp_min,
                seal.timestamp_max,
                seal.hash,
                seal.secret,
            ),
        )
        self._seal = seal

    def after_commit(self) -> None:
        """Forget what storage now knows, down to the cache of accounts."""
        books = self._books
        self._touched.clear()
        self._sealable = []
        self._sealable_from = 0
        books.transfers.clear()
        books.holds.clear()
        books.failed.clear()
        if len(books.accounts) > ACCOUNTS_CACHED_MAX:
            surplus = len(books.accounts) - ACCOUNTS_CACHED_MAX // 2
            for key in [*books.accounts][:surplus]:
                del books.accounts[key]

    def after_rollback(self) -> None:
        """Forget what storage has forgotten."""
        self._reload()

    def _flush(self) -> None:
        """Write the rows the rules added; accounts' counters wait for the commit."""
        books = self._books
        new: list[seals.Row] = [*books.opened, *books.expiries, *books.failures]
        if not new and not books.created:
            return
        write = self._connection.executemany
        created = books.created
        made = [_rows.transfer_row(transfer) for transfer in created]
        write(_rows.INSERT_TRANSFER, made)
        if new:
            self._flush_others()
            new += created
            new.sort(key=_by_timestamp)
            self._sealable += map(seals.canonical_row, new)
        else:
            self._sealable += map(_rows.canonical_of, made)
        rows: Sequence[seals.Row] = new or created
        self._sealable_from = self._sealable_from or rows[0].timestamp
        self._sealable_to = rows[-1].timestamp
        self._touched.update([transfer.debit_account_id for transfer in created])
        self._touched.update([transfer.credit_account_id for transfer in created])
        self._write_holds(created)
        if books.balances:
            write(
                "INSERT INTO ledger_balances (account_id, timestamp, debits_pending,"
                " debits_posted, credits_pending, credits_posted) VALUES (?,?,?,?,?,?)",
                (_balance_row(account_id, balance) for account_id, balance in books.balances),
            )
        books.take()

    def _flush_others(self) -> None:
        """Write what is not a transfer."""
        books = self._books
        write = self._connection.executemany
        write(_rows.INSERT_ACCOUNT, map(_rows.account_row, books.opened))
        write(
            "INSERT INTO ledger_failures (timestamp, transfer_id) VALUES (?,?)",
            ((row.timestamp, _rows.id_bytes(row.transfer_id)) for row in books.failures),
        )
        write(
            "INSERT INTO ledger_expiries (timestamp, transfer_id) VALUES (?,?)",
            ((row.timestamp, _rows.id_bytes(row.transfer_id)) for row in books.expiries),
        )
        ended = [books.transfers[row.transfer_id] for row in books.expiries]
        self._touched.update(_accounts_of(ended))
        self._write_statuses(ended)

    def _write_holds(self, created: Iterable[Transfer]) -> None:
        """Write the holds that were made, and what became of those that were concluded."""
        books = self._books
        concerned = [transfer for transfer in created if transfer.flags & _HOLD_FLAGS]
        if not concerned:
            return
        made = [transfer for transfer in concerned if transfer.flags & _PENDING]
        self._connection.executemany(
            "INSERT INTO ledger_holds (timestamp, status, expires_at) VALUES (?,?,?)",
            (
                (held.timestamp, int(hold.status), hold.expires_at)
                for held in made
                for hold in [books.holds[held.id]]
            ),
        )
        self._write_statuses(
            [books.transfers[row.pending_id] for row in concerned if not row.flags & _PENDING]
        )

    def _write_statuses(self, held: Iterable[Transfer]) -> None:
        self._connection.executemany(
            "UPDATE ledger_holds SET status = ? WHERE timestamp = ?",
            ((int(self._books.holds[row.id].status), row.timestamp) for row in held),
        )

    # Look-ups -------------------------------------------------------------------------------

    def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        """Return the accounts that exist among these, in the order asked."""
        accounts = self._books.accounts
        self._load_accounts(set(ids))
        return [accounts[account_id].account() for account_id in ids if account_id in accounts]

    def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        """Return the transfers that exist among these, in the order asked."""
        self._flush()
        return self._reader.lookup_transfers(ids)

    def account_transfers(self, wanted: AccountFilter) -> list[Transfer]:
        """Return transfers of one account by time."""
        self._flush()
        return self._reader.account_transfers(wanted)

    def account_balances(self, wanted: AccountFilter) -> list[AccountBalance]:
        """Return past balances of one account with history; none where it has none."""
        self._flush()
        return self._reader.account_balances(wanted)

    def query_transfers(self, wanted: TransferFilter) -> list[Transfer]:
        """Return transfers of all accounts by time."""
        self._flush()
        return self._reader.query_transfers(wanted)

    def changes(self, after: Instant, limit: int) -> list[Change]:
        """Return what changed after a position, oldest first."""
        self._flush()
        return self._reader.changes(after, limit)

    def verify(self) -> VerifyReport:
        """Recompute the whole books and name each difference; asked between commit groups."""
        return self._reader.verify()


_HELD_BY_ID: Final = f"{_SELECT_HELD} WHERE held.id IN"


def _accounts_of(transfers: Iterable[Transfer]) -> set[int]:
    rows = list(transfers)
    return {row.debit_account_id for row in rows} | {row.credit_account_id for row in rows}


def _balance_row(account_id: int, balance: AccountBalance) -> tuple[Any, ...]:
    return (
        _rows.id_bytes(account_id),
        balance.timestamp,
        balance.debits_pending,
        balance.debits_posted,
        balance.credits_pending,
        balance.credits_posted,
    )
