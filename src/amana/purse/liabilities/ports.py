"""What making a statement needs from outside."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from amana.purse.liabilities.model import Facts

FactsReader = Callable[[], Awaitable[Facts]]
"""Reads the books at one moment: all facts from the same commit."""


class Statements(Protocol):
    """Keeps what was published."""

    def last(self) -> tuple[int, bytes] | None:
        """Return the newest statement with its day."""

    async def put(self, day: int, statement: bytes) -> None:
        """Keep a statement, durably; the first of a day stands."""
