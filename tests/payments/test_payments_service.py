"""The use cases over the real books: what was interrupted anywhere is finished by whoever is next.

Method: a request is stopped after its first or second write, as a crash would stop it, and then
repeated or recovered.
"""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import pytest
from tests.node.town import Client, Town, eur, open_town, unique
from tests.payments.samples import Differing

from amana.kernel import MILLISECOND_NS, AmanaId, IdKind, parse_id
from amana.kernel.limits import HOLD_LIFE_MS
from amana.payments import postings
from amana.payments.model import (
    IdReused,
    Intent,
    Party,
    Payment,
    PaymentKind,
    PaymentStatus,
    Reason,
    StepIntent,
    StepKind,
    StepStatus,
)


class World:
    """A town with one customer and one merchant, seen from the service."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.operator = town.operator
        self.service = town.operator.payments
        self.store = town.operator.payments_store
        self.customer, self.shop = town.customer(10_000), town.merchant()

    def party(self, client: Client) -> Party:
        facts = self.operator.directory.by_handle(client.handle)
        assert facts is not None
        return self.operator.party(facts)

    def intent(self, amount: int = 500, **differing: Differing) -> Intent:
        key = blake2b(unique("key").encode(), digest_size=16).digest()
        payer = self.party(self.customer)
        usual: dict[str, Differing] = {
            "id": self.operator.new_id(),
            "kind": PaymentKind.PURCHASE,
            "initiator": payer.id,
            "key": key,
            "body": key,
            "payer": payer,
            "payee": self.party(self.shop),
            "amount": amount,
            "created_at": self.town.clock.now(),
        }
        return Intent(**(usual | differing))

    def held(self) -> tuple[AmanaId, str]:
        """An authorised hold of 1,000: its payment and its order."""
        order = self.shop.order(1_000, capture="manual")
        paid = self.customer.pay_code(order["code"], 1_000).body["id"]
        payment = parse_id(IdKind.PAYMENT, paid)
        assert payment is not None
        return payment, order["id"]

    def step(self, payment: AmanaId, kind: StepKind, amount: int | None = None) -> StepIntent:
        key = blake2b(unique("step").encode(), digest_size=16).digest()
        return StepIntent(payment, kind, key, key, amount, self.town.clock.now())

    def durably(self, work: Differing) -> Differing:
        """Run some work, and commit it."""

        async def done() -> Differing:
            answer = await work
            await self.operator.writer.durable()
            return answer

        return self.town.run(done())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_town(tmp_path / "town") as town:
        yield World(town)
        assert town.books()["balanced"]


@pytest.mark.parametrize("is_posted", [False, True])
def test_a_payment_that_was_interrupted_is_finished_by_recovery(
    world: World, *, is_posted: bool
) -> None:
    stored = world.durably(world.store.record_intent(world.intent()))
    assert stored.status is PaymentStatus.PENDING
    if is_posted:
        chain = postings.of_payment(stored, ledger=978)
        world.durably(world.operator.ledger.post(chain))
    finished = world.town.run(world.service.recover())
    assert [(p.id, p.status) for p in finished] == [(stored.id, PaymentStatus.PAID)]
    assert world.customer.available() == 9_500
    assert world.town.run(world.service.recover()) == []
    assert world.town.run(world.service.finish(finished[0])) is finished[0]


@pytest.mark.parametrize("is_posted", [False, True])
def test_a_payment_that_was_interrupted_is_finished_by_its_retry(
    world: World, *, is_posted: bool
) -> None:
    asked = world.intent()
    stored = world.durably(world.store.record_intent(asked))
    if is_posted:
        world.durably(world.operator.ledger.post(postings.of_payment(stored, ledger=978)))
    again = Intent(
        **{name: getattr(asked, name) for name in asked.__struct_fields__}
        | {"id": world.operator.new_id()}
    )
    paid = world.town.run(world.service.pay(again))
    assert isinstance(paid, Payment)
    assert (paid.id, paid.status) == (stored.id, PaymentStatus.PAID)
    assert world.customer.available() == 9_500


def test_a_refusal_of_the_ledger_stays_when_money_comes(world: World) -> None:
    asked = world.intent(amount=20_000)
    refused = world.town.run(world.service.pay(asked))
    assert isinstance(refused, Payment)
    assert refused.reason is Reason.INSUFFICIENT_FUNDS
    world.town.top_up(world.customer.handle, 50_000)
    assert world.town.run(world.service.pay(asked)) == refused
    assert world.customer.available() == 60_000
    day_left = world.customer.get("/v1/account").body["limits"]["day_left"]
    assert day_left == eur(250_000), "what was refused uses up no limit"


@pytest.mark.parametrize("is_posted", [False, True])
@pytest.mark.parametrize("kind", [StepKind.CAPTURE, StepKind.VOID])
def test_a_step_that_was_interrupted_is_finished_by_recovery(
    world: World, kind: StepKind, *, is_posted: bool
) -> None:
    payment, order = world.held()
    asked = world.step(payment, kind)
    held, step = world.durably(world.store.record_step(asked))
    assert step.status is StepStatus.PENDING
    late = world.shop.post(f"/v1/orders/{order}/capture", {})
    assert late.slug == "order-in-progress"
    if is_posted:
        world.durably(world.operator.ledger.post(postings.of_step(held, step, ledger=978)))
    (finished,) = world.town.run(world.service.recover())
    ended = {StepKind.CAPTURE: PaymentStatus.PAID, StepKind.VOID: PaymentStatus.VOIDED}[kind]
    assert (finished.id, finished.status) == (payment, ended)
    again = world.town.run(world.service.step(asked))
    assert isinstance(again, tuple)
    assert again[1].status is StepStatus.DONE
    assert world.customer.available() == (9_000 if kind is StepKind.CAPTURE else 10_000)


def test_a_steps_key_is_not_taken_twice(world: World) -> None:
    payment, _ = world.held()
    asked = world.step(payment, StepKind.CAPTURE, 5)
    assert isinstance(world.town.run(world.service.step(asked)), tuple)
    other = StepIntent(payment, StepKind.VOID, asked.key, b"o" * 16, None, asked.created_at)
    assert world.town.run(world.service.step(other)) == IdReused()


def test_a_payments_key_is_not_taken_twice(world: World) -> None:
    asked = world.intent()
    world.town.run(world.service.pay(asked))
    other = world.intent(key=asked.key)
    assert world.town.run(world.service.pay(other)) == IdReused()


def test_expiry_leaves_a_hold_whose_capture_is_under_way(world: World) -> None:
    first, _ = world.held()
    second, _ = world.held()
    world.durably(world.store.record_step(world.step(first, StepKind.CAPTURE)))
    world.town.clock.advance(HOLD_LIFE_MS * MILLISECOND_NS)
    expired = world.town.run(world.service.expire_holds(world.town.clock.now()))
    assert [payment.id for payment in expired] == [second]
    (captured,) = world.town.run(world.service.recover())
    assert (captured.id, captured.status) == (first, PaymentStatus.PAID)
    assert world.customer.available() == 9_000


def test_an_expiry_that_comes_too_late_changes_nothing(world: World) -> None:
    """Between finding the hold and ending it, the merchant voids it."""
    payment, order = world.held()
    found = world.operator.payments_read.payment(payment)
    assert found is not None
    later = world.town.clock.now() + HOLD_LIFE_MS * MILLISECOND_NS

    async def race() -> object:
        holds = world.store.holds_expiring

        async def found_before(_: object) -> list[Payment]:
            return [found]

        await world.shop.send("POST", f"/v1/orders/{order}/cancel", {}, key="first")
        world.store.holds_expiring = found_before  # type: ignore[method-assign,assignment]
        try:
            return await world.service.expire_holds(later)  # type: ignore[arg-type]
        finally:
            world.store.holds_expiring = holds  # type: ignore[method-assign]

    assert world.town.run(race()) == []
    stands = world.operator.payments_read.payment(payment)
    assert stands is not None
    assert stands.status is PaymentStatus.VOIDED


def test_the_store_returns_what_stands(world: World) -> None:
    payment, order = world.held()
    identifier = parse_id(IdKind.ORDER, order)
    assert identifier is not None
    stored = world.town.run(world.store.order(identifier))
    assert stored is not None
    assert stored.payment_id == payment
    held = world.town.run(world.store.payment(payment))
    assert held is not None
    assert held.status is PaymentStatus.AUTHORISED
    assert world.town.run(world.store.payment(AmanaId(12_345 << 8))) is None


def test_everything_of_a_lost_group_is_forgotten(world: World) -> None:
    """The commit fails after a payment, an order and a step were applied: nothing of them stays."""
    payment, _ = world.held()
    before = world.customer.get("/v1/account").body

    async def lose() -> None:
        await world.store.record_intent(world.intent())
        await world.store.record_step(world.step(payment, StepKind.VOID))
        world.operator.writer._core.connection.execute("PRAGMA query_only = ON")
        with pytest.raises(Exception, match="could not be written"):
            await world.operator.writer.durable()
        world.operator.writer._core.connection.execute("PRAGMA query_only = OFF")

    world.town.run(lose())
    assert world.customer.get("/v1/account").body == before
    assert world.operator.payments_read.unfinished() == []
    assert world.town.run(world.store.unfinished()) == []


def test_an_order_is_made_once_and_cancelled_once(world: World) -> None:
    order = world.shop.order(300)
    for key in ("one", "two"):
        cancelled = world.shop.post(f"/v1/orders/{order['id']}/cancel", {}, key)
        assert cancelled.body["status"] == "cancelled"
    kinds = [event["kind"] for event in world.shop.get("/v1/events").body["items"]]
    assert kinds == ["order.cancelled"]
    assert world.customer.pay_code(order["code"], 300).slug == "order-cancelled"
