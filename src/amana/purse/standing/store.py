"""Standing orders over the one writer."""

from collections.abc import Sequence
from typing import Any

from amana.kernel import AmanaId, Instant
from amana.purse.model import Refusal
from amana.purse.standing.model import Deposit, Refill, StandingRefused
from amana.purse.standing.rows import StandingRows
from amana.purse.store import GroupWriter
from amana.storage import Handler


class StandingStore:
    """The StandingOrders of the service: rows reached through the one writer."""

    def __init__(self, writer: GroupWriter, rows: StandingRows) -> None:
        self._writer = writer
        self._rows = rows

    async def _written(self, handler: Handler, item: Any) -> Any:  # noqa: ANN401 - the handler's own types
        answer = await self._writer.submit(handler, item)
        await self._writer.durable()
        return answer

    async def refill(self, party: AmanaId) -> Refill | None:
        """Return a party's refill; that it is signed is told when it is durable."""
        found = self._rows.refill(party)
        await self._writer.durable()
        return found

    async def leave(self, refill: Refill) -> Refill | StandingRefused:
        """Put a refill in the place of the one before."""
        left: Refill | StandingRefused = await self._written(self._rows.leave, refill)
        return left

    async def withdraw(self, party: AmanaId) -> bool:
        """Drop a refill that still waits; say whether one did."""
        dropped: bool = await self._written(self._rows.withdraw, party)
        return dropped

    async def put(self, before: Refill, refill: Refill) -> Refill | None:
        """Move a refill from what it was to what it is, unless it moved on; return the stored."""
        stored: Refill | None = await self._written(self._rows.put, (before, refill))
        return stored

    async def sign(self, refill: Refill) -> Refusal | None:
        """Record what is signed for a debited refill."""
        refusal: Refusal | None = await self._written(self._rows.sign, refill)
        return refusal

    async def refills_due(self, until: Instant) -> Sequence[Refill]:
        """Return some refills to be made now."""
        return self._rows.refills_due(until)

    async def add_deposit(self, deposit: Deposit) -> None:
        """Keep a new address."""
        await self._written(self._rows.add_deposits, deposit)

    async def deposits_due(self, until: Instant) -> Sequence[Deposit]:
        """Return some deposits whose money is to be in the account now."""
        return self._rows.deposits_due(until)

    async def end_deposit(self, deposit: Deposit) -> None:
        """Drop a deposit whose money is in the account."""
        await self._written(self._rows.end_deposits, deposit.id)

    async def postpone_deposit(self, deposit: Deposit, due_at: Instant) -> None:
        """Try a deposit that was refused again later."""
        await self._written(self._rows.postpone_deposits, (deposit, due_at))
