"""Ending keysets: when no way takes their proofs any more, and a day on, their rows are dropped.

Two steps, each safe to repeat. First the counts of a keyset are set apart: from that commit on its
proofs are refused by the books themselves, whatever clock or settings say later, because the rows
that tell a spent proof from an unspent one are about to go. Then the rows go, a few at a time: the
tables are read once from end to end in the order of their random keys, and no index by keyset
makes each swap dearer for it.

The counts stay: what was signed and never brought back is owed as before. No term of ours lets it
lapse; whether it may is a matter of law, and not for the software.
"""

from collections.abc import Callable, Sequence
from typing import Final

from amana.kernel import DAY_NS, SECOND_NS, Clock
from amana.purse.ending.ports import EndingStorage
from amana.purse.keysets import ended
from amana.purse.model import Keyset

_DAY_S: Final = DAY_NS // SECOND_NS
_TABLES: Final = ("purse_spent", "purse_signed")


class Ending:
    """The use case, over ports."""

    def __init__(
        self,
        store: EndingStorage,
        *,
        keysets: Callable[[], Sequence[Keyset]],
        unit: str,
        grace_s: int,
        clock: Clock,
    ) -> None:
        """Join the ports.

        Args:
            store: The counts and the rows.
            keysets: The list as it stands.
            unit: The unit of the operator's e-cash.
            grace_s: Seconds after its expiry in which a keyset's proofs are still taken somewhere.
            clock: The time.
        """
        self._store = store
        self._keysets = keysets
        self._unit = unit
        self._grace_s = grace_s
        self._clock = clock

    async def carry_out(self) -> Sequence[int]:
        """End what is to end and drop what is left of it; return the keysets that are gone.

        Raises:
            Unavailable: Storage is gone; the next turn goes on.
        """
        now_s, grace_s = self._clock.now() // SECOND_NS, self._grace_s + _DAY_S
        over = ended(self._keysets(), self._unit, now_s=now_s, grace_s=grace_s)
        if over:
            await self._store.end([keyset.number for keyset in over])
        left = await self._store.ended()
        if left:
            for table in _TABLES:
                await self._drop(table, left)
            await self._store.dropped(left)
        return left

    async def _drop(self, table: str, keysets: Sequence[int]) -> None:
        after: bytes | None = b""
        while after is not None:
            after = await self._store.drop_some(table, keysets, after)
