"""Whatever comes in: one shape of error, the same headers, an unchanged state."""

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.node.town import NO_BODY, PROBLEM, SETTINGS, Answer, Json, Town, eur, unique

from amana.kernel.limits import REQUEST_BODY_BYTES_MAX
from amana.node.http.headers import SECURITY_HEADERS, headers_with_mint
from amana.node.problems import PROBLEMS
from amana.wire.cursor import write_cursor

MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "errors",
    "payment_id",
    "retry_with_same_id",
    "scheme",
}


def check_problem(answer: Answer, slug: str) -> None:
    """Check the one shape of every error."""
    assert answer.slug == slug, (answer.status, answer.content)
    status, title = PROBLEMS[slug]
    assert answer.status == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["cache-control"] == "no-store"
    body = answer.body
    assert body["type"] == f"http://localhost:8400/docs/problems/{slug}"
    assert (body["title"], body["status"]) == (title, status)
    assert set(body) <= MEMBERS
    if slug == "malformed-request":
        assert body["detail"], "the title alone says nothing of what was done"
    for fault in body.get("errors", []):
        assert set(fault) == {"field", "message"}
    check_headers(answer)


def check_headers(answer: Answer) -> None:
    # A page's purse speaks to the mint's origin; what is no page needs not say so.
    with_mint = headers_with_mint(SETTINGS.mint_url)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] in {value, with_mint[name]}, name
    for name in answer.headers:
        assert not name.startswith("access-control-"), "no other origin may read an answer"
        assert name not in {"server", "x-powered-by", "set-cookie"}


@pytest.mark.parametrize(
    ("method", "path", "slug"),
    [
        ("GET", "/nope", "not-found"),
        ("POST", "/nope", "not-found"),
        ("GET", "/v1", "not-found"),
        ("GET", "/v2/payments", "not-found"),
        ("GET", "/v1/payments/pay_x", "not-found"),
        ("GET", "/v1/payments/pay_%00", "not-found"),
        ("GET", "/v1/payments/%ff%fe", "not-found"),
        ("GET", "/v1/payments/pay_" + "7" * 26, "not-found"),
        ("GET", "/v1/payments/pay_" + "z" * 26, "not-found"),
        ("GET", "/v1/payments/cus_" + "1" * 26, "not-found"),
        ("GET", "/v1/payments/" + "a" * 5_000, "not-found"),
        ("GET", "/v1/payees/%27%3B%20DROP%20TABLE", "not-found"),
        ("GET", "/v1/payees/a%2Fb", "not-found"),
        ("GET", "/assets/..%2f..%2fsettings.py", "not-found"),
        ("GET", "/assets/../../settings.py", "not-found"),
        ("GET", "/docs/problems/nope", "not-found"),
        ("PUT", "/v1/payments", "method-not-allowed"),
        ("DELETE", "/v1/account", "method-not-allowed"),
        ("HEAD", "/health", "method-not-allowed"),
        ("TRACE", "/health", "method-not-allowed"),
        ("BREW", "/health", "method-not-allowed"),
        ("GET", "/v1/orders/x/capture", "method-not-allowed"),
        ("GET", "/v1/account", "ok"),
    ],
)
def test_every_address_answers_in_one_shape(town: Town, method: str, path: str, slug: str) -> None:
    customer = town.customer(0)
    answer = town.run(customer.send(method, path))
    if slug == "ok":
        assert answer.status == 200
        check_headers(answer)
    elif method == "HEAD":
        assert answer.status == 405
        check_headers(answer)
    else:
        check_problem(answer, slug)


def test_a_refused_method_says_which_are_taken(town: Town) -> None:
    answer = town.ask("DELETE", "/v1/payments")
    assert set(answer.headers["allow"].split(", ")) >= {"GET", "POST"}


def test_options_tell_the_methods_and_let_no_other_origin_in(town: Town) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = town.ask("OPTIONS", "/v1/payments", headers=asked)
    assert answer.status == 204
    check_headers(answer)


def test_success_carries_the_same_headers_and_is_not_kept(town: Town) -> None:
    customer = town.customer(0)
    for path in ("/v1/account", "/v1/payments", "/v1/events"):
        answer = customer.get(path)
        assert answer.status == 200
        check_headers(answer)
        assert answer.headers["cache-control"] == "no-store"


def test_pages_carry_the_same_headers(town: Town) -> None:
    for path in ("/docs", "/docs/problems", "/docs/problems/not-found", "/openapi.json", "/health"):
        answer = town.ask("GET", path)
        assert answer.status == 200, path
        check_headers(answer)
        assert answer.headers["content-type"].count("charset") <= 1


def test_every_problem_has_its_page(town: Town) -> None:
    for slug in PROBLEMS:
        assert town.ask("GET", f"/docs/problems/{slug}").status == 200


GOOD = {"payee": "nobody-here", "amount": eur(5)}


def amount(minor: object) -> dict[str, object]:
    return {**GOOD, "amount": {"currency": "EUR", "minor": minor}}


@pytest.mark.parametrize(
    "minor",
    ["05", "+5", "5.0", "5e1", " 5", "5 ", "5\n", "٥", "", "-", "--5", "0x5", "5_0", "1" * 40],
)
def test_an_amount_is_digits_and_nothing_else(town: Town, minor: str) -> None:
    answer = town.customer().post("/v1/payments", amount(minor))
    check_problem(answer, "malformed-request")
    assert answer.body["errors"][0]["field"] == "amount.minor"


@pytest.mark.parametrize("minor", [5, 5.0, None, True, [], {}, ["5"]])
def test_an_amount_is_a_string(town: Town, minor: object) -> None:
    check_problem(town.customer().post("/v1/payments", amount(minor)), "malformed-request")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "x",
        5,
        True,
        {**GOOD, "extra": 1},
        {**GOOD, "amount": {**eur(5), "extra": 1}},
        {"payee": "a-shop"},
        {"amount": eur(5)},
        {**GOOD, "code": "x"},
        {**GOOD, "payee": None},
        {**GOOD, "payee": ""},
        {**GOOD, "payee": "x" * 65},
        {**GOOD, "payee": ["a"]},
        {**GOOD, "amount": {"currency": "eur", "minor": "5"}},
        {**GOOD, "amount": {"currency": "EUR\n", "minor": "5"}},
        {**GOOD, "amount": {"currency": "EURO", "minor": "5"}},
        {**GOOD, "amount": {"minor": "5"}},
        {**GOOD, "sealed_note": "<script>"},
        {**GOOD, "sealed_note": "a" * 4_097},
        {**GOOD, "sealed_note": "abc\n"},
        {**GOOD, "note_key": "A" * 42},
        {**GOOD, "note_key": "A" * 43 + "\n"},
        {**GOOD, "note_key": "=" * 43},
        {"code": "0" * 5_000, "amount": eur(5)},
    ],
)
def test_a_payment_that_is_not_understood_is_refused(town: Town, body: Json) -> None:
    customer = town.customer(1_000)
    check_problem(customer.post("/v1/payments", body), "malformed-request")
    assert customer.available() == 1_000


RAW = {
    "empty": b"",
    "open": b"{",
    "not utf-8": b'{"payee":"\xff","amount":{"currency":"EUR","minor":"5"}}',
    "half a pair": b'{"payee":"\\ud800","amount":{"currency":"EUR","minor":"5"}}',
    "utf-16": json.dumps(GOOD).encode("utf-16"),
    "not a number": b'{"payee":"x","amount":{"currency":"EUR","minor":NaN}}',
    "deep lists": b"[" * 60_000,
    "deep objects": b'{"amount":' * 6_000,
    "two documents": json.dumps(GOOD).encode() * 2,
    "zeros": b"\0" * 100,
    "xml": b"<a/>",
}


@pytest.mark.parametrize("name", RAW)
def test_bytes_that_are_not_json_are_refused(town: Town, name: str) -> None:
    content = RAW[name]
    answer = town.customer(0).post("/v1/payments", content=content)
    check_problem(answer, "malformed-request")


def test_a_deep_answer_of_an_authenticator_is_refused(town: Town) -> None:
    content = b'{"ceremony":"a","credential":{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}}"
    check_problem(town.ask("POST", "/v1/sign-in", content=content), "malformed-request")


@pytest.mark.parametrize("credential", [{}, {"rawId": 1}, {"response": {"userHandle": 5}}])
def test_a_made_up_passkey_is_refused(town: Town, credential: dict[str, Json]) -> None:
    for path, asked in (
        ("sign-in", {}),
        ("sign-up", {"handle": unique("newcomer"), "display_name": "N"}),
    ):
        begun = town.ask("POST", f"/v1/{path}/options", asked)
        body = {"ceremony": begun.body["ceremony"], "credential": credential}
        check_problem(town.ask("POST", f"/v1/{path}", body), "passkey-refused")
        check_problem(town.ask("POST", f"/v1/{path}", body), "passkey-refused")


def test_a_body_that_is_too_large_is_refused_by_its_length(town: Town) -> None:
    content = b'{"code":"' + b"a" * REQUEST_BODY_BYTES_MAX + b'"}'
    check_problem(town.customer(0).post("/v1/payments", content=content), "payload-too-large")


def test_a_body_that_is_too_large_is_refused_while_it_comes(town: Town) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"a" * 1_000

    check_problem(town.customer(0).post("/v1/payments", content=chunks()), "payload-too-large")


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"],
)
def test_a_body_of_another_media_type_is_refused(town: Town, media_type: str) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    content = json.dumps({"payee": shop.handle, "amount": eur(5)}).encode()
    headers = {"Content-Type": media_type}
    answer = customer.post("/v1/payments", content=content, headers=headers)
    check_problem(answer, "unsupported-media-type")
    assert customer.available() == 1_000


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken_however_it_is_spelt(town: Town, media_type: str) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    content = json.dumps({"payee": shop.handle, "amount": eur(5)}).encode()
    headers = {"Content-Type": media_type}
    assert customer.post("/v1/payments", content=content, headers=headers).status == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "a" * 256, "é".encode(), b"\xff", b"\x7f"])
def test_a_key_is_visible_ascii(town: Town, key: Json) -> None:
    customer = town.customer(1_000)
    body = {"payee": town.merchant().handle, "amount": eur(5)}
    answer = customer.post("/v1/payments", body, headers={"Idempotency-Key": key})
    check_problem(answer, "malformed-request")
    assert customer.available() == 1_000


def test_whatever_moves_money_or_makes_orders_needs_a_key(town: Town) -> None:
    customer, shop = town.customer(), town.merchant()
    order = shop.order(100, capture="manual")
    assert customer.pay_code(order["code"], 100).status == 201
    paid = shop.order(100)
    assert customer.pay_code(paid["code"], 100).status == 201
    asked: list[tuple[Json, str, dict[str, Json]]] = [
        (customer, "/v1/payments", {"payee": shop.handle, "amount": eur(5)}),
        (shop, "/v1/orders", {"amount": eur(5)}),
        (shop, f"/v1/orders/{order['id']}/capture", {}),
        (shop, f"/v1/orders/{order['id']}/cancel", {}),
        (shop, f"/v1/orders/{paid['id']}/refunds", {}),
        (town.staff, "/v1/operator/topups", {"customer": customer.handle, "amount": eur(5)}),
    ]
    before = customer.available()
    for client, path, body in asked:
        check_problem(town.run(client.send("POST", path, body)), "idempotency-key-missing")
    assert customer.available() == before
    assert shop.get(f"/v1/orders/{order['id']}").body["status"] == "authorised"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=abc", "limit=", "after=-1", "after=" + "9" * 30, "after=x"],
)
def test_a_feeds_bounds_are_checked(town: Town, query: str) -> None:
    check_problem(town.customer(0).get(f"/v1/events?{query}"), "malformed-request")


@pytest.mark.parametrize("text", ["", "%00", "a", "A" * 5_000, "..", write_cursor("orders", 5)])
def test_a_cursor_that_is_not_this_lists_own_is_refused(town: Town, text: str) -> None:
    check_problem(town.customer(0).get(f"/v1/payments?cursor={text}"), "malformed-request")


@pytest.mark.parametrize("position", [0, 1, 2**62, 2**63 - 1, 2**63, 2**127, 2**128 - 1])
def test_a_forged_cursor_shows_nothing_of_others_and_breaks_nothing(
    town: Town, position: int
) -> None:
    customer, shop = town.customer(0), town.merchant()
    made = shop.post("/v1/webhooks", {"url": "https://shop.example/hook"}).body["id"]
    for client, path, name in (
        (customer, "/v1/payments", "payments"),
        (shop, "/v1/orders", "orders"),
        (shop, f"/v1/webhooks/{made}/deliveries", "deliveries"),
    ):
        answer = client.get(f"{path}?cursor={write_cursor(name, position)}")
        if answer.status == 200:
            assert answer.body == {"items": [], "next": None}
        else:
            check_problem(answer, "malformed-request")


NASTY = [
    "'; DROP TABLE payments_payments;--",
    '"><script>x</script>',
    "${7*7}{{7*7}}",
    "%s%n%x",
    "../../etc/passwd",
    "مخبز الزاوية",
    "角落面包店",
    "😀👨‍👩‍👧",
    "e\u0301",
    "\u00a0x",
]


@pytest.mark.parametrize("text", NASTY)
def test_any_text_survives_unchanged_and_does_nothing(town: Town, text: str) -> None:
    reference = text[:25]
    shop = town.merchant(name=text.strip(), names={"zh": text.strip()}, city="Dubai")
    profile = shop.get("/v1/merchant").body
    assert profile["name"] == text.strip()
    assert profile["names"] == {"zh": text.strip()}
    order = shop.order(100, reference=reference)
    assert order["reference"] == reference
    scanned = town.customer(0).post("/v1/codes", {"code": order["code"]})
    assert scanned.status == 200
    assert scanned.body["order_id"] == order["id"]
    assert scanned.body["reference"] == reference
    assert town.books()["balanced"]


@pytest.mark.parametrize("minor", [2**63, 2**63 - 1, 10**14, 10**40 - 1])
def test_an_order_that_no_code_can_hold_is_not_stored(town: Town, minor: int) -> None:
    shop = town.merchant()
    answer = shop.post("/v1/orders", {"amount": eur(str(minor)[:39])})
    check_problem(answer, "amount-too-large")
    assert shop.get("/v1/orders").body["items"] == []


@pytest.mark.parametrize(
    "text", ["a\0b", "a\x85b", "a\u2028b", "a\u202eb", "a\nb", "a\n", "\x1b[31m", "a\x7f"]
)
def test_control_characters_are_refused(town: Town, text: str) -> None:
    shop = town.merchant()
    answer = shop.post("/v1/orders", {"amount": eur(5), "reference": text})
    check_problem(answer, "malformed-request")
    assert shop.get("/v1/orders").body["items"] == []


@given(reference=st.text(max_size=25), name=st.text(max_size=60))
def test_any_order_that_is_taken_can_be_listed_and_scanned(
    town: Town, reference: str, name: str
) -> None:
    """Random references and names; an order is refused at once, or good for ever."""
    answer = town.staff.post(
        "/v1/operator/merchants",
        {
            "handle": unique("any"),
            "name": name,
            "category": "5462",
            "country": "AE",
            "city": name[:15],
        },
    )
    key = answer.body.get("api_key") or town.merchant().token
    body = {"amount": eur(5), "reference": reference}
    made = town.ask("POST", "/v1/orders", body, token=key, key=unique("key"))
    assert made.status in {201, 400}, made.content
    listed = town.ask("GET", "/v1/orders", token=key)
    assert listed.status == 200
    assert len(listed.body["items"]) == (made.status == 201)


@given(body=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_any_json_is_answered(town: Town, body: Json) -> None:
    for path in ("/v1/payments", "/v1/codes", "/v1/sign-in", "/v1/sign-up/options"):
        answer = town.staff.post(path, body)
        assert 400 <= answer.status < 500, (path, answer.content)
        check_headers(answer)


@pytest.mark.parametrize(
    "code", ["", "x", "\0", "0002", "000201" * 300, "<b>", "٠٠٠٢٠١", "0" * 4_296]
)
def test_any_scanned_text_is_answered(town: Town, code: str) -> None:
    answer = town.customer(0).post("/v1/codes", {"code": code})
    if answer.status == 200:
        assert answer.body["kind"] == "foreign"
    else:
        check_problem(answer, "code-unreadable")


def test_a_merchant_with_a_bad_till_leaves_the_handle_free(town: Town) -> None:
    asked = {
        "handle": unique("half"),
        "name": "A",
        "category": "5462",
        "country": "AE",
        "city": "Dubai",
    }
    refused = town.staff.post("/v1/operator/merchants", {**asked, "till": " x"})
    check_problem(refused, "malformed-request")
    assert town.staff.post("/v1/operator/merchants", asked).status == 201


def test_a_note_key_of_zeros_is_refused(town: Town) -> None:
    customer = town.customer(0)
    check_problem(customer.put("/v1/account/note-key", {"note_key": "A" * 43}), "malformed-request")
    assert customer.get("/v1/account").body["note_key"] is None


def test_a_request_without_a_body_says_so(town: Town) -> None:
    answer = town.customer(0).post("/v1/payments", NO_BODY)
    check_problem(answer, "malformed-request")
    assert answer.body["errors"] == [{"field": "body", "message": "The request has no body."}]
