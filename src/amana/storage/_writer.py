"""The one writer of a data folder, driven by the event loop in the loop's own thread.

Rules that make early answers safe:

- `submit` answers when the item is applied, before it is durable. Whoever tells anybody outside,
  or does anything outside, awaits `durable` first.
- If a group fails, everything applied in it fails for everybody who waits, and the writer refuses
  for `REFUSAL_S` seconds: long enough that every coroutine that holds an answer of the lost group
  meets the refusal at its next step and stops, instead of building on what is no longer there.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import Any, Final, TypeVar

from amana.kernel import Unavailable
from amana.storage._core import Handler, Participant, WriterCore

GROUP_TURNS_MAX: Final = 12
"""Turns a commit group may take while new work keeps coming: enough for the five of a payment from
the purse, and for those that arrive while the first ones take theirs."""

REFUSAL_S: Final = 1.0
"""Seconds of refusal after a failed group."""

_T = TypeVar("_T")
_log: Final = logging.getLogger("amana.storage")

REFUSAL_TEXT: Final = (
    "The data folder could not be written, so nothing was done. "
    "Free disk space or mend the disk; then ask again with the same id."
)


class Writer:
    """Gathers units of work of all rooms into shared commits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._core = WriterCore(connection)
        self._waiting: list[tuple[Handler | None, Any, asyncio.Future[Any]]] = []
        self._durable_waiters: list[asyncio.Future[None]] = []
        self._is_scheduled = False
        self._is_refusing = False
        self._turns = 0
        self._listeners: list[Callable[[], None]] = []

    @property
    def is_refusing(self) -> bool:
        """Whether the last group failed and new work is refused for the moment."""
        return self._is_refusing

    def join(self, participant: Participant) -> None:
        """Tell a participant of every commit and rollback from now on."""
        self._core.join(participant)

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call a listener after each commit."""
        self._listeners.append(listener)

    async def submit(self, handler: Handler, item: Any) -> Any:  # noqa: ANN401 - the handler's own types
        """Hand one item to a handler; answer when it is applied, not yet durable.

        Raises:
            Unavailable: Storage failed; nothing was done, or what was done is undone.
        """
        return await self._enqueue(handler, item)

    async def run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run one unit of work; answer when it is durable.

        Raises:
            Unavailable: Storage failed; nothing was done.
            Whatever `work` raises; its changes are undone.
        """
        answer: _T = await self._enqueue(None, work)
        await self.durable()
        return answer

    async def durable(self) -> None:
        """Wait until everything applied so far is durable.

        Raises:
            Unavailable: It was lost; ask again with the same ids.
        """
        if self._is_refusing:
            raise Unavailable(REFUSAL_TEXT)
        if not self._core.is_open:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._durable_waiters.append(waiter)
        await waiter

    async def carry_over(self) -> bool:
        """Carry the log into the file and empty it, so that what was deleted stands in neither.

        Returns:
            Whether it is empty. It is not while somebody reads what stands in it: the loop does not
            stand still for that; ask again soon.
        """
        while self._core.is_open:
            await self.durable()
        connection = self._core.connection
        (patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout = {patience_ms}")
        return not is_busy

    def _enqueue(self, handler: Handler | None, item: Any) -> asyncio.Future[Any]:  # noqa: ANN401
        if self._is_refusing:
            raise Unavailable(REFUSAL_TEXT)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._waiting.append((handler, item, future))
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._step)
        return future

    def _step(self) -> None:
        """Take a turn while work waits and the group is small; else commit."""
        try:
            if self._waiting and self._turns < GROUP_TURNS_MAX:
                self._turn()
            else:
                self._commit()
        except Exception as failure:  # noqa: BLE001 - the edge of the storage: whatever failed, the group is lost
            self._fail(failure)
            return
        if self._waiting or self._core.is_open:
            asyncio.get_running_loop().call_soon(self._step)
        else:
            self._is_scheduled = False

    def _turn(self) -> None:
        self._core.begin()
        self._turns += 1
        waiting, self._waiting = self._waiting, []
        try:
            self._hand_out(waiting)
        except Exception:
            # Whoever has no answer yet waits on, so that the failure is told to all of them.
            self._waiting = [entry for entry in waiting if not entry[2].done()] + self._waiting
            raise

    def _hand_out(self, waiting: list[tuple[Handler | None, Any, asyncio.Future[Any]]]) -> None:
        groups: dict[Handler, tuple[list[Any], list[asyncio.Future[Any]]]] = {}
        for handler, item, future in waiting:
            if handler is None:
                self._turn_alone(item, future)
                continue
            group = groups.get(handler)
            if group is None:
                group = groups[handler] = ([], [])
            group[0].append(item)
            group[1].append(future)
        for handler, (items, futures) in groups.items():
            for future, answer in zip(futures, self._core.apply(handler, items), strict=True):
                if not future.done():
                    future.set_result(answer)

    def _turn_alone(self, work: Any, future: asyncio.Future[Any]) -> None:  # noqa: ANN401
        try:
            answer = self._core.apply_alone(work)
        except sqlite3.OperationalError:
            raise  # the disk's failure, not the unit's
        except Exception as refusal:  # noqa: BLE001 - the unit's own failure belongs to its caller
            if not future.done():
                future.set_exception(refusal)
        else:
            if not future.done():
                future.set_result(answer)

    def _commit(self) -> None:
        self._turns = 0
        self._core.commit()
        waiters, self._durable_waiters = self._durable_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        for listener in self._listeners:
            listener()

    def _fail(self, failure: Exception) -> None:
        """Undo the group, tell everybody who waits, and refuse for a while."""
        _log.error("storage_failed kind=%s reason=%s", type(failure).__name__, failure)
        self._is_refusing = True
        self._is_scheduled = False
        self._turns = 0
        waiting, self._waiting = self._waiting, []
        futures: list[asyncio.Future[Any]] = [future for _, _, future in waiting]
        futures += self._durable_waiters
        self._durable_waiters = []
        for future in futures:
            if not future.done():
                future.set_exception(Unavailable(REFUSAL_TEXT))
        self._undo()

    def _undo(self) -> None:
        """Roll back, then accept after the refusal; where even that fails, refuse and try again."""
        loop = asyncio.get_running_loop()
        try:
            self._core.rollback()
        except Exception as failure:  # noqa: BLE001 - a broken disk fails in many ways; it may be mended
            _log.error("storage_undo_failed kind=%s reason=%s", type(failure).__name__, failure)
            loop.call_later(REFUSAL_S, self._undo)
        else:
            loop.call_later(REFUSAL_S, self._accept)

    def _accept(self) -> None:
        self._is_refusing = False
