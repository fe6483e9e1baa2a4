"""The mint's use cases: swap, issue, redeem, and the answers to questions about them.

The order of writes, on every engine. Swap: one commit. Issue: what pays for it first, then one
commit with the signatures' outputs and the quote's counter. Redemption: the quote; the money held;
one commit that spends the proofs, records the change and what the redemption means to its payee;
the money posted. Whatever is interrupted stands at HELD or SPENT, and `recover` voids the first
and posts the second; nothing else may void. One coroutine at a time owns a redemption.

Signatures are made before the commit and told after it, so nothing is told that is not kept; the
signatory gives the same output the same answer, so whoever lost an answer may have it again.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from amana.kernel import SECOND_NS, Clock
from amana.purse.limits import RESTORE_OUTPUTS_MAX, STATES_MAX
from amana.purse.model import (
    BlindedMessage,
    BlindSignature,
    ChangeKind,
    Code,
    IssueAsk,
    IssueQuote,
    Keyset,
    Proof,
    ProofState,
    RedeemAsk,
    Redeemed,
    RedeemQuote,
    RedeemState,
    Refusal,
    VerifiedProof,
)
from amana.purse.ports import (
    Blank,
    IdSource,
    IssueMethod,
    PurseStore,
    RedeemMethod,
    Signatory,
)
from amana.purse.rules import conditions, operations
from amana.purse.rules.conditions import Verifier
from amana.purse.rules.refusals import (
    EXCEEDED,
    NO_METHOD,
    NO_QUOTE,
    PAID,
    PENDING,
    PROOFS_PENDING,
    plain,
)
from amana.purse.signing import Signatures, Signing
from amana.purse.telling import Listeners

_log: Final = logging.getLogger("amana.purse")
_ATTEMPTS_MAX: Final = 15
"""Attempts have four bits in the ids of their transfers, and the first is 1."""


class _Spending(NamedTuple):
    """Proofs that may be spent if they are good, and the outputs for what is over."""

    proofs: Sequence[Proof]
    inputs: operations.Inputs
    outputs: Sequence[BlindedMessage]


class Mint:
    """A mint over its ports; drives no event loop of its own."""

    def __init__(
        self,
        store: PurseStore,
        signatory: Signatory,
        *,
        issue_methods: Mapping[str, IssueMethod],
        redeem_methods: Mapping[str, RedeemMethod],
        verifier: Verifier,
        ids: IdSource,
        clock: Clock,
    ) -> None:
        """Join the ports.

        Args:
            store: Where spent proofs, signed outputs and quotes are kept.
            signatory: Who holds the keys.
            issue_methods: The ways to pay for issue, by the name that stands in addresses.
            redeem_methods: The ways to redeem, likewise.
            verifier: Checks a Schnorr signature (BIP-340).
            ids: Makes the random ids of quotes, 16 bytes.
            clock: The time.
        """
        self.issue_methods = issue_methods
        self.redeem_methods = redeem_methods
        self._store = store
        self._signatory = signatory
        self._signing = Signing(signatory)
        self._verifier = verifier
        self._ids = ids
        self._clock = clock
        self._owned: set[bytes] = set()
        self._going_in: set[bytes] = set()
        self._listeners = Listeners()
        self.subscribe = self._listeners.subscribe
        self._listed: tuple[Keyset, ...] = ()
        self._by_id: dict[str, Keyset] = {}

    # Keysets

    def keysets(self) -> tuple[Keyset, ...]:
        """Return every keyset there ever was, oldest first."""
        return self._signatory.keysets()

    def _index(self) -> dict[str, Keyset]:
        listed = self._signatory.keysets()
        if listed is not self._listed:
            self._listed = listed
            self._by_id = {keyset.id: keyset for keyset in listed}
        return self._by_id

    def _now_s(self) -> int:
        return self._clock.now() // SECOND_NS

    # Swap

    async def swap(
        self, inputs: Sequence[Proof], outputs: Sequence[BlindedMessage]
    ) -> Signatures | Refusal:
        """Exchange proofs for fresh signatures of the same sum (NUT-03).

        A swap that was made before has its answer again, whatever stands in its way by now.

        Raises:
            Unavailable: The outcome is not known; ask again with the same inputs and outputs, or
                for the outputs' signatures (NUT-09).
        """
        answer = await self._swap(inputs, outputs)
        if not isinstance(answer, Refusal):
            return answer
        return await self._swapped_before(inputs, outputs) or answer

    async def _swap(
        self, inputs: Sequence[Proof], outputs: Sequence[BlindedMessage]
    ) -> Signatures | Refusal:
        keysets, now_s = self._index(), self._now_s()
        exchange = operations.decide_swap(inputs, outputs, keysets, now_s=now_s)
        if isinstance(exchange, Refusal):
            return exchange
        refusal = conditions.meets_conditions(
            inputs, outputs, quote=None, now_s=now_s, verify=self._verifier
        )
        if refusal is not None:
            return refusal
        taken = await self._signing.exchange(inputs, exchange.claims, exchange.blanks)
        if isinstance(taken, Refusal):
            return taken
        refusal = await self._store.swap(taken.proofs, exchange.blanks)
        if refusal is not None:
            await self._signing.give_back(exchange.blanks)
            return refusal
        self._listeners.tell_spent(taken.proofs)
        return self._signing.shown(exchange.blanks, taken.signed)

    async def _swapped_before(
        self, inputs: Sequence[Proof], outputs: Sequence[BlindedMessage]
    ) -> Signatures | None:
        """Return the answer of a swap whose proofs are spent and whose outputs are signed."""
        signed = await self._store.signed_before([output.point for output in outputs])
        claims = operations.claims_again(inputs, outputs, signed, self._index())
        if claims is None:
            return None
        proofs = await self._signing.verified_later(inputs, claims)
        if isinstance(proofs, Refusal) or not await self._are_spent(proofs):
            return None
        return await self._signing.again(outputs, signed)

    async def _are_spent(self, proofs: Sequence[VerifiedProof]) -> bool:
        states = await self._store.states([proof.nullifier for proof in proofs])
        return all(state is ProofState.SPENT for state, _ in states)

    # Issue

    async def issue_quote(self, method: str, ask: IssueAsk) -> IssueQuote | Refusal:
        """Make a quote for what is to be issued (NUT-04)."""
        way = self.issue_methods.get(method)
        if way is None:
            return NO_METHOD
        quote = await way.quote(self._ids(), ask)
        if isinstance(quote, IssueQuote):
            await self._store.put_issue_quote(quote)
        return quote

    async def find_issue_quote(self, method: str, quote_id: bytes) -> IssueQuote | None:
        """Return a quote as it stands, with what is paid by now."""
        quote = await self._store.issue_quote(quote_id, is_told=True)
        way = self.issue_methods.get(method)
        if quote is None or way is None or quote.method != method:
            return None
        return IssueQuote(
            id=quote.id,
            method=quote.method,
            request=quote.request,
            unit=quote.unit,
            amount=quote.amount,
            paid=way.paid(quote),
            issued=quote.issued,
            pubkey=quote.pubkey,
            expires_at=quote.expires_at,
            updated_at=quote.updated_at,
        )

    async def issue(
        self,
        method: str,
        quote_id: bytes,
        outputs: Sequence[BlindedMessage],
        *,
        quote_text: str,
        signature: bytes | None,
    ) -> Signatures | Refusal:
        """Sign the outputs of a quote that is paid (NUT-04, NUT-20).

        Args:
            method: The way it was paid.
            quote_id: The quote.
            outputs: What is to be signed: all that is paid and not issued yet.
            quote_text: The quote's id as the wallet wrote it, which its signature covers.
            signature: For a locked quote, 64 bytes (BIP-340).
        """
        quote = await self.find_issue_quote(method, quote_id)
        if quote is None:
            return NO_QUOTE
        blanks = operations.decide_issue(quote, outputs, self._index(), paid=quote.paid)
        if isinstance(blanks, Refusal):
            return blanks
        if quote.pubkey is not None and not conditions.quote_signature_holds(
            quote_text,
            outputs,
            pubkey=quote.pubkey,
            signature=signature or b"",
            verify=self._verifier,
        ):
            return plain(Code.QUOTE_SIGNATURE_INVALID)
        # Looked up first: this may be asked for nothing and again.
        known = await self._store.known((), [blank.point for blank in blanks])
        signed = known or await self._signing.sign(blanks)
        if isinstance(signed, Refusal):
            return signed
        refusal = await self._store.issue(quote, quote.paid, blanks)
        if refusal is not None:
            await self._signing.give_back(blanks)
            return refusal
        self._listeners.tell(ChangeKind.ISSUE_QUOTE, quote_id)
        return self._signing.shown(blanks, signed)

    # Redemption

    async def redeem_quote(self, method: str, ask: RedeemAsk) -> RedeemQuote | Refusal:
        """Make a quote for a redemption (NUT-05)."""
        way = self.redeem_methods.get(method)
        if way is None:
            return NO_METHOD
        quote = await way.quote(self._ids(), ask)
        if isinstance(quote, RedeemQuote):
            await self._store.put_redeem_quote(quote)
        return quote

    async def find_redeem_quote(self, method: str, quote_id: bytes) -> RedeemQuote | None:
        """Return a quote as it stands."""
        quote = await self._store.redeem_quote(quote_id, is_told=True)
        return quote if quote is not None and quote.method == method else None

    def fields(self, quote: RedeemQuote) -> dict[str, Any]:
        """Return what the quote's method says of it: for a merchant's, whom it pays."""
        return self.redeem_methods[quote.method].fields(quote)

    async def redeem(
        self,
        method: str,
        quote_id: bytes,
        inputs: Sequence[Proof],
        *,
        outputs: Sequence[BlindedMessage],
        quote_text: str,
    ) -> Redeemed | Refusal:
        """Pay a quote with proofs; change comes back on blank outputs (NUT-05, NUT-08).

        Asked again with the same proofs and outputs after it was paid, the answer is the same.

        Raises:
            Unavailable: The outcome is not known; ask again with the same proofs and outputs.
        """
        way = self.redeem_methods.get(method)
        if quote_id in self._owned:
            return PENDING
        self._owned.add(quote_id)
        try:
            # Read by its owner: what was read before might have moved on.
            quote = await self._store.redeem_quote(quote_id)
            if quote is None or way is None or quote.method != method:
                return NO_QUOTE
            if quote.state in _UNFINISHED:
                quote = await self._resolve(quote, way)
            going_in = self._read(way, inputs, outputs, text=quote_text)
            if isinstance(going_in, Refusal):
                return going_in
            spending = _Spending(inputs, going_in, outputs)
            if quote.state is RedeemState.PAID:
                return await self._repeat(quote, way, spending)
            return await self._redeem(quote, way, spending)
        finally:
            self._owned.discard(quote_id)

    def _read(
        self,
        way: RedeemMethod,
        inputs: Sequence[Proof],
        outputs: Sequence[BlindedMessage],
        *,
        text: str,
    ) -> operations.Inputs | Refusal:
        """Check proofs for themselves, and their conditions."""
        now_s = self._now_s()
        going_in = operations.read_inputs(inputs, self._index(), now_s=now_s, grace_s=way.grace_s)
        if isinstance(going_in, Refusal):
            return going_in
        refusal = conditions.meets_conditions(
            inputs, outputs, quote=text, now_s=now_s, verify=self._verifier
        )
        return going_in if refusal is None else refusal

    async def _redeem(
        self, quote: RedeemQuote, way: RedeemMethod, spending: _Spending
    ) -> Redeemed | Refusal:
        if self._clock.now() >= quote.expires_at or quote.attempts >= _ATTEMPTS_MAX:
            return plain(Code.QUOTE_EXPIRED)
        proofs, going_in, outputs = spending
        blanks = operations.decide_redemption(
            quote, going_in, outputs, cost=way.cost(quote), keysets=self._index()
        )
        if isinstance(blanks, Refusal):
            return blanks
        taken = await self._signing.exchange(proofs, going_in.claims, blanks)
        if isinstance(taken, Refusal):
            return taken
        moved = await self._attempt(quote, way, taken.proofs, blanks)
        if isinstance(moved, Refusal):
            await self._signing.give_back(blanks)
            return moved
        self._listeners.tell_spent(taken.proofs)
        return Redeemed(moved, self._signing.shown(blanks, taken.signed), way.fields(moved))

    async def _attempt(
        self,
        quote: RedeemQuote,
        way: RedeemMethod,
        verified: Sequence[VerifiedProof],
        blanks: Sequence[Blank],
    ) -> RedeemQuote | Refusal:
        """Count an attempt and make it, with proofs that no other attempt is made with.

        What is held is then never more than the proofs that are out, but for one that is swapped
        meanwhile.
        """
        nullifiers = [proof.nullifier for proof in verified]
        if not self._going_in.isdisjoint(nullifiers):
            return PROOFS_PENDING
        self._going_in.update(nullifiers)
        try:
            begun = await self._store.begin(quote, nullifiers, [blank.point for blank in blanks])
            if isinstance(begun, Refusal):
                return begun
            moved = await self._move(begun, way, verified, blanks)
            self._listeners.tell(ChangeKind.REDEEM_QUOTE, quote.id)
            return moved
        finally:
            self._going_in.difference_update(nullifiers)

    async def _move(
        self,
        quote: RedeemQuote,
        way: RedeemMethod,
        verified: Sequence[VerifiedProof],
        blanks: Sequence[Blank],
    ) -> RedeemQuote | Refusal:
        """Hold, spend, post; or hold, be refused, void."""
        refusal = await way.hold(quote)
        if refusal is EXCEEDED:
            refusal = await self._judged(quote, verified)
        elif refusal is None:
            refusal = await self._store.conclude(quote, verified, blanks, effect=way.effect)
        if refusal is not None:
            await way.void(quote)
            await self._store.release(quote)
            return refusal
        await way.post(quote)
        return await self._store.settle(quote)

    async def _judged(self, quote: RedeemQuote, verified: Sequence[VerifiedProof]) -> Refusal:
        """Say why good proofs are more than is out: they were spent meanwhile, or it is an alarm.

        What was posted was spent before, so proofs that are unspent still are too many by forgery.
        """
        known = await self._store.known([proof.nullifier for proof in verified], ())
        if known is None:
            # Good signatures for more than is out: somebody else has the keys.
            _log.critical("ecash_exceeds_what_is_out method=%s", quote.method)
        return known or EXCEEDED

    async def _repeat(
        self, quote: RedeemQuote, way: RedeemMethod, spending: _Spending
    ) -> Redeemed | Refusal:
        """Tell again how a redemption ended, to whoever has its spent proofs and its outputs."""
        inputs, going_in, outputs = spending
        proofs = await self._signing.verified_later(inputs, going_in.claims)
        if isinstance(proofs, Refusal):
            return proofs
        signed = await self._store.signed_before([output.point for output in outputs])
        over = going_in.total - going_in.fee - way.cost(quote)
        if over < 0 or not await self._are_spent(proofs) or (over > 0 and not signed):
            return PAID
        return Redeemed(quote, await self._signing.again(outputs, signed), way.fields(quote))

    async def _resolve(self, quote: RedeemQuote, way: RedeemMethod) -> RedeemQuote:
        """Bring an interrupted redemption to its end: void what spent nothing, post the rest."""
        # What an owner asked for and did not wait for counts too: to void by what was before would
        # give back money whose proofs are spent.
        quote = await self._store.caught_up(quote)
        if quote.state is RedeemState.HELD:
            await way.void(quote)
            quote = await self._store.release(quote)
        elif quote.state is RedeemState.SPENT:
            await way.post(quote)
            quote = await self._store.settle(quote)
        return quote

    async def recover(self) -> int:
        """Finish every redemption that was interrupted; return how many were."""
        finished = 0
        for found in await self._store.unfinished():
            way = self.redeem_methods.get(found.method)
            if found.id in self._owned or way is None:
                continue
            self._owned.add(found.id)
            try:
                await self._resolve(found, way)
            finally:
                self._owned.discard(found.id)
            self._listeners.tell(ChangeKind.REDEEM_QUOTE, found.id)
            finished += 1
        return finished

    # Questions

    async def states(
        self, nullifiers: Sequence[bytes]
    ) -> list[tuple[ProofState, str | None]] | Refusal:
        """Return where proofs stand, in the order asked; one in an attempt is pending (NUT-07)."""
        if len(nullifiers) > STATES_MAX:
            return Refusal(Code.TOO_MANY_INPUTS, f"at most {STATES_MAX} proofs in one request")
        stored = await self._store.states(nullifiers)
        return [
            (ProofState.PENDING, None)
            if state is ProofState.UNSPENT and nullifier in self._going_in
            else (state, witness)
            for nullifier, (state, witness) in zip(nullifiers, stored, strict=True)
        ]

    async def restore(
        self, outputs: Sequence[BlindedMessage]
    ) -> list[tuple[BlindedMessage, BlindSignature]] | Refusal:
        """Give lost signatures again: those of the outputs that were signed (NUT-09)."""
        if len(outputs) > RESTORE_OUTPUTS_MAX:
            return Refusal(
                Code.TOO_MANY_OUTPUTS, f"at most {RESTORE_OUTPUTS_MAX} outputs in one request"
            )
        signed = await self._store.signed_before([output.point for output in outputs])
        kept = operations.read_signed(outputs, signed)
        signatures = await self._signing.again(outputs, signed)
        return [
            (output, signature) for (output, _), signature in zip(kept, signatures, strict=True)
        ]


_UNFINISHED: Final = frozenset({RedeemState.HELD, RedeemState.SPENT})
