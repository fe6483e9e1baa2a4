"""Tokens and payloads: the published texts, round trips, and nothing that makes a reader raise."""

import base64
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire import Malformed
from amana.wire.cashu import (
    Dleq,
    Payload,
    Token,
    TokenProof,
    limits,
    read_payload,
    read_raw_token,
    read_token,
    write_payload,
    write_raw_token,
    write_token,
)

VECTORS = json.loads(
    (Path(__file__).parent.parent / "vectors" / "nuts" / "00-tokens.json").read_text("utf-8")
)
POINT = bytes.fromhex("038618543ffb6b8695df4ad4babcde92a34a96bdcd97dcee0d7ccf98d472126792")
PROOF = TokenProof("01" + "ab" * 32, 4, "a secret", POINT)
TOKEN = Token("https://mint.example", "eur", (PROOF,))

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
points = st.builds(
    lambda sign, x: bytes([sign]) + x, st.sampled_from([2, 3]), st.binary(min_size=32, max_size=32)
)
scalars = st.binary(min_size=32, max_size=32)
keyset_ids = (st.binary(min_size=8, max_size=8) | st.binary(min_size=33, max_size=33)).map(
    bytes.hex
)
proofs = st.builds(
    TokenProof,
    keyset_id=keyset_ids,
    amount=st.integers(1, limits.AMOUNT_MAX),
    secret=texts,
    point=points,
    dleq=st.none() | st.builds(Dleq, scalars, scalars, scalars),
    witness=st.none() | texts,
    ephemeral=st.none() | points,
)
mints = texts.map(lambda text: "https://" + text.strip("/"))
tokens = st.builds(
    Token,
    mint=mints,
    unit=texts,
    proofs=st.lists(proofs, min_size=1, max_size=5).map(
        # One keyset's proofs stand together in a token.
        lambda some: tuple(sorted(some, key=lambda one: one.keyset_id))
    ),
    memo=st.none() | texts,
)


def expected(published: dict[str, Any]) -> Token:
    return Token(
        published["m"],
        published["u"],
        tuple(
            TokenProof(group["i"], one["a"], one["s"], bytes.fromhex(one["c"]))
            for group in published["t"]
            for one in group["p"]
        ),
        published.get("d"),
    )


def packed(value: object) -> str:
    return "cashuB" + base64.urlsafe_b64encode(cbor2.dumps(value)).decode()


def jsoned(value: object) -> str:
    return "cashuA" + base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize("vector", VECTORS["v4"])
def test_published_tokens_of_version_b_are_read_and_written(vector: dict[str, Any]) -> None:
    token = expected(vector["json"])
    assert read_token(vector["text"]) == token
    assert read_token("cashu:" + vector["text"]) == token
    assert write_token(token) == vector["text"].rstrip("=")


def test_the_published_raw_token_is_read_and_written() -> None:
    vector = VECTORS["v4"][0]
    raw = bytes.fromhex(vector["raw"])
    assert read_raw_token(raw) == expected(vector["json"])
    assert write_raw_token(expected(vector["json"])) == raw


def test_the_published_token_of_version_a_is_read() -> None:
    published = VECTORS["v3"]["json"]
    entry = published["token"][0]
    assert read_token(VECTORS["v3"]["text"]) == Token(
        entry["mint"],
        published["unit"],
        tuple(
            TokenProof(one["id"], one["amount"], one["secret"], bytes.fromhex(one["C"]))
            for one in entry["proofs"]
        ),
        published["memo"],
    )


def test_padding_makes_no_difference() -> None:
    with_padding, without = VECTORS["v3_with_and_without_padding"]
    assert read_token(with_padding) == read_token(without)
    assert isinstance(read_token(without), Token)


@pytest.mark.parametrize("text", VECTORS["v3_malformed"])
def test_published_malformed_tokens_are_refused(text: str) -> None:
    assert isinstance(read_token(text), Malformed)


@given(tokens)
def test_a_token_reads_as_it_was_written(token: Token) -> None:
    assert read_token(write_token(token)) == token
    assert read_raw_token(write_raw_token(token)) == token
    assert write_token(token) == write_token(token)


@given(tokens, st.none() | texts)
def test_a_payload_reads_as_it_was_written(token: Token, request_id: str | None) -> None:
    payload = Payload(token.mint, token.unit or "eur", token.proofs, request_id, token.memo)
    assert read_payload(write_payload(payload)) == payload
    assert read_payload(write_payload(payload).encode()) == payload


@given(st.data())
def test_proofs_of_one_keyset_are_brought_together(data: st.DataObject) -> None:
    ids = data.draw(st.lists(st.sampled_from(["00" * 8, "01" * 33]), min_size=1, max_size=6))
    some = tuple(TokenProof(one, number + 1, "s", POINT) for number, one in enumerate(ids))
    read = read_token(write_token(Token("https://m", "eur", some)))
    assert isinstance(read, Token)
    assert sorted(read.proofs, key=lambda one: one.amount) == list(some)


garbage = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(list("tipascdwumer")), inner),
    max_leaves=12,
)


@given(garbage)
def test_no_cbor_makes_the_readers_raise(value: object) -> None:
    for wrapped in (value, {"t": [{"i": b"12345678", "p": [value]}], "m": "m", "u": "u"}):
        assert isinstance(read_token(packed(wrapped)), Malformed | Token)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_readers_raise(data: bytes) -> None:
    assert isinstance(read_raw_token(data), Malformed)
    assert isinstance(read_raw_token(b"crawB" + data), Malformed)
    assert isinstance(read_token("cashuB" + base64.b64encode(data).decode()), Malformed)
    assert isinstance(read_token("cashuA" + base64.b64encode(data).decode()), Malformed)
    assert isinstance(read_payload(data), Malformed)


@given(st.text())
def test_no_text_makes_the_readers_raise(text: str) -> None:
    for given_text in (text, "cashu:" + text, "cashuA" + text, "cashuB" + text):
        assert isinstance(read_token(given_text), Malformed)
    assert isinstance(read_payload(text), Malformed)


def group(**changes: object) -> dict[str, Any]:
    proof = {"a": 4, "s": "a secret", "c": POINT} | changes
    return {
        "t": [{"i": bytes(8), "p": [{k: v for k, v in proof.items() if v != "absent"}]}],
        "m": "https://mint.example",
        "u": "eur",
    }


def test_the_samples_are_good_before_they_are_spoilt() -> None:
    assert isinstance(read_token(packed(group())), Token)
    assert isinstance(read_token(packed(group(x=1.5, w=None, d=cbor2.undefined))), Token)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"a": 0}, "t[0].p[0].a"),
        ({"a": -1}, "t[0].p[0].a"),
        ({"a": 2**63}, "t[0].p[0].a"),
        # Beyond 64 bits CBOR has tagged bytes, and tags are not read at all.
        ({"a": 2**80}, "token"),
        ({"a": True}, "t[0].p[0].a"),
        ({"a": 1.0}, "t[0].p[0].a"),
        ({"a": "4"}, "t[0].p[0].a"),
        ({"a": "absent"}, "t[0].p[0].a"),
        ({"s": ""}, "t[0].p[0].s"),
        ({"s": "x" * 1025}, "t[0].p[0].s"),
        ({"s": b"bytes"}, "t[0].p[0].s"),
        ({"c": POINT[:32]}, "t[0].p[0].c"),
        ({"c": POINT.hex()}, "t[0].p[0].c"),
        ({"c": b"\4" + POINT[1:]}, "t[0].p[0].c"),
        ({"w": "x" * 2561}, "t[0].p[0].w"),
        ({"w": 1}, "t[0].p[0].w"),
        ({"pe": b"\0" * 33}, "t[0].p[0].pe"),
        ({"d": {"r": bytes(32), "e": bytes(31), "s": bytes(32)}}, "t[0].p[0].d.e"),
        ({"d": 5}, "t[0].p[0].d"),
    ],
)
def test_a_faulty_field_of_a_proof_is_named(changes: dict[str, object], field: str) -> None:
    read = read_token(packed(group(**changes)))
    assert isinstance(read, Malformed)
    assert [fault.field for fault in read.faults] == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"m": ""}, "m"),
        ({"m": "///"}, "m"),
        ({"m": "h" * 256}, "m"),
        ({"u": None}, "u"),
        ({"d": "x" * 1025}, "d"),
        ({"t": []}, "t"),
        ({"t": None}, "t"),
        ({"t": {}}, "t"),
        ({"t": [1]}, "t[0]"),
        ({"t": [{"i": bytes(9), "p": [{"a": 1, "s": "s", "c": POINT}]}]}, "t[0].i"),
        ({"t": [{"i": bytes(8), "p": []}]}, "t[0].p"),
    ],
)
def test_a_faulty_field_of_a_token_is_named(change: dict[str, object], field: str) -> None:
    read = read_token(packed(group() | change))
    assert isinstance(read, Malformed)
    assert field in [fault.field for fault in read.faults]


def test_every_fault_is_listed_up_to_a_bound() -> None:
    bad = {"a": 0, "s": "", "c": b""}
    for count, told in ((2, 6), (400, 32)):
        read = read_token(packed(group() | {"t": [{"i": bytes(8), "p": [bad] * count}]}))
        assert isinstance(read, Malformed)
        assert len(read.faults) == told


def test_a_token_holds_no_more_proofs_than_a_swap_takes() -> None:
    full = [{"i": bytes(8), "p": [{"a": 1, "s": "s", "c": POINT}] * limits.TOKEN_PROOFS_MAX}]
    assert isinstance(read_token(packed(group() | {"t": full})), Token)
    assert isinstance(read_token(packed(group() | {"t": full * 2})), Malformed)


@pytest.mark.parametrize(
    "data",
    [
        b"\xa0\xa0",
        b"\x81" * 3_000,
        b"\xa2\x61t\x80\x61t\x80",
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\xd9\xd9\xf7\xa0",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xa1\x80\x00",
        b"\x61\xff",
    ],
)
def test_cbor_that_is_dear_or_has_two_readings_is_refused(data: bytes) -> None:
    """Trailing values, depth, repeated fields, shared values, tags, lengths that are not there."""
    for read in (
        read_raw_token(b"crawB" + data),
        read_token("cashuB" + base64.b64encode(data).decode()),
    ):
        assert isinstance(read, Malformed)
        assert read.faults[0].message == "Cannot be decoded."


def test_tokens_and_payloads_are_bounded_in_length() -> None:
    long = "A" * limits.TOKEN_CHARACTERS_MAX
    assert isinstance(read_token("cashuB" + long), Malformed)
    assert isinstance(read_raw_token(b"crawB" + long.encode()), Malformed)
    assert isinstance(read_payload(long + "A"), Malformed)


def test_a_token_of_several_mints_or_none_is_refused() -> None:
    entry = {
        "mint": "https://mint.example",
        "proofs": [{"amount": 1, "id": "00" * 8, "secret": "s", "C": POINT.hex()}],
    }
    assert isinstance(read_token(jsoned({"token": [entry]})), Token)
    for entries in ([], [entry, entry], "token", None):
        assert isinstance(read_token(jsoned({"token": entries})), Malformed)


def test_hex_is_read_in_either_case_and_kept_in_one() -> None:
    proof = {"amount": 1, "id": "AB" * 8, "secret": "s", "C": POINT.hex().upper()}
    read = read_payload(json.dumps({"mint": "https://m/", "unit": "eur", "proofs": [proof]}))
    assert read == Payload("https://m", "eur", (TokenProof("ab" * 8, 1, "s", POINT),))


def test_a_witness_sent_as_an_object_is_read_as_its_text() -> None:
    proof = {"amount": 1, "id": "00" * 8, "secret": "s", "C": POINT.hex()}
    for witness, kept in (
        ({"signatures": ["ab"]}, '{"signatures":["ab"]}'),
        ('{"signatures": []}', '{"signatures": []}'),
        ("", None),
    ):
        body = {"mint": "https://m", "unit": "eur", "proofs": [proof | {"witness": witness}]}
        read = read_payload(json.dumps(body))
        assert isinstance(read, Payload)
        assert read.proofs[0].witness == kept
    body = {"mint": "m", "unit": "eur", "proofs": [proof | {"witness": {"x": "y" * 2560}}]}
    assert isinstance(read_payload(json.dumps(body)), Malformed)
    assert isinstance(read_token(packed(group(w={"signatures": []}))), Malformed)


@pytest.mark.parametrize(
    "change",
    [
        {"unit": None},
        {"mint": 1},
        {"proofs": []},
        {"proofs": [None]},
        {"id": 7},
        {"id": "x" * 257},
        {"memo": "x" * 1025},
        {"memo": "\ud800"},
        {"proofs": [{"amount": 1, "id": "zz" * 8, "secret": "s", "C": POINT.hex()}]},
    ],
)
def test_a_faulty_payload_is_refused(change: dict[str, object]) -> None:
    good = json.loads(write_payload(Payload("https://m", "eur", (PROOF,), "id", "memo")))
    assert isinstance(read_payload(json.dumps(good)), Payload)
    assert isinstance(read_payload(json.dumps(good | change)), Malformed)


def test_a_dleq_proof_without_its_blinding_factor_says_nothing() -> None:
    read = read_token(packed(group(d={"e": bytes(32), "s": bytes(32)})))
    assert isinstance(read, Token)
    assert read.proofs[0].dleq is None


@pytest.mark.parametrize(
    "text", ["cashuB*", "cashuBA", "cashuBAAA==A", "cashuB AA", "cashuB=", "cashuC"]
)
def test_base64_that_is_none_is_refused(text: str) -> None:
    assert isinstance(read_token(text), Malformed)
