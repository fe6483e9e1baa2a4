"""Instants read and write RFC 3339, exactly to the millisecond."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.kernel import (
    DAY_NS,
    HOUR_NS,
    MILLISECOND_NS,
    MINUTE_NS,
    SECOND_NS,
    Instant,
    day_number,
    format_instant,
    parse_instant,
)

LAST = 253_402_300_800 * SECOND_NS - 1
instants = st.integers(0, LAST).map(Instant)


@given(instants)
def test_an_instant_reads_as_it_was_written_to_the_millisecond(instant: Instant) -> None:
    assert parse_instant(format_instant(instant)) == instant // MILLISECOND_NS * MILLISECOND_NS


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis takes bounds without a zone
def test_an_instant_is_what_the_standard_library_reads(moment: datetime) -> None:
    instant = parse_instant(moment.isoformat())
    assert instant is not None
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    assert instant == microseconds * 1_000


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T01:30:00+01:30", 0),
        ("1970-01-01T00:00:00-00:01", MINUTE_NS),
        ("1970-01-01T23:59:00-23:59", 2 * DAY_NS - 2 * MINUTE_NS),
        ("2000-02-29T00:00:00.5Z", 951_782_400 * SECOND_NS + SECOND_NS // 2),
    ],
)
def test_instants_are_read_exactly(text: str, nanoseconds: int) -> None:
    assert parse_instant(text) == nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z",
        "1970-01-01T00:00Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00.0000000001Z",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+00:60",
        "1970-01-01T00:00:00+0000",
        "1970-01-01T00:00:01+00:01",
        "1969-12-31T23:59:59Z",
        "2001-02-29T00:00:00Z",
        "2016-12-31T23:59:60Z",
        "2016-13-01T00:00:00Z",
        "2016-12-01T24:00:00Z",
        "٢٠١٦-١٢-٠١T00:00:00Z",
        "2016-12-01T00:00:00Z\n",
    ],
)
def test_what_is_no_instant_is_not_read(text: str) -> None:
    assert parse_instant(text) is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_never_raises(text: str) -> None:
    assert parse_instant(text) is None or text[4] == "-"


@given(instants)
def test_a_day_begins_at_midnight(instant: Instant) -> None:
    assert 0 <= instant - day_number(instant) * DAY_NS < DAY_NS


def test_units_of_time_fit_into_each_other() -> None:
    assert DAY_NS == 24 * HOUR_NS == 24 * 60 * MINUTE_NS == 24 * 3_600 * SECOND_NS
    assert SECOND_NS == 1_000 * MILLISECOND_NS
