"""How often each denomination has signed, and where it stops.

A signature costs no write: a process takes a block of the count in advance, written durably
before the first signature of the block is made, and signs from it. After a crash what was left of
the block counts as signed, so a count may be too high (by at most a block a process), never too
low. Near the limit the blocks become small, so that processes share what is left. A process that
stops in order gives back what it did not use.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from amana.purse.signatory.store import Store

BLOCK: Final = 256
_SHARES: Final = 16


class Denomination(NamedTuple):
    """One key of one keyset."""

    keyset: int
    amount: int

    def __str__(self) -> str:
        return f"{self.keyset}:{self.amount}"


class Counts:
    """One process's share of the counts."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._left: Counter[Denomination] = Counter()

    def take(self, wanted: Mapping[Denomination, int], limits: Mapping[Denomination, int]) -> bool:
        """Count signatures before they are made; False, and none counted, where a limit is met."""
        left = self._left
        short = {each: n - left[each] for each, n in wanted.items() if n > left[each]}
        if short and not self._fetch(short, limits):
            return False
        for each, n in wanted.items():
            left[each] -= n
        return True

    def untake(self, unwanted: Mapping[Denomination, int]) -> None:
        """Count no more what was taken and told to nobody.

        Another process may have counted it, so what gathers here beyond two blocks is returned.
        """
        self._left.update(unwanted)
        if any(self._left[each] > 2 * BLOCK for each in unwanted):
            self.give_back()

    def give_back(self) -> None:
        """Return what is left of the blocks."""
        left = +self._left
        self._left.clear()
        if left:
            self._store.change_counts(
                lambda counts: {**counts, **{str(d): counts[str(d)] - n for d, n in left.items()}}
            )

    def _fetch(self, short: Mapping[Denomination, int], limits: Mapping[Denomination, int]) -> bool:
        granted: dict[Denomination, int] = {}

        def grant(counts: dict[str, int]) -> dict[str, int]:
            for each, needed in short.items():
                rest = limits[each] - counts.get(str(each), 0)
                if rest < needed:
                    granted.clear()
                    return counts
                granted[each] = max(needed, min(BLOCK, rest // _SHARES))
            new = {str(each): counts.get(str(each), 0) + n for each, n in granted.items()}
            return {**counts, **new}

        self._store.change_counts(grant)
        self._left.update(granted)
        return bool(granted)
