"""The books in memory: for tests, simulations, and as the plainest reading of the rules."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from amana.kernel import Chance, Instant
from amana.kernel.limits import BATCH_TRANSFERS_MAX
from amana.ledger import _filters, rules, seals
from amana.ledger.model import (
    Account,
    AccountBalance,
    AccountFilter,
    AccountResult,
    Change,
    ChangeKind,
    Expiry,
    Failure,
    HoldStatus,
    Pruning,
    Seal,
    Transfer,
    TransferFilter,
    TransferResult,
    VerifyReport,
)
from amana.ledger.verification import HoldState, verify


class MemoryLedger:
    """An engine that forgets everything with its process.

    It takes part in commit groups like the others: what is applied is seen at once, `before_commit`
    seals it, `after_rollback` takes it back.
    """

    def __init__(self, *, chance: Chance) -> None:
        self._chance = chance
        self._books = rules.Books()
        self._opened: list[Account] = []
        self._transfers: list[Transfer] = []
        self._expiries: list[Expiry] = []
        self._failures: list[Failure] = []
        self._balances: list[tuple[int, AccountBalance]] = []
        self._seals: list[Seal] = []
        self._new_seal: Seal | None = None

    # The batch ------------------------------------------------------------------------------

    def create_accounts(self, accounts: Sequence[Account], *, now: Instant) -> list[AccountResult]:
        """Open accounts; applied, not yet committed."""
        return rules.create_accounts(self._books, accounts, now=now)

    def create_transfers(
        self, transfers: Sequence[Transfer], *, now: Instant
    ) -> list[TransferResult]:
        """Move money; applied, not yet committed. Holds that are due expire first."""
        self.expire_due(now=now)
        return rules.create_transfers(self._books, transfers, now=now)

    def expire_due(self, *, now: Instant) -> int:
        """End the holds whose time is over, at most a batch of them; return how many."""
        books = self._books
        if now < books.next_expiry:
            return 0
        ending = sorted(
            (hold.expires_at, books.transfers[held_id].timestamp, held_id)
            for held_id, hold in books.holds.items()
            if hold.status is HoldStatus.OPEN and hold.expires_at > 0
        )
        due = [held_id for expires_at, _, held_id in ending if expires_at <= now]
        held = [books.transfers[held_id] for held_id in due[:BATCH_TRANSFERS_MAX]]
        rules.expire_holds(books, held, now=now)
        left = ending[len(held) :]
        books.next_expiry = left[0][0] if left else rules.NO_EXPIRY
        return len(held)

    # The commit group -----------------------------------------------------------------------

    def before_commit(self) -> None:
        """Seal what was applied since the last commit."""
        rows = sorted(self._new_rows(), key=lambda row: row.timestamp)
        if rows:
            self._new_seal = seals.make_seal(
                self._seals[-1] if self._seals else None,
                [seals.canonical_row(row) for row in rows],
                first=rows[0].timestamp,
                last=rows[-1].timestamp,
                secret=self._chance.draw(seals.SECRET_BYTES),
            )

    def after_commit(self) -> None:
        """Keep what was applied."""
        books = self._books
        self._opened += books.opened
        self._transfers += books.created
        self._expiries += books.expiries
        self._failures += books.failures
        self._balances += books.balances
        if self._new_seal is not None:
            self._seals.append(self._new_seal)
        self._new_seal = None
        books.take()

    def after_rollback(self) -> None:
        """Take back what was applied since the last commit."""
        self._new_seal = None
        self._books.undo_all()

    def _new_rows(self) -> list[seals.Row]:
        books = self._books
        return [*books.opened, *books.created, *books.expiries, *books.failures]

    # Look-ups -------------------------------------------------------------------------------

    def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        """Return the accounts that exist among these, in the order asked."""
        accounts = self._books.accounts
        return [accounts[account_id].account() for account_id in ids if account_id in accounts]

    def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        """Return the transfers that exist among these, in the order asked."""
        transfers = self._books.transfers
        return [transfers[transfer_id] for transfer_id in ids if transfer_id in transfers]

    def account_transfers(self, wanted: AccountFilter) -> list[Transfer]:
        """Return transfers of one account by time."""
        found = [row for row in self.transfers() if _filters.is_of_account(wanted, row)]
        return _page(found, wanted)

    def account_balances(self, wanted: AccountFilter) -> list[AccountBalance]:
        """Return past balances of one account with history; none where it has none."""
        matching = {
            row.timestamp for row in self.transfers() if _filters.is_of_account(wanted, row)
        }
        found = [
            balance
            for account_id, balance in [*self._balances, *self._books.balances]
            if account_id == wanted.account_id and balance.timestamp in matching
        ]
        return _page(found, wanted)

    def query_transfers(self, wanted: TransferFilter) -> list[Transfer]:
        """Return transfers of all accounts by time."""
        found = [row for row in self.transfers() if _filters.is_wanted(wanted, row)]
        return _page(found, wanted)

    def changes(self, after: Instant, limit: int) -> list[Change]:
        """Return what changed after a position, oldest first."""
        transfers = [*self.transfers()]
        start = bisect_right(transfers, int(after), key=lambda row: row.timestamp)
        made = [_filters.change_of(row) for row in transfers[start : start + limit]]
        ended = [
            Change(row.timestamp, ChangeKind.HOLD_EXPIRED, self._books.transfers[row.transfer_id])
            for row in self.expiries()
            if row.timestamp > after
        ]
        return sorted(made + ended, key=lambda change: change.timestamp)[:limit]

    def verify(self) -> VerifyReport:
        """Recompute the whole books and name each difference; asked between commit groups."""
        assert not self._new_rows(), "books are verified between units of work"
        return verify(self)

    # What verification reads ----------------------------------------------------------------

    def accounts(self) -> Iterator[Account]:
        """Yield the accounts as they are now, by timestamp."""
        states = sorted(self._books.accounts.values(), key=lambda state: state.timestamp)
        return (state.account() for state in states)

    def opened(self) -> Iterable[Account]:
        """Yield the accounts as they were opened, by timestamp."""
        return [*self._opened, *self._books.opened]

    def transfers(self) -> Iterable[Transfer]:
        """Yield the transfers by timestamp."""
        return [*self._transfers, *self._books.created]

    def expiries(self) -> Iterable[Expiry]:
        """Yield the holds that ended by timeout, by timestamp."""
        return [*self._expiries, *self._books.expiries]

    def failures(self) -> Iterable[Failure]:
        """Yield the burnt ids, by timestamp."""
        return [*self._failures, *self._books.failures]

    def holds(self) -> Iterator[HoldState]:
        """Yield what became of each hold."""
        for held_id, hold in self._books.holds.items():
            yield HoldState(held_id, hold.status, hold.expires_at)

    def seals(self) -> Iterable[Seal]:
        """Yield the seals by number."""
        return self._seals

    def prunings(self) -> Iterable[Pruning]:
        """Yield nothing: this engine keeps all its rows."""
        return ()

    def balances(self) -> Iterable[tuple[int, AccountBalance]]:
        """Yield the kept history with its accounts' ids, by timestamp and then by account."""
        kept = [*self._balances, *self._books.balances]
        return sorted(kept, key=lambda pair: (pair[1].timestamp, pair[0]))

    def repeated_ids(self) -> Iterator[int]:
        """Yield the transfer ids that occur more than once, burnt ones included."""
        ids = [row.id for row in self.transfers()]
        ids += [row.transfer_id for row in self.failures()]
        return (key for key, count in Counter(ids).items() if count > 1)

    def closings(self) -> Iterable[Account]:
        """Yield nothing: this engine keeps all its rows."""
        return ()


_RowT = TypeVar("_RowT", Transfer, AccountBalance)


def _page(found: list[_RowT], wanted: AccountFilter | TransferFilter) -> list[_RowT]:
    assert wanted.limit > 0, "a page has at least one item"
    return (found[::-1] if wanted.is_newest_first else found)[: wanted.limit]
