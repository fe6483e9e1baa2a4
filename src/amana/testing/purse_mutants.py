"""Deliberately wrong parts of the purse: each would make or lose money, or let one tell of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from amana.kernel import Instant
from amana.payments.model import IdReused, Payment
from amana.payments.postings import PurseHold
from amana.purse.books import Conclusion, PurseBooks, Swap
from amana.purse.methods.merchant import MerchantRedemption
from amana.purse.model import Redeemed, RedeemQuote, RedeemState, Refusal, VerifiedProof
from amana.purse.ports import Blank, Effect, RedeemMethod
from amana.purse.rules import operations
from amana.purse.rules.refusals import PAID
from amana.purse.service import Mint
from amana.purse.standing import Refill, Standing, StandingRows
from amana.purse.store import WrittenPurse
from amana.testing.simulator import PurseParts

_ID_BYTES = 16


# Wrong books


class _SpentLookedUpBefore(PurseBooks):
    """The look-up before the transaction judges, and not the index within it."""

    def spend_and_sign(
        self, proofs: Sequence[VerifiedProof], blanks: Sequence[Blank]
    ) -> Refusal | None:
        fresh = [proof for proof in proofs if self.known([proof.nullifier], ()) is None]
        return super().spend_and_sign(fresh, blanks)


class _ChangeOfARefusedSpend(PurseBooks):
    def _conclude(self, conclusion: Conclusion) -> Refusal | None:
        refusal = super()._conclude(conclusion)
        if refusal is not None:
            self.spend_and_sign((), conclusion.blanks)
        return refusal


class _PaidOutAndReturned(PurseBooks):
    def _conclude(self, conclusion: Conclusion) -> Refusal | None:
        refusal = super()._conclude(conclusion)
        if refusal is None:
            self._undo(conclusion.proofs, ())
        return refusal


# Wrong stores


class _EffectAfterTheCommit(WrittenPurse):
    async def conclude(
        self,
        quote: RedeemQuote,
        proofs: Sequence[VerifiedProof],
        blanks: Sequence[Blank],
        *,
        effect: Effect,
    ) -> Refusal | None:
        refusal = await super().conclude(quote, proofs, blanks, effect=_no_effect)
        if refusal is not None:
            return refusal
        now = self._clock.now()
        told: Refusal | None = await self._writer.submit(
            lambda works: [work(quote, now) for work in works], effect
        )
        return told


def _no_effect(quote: RedeemQuote, now: Instant) -> Refusal | None:
    del quote, now
    return None


class _SwapBeforeDurable(WrittenPurse):
    async def swap(
        self, proofs: Sequence[VerifiedProof], blanks: Sequence[Blank]
    ) -> Refusal | None:
        refusal: Refusal | None = await self._writer.submit(self._books.swaps, Swap(proofs, blanks))
        return refusal


# Wrong services


class _VoidsWhatIsSpent(Mint):
    async def _resolve(self, quote: RedeemQuote, way: RedeemMethod) -> RedeemQuote:
        quote = await self._store.caught_up(quote)
        await way.void(quote)
        if quote.state is RedeemState.HELD:
            return await self._store.release(quote)
        return await self._store.settle(quote)


class _PostsWhatIsHeld(Mint):
    async def _resolve(self, quote: RedeemQuote, way: RedeemMethod) -> RedeemQuote:
        quote = await self._store.caught_up(quote)
        await way.post(quote)
        if quote.state is RedeemState.HELD:
            return await self._store.release(quote)
        return await self._store.settle(quote)


class _ChangeAgain(Mint):
    """Who paid, and comes again with other blanks, has the change on these too."""

    async def _repeat(
        self,
        quote: RedeemQuote,
        way: RedeemMethod,
        spending: Any,  # noqa: ANN401 - the service's own type
    ) -> Redeemed | Refusal:
        told = await super()._repeat(quote, way, spending)
        if told is not PAID:
            return told
        inputs, going_in, outputs = spending
        proofs = await self._signing.verified_later(inputs, going_in.claims)
        if isinstance(proofs, Refusal) or not await self._are_spent(proofs):
            return told
        blanks = operations.decide_redemption(
            quote, going_in, outputs, cost=way.cost(quote), keysets=self._index()
        )
        if isinstance(blanks, Refusal):
            return told
        signed = await self._signing.sign(blanks)
        if isinstance(signed, Refusal) or await self._store.swap((), blanks) is not None:
            return told
        return Redeemed(quote, self._signing.shown(blanks, signed), way.fields(quote))


class _ChangeTooLarge(MerchantRedemption):
    def cost(self, quote: RedeemQuote) -> int:
        return quote.amount - 1


class _AttemptsShareIds(MerchantRedemption):
    def _hold(self, quote: RedeemQuote) -> PurseHold:
        return super()._hold(quote)._replace(attempt=1)


class _DebitedAnew(Standing):
    async def _debit(self, refill: Refill) -> Payment | IdReused:
        fresh = self._chance.draw(_ID_BYTES)
        again = Refill(
            refill.party,
            fresh,
            refill.keyset,
            refill.amount,
            refill.outputs,
            refill.state,
            refill.attempts,
            refill.due_at,
        )
        return await super()._debit(again)


class _WithdrawnYetDebited(StandingRows):
    def _put_own(self, before: Refill, refill: Refill) -> Refill | None:
        return super()._put_own(before, refill) or refill


class _LastRoundDecides(StandingRows):
    def _put_own(self, before: Refill, refill: Refill) -> Refill | None:
        return super()._put_own(self.refill(refill.party) or before, refill)


Make = Callable[[str, str, PurseParts], Any]


def purse_mutants(make: Make) -> Iterator[Any]:
    """Yield every wrong purse.

    Args:
        make: Called with a name, what is wrong, and the parts.
    """
    books, store, mint = _of_books, _of_store, _of_mint
    yield make("spent-looked-up", "a proof is spent twice at once", books(_SpentLookedUpBefore))
    yield make(
        "change-of-a-refusal",
        "change is signed for proofs not spent",
        books(_ChangeOfARefusedSpend),
    )
    yield make("paid-and-returned", "proofs that paid are good again", books(_PaidOutAndReturned))
    yield make(
        "effect-after-commit", "proofs are spent for no purchase", store(_EffectAfterTheCommit)
    )
    yield make("swap-before-durable", "a told swap may be lost", store(_SwapBeforeDurable))
    yield make("voids-what-is-spent", "who is told paid is not", mint(_VoidsWhatIsSpent))
    yield make("posts-what-is-held", "recovery pays before the commit", mint(_PostsWhatIsHeld))
    yield make("change-again", "change comes twice, on other blanks", mint(_ChangeAgain))
    yield make(
        "change-too-large", "more comes back than is over", PurseParts(merchant=_ChangeTooLarge)
    )
    yield make(
        "attempts-share-ids",
        "a second attempt meets the voided first",
        PurseParts(merchant=_AttemptsShareIds),
    )
    yield make("debited-anew", "a crash debits a refill twice", PurseParts(standing=_DebitedAnew))
    yield make(
        "withdrawn-yet-debited",
        "a refill is paid that nobody wants",
        PurseParts(rows=_WithdrawnYetDebited),
    )
    yield make(
        "last-round-decides",
        "what was debited is taken for waiting",
        PurseParts(rows=_LastRoundDecides),
    )


def _of_books(part: type[PurseBooks]) -> PurseParts:
    return PurseParts(books=part)


def _of_store(part: type[WrittenPurse]) -> PurseParts:
    return PurseParts(store=part)


def _of_mint(part: type[Mint]) -> PurseParts:
    return PurseParts(mint=part)
