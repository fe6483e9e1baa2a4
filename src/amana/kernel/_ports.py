"""What every room needs from outside: the time, chance, and the word for not knowing."""

from typing import Protocol

from amana.kernel._instants import Instant


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Instant:
        """Return the present instant."""


class Chance(Protocol):
    """Gives random bytes that nobody can guess."""

    def draw(self, count: int) -> bytes:
        """Return `count` random bytes."""


class Unavailable(Exception):  # noqa: N818 - it names a state of the world, not a mistake
    """Something outside failed, and whether the work was done is not known.

    The caller asks again with the same id.
    """
