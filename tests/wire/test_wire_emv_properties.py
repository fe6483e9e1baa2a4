"""Payment codes, by property: what is written is read, and nothing sent to the reader raises."""

import string

from hypothesis import given
from hypothesis import strategies as st
from tests.wire.samples import PLAIN, codes

from amana.wire import Malformed
from amana.wire.emv import (
    ForeignCode,
    MerchantCode,
    ReadCode,
    read_code,
    recognise,
    seal,
    write_code,
    write_objects,
)


@given(codes())
def test_what_is_written_is_read(code: MerchantCode) -> None:
    text = write_code(code)
    if isinstance(text, Malformed):
        # Three templates of the longest values can pass the 99 or 512 characters.
        assert all("Longer" in f.message or "More than" in f.message for f in text.faults)
        return
    read = recognise(text)
    assert isinstance(read, ReadCode)
    assert read.code == code
    assert seal(write_objects(read.objects[:-1])) == text


@given(st.text())
def test_no_text_makes_the_readers_raise(text: str) -> None:
    assert isinstance(read_code(text), Malformed)
    assert isinstance(recognise(text), Malformed | ForeignCode)


@given(st.text(string.digits + "Aabc.*أ", max_size=60))
def test_no_sealed_garbage_makes_the_readers_raise(body: str) -> None:
    text = seal("000201" + body)
    assert isinstance(read_code(text), Malformed | ReadCode)
    assert isinstance(recognise(text), Malformed | ForeignCode)


@given(st.data())
def test_one_changed_character_is_refused_or_changes_nothing(data: st.DataObject) -> None:
    # One ASCII character, or one Arabic letter, spans at most 16 bits: a burst that CRC-16 always
    # notices. Wider characters are noticed but for one change in 65,536.
    text = write_code(PLAIN)
    assert isinstance(text, str)
    at = data.draw(st.integers(0, len(text) - 1))
    ascii_letters = [chr(code) for code in range(32, 127)]
    letters = ascii_letters if text[at].isascii() else [chr(c) for c in range(0x621, 0x64B)]
    new = data.draw(st.sampled_from(letters))
    changed = text[:at] + new + text[at + 1 :]
    read = recognise(changed)
    if isinstance(read, ReadCode):
        assert changed.upper() == text.upper()
        assert read.code == PLAIN
    else:
        assert changed != text


@given(st.data())
def test_no_prefix_of_a_code_is_read(data: st.DataObject) -> None:
    text = write_code(PLAIN)
    assert isinstance(text, str)
    assert isinstance(read_code(text[: data.draw(st.integers(0, len(text) - 1))]), Malformed)
