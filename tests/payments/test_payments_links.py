"""Payment links, opened at the checkout: how often they are paid, and when they end."""

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.node.checkouts import Checkout, make_link
from tests.node.town import Client, Json, Town, eur, open_town

from amana.kernel import DAY_NS, HOUR_NS, MINUTE_NS, AmanaId, Instant, parse_instant
from amana.node.checkout.links import ORDERS_A_MINUTE
from amana.payments.links import Link, LinkReason, LinkRefused
from amana.payments.links.rules import decide_amount, order_key
from amana.testing.rooms import HandClock

NOBODY: Final = "A" * 22


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("links")) as opened:
        yield opened


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    """A town whose clock this test may move."""
    with open_town(tmp_path / "town") as opened:
        yield opened


@pytest.fixture(scope="module")
def checkout(town: Town) -> Checkout:
    return Checkout(town)


@pytest.fixture
def shop(town: Town) -> Client:
    return town.merchant()


def test_a_link_makes_a_fresh_order_each_time_it_is_opened(
    checkout: Checkout, shop: Client
) -> None:
    link = make_link(shop, amount=eur(700), reference="Coffee club")
    assert link["url"].startswith("http://pay.localhost:8402/l/#")
    seen = checkout.link(link["url"]).body
    assert (seen["amount"], seen["reference"]) == (eur(700), "Coffee club")
    first, second = checkout.begin(link["url"]).body, checkout.begin(link["url"]).body
    assert first["id"] != second["id"]
    assert first["amount"] == second["amount"] == eur(700)
    assert shop.get(f"/v1/orders/{first['id']}").body["reference"] == "Coffee club"


def test_an_open_amount_is_the_payers_choice_within_bounds(
    checkout: Checkout, shop: Client
) -> None:
    url = make_link(shop)["url"]
    assert checkout.link(url).body["amount"] is None
    assert checkout.begin(url, 321).body["amount"] == eur(321)
    assert checkout.begin(url).slug == "malformed-request"
    assert checkout.begin(url, 0).slug == "amount-not-positive"
    assert checkout.begin(url, 10**30).slug == "amount-too-large"
    fixed = make_link(shop, amount=eur(5))["url"]
    assert checkout.begin(fixed, 6).slug == "amount-mismatch"
    assert checkout.begin(fixed, 5).status == 200


def test_a_link_for_one_payment_is_paid_once_however_many_open_it(
    checkout: Checkout, shop: Client, town: Town
) -> None:
    url = make_link(shop, amount=eur(900), single_use=True)["url"]
    secret = {"link": url.partition("#")[2]}
    opened = town.together(*(checkout.send("/v1/look/link/order", secret) for _ in range(12)))
    orders = {answer.body["id"] for answer in opened}
    assert len(orders) == 1
    assert checkout.begin(url).body["id"] in orders
    code = opened[0].body["code"]
    assert town.customer().pay_code(code, 900).status == 201
    assert checkout.begin(url).slug == "link-used"
    assert checkout.link(url).status == 200
    assert shop.balance() > 0


def test_a_link_for_one_payment_goes_on_after_an_order_that_nobody_paid(own_town: Town) -> None:
    checkout, shop = Checkout(own_town), own_town.merchant()
    url = make_link(shop, single_use=True)["url"]
    first = checkout.begin(url, 100).body
    assert checkout.begin(url, 200).body == first, "whoever came first chose the amount"
    own_town.clock.advance(HOUR_NS)
    second = checkout.begin(url, 200).body
    assert (second["amount"], second["status"]) == (eur(200), "open")
    shop.post(f"/v1/orders/{second['id']}/cancel", {})
    third = checkout.begin(url, 300).body
    assert len({first["id"], second["id"], third["id"]}) == 3


def test_a_link_meets_its_order_where_the_note_of_it_was_lost(
    checkout: Checkout, shop: Client, town: Town
) -> None:
    url = make_link(shop, amount=eur(5), single_use=True)["url"]
    order = checkout.begin(url).body["id"]

    def forget(connection: Json) -> None:
        connection.execute(
            "UPDATE payments_links SET order_id = NULL WHERE secret = ?",
            (urlsafe_b64decode(url.partition("#")[2] + "=="),),
        )

    town.run(town.operator.writer.run(forget))
    assert checkout.begin(url).body["id"] == order


def test_a_links_time_ends_it_and_its_orders(own_town: Town) -> None:
    checkout, shop = Checkout(own_town), own_town.merchant()
    link = make_link(shop, amount=eur(5), expires_in_s=1_800)
    order = checkout.begin(link["url"]).body
    assert order["expires_at"] == link["expires_at"]
    own_town.clock.advance(HOUR_NS)
    assert checkout.link(link["url"]).slug == "link-expired"
    assert checkout.begin(link["url"]).slug == "link-expired"


class Ticking(HandClock):
    """A clock that moves on whenever somebody reads it."""

    step_ns = 0

    def now(self) -> Instant:
        self.advance(self.step_ns)
        return super().now()


def test_a_link_that_ends_while_it_is_opened_still_answers(tmp_path: Path) -> None:
    clock = Ticking()
    with open_town(tmp_path / "town", clock) as town:
        checkout, shop = Checkout(town), town.merchant()
        for ticks in range(10):
            clock.step_ns = 0
            link = make_link(shop, amount=eur(5), single_use=True, expires_in_s=60)
            assert checkout.begin(link["url"]).status == 200
            ends_at = parse_instant(link["expires_at"])
            assert ends_at is not None
            clock.advance(ends_at - clock.now() - ticks)
            clock.step_ns = 1
            asked = checkout.send("/v1/look/link/order", {"link": link["url"].partition("#")[2]})
            answer = town.run(asyncio.wait_for(asked, 10))
            assert answer.status == 200 or answer.slug == "link-expired"


def test_a_link_that_was_ended_opens_nothing(checkout: Checkout, shop: Client) -> None:
    link = make_link(shop)
    gone = shop.town.run(shop.send("DELETE", f"/v1/links/{link['id']}"))
    assert gone.status == 204
    assert checkout.link(link["url"]).slug == "not-found"
    assert shop.town.run(shop.send("DELETE", f"/v1/links/{link['id']}")).slug == "not-found"


def test_a_merchant_sees_and_ends_its_own_links_alone(shop: Client, town: Town) -> None:
    other = town.merchant()
    made = [make_link(shop)["id"] for _ in range(3)]
    theirs = make_link(other)
    first = shop.get("/v1/links?limit=2").body
    rest = shop.get(f"/v1/links?limit=2&cursor={first['next']}").body
    listed = [one["id"] for one in first["items"] + rest["items"]]
    assert listed == sorted(made, reverse=True)
    assert rest["next"] is None
    refused = town.run(shop.send("DELETE", f"/v1/links/{theirs['id']}"))
    assert refused.slug == "not-found"
    assert [one["id"] for one in other.get("/v1/links").body["items"]] == [theirs["id"]]


def test_the_same_key_makes_one_link(shop: Client) -> None:
    first = shop.post("/v1/links", {"amount": eur(5)}, key="link-1")
    again = shop.post("/v1/links", {"amount": eur(5)}, key="link-1")
    assert first.body == again.body
    other = shop.post("/v1/links", {"amount": eur(6)}, key="link-1")
    assert other.slug == "idempotency-key-reused"


@pytest.mark.parametrize(
    ("asked", "slug"),
    [
        ({"amount": eur(0)}, "amount-not-positive"),
        ({"amount": eur(10**30)}, "amount-too-large"),
        ({"amount": {"currency": "USD", "minor": "5"}}, "wrong-currency"),
        ({"reference": "x" * 500}, "malformed-request"),
        ({"expires_in_s": 1}, "malformed-request"),
        ({"other": 1}, "malformed-request"),
    ],
)
def test_a_link_that_could_not_be_paid_is_not_made(shop: Client, asked: Json, slug: str) -> None:
    assert shop.post("/v1/links", asked).slug == slug
    assert shop.get("/v1/links").body["items"] == []


def test_one_link_makes_so_many_orders_a_minute(own_town: Town) -> None:
    checkout, shop = Checkout(own_town), own_town.merchant()
    url, other = make_link(shop, amount=eur(5))["url"], make_link(shop, amount=eur(5))["url"]
    for _ in range(ORDERS_A_MINUTE):
        assert checkout.begin(url).status == 200
    assert checkout.begin(url).slug == "too-many-requests"
    assert checkout.begin(other).status == 200, "it is counted by link, not by who asks"
    own_town.clock.advance(MINUTE_NS)
    assert checkout.begin(url).status == 200


@pytest.mark.parametrize("secret", [NOBODY, "", "short", "A" * 21 + "B", "A" * 23])
def test_what_is_no_link_opens_nothing(checkout: Checkout, secret: str) -> None:
    slug = "not-found" if secret == NOBODY else "malformed-request"
    assert checkout.link(f"#{secret}").slug == slug
    assert checkout.begin(f"#{secret}").slug == slug


def test_links_outlive_a_restart(tmp_path: Path) -> None:
    with open_town(tmp_path / "town") as town:
        url = make_link(town.merchant(), amount=eur(5), single_use=True)["url"]
        order = Checkout(town).begin(url).body["id"]
    with open_town(tmp_path / "town") as town:
        assert Checkout(town).begin(url).body["id"] == order


NOW: Final = Instant(DAY_NS)
AMOUNTS: Final = st.none() | st.integers(-5, 5) | st.integers(2**62, 2**64)


def link(amount: int | None, *, expires_at: Instant | None = None) -> Link:
    return Link(
        id=AmanaId(1),
        merchant=AmanaId(2),
        secret=bytes(16),
        amount=amount,
        reference=None,
        is_single_use=False,
        key=bytes(16),
        body=bytes(16),
        created_at=NOW,
        expires_at=expires_at,
    )


@given(st.none() | st.integers(1, 5), AMOUNTS)
def test_an_order_is_for_the_links_amount_or_a_chosen_one_above_zero(
    fixed: int | None, chosen: int | None
) -> None:
    decided = decide_amount(link(fixed), chosen, now=NOW)
    if isinstance(decided, LinkRefused):
        assert fixed is None or chosen not in {None, fixed}
    else:
        assert decided == fixed if fixed is not None else decided == chosen
        assert decided > 0


def test_a_link_ends_with_its_last_instant() -> None:
    ends = link(5, expires_at=Instant(NOW + 1))
    assert decide_amount(ends, None, now=NOW) == 5
    over = decide_amount(ends, None, now=Instant(NOW + 1))
    assert over == LinkRefused(LinkReason.EXPIRED)


@given(st.integers(1, 2**128 - 2), st.none() | st.integers(1, 2**128 - 2))
def test_each_order_of_a_link_leads_to_one_next_key(first: int, previous: int | None) -> None:
    before = None if previous is None else AmanaId(previous)
    key = order_key(AmanaId(first), before)
    assert len(key) == 16
    assert key == order_key(AmanaId(first), before)
    assert key != order_key(AmanaId(first), AmanaId((previous or 0) + 1))
