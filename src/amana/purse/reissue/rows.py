"""Exchanges of revoked e-cash in the file of books."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from amana.purse.books import PurseBooks
from amana.purse.model import Refusal, VerifiedProof
from amana.purse.ports import Blank
from amana.purse.reissue import rules
from amana.purse.store import GroupWriter, WrittenPurse


class Exchanged(NamedTuple):
    """What an exchange writes."""

    proofs: Sequence[VerifiedProof]
    blanks: Sequence[Blank]


class ReissueRows:
    """Exchanges in the open commit group."""

    def __init__(self, books: PurseBooks) -> None:
        self._books = books

    def exchanges(self, exchanges: Sequence[Exchanged]) -> list[Refusal | None]:
        """Record each exchange that stands."""
        return [self._exchange(each) for each in exchanges]

    def _exchange(self, exchanged: Exchanged) -> Refusal | None:
        """Spend and sign, unless more of a denomination would come back than was signed.

        With false proofs spent before the keyset was revoked the true ones are more than what is
        out; the last of them are refused here, and the operator has to make up for it.
        """
        spent = Counter((proof.keyset, proof.amount) for proof in exchanged.proofs)
        for (keyset, amount), count in spent.items():
            signed, before = self._books.counts(keyset, amount)
            if before + count > signed:
                return rules.TOO_MUCH
        return self._books.spend_and_sign(exchanged.proofs, exchanged.blanks)


class ReissueStore:
    """The ReissueStorage of the service: rows reached through the one writer."""

    def __init__(self, store: WrittenPurse, writer: GroupWriter, rows: ReissueRows) -> None:
        self._store = store
        self._writer = writer
        self._rows = rows

    async def known(self, nullifiers: Sequence[bytes], points: Sequence[bytes]) -> Refusal | None:
        """Refuse what is known to be spent or signed; the commit judges again."""
        return await self._store.known(nullifiers, points)

    async def are_issued(self, proofs: Sequence[tuple[int, int]], points: Sequence[bytes]) -> bool:
        """Say whether each point was signed, for the keyset and amount of its proof."""
        signed = await self._store.signed_before(points)
        return all(signed.get(point) == proof for point, proof in zip(points, proofs, strict=True))

    async def reissue(
        self, proofs: Sequence[VerifiedProof], blanks: Sequence[Blank]
    ) -> Refusal | None:
        """Spend proofs and record what is signed for them, never more than their keyset signed."""
        refusal: Refusal | None = await self._writer.submit(
            self._rows.exchanges, Exchanged(proofs, blanks)
        )
        await self._writer.durable()
        return refusal
