"""A merchant's staff, and how often a stranger may begin a ceremony."""

from typing import Any

import pytest
from tests.node.town import Client, Town

from amana.kernel import MINUTE_NS, Instant
from amana.node.http.rates import Rates
from amana.node.problems import ProblemRaised


def hired(town: Town, merchant: Client, role: str) -> tuple[str, Client]:
    added = merchant.post("/v1/staff", {"name": "Mina", "role": role})
    assert added.status == 201, added.content
    return added.body["id"], Client(town, merchant.handle, added.body["token"])


def test_a_cashier_takes_payments_and_gives_no_money_back(town: Town) -> None:
    merchant, customer = town.merchant(), town.customer()
    _, cashier = hired(town, merchant, "cashier")
    order = cashier.order(500)
    assert customer.pay_code(order["code"], 500).status == 201
    refused = cashier.post(f"/v1/orders/{order['id']}/refunds", {})
    assert (refused.status, refused.slug) == (403, "not-allowed")
    assert merchant.post(f"/v1/orders/{order['id']}/refunds", {}).status == 201


def test_a_manager_looks_after_staff_and_a_cashier_does_not(town: Town) -> None:
    merchant = town.merchant()
    _, manager = hired(town, merchant, "manager")
    staff, cashier = hired(town, manager, "cashier")
    assert cashier.get("/v1/staff").slug == "not-allowed"
    assert cashier.post("/v1/staff", {"name": "N", "role": "owner"}).slug == "not-allowed"
    listed = merchant.get("/v1/staff").body["items"]
    # Ids of one instant have no order.
    roles = {member["id"]: member["role"] for member in listed}
    assert sorted(roles.values()) == ["cashier", "manager"]
    assert roles[staff] == "cashier"
    assert all("token" not in member for member in listed)


def test_who_is_removed_is_signed_out_at_once(town: Town) -> None:
    merchant = town.merchant()
    staff, cashier = hired(town, merchant, "cashier")
    assert cashier.get("/v1/merchant").status == 200
    assert town.run(merchant.send("DELETE", f"/v1/staff/{staff}")).status == 204
    assert cashier.get("/v1/merchant").slug == "not-signed-in"
    assert merchant.get("/v1/staff").body["items"] == []


def test_a_cashier_leaves_nothing_behind_that_outlasts_the_cashier(town: Town) -> None:
    merchant = town.merchant()
    kept = merchant.post("/v1/api-keys", {"scopes": ["read"]}).body["id"]
    webhook = merchant.post("/v1/webhooks", {"url": "http://localhost:1/till"}).body["id"]
    link = merchant.post("/v1/links", {"reference": "poster"}).body["id"]
    _, cashier = hired(town, merchant, "cashier")
    asked: tuple[tuple[str, str, Any], ...] = (
        ("POST", "/v1/api-keys", {"scopes": ["read"]}),
        ("DELETE", f"/v1/api-keys/{kept}", {}),
        ("POST", "/v1/webhooks", {"url": "http://localhost:1/mine"}),
        ("POST", f"/v1/webhooks/{webhook}/replay", {"after": 0}),
        ("DELETE", f"/v1/webhooks/{webhook}", {}),
        ("POST", "/v1/links", {"reference": "mine"}),
        ("DELETE", f"/v1/links/{link}", {}),
    )
    for method, path, body in asked:
        assert town.run(cashier.send(method, path, body)).slug == "not-allowed", (method, path)
    assert [one["id"] for one in cashier.get("/v1/links").body["items"]] == [link]


def test_staff_of_another_merchant_is_not_there(town: Town) -> None:
    staff, _ = hired(town, town.merchant(), "cashier")
    answer = town.run(town.merchant().send("DELETE", f"/v1/staff/{staff}"))
    assert (answer.status, answer.slug) == (404, "not-found")


def test_an_address_that_asks_too_often_waits_for_the_next_minute() -> None:
    rates, now = Rates(a_minute_max=2), Instant(MINUTE_NS)
    rates.count("one", now)
    rates.count("one", now)
    rates.count("other", now)
    with pytest.raises(ProblemRaised) as refused:
        rates.count("one", now)
    assert refused.value.slug == "too-many-requests"
    rates.count("one", Instant(now + MINUTE_NS))
