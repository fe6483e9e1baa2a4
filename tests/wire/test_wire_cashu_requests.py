"""Payment requests in both forms: published texts, round trips, and refusals."""

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
    LockAsked,
    PaymentRequest,
    Transport,
    _bech32,
    limits,
    read_request,
    write_cbor_request,
    write_request_code,
)
from amana.wire.cashu._bech32 import BECH32, BECH32M, read_bech32, write_bech32
from amana.wire.cashu._nostr import Profile, read_profile, write_profile

NUTS = Path(__file__).parent.parent / "vectors" / "nuts"
CBOR_VECTORS = json.loads((NUTS / "18.json").read_text("utf-8"))
CODE_VECTORS = json.loads((NUTS / "26.json").read_text("utf-8"))

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
tags = st.lists(st.lists(texts, min_size=1, max_size=3).map(tuple), max_size=3).map(tuple)
relays = st.lists(st.text("abc.:/", min_size=1, max_size=20), max_size=2).map(tuple)
profiles = st.builds(Profile, st.binary(min_size=32, max_size=32), relays).map(write_profile)
transports = st.builds(Transport, st.just("post"), texts, tags) | st.builds(
    Transport,
    st.just("nostr"),
    profiles,
    tags.map(lambda some: tuple(tag for tag in some if tag[0] != "r")),
)
locks = st.builds(LockAsked, st.sampled_from(["P2PK", "HTLC", "2", "255"]), texts, tags)
requests = st.builds(
    PaymentRequest,
    id=st.none() | texts,
    amount=st.none() | st.integers(0, limits.AMOUNT_MAX),
    unit=texts | st.just("sat"),
    is_single_use=st.none() | st.booleans(),
    mints=st.lists(texts, max_size=3).map(tuple),
    description=st.none() | texts,
    transports=st.lists(transports, max_size=3).map(tuple),
    lock=st.none() | locks,
)


def tupled(tags: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(tag) for tag in tags)


def expected(published: dict[str, Any]) -> PaymentRequest:
    lock = published.get("nut10")
    return PaymentRequest(
        id=published.get("i"),
        amount=published.get("a"),
        unit=published.get("u"),
        is_single_use=published.get("s"),
        mints=tuple(published.get("m", ())),
        description=published.get("d"),
        transports=tuple(
            Transport(one["t"], one["a"], tupled(one.get("g", [])))
            for one in published.get("t", ())
        ),
        lock=lock and LockAsked(lock["k"], lock["d"], tupled(lock.get("t", []))),
    )


def packed(value: object) -> str:
    return "creqA" + base64.urlsafe_b64encode(cbor2.dumps(value)).decode()


def coded(*parts: tuple[int, bytes]) -> str:
    data = b"".join(bytes([kind]) + len(value).to_bytes(2) + value for kind, value in parts)
    return write_bech32("creqb", data, constant=BECH32M)


def part(kind: int, value: bytes) -> bytes:
    return bytes([kind]) + len(value).to_bytes(2) + value


@pytest.mark.parametrize("vector", CBOR_VECTORS[1:], ids=lambda v: str(v["json"]["i"]))
def test_published_requests_are_read(vector: dict[str, Any]) -> None:
    request = expected(vector["json"])
    assert read_request(vector["text"]) == request
    written = write_cbor_request(request)
    assert read_request(written) == request
    ours = cbor2.loads(base64.urlsafe_b64decode(written[5:]))
    theirs = cbor2.loads(base64.b64decode(vector["text"][5:], altchars=None))
    for one in theirs.get("t", []):
        if one.get("g") is cbor2.undefined:
            del one["g"]
    assert ours == theirs


def test_the_first_published_request_encodes_another_than_it_shows() -> None:
    # A slip in the published file: the text is that of the specification's own example.
    first, example = CBOR_VECTORS[0], CBOR_VECTORS[-1]
    assert first["text"] == example["text"]
    assert read_request(first["text"]) == expected(example["json"]) != expected(first["json"])


@pytest.mark.parametrize("vector", CODE_VECTORS, ids=lambda v: str(v["json"]["i"]))
def test_published_codes_are_read_and_written(vector: dict[str, Any]) -> None:
    request = expected(vector["json"])
    assert read_request(vector["text"]) == request
    assert read_request(vector["text"].lower()) == request
    assert write_request_code(request) == vector["text"]


def test_a_unit_that_would_read_as_another_is_not_written() -> None:
    assert isinstance(write_request_code(PaymentRequest(unit="\0")), Malformed)


@given(requests)
def test_a_request_reads_as_it_was_written(request: PaymentRequest) -> None:
    assert read_request(write_cbor_request(request)) == request
    code = write_request_code(request)
    if isinstance(code, Malformed):
        # Three long ways of delivery pass what others' wallets read.
        assert "Longer" in code.faults[0].message or request.unit == "\0"
    else:
        assert read_request(code) == read_request(code.lower()) == request
        assert len(code) <= 1023
        assert code == code.upper()


def test_an_empty_request_asks_for_anything() -> None:
    assert read_request(packed({})) == PaymentRequest()
    assert read_request(coded()) == PaymentRequest()


def test_unknown_fields_are_passed_over() -> None:
    assert read_request(packed({"mp": True, "sm": [1], "u": "eur"})) == PaymentRequest(unit="eur")
    assert read_request(coded((3, b"eur"), (9, b"\1"), (200, b"x"), (200, b"y"))) == (
        PaymentRequest(unit="eur")
    )


@given(st.text() | st.text("creqAb1qpzry9x8gf2tvdw0s3jn54kh", max_size=60))
def test_no_text_makes_the_reader_raise(text: str) -> None:
    for one in (text, "creqA" + text, "creqb1" + text):
        assert isinstance(read_request(one), Malformed | PaymentRequest)


@given(st.lists(st.tuples(st.integers(0, 12), st.binary(max_size=60)), max_size=5))
def test_no_sealed_garbage_makes_the_reader_raise(parts: list[tuple[int, bytes]]) -> None:
    inner = b"".join(part(kind, value) for kind, value in parts)
    for one in (coded(*parts), coded((7, inner)), coded((8, inner))):
        assert isinstance(read_request(one), Malformed | PaymentRequest)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(list("iausmdtgk")), inner),
        max_leaves=12,
    )
)
def test_no_cbor_makes_the_reader_raise(value: object) -> None:
    for one in (value, {"nut10": value}, {"t": [value]}, {"t": [{"t": "x", "a": "y", "g": value}]}):
        assert isinstance(read_request(packed(one)), Malformed | PaymentRequest)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"a": 1}, "u"),
        ({"a": -1, "u": "eur"}, "a"),
        ({"a": 2**63, "u": "eur"}, "a"),
        ({"u": "x" * 65}, "u"),
        ({"i": 7}, "i"),
        ({"s": 1}, "s"),
        ({"m": "https://mint"}, "m"),
        ({"m": ["https://mint", ""]}, "m"),
        ({"m": ["h" * 256]}, "m"),
        ({"m": ["h"] * 17}, "m"),
        ({"d": "x" * 1025}, "d"),
        ({"t": [{"t": "post"}]}, "t[0].a"),
        ({"t": [{"t": "post", "a": "x", "g": [[]]}]}, "t[0].g[0]"),
        ({"t": [{"t": "post", "a": "x", "g": [["n", 17]]}]}, "t[0].g[0]"),
        ({"t": [{"t": "post", "a": "x", "g": [["x" * 256]]}]}, "t[0].g[0]"),
        ({"t": [{"t": "post", "a": "x"}] * 9}, "t"),
        ({"nut10": {"k": "P2PK"}}, "nut10.d"),
        ({"nut10": {"k": "P2PK", "d": "x", "t": "y"}}, "nut10.t"),
        ({"nut10": 1}, "nut10"),
        ([], ""),
    ],
)
def test_a_faulty_field_is_named(value: object, field: str) -> None:
    read = read_request(packed(value))
    assert isinstance(read, Malformed)
    assert [fault.field for fault in read.faults] == [field]


POST = part(1, b"\1") + part(2, b"https://pay.example")
NOSTR = part(1, b"\0") + part(2, bytes(32))


@pytest.mark.parametrize(
    "parts",
    [
        ((1, b""),),
        ((1, b"x" * 257),),
        ((1, b"\xff"),),
        ((1, b"a"), (1, b"b")),
        ((2, bytes(8)),),
        ((2, bytes(7)), (3, b"eur")),
        ((2, b"\xff" * 8), (3, b"eur")),
        ((3, b""),),
        ((3, b"eur"), (3, b"usd")),
        ((4, b"\2"),),
        ((4, b""),),
        *(((5, b"m"),) * 17,),
        ((5, b"m" * 256),),
        ((6, b"x" * 1025),),
        ((7, b""),),
        ((7, part(1, b"\1")),),
        ((7, part(2, b"x")),),
        ((7, part(1, b"\2") + part(2, b"x")),),
        ((7, part(1, b"\1\1") + part(2, b"x")),),
        ((7, part(1, b"\1") + POST),),
        ((7, part(1, b"\1") + part(2, b"")),),
        ((7, POST + part(3, b"")),),
        ((7, POST + part(3, b"\5abc")),),
        ((7, POST + part(3, b"\0")),),
        ((7, POST[:-1]),),
        ((7, part(1, b"\0") + part(2, bytes(31))),),
        ((7, NOSTR + part(3, b"\1r\2\xc3\xa9")),),
        ((7, POST),) * 9,
        ((8, part(1, b"\0")),),
        ((8, part(1, b"\0") + part(2, b"x") + part(3, b"\1a") * 33),),
        ((8, part(1, b"\0") + part(2, b"x")),) * 2,
    ],
)
def test_a_faulty_code_is_refused(parts: tuple[tuple[int, bytes], ...]) -> None:
    assert isinstance(read_request(coded(*parts)), Malformed)


@pytest.mark.parametrize("data", [b"\1", b"\1\0", b"\1\0\5abc"])
def test_a_code_that_is_cut_short_is_refused(data: bytes) -> None:
    assert isinstance(read_request(write_bech32("creqb", data, constant=BECH32M)), Malformed)


def test_a_way_of_delivery_with_relays_in_one_tag_is_read() -> None:
    read = read_request(coded((7, NOSTR + part(3, b"\1r\6wss://\3abc") + part(3, b"\1n\00217"))))
    assert isinstance(read, PaymentRequest)
    profile = write_profile(Profile(bytes(32), ("wss://", "abc")))
    assert read.transports == (Transport("nostr", profile, (("n", "17"),)),)


@pytest.mark.parametrize(
    "request_",
    [
        PaymentRequest(transports=(Transport("pigeon", "x"),)),
        PaymentRequest(transports=(Transport("nostr", "not a profile"),)),
        PaymentRequest(transports=(Transport("post", "x", (("k", "v" * 256),)),)),
        PaymentRequest(lock=LockAsked("P2PX", "x")),
        PaymentRequest(lock=LockAsked("256", "x")),
        PaymentRequest(description="x" * 70_000),
        PaymentRequest(description="x" * 1000),
        PaymentRequest(id="\ud800"),
    ],
)
def test_what_a_code_cannot_say_is_not_written(request_: PaymentRequest) -> None:
    assert isinstance(write_request_code(request_), Malformed)


def test_a_request_is_bounded_in_length() -> None:
    assert isinstance(read_request("creqA" + "A" * limits.REQUEST_CHARACTERS_MAX), Malformed)


def test_the_forms_are_known_by_their_prefix_in_either_case() -> None:
    text = packed({"u": "eur"})
    assert read_request("CREQA" + text[5:]) == PaymentRequest(unit="eur")
    assert isinstance(read_request("creqC" + text[5:]), Malformed)
    mixed = coded((3, b"eur"))
    assert read_request(mixed) == read_request(mixed.upper()) == PaymentRequest(unit="eur")
    assert isinstance(read_request(mixed[:-1] + mixed[-1].upper() + "Q"), Malformed)
    assert isinstance(read_request(mixed.capitalize()), Malformed)


@given(st.binary(max_size=80), st.sampled_from([BECH32, BECH32M]))
def test_bech32_reads_as_it_was_written(data: bytes, constant: int) -> None:
    text = write_bech32("a", data, constant=constant)
    assert read_bech32(text, "a", constant=constant) == data
    for other in (BECH32 + BECH32M - constant, constant + 1):
        with pytest.raises(ValueError, match="check"):
            read_bech32(text, "a", constant=other)


@given(st.data())
def test_one_changed_letter_of_a_code_is_noticed(data: st.DataObject) -> None:
    text = CODE_VECTORS[0]["text"]
    at = data.draw(st.integers(6, len(text) - 1))
    new = data.draw(st.sampled_from("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L").filter(text[at].__ne__))
    assert isinstance(read_request(text[:at] + new + text[at + 1 :]), Malformed)


@pytest.mark.parametrize("text", ["A1LQFN3A", "a1lqfn3a"])
def test_the_shortest_valid_text_of_the_bech32m_proposal_is_read(text: str) -> None:
    assert read_bech32(text, "a", constant=BECH32M) == b""


@pytest.mark.parametrize(
    "text", ["A1LQFN3a", "a1lqfn3", "a1lqfn3b", "b1lqfn3a", "a1lqfn3a ", "Ａ1LQFN3A"]
)
def test_bech32_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_bech32(text, "a", constant=BECH32M)


@pytest.mark.parametrize("words", [[31], [31, 31], [0, 1], [0, 0, 0]])
def test_bits_left_over_in_bech32_are_refused(words: list[int]) -> None:
    residue = _bech32._residue([*_bech32._spread("a"), *words, *[0] * 6]) ^ BECH32M
    check = [residue >> 5 * place & 31 for place in reversed(range(6))]
    text = "a1" + "".join(_bech32._LETTERS[word] for word in (*words, *check))
    with pytest.raises(ValueError, match="left over"):
        read_bech32(text, "a", constant=BECH32M)


def test_a_profile_is_read_from_a_bare_key_too() -> None:
    npub = write_bech32("npub", bytes(32), constant=BECH32)
    assert read_profile(npub) == read_profile(npub.upper()) == Profile(bytes(32))
    sent = PaymentRequest(transports=(Transport("nostr", npub),))
    code = write_request_code(sent)
    assert isinstance(code, str)
    read = read_request(code)
    assert isinstance(read, PaymentRequest)
    assert read.transports[0].target == write_profile(Profile(bytes(32)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"\0\x20" + bytes(31),
        b"\0\x1f" + bytes(31),
        (b"\0\x20" + bytes(32)) * 2,
        b"\0\x20" + bytes(32) + b"\1",
        b"\0\x20" + bytes(32) + b"\1\1\xff",
    ],
)
def test_a_profile_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_profile(write_bech32("nprofile", data, constant=BECH32))
    with pytest.raises(ValueError, match=r"."):
        read_profile(write_bech32("npub", data, constant=BECH32))


def test_unknown_parts_of_a_profile_are_passed_over() -> None:
    data = b"\x07\1x\0\x20" + bytes(32)
    assert read_profile(write_bech32("nprofile", data, constant=BECH32)) == Profile(bytes(32))
