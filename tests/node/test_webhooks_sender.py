"""The worker that sends: it wakes for events and due times, and nobody holds up anybody else.

Time is moved by the alarm: where nothing is under way, the clock jumps to when it would ring.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from tests.events.webhook_world import MERCHANT, OTHER, Message, World

from amana.events import EventKind
from amana.events.webhooks import Answered, Delivery, NoAnswer, Webhook
from amana.kernel import HOUR_NS, SECOND_NS, AmanaId, Instant, Unavailable
from amana.node.chance import SystemClock
from amana.node.webhook_sender import ATTEMPTS_AT_ONCE_MAX, SystemAlarm, WebhookSender
from amana.testing.rooms import HandClock, open_books

PAID, REFUNDED = EventKind.ORDER_PAID, EventKind.ORDER_REFUNDED


class JumpingAlarm:
    """Moves the clock where nothing is under way, and says when there is nothing to wait for."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.quiet = asyncio.Event()
        self.is_busy: Callable[[], bool] = lambda: False

    async def wait(self, signal: asyncio.Event, until: Instant | None) -> None:
        """Jump, or wait for the signal."""
        if signal.is_set():
            return
        if until is not None and not self.is_busy():
            self.clock.advance(until - self.clock.now())
            return
        if not self.is_busy():
            self.quiet.set()
        await signal.wait()
        self.quiet.clear()


class Sending:
    """A sender at work over a world's rows."""

    def __init__(self, world: World) -> None:
        self.alarm = JumpingAlarm(world.clock)
        self.sender = WebhookSender(
            deliverer=world.new_deliverer(), reader=world.rows, clock=world.clock, alarm=self.alarm
        )
        self.alarm.is_busy = lambda: self.sender._busy > 0
        self.world = world

    async def happen(self, *kinds: EventKind, merchant: AmanaId = MERCHANT) -> None:
        """Let events happen, and tell the sender as the feed does."""
        self.sender.tell(await self.world.happen(*kinds, merchant=merchant))
        self.alarm.quiet.clear()


@asynccontextmanager
async def sending(world: World) -> AsyncIterator[Sending]:
    """Run a sender until the body is over."""
    sending = Sending(world)
    world.webhooks.listen(sending.sender.watch)
    world.webhooks.listen(lambda _: sending.alarm.quiet.clear())
    task = asyncio.create_task(sending.sender.run())
    await sending.alarm.quiet.wait()
    try:
        yield sending
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_books(tmp_path) as books:
        yield World(books)


def run(world: World, story: Awaitable[None]) -> None:
    async def timed() -> None:
        async with asyncio.timeout(60):
            await story

    world.books.run(timed())


def test_new_events_wake_the_sender(world: World) -> None:
    async def story() -> None:
        async with sending(world) as at_work:
            hook = await world.webhook()
            await world.webhook(merchant=OTHER)
            await at_work.happen(PAID, REFUNDED)
            await at_work.alarm.quiet.wait()
            await at_work.happen(PAID)
            await at_work.alarm.quiet.wait()
            assert world.endpoint.numbers == [1, 2, 3]
            assert world.story(hook) == [(n, "delivered", 1, None) for n in (1, 2, 3)]

    run(world, story())


def test_kinds_not_asked_for_wake_nobody(world: World) -> None:
    async def story() -> None:
        async with sending(world) as at_work:
            await at_work.happen(PAID)
            await world.webhook(REFUNDED)
            await at_work.alarm.quiet.wait()
            await at_work.happen(PAID)
            assert not at_work.sender._signal.is_set()
            await at_work.happen(REFUNDED)
            await at_work.alarm.quiet.wait()
            assert world.endpoint.numbers == [3]

    run(world, story())


def test_attempts_are_made_when_they_are_due_until_the_event_is_parked(world: World) -> None:
    async def story() -> None:
        world.endpoint.answers = [NoAnswer.CONNECTION_FAILED] * 8
        async with sending(world) as at_work:
            hook = await world.webhook()
            began_at = world.clock.now()
            await at_work.happen(PAID, REFUNDED)
            await at_work.alarm.quiet.wait()
            seconds = [(one.at - began_at) // SECOND_NS for one in world.endpoint.received]
            waits = [after - before for before, after in pairwise(seconds)]
            assert waits == [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 0]
            assert [status for _, status, *_ in world.story(hook)] == ["parked", "delivered"]

    run(world, story())


def test_a_new_sender_goes_on_where_another_was_stopped(world: World) -> None:
    async def story() -> None:
        hook = await world.webhook()
        stopped = asyncio.Event()

        async def stop(message: Message) -> None:
            del message
            stopped.set()
            await asyncio.Event().wait()

        async with sending(world) as at_work:
            world.endpoint.answers = [Answered(500)]
            await at_work.happen(PAID, REFUNDED)
            await at_work.alarm.quiet.wait()
            assert world.endpoint.numbers == [1, 1, 2]
            world.endpoint.before_answer = stop
            await at_work.happen(PAID)
            await stopped.wait()
        assert world.story(hook) == [(1, "delivered", 2, None), (2, "delivered", 1, None)]
        world.endpoint.before_answer = None
        await world.happen(PAID)
        async with sending(world):
            assert world.endpoint.numbers == [1, 1, 2, 3, 3, 4]
        third = [one for one in world.endpoint.received if one.number == 3]
        assert third[0].headers["webhook-id"] == third[1].headers["webhook-id"]

    run(world, story())


def test_a_new_sender_keeps_the_wait_of_a_failed_event(world: World) -> None:
    async def story() -> None:
        hook = await world.webhook()
        await world.happen(PAID)
        world.endpoint.answers = [Answered(500)]
        due_at = await world.deliverer.attempt(hook.id)
        async with sending(world):
            assert [one.at for one in world.endpoint.received][1:] == [due_at]

    run(world, story())


def test_at_most_sixteen_attempts_run_at_once_and_one_for_each_webhook(world: World) -> None:
    """Goal: bounds. Method: 40 webhooks of five merchants whose endpoints wait for a gate."""

    async def story() -> None:
        gate = asyncio.Event()
        full = asyncio.Event()
        under_way: Counter[str] = Counter()
        most = 0

        async def hold(message: Message) -> None:
            nonlocal most
            under_way[message.url] += 1
            assert under_way[message.url] == 1
            most = max(most, under_way.total())
            if under_way.total() == ATTEMPTS_AT_ONCE_MAX:
                full.set()
            await gate.wait()
            under_way[message.url] -= 1

        world.endpoint.before_answer = hold
        merchants = [AmanaId(place << 64) for place in range(1, 6)]
        for merchant in merchants:
            for place in range(8):
                url = f"https://shop-{merchant >> 64}-{place}.example/"
                await world.webhook(merchant=merchant, url=url)
        async with sending(world) as at_work:
            for merchant in merchants:
                await at_work.happen(PAID, PAID, merchant=merchant)
            await full.wait()
            gate.set()
            await at_work.alarm.quiet.wait()
        assert most == ATTEMPTS_AT_ONCE_MAX
        times = Counter(message.url for message in world.endpoint.received)
        assert len(times) == 40
        assert set(times.values()) == {2}

    run(world, story())


def test_a_slow_endpoint_holds_up_nobody_else(world: World) -> None:
    async def story() -> None:
        gate = asyncio.Event()
        arrived = asyncio.Event()

        async def hold(message: Message) -> None:
            if message.url == "https://slow.example/":
                await gate.wait()
            elif message.number == 3:
                arrived.set()

        world.endpoint.before_answer = hold
        slow = await world.webhook(url="https://slow.example/")
        fast = await world.webhook(url="https://fast.example/")
        async with sending(world) as at_work:
            await at_work.happen(PAID, PAID, PAID)
            await arrived.wait()
            assert world.story(slow) == []
            gate.set()
            await at_work.alarm.quiet.wait()
            for hook in (slow, fast):
                assert world.story(hook) == [(n, "delivered", 1, None) for n in (1, 2, 3)]

    run(world, story())


def test_an_event_that_comes_during_the_last_attempt_is_not_forgotten(world: World) -> None:
    async def story() -> None:
        async with sending(world) as at_work:
            await world.webhook()

            async def another(message: Message) -> None:
                if message.number == 1:
                    await at_work.happen(PAID)

            world.endpoint.before_answer = another
            await at_work.happen(PAID)
            await at_work.alarm.quiet.wait()
            assert world.endpoint.numbers == [1, 2]

    run(world, story())


def test_a_replay_does_not_wait_for_the_next_attempt(world: World) -> None:
    async def story() -> None:
        async with sending(world) as at_work:
            hook = await world.webhook()
            world.endpoint.answers = [Answered(500), Answered(500)]

            async def replay(message: Message) -> None:
                del message
                if len(world.endpoint.received) == 2:
                    await world.webhooks.replay(MERCHANT, hook.id, after=0)

            world.endpoint.before_answer = replay
            await at_work.happen(PAID)
            await at_work.alarm.quiet.wait()
            first, second, third = (message.at for message in world.endpoint.received)
            assert (second - first, third - second) == (5 * SECOND_NS, 0)

    run(world, story())


def test_a_replay_just_after_a_failure_was_kept_does_not_wait_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = world.store.conclude

    async def keep_then_replay(webhook: Webhook, delivery: Delivery, *, is_gone: bool) -> bool:
        is_kept = await keep(webhook, delivery, is_gone=is_gone)
        if len(world.endpoint.received) == 1:
            await world.webhooks.replay(MERCHANT, webhook.id, after=0)
        return is_kept

    async def story() -> None:
        monkeypatch.setattr(world.store, "conclude", keep_then_replay)
        async with sending(world) as at_work:
            await world.webhook()
            world.endpoint.answers = [Answered(500)]
            await at_work.happen(PAID)
            await at_work.alarm.quiet.wait()
            first, second = (message.at for message in world.endpoint.received)
            assert first == second

    run(world, story())


def test_replays_in_a_row_are_one(world: World) -> None:
    async def story() -> None:
        async with sending(world) as at_work:
            hook = await world.webhook()
            await at_work.happen(PAID)
            await at_work.alarm.quiet.wait()
            at_work.sender.watch(hook)
            world.clock.advance(-1)
            at_work.sender.watch(hook)
            await world.webhooks.replay(MERCHANT, hook.id, after=0)
            await at_work.alarm.quiet.wait()
            assert world.endpoint.numbers == [1, 1]
            assert at_work.sender._queue == []

    run(world, story())


def test_webhooks_deleted_or_gone_are_forgotten_and_a_replay_brings_them_back(
    world: World,
) -> None:
    async def story() -> None:
        async with sending(world) as at_work:
            gone = await world.webhook(url="https://gone.example/")
            deleted = await world.webhook(url="https://deleted.example/")
            await at_work.alarm.quiet.wait()
            assert await world.webhooks.remove(MERCHANT, deleted.id) is None
            world.endpoint.answers = [Answered(410)]
            await at_work.happen(PAID)
            await at_work.alarm.quiet.wait()
            assert at_work.sender._watched == {}
            assert at_work.sender._by_merchant == {}
            await at_work.happen(PAID)
            assert [one.url for one in world.endpoint.received] == ["https://gone.example/"]
            await world.webhooks.replay(MERCHANT, gone.id, after=0)
            await at_work.alarm.quiet.wait()
            assert world.endpoint.numbers == [1, 1, 2]

    run(world, story())


def test_after_a_storage_failure_the_event_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = world.store.conclude
    lost: list[int] = []

    async def lose_once(webhook: Webhook, delivery: Delivery, *, is_gone: bool) -> bool:
        if not lost:
            lost.append(delivery.number)
            raise Unavailable("the disk is full")
        return await keep(webhook, delivery, is_gone=is_gone)

    async def story() -> None:
        monkeypatch.setattr(world.store, "conclude", lose_once)
        async with sending(world) as at_work:
            hook = await world.webhook()
            await at_work.happen(PAID)
            await at_work.alarm.quiet.wait()
            first, second = world.endpoint.received
            assert first.headers["webhook-id"] == second.headers["webhook-id"]
            assert second.at - first.at == 5 * SECOND_NS
            assert world.story(hook) == [(1, "delivered", 1, None)]

    run(world, story())


def test_a_mistake_of_our_own_is_logged_without_its_text_and_others_go_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async def stumble(message: Message) -> None:
            if message.url == "https://odd.example/" and len(world.endpoint.received) < 3:
                raise ValueError("planted-canary")

        world.endpoint.before_answer = stumble
        async with sending(world) as at_work:
            odd = await world.webhook(url="https://odd.example/")
            fine = await world.webhook(url="https://fine.example/")
            with caplog.at_level(logging.DEBUG):
                await at_work.happen(PAID)
                await at_work.alarm.quiet.wait()
            for hook in (odd, fine):
                assert world.story(hook) == [(1, "delivered", 1, None)]
        assert "webhook_failed kind=ValueError" in caplog.text
        assert "planted-canary" not in caplog.text

    run(world, story())


def test_the_alarm_rings_for_the_signal_and_for_the_instant() -> None:
    async def story() -> None:
        clock = SystemClock()
        alarm, signal = SystemAlarm(clock), asyncio.Event()
        now = clock.now()
        await alarm.wait(signal, Instant(now - HOUR_NS))
        await alarm.wait(signal, Instant(now + SECOND_NS // 100))
        assert clock.now() >= now + SECOND_NS // 100
        signal.set()
        await alarm.wait(signal, None)
        await alarm.wait(signal, Instant(now + HOUR_NS))
        assert clock.now() < now + HOUR_NS

    asyncio.run(story())
