"""The one writer without a clock or a loop: turns and commits when the scheduler says so."""

import sqlite3
from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol

import msgspec

from amana.kernel import Unavailable
from amana.storage import Handler, Participant, WriterCore


class Core(Protocol):
    """What a writer drives: the storage room's WriterCore, or one in memory."""

    is_open: bool

    def join(self, participant: Participant) -> None:
        """Tell a participant of every commit and rollback from now on."""

    def begin(self) -> None:
        """Open a commit group, if none is open."""

    def apply(self, handler: Handler, items: Sequence[Any]) -> Sequence[Any]:
        """Hand items to their handler within the open group."""

    def commit(self) -> None:
        """Make everything applied durable."""

    def rollback(self) -> None:
        """Undo everything since the last commit."""


class Staged(Protocol):
    """Rows in memory that become durable together."""

    def flush(self) -> None:
        """Make durable what was written."""

    def discard(self) -> None:
        """Forget what was written since the last flush."""


class MemoryCore:
    """Commit groups over rows in memory, in the order of steps that WriterCore has."""

    def __init__(self, *stores: Staged) -> None:
        self.is_open = False
        self._stores = stores
        self._participants: list[Participant] = []

    def join(self, participant: Participant) -> None:
        """Tell a participant of every commit and rollback from now on."""
        self._participants.append(participant)

    def begin(self) -> None:
        """Open a commit group, if none is open."""
        self.is_open = True

    def apply(self, handler: Handler, items: Sequence[Any]) -> Sequence[Any]:
        """Hand items to their handler within the open group."""
        self.is_open = True
        answers: Sequence[Any] = handler(items)
        assert len(answers) == len(items), "a handler answers each item"
        return answers

    def commit(self) -> None:
        """Make everything applied durable."""
        for participant in self._participants:
            participant.before_commit()
        for store in self._stores:
            store.flush()
        self.is_open = False
        for participant in self._participants:
            participant.after_commit()

    def rollback(self) -> None:
        """Undo everything since the last commit."""
        self.is_open = False
        for store in self._stores:
            store.discard()
        for participant in self._participants:
            participant.after_rollback()


class Ticket:
    """What a coroutine waits for. Whoever resolves it says so to `wake`."""

    __slots__ = ("answer", "failure", "is_done", "wake")

    def __init__(self) -> None:
        self.answer: Any = None
        self.failure: Exception | None = None
        self.is_done = False
        self.wake: Callable[[], None] | None = None

    def __await__(self) -> Generator["Ticket", None, Any]:
        if not self.is_done:
            yield self
        if self.failure is not None:
            raise self.failure
        return self.answer

    def resolve(self, answer: Any) -> None:  # noqa: ANN401 - the handler's own types
        """Give the answer."""
        self.answer = answer
        self._finish()

    def fail(self, failure: Exception | None = None) -> None:
        """Say why there is no answer: that the outcome is not known, where nothing else is said."""
        self.failure = failure or Unavailable("the group was lost")
        self._finish()

    def _finish(self) -> None:
        self.is_done = True
        if self.wake is not None:
            self.wake()


class _Alone(msgspec.Struct, frozen=True):
    """Runs each unit of work by itself within the open group."""

    core: WriterCore

    def __call__(self, works: Sequence[Callable[[sqlite3.Connection], Any]]) -> list[Any]:
        return [self.core.apply_alone(work) for work in works]


class SimWriter:
    """Gathers units of work into commit groups, as the product's writer does."""

    def __init__(
        self, core: Core, gate: Callable[["SimWriter"], None], *, is_durable_at_once: bool
    ) -> None:
        """Drive a core.

        Args:
            core: What applies and commits.
            gate: Called before each submission; raises Unavailable where the call is lost.
            is_durable_at_once: Whether an answer waits until it is durable, as it must where the
                ledger commits on its own.
        """
        self.core = core
        self.losses = 0
        """Groups lost so far: whoever began before the last of them builds on what is gone."""
        self.is_durable_at_once = is_durable_at_once
        self._gate = gate
        self._waiting: list[tuple[Handler, Any, Ticket]] = []
        self._durable_waiters: list[Ticket] = []

    @property
    def can_turn(self) -> bool:
        """Whether work waits."""
        return bool(self._waiting)

    @property
    def can_commit(self) -> bool:
        """Whether a group is open."""
        return self.core.is_open

    async def submit(self, handler: Handler, item: Any) -> Any:  # noqa: ANN401 - the handler's own types
        """Hand one item to a handler; answer when it is applied."""
        answer = await self.apply(handler, item)
        if self.is_durable_at_once:
            await self.durable()
        return answer

    async def apply(self, handler: Handler, item: Any) -> Any:  # noqa: ANN401 - the handler's own types
        """Hand one item to a handler; answer when it is applied, durable or not."""
        self._gate(self)
        ticket = Ticket()
        self._waiting.append((handler, item, ticket))
        return await ticket

    async def durable(self) -> None:
        """Wait until everything applied so far is durable."""
        self._gate(self)
        if self.core.is_open:
            ticket = Ticket()
            self._durable_waiters.append(ticket)
            await ticket

    async def run(self, work: Callable[[sqlite3.Connection], Any]) -> Any:  # noqa: ANN401 - the work's own answer
        """Run one unit of work; answer when it is durable."""
        core = self.core
        assert isinstance(core, WriterCore), "a unit of work needs a database"
        answer = await self.submit(_Alone(core), work)
        await self.durable()
        return answer

    def turn(self) -> None:
        """Hand everything that waits to its handlers, each kind as one batch."""
        waiting, self._waiting = self._waiting, []
        groups: dict[Handler, list[tuple[Any, Ticket]]] = {}
        for handler, item, ticket in waiting:
            groups.setdefault(handler, []).append((item, ticket))
        for handler, entries in groups.items():
            answers = self.core.apply(handler, [item for item, _ in entries])
            for (_, ticket), answer in zip(entries, answers, strict=True):
                ticket.resolve(answer)

    def commit(self) -> None:
        """Make the open group durable and say so to whoever waits."""
        self.core.commit()
        waiters, self._durable_waiters = self._durable_waiters, []
        for waiter in waiters:
            waiter.resolve(None)

    def lose(self) -> None:
        """Lose the open group, and tell everybody who waits that the outcome is not known."""
        self.losses += 1
        self.core.rollback()
        tickets = [ticket for _, _, ticket in self._waiting] + self._durable_waiters
        self._waiting, self._durable_waiters = [], []
        for ticket in tickets:
            ticket.fail()
