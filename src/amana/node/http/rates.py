"""How often a stranger may ask: counted in memory for a minute, and forgotten."""

from typing import Final

from amana.kernel import MINUTE_NS, Instant
from amana.node.problems import ProblemRaised

CEREMONIES_A_MINUTE: Final = 120
"""Sign-up and sign-in ceremonies begun from one address in one minute."""

_ADDRESSES_MAX: Final = 100_000


class Rates:
    """Counts of the present minute by address; nothing of it is written anywhere."""

    def __init__(self, a_minute_max: int = CEREMONIES_A_MINUTE) -> None:
        self._a_minute_max = a_minute_max
        self._minute = 0
        self._counts: dict[str, int] = {}

    def count(self, address: str, now: Instant) -> None:
        """Count one question, or refuse it.

        Raises:
            ProblemRaised: The address asked too often in this minute.
        """
        minute = now // MINUTE_NS
        if minute != self._minute or len(self._counts) > _ADDRESSES_MAX:
            self._minute = minute
            self._counts.clear()
        asked = self._counts[address] = self._counts.get(address, 0) + 1
        if asked > self._a_minute_max:
            raise ProblemRaised("too-many-requests", "Nothing was done. Try again in a minute.")
