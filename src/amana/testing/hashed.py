"""A signatory without a curve, for towns of people: what is stored is real, the numbers are hashes.

A proof's point is a keyed hash of its secret, so whoever holds this object can make proofs; nothing
here hides anything from anybody. It has no place where money is.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from amana.purse.keysets import AUTH_UNIT
from amana.purse.model import Keyset, Proof
from amana.purse.ports import Blank, Claim, Exchanged, Signed

_KEY: Final = b"a key that protects nothing"
_EVEN: Final = b"\x02"


class HashedSignatory:
    """The port `Signatory`, answered by hashes."""

    def __init__(self, unit: str, amounts: Sequence[int], *, final_expiry: int) -> None:
        """Make a keyset of money, and one of blind tokens.

        Args:
            unit: The unit of money.
            amounts: Its denominations.
            final_expiry: When both end, in seconds since 1970.
        """
        plans = ((unit, amounts), (AUTH_UNIT, (1,)))
        self._listed = tuple(
            Keyset(
                number=number,
                id="01" + _hash(b"id", of.encode()).hex(),
                unit=of,
                is_active=True,
                input_fee_ppk=0,
                final_expiry=final_expiry,
                keys={amount: _EVEN + _hash(b"key", amount.to_bytes(8)) for amount in listed},
            )
            for number, (of, listed) in enumerate(plans)
        )

    def keysets(self) -> tuple[Keyset, ...]:
        """Return the keyset of money, and that of blind tokens."""
        return self._listed

    async def verify(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs."""
        return [
            _hash(b"nullifier", claim.secret)
            if hmac.compare_digest(claim.point, _point(claim.keyset, claim.amount, claim.secret))
            else None
            for claim in claims
        ]

    async def verify_later(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; here nothing waits."""
        return await self.verify(claims)

    async def exchange(self, claims: Sequence[Claim], blanks: Sequence[Blank]) -> Exchanged:
        """Check proofs, and answer outputs if every one is good."""
        nullifiers = await self.verify(claims)
        return Exchanged(nullifiers, [] if None in nullifiers else await self.sign(blanks))

    async def give_back(self, blanks: Sequence[Blank]) -> None:
        """Count nothing, as always."""

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Answer each output."""
        return [
            Signed(
                _point(blank.keyset, blank.amount, blank.point),
                _hash(b"e", blank.point),
                _hash(b"s", blank.point),
            )
            for blank in blanks
        ]

    async def sign_again(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Answer as before."""
        return await self.sign(blanks)

    async def rotate(self, unit: str, *, final_expiry: int) -> Keyset:
        """Refuse: there is one keyset of each unit.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"a town has one keyset of {unit} until {final_expiry}")

    def proof(self, amount: int, secret: str) -> Proof:
        """Make a proof of money, as unblinding would."""
        return self._proof(self._listed[0], amount, secret)

    def token(self, secret: str) -> Proof:
        """Make a blind token, as unblinding would."""
        return self._proof(self._listed[1], 1, secret)

    def _proof(self, keyset: Keyset, amount: int, secret: str) -> Proof:
        return Proof(keyset.id, amount, secret, _point(keyset.number, amount, secret.encode()))


def _point(keyset: int, amount: int, text: bytes) -> bytes:
    return _EVEN + _hash(b"point", keyset.to_bytes(8) + amount.to_bytes(8) + text)


def _hash(what: bytes, text: bytes) -> bytes:
    return hmac.digest(_KEY, what + b"\0" + text, hashlib.sha256)
