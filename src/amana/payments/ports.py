"""What the payment service needs from outside."""

from collections.abc import Sequence
from typing import Protocol

from amana.kernel import AmanaId, Instant
from amana.ledger import Transfer, TransferStatus
from amana.payments.model import Intent, Order, Payment, Reason, Refused, Step, StepIntent


class PaymentStore(Protocol):
    """Keeps payments, steps and orders. Writes that can race return what is stored.

    A stored row that is concluded, or that belongs to another request, is durable before it is
    returned, because the asker is told of it; a pending one need not be, on an engine that commits
    it together with the ledger.
    """

    async def record_intent(self, intent: Intent) -> Payment:
        """Decide and store; with a key seen before, return what was stored then."""

    async def conclude(self, payment: Payment, reason: Reason | None) -> Payment:
        """Store the outcome and its events, unless one is stored; return the stored one."""

    async def record_step(self, intent: StepIntent) -> tuple[Payment, Step]:
        """Decide and store a step; with a key seen before, return what was stored then."""

    async def conclude_step(self, step: Step, reason: Reason | None) -> tuple[Payment, Step]:
        """Store a step's outcome and its events, unless stored; return the stored one."""

    async def create_order(self, order: Order) -> Order:
        """Store an order; with a key seen before, return what was stored then."""

    async def cancel_order(self, order_id: AmanaId) -> Order | Refused:
        """Cancel an order that nobody has paid."""

    async def payment(self, payment_id: AmanaId) -> Payment | None:
        """Return a payment as it stands."""

    async def order(self, order_id: AmanaId) -> Order | None:
        """Return an order as it stands."""

    async def unfinished(self) -> Sequence[tuple[Payment, Step | None]]:
        """Return every pending payment, and every hold with its pending step."""

    async def holds_expiring(self, until: Instant) -> Sequence[Payment]:
        """Return the holds whose time is over at `until`, that no step has ended."""


class PaymentLedger(Protocol):
    """Moves money. A transfer that was made before is made, a refused one stays refused."""

    async def post(self, transfers: Sequence[Transfer]) -> tuple[TransferStatus, ...]:
        """Make a linked chain of transfers.

        Raises:
            Unavailable: Whether it was made is not known; post the same again.
        """
