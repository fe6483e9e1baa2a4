"""What the mint asks of its signatory, answered in the mint's own words: proofs, or a refusal."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from amana.kernel import Unavailable
from amana.purse.model import BlindedMessage, BlindSignature, Proof, Refusal, VerifiedProof
from amana.purse.ports import Blank, Claim, Signatory, Signed, SigningStopped
from amana.purse.rules import conditions, operations
from amana.purse.rules.refusals import FALSE, NO_POINT, STOPPED

Signatures = tuple[BlindSignature, ...]


class Taken(NamedTuple):
    """Proofs that were found good, and what was signed for them: not to be told before a commit."""

    proofs: tuple[VerifiedProof, ...]
    signed: list[Signed]


class Signing:
    """The signatory, as the use cases ask it."""

    def __init__(self, signatory: Signatory) -> None:
        self._signatory = signatory

    async def verified_later(
        self, inputs: Sequence[Proof], claims: Sequence[Claim]
    ) -> tuple[VerifiedProof, ...] | Refusal:
        """Check proofs of an answer that is told again; one that is false refuses all."""
        return _verified(inputs, claims, await self._signatory.verify_later(claims))

    async def exchange(
        self, inputs: Sequence[Proof], claims: Sequence[Claim], blanks: Sequence[Blank]
    ) -> Taken | Refusal:
        """Check proofs and sign for them, in one trip; what is false has nothing signed.

        Whoever does not commit what was signed gives it back.
        """
        try:
            nullifiers, signed = await self._signatory.exchange(claims, blanks)
        except SigningStopped:
            return STOPPED
        proofs = _verified(inputs, claims, nullifiers)
        if isinstance(proofs, Refusal):
            return proofs
        good = _good(signed, blanks)
        return good if isinstance(good, Refusal) else Taken(proofs, good)

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed] | Refusal:
        """Sign what something else than proofs pays for."""
        try:
            return _good(await self._signatory.sign(blanks), blanks)
        except SigningStopped:
            return STOPPED

    async def give_back(self, blanks: Sequence[Blank]) -> None:
        """Count no more what was signed and is told to nobody.

        A signatory that is gone counts too many, never too few.
        """
        if blanks:
            with suppress(Unavailable):
                await self._signatory.give_back(blanks)

    async def again(
        self, outputs: Sequence[BlindedMessage], signed: Mapping[bytes, tuple[int, int]]
    ) -> Signatures:
        """Repeat the signatures of the outputs that were signed before."""
        blanks = [blank for _, blank in operations.read_signed(outputs, signed)]
        if not blanks:
            return ()
        good = _good(await self._signatory.sign_again(blanks), blanks)
        assert not isinstance(good, Refusal), "what was signed before can be signed again"
        return self.shown(blanks, good)

    def shown(self, blanks: Sequence[Blank], signed: Sequence[Signed]) -> Signatures:
        """Return signatures as they are told."""
        listed = self._signatory.keysets()
        return tuple(
            [
                BlindSignature(listed[blank.keyset].id, blank.amount, *signature)
                for blank, signature in zip(blanks, signed, strict=True)
            ]
        )


def _verified(
    inputs: Sequence[Proof], claims: Sequence[Claim], nullifiers: Sequence[bytes | None]
) -> tuple[VerifiedProof, ...] | Refusal:
    verified = [
        VerifiedProof(claim.keyset, claim.amount, nullifier, shown)
        for claim, nullifier, shown in zip(
            claims, nullifiers, conditions.shown_witnesses(inputs), strict=True
        )
        if nullifier is not None
    ]
    return tuple(verified) if len(verified) == len(claims) else FALSE


def _good(signed: Sequence[Signed | None], blanks: Sequence[Blank]) -> list[Signed] | Refusal:
    good = [signature for signature in signed if signature is not None]
    return good if len(good) == len(blanks) else NO_POINT
