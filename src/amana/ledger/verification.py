"""Recomputing the whole books from their rows, without the rules that made them."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from operator import attrgetter, itemgetter
from typing import Protocol

import msgspec

from amana.kernel import SECOND_NS
from amana.ledger import seals
from amana.ledger.model import (
    Account,
    AccountBalance,
    AccountFlags,
    Difference,
    Expiry,
    Failure,
    HoldStatus,
    Pruning,
    Seal,
    Transfer,
    TransferFlags,
    VerifyReport,
)

_PENDING = int(TransferFlags.PENDING)
_POST = int(TransferFlags.POST_PENDING_TRANSFER)
_VOID = int(TransferFlags.VOID_PENDING_TRANSFER)
_CLOSING_DEBIT = int(TransferFlags.CLOSING_DEBIT)
_CLOSING_CREDIT = int(TransferFlags.CLOSING_CREDIT)
_CLOSED = int(AccountFlags.CLOSED)
_HISTORY = int(AccountFlags.HISTORY)
_COUNTERS = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")


class HoldState(msgspec.Struct, frozen=True, gc=False):
    """What an engine has stored about a hold."""

    transfer_id: int
    status: HoldStatus
    expires_at: int


class BooksSource(Protocol):
    """Where the stored books are read; every stream is in the order of timestamps or numbers."""

    def accounts(self) -> Iterable[Account]:
        """Yield the accounts as they are now."""

    def opened(self) -> Iterable[Account]:
        """Yield the accounts as they were opened."""

    def transfers(self) -> Iterable[Transfer]:
        """Yield the transfers that have not been pruned."""

    def expiries(self) -> Iterable[Expiry]:
        """Yield the holds that ended by timeout."""

    def failures(self) -> Iterable[Failure]:
        """Yield the burnt ids."""

    def balances(self) -> Iterable[tuple[int, AccountBalance]]:
        """Yield the kept history with its accounts' ids, by timestamp and then by account."""

    def repeated_ids(self) -> Iterable[int]:
        """Yield the transfer ids that occur more than once, burnt and pruned ones included."""

    def holds(self) -> Iterable[HoldState]:
        """Yield what became of each hold, in any order."""

    def seals(self) -> Iterable[Seal]:
        """Yield the seals by number."""

    def prunings(self) -> Iterable[Pruning]:
        """Yield the prunings."""

    def closings(self) -> Iterable[Account]:
        """Yield the accounts with their balances at the last cut."""


class _Sums:
    """The counters of one account, as its rows make them."""

    __slots__ = (*_COUNTERS, "flags")

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.debits_pending = 0
        self.debits_posted = 0
        self.credits_pending = 0
        self.credits_posted = 0


def verify(source: BooksSource) -> VerifyReport:
    """Recompute every balance, hold, seal and sum; name each difference."""
    return _Verification(source).run()


def closing_at(source: BooksSource, cut: int) -> tuple[list[Account], list[Transfer]]:
    """Work out where sound books stood at a timestamp.

    Returns:
        The accounts opened by then with their balances of then, by timestamp; and the holds that
        were open then.
    """
    reading = _Verification(source)
    reading.read_up_to(cut)
    accounts = [
        msgspec.structs.replace(account, **reading.counters_of(account.id))
        for account in source.opened()
        if account.timestamp <= cut
    ]
    return accounts, reading.open_holds()


class _Verification:
    def __init__(self, source: BooksSource) -> None:
        self._source = source
        self._differences: list[Difference] = []
        self._sums: dict[int, _Sums] = {}
        self._holds: dict[int, tuple[Transfer, HoldStatus]] = {}
        self._cut = 0
        self._kept: Counter[tuple[int, str]] = Counter()
        self._history = iter(source.balances())
        self._transfers = 0
        self._seals = 0
        self._pruned = 0

    def run(self) -> VerifyReport:
        self._read_closings()
        self._read_rows()
        self._check_kept()
        self._check_holds()
        for account_id, balance in self._history:
            self._differ("history", account_id, expected="none", found=balance.timestamp)
        for transfer_id in self._source.repeated_ids():
            self._differ("transfer id", transfer_id, expected="once", found="again")
        totals = self._check_accounts()
        return VerifyReport(
            accounts=len(self._sums),
            transfers=self._transfers,
            seals=self._seals,
            pruned_batches=self._pruned,
            differences=tuple(self._differences),
            **totals,
        )

    def read_up_to(self, cut: int) -> None:
        """Read rows without their seals."""
        self._read_closings()
        for row in _Rows(self._rows()).up_to(cut):
            self._read(row)

    def counters_of(self, account_id: int) -> dict[str, int]:
        """Return an account's counters and flags as read so far."""
        return {name: getattr(self._sums[account_id], name) for name in (*_COUNTERS, "flags")}

    def open_holds(self) -> list[Transfer]:
        """Return the holds that nothing read so far has ended."""
        return [held for held, status in self._holds.values() if status is HoldStatus.OPEN]

    def _rows(self) -> "Iterator[seals.Row]":
        return heapq.merge(
            self._source.opened(),
            self._source.transfers(),
            self._source.expiries(),
            self._source.failures(),
            self._source.prunings(),
            key=attrgetter("timestamp"),
        )

    def _differ(self, subject: str, place: int, *, expected: object, found: object) -> None:
        self._differences.append(Difference(subject, place, str(expected), str(found)))

    def _read_closings(self) -> None:
        """Begin from the balances at the last cut, if their digest is the sealed one."""
        last = None
        for last in self._source.prunings():
            self._cut = last.cut
        if last is None:
            return
        closings = list(self._source.closings())
        digest = seals.closing_digest(closings)
        if digest != last.digest:
            self._differ("closing", last.cut, expected=last.digest.hex(), found=digest.hex())
        for account in closings:
            sums = self._sums[account.id] = _Sums(account.flags)
            for counter in _COUNTERS:
                setattr(sums, counter, getattr(account, counter))
            for counter in ("debits_pending", "credits_pending"):
                self._kept[account.id, counter] += getattr(account, counter)

    def _read_rows(self) -> None:
        """Walk all rows by time, seal by seal."""
        rows = _Rows(self._rows())
        previous: Seal | None = None
        for seal in self._source.seals():
            self._seals += 1
            self._check_chain(seal, previous)
            previous = seal
            self._check_sealed(seal, [*rows.up_to(seal.timestamp_max)])
        for row in rows.rest():
            self._differ("unsealed row", row.timestamp, expected="a seal", found="none")
            self._read(row)

    def _check_chain(self, seal: Seal, previous: Seal | None) -> None:
        number = previous.number + 1 if previous else 1
        previous_hash = previous.hash if previous else bytes(32)
        expected = (number, previous_hash.hex(), seals.seal_hash(seal).hex())
        found = (seal.number, seal.previous_hash.hex(), seal.hash.hex())
        for subject, want, have in zip(
            ("seal number", "seal's previous hash", "seal hash"), expected, found, strict=True
        ):
            if want != have:
                self._differ(subject, seal.number, expected=want, found=have)

    def _check_sealed(self, seal: Seal, rows: "list[seals.Row]") -> None:
        for row in rows:
            self._read(row)
        if seal.timestamp_max <= self._cut:
            self._pruned += 1
            return
        if seal.secret is None:
            self._differ("seal's secret", seal.number, expected="32 bytes", found="none")
            return
        if len(rows) != seal.count:
            self._differ("sealed rows", seal.number, expected=seal.count, found=len(rows))
            return
        canonical = [seals.canonical_row(row) for row in rows]
        root = seals.salted_root(canonical, seal.count, number=seal.number, secret=seal.secret)
        if root != seal.root:
            self._differ("seal's root", seal.number, expected=seal.root.hex(), found=root.hex())

    def _read(self, row: "seals.Row") -> None:
        match row:
            case Account():
                self._sums.setdefault(row.id, _Sums(row.flags))
            case Transfer():
                self._read_transfer(row)
            case Expiry():
                self._read_expiry(row)
            case Failure() | Pruning():
                pass  # They move nothing; their seal is all there is to check.

    def _side(self, account_id: int, row: Transfer) -> _Sums:
        """Return an account's sums; a row that names an unknown account is a difference."""
        sums = self._sums.get(account_id)
        if sums is None:
            self._differ("account of transfer", row.id, expected=account_id, found="none")
            sums = _Sums(0)
        return sums

    def _read_transfer(self, row: Transfer) -> None:
        self._transfers += 1
        flags = row.flags
        if row.timestamp <= self._cut:
            self._read_kept(row)
            return
        debit = self._side(row.debit_account_id, row)
        credit = self._side(row.credit_account_id, row)
        if flags & _PENDING:
            self._holds[row.id] = (row, HoldStatus.OPEN)
            _hold(row, debit, credit)
        elif flags & (_POST | _VOID):
            status = HoldStatus.POSTED if flags & _POST else HoldStatus.VOIDED
            self._conclude(row.pending_id, status, is_voided=bool(flags & _VOID))
        if not flags & (_PENDING | _VOID):
            debit.debits_posted += row.amount
            credit.credits_posted += row.amount
        if (debit.flags | credit.flags) & _HISTORY:
            sides = (row.debit_account_id, debit), (row.credit_account_id, credit)
            self._check_history(row, sides)

    def _check_history(self, row: Transfer, sides: tuple[tuple[int, _Sums], ...]) -> None:
        """Compare the balances kept after a transfer, of those of its accounts with history."""
        for account_id, sums in sorted(sides, key=itemgetter(0)):
            if not sums.flags & _HISTORY:
                continue
            counters = (getattr(sums, name) for name in _COUNTERS)
            expected = (account_id, AccountBalance(row.timestamp, *counters))
            found = next(self._history, None)
            if found != expected:
                self._differ("history", account_id, expected=expected[1], found=found)

    def _read_kept(self, row: Transfer) -> None:
        """Read a hold that was open at the cut: the closing balances already count it."""
        if not row.flags & _PENDING:
            self._differ("pruned transfer", row.id, expected="none", found="a row")
            return
        self._holds[row.id] = (row, HoldStatus.OPEN)
        self._kept[row.debit_account_id, "debits_pending"] -= row.amount
        self._kept[row.credit_account_id, "credits_pending"] -= row.amount

    def _check_kept(self) -> None:
        """Compare what was held at the cut with the holds that were kept for it."""
        for (account_id, name), missing in self._kept.items():
            if missing:
                self._differ(f"closing {name}", account_id, expected=0, found=missing)

    def _read_expiry(self, row: Expiry) -> None:
        self._conclude(row.transfer_id, HoldStatus.EXPIRED, is_voided=True)

    def _conclude(self, held_id: int, status: HoldStatus, *, is_voided: bool) -> None:
        found = self._holds.get(held_id)
        if found is None or found[1] is not HoldStatus.OPEN:
            state = found[1].name if found else "none"
            self._differ("hold", held_id, expected="OPEN", found=state)
            return
        held = found[0]
        self._holds[held_id] = (held, status)
        debit = self._side(held.debit_account_id, held)
        credit = self._side(held.credit_account_id, held)
        _release(held, debit, credit, is_voided=is_voided)

    def _check_holds(self) -> None:
        """Compare each stored hold with what its rows say."""
        stored = {hold.transfer_id: hold for hold in self._source.holds()}
        for held_id, (held, status) in self._holds.items():
            life_ns = held.timeout_s * SECOND_NS
            expires_at = held.timestamp + life_ns if life_ns else 0
            hold = stored.pop(held_id, None)
            expected = f"{status.name} until {expires_at}"
            found = f"{hold.status.name} until {hold.expires_at}" if hold else "none"
            if expected != found:
                self._differ("hold", held_id, expected=expected, found=found)
        for held_id, hold in stored.items():
            self._differ("hold", held_id, expected="none", found=hold.status.name)

    def _check_accounts(self) -> dict[str, int]:
        """Compare each account's counters, and both sides of the whole books."""
        totals = dict.fromkeys(_COUNTERS, 0)
        missing = set(self._sums)
        for account in self._source.accounts():
            missing.discard(account.id)
            sums = self._sums.get(account.id)
            if sums is None:
                self._differ("account", account.id, expected="a row that opens it", found="none")
                continue
            for name in (*_COUNTERS, "flags"):
                expected, found = getattr(sums, name), getattr(account, name)
                if expected != found:
                    self._differ(name, account.id, expected=expected, found=found)
            for name in _COUNTERS:
                totals[name] += getattr(account, name)
        for account_id in sorted(missing):
            self._differ("account", account_id, expected="stored", found="none")
        for kind in ("pending", "posted"):
            debits, credits_ = totals[f"debits_{kind}"], totals[f"credits_{kind}"]
            if debits != credits_:
                self._differ(f"sum of {kind}", 0, expected=debits, found=credits_)
        return totals


class _Rows:
    """A stream of rows that can be read up to a timestamp."""

    def __init__(self, rows: "Iterator[seals.Row]") -> None:
        self._rows = rows
        self._next = next(rows, None)

    def up_to(self, timestamp: int) -> "Iterator[seals.Row]":
        """Yield the rows that are not after a timestamp."""
        while self._next is not None and self._next.timestamp <= timestamp:
            yield self._next
            self._next = next(self._rows, None)

    def rest(self) -> "Iterator[seals.Row]":
        """Yield all that is left."""
        while self._next is not None:
            yield self._next
            self._next = next(self._rows, None)


def _hold(held: Transfer, debit: _Sums, credit: _Sums) -> None:
    debit.debits_pending += held.amount
    credit.credits_pending += held.amount
    if held.flags & _CLOSING_DEBIT:
        debit.flags |= _CLOSED
    if held.flags & _CLOSING_CREDIT:
        credit.flags |= _CLOSED


def _release(held: Transfer, debit: _Sums, credit: _Sums, *, is_voided: bool) -> None:
    debit.debits_pending -= held.amount
    credit.credits_pending -= held.amount
    if is_voided and held.flags & _CLOSING_DEBIT:
        debit.flags &= ~_CLOSED
    if is_voided and held.flags & _CLOSING_CREDIT:
        credit.flags &= ~_CLOSED
