"""What ending keysets needs from outside."""

from collections.abc import Sequence
from typing import Protocol


class EndingStorage(Protocol):
    """Keeps counts and rows; each step is one unit, durable when it returns."""

    async def end(self, keysets: Sequence[int]) -> None:
        """Set the counts of some keysets apart, for ever: nothing of them is spent from here on.

        Of a keyset that has none, or was ended before, nothing is changed.
        """

    async def ended(self) -> Sequence[int]:
        """Return the keysets that were ended and still may have rows."""

    async def drop_some(self, table: str, keysets: Sequence[int], after: bytes) -> bytes | None:
        """Drop the rows of these keysets among the next few of a table.

        Args:
            table: `purse_spent`, whose shown witnesses go along, or `purse_signed`.
            keysets: Keysets that were ended.
            after: The key of the row to go on behind; empty at the beginning.
        Returns:
            Where to go on; None at the table's end.
        """

    async def dropped(self, keysets: Sequence[int]) -> None:
        """Note that no row of these keysets is left."""
