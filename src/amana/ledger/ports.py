"""What services ask of a ledger, whichever engine keeps it."""

from collections.abc import Sequence
from typing import Protocol

from amana.kernel import Instant
from amana.ledger.model import (
    Account,
    AccountBalance,
    AccountFilter,
    AccountResult,
    Change,
    Transfer,
    TransferFilter,
    TransferResult,
    VerifyReport,
)


class Ledger(Protocol):
    """The books as services see them.

    Whatever is answered is durable. Each call raises Unavailable where the outcome is not known;
    the caller then asks again with the same ids.
    """

    async def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        """Open accounts, one batch; answers in the order asked."""

    async def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """Move money, one batch of at most BATCH_TRANSFERS_MAX; answers in the order asked."""

    async def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        """Return the accounts that exist among these, in the order asked."""

    async def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        """Return the transfers that exist among these, in the order asked."""

    async def account_transfers(self, wanted: AccountFilter) -> list[Transfer]:
        """Return transfers of one account by time."""

    async def account_balances(self, wanted: AccountFilter) -> list[AccountBalance]:
        """Return past balances of one account with history; none where it has none."""

    async def query_transfers(self, wanted: TransferFilter) -> list[Transfer]:
        """Return transfers of all accounts by time."""

    async def changes(self, after: Instant, limit: int) -> list[Change]:
        """Return what changed after a position, oldest first; the last one is the next position."""


class LedgerLookups(Protocol):
    """What can be asked of an engine, in the caller's own thread."""

    def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        """Return the accounts that exist among these, in the order asked."""

    def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        """Return the transfers that exist among these, in the order asked."""

    def account_transfers(self, wanted: AccountFilter) -> list[Transfer]:
        """Return transfers of one account by time."""

    def account_balances(self, wanted: AccountFilter) -> list[AccountBalance]:
        """Return past balances of one account with history; none where it has none."""

    def query_transfers(self, wanted: TransferFilter) -> list[Transfer]:
        """Return transfers of all accounts by time."""

    def changes(self, after: Instant, limit: int) -> list[Change]:
        """Return what changed after a position, oldest first."""

    def verify(self) -> VerifyReport:
        """Recompute the whole books and name each difference; asked between commit groups."""


class LedgerEngine(LedgerLookups, Protocol):
    """An engine that takes part in commit groups: what it answers is applied, not yet durable."""

    def create_accounts(self, accounts: Sequence[Account], *, now: Instant) -> list[AccountResult]:
        """Open accounts, one batch; answers in the order asked."""

    def create_transfers(
        self, transfers: Sequence[Transfer], *, now: Instant
    ) -> list[TransferResult]:
        """Move money, one batch; holds that are due at `now` expire first."""

    def expire_due(self, *, now: Instant) -> int:
        """End the holds whose time is over, at most a batch of them; return how many."""

    def before_commit(self) -> None:
        """Write and seal what was applied since the last commit."""

    def after_commit(self) -> None:
        """Learn that it is durable."""

    def after_rollback(self) -> None:
        """Forget everything since the last commit."""
