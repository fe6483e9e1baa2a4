"""What whoever holds revoked e-cash shows."""

from typing import NamedTuple

from amana.purse.model import Proof


class Issued(NamedTuple):
    """A proof with the factor its secret was blinded with: 32 bytes, from 1 to the order less one.

    The two give B_, the point that the mint once signed. Whoever took the proof from somebody else
    and did not swap it has no factor, unless it came with the proof.
    """

    proof: Proof
    factor: bytes
