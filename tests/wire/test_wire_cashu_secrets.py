"""Locks in secrets, and witnesses: read as they were written, and never by mistake as plain."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire import Malformed
from amana.wire.cashu import (
    P2PK,
    WellKnownSecret,
    Witness,
    limits,
    read_secret,
    read_witness,
    write_secret,
    write_witness,
)

WORDS = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable())
TAGS = st.lists(st.lists(WORDS, min_size=1, max_size=3).map(tuple), max_size=5).map(tuple)


@given(kind=WORDS, nonce=WORDS, data=WORDS, tags=TAGS)
def test_a_lock_reads_as_it_was_written(
    kind: str, nonce: str, data: str, tags: tuple[tuple[str, ...], ...]
) -> None:
    written = write_secret(kind, nonce, data, tags)
    assert read_secret(written.text) == written


def test_the_text_is_kept_as_it_came_because_signatures_cover_it() -> None:
    text = ' [ "P2PK" , {"data":"\\u0030", "nonce":"n"} ] '
    secret = read_secret(text)
    assert secret == WellKnownSecret(P2PK, "n", "0", (), text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "aa" * 32,
        "P2PK",
        "{}",
        '{"kind":"P2PK"}',
        "[]",
        "[1]",
        "[1,{}]",
        "[[]]",
        '["a","b"]',
        '["a",{},{}]',
        "[not JSON",
        '"P2PK"',
        "\N{BYTE ORDER MARK}[]",
    ],
)
def test_what_has_no_locks_shape_is_plain(text: str) -> None:
    assert read_secret(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '["P2PK"]',
        '["HTLC",1]',
        '["P2PK",{"nonce":"n","data":"d"},3]',
        '["P2PK",{"nonce":"n","data":"d"}',
        "['P2PK',{'nonce':'n','data':'d'}]",
        "[P2PK,{}]",
        '\n[ "HTLC" oh',
        '["P2\\u0050K",{"nonce":"n","nonce":"m","data":"d"}]',
        '["X",{"nonce":"n","data":"d","data":"e"}]',
        '["",{"nonce":"n","data":"d"}]',
        '["X",{"data":"d"}]',
        '["X",{"nonce":"","data":"d"}]',
        '["X",{"nonce":1,"data":"d"}]',
        '["X",{"nonce":"n"}]',
        '["X",{"nonce":"n","data":""}]',
        '["X",{"nonce":"n","data":["d"]}]',
        '["X",{"nonce":"n","data":1.5}]',
        '["X",{"nonce":"n","data":"d","more":1}]',
        '["X",{"nonce":"n","data":"d","tags":null}]',
        '["X",{"nonce":"n","data":"d","tags":{}}]',
        '["X",{"nonce":"n","data":"d","tags":[1]}]',
        '["X",{"nonce":"n","data":"d","tags":[[]]}]',
        '["X",{"nonce":"n","data":"d","tags":[["locktime",1765300829]]}]',
        '["X",{"nonce":"n","data":"d","tags":[["locktime",""]]}]',
        '["X",{"nonce":"n","data":"\\ud800"}]',
        '["X",{"nonce":"n","data":"d","tags":[["\\udfff"]]}]',
        '["X",{"nonce":"n","data":"d","tags":[' + ",".join(['["a"]'] * 33) + "]}]",
        "[" * 1024,
        "a" * 1025,
        "é" * 513,
        "\ud800",
    ],
)
def test_what_was_meant_as_a_lock_and_is_none_is_malformed(text: str) -> None:
    """Taken for a plain secret it would be anybody's money."""
    assert isinstance(read_secret(text), Malformed)


@given(st.text() | st.text('[]{}",:\\ P2KHTLCu0', max_size=80))
def test_no_text_makes_the_readers_raise(text: str) -> None:
    for read in (read_secret(text), read_witness(text)):
        assert read is None or isinstance(read, WellKnownSecret | Witness | Malformed)


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=9))
def test_no_body_makes_the_reader_of_locks_raise(body: object) -> None:
    for field in ("nonce", "data", "tags", "more"):
        text = json.dumps(["P2PK", {"nonce": "n", "data": "d", field: body}])
        read = read_secret(text)
        assert isinstance(read, Malformed | WellKnownSecret)


def test_a_secret_is_limited_in_bytes_not_letters() -> None:
    assert read_secret("é" * (limits.SECRET_BYTES_MAX // 2)) is None
    assert isinstance(read_secret("é" * (limits.SECRET_BYTES_MAX // 2 + 1)), Malformed)


@given(st.none() | st.text(max_size=64), st.lists(st.text(max_size=16), max_size=16).map(tuple))
def test_a_witness_reads_as_it_was_written(
    preimage: str | None, signatures: tuple[str, ...]
) -> None:
    witness = Witness(preimage, signatures)
    assert read_witness(write_witness(witness)) == witness


def test_an_absent_witness_is_empty() -> None:
    for text in (None, "", "{}", '{"signatures":null,"preimage":null,"more":1.5}'):
        assert read_witness(text) == Witness()


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "{",
        '{"preimage":1}',
        '{"signatures":"00"}',
        '{"signatures":[1]}',
        '{"signatures":["a"],"signatures":["b"]}',
        '{"signatures":[' + ",".join(['""'] * 17) + "]}",
        '{"preimage":"' + "0" * 2560 + '"}',
        '{"more":' + "[" * 1200 + "]" * 1200 + "}",
    ],
)
def test_a_witness_of_another_shape_or_size_is_malformed(text: str) -> None:
    assert isinstance(read_witness(text), Malformed)


def test_the_longest_honest_lock_and_witness_are_taken() -> None:
    key = "02" + "ab" * 32
    tags = (("pubkeys", *[key] * 7), ("refund", *[key] * 3), ("locktime", "1800000000"))
    assert isinstance(read_secret(write_secret(P2PK, "ab" * 16, key, tags).text), WellKnownSecret)
    full = Witness("00" * 32, ("ab" * 64,) * limits.SIGNATURES_MAX)
    assert read_witness(write_witness(full)) == full
