"""Instants: nanoseconds since 1970-01-01T00:00:00Z, as one integer."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NewType

Instant = NewType("Instant", int)
"""Nanoseconds since the Unix epoch, UTC, leap seconds not counted. Positive."""

MILLISECOND_NS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?"
    r"(?:[Zz]|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)


def format_instant(instant: Instant) -> str:
    """Write an instant as RFC 3339 in UTC with milliseconds, rounded down.

    Source: RFC 3339, section 5.6.
    """
    seconds, rest = divmod(instant, SECOND_NS)
    return f"{_format_second(seconds)}.{rest // MILLISECOND_NS:03}Z"


@lru_cache(maxsize=64)
def _format_second(seconds: int) -> str:
    """Write a whole second; kept, because what happens together is written together."""
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}"


def parse_instant(text: str) -> Instant | None:
    """Read an RFC 3339 instant.

    Returns:
        The instant, or None where the text is not one, lies before 1970, or names a leap second.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    offset_s = 0
    if match[8] is not None:
        hours, minutes = int(match[9]), int(match[10])
        if hours > 23 or minutes > 59:  # noqa: PLR2004 - hours and minutes of an offset, RFC 3339
            return None
        offset_s = (hours * 60 + minutes) * 60 * (1 if match[8] == "+" else -1)
    seconds = (moment - _EPOCH) // timedelta(seconds=1) - offset_s
    if seconds < 0:
        return None
    return Instant(seconds * SECOND_NS + int((match[7] or "0").ljust(9, "0")))


def day_number(instant: Instant) -> int:
    """Return the count of whole UTC days since 1970-01-01."""
    return instant // DAY_NS
