"""What access to the mint needs from outside."""

from typing import NamedTuple, Protocol

from amana.kernel import AmanaId, Instant


class SpentKey(NamedTuple):
    """What a used blind token is known by: its keyset's number and its nullifier."""

    keyset: int
    nullifier: bytes


class ClearTokens(Protocol):
    """Reads clear tokens (NUT-21)."""

    def party_of(self, token: str, now: Instant) -> AmanaId | None:
        """Return the customer a token speaks for; None where it is not good, or they left."""


class AuthReader(Protocol):
    """Looks up what is committed."""

    def is_spent(self, token: SpentKey) -> bool:
        """Say whether a blind token was used."""

    def given(self, party: AmanaId, day: int) -> int:
        """Return how many blind tokens a customer was given on a day."""


class AuthWriter(Protocol):
    """Changes, durable when they return."""

    async def spend(self, token: SpentKey) -> bool:
        """Note that a blind token is used; False where it was before."""

    async def count(self, party: AmanaId, *, day: int, tokens: int, a_day: int) -> bool:
        """Count tokens given out today, at most so many a day; False where nothing was counted.

        What was counted on days before is forgotten, everybody's.
        """

    async def forget_spent(self, keyset: int) -> int:
        """Forget some used tokens of a keyset that has ended; return how many, 0 at the end."""

    async def forget_counts(self, *, before: int) -> None:
        """Forget what was counted on days before this one."""
