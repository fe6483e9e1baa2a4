"""Deliberately wrong parts: each breaks one promise, and the simulator must catch every one.

If a mutant survives, it is the simulator that is broken.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from amana.events import Outbox
from amana.kernel import AmanaId, Instant, Unavailable
from amana.ledger import MemoryLedger, Transfer, TransferResult, TransferStatus
from amana.payments import postings, rules
from amana.payments.books import PaymentBooks
from amana.payments.model import (
    IdReused,
    Intent,
    Payment,
    PaymentKind,
    PaymentStatus,
    Reason,
)
from amana.payments.service import PaymentService
from amana.payments.store import WrittenPayments
from amana.testing.purse_mutants import purse_mutants
from amana.testing.simulator import (
    Form,
    Parts,
    PurseParts,
    WorldReport,
    has_purse,
    run_world,
)


class Mutant(msgspec.Struct, frozen=True):
    """A wrong part, what is wrong with it, and within how many worlds it must be caught."""

    name: str
    wrong: str
    parts: Parts
    form: Form | None = None
    """The form of stores in which the promise matters; each world's own where None."""
    worlds_max: int = 1_000
    needs_purse: bool = False
    """Whether only worlds with purses can notice."""


_BEGIN: Final = {"change-again": 110, "spent-looked-up": 160, "withdrawn-yet-debited": 410}
"""Where worlds begin for those that few worlds notice."""


def catch(mutant: Mutant, first_seed: int = 0) -> WorldReport | None:
    """Return the first world that catches a mutant, or None where none does in time."""
    first_seed = max(first_seed, _BEGIN.get(mutant.name, 0))
    for seed in range(first_seed, first_seed + mutant.worlds_max):
        if mutant.needs_purse and not has_purse(seed):
            continue
        report = run_world(seed, parts=mutant.parts, form=mutant.form)
        if report.violations:
            return report
    return None


# Wrong services


class _FreshIdOnRetry(PaymentService):
    async def pay(self, intent: Intent) -> Payment | IdReused:
        stored = await self._store.record_intent(intent)
        reused = rules.same_request(stored.body, intent.body)
        if reused is not None or stored.status is not PaymentStatus.PENDING:
            return reused or stored
        fresh = msgspec.structs.replace(stored, id=intent.id)
        chain = postings.of_payment(fresh, ledger=self._ledger_number)
        reason = rules.reason_of(await self._ledger.post(chain))
        return await self._store.conclude(stored, reason)


class _DoubtToldAsRefusal(PaymentService):
    async def finish(self, payment: Payment) -> Payment:
        try:
            return await super().finish(payment)
        except Unavailable:
            return rules.conclude(payment, Reason.TRANSFER_REFUSED, now=payment.created_at)


class _MadeBeforeToldAsRefusal(PaymentService):
    async def finish(self, payment: Payment) -> Payment:
        if payment.status is not PaymentStatus.PENDING:
            return payment
        chain = postings.of_payment(payment, ledger=self._ledger_number)
        statuses = await self._ledger.post(chain)
        moved = {TransferStatus.CREATED, TransferStatus.EXISTS}
        reason = None if moved.issuperset(statuses) else Reason.TRANSFER_REFUSED
        return await self._store.conclude(payment, reason)


class _BodyNeverCompared(PaymentService):
    async def pay(self, intent: Intent) -> Payment | IdReused:
        return await self.finish(await self._store.record_intent(intent))


class _RecoverSkipsSteps(PaymentService):
    async def recover(self) -> Sequence[Payment]:
        unfinished = await self._store.unfinished()
        return [await self.finish(payment) for payment, step in unfinished if step is None]


class _RecoverRefuses(PaymentService):
    async def recover(self) -> Sequence[Payment]:
        return [
            await self._store.conclude(payment, Reason.TRANSFER_REFUSED)
            for payment, step in await self._store.unfinished()
            if step is None
        ]


# Wrong stores


class _OwnRowInsteadOfStored(WrittenPayments):
    async def conclude(self, payment: Payment, reason: Reason | None) -> Payment:
        await super().conclude(payment, reason)
        return rules.conclude(payment, reason, now=payment.created_at)


class _AnswerBeforeDurable(WrittenPayments):
    async def conclude(self, payment: Payment, reason: Reason | None) -> Payment:
        item = (payment.id, reason, self._clock.now())
        stored: Payment = await self._writer.submit(self._books.conclude, item)
        return stored


class _ReusedKeyBeforeDurable(WrittenPayments):
    async def record_intent(self, intent: Intent) -> Payment:
        stored: Payment = await self._writer.submit(self._books.record_intents, intent)
        if stored.status is not PaymentStatus.PENDING:
            await self._writer.durable()
        return stored


# Wrong books


class _EventByEveryAttempt(PaymentBooks):
    def _conclude(self, payment_id: AmanaId, reason: Reason | None, now: Instant) -> Payment:
        stored = self.payment(payment_id)
        if stored is not None and stored.status is not PaymentStatus.PENDING:
            self._tell(stored)
        return super()._conclude(payment_id, reason, now)


class _OutcomeOverwritten(PaymentBooks):
    def _conclude(self, payment_id: AmanaId, reason: Reason | None, now: Instant) -> Payment:
        stored = self.payment(payment_id)
        if stored is None or stored.status is PaymentStatus.PENDING:
            return super()._conclude(payment_id, reason, now)
        pending = msgspec.structs.replace(stored, status=PaymentStatus.PENDING)
        overwritten = rules.conclude(pending, reason, now=now)
        self._payments[payment_id] = overwritten
        return overwritten


class _OrderNotReserved(PaymentBooks):
    def _reserve(self, payment: Payment, sign: int) -> None:
        super()._reserve(msgspec.structs.replace(payment, order_id=None), sign)


class _OrderNotReleased(PaymentBooks):
    def _reserve(self, payment: Payment, sign: int) -> None:
        order_id = payment.order_id if sign > 0 else None
        super()._reserve(msgspec.structs.replace(payment, order_id=order_id), sign)


class _RefundNotReserved(PaymentBooks):
    def _reserve(self, payment: Payment, sign: int) -> None:
        if payment.kind is not PaymentKind.REFUND:
            super()._reserve(payment, sign)

    def _conclude(self, payment_id: AmanaId, reason: Reason | None, now: Instant) -> Payment:
        before = self.payment(payment_id)
        after = super()._conclude(payment_id, reason, now)
        was_pending = before is not None and before.status is PaymentStatus.PENDING
        if after.kind is PaymentKind.REFUND and reason is None and was_pending:
            super()._reserve(after, 1)
        return after


class _FeeRoundedUp(PaymentBooks):
    def _record_intent(self, intent: Intent) -> Payment:
        payment = super()._record_intent(intent)
        is_uneven = payment.total * payment.fee_basis_points % rules.BASIS_POINTS
        if payment.status is PaymentStatus.PENDING and is_uneven:
            payment = msgspec.structs.replace(payment, fee=payment.fee + 1)
            self._payments[payment.id] = payment
        return payment


class _LimitForgetsWhatIsUnderWay(PaymentBooks):
    def _add_incoming(self, account: int, amount: int) -> None:
        pass


class _ReservedForEver(PaymentBooks):
    def _add_incoming(self, account: int, amount: int) -> None:
        super()._add_incoming(account, max(0, amount))


class _SpentNotGivenBack(PaymentBooks):
    def _spend(self, payment: Payment, minor: int) -> None:
        super()._spend(payment, max(0, minor))


class _MemoryOutlivesLostGroup(PaymentBooks):
    def after_rollback(self) -> None:
        spent = dict(self._spent)
        super().after_rollback()
        self._spent |= spent


class _NumbersOutliveLostGroup(Outbox):
    def after_rollback(self) -> None:
        heads = dict(self._heads)
        super().after_rollback()
        self._heads |= heads


# Wrong ledgers


class _NoIdStaysRefused(MemoryLedger):
    def create_transfers(
        self, transfers: Sequence[Transfer], *, now: Instant
    ) -> list[TransferResult]:
        results = super().create_transfers(transfers, now=now)
        self._books.failed.clear()
        return results


def _mutants() -> Iterator[Mutant]:
    service, store, books = _of_service, _of_store, _of_books
    yield service("fresh-id-on-retry", "a retry moves money under its own id", _FreshIdOnRetry)
    yield service("doubt-told-as-refusal", "a lost answer is told as refused", _DoubtToldAsRefusal)
    yield service("made-before", "a chain made before is told as refused", _MadeBeforeToldAsRefusal)
    yield service("body-never-compared", "a key meets whatever it made", _BodyNeverCompared)
    yield service("recover-skips-steps", "a pending capture stays pending", _RecoverSkipsSteps)
    yield service("recover-refuses", "what is unfinished is told as refused", _RecoverRefuses)
    yield store("own-row", "each attempt tells its own outcome", _OwnRowInsteadOfStored)
    yield store("answer-before-durable", "an answer may be lost", _AnswerBeforeDurable)
    yield store("reuse-before-durable", "a key is refused that is lost", _ReusedKeyBeforeDurable)
    yield books("event-by-every-attempt", "an outcome is told twice", _EventByEveryAttempt)
    yield books("outcome-overwritten", "the last attempt decides", _OutcomeOverwritten)
    yield books("order-not-reserved", "two payers pay one order", _OrderNotReserved)
    yield books("order-not-released", "a refused payment keeps its order", _OrderNotReleased)
    yield books("refund-not-reserved", "refunds at once exceed what was paid", _RefundNotReserved)
    yield books("fee-rounded-up", "the fee is not the published one", _FeeRoundedUp)
    yield books("limit-forgets", "payments at once exceed a limit", _LimitForgetsWhatIsUnderWay)
    yield books("reserved-for-ever", "what came in still counts as coming", _ReservedForEver)
    yield books("spent-not-given-back", "a refusal uses up the day", _SpentNotGivenBack)
    yield books("memory-outlives-group", "a lost group still counts", _MemoryOutlivesLostGroup)
    yield Mutant(
        "numbers-outlive-group",
        "a feed has a gap after a lost group",
        Parts(outbox=_NumbersOutliveLostGroup),
    )
    yield Mutant(
        "no-id-stays-refused",
        "a transfer refused for the moment is made later under the same id",
        Parts(ledger=_NoIdStaysRefused),
    )
    yield from purse_mutants(_of_purse)


def _of_purse(name: str, wrong: str, parts: PurseParts) -> Mutant:
    return Mutant(name, wrong, Parts(purse=parts), worlds_max=5_000, needs_purse=True)


def _of_service(name: str, wrong: str, part: type[PaymentService]) -> Mutant:
    return Mutant(name, wrong, Parts(service=part))


def _of_store(name: str, wrong: str, part: type[WrittenPayments]) -> Mutant:
    return Mutant(name, wrong, Parts(store=part))


def _of_books(name: str, wrong: str, part: type[PaymentBooks]) -> Mutant:
    return Mutant(name, wrong, Parts(books=part))


MUTANTS: Final = tuple(_mutants())
"""Every mutant that the simulator is known to catch."""
