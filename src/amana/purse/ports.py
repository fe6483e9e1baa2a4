"""What the mint needs from outside."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from amana.purse.model import Keyset


class Claim(NamedTuple):
    """A proof to check: `point` must be the key's multiple of hash_to_curve(secret)."""

    keyset: int
    amount: int
    secret: bytes
    point: bytes


class Blank(NamedTuple):
    """An output to sign."""

    keyset: int
    amount: int
    point: bytes


class Signed(NamedTuple):
    """The signature on an output: C_ compressed, and the DLEQ proof (NUT-12)."""

    point: bytes
    dleq_e: bytes
    dleq_s: bytes


class Signatory(Protocol):
    """Holds the mint's private keys, apart from everything else.

    Every method raises `Unavailable` where the signatory is gone; nothing was signed then that
    anybody was told of, and the same may be asked again.
    """

    def keysets(self) -> tuple[Keyset, ...]:
        """Return the append-only list of keysets, oldest first, as last heard."""

    async def verify(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; answer each with its nullifier (32 bytes), or None where it is false."""

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs, all or none; None for a point that is not on the curve.

        Where one cannot be signed none is, and none is counted. The same output has the same
        answer every time.

        Raises:
            SigningStopped: The count of a denomination stands at its limit.
        """

    async def sign_again(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Repeat signatures that were given before (NUT-09), without counting them anew."""

    async def rotate(self, unit: str, *, final_expiry: int) -> Keyset:
        """Begin a new keyset for a unit; the one before signs no more."""


class SigningStopped(Exception):  # noqa: N818 - a state of the signatory, told as a refusal
    """A denomination was signed as often as its limit allows; an operator must look."""
