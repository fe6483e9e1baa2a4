"""What the mint needs of a curve, so that keysets of another curve can stand beside these."""

from typing import Protocol

from amana.purse.ports import Signed


class MintKey(Protocol):
    """One private key of the mint: it signs outputs and checks proofs. It never shows itself."""

    @property
    def public(self) -> bytes:
        """The public key, compressed."""

    def check(self, secret: bytes, point: bytes) -> bytes | None:
        """Check a proof; return its nullifier, or None where the signature is false."""

    def sign(self, parsed: object) -> Signed:
        """Sign an output that `Curve.parse` understood, with its DLEQ proof.

        The same output always gets the same answer.
        """


class Curve(Protocol):
    """A group in which blind signatures are made."""

    def parse(self, point: bytes) -> object | None:
        """Understand a compressed point; None where it is not on the curve."""

    def key(self, scalar: bytes) -> MintKey:
        """Hold a private key: 32 bytes, from 1 to the order of the group less one."""

    def is_scalar(self, scalar: bytes) -> bool:
        """Say whether 32 bytes can be a private key."""
