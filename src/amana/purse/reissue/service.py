"""Exchanging e-cash of a revoked keyset.

A keyset is revoked when its key may be in other hands: a good signature then says nothing any
more. What a thief cannot have is the blinding of an output that the mint signed. Whoever shows a
proof's secret and the factor r it was blinded with shows B_ = Y + r·G; if the books hold that B_ as
signed, the proof was issued. A B_ opens to one secret only, since nobody knows the discrete
logarithms between the points Y of two secrets; so each B_ is exchanged once, because each secret
is spent once. The mint learns from r which output became this proof: the price is privacy for
these proofs, and it is said before it is paid.
"""

from collections.abc import Sequence
from typing import Final

from amana.kernel import SECOND_NS, Clock
from amana.purse.model import BlindedMessage, BlindSignature, Proof, Refusal, VerifiedProof
from amana.purse.ports import Blank, Claim, PurseStore, Signed, SigningStopped
from amana.purse.reissue import rules
from amana.purse.reissue.model import Issued
from amana.purse.reissue.ports import Blinder, RevokingSignatory
from amana.purse.rules import conditions
from amana.purse.rules.conditions import Verifier
from amana.purse.rules.operations import Exchange
from amana.purse.rules.refusals import NO_POINT, STOPPED
from amana.purse.signing import Signing

_AT_ONCE: Final = 16
"""Factors worked out, at 0.1 ms each, before the books are asked after them."""


class Reissue:
    """The use case, over ports."""

    def __init__(
        self,
        store: PurseStore,
        signatory: RevokingSignatory,
        *,
        blind: Blinder,
        verifier: Verifier,
        grace_s: int,
        clock: Clock,
    ) -> None:
        """Join the ports.

        Args:
            store: Where spent proofs and signed outputs are kept.
            signatory: Who holds the keys, revoked ones too.
            blind: Returns the output of a secret and a factor.
            verifier: Checks a Schnorr signature (BIP-340).
            grace_s: Seconds after its expiry in which a keyset's proofs are still exchanged.
            clock: The time.
        """
        self._store = store
        self._signatory = signatory
        self._blind = blind
        self._verifier = verifier
        self._grace_s = grace_s
        self._clock = clock

    async def exchange(
        self, shown: Sequence[Issued], outputs: Sequence[BlindedMessage]
    ) -> tuple[BlindSignature, ...] | Refusal:
        """Sign outputs of the same sum for revoked proofs that were issued, and spend these.

        Raises:
            Unavailable: The outcome is not known; ask for the outputs' signatures (NUT-09).
        """
        exchange = self._decide([issued.proof for issued in shown], outputs)
        if isinstance(exchange, Refusal):
            return exchange
        verified = await self._verified(shown, outputs, exchange.claims)
        if isinstance(verified, Refusal):
            return verified
        signed = await self._sign(verified, exchange.blanks)
        if isinstance(signed, Refusal):
            return signed
        # One that false proofs came before is refused here: never more comes back than was signed.
        refusal = await self._store.swap(verified, exchange.blanks)
        if refusal is not None:
            await Signing(self._signatory).give_back(exchange.blanks)
            return refusal
        listed = self._signatory.keysets()
        return tuple(
            BlindSignature(listed[blank.keyset].id, blank.amount, *signature)
            for blank, signature in zip(exchange.blanks, signed, strict=True)
        )

    def _decide(
        self, inputs: Sequence[Proof], outputs: Sequence[BlindedMessage]
    ) -> Exchange | Refusal:
        keysets = {keyset.id: keyset for keyset in self._signatory.keysets()}
        now_s = self._clock.now() // SECOND_NS
        return rules.decide_reissue(inputs, outputs, keysets, now_s=now_s, grace_s=self._grace_s)

    async def _verified(
        self,
        shown: Sequence[Issued],
        outputs: Sequence[BlindedMessage],
        claims: Sequence[Claim],
    ) -> tuple[VerifiedProof, ...] | Refusal:
        """Check that each proof was issued, then that its lock is open and its signature good.

        In this order: nobody needs a token here, and whoever has no such e-cash costs no more than
        the first few factors.
        """
        for start in range(0, len(shown), _AT_ONCE):
            end = start + _AT_ONCE
            if not await self._were_issued(shown[start:end], claims[start:end]):
                return rules.NOT_SHOWN
        inputs = [issued.proof for issued in shown]
        # Whoever sent a locked proof knows its factor; the lock is still the payee's alone to open.
        refusal = conditions.meets_conditions(
            inputs,
            outputs,
            quote=None,
            now_s=self._clock.now() // SECOND_NS,
            verify=self._verifier,
        )
        return refusal or await self._good(inputs, claims)

    async def _were_issued(self, shown: Sequence[Issued], claims: Sequence[Claim]) -> bool:
        points = [self._blind(each.proof.secret.encode(), each.factor) for each in shown]
        known = [point for point in points if point is not None]
        signed = await self._store.signed_before(known)
        given = [None if point is None else signed.get(point) for point in points]
        return given == [(claim.keyset, claim.amount) for claim in claims]

    async def _good(
        self, inputs: Sequence[Proof], claims: Sequence[Claim]
    ) -> tuple[VerifiedProof, ...] | Refusal:
        nullifiers = await self._signatory.verify_revoked(claims)
        witnesses = conditions.shown_witnesses(inputs)
        verified = tuple(
            VerifiedProof(claim.keyset, claim.amount, nullifier, witness)
            for claim, nullifier, witness in zip(claims, nullifiers, witnesses, strict=True)
            if nullifier is not None
        )
        return verified if len(verified) == len(inputs) else rules.NOT_SHOWN

    async def _sign(
        self, verified: Sequence[VerifiedProof], blanks: Sequence[Blank]
    ) -> list[Signed] | Refusal:
        known = await self._store.known(
            [proof.nullifier for proof in verified], [blank.point for blank in blanks]
        )
        if known is not None:
            return known
        try:
            signed = await self._signatory.sign(blanks)
        except SigningStopped:
            return STOPPED
        good = [signature for signature in signed if signature is not None]
        return good if len(good) == len(blanks) else NO_POINT
