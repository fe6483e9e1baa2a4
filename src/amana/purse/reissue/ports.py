"""What exchanging revoked e-cash needs from outside."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from amana.purse.ports import Claim, Signatory

Blinder = Callable[[bytes, bytes], bytes | None]
"""Returns B_ for a secret and its factor; None where the factor is none."""


@runtime_checkable
class RevokingSignatory(Signatory, Protocol):
    """A Signatory that can also give up a keyset."""

    async def verify_revoked(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs of revoked keysets, whose holders must also show how they were issued."""

    async def revoke(self, number: int) -> None:
        """Let a keyset whose key may be in other hands check and sign no more."""
