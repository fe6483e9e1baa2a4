"""The ledger recomputed: one walk over all rows in the order of time."""

import heapq
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, Final

from amana.audit import _seals
from amana.audit._report import Findings, LedgerTotals
from amana.kernel import SECOND_NS, IdKind, format_id

_Row = tuple[Any, ...]

_ACCOUNTS: Final = (
    "SELECT timestamp, id, ledger, code, flags, user_data_128, user_data_64, user_data_32, "
    "debits_pending, debits_posted, credits_pending, credits_posted, is_closed "
    "FROM ledger_accounts ORDER BY timestamp"
)
_TRANSFERS: Final = (
    "SELECT timestamp, id, debit_account_id, credit_account_id, amount, pending_id, "
    "user_data_128, user_data_64, user_data_32, timeout_s, ledger, code, flags "
    "FROM ledger_transfers ORDER BY timestamp"
)
_EXPIRIES: Final = "SELECT timestamp, transfer_id FROM ledger_expiries ORDER BY timestamp"
_FAILURES: Final = "SELECT timestamp, transfer_id FROM ledger_failures ORDER BY timestamp"
_PRUNINGS: Final = "SELECT timestamp, cut, batches, digest FROM ledger_prunings ORDER BY timestamp"
_SEALS: Final = (
    "SELECT number, previous_hash, root, count, timestamp_min, timestamp_max, hash, secret "
    "FROM ledger_seals ORDER BY number"
)
_CLOSINGS: Final = (
    "SELECT timestamp, debits_pending, debits_posted, credits_pending, credits_posted, is_closed "
    "FROM ledger_closings ORDER BY timestamp"
)
_HOLDS: Final = (
    "SELECT t.id, h.status, h.expires_at, h.timestamp FROM ledger_holds AS h "
    "LEFT JOIN ledger_transfers AS t ON t.timestamp = h.timestamp"
)
_ALL_IDS: Final = "SELECT id FROM ledger_transfers ORDER BY id"
_USED_AGAIN: Final = (
    "SELECT f.transfer_id, 'ledger_failures' FROM ledger_failures AS f "
    "JOIN ledger_transfers AS t ON t.id = f.transfer_id UNION ALL "
    "SELECT p.transfer_id, 'ledger_pruned_ids' FROM ledger_pruned_ids AS p "
    "JOIN ledger_transfers AS t ON t.id = p.transfer_id"
)
_BALANCES: Final = (
    "SELECT account_id, timestamp, debits_pending, debits_posted, credits_pending, "
    "credits_posted FROM ledger_balances WHERE timestamp > ?"
)

_PENDING: Final = 1 << 1
_POST: Final = 1 << 2
_VOID: Final = 1 << 3
_CLOSING_DEBIT: Final = 1 << 6
_CLOSING_CREDIT: Final = 1 << 7
_DEBITS_BOUND: Final = 1 << 1
_CREDITS_BOUND: Final = 1 << 2
_HISTORY: Final = 1 << 3
_CLOSED: Final = 1 << 5
_STATUS_NAMES: Final = {1: "open", 2: "posted", 3: "voided", 4: "expired"}
_OPEN: Final = 1
_NAMES: Final = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
_PROGRESS_EVERY: Final = 50_000


class _Account:
    """An account as its rows make it."""

    __slots__ = ("counters", "flags", "is_closed", "ledger", "row")

    def __init__(self, row: _Row) -> None:
        self.row = row
        self.ledger = row[2]
        self.flags = row[4]
        self.is_closed = bool(row[4] & _CLOSED)
        self.counters = [0, 0, 0, 0]
        """Pending and posted debits, pending and posted credits."""


def account_text(key: bytes) -> str:
    """Write an account's id."""
    return format_id(IdKind.LEDGER_ACCOUNT, int.from_bytes(key))


def transfer_text(key: bytes) -> str:
    """Write a transfer's id."""
    return format_id(IdKind.TRANSFER, int.from_bytes(key))


class LedgerAudit:
    """One audit of the ledger's tables."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        findings: Findings,
        progress: Callable[[str, int], None],
    ) -> None:
        self._connection = connection
        self._findings = findings
        self._progress = progress
        self._accounts: dict[bytes, _Account] = {}
        self._holds: dict[bytes, tuple[_Row, int]] = {}
        """Each hold's transfer and status, as the rows make them."""
        self._history: dict[tuple[bytes, int], tuple[int, ...]] = {}
        self._cut = 0
        self._kept: Counter[bytes] = Counter()
        """What holds older than the cut still take on each account, less what closings say."""
        self.counts = {"accounts": 0, "transfers": 0, "seals": 0, "pruned_batches": 0}

    def run(self) -> tuple[LedgerTotals, ...]:
        """Recompute everything; return both sides of each ledger."""
        self._open_accounts()
        self._begin_from_closings()
        self._walk()
        self._check_holds()
        self._check_ids()
        self._check_history()
        return self._check_accounts()

    # Where the walk begins

    def _open_accounts(self) -> None:
        for row in self._connection.execute(_ACCOUNTS):
            self._accounts[row[1]] = _Account(row)
        self.counts["accounts"] = len(self._accounts)

    def _begin_from_closings(self) -> None:
        """Begin from the balances at the last cut, if they are the sealed ones."""
        prunings = self._connection.execute(_PRUNINGS).fetchall()
        if not prunings:
            return
        self._cut = prunings[-1][1]
        by_time = {account.row[0]: account for account in self._accounts.values()}
        digested = []
        for at, *counters, is_closed in self._connection.execute(_CLOSINGS):
            account = by_time.get(at)
            if account is None:
                self._findings.add(
                    "closing", "ledger_closings", str(at), expected="an account", found="none"
                )
                continue
            account.counters = counters
            self._kept[account.row[1]] -= counters[0] + counters[2]
            account.is_closed = bool(is_closed)
            digested.append((account.row, tuple(counters), bool(is_closed)))
        digest = _seals.closing_digest(digested)
        if digest != prunings[-1][3]:
            self._findings.add(
                "closing balances",
                "ledger_closings",
                str(self._cut),
                expected=prunings[-1][3].hex(),
                found=digest.hex(),
            )

    # The walk

    def _rows(self) -> Iterator[tuple[int, int, _Row]]:
        """Yield (timestamp, kind, row) of everything that is sealed, by time."""
        others = heapq.merge(
            *(self._of_kind(kind, text) for kind, text in _KINDS), key=itemgetter(0)
        )
        other = next(others, None)
        for row in self._connection.execute(_TRANSFERS):
            while other is not None and other[0] < row[0]:
                yield other
                other = next(others, None)
            yield row[0], _seals.TRANSFER, row
        while other is not None:
            yield other
            other = next(others, None)

    def _of_kind(self, kind: int, text: str) -> Iterator[tuple[int, int, _Row]]:
        for row in self._connection.execute(text):
            yield row[0], kind, row

    def _walk(self) -> None:
        """Apply each row in turn, and check each seal over its rows."""
        rows = self._rows()
        row = next(rows, None)
        previous: _Row | None = None
        for seal in self._connection.execute(_SEALS):
            sealed: list[bytes] = []
            while row is not None and row[0] <= seal[5]:
                sealed.append(self._take(row))
                row = next(rows, None)
            self._check_seal(seal, previous, sealed)
            previous = seal
        while row is not None:
            self._findings.add(
                "unsealed row", _TABLES[row[1]], str(row[0]), expected="a seal", found="none"
            )
            self._take(row)
            row = next(rows, None)

    def _take(self, item: tuple[int, int, _Row]) -> bytes:
        """Apply one row; return the bytes that its seal covers."""
        at, kind, row = item
        if kind == _seals.TRANSFER:
            self.counts["transfers"] += 1
            if not self.counts["transfers"] % _PROGRESS_EVERY:
                self._progress("transfers", self.counts["transfers"])
            if at > self._cut:
                self._apply(row)
            else:
                self._holds[row[1]] = (row, _OPEN)
                self._kept[row[2]] += row[4]
                self._kept[row[3]] += row[4]
        elif kind == _seals.EXPIRY:
            self._end_hold(row[1], "expired")
        return _seals.row_bytes(kind, row)

    def _apply(self, row: _Row) -> None:
        debit, credit = self._side(row, row[2]), self._side(row, row[3])
        flags, amount = row[12], row[4]
        if flags & _PENDING:
            self._holds[row[1]] = (row, _OPEN)
            debit.counters[0] += amount
            credit.counters[2] += amount
            debit.is_closed = debit.is_closed or bool(flags & _CLOSING_DEBIT)
            credit.is_closed = credit.is_closed or bool(flags & _CLOSING_CREDIT)
        else:
            if flags & (_POST | _VOID):
                self._end_hold(row[5] or b"", "posted" if flags & _POST else "voided")
            if not flags & _VOID:
                debit.counters[1] += amount
                credit.counters[3] += amount
        if debit.flags & (_DEBITS_BOUND | _CREDITS_BOUND | _HISTORY):
            self._after(row, row[2], debit)
        if credit.flags & (_DEBITS_BOUND | _CREDITS_BOUND | _HISTORY):
            self._after(row, row[3], credit)

    def _side(self, row: _Row, key: bytes) -> _Account:
        account = self._accounts.get(key)
        if account is None:
            self._findings.add(
                "account of a transfer",
                "ledger_transfers",
                transfer_text(row[1]),
                expected=f"the account {account_text(key)}",
                found="none",
                loss_minor=row[4],
            )
            account = self._accounts[key] = _Account((0, key, row[10], 0, 0))
        elif account.ledger != row[10]:
            self._findings.add(
                "ledger of a transfer",
                "ledger_transfers",
                transfer_text(row[1]),
                expected=account.ledger,
                found=row[10],
                loss_minor=row[4],
            )
        return account

    def _after(self, row: _Row, key: bytes, account: _Account) -> None:
        """Check an account's bound after a transfer, and remember a balance that is kept."""
        pending_debits, debits, pending_credits, credits_ = account.counters
        over = 0
        if account.flags & _DEBITS_BOUND:
            over = pending_debits + debits - credits_
        elif account.flags & _CREDITS_BOUND:
            over = pending_credits + credits_ - debits
        if over > 0:
            self._findings.add(
                "bound",
                "ledger_transfers",
                transfer_text(row[1]),
                expected=f"{account_text(key)} within its bound",
                found=f"{over} beyond",
                loss_minor=over,
            )
        if account.flags & _HISTORY:
            self._history[key, row[0]] = tuple(account.counters)

    def _end_hold(self, key: bytes, how: str) -> None:
        """Take a hold off both sides; it must be open."""
        held, status = self._holds.get(key, ((), 0))
        if status != _OPEN:
            self._findings.add(
                "hold",
                "ledger_transfers",
                transfer_text(key),
                expected=f"open before it is {how}",
                found=_STATUS_NAMES.get(status, "none"),
                loss_minor=held[4] if held else 0,
            )
            return
        status = next(number for number, name in _STATUS_NAMES.items() if name == how)
        self._holds[key] = (held, status)
        debit, credit = self._accounts[held[2]], self._accounts[held[3]]
        debit.counters[0] -= held[4]
        credit.counters[2] -= held[4]
        if how != "posted":
            debit.is_closed = debit.is_closed and not held[12] & _CLOSING_DEBIT
            credit.is_closed = credit.is_closed and not held[12] & _CLOSING_CREDIT

    # Seals

    def _check_seal(self, seal: _Row, previous: _Row | None, rows: list[bytes]) -> None:
        self.counts["seals"] += 1
        number, secret = seal[0], seal[7]
        self._compare("seal number", number, previous[0] + 1 if previous else 1, number)
        before = previous[6] if previous else _seals.GENESIS
        self._compare("seal chain", number, before.hex(), seal[1].hex())
        self._compare("seal hash", number, _seals.hash_of(seal).hex(), seal[6].hex())
        if seal[5] <= self._cut:
            self.counts["pruned_batches"] += 1
        elif secret is None:
            self._compare("seal secret", number, "32 bytes", "none")
        elif len(rows) != seal[3]:
            self._compare("rows of a seal", number, seal[3], len(rows))
        else:
            root = _seals.root_of(rows, number=number, count=len(rows), secret=secret)
            self._compare("seal root", number, seal[2].hex(), root.hex())

    def _compare(self, check: str, number: int, expected: object, found: object) -> None:
        if expected != found:
            self._findings.add(check, "ledger_seals", str(number), expected=expected, found=found)

    # After the walk

    def _check_holds(self) -> None:
        """Compare what is stored of each hold with what the rows make of it."""
        for key, over in self._kept.items():
            if over:
                self._findings.add(
                    "holds kept in pruning",
                    "ledger_transfers",
                    account_text(key),
                    expected="as much as the closing balances hold",
                    found=f"{over} more",
                    loss_minor=over,
                )
        seen = 0
        for key, status, expires_at, at in self._connection.execute(_HOLDS):
            held, made = self._holds.get(key, ((), 0))
            seen += bool(held)
            life_ns = held[9] * SECOND_NS if held else 0
            expected = (_STATUS_NAMES.get(made, "none"), held[0] + life_ns if life_ns else 0)
            found = (_STATUS_NAMES[status], expires_at)
            if expected != found:
                self._findings.add(
                    "hold",
                    "ledger_holds",
                    transfer_text(key) if key else str(at),
                    expected=f"{expected[0]} until {expected[1]}",
                    found=f"{found[0]} until {found[1]}",
                    loss_minor=held[4] if held else 0,
                )
        if seen < len(self._holds):
            missing = len(self._holds) - seen
            self._findings.add(
                "hold", "ledger_holds", "all", expected=len(self._holds), found=f"{missing} fewer"
            )

    def _check_ids(self) -> None:
        """No transfer's id is used twice, nor one that was refused for ever or pruned."""
        previous = b""
        for (key,) in self._connection.execute(_ALL_IDS):
            if key == previous:
                self._findings.add(
                    "transfer id",
                    "ledger_transfers",
                    transfer_text(key),
                    expected="once",
                    found="again",
                )
            previous = key
        for key, table in self._connection.execute(_USED_AGAIN):
            self._findings.add(
                "transfer id", table, transfer_text(key), expected="never used", found="a transfer"
            )

    def _check_history(self) -> None:
        """Compare the balances kept over time with those of the walk."""
        for key, at, *found in self._connection.execute(_BALANCES, (self._cut,)):
            expected = self._history.pop((key, at), None)
            if expected != tuple(found):
                self._findings.add(
                    "balance at a time",
                    "ledger_balances",
                    f"{account_text(key)} at {at}",
                    expected=expected,
                    found=tuple(found),
                )
        for key, at in self._history:
            place = f"{account_text(key)} at {at}"
            self._findings.add(
                "balance at a time", "ledger_balances", place, expected="a row", found="none"
            )

    def _check_accounts(self) -> tuple[LedgerTotals, ...]:
        totals: dict[int, list[int]] = {}
        for key, account in self._accounts.items():
            stored = account.row[8:12]
            sums = totals.setdefault(account.ledger, [0, 0, 0, 0])
            for place, (name, made) in enumerate(zip(_NAMES, account.counters, strict=True)):
                found = stored[place] if stored else 0
                sums[place] += found
                if made != found:
                    self._findings.add(
                        name,
                        "ledger_accounts",
                        account_text(key),
                        expected=made,
                        found=found,
                        loss_minor=made - found,
                    )
            if stored and account.is_closed != bool(account.row[12]):
                self._findings.add(
                    "closed",
                    "ledger_accounts",
                    account_text(key),
                    expected=account.is_closed,
                    found=bool(account.row[12]),
                )
        return tuple(self._check_sides(ledger, sums) for ledger, sums in sorted(totals.items()))

    def _check_sides(self, ledger: int, sums: list[int]) -> LedgerTotals:
        for name, debits, credits_ in (
            ("posted", sums[1], sums[3]),
            ("pending", sums[0], sums[2]),
        ):
            if debits != credits_:
                self._findings.add(
                    f"debits equal credits, {name}",
                    "ledger_accounts",
                    f"ledger {ledger}",
                    expected=debits,
                    found=credits_,
                    loss_minor=debits - credits_,
                )
        return LedgerTotals(ledger, sums[1], sums[3], sums[0], sums[2])


_KINDS: Final = (
    (_seals.ACCOUNT, _ACCOUNTS),
    (_seals.EXPIRY, _EXPIRIES),
    (_seals.FAILURE, _FAILURES),
    (_seals.PRUNING, _PRUNINGS),
)
_TABLES: Final = {
    _seals.ACCOUNT: "ledger_accounts",
    _seals.TRANSFER: "ledger_transfers",
    _seals.EXPIRY: "ledger_expiries",
    _seals.FAILURE: "ledger_failures",
    _seals.PRUNING: "ledger_prunings",
}
