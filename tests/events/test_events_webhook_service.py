"""Deliveries over real books: in order, again until they arrive, and as far as the rows say."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.events.webhook_world import KEY, MERCHANT, OTHER, Message, World

from amana.events import EventKind
from amana.events.webhooks import (
    Answered,
    Delivery,
    NoAnswer,
    Outcome,
    Webhook,
    WebhookReason,
    WebhookRefused,
)
from amana.kernel import MINUTE_NS, SECOND_NS, AmanaId, Unavailable, new_id
from amana.wire.standard_webhooks import VerifiedMessage, WebhookSecret, verify

PAID, REFUNDED, VOIDED = EventKind.ORDER_PAID, EventKind.ORDER_REFUNDED, EventKind.ORDER_VOIDED
Story = Callable[[World], Coroutine[Any, Any, None]]


def run(world: World, story: Story) -> None:
    world.books.run(story(world))


def test_events_arrive_in_order_signed_in_both_ways(world: World) -> None:
    async def story(world: World) -> None:
        await world.happen(PAID)
        hook = await world.webhook()
        await world.happen(PAID, REFUNDED, VOIDED)
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [2, 3, 4]
        for message in world.endpoint.received:
            assert message.url == "https://shop.example/"
            for key in (WebhookSecret(hook.secret), KEY.verifying_key()):
                verified = verify(message.headers, message.body, now=message.at, keys=[key])
                assert isinstance(verified, VerifiedMessage)
        ids = [message.headers["webhook-id"] for message in world.endpoint.received]
        assert len(set(ids)) == 3
        assert world.story(hook) == [(n, "delivered", 1, None) for n in (2, 3, 4)]
        assert world.stored(hook).handled_number == 4

    run(world, story)


def test_an_event_is_sent_again_under_the_same_id_with_the_same_body(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID)
        world.endpoint.answers = [Answered(500), NoAnswer.TIMEOUT]
        await world.attempt_until_quiet(hook)
        first, *others = world.endpoint.received
        assert len(others) == 2
        for other in others:
            assert other.headers["webhook-id"] == first.headers["webhook-id"]
            assert other.body == first.body
            assert other.headers["webhook-timestamp"] > first.headers["webhook-timestamp"]
        assert world.story(hook) == [(1, "delivered", 3, None)]

    run(world, story)


def test_a_failed_event_waits_its_time_and_those_behind_it_wait_too(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID, REFUNDED)
        world.endpoint.answers = [Answered(503)]
        due_at = await world.deliverer.attempt(hook.id)
        assert due_at == world.clock.now() + 5 * SECOND_NS
        assert world.story(hook) == [(1, "waiting", 1, "status-503")]
        world.clock.advance(5 * SECOND_NS - 1)
        assert await world.deliverer.attempt(hook.id) == due_at
        assert world.endpoint.numbers == [1]
        world.clock.advance(1)
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [1, 1, 2]

    run(world, story)


def test_after_eight_failures_an_event_is_parked_and_the_next_one_follows(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID, REFUNDED)
        world.endpoint.answers = [*[Answered(500)] * 7, NoAnswer.CONNECTION_FAILED]
        began_at = world.clock.now()
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [1] * 8 + [2]
        assert (world.clock.now() - began_at) // MINUTE_NS == 5 + 30 + (2 + 5 + 10 + 10) * 60
        assert world.story(hook) == [
            (1, "parked", 8, "connection-failed"),
            (2, "delivered", 1, None),
        ]

    run(world, story)


def test_a_replay_delivers_again_what_was_delivered_or_parked(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID, REFUNDED, VOIDED)
        world.endpoint.answers = [Answered(200), *[Answered(500)] * 8]
        await world.attempt_until_quiet(hook)
        ids = {one.number: one.headers["webhook-id"] for one in world.endpoint.received}
        world.endpoint.received.clear()
        assert await world.webhooks.replay(MERCHANT, hook.id, after=1) == 2
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [2, 3]
        assert all(m.headers["webhook-id"] == ids[m.number] for m in world.endpoint.received)
        assert world.story(hook) == [(n, "delivered", 1, None) for n in (1, 2, 3)]

    run(world, story)


def test_a_replay_ends_the_waiting_for_the_next_attempt(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID, PAID)
        world.endpoint.answers = [Answered(500), Answered(500)]
        await world.deliverer.attempt(hook.id)
        # Nothing after 9 was delivered yet, so this goes on where the webhook stands.
        assert await world.webhooks.replay(MERCHANT, hook.id, after=9) == 2
        await world.deliverer.attempt(hook.id)
        assert world.endpoint.numbers == [1, 1]
        assert world.story(hook) == [(1, "waiting", 1, "status-500")]

    run(world, story)


def test_gone_switches_a_webhook_off_until_a_replay_switches_it_on(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID, REFUNDED)
        world.endpoint.answers = [Answered(410)]
        assert await world.deliverer.attempt(hook.id) is None
        assert not world.stored(hook).is_enabled
        assert world.rows.enabled() == ()
        assert world.story(hook) == [(1, "parked", 1, "status-410")]
        assert await world.deliverer.attempt(hook.id) is None
        assert world.endpoint.numbers == [1]
        assert await world.webhooks.replay(MERCHANT, hook.id, after=0) == 2
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [1, 1, 2]

    run(world, story)


def test_a_restart_goes_on_with_the_attempts_that_were_counted(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID)
        world.endpoint.answers = [Answered(500)] * 8
        for _ in range(20):
            world.deliverer = world.new_deliverer()
            next_at = await world.deliverer.attempt(hook.id)
            if next_at is None:
                break
            world.clock.advance(max(0, next_at - world.clock.now()))
        assert world.endpoint.numbers == [1] * 8
        assert world.story(hook) == [(1, "parked", 8, "status-500")]

    run(world, story)


def test_an_event_sent_but_not_kept_is_sent_again_under_the_same_id(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(webhook: Webhook, delivery: Delivery, *, is_gone: bool) -> bool:
        del webhook, delivery, is_gone
        raise Unavailable("the disk is full")

    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID)
        with monkeypatch.context() as broken:
            broken.setattr(world.store, "conclude", lose)
            with pytest.raises(Unavailable):
                await world.deliverer.attempt(hook.id)
        await world.attempt_until_quiet(hook)
        first, second = world.endpoint.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert world.story(hook) == [(1, "delivered", 1, None)]

    run(world, story)


def test_a_replay_during_an_attempt_loses_no_event(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID, REFUNDED, VOIDED)

        async def replay_at_the_third(message: Message) -> None:
            if message.number == 3:
                world.endpoint.before_answer = None
                await world.webhooks.replay(MERCHANT, hook.id, after=0)

        world.endpoint.before_answer = replay_at_the_third
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [1, 2, 3, 1, 2, 3]
        assert world.story(hook) == [(n, "delivered", 1, None) for n in (1, 2, 3)]

    run(world, story)


def test_a_webhook_deleted_during_an_attempt_leaves_nothing_behind(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID, REFUNDED)

        async def delete(message: Message) -> None:
            del message
            assert await world.webhooks.remove(MERCHANT, hook.id) is None

        world.endpoint.before_answer = delete
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [1]
        left = world.books.reading.execute("SELECT count(*) FROM events_deliveries").fetchone()
        assert left == (0,)

    run(world, story)


def test_kinds_not_asked_for_are_passed_over_for_good(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook(REFUNDED)
        await world.happen(*[PAID] * 600, REFUNDED, PAID)
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [601]
        assert world.stored(hook).handled_number == 601
        await world.happen(*[PAID] * 300)
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [601]
        assert world.stored(hook).handled_number == 857
        assert await world.webhooks.replay(MERCHANT, hook.id, after=0) == 1
        await world.attempt_until_quiet(hook)
        assert world.endpoint.numbers == [601, 601]

    run(world, story)


def test_of_good_deliveries_the_newest_thousand_events_stay_listed(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook(REFUNDED)
        await world.happen(REFUNDED, REFUNDED, *[PAID] * 998, REFUNDED, REFUNDED)
        world.endpoint.answers = [Answered(500)] * 8
        await world.attempt_until_quiet(hook)
        assert world.story(hook) == [
            (1, "parked", 8, "status-500"),
            (1_001, "delivered", 1, None),
            (1_002, "delivered", 1, None),
        ]

    run(world, story)


def test_each_webhook_is_delivered_to_by_itself(world: World) -> None:
    async def story(world: World) -> None:
        failing = await world.webhook(url="https://failing.example/")
        fine = await world.webhook(url="https://fine.example/")
        await world.happen(PAID)
        await world.happen(PAID, merchant=OTHER)
        world.endpoint.answers = [Answered(500)]
        await world.deliverer.attempt(failing.id)
        await world.attempt_until_quiet(fine)
        assert world.story(failing) == [(1, "waiting", 1, "status-500")]
        assert world.story(fine) == [(1, "delivered", 1, None)]

    run(world, story)


def test_a_merchant_meets_no_webhook_of_another(world: World) -> None:
    async def story(world: World) -> None:
        refused = WebhookRefused(WebhookReason.NOT_FOUND)
        hook = await world.webhook(merchant=OTHER)
        for identifier in (hook.id, AmanaId(5)):
            assert await world.webhooks.remove(MERCHANT, identifier) == refused
            assert await world.webhooks.replay(MERCHANT, identifier, after=0) == refused
            assert world.webhooks.deliveries(MERCHANT, identifier, before=None, limit=9) == refused
        assert world.webhooks.all_of(MERCHANT) == ()
        assert world.webhooks.all_of(OTHER) == (hook,)

    run(world, story)


def test_a_webhook_that_cannot_be_is_refused_and_not_kept(world: World) -> None:
    async def story(world: World) -> None:
        add = world.webhooks.add
        assert await add(MERCHANT, "http://shop.example/", ()) == WebhookRefused(
            WebhookReason.URL_NOT_SECURE
        )
        assert await add(MERCHANT, "https://shop.example/", ["order"]) == WebhookRefused(
            WebhookReason.KIND_UNKNOWN
        )
        assert world.webhooks.all_of(MERCHANT) == ()
        for _ in range(8):
            await world.webhook()
        assert await add(MERCHANT, "https://shop.example/", ()) == WebhookRefused(
            WebhookReason.TOO_MANY
        )

    run(world, story)


def test_a_replay_over_too_many_events_changes_nothing(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID, first=100_001)
        refused = await world.webhooks.replay(MERCHANT, hook.id, after=0)
        assert refused == WebhookRefused(WebhookReason.TOO_FAR_BACK)
        assert world.stored(hook) == hook

    run(world, story)


def test_what_is_stored_is_what_was_made(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook(PAID, VOIDED)
        assert world.stored(hook) == hook
        assert hook.kinds == {PAID, VOIDED}
        assert len(hook.secret) == 32
        assert "secret" not in repr(hook)
        await world.webhooks.replay(MERCHANT, hook.id, after=0)
        assert world.stored(hook) == replace(hook, replays=1)

    run(world, story)


def test_deliveries_are_listed_newest_first_by_pages(world: World) -> None:
    async def story(world: World) -> None:
        hook = await world.webhook()
        await world.happen(PAID, REFUNDED, VOIDED)
        await world.attempt_until_quiet(hook)
        page = world.webhooks.deliveries(MERCHANT, hook.id, before=None, limit=2)
        assert not isinstance(page, WebhookRefused)
        assert [(one.delivery.number, one.kind) for one in page] == [(3, VOIDED), (2, REFUNDED)]
        page = world.webhooks.deliveries(MERCHANT, hook.id, before=2, limit=2)
        assert not isinstance(page, WebhookRefused)
        assert [(one.delivery.number, one.kind) for one in page] == [(1, PAID)]
        everything = world.webhooks.deliveries(MERCHANT, hook.id, before=2**127, limit=9)
        assert not isinstance(everything, WebhookRefused)
        assert len(everything) == 3

    run(world, story)


STEPS = st.lists(
    st.one_of(
        st.sampled_from([Answered(200), Answered(500), Answered(302), NoAnswer.TIMEOUT]),
        st.just("restart"),
        st.just("event"),
    ),
    max_size=40,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_the_endpoint_answers_no_event_is_lost_or_overtakes_another(
    world: World, steps: list[Outcome | str]
) -> None:
    """Every event ends delivered or parked; what arrives first arrives in the feed's order.

    All examples share the books; each has a merchant of its own.
    """
    arrived: list[int] = []
    merchant = new_id(world.clock.now(), world.chance.draw(9))
    world.endpoint.received.clear()

    async def story(world: World) -> None:
        hook = await world.webhook(merchant=merchant)
        await world.happen(PAID, REFUNDED, merchant=merchant)
        for step in steps:
            if step == "restart":
                world.deliverer = world.new_deliverer()
            elif step == "event":
                await world.happen(PAID, merchant=merchant)
            elif isinstance(step, Answered | NoAnswer):
                await attempt(world, hook, step)
        world.endpoint.answers = []
        await world.attempt_until_quiet(hook)
        head = world.events.last_number(merchant)
        told = world.story(hook)
        assert [number for number, *_ in told] == list(range(1, head + 1))
        assert {status for _, status, *_ in told} <= {"delivered", "parked"}
        assert all(attempts <= 8 for _, _, attempts, _ in told)
        assert world.endpoint.numbers == sorted(world.endpoint.numbers)
        delivered = [number for number, status, *_ in told if status == "delivered"]
        assert set(arrived) <= set(delivered)

    async def attempt(world: World, hook: Webhook, answer: Outcome) -> None:
        endpoint = world.endpoint
        endpoint.answers = [answer]
        before = len(endpoint.received)
        next_at = await world.deliverer.attempt(hook.id)
        if answer == Answered(200) and len(endpoint.received) > before:
            arrived.append(endpoint.received[-1].number)
        if next_at is not None:
            world.clock.advance(max(0, next_at - world.clock.now()))

    run(world, story)


def test_whoever_listens_is_told_of_webhooks_that_are_new_or_set_back(world: World) -> None:
    async def story(world: World) -> None:
        told: list[AmanaId] = []
        world.webhooks.listen(lambda webhook: told.append(webhook.id))
        hook = await world.webhook()
        assert told == [hook.id]
        await world.webhooks.replay(MERCHANT, hook.id, after=0)
        assert told == [hook.id, hook.id]

    run(world, story)
