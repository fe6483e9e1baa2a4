"""Tokens at an operator's mint: clear ones fetch blind ones, which open swap and redemption."""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from tests.node.town import SETTINGS, Answer, Client, Json, Town

from amana.kernel import DAY_NS
from amana.node.mint import MintApp
from amana.node.mint.operators import create_operator_mint
from amana.node.operator import make_operator, open_operator
from amana.people.openid import CLIENT_ID, DEVICE_GRANT
from amana.people.openid_tokens import ACCESS_LIFE_S
from amana.purse.auth import Access, access_of
from amana.purse.auth.rules import is_decided
from amana.purse.keysets import AUTH_UNIT, KeysetPlan
from amana.purse.model import BlindSignature, Code, Keyset
from amana.purse.signatory import InProcessSignatory
from amana.testing.ecash import Blinded, BlindingWallet
from amana.testing.rooms import HandClock, SeededChance

FETCH: Final = "/v1/auth/blind/mint"
QUOTE: Final = "/v1/melt/quote/amana-merchant"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class MintTown(Town):
    """A town whose mint asks for blind tokens."""

    mint: MintApp
    chance = SeededChance(3)

    def at_mint(self, method: str, path: str, body: Json = None, **headers: str) -> Answer:
        """Send one request to the mint's origin."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.run(self._at_mint(method, path, body, sent))

    async def _at_mint(self, method: str, path: str, body: Json, headers: dict[str, str]) -> Answer:
        transport = httpx.ASGITransport(self.mint)
        async with httpx.AsyncClient(transport=transport, base_url="http://mint.localhost") as http:
            content = None if body is None else json.dumps(body).encode()
            response = await http.request(method, path, headers=headers, content=content)
        return Answer(response.status_code, response.headers, response.content)

    def clear_token(self, customer: Client) -> str:
        """A clear token, as a wallet on another device comes by it."""
        begun = self._form("/v1/openid/device", client_id=CLIENT_ID)
        body = {"user_code": begun["user_code"], "is_approved": True}
        assert customer.post("/v1/openid/device/approve", body).status == 204
        code = begun["device_code"]
        asked = {"grant_type": DEVICE_GRANT, "device_code": code, "client_id": CLIENT_ID}
        return str(self._form("/v1/openid/token", **asked)["access_token"])

    def _form(self, path: str, **fields: str) -> Json:
        sent = self._http.post(path, content=urlencode(fields).encode(), headers=FORM)
        return self.run(sent).json()

    @property
    def keyset(self) -> Keyset:
        """The keyset of blind tokens."""
        (found,) = self.operator.purse.auth.keysets()
        return found

    def outputs(self, count: int) -> list[Blinded]:
        """Blind tokens to be signed."""
        wallet = BlindingWallet(self.keyset, self.chance.draw)
        return [wallet.output(1) for _ in range(count)]

    def tokens(self, outputs: list[Blinded], signatures: list[dict[str, Any]]) -> list[str]:
        """Unblind signatures, whose DLEQ proofs must hold, into `Blind-auth` headers."""
        read = [
            BlindSignature(
                one["id"],
                one["amount"],
                bytes.fromhex(one["C_"]),
                bytes.fromhex(one["dleq"]["e"]),
                bytes.fromhex(one["dleq"]["s"]),
            )
            for one in signatures
        ]
        proofs = BlindingWallet(self.keyset, self.chance.draw).proofs(outputs, read)
        return [
            "authA"
            + urlsafe_b64encode(
                json.dumps(
                    {"id": one.keyset_id, "secret": one.secret, "C": one.point.hex()}
                ).encode()
            ).decode()
            for one in proofs
        ]


def bodies(outputs: list[Blinded]) -> list[Json]:
    return [
        {"amount": 1, "id": one.message.keyset_id, "B_": one.message.point.hex()} for one in outputs
    ]


def fetched(town: MintTown, clear: str, count: int) -> list[str]:
    outputs = town.outputs(count)
    answer = town.at_mint("POST", FETCH, {"outputs": bodies(outputs)}, clear_auth=clear)
    assert answer.status == 200, answer.content
    return town.tokens(outputs, answer.body["signatures"])


def from_session(town: MintTown, customer: Client, outputs: list[Blinded]) -> Answer:
    asked = [{"amount": 1, "B_": one.message.point.hex()} for one in outputs]
    return customer.post("/v1/purse/tokens", {"keyset_id": town.keyset.id, "outputs": asked})


@pytest.fixture
def town(tmp_path: Path) -> Iterator[MintTown]:
    clock = HandClock()
    make_operator(tmp_path, msgspec.structs.replace(SETTINGS, blind_tokens=True), clock=clock)
    plans = [KeysetPlan("eur", (1, 2, 4)), KeysetPlan(AUTH_UNIT, (1,))]
    signatory = InProcessSignatory.fresh(bytes(32), plans, clock)
    with (
        asyncio.Runner() as runner,
        open_operator(tmp_path, clock=clock, mint_signatory=signatory) as operator,
    ):
        opened = MintTown(operator, runner, clock)
        opened.mint = create_operator_mint(operator, opened.app._app.state.openid)
        yield opened


def test_every_address_of_the_mint_was_decided_on(town: MintTown) -> None:
    """Goal: an address that is added later is closed until somebody decides, never open.

    A mint of others once added one beside the protected ones, and everybody could walk in.
    """
    routes = list(town.mint.table)
    assert len(routes) > 12, "the table is walked"
    undecided = [(one.method, one.path) for one in routes if not is_decided(one.method, one.path)]
    assert not undecided
    open_posts = {
        one.path
        for one in routes
        if one.method == "POST" and access_of(one.method, one.path) is Access.PUBLIC
    }
    assert open_posts <= {
        *("/v1/checkstate", "/v1/restore", "/v1/reissue"),
        *("/v1/mint/quote/amana-refund", "/v1/mint/amana-refund"),
        "/v1/pay/*",
    }


def test_an_address_that_nobody_decided_on_lets_nobody_in(town: MintTown) -> None:
    for path in ("/v1/swap", "/v1/melt/amana-merchant", "/v1/melt/amana-account", QUOTE):
        refused = town.at_mint("POST", path, {})
        assert refused.status == 400
        assert refused.body["code"] == Code.BLIND_AUTH_MISSING
    assert town.at_mint("POST", FETCH, {}).body["code"] == Code.CLEAR_AUTH_MISSING


def test_the_mint_tells_wallets_what_opens_what(town: MintTown) -> None:
    nuts = town.at_mint("GET", "/v1/info").body["nuts"]
    assert nuts["21"]["client_id"] == CLIENT_ID
    assert nuts["21"]["protected_endpoints"] == [{"method": "POST", "path": FETCH}]
    protected = [entry["path"] for entry in nuts["22"]["protected_endpoints"]]
    assert protected == ["/v1/swap", "/v1/melt/quote/*", "/v1/melt/*"]
    found = town.run(town._http.get(nuts["21"]["openid_discovery"])).json()
    assert found["issuer"] == town.operator.settings.url
    assert town.at_mint("GET", "/v1/keys").body["keysets"][0]["unit"] == "eur"
    (keys,) = town.at_mint("GET", "/v1/auth/blind/keys").body["keysets"]
    assert (keys["unit"], list(keys["keys"])) == ("auth", ["1"])
    assert town.at_mint("GET", f"/v1/auth/blind/keys/{keys['id']}").body["keysets"] == [keys]
    listed = town.at_mint("GET", "/v1/auth/blind/keysets").body["keysets"]
    assert [one["id"] for one in listed] == [keys["id"]]
    unknown = town.at_mint("GET", "/v1/auth/blind/keys/" + "00" * 33)
    assert unknown.body["code"] == Code.KEYSET_UNKNOWN


def test_a_wallet_of_any_make_fetches_tokens_and_asks_to_pay_with_one(town: MintTown) -> None:
    order = town.merchant().order(300)
    first, second = fetched(town, town.clear_token(town.customer(0)), 2)
    asked = {"request": order["id"], "unit": "eur"}
    paid = town.at_mint("POST", QUOTE, asked, blind_auth=first)
    assert paid.status == 200, paid.content
    again = town.at_mint("POST", QUOTE, asked, blind_auth=first)
    assert again.body["code"] == Code.BLIND_AUTH_FAILED
    assert town.at_mint("POST", QUOTE, asked, blind_auth=second).status == 200


def test_a_token_survives_what_the_mint_refused(town: MintTown) -> None:
    order = town.merchant().order(300)
    (token,) = fetched(town, town.clear_token(town.customer(0)), 1)
    unknown = [{"amount": 1, "id": "01" * 33, "secret": "mine", "C": "02" + "11" * 32}]
    for path, body in (
        (QUOTE, {"request": "no order", "unit": "eur"}),
        (QUOTE, {"request": order["id"], "unit": "yen"}),
        (QUOTE, ["not understood"]),
        ("/v1/swap", {"inputs": unknown, "outputs": bodies(town.outputs(1))}),
    ):
        assert town.at_mint("POST", path, body, blind_auth=token).status == 400
    good = {"request": order["id"], "unit": "eur"}
    assert town.at_mint("POST", QUOTE, good, blind_auth=token).status == 200


def test_whoever_comes_with_false_or_spent_proofs_pays_a_token_each_time(town: MintTown) -> None:
    """One token must not have the keys work for ever: such a refusal costs what a swap costs."""
    first, second = fetched(town, town.clear_token(town.customer(0)), 2)
    eur = town.operator.purse.mint.keysets()[0].id
    false = [{"amount": 1, "id": eur, "secret": "mine", "C": "02" + "11" * 32}]
    outputs = [{**one, "id": eur} for one in bodies(town.outputs(1))]
    body = {"inputs": false, "outputs": outputs}
    for token, code in (
        (first, Code.PROOF_INVALID),
        (first, Code.BLIND_AUTH_FAILED),
        (second, Code.PROOF_INVALID),
    ):
        assert town.at_mint("POST", "/v1/swap", body, blind_auth=token).body["code"] == code


def test_blind_tokens_are_no_money(town: MintTown) -> None:
    token, spare = fetched(town, town.clear_token(town.customer(0)), 2)
    fields = json.loads(urlsafe_b64decode(spare[5:]))
    body = {"inputs": [{"amount": 1, **fields}], "outputs": bodies(town.outputs(1))}
    refused = town.at_mint("POST", "/v1/swap", body, blind_auth=token)
    assert refused.body["code"] == Code.KEYSET_UNKNOWN


def test_only_a_clear_token_of_ours_that_is_fresh_fetches_tokens(town: MintTown) -> None:
    customer = town.customer(0)
    clear, asked = town.clear_token(customer), {"outputs": bodies(town.outputs(1))}
    for token in ("x", customer.token, clear[:-2], clear + "x", f"Bearer {clear}"):
        refused = town.at_mint("POST", FETCH, asked, clear_auth=token)
        assert refused.body["code"] == Code.CLEAR_AUTH_FAILED
    town.clock.advance(ACCESS_LIFE_S * 1_000_000_000)
    refused = town.at_mint("POST", FETCH, asked, clear_auth=clear)
    assert refused.body["code"] == Code.CLEAR_AUTH_FAILED


def test_a_clear_token_opens_nothing_but_the_fetching_of_blind_tokens(town: MintTown) -> None:
    clear = town.clear_token(town.customer(0))
    body = {"request": town.merchant().order(300)["id"], "unit": "eur"}
    for headers in ({"clear_auth": clear}, {"blind_auth": clear}):
        assert town.at_mint("POST", QUOTE, body, **headers).status == 400
    for path in ("/v1/account", "/v1/purse", "/v1/payments"):
        assert town.ask("GET", path, token=clear).slug == "not-signed-in"


def test_session_and_clear_token_share_one_days_ration(town: MintTown) -> None:
    customer = town.customer(0)
    allowance = town.operator.purse.auth.allowance
    clear = town.clear_token(customer)
    for _ in range(allowance.a_day // allowance.at_once - 1):
        fetched(town, clear, allowance.at_once)
    outputs = town.outputs(allowance.at_once)
    given = from_session(town, customer, outputs)
    assert len(town.tokens(outputs, given.body["signatures"])) == allowance.at_once
    refused = town.at_mint("POST", FETCH, {"outputs": bodies(town.outputs(1))}, clear_auth=clear)
    assert refused.body["code"] == Code.BLIND_TOKENS_TOO_OFTEN
    assert from_session(town, customer, town.outputs(1)).slug == "too-many-requests"
    town.clock.advance(DAY_NS)
    assert from_session(town, customer, town.outputs(1)).status == 200


def test_more_tokens_at_once_than_the_mint_tells_of_are_refused(town: MintTown) -> None:
    clear = town.clear_token(town.customer(0))
    most = town.at_mint("GET", "/v1/info").body["nuts"]["22"]["bat_max_mint"]
    for count in (most + 1, 101):
        asked = {"outputs": bodies(town.outputs(count))}
        refused = town.at_mint("POST", FETCH, asked, clear_auth=clear)
        assert refused.body["code"] == Code.TOO_MANY_BLIND_TOKENS
    assert town.at_mint("POST", FETCH, {}, clear_auth=clear).status == 400
    assert town.at_mint("POST", FETCH, {"outputs": []}, clear_auth=clear).status == 400


def test_a_redemption_with_a_token_leaves_no_trace_of_who_fetched_it(town: MintTown) -> None:
    customer = town.customer(0)
    (token,) = fetched(town, town.clear_token(customer), 1)
    body = {"request": town.merchant().order(300)["id"], "unit": "eur"}
    assert town.at_mint("POST", QUOTE, body, blind_auth=token).status == 200
    reading = town.operator.read_connection
    rows = reading.execute("SELECT * FROM purse_auth_spent").fetchall()
    assert [len(row) for row in rows] == [2], "a keyset's number and a nullifier"
    facts = town.operator.directory.by_handle(customer.handle)
    assert facts is not None
    name = facts.party.to_bytes(16)
    tables = [
        table
        for (table,) in reading.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        if table.startswith("purse_")
        and any(name in row for row in reading.execute(f"SELECT * FROM {table}"))  # noqa: S608 - our own
    ]
    assert tables == ["purse_auth_quota"]
