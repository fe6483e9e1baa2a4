"""Payments: record the intent, post to the ledger, conclude. In this order on every engine.

A payment that was interrupted anywhere is finished by whoever comes next: a retry with the same
key, or `recover`. Each write returns the stored row, and the service goes on with that row.
"""

from collections.abc import Sequence

from amana.kernel import AmanaId, Instant
from amana.payments import postings, rules
from amana.payments.model import (
    IdReused,
    Intent,
    Order,
    Payment,
    PaymentStatus,
    Refused,
    Step,
    StepIntent,
    StepKind,
    StepStatus,
)
from amana.payments.ports import PaymentLedger, PaymentStore

_KEY_BYTES = 16


class PaymentService:
    """The use cases of payments, over ports; drives no event loop of its own."""

    def __init__(self, store: PaymentStore, ledger: PaymentLedger, *, ledger_number: int) -> None:
        """Join a store and a ledger.

        Args:
            store: Where payments are kept.
            ledger: Where money moves.
            ledger_number: The ledger of the operator's currency (its ISO 4217 number).
        """
        self._store = store
        self._ledger = ledger
        self._ledger_number = ledger_number

    async def pay(self, intent: Intent) -> Payment | IdReused:
        """Make a payment of any kind, or meet the one that its key made before.

        Raises:
            Unavailable: The outcome is not known; ask again with the same key.
        """
        stored = await self._store.record_intent(intent)
        reused = rules.same_request(stored.body, intent.body)
        if reused is not None:
            return reused
        return await self.finish(stored)

    async def finish(self, payment: Payment) -> Payment:
        """Bring a stored payment to its outcome; one that has it is returned as it is."""
        if payment.status is not PaymentStatus.PENDING:
            return payment
        chain = postings.of_payment(payment, ledger=self._ledger_number)
        reason = rules.reason_of(await self._ledger.post(chain))
        return await self._store.conclude(payment, reason)

    async def step(self, intent: StepIntent) -> tuple[Payment, Step] | IdReused:
        """Capture, void or expire a hold, or meet the step that its key made before.

        Raises:
            Unavailable: The outcome is not known; ask again with the same key.
        """
        payment, step = await self._store.record_step(intent)
        reused = rules.same_request(step.body, intent.body)
        if reused is not None:
            return reused
        return await self.finish_step(payment, step)

    async def finish_step(self, payment: Payment, step: Step) -> tuple[Payment, Step]:
        """Bring a stored step to its outcome; one that has it is returned as it is."""
        if step.status is not StepStatus.PENDING:
            return payment, step
        chain = postings.of_step(payment, step, ledger=self._ledger_number)
        reason = rules.reason_of(await self._ledger.post(chain))
        return await self._store.conclude_step(step, reason)

    async def create_order(self, order: Order) -> Order | IdReused:
        """Store an order, or meet the one that its key made before."""
        stored = await self._store.create_order(order)
        return rules.same_request(stored.body, order.body) or stored

    async def cancel_order(self, order_id: AmanaId) -> Order | Refused:
        """Cancel an order that nobody has paid."""
        return await self._store.cancel_order(order_id)

    async def recover(self) -> Sequence[Payment]:
        """Finish everything that was interrupted; return what was finished, as it now stands."""
        finished: list[Payment] = []
        for payment, step in await self._store.unfinished():
            if step is None:
                finished.append(await self.finish(payment))
            else:
                finished.append((await self.finish_step(payment, step))[0])
        return finished

    async def expire_holds(self, now: Instant) -> Sequence[Payment]:
        """Give back every hold whose time is over; return those given back."""
        expired: list[Payment] = []
        for payment in await self._store.holds_expiring(now):
            key = (payment.id | payment.steps + 1).to_bytes(_KEY_BYTES)
            intent = StepIntent(payment.id, StepKind.EXPIRE, key, key, None, now)
            outcome = await self.step(intent)
            if isinstance(outcome, tuple) and outcome[1].status is StepStatus.DONE:
                expired.append(outcome[0])
        return expired
