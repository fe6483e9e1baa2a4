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
