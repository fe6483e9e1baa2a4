"""Who may see and do what: tokens, scopes, and what belongs to others."""

from pathlib import Path

import pytest
from tests.node.town import Answer, Client, Json, Town, eur, open_town, unique

from amana.kernel import DAY_NS
from amana.people import MerchantRole, Scope, Staff
from amana.people.tokens import SESSION_LIFE_NS

OPEN = (
    "/v1/sign-",
    "/v1/fees",
    "/v1/events",
    "/v1/merchants/",
    "/v1/liabilities",
    "/v1/relay-",
)
"""What asks for no token, and the feeds, whose tests are elsewhere."""

CUSTOMERS_OWN = [
    ("GET", "/v1/account"),
    ("PUT", "/v1/account/note-key"),
    ("GET", "/v1/payees/somebody"),
    ("POST", "/v1/codes"),
    ("POST", "/v1/payments"),
    ("GET", "/v1/payments"),
    ("GET", "/v1/payments/pay_" + "1" * 26),
    ("PUT", "/v1/purse/backup"),
    ("GET", "/v1/purse/backup"),
    ("POST", "/v1/sign-out"),
    ("GET", "/v1/purse"),
    ("GET", "/v1/purse/refill"),
    ("PUT", "/v1/purse/refill"),
    ("DELETE", "/v1/purse/refill"),
    ("POST", "/v1/purse/tokens"),
    ("POST", "/v1/purse/deposits"),
    ("PUT", "/v1/purse/key"),
    ("GET", "/v1/purse/mail"),
    ("DELETE", "/v1/purse/mail/" + "1" * 32),
    ("POST", "/v1/openid/approve"),
    ("POST", "/v1/openid/device/approve"),
]
MERCHANTS_OWN = [
    ("GET", "/v1/merchant"),
    ("POST", "/v1/orders"),
    ("GET", "/v1/orders"),
    ("GET", "/v1/orders/ord_" + "1" * 26),
    ("POST", "/v1/orders/ord_" + "1" * 26 + "/capture"),
    ("POST", "/v1/orders/ord_" + "1" * 26 + "/cancel"),
    ("POST", "/v1/orders/ord_" + "1" * 26 + "/refunds"),
    ("PUT", "/v1/orders/ord_" + "1" * 26 + "/receipt-note"),
    ("POST", "/v1/links"),
    ("GET", "/v1/links"),
    ("DELETE", "/v1/links/lnk_" + "1" * 26),
    ("POST", "/v1/webhooks"),
    ("GET", "/v1/webhooks"),
    ("DELETE", "/v1/webhooks/whk_" + "1" * 26),
    ("GET", "/v1/webhooks/whk_" + "1" * 26 + "/deliveries"),
    ("POST", "/v1/webhooks/whk_" + "1" * 26 + "/replay"),
    ("GET", "/v1/api-keys"),
    ("POST", "/v1/api-keys"),
    ("DELETE", "/v1/api-keys/key_" + "1" * 26),
    ("GET", "/v1/staff"),
    ("POST", "/v1/staff"),
    ("DELETE", "/v1/staff/stf_" + "1" * 26),
]
STAFFS_OWN = [
    ("GET", "/v1/operator/books"),
    ("POST", "/v1/operator/customers"),
    ("POST", "/v1/operator/merchants"),
    ("POST", "/v1/operator/topups"),
    ("POST", "/v1/operator/merchants/somebody/api-keys"),
    ("POST", "/v1/operator/customers/somebody/close"),
    ("POST", "/v1/operator/customers/somebody/erase"),
]
OUTPUTS = {"keyset_id": "01" + "0" * 64, "outputs": [{"amount": 1, "B_": "02" + "1" * 64}]}
BODIES: dict[str, Json] = {
    "/v1/purse/backup": {"sealed": "AAAA"},
    "/v1/purse/refill": {**OUTPUTS, "tier": eur(1)},
    "/v1/purse/tokens": OUTPUTS,
    "/v1/purse/key": {"purse_key": "02" + "1" * 64},
    "/v1/openid/approve": {"query": "", "is_approved": False},
    "/v1/openid/device/approve": {"user_code": "x", "is_approved": False},
    "/v1/account/note-key": {"note_key": "A" * 42 + "E"},
    "/v1/codes": {"code": "x"},
    "/v1/payments": {"payee": "somebody", "amount": eur(1)},
    "/v1/orders": {"amount": eur(1)},
    "receipt-note": {"sealed_note": "abcd"},
    "/v1/webhooks": {"url": "https://shop.example/hook"},
    "replay": {"after": 0},
    "/v1/api-keys": {"scopes": ["read"]},
    "/v1/staff": {"name": "N", "role": "cashier"},
    "customers": {"handle": "new-one", "display_name": "N"},
    "merchants": {
        "handle": "new-shop",
        "name": "N",
        "category": "5462",
        "country": "AE",
        "city": "Dubai",
    },
    "topups": {"customer": "somebody", "amount": eur(1)},
}


def ask(town: Town, method: str, path: str, token: str | None) -> Answer:
    body = BODIES.get(path, BODIES.get(path.rpartition("/")[2], {}))
    sent: dict[str, Json] = {} if method in {"GET", "DELETE"} else {"body": body}
    return town.ask(method, path, token=token, key=unique("key"), **sent)


def test_every_address_of_the_api_is_listed_here(town: Town) -> None:
    """So that a new address must say whose it is."""
    document = town.ask("GET", "/openapi.json").body
    there = {
        (method.upper(), path.partition("{")[0])
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith("/v1/") and not path.startswith(OPEN)
    }
    listed = {
        (method, path.partition("_1")[0].partition("1111")[0].partition("somebody")[0])
        for method, path in CUSTOMERS_OWN + MERCHANTS_OWN + STAFFS_OWN
        if path != "/v1/sign-out"
    }
    stems = {(method, _stem(path)) for method, path in listed}
    assert {(method, _stem(path)) for method, path in there} == stems


def _stem(path: str) -> str:
    return (
        path.removesuffix("/")
        .removesuffix("pay")
        .removesuffix("ord")
        .removesuffix("whk")
        .removesuffix("lnk")
        .removesuffix("key")
        .removesuffix("stf")
        .removesuffix("/")
    )


@pytest.mark.parametrize(("method", "path"), CUSTOMERS_OWN + MERCHANTS_OWN + STAFFS_OWN)
def test_nothing_is_answered_without_a_token(town: Town, method: str, path: str) -> None:
    for token in (None, "", "x", "ams_" + "A" * 43, "x" * 9_000):
        answer = ask(town, method, path, token)
        assert answer.slug == "not-signed-in", (token, answer.content)
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path", "own"),
    [(*address, "customer") for address in CUSTOMERS_OWN]
    + [(*address, "merchant") for address in MERCHANTS_OWN]
    + [(*address, "operator") for address in STAFFS_OWN],
)
def test_a_token_of_another_kind_is_not_allowed(
    town: Town, method: str, path: str, own: str
) -> None:
    clients = {"customer": town.customer(0), "merchant": town.merchant(), "operator": town.staff}
    for kind, client in clients.items():
        answer = ask(town, method, path, client.token)
        assert (answer.slug == "not-allowed") is (kind != own), (kind, answer.content)


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "Digest"])
def test_a_token_under_another_scheme_is_none(town: Town, scheme: str) -> None:
    customer = town.customer(0)
    for path in ("/v1/account", "/v1/events", "/v1/events/stream"):
        headers = {"Authorization": f"{scheme} {customer.token}".strip()}
        assert town.ask("GET", path, headers=headers).slug == "not-signed-in"
        assert town.ask("GET", f"{path}?token={customer.token}").slug == "not-signed-in"


@pytest.mark.parametrize("value", [b"\xff", b"Bearer \xff\xfe", b"Bearer", b"Bearer\t", b""])
def test_a_header_that_is_no_token_is_none(town: Town, value: bytes) -> None:
    answer = town.ask("GET", "/v1/account", headers={"Authorization": value})
    assert answer.slug == "not-signed-in"


def scoped(town: Town, shop: Client, *scopes: Scope) -> Client:
    facts = town.operator.directory.by_handle(shop.handle)
    assert facts is not None
    issued = town.run(town.operator.people.issue_api_key(facts.party, frozenset(scopes)))
    return Client(town, shop.handle, issued.text)  # type: ignore[union-attr]


SCOPE_OF = {
    ("GET", "/v1/merchant"): Scope.READ,
    ("GET", "/v1/orders"): Scope.READ,
    ("GET", "/v1/orders/{}"): Scope.READ,
    ("POST", "/v1/orders"): Scope.ORDERS,
    ("POST", "/v1/orders/{}/capture"): Scope.ORDERS,
    ("POST", "/v1/orders/{}/cancel"): Scope.ORDERS,
    ("PUT", "/v1/orders/{}/receipt-note"): Scope.ORDERS,
    ("POST", "/v1/orders/{}/refunds"): Scope.REFUNDS,
    ("GET", "/v1/events"): Scope.EVENTS,
    ("GET", "/v1/webhooks"): Scope.EVENTS,
}


@pytest.mark.parametrize("scope", list(Scope))
def test_a_key_does_what_its_scope_says_and_nothing_else(town: Town, scope: Scope) -> None:
    shop = town.merchant()
    order = shop.order(100)["id"]
    key = scoped(town, shop, scope)
    for (method, path), needed in SCOPE_OF.items():
        answer = ask(town, method, path.format(order), key.token)
        assert (answer.slug == "not-allowed") is (needed is not scope), (path, answer.content)


def test_a_key_cannot_make_a_key_that_does_more(town: Town) -> None:
    key = scoped(town, town.merchant(), Scope.READ)
    answer = key.post("/v1/api-keys", {"scopes": ["read", "refunds"]})
    assert answer.slug == "not-allowed"


def test_a_cashier_takes_money_and_gives_none_back(town: Town) -> None:
    customer, shop = town.customer(), town.merchant()
    facts = town.operator.directory.by_handle(shop.handle)
    assert facts is not None
    staff = town.run(town.operator.people.add_staff(facts.party, "Cai", MerchantRole.CASHIER))
    assert isinstance(staff, Staff)
    issued = town.run(town.operator.people.issue_staff_session(staff.staff))
    cashier = Client(town, shop.handle, issued.text)  # type: ignore[union-attr]
    order = cashier.order(100)
    assert customer.pay_code(order["code"], 100).status == 201
    assert cashier.post(f"/v1/orders/{order['id']}/refunds", {}).slug == "not-allowed"
    assert cashier.post("/v1/api-keys", {"scopes": ["refunds"]}).slug == "not-allowed"


def test_what_belongs_to_others_is_simply_not_there(town: Town) -> None:
    amal, badr, shop, rival = town.customer(), town.customer(), town.merchant(), town.merchant()
    order = shop.order(100, capture="manual")
    paid = amal.pay_code(order["code"], 100, note_key="A" * 42 + "E")
    direct = amal.pay(shop.handle, 50).body["id"]
    for identifier in (paid.body["id"], direct):
        assert badr.get(f"/v1/payments/{identifier}").slug == "not-found"
    direct_order = "ord_" + direct.partition("_")[2]
    for identifier in (order["id"], direct_order):
        path = f"/v1/orders/{identifier}"
        assert rival.get(path).slug == "not-found"
        assert rival.post(f"{path}/capture", {}).slug == "not-found"
        assert rival.post(f"{path}/cancel", {}).slug == "not-found"
        assert rival.post(f"{path}/refunds", {}).slug == "not-found"
        assert rival.put(f"{path}/receipt-note", {"sealed_note": "abcd"}).slug == "not-found"
    assert badr.get("/v1/payments").body["items"][0]["kind"] == "topup"
    assert rival.get("/v1/orders").body["items"] == []
    assert rival.get("/v1/events").body["items"] == []
    tills = shop.get("/v1/merchant").body["sites"][0]["tills"]
    stolen = {"amount": eur(5), "till": tills[0]["id"]}
    assert rival.post("/v1/orders", stolen).slug == "malformed-request"
    hook = shop.post("/v1/webhooks", {"url": "https://shop.example/hook"}).body["id"]
    assert rival.get(f"/v1/webhooks/{hook}/deliveries").slug == "not-found"
    assert rival.post(f"/v1/webhooks/{hook}/replay", {"after": 0}).slug == "not-found"
    assert town.run(rival.send("DELETE", f"/v1/webhooks/{hook}")).slug == "not-found"
    key = shop.get("/v1/api-keys").body["items"][0]["id"]
    assert town.run(rival.send("DELETE", f"/v1/api-keys/{key}")).slug == "not-found"
    assert shop.get("/v1/orders").status == 200


def test_a_payee_does_not_learn_of_what_was_tried_in_vain(town: Town) -> None:
    amal, badr = town.customer(100), town.customer(0)
    tried = amal.pay(badr.handle, 200).body["payment_id"]
    assert amal.get(f"/v1/payments/{tried}").body["status"] == "refused"
    assert badr.get(f"/v1/payments/{tried}").slug == "not-found"
    assert badr.get("/v1/events").body["items"] == []


def test_signing_out_ends_the_token_at_once(town: Town) -> None:
    customer = town.customer(0)
    assert customer.post("/v1/sign-out").status == 204
    for path in ("/v1/account", "/v1/payments", "/v1/events"):
        assert customer.get(path).slug == "not-signed-in"
    assert customer.post("/v1/sign-out").slug == "not-signed-in"


def test_a_session_ends_by_itself(own_town: Town) -> None:
    customer = own_town.customer(0)
    own_town.clock.advance(SESSION_LIFE_NS - 1)
    assert customer.get("/v1/account").status == 200
    own_town.clock.advance(1)
    assert customer.get("/v1/account").slug == "not-signed-in"
    own_town.clock.advance(-DAY_NS)


def test_the_host_header_decides_nothing(town: Town) -> None:
    answer = town.ask("GET", "/nope", headers={"Host": "evil.example"})
    assert answer.body["type"].startswith("http://localhost:8400/")
    begun = town.ask("POST", "/v1/sign-in/options", {}, headers={"Host": "evil.example"})
    assert begun.body["options"]["rpId"] == "localhost"


def test_no_token_is_stored_readable(tmp_path: Path) -> None:
    with open_town(tmp_path / "town") as town:
        clients = [town.customer(0), town.merchant(), town.staff]
    content = b"".join(
        path.read_bytes() for path in (tmp_path / "town").rglob("*") if path.is_file()
    )
    for client in clients:
        secret = client.token.partition("_")[2].encode()
        assert secret not in content
        assert client.token.encode() not in content


def test_a_merchant_who_lost_every_key_gets_a_new_one_from_the_staff(town: Town) -> None:
    shop = town.merchant()
    given = town.staff.post(f"/v1/operator/merchants/{shop.handle}/api-keys")
    assert given.status == 201
    assert Client(town, shop.handle, given.body["api_key"]).get("/v1/merchant").status == 200
    assert town.staff.post("/v1/operator/merchants/nobody-here/api-keys").slug == "not-found"


def test_a_customer_leaves_without_money_and_is_then_erased(town: Town) -> None:
    customer, shop = town.customer(500), town.merchant()
    close = f"/v1/operator/customers/{customer.handle}/close"
    erase = f"/v1/operator/customers/{customer.handle}/erase"
    assert town.staff.post(close).slug == "account-holds-money"
    assert customer.pay(shop.handle, 500).status == 201
    assert town.staff.post(erase).slug == "account-not-closed"
    assert town.staff.post(close).status == 204
    assert customer.get("/v1/account").slug == "not-signed-in"
    assert town.staff.post(erase).status == 204
    assert town.staff.post(erase).slug == "not-found"
    assert town.staff.post(f"/v1/operator/customers/{shop.handle}/close").slug == "not-found"
