"""The facts a batch can touch, held in memory, and how a change is undone."""

from typing import Final

import msgspec

from amana.kernel import AMOUNT_MINOR_MAX
from amana.ledger.model import (
    Account,
    AccountBalance,
    AccountFlags,
    Expiry,
    Failure,
    HoldStatus,
    Transfer,
    TransferFlags,
)

# Plain integers: an enum's own arithmetic costs more than the rule that needs it.
LINKED: Final = int(TransferFlags.LINKED)
PENDING: Final = int(TransferFlags.PENDING)
POST: Final = int(TransferFlags.POST_PENDING_TRANSFER)
VOID: Final = int(TransferFlags.VOID_PENDING_TRANSFER)
BALANCING_DEBIT: Final = int(TransferFlags.BALANCING_DEBIT)
BALANCING_CREDIT: Final = int(TransferFlags.BALANCING_CREDIT)
CLOSING_DEBIT: Final = int(TransferFlags.CLOSING_DEBIT)
CLOSING_CREDIT: Final = int(TransferFlags.CLOSING_CREDIT)
TRANSFER_FLAGS_KNOWN: Final = 0xFF
DEBITS_BOUND: Final = int(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)
CREDITS_BOUND: Final = int(AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS)
HISTORY: Final = int(AccountFlags.HISTORY)
CLOSED: Final = int(AccountFlags.CLOSED)
ACCOUNT_FLAGS_KNOWN: Final = 0b101111
TIMESTAMP_MAX: Final = 2**63 - 1
NO_EXPIRY: Final = 2**63
"""Later than every instant: no open hold has an end."""


class AccountState(msgspec.Struct, gc=False):
    """An account whose counters and closed flag change; the fields are Account's."""

    id: int
    ledger: int
    code: int
    flags: int
    user_data_128: int
    user_data_64: int
    user_data_32: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int
    timestamp: int

    def account(self) -> Account:
        """Return the account as it is now."""
        return Account(*msgspec.structs.astuple(self))

    @classmethod
    def of(cls, account: Account) -> "AccountState":
        """Return the state of an account, to be changed."""
        return cls(*msgspec.structs.astuple(account))


class Hold(msgspec.Struct, gc=False):
    """What became of a pending transfer. `expires_at` is zero for a hold without end."""

    status: HoldStatus
    expires_at: int


class Mark(msgspec.Struct, frozen=True, gc=False):
    """A place to go back to."""

    created: int
    opened: int
    failures: int
    balances: int


_BEGINNING: Final = Mark(created=0, opened=0, failures=0, balances=0)


class Books:
    """The facts of the books, and what the rules added to them since the engine last took it.

    Whatever a batch names must be here before the batch is decided: an account, transfer or id
    that is not here does not exist.

    Attributes:
        accounts: By id.
        transfers: By id; every transfer whose id a batch repeats, and every hold it names.
        holds: By the pending transfer's id.
        failed: Ids burnt by a passing refusal.
        last: The latest timestamp given to anything.
        next_expiry: No open hold ends before this instant.
        created, opened, expiries, failures: Additions, in the order of their timestamps.
        balances: Additions to the history of accounts, each with its account's id.
    """

    __slots__ = (
        "accounts",
        "balances",
        "created",
        "expiries",
        "failed",
        "failures",
        "holds",
        "last",
        "next_expiry",
        "opened",
        "transfers",
    )

    def __init__(self, last: int = 0) -> None:
        self.accounts: dict[int, AccountState] = {}
        self.transfers: dict[int, Transfer] = {}
        self.holds: dict[int, Hold] = {}
        self.failed: set[int] = set()
        self.last = last
        self.next_expiry = NO_EXPIRY
        self.created: list[Transfer] = []
        self.opened: list[Account] = []
        self.expiries: list[Expiry] = []
        self.failures: list[Failure] = []
        self.balances: list[tuple[int, AccountBalance]] = []

    def mark(self) -> Mark:
        """Name the present place."""
        return Mark(len(self.created), len(self.opened), len(self.failures), len(self.balances))

    def undo_to(self, mark: Mark) -> None:
        """Take back accounts and transfers made since a mark; burnt ids stay burnt."""
        while len(self.created) > mark.created:
            self._undo_transfer(self.created.pop())
        while len(self.opened) > mark.opened:
            del self.accounts[self.opened.pop().id]
        del self.balances[mark.balances :]

    def unburn_to(self, mark: Mark) -> None:
        """Take back burnt ids too; only for a batch that was never answered."""
        while len(self.failures) > mark.failures:
            self.failed.discard(self.failures.pop().transfer_id)

    def undo_all(self) -> None:
        """Take back everything the engine has not taken, the last first."""
        while self.expiries:
            expiry = self.expiries.pop()
            while self.created and self.created[-1].timestamp > expiry.timestamp:
                self._undo_transfer(self.created.pop())
            self._undo_expiry(expiry)
        self.undo_to(_BEGINNING)
        self.unburn_to(_BEGINNING)

    def take(self) -> None:
        """Clear the additions: the engine has stored them."""
        self.created = []
        self.opened = []
        self.expiries = []
        self.failures = []
        self.balances = []

    def _undo_expiry(self, expiry: Expiry) -> None:
        held = self.transfers[expiry.transfer_id]
        hold = self.holds[held.id]
        hold.status = HoldStatus.OPEN
        self.next_expiry = min(self.next_expiry, hold.expires_at)
        self._hold_again(held)

    def _hold_again(self, held: Transfer) -> None:
        debit = self.accounts[held.debit_account_id]
        credit = self.accounts[held.credit_account_id]
        move_pending(debit, credit, held.amount)
        if held.flags & CLOSING_DEBIT:
            debit.flags |= CLOSED
        if held.flags & CLOSING_CREDIT:
            credit.flags |= CLOSED

    def _undo_transfer(self, transfer: Transfer) -> None:
        """Take one transfer back; whatever came after it is already taken back."""
        debit = self.accounts[transfer.debit_account_id]
        credit = self.accounts[transfer.credit_account_id]
        amount = transfer.amount
        flags = int(transfer.flags)
        del self.transfers[transfer.id]
        if flags & PENDING:
            del self.holds[transfer.id]
            move_pending(debit, credit, -amount)
            if flags & CLOSING_DEBIT:
                debit.flags &= ~CLOSED
            if flags & CLOSING_CREDIT:
                credit.flags &= ~CLOSED
            return
        if flags & (POST | VOID):
            self.holds[transfer.pending_id].status = HoldStatus.OPEN
            self._hold_again(self.transfers[transfer.pending_id])
        if not flags & VOID:
            debit.debits_posted -= amount
            credit.credits_posted -= amount

    def reserve_timestamps(self, count: int, now: int) -> int:
        """Set aside timestamps for a batch.

        Returns:
            The timestamp before the batch's first. The batch's last is the present instant, or
            later where the clock stood still or went back.
        """
        before = max(now - count, self.last)
        assert before + count <= TIMESTAMP_MAX, "time ends in the year 2262"
        self.last = before + count
        return before

    def remember_balances(self, transfer: Transfer) -> None:
        """Keep the balances after a transfer, of those of its accounts that have history."""
        for account_id in (transfer.debit_account_id, transfer.credit_account_id):
            account = self.accounts[account_id]
            if account.flags & HISTORY:
                balance = AccountBalance(
                    transfer.timestamp,
                    account.debits_pending,
                    account.debits_posted,
                    account.credits_pending,
                    account.credits_posted,
                )
                self.balances.append((account_id, balance))


def move_pending(debit: AccountState, credit: AccountState, amount: int) -> None:
    """Add to what is held on both sides; a negative amount releases."""
    debit.debits_pending += amount
    credit.credits_pending += amount
    assert 0 <= debit.debits_pending <= AMOUNT_MINOR_MAX, "what is held stays within bounds"
    assert 0 <= credit.credits_pending <= AMOUNT_MINOR_MAX, "what is held stays within bounds"


def assert_widths(item: Account | Transfer) -> None:
    """Hold the widths of the fields that every item has; a wrong one is the caller's mistake."""
    assert 0 <= item.id < 1 << 128, "an id has 128 bits"
    assert 0 <= item.user_data_128 < 1 << 128, "user_data_128 has 128 bits"
    assert 0 <= item.user_data_64 < 1 << 64, "user_data_64 has 64 bits"
    assert 0 <= item.user_data_32 < 1 << 32, "user_data_32 has 32 bits"
    assert 0 <= item.ledger < 1 << 32, "a ledger has 32 bits"
    assert 0 <= item.code < 1 << 16, "a code has 16 bits"
    assert 0 <= item.flags < 1 << 16, "flags have 16 bits"
