"""The checkout's origin: what anybody sees of an order who has its id."""

from typing import Final

import pytest
from tests.node.checkouts import Checkout, make_link
from tests.node.town import Client, Town, eur

from amana.kernel import HOUR_NS

SEEN: Final = {
    "id",
    "status",
    "pending",
    "amount",
    "reference",
    "payee",
    "purse",
    "code",
    "cashu_request",
    "wallet",
    "operator",
    "play_money",
    "expires_at",
}


@pytest.fixture(scope="session")
def checkout(town: Town) -> Checkout:
    return Checkout(town)


@pytest.fixture
def shop(town: Town) -> Client:
    return town.merchant()


def test_an_order_is_shown_with_its_merchant_and_nothing_of_a_payer(
    checkout: Checkout, shop: Client
) -> None:
    order = shop.order(1_250, reference="Basket 7")
    seen = checkout.look(order["id"])
    assert seen.status == 200
    assert set(seen.body) == SEEN
    assert seen.body["status"] == "open"
    assert seen.body["amount"] == eur(1_250)
    assert seen.body["payee"]["handle"] == shop.handle
    assert (seen.body["code"], seen.body["cashu_request"]) == (
        order["code"],
        order["cashu_request"],
    )
    assert seen.body["wallet"] == "http://localhost:8400/wallet"


def test_a_paid_order_is_shown_as_paid_and_not_by_whom_or_when(
    checkout: Checkout, shop: Client, town: Town
) -> None:
    order = shop.order(1_250)
    customer = town.customer(name="Amal the payer")
    assert customer.pay_code(order["code"], 1_250).status == 201
    seen = checkout.look(order["id"])
    assert (seen.body["status"], set(seen.body)) == ("paid", SEEN)
    assert seen.body["code"] is None
    assert customer.handle.encode() not in seen.content
    assert b"Amal" not in seen.content


def test_looks_leave_no_row(checkout: Checkout, shop: Client, town: Town) -> None:
    order, link = shop.order(5), make_link(shop)
    before = town.operator.read_connection.execute("PRAGMA data_version").fetchone()
    for _ in range(3):
        assert checkout.look(order["id"]).status == 200
        assert checkout.link(link["url"]).status == 200
    after = town.operator.read_connection.execute("PRAGMA data_version").fetchone()
    assert after == before


def test_an_order_for_accounts_only_says_so(checkout: Checkout, shop: Client) -> None:
    seen = checkout.look(shop.order(5, capture="manual")["id"]).body
    assert (seen["purse"], seen["cashu_request"]) == (False, None)


def test_an_order_whose_time_is_over_is_shown_as_expired(own_town: Town) -> None:
    checkout, shop = Checkout(own_town), own_town.merchant()
    order = shop.order(5)
    own_town.clock.advance(HOUR_NS)
    assert checkout.look(order["id"]).body["status"] == "expired"


@pytest.mark.parametrize("order", ["", "x", "ord_" + "1" * 26, "pay_" + "1" * 26])
def test_what_is_no_order_is_not_found(checkout: Checkout, order: str) -> None:
    assert checkout.look(order).slug == "not-found"


def test_whoever_comes_without_an_order_is_told_whose_checkout_it_is(checkout: Checkout) -> None:
    page = checkout.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert page.content == checkout.get("/o").content
    assert checkout.get("/v1/look").body == {
        "wallet": "http://localhost:8400/wallet",
        "operator": "Test town",
        "play_money": True,
    }


def test_the_operators_addresses_are_not_at_the_checkouts_origin(checkout: Checkout) -> None:
    for path in ("/health", "/v1/account", "/v1/orders", "/wallet", "/openapi.json"):
        assert checkout.get(path).slug == "not-found", path


def test_every_answer_keeps_to_itself(checkout: Checkout, shop: Client) -> None:
    for answer in (checkout.look(shop.order(5)["id"]), checkout.look("x")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "connect-src 'self';" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
