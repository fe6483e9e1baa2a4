"""What exchanging revoked e-cash needs from outside."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from amana.purse.model import Refusal, VerifiedProof
from amana.purse.ports import Blank, Claim, Signatory

Blinder = Callable[[bytes, bytes], bytes | None]
"""Returns B_ for a secret and its factor; None where the factor is none."""


@runtime_checkable
class RevokingSignatory(Signatory, Protocol):
    """A Signatory that can also give up a keyset."""

    async def verify_revoked(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs of revoked keysets, whose holders must also show how they were issued."""

    async def revoke(self, number: int) -> None:
        """Let a keyset whose key may be in other hands check and sign no more."""


class ReissueStorage(Protocol):
    """Keeps what was exchanged. A refusal is given only of what is durable."""

    async def known(self, nullifiers: Sequence[bytes], points: Sequence[bytes]) -> Refusal | None:
        """Refuse what is known to be spent or signed; the commit judges again."""

    async def are_issued(self, proofs: Sequence[tuple[int, int]], points: Sequence[bytes]) -> bool:
        """Say whether each point was signed, for the keyset and amount of its proof."""

    async def reissue(
        self, proofs: Sequence[VerifiedProof], blanks: Sequence[Blank]
    ) -> Refusal | None:
        """Spend proofs and record what is signed for them, never more than their keyset signed."""
