"""What standing orders need from outside."""

from collections.abc import Sequence
from typing import Protocol

from amana.kernel import AmanaId, Instant
from amana.payments.model import IdReused, Intent, Payment
from amana.purse.model import Refusal
from amana.purse.standing.model import Deposit, Refill, StandingRefused


class Payer(Protocol):
    """Makes payments: the service of the room below."""

    async def pay(self, intent: Intent) -> Payment | IdReused:
        """Make a payment, or meet the one that its key made before."""


class StandingOrders(Protocol):
    """Keeps refills and deposits; every write is durable before it returns."""

    async def refill(self, party: AmanaId) -> Refill | None:
        """Return a party's refill, which is durable as it is told."""

    async def leave(self, refill: Refill) -> Refill | StandingRefused:
        """Put a refill in the place of the one before."""

    async def withdraw(self, party: AmanaId) -> bool:
        """Drop a refill that still waits; say whether one did."""

    async def put(self, before: Refill, refill: Refill) -> Refill | None:
        """Move a refill from what it was to what it is, unless it moved on meanwhile.

        Returns the stored one; None where it was withdrawn.
        """

    async def sign(self, refill: Refill) -> Refusal | None:
        """Record what is signed for a debited refill."""

    async def refills_due(self, until: Instant) -> Sequence[Refill]:
        """Return some refills to be made now."""

    async def add_deposit(self, deposit: Deposit) -> None:
        """Keep a new address."""

    async def deposits_due(self, until: Instant) -> Sequence[Deposit]:
        """Return some deposits whose money is to be in the account now."""

    async def end_deposit(self, deposit: Deposit) -> None:
        """Drop a deposit whose money is in the account."""

    async def postpone_deposit(self, deposit: Deposit, due_at: Instant) -> None:
        """Try a deposit that was refused again later."""
