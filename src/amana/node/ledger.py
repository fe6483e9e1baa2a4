"""The ledger as services await it, over the engine that shares the one writer's commits."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from amana.kernel import Clock, Instant
from amana.kernel.limits import BATCH_TRANSFERS_MAX
from amana.ledger import (
    Account,
    AccountBalance,
    AccountFilter,
    AccountResult,
    Change,
    LedgerReader,
    SQLiteLedger,
    Transfer,
    TransferFilter,
    TransferFlags,
    TransferResult,
    TransferStatus,
)
from amana.storage import Writer

_T = TypeVar("_T")
_R = TypeVar("_R")


def _in_one_batch(
    asked: Sequence[Sequence[_T]], apply: Callable[[Sequence[_T]], list[_R]]
) -> list[list[_R]]:
    """Hand several callers' items to the engine as few batches, none of them torn apart."""
    answers: list[_R] = []
    batch: list[_T] = []
    for items in asked:
        if len(batch) + len(items) > BATCH_TRANSFERS_MAX:
            answers += apply(batch)
            batch = []
        batch += items
    answers += apply(batch)
    shared: list[list[_R]] = []
    start = 0
    for items in asked:
        shared.append(answers[start : start + len(items)])
        start += len(items)
    return shared


class WrittenLedger:
    """Both ports: `post` answers when applied, everything else when durable."""

    def __init__(
        self, writer: Writer, engine: SQLiteLedger, reader: LedgerReader, clock: Clock
    ) -> None:
        self._writer = writer
        self._engine = engine
        self._reader = reader
        self._clock = clock

    def balance(self, account: int) -> int:
        """Return credits less debits posted, as of the open commit group."""
        found = self._engine.lookup_accounts([account])
        return found[0].credits_posted - found[0].debits_posted if found else 0

    async def post(self, transfers: Sequence[Transfer]) -> tuple[TransferStatus, ...]:
        """Make a chain; its answer is durable together with the conclusion that follows."""
        assert not transfers[-1].flags & TransferFlags.LINKED, "a chain ends with its last transfer"
        results: list[TransferResult] = await self._writer.submit(self._transfer, transfers)
        return tuple([result.status for result in results])

    async def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        """Open accounts, one batch; answers in the order asked."""
        results: list[AccountResult] = await self._writer.submit(self._open, accounts)
        await self._writer.durable()
        return results

    async def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        """Move money, one batch; answers in the order asked."""
        is_open = bool(transfers) and bool(transfers[-1].flags & TransferFlags.LINKED)
        assert not is_open, "batches of several callers are joined, so each closes its chains"
        results: list[TransferResult] = await self._writer.submit(self._transfer, transfers)
        await self._writer.durable()
        return results

    def _open(self, asked: Sequence[Sequence[Account]]) -> list[list[AccountResult]]:
        now = self._clock.now()
        return _in_one_batch(asked, lambda batch: self._engine.create_accounts(batch, now=now))

    def _transfer(self, asked: Sequence[Sequence[Transfer]]) -> Any:  # noqa: ANN401 - a handler's answers
        now: Instant = self._clock.now()
        return _in_one_batch(asked, lambda batch: self._engine.create_transfers(batch, now=now))

    async def lookup_accounts(self, ids: Sequence[int]) -> list[Account]:
        """Return the accounts that exist among these, in the order asked."""
        return self._reader.lookup_accounts(ids)

    async def lookup_transfers(self, ids: Sequence[int]) -> list[Transfer]:
        """Return the transfers that exist among these, in the order asked."""
        return self._reader.lookup_transfers(ids)

    async def account_transfers(self, wanted: AccountFilter) -> list[Transfer]:
        """Return transfers of one account by time."""
        return self._reader.account_transfers(wanted)

    async def account_balances(self, wanted: AccountFilter) -> list[AccountBalance]:
        """Return past balances of one account with history; none where it has none."""
        return self._reader.account_balances(wanted)

    async def query_transfers(self, wanted: TransferFilter) -> list[Transfer]:
        """Return transfers of all accounts by time."""
        return self._reader.query_transfers(wanted)

    async def changes(self, after: Instant, limit: int) -> list[Change]:
        """Return what changed after a position, oldest first; the last one is the next position."""
        return self._reader.changes(after, limit)
