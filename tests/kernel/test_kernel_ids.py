"""Identifiers sort by time, carry their kind, and read as they were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.kernel import (
    DAY_NS,
    ID_ALPHABET,
    MILLISECOND_NS,
    AmanaId,
    IdKind,
    Instant,
    format_id,
    id_instant,
    new_id,
    parse_id,
)

kinds = st.sampled_from(list(IdKind))
ids = st.integers(1, 2**128 - 2).map(AmanaId)
instants = st.integers(MILLISECOND_NS, 200 * 366 * DAY_NS).map(Instant)
chances = st.binary(min_size=9, max_size=9)


@given(kinds, ids)
def test_an_id_reads_as_it_was_written(kind: IdKind, identifier: AmanaId) -> None:
    assert parse_id(kind, format_id(kind, identifier)) == identifier


@given(kinds, kinds, ids)
def test_an_id_of_one_kind_is_none_of_another(
    kind: IdKind, other: IdKind, identifier: AmanaId
) -> None:
    if kind is not other:
        assert parse_id(other, format_id(kind, identifier)) is None


@given(instants, chances, instants, chances)
def test_ids_and_their_texts_sort_by_time(
    earlier: Instant, chance: bytes, later: Instant, other: bytes
) -> None:
    first, second = sorted((earlier, later))
    if first // MILLISECOND_NS < second // MILLISECOND_NS:
        left, right = new_id(first, chance), new_id(second, other)
        assert left < right
        assert format_id(IdKind.PAYMENT, left) < format_id(IdKind.PAYMENT, right)


@given(instants, chances)
def test_an_id_tells_its_millisecond_and_leaves_its_low_byte_free(
    now: Instant, chance: bytes
) -> None:
    identifier = new_id(now, chance)
    assert id_instant(identifier) == now // MILLISECOND_NS * MILLISECOND_NS
    assert not identifier & 0xFF
    assert identifier >> 8 & (2**72 - 1) == int.from_bytes(chance)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pay_",
        "pay_" + "0" * 26,
        "pay_" + "0" * 25,
        "pay_" + "0" * 24 + "1",
        "pay_" + "0" * 26 + "1",
        "pay_" + "0" * 25 + "U",
        "pay_" + "0" * 25 + "i",
        "pay_" + "0" * 25 + "١",
        "PAY_" + "0" * 25 + "1",
        "pay_7" + "z" * 25,
        "pay_8" + "0" * 25,
        "pay_" + "z" * 26,
    ],
)
def test_what_is_no_id_is_not_read(text: str) -> None:
    assert parse_id(IdKind.PAYMENT, text) is None


@given(kinds, st.text(ID_ALPHABET + "_payIU", max_size=34))
def test_any_text_is_read_or_refused_and_never_raises(kind: IdKind, text: str) -> None:
    identifier = parse_id(kind, text)
    assert identifier is None or format_id(kind, identifier) == text


@pytest.mark.parametrize("size", [0, 8, 10])
def test_an_id_takes_nine_bytes_of_chance(size: int) -> None:
    with pytest.raises(AssertionError, match="nine bytes"):
        new_id(Instant(DAY_NS), bytes(size))


@pytest.mark.parametrize("moment", [0, -1, 2**48 * MILLISECOND_NS])
def test_an_id_is_made_within_its_age(moment: int) -> None:
    with pytest.raises(AssertionError, match="after 1970"):
        new_id(Instant(moment), bytes(9))


def test_kinds_have_prefixes_of_their_own() -> None:
    assert len({kind.value for kind in IdKind}) == len(IdKind)
    assert all(len(kind.value) == 3 for kind in IdKind)
