"""Linked items: a chain of them stands or falls together."""

from collections.abc import Callable
from typing import Generic, TypeVar

from amana.ledger.model import Account, AccountResult, Transfer, TransferResult
from amana.ledger.rules._books import LINKED, Books, Mark

ItemT = TypeVar("ItemT", Account, Transfer)
ResultT = TypeVar("ResultT", AccountResult, TransferResult)


class Run(Generic[ItemT, ResultT]):
    """One walk over a batch, an item at a time."""

    def __init__(
        self,
        books: Books,
        results: list[ResultT],
        size: int,
        *,
        create: Callable[[Books, ItemT, int], ResultT],
        failed: Callable[[int], ResultT],
        chain_open: Callable[[int], ResultT],
    ) -> None:
        self._books = books
        self._results: list[ResultT] = results
        self._last_position = size - 1
        self._create: Callable[[Books, ItemT, int], ResultT] = create
        self._failed: Callable[[int], ResultT] = failed
        self._chain_open: Callable[[int], ResultT] = chain_open
        self._start: int | None = None
        self._mark: Mark | None = None
        self._is_broken = False

    def step(self, item: ItemT, timestamp: int) -> bool:
        """Decide the next item of the batch and add its result.

        Returns:
            Whether the next item belongs to the same chain.
        """
        results = self._results
        is_linked = bool(int(item.flags) & LINKED)
        if is_linked and self._start is None:
            self._start = len(results)
            self._mark = self._books.mark()
        if is_linked and len(results) == self._last_position:
            result = self._chain_open(timestamp)
            is_linked = False
        elif self._is_broken:
            result = self._failed(timestamp)
        else:
            result = self._create(self._books, item, timestamp)
        if result.status and self._start is not None and not self._is_broken:
            self._break(self._start)
        results.append(result)
        if not is_linked:
            self._start = None
            self._is_broken = False
        return is_linked

    def _break(self, start: int) -> None:
        """Undo the chain so far and say so in the results already written."""
        assert self._mark is not None, "a chain begins with a mark"
        self._is_broken = True
        self._books.undo_to(self._mark)
        self._results[start:] = [self._failed(result.timestamp) for result in self._results[start:]]
