"""The signatory's work in the caller's own process: for tests and simulated worlds."""

from collections.abc import Sequence
from typing import Self

from amana.kernel import Clock, Unavailable
from amana.purse.keysets import KeysetPlan
from amana.purse.model import Keyset
from amana.purse.ports import Blank, Claim, Exchanged, Signed
from amana.purse.signatory.store import MemoryStore, Store
from amana.purse.signatory.vault import KeysetRetired, Vault


class InProcessSignatory:
    """A `Signatory` without a process of its own. Production uses `SignatoryPool`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._vault = Vault(store, clock)

    @classmethod
    def fresh(cls, seed: bytes, plans: Sequence[KeysetPlan], clock: Clock) -> Self:
        """Make one in memory, with a keyset for each plan."""
        signatory = cls(MemoryStore(seed), clock)
        for plan in plans:
            signatory._vault.begin(plan)
        return signatory

    def keysets(self) -> tuple[Keyset, ...]:
        """Return the list of keysets, oldest first."""
        return self._vault.keysets()

    async def verify(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; answer each with its nullifier, or None where it is false."""
        return self._vault.check(claims)

    async def verify_later(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; here nothing waits."""
        return self._vault.check(claims)

    async def verify_revoked(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs of revoked keysets."""
        return self._vault.check_revoked(claims)

    async def exchange(self, claims: Sequence[Claim], blanks: Sequence[Blank]) -> Exchanged:
        """Check proofs, and sign outputs for them if every one is good.

        Raises:
            SigningStopped: The count of a denomination stands at its limit.
            Unavailable: A keyset has just retired; the list says so now.
        """
        try:
            return self._vault.exchange(claims, blanks)
        except KeysetRetired as retired:
            raise Unavailable(str(retired)) from None

    async def give_back(self, blanks: Sequence[Blank]) -> None:
        """Count signatures no more that were made and never told to anybody."""
        self._vault.give_back(blanks)

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs, all or none.

        Raises:
            SigningStopped: The count of a denomination stands at its limit.
            Unavailable: A keyset has just retired; the list says so now.
        """
        try:
            return self._vault.sign(blanks)
        except KeysetRetired as retired:
            raise Unavailable(str(retired)) from None

    async def sign_again(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Repeat signatures that were given before, without counting them anew."""
        return self._vault.sign_again(blanks)

    async def rotate(self, unit: str, *, final_expiry: int) -> Keyset:
        """Begin a new keyset for a unit; the one before signs no more."""
        return self._vault.rotate(unit, final_expiry)

    async def revoke(self, number: int) -> None:
        """Let a keyset whose key may be in other hands check and sign no more."""
        self._vault.revoke(number)

    async def set_limit(self, number: int, signatures_max: int) -> None:
        """Let a keyset sign more, or less, of each denomination."""
        self._vault.set_limit(number, signatures_max)
