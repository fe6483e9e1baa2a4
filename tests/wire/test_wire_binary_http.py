"""Binary HTTP: what was written is read again, and whatever else comes is a refusal."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire import Malformed
from amana.wire.binary_http import (
    FIELDS_MAX,
    NAME_BYTES_MAX,
    BinaryRequest,
    BinaryResponse,
    padded,
    read_request,
    read_response,
    write_request,
    write_response,
)

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "ohttp" / "rfc9458.json").read_text(encoding="utf-8")
)
NAMES = st.binary(min_size=1, max_size=70).map(bytes.lower)
FIELDS = st.lists(st.tuples(NAMES, st.binary(max_size=70)), max_size=4).map(tuple)
CONTENT = st.binary(max_size=300) | st.integers(16_380, 16_390).map(bytes)
REQUESTS = st.builds(
    BinaryRequest,
    method=st.binary(max_size=9),
    scheme=st.binary(max_size=9),
    authority=st.binary(max_size=90),
    path=st.binary(max_size=90),
    fields=FIELDS,
    content=CONTENT,
)
RESPONSES = st.builds(BinaryResponse, status=st.integers(200, 599), fields=FIELDS, content=CONTENT)


@given(REQUESTS, st.integers(0, 40))
def test_a_request_comes_back_as_it_was_written(request: BinaryRequest, zeros: int) -> None:
    assert read_request(write_request(request) + bytes(zeros)) == request


@given(RESPONSES, st.integers(0, 40))
def test_an_answer_comes_back_as_it_was_written(response: BinaryResponse, zeros: int) -> None:
    assert read_response(write_response(response) + bytes(zeros)) == response


@given(st.binary(max_size=60))
def test_whatever_comes_is_read_or_refused(message: bytes) -> None:
    assert isinstance(read_request(message), BinaryRequest | Malformed)
    assert isinstance(read_response(message), BinaryResponse | Malformed)


@given(REQUESTS, st.data())
def test_a_request_that_was_cut_off_is_never_read_as_another(
    request: BinaryRequest, data: st.DataObject
) -> None:
    whole = write_request(request)
    part = whole[: data.draw(st.integers(0, len(whole) - 1))]
    read = read_request(part)
    # A section may be left out as a whole, where it is the last (RFC 9292, section 3.8).
    assert isinstance(read, Malformed) or (
        (read.method, read.path) == (request.method, request.path)
        and read.fields in {(), request.fields}
        and read.content in {b"", request.content}
    )


def test_the_messages_of_the_published_example_are_read() -> None:
    request = read_request(bytes.fromhex(VECTORS["request"]))
    assert request == BinaryRequest(b"GET", b"https", b"example.com", b"/")
    assert read_response(bytes.fromhex(VECTORS["response"])) == BinaryResponse(200)


def test_trailers_are_read_over() -> None:
    head = write_response(BinaryResponse(200, content=b"told"))[:-1]
    assert read_response(head + b"\x04\x01a\x01b" + bytes(3)) == BinaryResponse(200, (), b"told")


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (b"", "ends too early"),
        (b"\x02", "no request"),
        (b"\x00\x05GET", "ends too early"),
        (b"\x00\x03GET\x00\x00\x01/" + b"\x03\x00\x01a", "name"),
        (b"\x00\x03GET\x00\x00\x01/" + b"\x04\x01A\x01a", "capitals"),
        (b"\x00\x03GET\x00\x00\x01/" + b"\x00\x00\x00" + b"\x00\x01", "zeros"),
        (b"\x00\x03GET\x00\x00" + b"\x80\x01\x00\x00" + bytes(2**16), "too long"),
    ],
)
def test_a_request_that_is_none_is_refused(message: bytes, what: str) -> None:
    read = read_request(message)
    assert isinstance(read, Malformed)
    assert what in read.faults[0].message


@pytest.mark.parametrize("message", [b"\x00", b"\x01\x40\x65", b"\x01\x42\x58", b"\x01\x40"])
def test_an_answer_that_is_not_final_is_refused(message: bytes) -> None:
    assert isinstance(read_response(message), Malformed)


def test_too_many_headers_are_refused() -> None:
    fields = ((b"a", b""),) * (FIELDS_MAX + 1)
    assert isinstance(read_response(write_response(BinaryResponse(200, fields))), Malformed)
    assert isinstance(
        read_response(write_response(BinaryResponse(200, fields[1:]))), BinaryResponse
    )


def test_a_long_name_is_refused() -> None:
    request = BinaryRequest(b"GET", b"", b"", b"/" * (NAME_BYTES_MAX + 1))
    assert isinstance(read_request(write_request(request)), Malformed)


@pytest.mark.parametrize(("length", "size"), [(0, 4), (4, 4), (5, 9), (9, 9), (10, 10)])
def test_a_message_takes_the_first_size_that_holds_it(length: int, size: int) -> None:
    assert len(padded(b"x" * length, (4, 9))) == size
