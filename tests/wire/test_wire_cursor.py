"""Cursors: handed back unread, and good for their own list only."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.wire import Malformed
from amana.wire.cursor import POSITION_MAX, read_cursor, write_cursor


@given(st.integers(0, POSITION_MAX))
def test_a_cursor_reads_as_it_was_written(position: int) -> None:
    text = write_cursor("orders", position)
    assert read_cursor("orders", text) == position
    assert isinstance(read_cursor("payments", text), Malformed)
    assert text.replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_no_text_makes_the_reader_raise(text: str) -> None:
    assert isinstance(read_cursor("orders", text), Malformed)


@pytest.mark.parametrize("change", ["A{0}", "{0}=", "{0} ", "{0}A", "{0}{0}{0}{0}"])
def test_a_changed_cursor_is_refused(change: str) -> None:
    assert isinstance(read_cursor("orders", change.format(write_cursor("orders", 7))), Malformed)


def test_a_position_has_one_cursor_only() -> None:
    text = write_cursor("orders", 7)
    readable = [
        other
        for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        if not isinstance(read_cursor("orders", other := text[:-1] + last), Malformed)
    ]
    assert readable == [text]


def test_a_cursor_of_another_edition_is_refused() -> None:
    later = base64.urlsafe_b64encode(b"\x02" + bytes(16) + b"orders").decode().rstrip("=")
    assert isinstance(read_cursor("orders", later), Malformed)
