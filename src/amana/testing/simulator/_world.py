"""One world: a seed that decides everything that happens in it."""

import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import ClassVar, Final

from amana.events import Event
from amana.kernel import (
    DAY_NS,
    HOUR_NS,
    MILLISECOND_NS,
    MINUTE_NS,
    AmanaId,
    Instant,
    Unavailable,
)
from amana.kernel.limits import HOLD_LIFE_MS
from amana.testing.simulator._clients import Clients, Operation, draw_parties
from amana.testing.simulator._faults import (
    CALM,
    draw_faults,
)
from amana.testing.simulator._node import Answer, Ask, Asked, Node, Parts, PurseStores
from amana.testing.simulator._sqlite import SqliteStores
from amana.testing.simulator._stores import Form, MemoryStores, Stored, Stores, chart
from amana.testing.simulator._told import audit_durable
from amana.testing.simulator._trace import say_answer, say_request
from amana.testing.simulator._violation import Violation
from amana.testing.simulator._writer import SimWriter, Ticket

BEGINS_AT: Final = Instant(1_800_000_000_000 * MILLISECOND_NS)
_JUMPS_NS: Final = (40_000 * MILLISECOND_NS, 16 * MINUTE_NS, 6 * HOUR_NS, DAY_NS, 8 * DAY_NS)
_BACK_NS: Final = (MILLISECOND_NS, MINUTE_NS, 7 * HOUR_NS, 2 * DAY_NS)
_CONCURRENCY: Final = (1, 8)
_COMMITS_OFTEN: Final = (0.05, 0.3, 1.0)
"""Chance per step that an open group may be committed: rare commits make large groups."""
_STEPS_MAX: Final = 20_000
"""Steps within which a calm world must have concluded everything; some hundred are enough."""
_FEED_PAGE: Final = 3

Trace = Callable[[str], None]


class StuckError(AssertionError):
    """Faults have stopped, and yet the world does not come to rest."""


class SimClock:
    """Time as the world decides it."""

    def __init__(self) -> None:
        self.instant: int = BEGINS_AT
        self.latest: int = BEGINS_AT

    def pass_by(self, duration_ns: int) -> None:
        """Let time pass, or set the clock back."""
        self.instant += duration_ns
        self.latest = max(self.latest, self.instant)

    def now(self) -> Instant:
        """Return the present instant."""
        return Instant(self.instant)


class SimChance:
    """Randomness that repeats with the seed."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def draw(self, count: int) -> bytes:
        """Return `count` bytes."""
        return self._source.randbytes(count)


class _Task:
    """One attempt at an operation, as the node works on it."""

    __slots__ = ("coroutine", "is_dead", "losses", "operation", "ticket")

    def __init__(
        self, coroutine: Coroutine[Ticket, None, Answer], operation: Operation, losses: int
    ) -> None:
        self.coroutine = coroutine
        self.operation = operation
        self.losses = losses
        self.ticket: Ticket | None = None
        self.is_dead = False


class World:
    """Clients, a node, its stores, a clock and a network, all driven by one seed."""

    operations: ClassVar[tuple[int, int]] = (8, 48)
    """The fewest and the most operations that clients begin."""

    def __init__(
        self,
        seed: int,
        *,
        parts: Parts,
        form: Form,
        trace: Trace | None = None,
    ) -> None:
        self._chance = chance = random.Random(seed)  # noqa: S311 - a world must repeat
        self._parts = parts
        self._trace = trace
        self.form = form
        self.clock = SimClock()
        self.parties = draw_parties(chance)
        self.faults = draw_faults(chance)
        self.clients = self._draw_clients()
        self.counts: Counter[str] = Counter()
        self._operations_left = chance.randint(*self.operations)
        self._concurrency = chance.randint(*_CONCURRENCY)
        self._commits_often = chance.choice(_COMMITS_OFTEN)
        self._tasks: dict[_Task, None] = {}
        self._runnable: list[_Task] = []
        self._current: _Task | None = None
        self._to_retry: list[Operation] = []
        self.violations: list[Violation] = []
        """Promises that were broken on the way."""
        self.told_live: list[Event] = []
        self.filled: list[Operation] = []
        self.followed: dict[AmanaId, list[Event]] = {party: [] for party in self.parties}
        self.stores = self._make_stores()
        self._is_separate = form is Form.SEPARATE
        if self._is_separate:
            self._ledger_writer = SimWriter(
                self.stores.ledger_core, self._gate, is_durable_at_once=True
            )
        self._start_node()

    # What worlds of other kinds add

    def _draw_clients(self) -> Clients:
        """Draw who lives here."""
        return Clients(self._chance, self.parties, self.faults)

    def _purse_stores(self) -> PurseStores | None:
        """Return what a node's purse stands on, where there are purses."""
        return None

    def _more_options(self) -> list[Callable[[], None]]:
        """Return what else the scheduler can do now."""
        return []

    def _more_misfortune(self, draw: float) -> None:
        """Let something else happen that nobody asked for."""

    def _calm_more(self) -> None:
        """Let nothing else go wrong from now on."""

    def _settle_more(self) -> None:
        """Bring to its end what else is under way."""

    def audit_more(self, stored: Stored) -> Iterable[Violation]:
        """Judge at the end what else there is."""
        del stored
        return ()

    def _look_at_wreck(self) -> list[Violation]:
        """Look at what a crash left: unfinished at most, never wrong."""
        return self.stores.second_opinion() if self.form is Form.SQLITE else []

    def _make_stores(self) -> Stores:
        accounts, now = chart(self.parties), self.clock.now()
        chance = SimChance(self._chance)
        if self.form is Form.SQLITE:
            return SqliteStores(accounts=accounts, chance=chance, now=now)
        return MemoryStores(self._parts, accounts=accounts, chance=chance, now=now, form=self.form)

    def _note(self, kind: str, more: object = "") -> None:
        self.counts[kind] += 1
        if self._trace is not None:
            passed_ms = (self.clock.instant - BEGINS_AT) // MILLISECOND_NS
            self._trace(f"{passed_ms:>12,} ms  {kind:<14} {more}".rstrip())

    # The node's life

    def _start_node(self) -> None:
        self._writer = SimWriter(self.stores.core, self._gate, is_durable_at_once=self._is_separate)
        if not self._is_separate:
            self._ledger_writer = self._writer
        self.node = Node(
            self._parts,
            writer=self._writer,
            ledger_writer=self._ledger_writer,
            engine=self.stores.engine,
            rows=self.stores.rows,
            event_rows=self.stores.event_rows,
            parties=self.parties,
            clock=self.clock,
            chance=SimChance(self._chance),
            purse=self._purse_stores(),
        )

    def _crash(self) -> None:
        """Drop every coroutine and all that is not durable; start again and recover."""
        self._note("crash")
        tasks, self._tasks = self._tasks, {}
        self._runnable = []
        for task in tasks:
            self._drop(task)
        self.stores.crash()
        self.violations += self._look_at_wreck()
        self._start_node()
        self._attempt(self.clients.add(self.clients.recovery()))

    def _gate(self, writer: SimWriter) -> None:
        """Lose a port call before its effect; stop whoever builds on a lost group."""
        task = self._current
        assert task is not None, "only a task calls a port"
        if writer is self._writer and task.losses != writer.losses:
            raise Unavailable("storage failed a moment ago")
        if self._chance.random() < self.faults.lost_before:
            self._note("lost_before", f"#{task.operation.number}")
            raise Unavailable("the call was lost")
        assert writer is self._writer or writer is self._ledger_writer, "a dead node calls nobody"

    # Attempts

    def _attempt(self, operation: Operation) -> None:
        """Send an operation's request to the node."""
        operation.send()
        if self._chance.random() < self.faults.request_lost:
            self._note("request_lost", f"#{operation.number}")
            self._failed(operation)
            return
        task = _Task(self.node.serve(operation.request), operation, self._writer.losses)
        self._tasks[task] = None
        self._runnable.append(task)

    def _drop(self, task: _Task) -> None:
        task.is_dead = True
        self._tasks.pop(task, None)
        task.coroutine.close()
        self._failed(task.operation)

    def _failed(self, operation: Operation) -> None:
        """Let the client, who knows nothing, decide whether to ask again."""
        operation.in_flight -= 1
        if self._chance.random() < self.faults.gives_up:
            operation.is_abandoned = True
        self._to_retry.append(operation)

    def _finished(self, task: _Task, answer: Answer) -> None:
        self._tasks.pop(task, None)
        operation = task.operation
        self.violations += audit_durable(self.stores.rows, operation, answer)
        if self._chance.random() < self.faults.reply_lost:
            self._note("reply_lost", f"#{operation.number}")
            self._failed(operation)
            return
        self._note("heard", say_answer(operation.number, answer) if self._trace else "")
        self.clients.hear(operation, answer)

    # What the scheduler can do

    def _resume(self) -> None:
        """Let one coroutine go on to its next port call."""
        runnable = self._runnable
        place = int(self._chance.random() * len(runnable))
        task, runnable[place] = runnable[place], runnable[-1]
        runnable.pop()
        if task.is_dead:
            return
        self._current = task
        try:
            if task.ticket is not None and self._chance.random() < self.faults.lost_after:
                self._note("lost_after", f"#{task.operation.number}")
                ticket = task.coroutine.throw(Unavailable("the answer was lost"))
            else:
                ticket = task.coroutine.send(None)
        except StopIteration as stop:
            self._finished(task, stop.value)
        except Unavailable:
            self._note("unavailable", f"#{task.operation.number}")
            self._tasks.pop(task, None)
            self._failed(task.operation)
        else:
            task.ticket = ticket
            ticket.wake = lambda: runnable.append(task) if not task.is_dead else None
            if ticket.is_done:
                runnable.append(task)

    def _turn(self) -> None:
        if self._chance.random() < self.faults.turn_fails:
            self._note("turn_fails")
            self._writer.lose()
        else:
            self._writer.turn()

    def _commit(self) -> None:
        draw = self._chance.random()
        if draw < self.faults.commit_fails:
            self._note("commit_fails")
            self._writer.lose()
        elif draw < self.faults.commit_fails + self.faults.crash_at_commit:
            self._note("crash_at_commit")
            self._writer.core.commit()
            self._crash()
        else:
            self._note("commit")
            self._writer.commit()
            self.told_live += self.node.outbox.take_committed()

    def _ledger_step(self) -> None:
        """Let a ledger apart take a batch and make it durable, or fail."""
        if self._chance.random() < self.faults.commit_fails:
            self._note("ledger_fails")
            self._ledger_writer.lose()
        else:
            self._ledger_writer.turn()
            self._ledger_writer.commit()

    def _begin(self) -> None:
        """Let a client do something new, perhaps twice at once."""
        self._operations_left -= 1
        operation = self.clients.draw()
        self._note("begin", say_request(operation.number, operation.request) if self._trace else "")
        self._attempt(operation)
        if self._chance.random() < self.faults.double_tap:
            self._note("double_tap", f"#{operation.number}")
            self._attempt(operation)
        rival = self.clients.draw_rival(operation)
        if rival is not None:
            self._note(
                "key_shared", say_request(rival.number, rival.request) if self._trace else ""
            )
            self._attempt(rival)

    def _retry(self) -> None:
        place = int(self._chance.random() * len(self._to_retry))
        operation = self._to_retry.pop(place)
        if not operation.is_abandoned:
            self._note("retry", f"#{operation.number}")
            self._attempt(operation)

    def _follow(self) -> None:
        """Let a reader of feeds fetch what is new, from where it stands."""
        self._read_feed(self._chance.choice(list(self.parties)), limit=_FEED_PAGE)

    def _read_feed(self, party: AmanaId, *, limit: int) -> None:
        seen = self.followed[party]
        after = seen[-1].number if seen else 0
        seen += self.stores.event_rows.feed(party, after=after, limit=limit)

    def _options(self) -> list[Callable[[], None]]:
        options: list[Callable[[], None]] = []
        if self._runnable:
            options += (self._resume, self._resume)
        if self._writer.can_turn:
            options.append(self._turn)
        if self._writer.can_commit and (not options or self._chance.random() < self._commits_often):
            options.append(self._commit)
        if self._is_separate and self._ledger_writer.can_turn:
            options.append(self._ledger_step)
        options += self._more_options()
        if self._operations_left and len(self._tasks) < self._concurrency:
            options.append(self._begin)
        if self._to_retry and len(self._tasks) < self._concurrency:
            options.append(self._retry)
        return options

    def _misfortune(self) -> None:
        """Let something happen that nobody asked for."""
        chance, faults = self._chance, self.faults
        draw = chance.random()
        if draw < faults.crash:
            self._crash()
            return
        draw -= faults.crash
        if draw < faults.hang_up:
            if self._tasks:
                self._note("hang_up")
                self._drop(chance.choice(list(self._tasks)))
            return
        draw -= faults.hang_up
        if draw < faults.clock_jumps:
            self._note("clock_jumps")
            self.clock.pass_by(chance.choice(_JUMPS_NS))
            return
        draw -= faults.clock_jumps
        if draw < faults.clock_set_back:
            self._note("clock_set_back")
            self.clock.pass_by(-chance.choice(_BACK_NS))
            return
        self._more_misfortune(draw - faults.clock_set_back)

    def _step(self) -> bool:
        """Do one thing; False where there is nothing left to do."""
        self.clock.pass_by(MILLISECOND_NS)
        options = self._options()
        if not options:
            return False
        options[int(self._chance.random() * len(options))]()
        return True

    def close(self) -> None:
        """End the world, wherever it stands."""
        for task in self._tasks:
            task.coroutine.close()
        self.stores.close()

    # The two phases

    def run(self) -> None:
        """Live through a phase in which anything may fail, then one in which all must conclude.

        Raises:
            AssertionError: The product broke one of its own promises, or did not come to rest.
        """
        for _ in range(_STEPS_MAX):
            self._misfortune()
            if not self._step():
                break
            if self._chance.random() < 0.05:  # noqa: PLR2004 - now and then
                self._follow()
        self._calm_down()

    def _calm_down(self) -> None:
        self._note("calm")
        self.faults = CALM
        self.clients.calm_down()
        self._calm_more()
        self._settle()
        self._ask(Ask.RECOVER)
        hold_life_ns = HOLD_LIFE_MS * MILLISECOND_NS
        self.clock.pass_by(self.clock.latest - self.clock.instant + hold_life_ns)
        self._ask(Ask.EXPIRE)
        self._settle_more()
        self._fill_up()
        self.told_live += self.node.outbox.take_committed()
        for party in self.parties:
            self._read_feed(party, limit=_STEPS_MAX)

    def _fill_up(self) -> None:
        """Top up every customer to the limit: what nothing uses must be there to use."""
        for party in self.parties.values():
            if party.holding_limit is None or not party.is_open:
                continue
            account = self.stores.engine.lookup_accounts([party.account])[0]
            room = party.holding_limit - account.credits_posted + account.debits_posted
            if room > 0:
                operation = self.clients.add(self.clients.topup(party.id, room))
                self.filled.append(operation)
                self._attempt(operation)
                self._settle()

    def _ask(self, ask: Ask) -> Operation:
        return self._asked(self.clients.recovery() if ask is Ask.RECOVER else self.clients.sweep())

    def _asked(self, request: Asked) -> Operation:
        operation = self.clients.add(request)
        self._attempt(operation)
        self._settle()
        return operation

    def _settle(self) -> None:
        """Go on without faults until nothing is left to do."""
        for _ in range(_STEPS_MAX):
            if not self._step():
                if self._tasks:
                    raise StuckError("a coroutine waits for something that nobody does")
                return
        raise StuckError("the world does not come to rest")
