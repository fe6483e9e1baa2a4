"""Refills and deposits: the operator carries them out by itself, at an hour drawn at random.

A refill: the account is debited (a payment of its own, under an id that follows from the refill's),
then its outputs are signed in one commit. A deposit: its e-cash was spent before; the account is
credited when it is due. Whatever is interrupted is met again at the next round.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from amana.kernel import HOUR_NS, MINUTE_NS, AmanaId, Chance, Clock, Instant
from amana.payments.model import (
    ECASH_ACCOUNT,
    PURSE_PARTY,
    IdReused,
    Intent,
    Party,
    PartyKind,
    Payment,
    PaymentKind,
    PaymentStatus,
)
from amana.purse.model import BlindedMessage, BlindSignature
from amana.purse.policy import (
    DRAW_BYTES,
    Policy,
    deposit_delay_minutes,
    refill_outputs,
    signing_delay_minutes,
)
from amana.purse.ports import Signatory, SigningStopped
from amana.purse.standing import rules
from amana.purse.standing.model import (
    Deposit,
    DepositState,
    Refill,
    RefillState,
    StandingReason,
    StandingRefused,
)
from amana.purse.standing.ports import Payer, StandingOrders

_ID_BYTES: Final = 16
_AGAIN_AFTER_HOURS: Final = 6
_PURSE: Final = Party(PURSE_PARTY, PartyKind.OPERATOR, ECASH_ACCOUNT)


class Standing:
    """The use cases of standing orders, over ports."""

    def __init__(
        self,
        orders: StandingOrders,
        payer: Payer,
        signatory: Signatory,
        *,
        policy: Policy,
        tiers: tuple[int, ...],
        unit: str,
        party: Callable[[AmanaId], Party | None],
        new_id: Callable[[], AmanaId],
        clock: Clock,
        chance: Chance,
        pace: int = 1,
    ) -> None:
        """Join the ports.

        Args:
            orders: Where standing orders are kept.
            payer: The payments.
            signatory: Who signs.
            policy: The habits that everybody shares.
            tiers: What a refill may be, in minor units.
            unit: The unit of the operator's e-cash.
            party: Returns an account holder as payments know it.
            new_id: Makes the id of a payment.
            clock: The time.
            chance: Draws the hours.
            pace: How many times faster than real the hours pass; more than one in the demo alone.
        """
        self._orders = orders
        self._payer = payer
        self._signatory = signatory
        self._policy = policy
        self._tiers = tiers
        self._unit = unit
        self._party = party
        self._new_id = new_id
        self._clock = clock
        self._chance = chance
        self._pace = pace

    # Refills

    async def leave_refill(
        self, party: AmanaId, amount: int, outputs: Sequence[BlindedMessage]
    ) -> Refill | StandingRefused:
        """Leave the outputs of the next refill; it takes the place of one that still waits."""
        if amount not in self._tiers:
            return StandingRefused(StandingReason.NOT_A_TIER)
        named = outputs[0].keyset_id if outputs else ""
        keyset = next((each for each in self._signatory.keysets() if each.id == named), None)
        blanks = rules.decide_outputs(
            outputs, keyset, refill_outputs(self._policy, amount), unit=self._unit
        )
        if isinstance(blanks, StandingRefused):
            return blanks
        is_first = await self._orders.refill(party) is None
        random = self._chance.draw(DRAW_BYTES)
        delay = signing_delay_minutes(self._policy, random, is_first=is_first)
        return await self._orders.leave(
            Refill(
                party=party,
                id=self._chance.draw(_ID_BYTES),
                keyset=blanks[0].keyset,
                amount=amount,
                outputs=blanks,
                state=RefillState.WAITING,
                attempts=0,
                due_at=self._due_at(self._clock.now(), delay),
            )
        )

    async def refill(self, party: AmanaId) -> Refill | None:
        """Return a party's refill as it stands."""
        return await self._orders.refill(party)

    async def withdraw_refill(self, party: AmanaId) -> bool:
        """Withdraw a refill that still waits; say whether one did."""
        return await self._orders.withdraw(party)

    async def signatures(self, refill: Refill) -> tuple[BlindSignature, ...]:
        """Return the signatures of a signed refill; nothing is written, however often it is asked.

        Raises:
            Unavailable: The signatory is gone; ask again.
        """
        if refill.state is not RefillState.SIGNED:
            return ()
        signed = await self._signatory.sign_again(refill.outputs)
        keyset = self._signatory.keysets()[refill.keyset]
        return tuple(
            [
                BlindSignature(keyset.id, blank.amount, one.point, one.dleq_e, one.dleq_s)
                for blank, one in zip(refill.outputs, signed, strict=True)
                if one is not None
            ]
        )

    async def carry_out(self) -> int:
        """Make the refills and deposits that are due; return how many were made."""
        now, made = self._clock.now(), 0
        for refill in await self._orders.refills_due(now):
            made += await self._carry_out_refill(refill)
        for deposit in await self._orders.deposits_due(now):
            made += await self._carry_out_deposit(deposit)
        return made

    async def _carry_out_refill(self, refill: Refill) -> bool:
        """Debit, then sign; what was begun is met again, and what was paid is never paid twice."""
        if refill.state is RefillState.WAITING:
            keyset = self._signatory.keysets()[refill.keyset]
            if not keyset.is_active:
                await self._orders.put(refill, rules.later(refill, self._later()))
                return False
            begun = msgspec.structs.replace(refill, state=RefillState.DEBITED)
            if await self._orders.put(refill, begun) != begun:
                return False
            refill = begun
        if not _is_paid(await self._debit(refill)):
            await self._orders.put(refill, rules.refused(refill, self._later()))
            return False
        return await self._sign(refill)

    async def _debit(self, refill: Refill) -> Payment | IdReused:
        key = rules.refill_payment_key(refill.id, refill.attempts)
        return await self._payer.pay(
            Intent(
                id=self._new_id(),
                kind=PaymentKind.REFILL,
                initiator=refill.party,
                key=key,
                body=key,
                payer=self._party(refill.party),
                payee=_PURSE,
                amount=refill.amount,
                created_at=self._clock.now(),
            )
        )

    def _later(self) -> Instant:
        return Instant(self._clock.now() + _AGAIN_AFTER_HOURS * HOUR_NS // self._pace)

    async def _sign(self, refill: Refill) -> bool:
        """Sign what was paid for; what cannot be signed waits for other outputs."""
        if await self._are_signed(refill) and await self._orders.sign(refill) is None:
            return True
        await self._orders.put(refill, rules.later(refill, self._later()))
        return False

    async def _are_signed(self, refill: Refill) -> bool:
        if not self._signatory.keysets()[refill.keyset].is_active:
            return False
        try:
            signed = await self._signatory.sign(refill.outputs)
        except SigningStopped:
            return False
        return all(signature is not None for signature in signed)

    # Deposits

    async def open_deposit(self, party: AmanaId, *, is_closing: bool = False) -> Deposit:
        """Make a one-use address for e-cash into an account."""
        state = DepositState.CLOSING if is_closing else DepositState.OPEN
        # An address says nothing of when it was asked for.
        deposit = Deposit(self._chance.draw(_ID_BYTES), party, 0, state, Instant(0))
        await self._orders.add_deposit(deposit)
        return deposit

    def deposit_due_at(self, now: Instant) -> Instant:
        """Draw when a deposit is due whose e-cash is spent now."""
        random = self._chance.draw(DRAW_BYTES)
        return self._due_at(now, deposit_delay_minutes(self._policy, random))

    def _due_at(self, now: Instant, minutes: int) -> Instant:
        return rules.due_at(now, minutes, minute_ns=MINUTE_NS // self._pace)

    async def _carry_out_deposit(self, deposit: Deposit) -> bool:
        party = self._party(deposit.party)
        key = rules.deposit_payment_key(deposit.id, deposit.due_at)
        paid = await self._payer.pay(
            Intent(
                id=self._new_id(),
                kind=PaymentKind.DEPOSIT,
                initiator=deposit.party,
                key=key,
                body=key,
                payer=_PURSE,
                payee=party,
                amount=deposit.amount,
                created_at=self._clock.now(),
            )
        )
        if _is_paid(paid):
            await self._orders.end_deposit(deposit)
            return True
        await self._orders.postpone_deposit(deposit, self._later())
        return False


def _is_paid(paid: Payment | IdReused) -> bool:
    return isinstance(paid, Payment) and paid.status is PaymentStatus.PAID
