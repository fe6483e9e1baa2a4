"""The mint over HTTP: the specifications' answers, and clear refusals of everything else."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.node.mint_world import (
    Meet,
    MintTown,
    Reply,
    ask,
    meeting,
    read_signatures,
    shown,
    spent,
    y_of,
)

from amana.kernel import SECOND_NS
from amana.node.mint.retries import KEPT_S
from amana.purse import limits
from amana.purse.curve import SECP256K1, sign_schnorr
from amana.purse.model import Code
from amana.purse.rules.conditions import plain_quote_message

POINT: Final = "02" + "11" * 32
OUTPUT: Final = {"amount": 1, "id": "01" + "00" * 32, "B_": POINT}
INPUT: Final = {"amount": 1, "id": "01" + "00" * 32, "secret": "s", "C": POINT}


@pytest.fixture(scope="module")
def mint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meet]:
    with meeting(tmp_path_factory.mktemp("mint")) as meet:
        yield meet


def refused(answer: Reply, code: int) -> str:
    """Hold that an answer is a refusal with a code; return its words."""
    assert answer.status == 400, answer.body
    assert set(answer.json) == {"detail", "code"}
    assert answer.json["code"] == code, answer.json
    return str(answer.json["detail"])


def test_information_says_what_the_mint_can_do(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        answer = await town.get("/v1/info")
        nuts = answer.json["nuts"]
        assert [one["unit"] for one in nuts["4"]["methods"]] == ["sat", "eur"]
        assert nuts["5"]["methods"][0]["method"] == "bolt11"
        for number in ("7", "8", "9", "10", "11", "12", "14", "20"):
            assert nuts[number] == {"supported": True}
        commands = ["bolt11_mint_quote", "bolt11_melt_quote", "proof_state"]
        assert nuts["17"]["supported"][0]["commands"] == commands
        assert {"method": "POST", "path": "/v1/swap"} in nuts["19"]["cached_endpoints"]
        assert "21" not in nuts, "this mint asks for no tokens"
        assert "22" not in nuts, "this mint asks for no tokens"

    mint(talk)


@pytest.mark.parametrize("path", ["/v1/info", "/v1/keys", "/v1/keysets"])
def test_everybody_is_told_the_same_bytes_and_given_nothing_to_be_known_by(
    path: str, mint: Meet
) -> None:
    async def talk(town: MintTown) -> None:
        first, again = await town.get(path), await town.get(path)
        assert first == again
        assert set(first.headers) == {
            "content-type",
            "content-length",
            "cache-control",
            "x-content-type-options",
            "referrer-policy",
            "access-control-allow-origin",
        }
        assert first.headers["cache-control"] == "no-store"
        assert first.headers["access-control-allow-origin"] == "*"

    mint(talk)


def test_keys_are_told_of_keysets_that_sign_and_of_any_by_its_id(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        keyset = town.keyset("eur")
        listed = (await town.get("/v1/keysets")).json["keysets"]
        assert [one["unit"] for one in listed] == ["sat", "eur"]
        assert listed[1] == {
            "id": keyset.id,
            "unit": "eur",
            "active": True,
            "input_fee_ppk": 0,
            "final_expiry": keyset.final_expiry,
        }
        (shown_one,) = (await town.get(f"/v1/keys/{keyset.id.upper()}")).json["keysets"]
        keys = {int(amount): bytes.fromhex(key) for amount, key in shown_one["keys"].items()}
        assert keys == keyset.keys
        both = (await town.get("/v1/keys")).json["keysets"]
        assert [one["id"] for one in both] == [one["id"] for one in listed]
        refused(await town.get(f"/v1/keys/01{'00' * 32}"), Code.KEYSET_UNKNOWN)

    mint(talk)


def test_a_retired_keyset_is_listed_and_signs_no_more(tmp_path: Path) -> None:
    async def talk(town: MintTown) -> None:
        before = town.keyset("sat")
        assert (await town.get("/v1/keys")).status == 200
        await town.mint._signatory.rotate("sat", final_expiry=2_000_000_000)
        listed = (await town.get("/v1/keysets")).json["keysets"]
        assert [(one["unit"], one["active"]) for one in listed] == [
            ("sat", False),
            ("eur", True),
            ("sat", True),
        ]
        signing = (await town.get("/v1/keys")).json["keysets"]
        assert before.id not in {one["id"] for one in signing}

    with meeting(tmp_path) as mint:
        mint(talk)


def test_proofs_are_issued_swapped_and_spent_once(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        proofs = await town.issued(13)
        blinded = town.wallet.outputs(13)
        body = {"inputs": spent(proofs), "outputs": shown(blinded), "memo": "not read"}
        fresh = town.proofs(blinded, await town.post("/v1/swap", body))
        assert sum(proof.amount for proof in fresh) == 13
        assert await town.state(proofs[0]) == "SPENT"
        assert await town.state(fresh[0]) == "UNSPENT"
        other = {"inputs": spent(proofs), "outputs": shown(town.wallet.outputs(13))}
        refused(await town.post("/v1/swap", other), Code.ALREADY_SPENT)

    mint(talk)


def test_a_quote_tells_what_is_paid_and_issued(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        quote = await town.quote(8, description="bread")
        path = f"/v1/mint/quote/bolt11/{quote}"
        asked = {"quote": quote, "outputs": shown(town.wallet.outputs(8))}
        assert (await town.get(path)).json["state"] == "UNPAID"
        refused(await town.post("/v1/mint/bolt11", asked), Code.QUOTE_NOT_PAID)
        town.clock.advance(2 * SECOND_NS)
        told = (await town.get(path)).json
        assert (told["state"], told["amount_paid"], told["amount_issued"]) == ("PAID", 8, 0)
        assert (await town.post("/v1/mint/bolt11", asked)).status == 200
        told = (await town.get(path)).json
        assert (told["state"], told["amount_paid"], told["amount_issued"]) == ("ISSUED", 8, 8)
        assert told["method"] == "bolt11"
        assert told["expiry"] > told["updated_at"]

    mint(talk)


def test_a_locked_quote_is_issued_to_its_key_alone(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        key = SECP256K1.key(b"\x09" * 32)
        quote = await town.quote(2, pubkey=key.public.hex())
        town.clock.advance(2 * SECOND_NS)
        blinded = town.wallet.outputs(2)
        body: dict[str, object] = {"quote": quote, "outputs": shown(blinded)}
        for signature in (None, "no hex", "00" * 64, "00"):
            answer = await town.post("/v1/mint/bolt11", {**body, "signature": signature})
            refused(answer, Code.QUOTE_SIGNATURE_INVALID)
        outputs = [one.message for one in blinded]
        signed = sign_schnorr(b"\x09" * 32, plain_quote_message(quote, outputs))
        answer = await town.post("/v1/mint/bolt11", {**body, "signature": signed.hex()})
        town.proofs(blinded, answer)
        told = (await town.get(f"/v1/mint/quote/bolt11/{quote}")).json
        assert told["pubkey"] == key.public.hex()

    mint(talk)


def test_a_redemption_pays_and_gives_change(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        proofs = await town.issued(256)
        quote = await town.melt_quote(200)
        assert (quote["amount"], quote["fee_reserve"], quote["state"]) == (200, 2, "UNPAID")
        assert quote["payment_preimage"] is None
        blank = [*shown(town.wallet.outputs(63))]
        body = {"quote": quote["quote"], "inputs": spent(proofs), "outputs": blank}
        body["prefer_async"] = True
        paid = (await town.post("/v1/melt/bolt11", body)).json
        assert paid["state"] == "PAID"
        assert len(paid["payment_preimage"]) == 64
        change = read_signatures(paid["change"])
        assert sum(one.amount for one in change) == 256 - 201
        path = f"/v1/melt/quote/bolt11/{quote['quote']}"
        later = (await town.get(path)).json
        assert (later["state"], later["payment_preimage"]) == ("PAID", paid["payment_preimage"])
        asked = {"unit": "sat", "request": quote["request"]}
        refused(await town.post("/v1/melt/quote/bolt11", asked), Code.ALREADY_PAID)

    mint(talk)


def test_the_same_request_has_the_same_answer_for_a_minute(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        body = {"inputs": spent(await town.issued(4)), "outputs": shown(town.wallet.outputs(4))}
        first = await town.post("/v1/swap", body)
        assert first.status == 200
        assert await town.post("/v1/swap", body) == first
        town.clock.advance((KEPT_S + 1) * SECOND_NS)
        assert await town.post("/v1/swap", body) == first, "the books know it for ever"
        other = {**body, "outputs": shown(town.wallet.outputs(4))}
        refused(await town.post("/v1/swap", other), Code.ALREADY_SPENT)

    mint(talk)


def test_a_double_tap_meets_itself(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        body = {"inputs": spent(await town.issued(4)), "outputs": shown(town.wallet.outputs(4))}
        answers = await asyncio.gather(*(town.post("/v1/swap", body) for _ in range(5)))
        assert answers[0].status == 200
        assert set(map(str, answers)) == {str(answers[0])}

    mint(talk)


def test_a_refusal_is_not_kept(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        body = {"quote": await town.quote(2), "outputs": shown(town.wallet.outputs(2))}
        refused(await town.post("/v1/mint/bolt11", body), Code.QUOTE_NOT_PAID)
        town.clock.advance(2 * SECOND_NS)
        assert (await town.post("/v1/mint/bolt11", body)).status == 200

    mint(talk)


def test_states_are_told_in_the_order_asked(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        proofs = await town.issued(7)
        blinded = town.wallet.outputs(proofs[1].amount)
        body = {"inputs": spent(proofs[1:2]), "outputs": shown(blinded)}
        assert (await town.post("/v1/swap", body)).status == 200
        points = [y_of(proof) for proof in proofs]
        # A point that no secret has: the same place on the curve, the other sign.
        points.append(f"03{points[1][2:]}")
        states = (await town.post("/v1/checkstate", {"Ys": points})).json["states"]
        assert [one["Y"] for one in states] == points
        assert [one["state"] for one in states] == ["UNSPENT", "SPENT", "UNSPENT", "UNSPENT"]
        assert [one["witness"] for one in states] == [None] * 4

    mint(talk)


def test_lost_signatures_are_given_again_and_nothing_else(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        quote = await town.quote(5)
        town.clock.advance(2 * SECOND_NS)
        outputs = shown(town.wallet.outputs(5))
        first = await town.post("/v1/mint/bolt11", {"quote": quote, "outputs": outputs})
        never = shown(town.wallet.outputs(2))
        again = (await town.post("/v1/restore", {"outputs": [*never, *outputs]})).json
        assert again["signatures"] == first.json["signatures"]
        assert [one["B_"] for one in again["outputs"]] == [one["B_"] for one in outputs]

    mint(talk)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/swap", b""),
        ("/v1/swap", b"\xff"),
        ("/v1/swap", b'{"x":' + b"[" * 100_000),
        ("/v1/swap", b"[]"),
        ("/v1/swap", {"inputs": [INPUT]}),
        ("/v1/swap", {"inputs": [{**INPUT, "amount": "1"}], "outputs": [OUTPUT]}),
        ("/v1/swap", {"inputs": [{**INPUT, "amount": -1}], "outputs": [OUTPUT]}),
        ("/v1/swap", {"inputs": [{**INPUT, "amount": 2**63}], "outputs": [OUTPUT]}),
        ("/v1/swap", {"inputs": [{**INPUT, "C": "02"}], "outputs": [OUTPUT]}),
        ("/v1/swap", {"inputs": [{**INPUT, "C": "zz" * 33}], "outputs": [OUTPUT]}),
        ("/v1/swap", {"inputs": [INPUT], "outputs": [{**OUTPUT, "B_": " 2" * 33}]}),
        ("/v1/swap", {"inputs": [{**INPUT, "id": "0" * 67}], "outputs": [OUTPUT]}),
        ("/v1/swap", {"inputs": [{**INPUT, "secret": "s" * 1_025}], "outputs": [OUTPUT]}),
        ("/v1/swap", {"inputs": [{**INPUT, "secret": "é" * 513}], "outputs": [OUTPUT]}),
        ("/v1/swap", {"inputs": [{**INPUT, "witness": "w" * 2_561}], "outputs": [OUTPUT]}),
        ("/v1/swap", {"inputs": [{**INPUT, "witness": {}}], "outputs": [OUTPUT]}),
        ("/v1/mint/quote/bolt11", {"unit": "u" * 65, "amount": 1}),
        ("/v1/mint/quote/bolt11", {"unit": "sat", "amount": 1, "description": "d" * 1_025}),
        ("/v1/mint/bolt11", {"quote": "q", "outputs": [], "signature": "0" * 257}),
        ("/v1/melt/quote/bolt11", {"unit": "sat"}),
        ("/v1/melt/quote/bolt11", {"unit": "u" * 65, "request": "r"}),
        ("/v1/melt/quote/bolt11", {"unit": "sat", "request": "r" * 10_001}),
        ("/v1/melt/quote/bolt11", {"unit": "sat", "request": "r", "amount": "1"}),
        ("/v1/melt/quote/bolt11", {"unit": "sat", "request": "r", "amount": -1}),
        ("/v1/checkstate", {"Ys": ["04" + "11" * 32]}),
        ("/v1/checkstate", {"Ys": [1]}),
        ("/v1/restore", {"outputs": None}),
    ],
)
def test_what_is_not_understood_is_told_and_not_repeated(path: str, body: Any, mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        detail = refused(await town.post(path, body), 0)
        assert 0 < len(detail) < 200, "the words say what is wrong, and not what was sent"

    mint(talk)


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/swap", {"inputs": [INPUT] * 501, "outputs": [OUTPUT]}, Code.TOO_MANY_INPUTS),
        ("/v1/swap", {"inputs": [INPUT], "outputs": [OUTPUT] * 501}, Code.TOO_MANY_OUTPUTS),
        ("/v1/swap", {"inputs": [INPUT], "outputs": [OUTPUT]}, Code.KEYSET_UNKNOWN),
        ("/v1/restore", {"outputs": [OUTPUT] * 501}, Code.TOO_MANY_OUTPUTS),
        ("/v1/checkstate", {"Ys": [POINT] * 501}, Code.TOO_MANY_INPUTS),
        ("/v1/mint/bolt11", {"quote": "q", "outputs": [OUTPUT] * 501}, Code.TOO_MANY_OUTPUTS),
        ("/v1/melt/bolt11", {"quote": "q", "inputs": [INPUT] * 501}, Code.TOO_MANY_INPUTS),
        (
            "/v1/melt/bolt11",
            {"quote": "q", "inputs": [INPUT], "outputs": [OUTPUT] * 501},
            Code.TOO_MANY_OUTPUTS,
        ),
        ("/v1/mint/quote/bolt11", {"unit": "xau", "amount": 1}, Code.UNIT_UNKNOWN),
        ("/v1/mint/quote/bolt11", {"unit": "sat", "amount": 0}, Code.AMOUNT_OUT_OF_RANGE),
        (
            "/v1/mint/quote/bolt11",
            {"unit": "sat", "amount": 1, "pubkey": "02ff"},
            Code.PUBKEY_MISSING,
        ),
        ("/v1/melt/quote/bolt11", {"unit": "sat", "request": "lnbc1"}, Code.PAYMENT_FAILED),
        ("/v1/melt/quote/bolt11", {"unit": "xau", "request": "lnbc1"}, Code.UNIT_UNKNOWN),
    ],
)
def test_refusals_have_the_codes_of_the_specifications(
    path: str, body: Any, code: Code, mint: Meet
) -> None:
    async def talk(town: MintTown) -> None:
        assert refused(await town.post(path, body), code)

    mint(talk)


@pytest.mark.parametrize(
    "quote",
    [
        "8f14e45f-ceea-467f-a8d1-6a1f5c2a9b10",
        "{8f14e45fceea467fa8d16a1f5c2a9b10}xx",
        "8F14E45F",
        "x" * 36,
        "1" * 400,
    ],
)
def test_a_quote_that_is_not_there_is_not_found(quote: str, mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        for word in ("mint", "melt"):
            path = f"/v1/{word}/quote/bolt11/{quote}"
            assert refused(await town.get(path), 0) == "quote not found"
        asked = {"quote": quote, "inputs": [INPUT], "outputs": [OUTPUT]}
        for word in ("mint", "melt"):
            answer = await town.post(f"/v1/{word}/bolt11", asked)
            assert answer.status == 400
            assert (answer.json["code"], answer.json["detail"]) == (0, "quote not found")

    mint(talk)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/keys/", 404),
        ("GET", "/v1/keys/*", 404),
        ("GET", "/v1/keys/a/b", 404),
        ("POST", "/v1/mint/quote/bolt12", 404),
        ("POST", "/v1/mint/bolt11/batch", 404),
        ("GET", "/v1/swap", 405),
        ("POST", "/v1/info", 405),
        ("PUT", "/v1/keys/00", 405),
    ],
)
def test_other_addresses_are_not_there(method: str, path: str, status: int, mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        answer = await ask(town.app, method, path, {})
        assert answer.status == status
        assert set(answer.json) == {"detail", "code"}

    mint(talk)


KEYS: Final = st.sampled_from(
    [
        *("inputs", "outputs", "Ys", "quote", "unit", "request", "amount", "id", "secret", "C"),
        *("B_", "witness", "signature", "pubkey", "description", "options", "amountless"),
    ]
)
LEAVES: Final = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=70)),
    st.sampled_from([POINT, "sat", "00" * 33, "\ud800", 2**63, 2**64, 10**30]),
)
BODIES: Final = st.one_of(
    st.binary(max_size=100),
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=6)
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
    # Shaped as asked, with anything in the places of words and numbers.
    st.fixed_dictionaries(
        {
            "inputs": st.lists(st.fixed_dictionaries(dict.fromkeys(INPUT, LEAVES)), max_size=2),
            "outputs": st.lists(st.fixed_dictionaries(dict.fromkeys(OUTPUT, LEAVES)), max_size=2),
            "Ys": st.lists(LEAVES, max_size=2),
            "quote": LEAVES,
            "unit": st.just("sat") | LEAVES,
            "request": LEAVES,
            "amount": LEAVES,
        }
    ).map(lambda value: json.dumps(value).encode()),
)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/swap",
        "/v1/checkstate",
        "/v1/restore",
        "/v1/mint/bolt11",
        "/v1/mint/quote/bolt11",
        "/v1/melt/bolt11",
        "/v1/melt/quote/bolt11",
    ],
)
def test_whatever_is_sent_is_answered_or_refused(path: str, mint: Meet) -> None:
    @given(BODIES)
    def hold(body: bytes) -> None:
        async def talk(town: MintTown) -> None:
            answer = await town.post(path, body)
            assert answer.status in {200, 400}, (answer, body)
            if answer.status == 400:
                assert set(answer.json) == {"detail", "code"}

        mint(talk)

    hold()


def test_pages_of_any_origin_may_ask(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        answer = await ask(town.app, "OPTIONS", "/v1/swap", origin="https://wallet.example")
        assert answer.status == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "blind-auth" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers

    mint(talk)


def test_a_long_request_is_refused_before_it_is_read(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        told = str(limits.BODY_BYTES_MAX + 1)
        assert (await town.post("/v1/swap", b"", content_length=told)).status == 413
        assert (await town.post("/v1/swap", b"", content_length="9" * 5_000)).status == 413
        assert (await town.post("/v1/swap", b" " * (limits.BODY_BYTES_MAX + 1))).status == 413

    mint(talk)
