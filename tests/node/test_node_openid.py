"""The operator as OpenID provider: codes with PKCE, devices, refresh; each used once."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.node.town import Answer, Client, Json, Town

from amana.kernel import SECOND_NS
from amana.node.http.openid import FORM_BYTES_MAX, make_openid
from amana.node.operator import Operator
from amana.people.openid import (
    CLIENT_ID,
    CODE_LIFE_NS,
    DEVICE_GRANT,
    DEVICE_LIFE_NS,
    OF_ONE_MAX,
    POLL_S,
    REDIRECTS,
    REFRESH_LIFE_NS,
    OpenId,
)
from amana.people.openid_tokens import ACCESS_LIFE_S, AUDIENCE

VERIFIER: Final = "v" * 64
CHALLENGE: Final = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED: Final = {
    "response_type": "code",
    "client_id": CLIENT_ID,
    "redirect_uri": REDIRECTS[0],
    "scope": "openid",
    "state": "state-of-the-wallet",
    "nonce": "nonce-of-the-wallet",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
PAGE: Final = "/openid/approve"
CORS: Final = "access-control-allow-origin"


def form(town: Town, path: str, **fields: str) -> Answer:
    """Send a form, as clients of OpenID do; its shape is theirs, not ours."""
    return raw_form(town, path, urlencode(fields).encode())


def raw_form(
    town: Town, path: str, body: bytes, media_type: str = "application/x-www-form-urlencoded"
) -> Answer:
    response = town.run(town._http.post(path, content=body, headers={"Content-Type": media_type}))
    return Answer(response.status_code, response.headers, response.content)


def page(town: Town, **changed: str | None) -> Answer:
    asked = {**ASKED, **changed}
    query = urlencode({name: text for name, text in asked.items() if text is not None})
    return town.ask("GET", f"{PAGE}?{query}")


def answer(
    customer: Client, changed: Mapping[str, str | None] | None = None, *, is_approved: bool = True
) -> Answer:
    asked = {**ASKED, **(changed or {})}
    query = urlencode({name: text for name, text in asked.items() if text is not None})
    return customer.post("/v1/openid/approve", {"query": query, "is_approved": is_approved})


def told(address: str) -> dict[str, str]:
    """What a client is told in the query of the address that it is sent back to."""
    return {name: texts[0] for name, texts in parse_qs(urlsplit(address).query).items()}


def code_of(customer: Client) -> str:
    approved = answer(customer)
    assert approved.status == 200, approved.content
    return told(approved.body["redirect"])["code"]


def exchange(town: Town, code: str, changed: Mapping[str, str] | None = None) -> Answer:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECTS[0],
        "code_verifier": VERIFIER,
    }
    return form(town, "/v1/openid/token", **{**fields, **(changed or {})})


def refresh(town: Town, token: str, client: str = CLIENT_ID) -> Answer:
    fields = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client}
    return form(town, "/v1/openid/token", **fields)


def poll(town: Town, device_code: str) -> Answer:
    fields = {"grant_type": DEVICE_GRANT, "device_code": device_code, "client_id": CLIENT_ID}
    return form(town, "/v1/openid/token", **fields)


def party_of(town: Town, token: str) -> int | None:
    openid: OpenId = make_openid(town.operator)
    return openid.party_of(token, town.clock.now())


def id_of(town: Town, customer: Client) -> int:
    facts = town.operator.directory.by_handle(customer.handle)
    assert facts is not None
    return facts.party


@pytest.fixture
def town(own_town: Town) -> Town:
    """A town of its own: questions are counted, and the clock moves."""
    return own_town


def test_the_discovery_document_leads_to_everything_a_wallet_needs(town: Town) -> None:
    found = town.run(town._http.get("/.well-known/openid-configuration"))
    assert found.headers[CORS] == "*"
    document = found.json()
    assert document["issuer"] == town.operator.settings.url
    assert document["grant_types_supported"] == [
        "authorization_code",
        "refresh_token",
        DEVICE_GRANT,
    ]
    assert document["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization", "token", "device_authorization"):
        assert document[f"{name}_endpoint"].startswith(document["issuer"] + "/")
    assert town.run(town._http.get(document["jwks_uri"])).json()["keys"][0]["kty"] == "EC"


def test_a_customer_approves_and_the_wallet_gets_a_clear_token_of_theirs(town: Town) -> None:
    customer = town.customer(0)
    assert page(town).status == 200
    redirect = answer(customer).body["redirect"]
    assert redirect.startswith(REDIRECTS[0] + "?")
    assert told(redirect)["state"] == ASKED["state"]
    assert told(redirect)["iss"] == town.operator.settings.url
    given = exchange(town, told(redirect)["code"])
    assert given.status == 200, given.content
    assert given.headers[CORS] == "*"
    assert given.headers["cache-control"] == "no-store"
    assert given.body["token_type"] == "Bearer"
    assert given.body["expires_in"] == ACCESS_LIFE_S
    assert party_of(town, given.body["access_token"]) == id_of(town, customer)


def test_a_clear_token_is_verified_by_the_published_keys_and_tells_nothing(town: Town) -> None:
    customer = town.customer(0, name="Zaynab Very-Recognisable")
    given = exchange(town, code_of(customer)).body
    keys = KeySet.import_key_set(town.run(town._http.get("/v1/openid/keys")).json())
    read = jwt.decode(given["access_token"], keys, algorithms=["ES256"])
    assert read.header["typ"] == "at+jwt"
    assert read.claims["aud"] == AUDIENCE
    assert read.claims["azp"] == read.claims["client_id"] == CLIENT_ID
    assert set(read.claims) == {
        *("iss", "sub", "aud", "client_id", "azp", "scope", "iat", "exp"),
    }
    text = json.dumps(read.claims)
    assert customer.handle not in text
    assert "Zaynab" not in text
    assert f"{id_of(town, customer):032x}" not in text
    identity = jwt.decode(given["id_token"], keys, algorithms=["ES256"])
    assert identity.claims["aud"] == CLIENT_ID
    assert identity.claims["nonce"] == ASKED["nonce"]
    assert identity.claims["sub"] == read.claims["sub"]
    private = town.run(town._http.get("/v1/openid/keys")).json()["keys"][0]
    assert "d" not in private


def test_the_same_customer_has_the_same_subject_and_others_have_others(town: Town) -> None:
    keys = make_openid(town.operator).keys
    first, second = (id_of(town, town.customer(0)) for _ in range(2))
    subjects = [keys.subject(party, "a client") for party in (first, first, second)]  # type: ignore[arg-type]
    assert subjects[0] == subjects[1] != subjects[2]
    assert keys.subject(first, "another client") != subjects[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changed",
    [{"client_id": "somebody-else"}, {"client_id": None}, {"redirect_uri": None}]
    + [
        {"redirect_uri": address}
        for address in (
            "https://evil.example/callback",
            REDIRECTS[0] + "/more",
            REDIRECTS[0] + "?more",
            REDIRECTS[0].replace("localhost", "localhost.evil.example"),
            REDIRECTS[0].upper(),
            "https://wallet.cashu.me@evil.example/callback",
            "//evil.example",
            "javascript:alert(1)",
        )
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_exactly_known(
    town: Town, changed: dict[str, str | None]
) -> None:
    refused = page(town, **changed)
    assert (refused.status, refused.slug) == (400, "malformed-request")
    assert "location" not in refused.headers
    customer = town.customer(0)
    for is_approved in (True, False):
        asked = answer(customer, changed, is_approved=is_approved)
        assert (asked.status, asked.slug) == (400, "malformed-request")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"state": "s" * 513}, "invalid_request"),
    ],
)
def test_a_request_without_pkce_is_sent_back_before_the_customer_is_asked(
    town: Town, changed: dict[str, str | None], error: str
) -> None:
    refused = page(town, **changed)
    assert refused.status == 303
    assert refused.headers["location"].startswith(REDIRECTS[0] + "?")
    assert told(refused.headers["location"])["error"] == error
    asked = answer(town.customer(0), changed)
    assert told(asked.body["redirect"])["error"] == error
    assert "code" not in told(asked.body["redirect"])


def test_who_says_no_sends_the_wallet_back_without_a_code(town: Town) -> None:
    refused = told(answer(town.customer(0), is_approved=False).body["redirect"])
    assert refused["error"] == "access_denied"
    assert refused["state"] == ASKED["state"]
    assert "code" not in refused


def test_only_a_signed_in_customer_approves(town: Town) -> None:
    body = {"query": urlencode(ASKED), "is_approved": True}
    assert town.ask("POST", "/v1/openid/approve", body).slug == "not-signed-in"
    assert town.merchant().post("/v1/openid/approve", body).slug == "not-allowed"
    assert town.staff.post("/v1/openid/approve", body).slug == "not-allowed"


def test_a_code_is_good_once_and_a_second_use_ends_what_came_of_it(town: Town) -> None:
    code = code_of(town.customer(0))
    given = exchange(town, code).body
    again = exchange(town, code)
    assert (again.status, again.body["error"]) == (400, "invalid_grant")
    assert refresh(town, given["refresh_token"]).body["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "w" * 64},
        {"code_verifier": "v" * 42},
        {"code_verifier": ""},
        {"code_verifier": "é" * 64},
        {"redirect_uri": REDIRECTS[1]},
        {"code": "made-up"},
    ],
)
def test_a_code_is_good_only_with_what_it_was_asked_with(
    town: Town, changed: dict[str, str]
) -> None:
    code = code_of(town.customer(0))
    assert exchange(town, code, changed).body["error"] == "invalid_grant"
    if "code" not in changed:
        again = exchange(town, code)
        assert again.body["error"] == "invalid_grant", "a code that was tried is used up"


def test_a_code_ends_after_a_minute(town: Town) -> None:
    code = code_of(town.customer(0))
    town.clock.advance(CODE_LIFE_NS)
    assert exchange(town, code).body["error"] == "invalid_grant"


def test_a_refresh_token_is_good_once_and_brings_the_next(town: Town) -> None:
    customer = town.customer(0)
    first = exchange(town, code_of(customer)).body["refresh_token"]
    second = refresh(town, first).body
    assert party_of(town, second["access_token"]) == id_of(town, customer)
    assert refresh(town, first).body["error"] == "invalid_grant"
    assert refresh(town, second["refresh_token"]).status == 200


def test_a_refresh_token_ends_after_its_time(town: Town) -> None:
    token = exchange(town, code_of(town.customer(0))).body["refresh_token"]
    town.clock.advance(REFRESH_LIFE_NS)
    assert refresh(town, token).body["error"] == "invalid_grant"


def test_a_customer_who_approves_without_end_takes_nobody_elses_place(town: Town) -> None:
    customer, other = town.customer(0), town.customer(0)
    theirs = exchange(town, code_of(other)).body["refresh_token"]
    tokens = [
        exchange(town, code_of(customer)).body["refresh_token"] for _ in range(OF_ONE_MAX + 1)
    ]
    assert refresh(town, tokens[0]).body["error"] == "invalid_grant", "the oldest gave way"
    assert refresh(town, tokens[1]).status == 200
    assert refresh(town, theirs).status == 200
    codes = [code_of(customer) for _ in range(OF_ONE_MAX + 1)]
    assert exchange(town, codes[0]).body["error"] == "invalid_grant"
    assert exchange(town, codes[1]).status == 200


def test_who_closed_their_account_gets_no_more_tokens_and_the_last_is_worth_nothing(
    town: Town,
) -> None:
    customer = town.customer(0)
    code = code_of(customer)
    given = exchange(town, code_of(customer)).body
    closed = town.staff.post(f"/v1/operator/customers/{customer.handle}/close")
    assert closed.status in (200, 204), closed.content
    assert party_of(town, given["access_token"]) is None
    assert refresh(town, given["refresh_token"]).body["error"] == "invalid_grant"
    assert exchange(town, code).body["error"] == "invalid_grant"


def test_a_device_waits_until_its_holder_types_the_code_elsewhere(town: Town) -> None:
    customer = town.customer(0)
    begun = form(town, "/v1/openid/device", client_id=CLIENT_ID, scope="openid").body
    assert begun["interval"] == POLL_S
    assert begun["verification_uri_complete"].endswith(begun["user_code"])
    assert poll(town, begun["device_code"]).body["error"] == "authorization_pending"
    assert poll(town, begun["device_code"]).body["error"] == "slow_down"
    town.clock.advance(POLL_S * SECOND_NS)
    assert poll(town, begun["device_code"]).body["error"] == "authorization_pending"
    typed = begun["user_code"].lower().replace("-", " ")
    said = customer.post("/v1/openid/device/approve", {"user_code": typed, "is_approved": True})
    assert said.status == 204, said.content
    given = poll(town, begun["device_code"])
    assert party_of(town, given.body["access_token"]) == id_of(town, customer)
    assert poll(town, begun["device_code"]).body["error"] == "expired_token"
    again = customer.post("/v1/openid/device/approve", {"user_code": typed, "is_approved": True})
    assert again.slug == "not-found"


def test_a_device_that_is_refused_or_too_late_gets_nothing(town: Town) -> None:
    customer = town.customer(0)
    begun = form(town, "/v1/openid/device", client_id=CLIENT_ID).body
    body = {"user_code": begun["user_code"], "is_approved": False}
    assert customer.post("/v1/openid/device/approve", body).status == 204
    assert customer.post("/v1/openid/device/approve", body).slug == "not-found"
    assert poll(town, begun["device_code"]).body["error"] == "access_denied"
    late = form(town, "/v1/openid/device", client_id=CLIENT_ID).body
    town.clock.advance(DEVICE_LIFE_NS)
    body = {"user_code": late["user_code"], "is_approved": True}
    assert customer.post("/v1/openid/device/approve", body).slug == "not-found"
    assert poll(town, late["device_code"]).body["error"] == "expired_token"


def test_clients_that_are_not_known_get_nothing(town: Town) -> None:
    asked: list[Callable[[], Answer]] = [
        lambda: form(town, "/v1/openid/device", client_id="somebody"),
        lambda: form(town, "/v1/openid/token", grant_type="authorization_code"),
        lambda: refresh(town, "made-up", "somebody"),
    ]
    for ask in asked:
        assert (ask().status, ask().body["error"]) == (400, "invalid_client")
    password = {"grant_type": "password", "username": "a", "password": "b", "client_id": CLIENT_ID}
    refused = form(town, "/v1/openid/token", **password)
    assert refused.body["error"] == "unsupported_grant_type"


def test_forms_that_are_none_are_refused(town: Town) -> None:
    twice = b"client_id=a&client_id=b"
    assert raw_form(town, "/v1/openid/token", twice).slug == "malformed-request"
    assert raw_form(town, "/v1/openid/token", b"client_id=%ff").slug == "malformed-request"
    assert raw_form(town, "/v1/openid/token", "client_id=é".encode()).slug == "malformed-request"
    many = "&".join(f"f{n}=1" for n in range(50)).encode()
    assert raw_form(town, "/v1/openid/token", many).slug == "malformed-request"
    long = b"client_id=" + b"a" * FORM_BYTES_MAX
    assert raw_form(town, "/v1/openid/token", long).slug == "payload-too-large"
    as_json = raw_form(town, "/v1/openid/token", b"{}", "application/json")
    assert as_json.slug == "unsupported-media-type"
    query = "a" * (FORM_BYTES_MAX + 1)
    asked = town.customer(0).post("/v1/openid/approve", {"query": query, "is_approved": True})
    assert asked.slug == "malformed-request"


@pytest.mark.parametrize(
    ("path", "address"),
    [(f"{PAGE}?{urlencode(ASKED)}", "/v1/openid/approve"), ("/openid/device", "device/approve")],
)
def test_the_pages_ask_in_the_customers_language_and_load_nothing_from_elsewhere(
    town: Town, path: str, address: str
) -> None:
    english = town.ask("GET", path, headers={"Accept-Language": "fr, en;q=0.5"})
    arabic = town.ask("GET", path, headers={"Accept-Language": "ar-AE, en;q=0.5"})
    assert english.status == arabic.status == 200
    assert b"<html lang=en dir=ltr>" in english.content
    assert b"<html lang=ar dir=rtl>" in arabic.content
    for shown in (english, arabic):
        assert address.encode() in shown.content
        policy = shown.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert b"://" not in shown.content
        assert "set-cookie" not in shown.headers
    assert town.ask("GET", "/openid/page.js").headers["content-type"].startswith("text/javascript")
    assert town.ask("GET", "/openid/page.css").headers["content-type"].startswith("text/css")


def test_the_page_shows_where_the_answer_goes_and_writes_no_mark_up_of_others(town: Town) -> None:
    shown = page(town, redirect_uri=REDIRECTS[1], state="<script>alert(1)</script>")
    assert b"wallet.cashu.me" in shown.content
    assert b"<script>alert" not in shown.content
    asked = page(town, ui_locales="ar en")
    assert b"lang=ar" in asked.content
    strange = town.ask("GET", "/openid/device", headers={"Accept-Language": "tlh"})
    assert b"lang=en" in strange.content


def test_a_data_folder_from_before_gets_its_signing_secret_at_the_start(town: Town) -> None:
    operator: Operator = town.operator
    path = operator.folder / "signatory" / "openid-signing.secret"
    made = make_openid(operator).keys.key_set()
    assert make_openid(operator).keys.key_set() == made, "a secret that is there stays"
    path.unlink()
    assert make_openid(operator).keys.key_set() != made
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_of_an_approval_is_written_anywhere(town: Town) -> None:
    customer = town.customer(0)
    before = tables(town)
    given = exchange(town, code_of(customer)).body
    refresh(town, given["refresh_token"])
    form(town, "/v1/openid/device", client_id=CLIENT_ID)
    assert tables(town) == before


def tables(town: Town) -> dict[str, Json]:
    """Every row of the books."""
    connection = town.operator.read_connection
    names = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    ]
    rows = (connection.execute(f"SELECT * FROM {name}") for name in names)  # noqa: S608 - our own
    return {name: found.fetchall() for name, found in zip(names, rows, strict=True)}
