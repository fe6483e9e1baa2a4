"""JSON as strangers send it: bounded, no field twice, no exception."""

import json
from collections.abc import Sequence
from typing import Any


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - what strangers sent is anything
    """Read JSON of bounded length; raises ValueError for anything that is none.

    A field given twice is refused: readers differ in which one counts. A number that is not whole
    reads as None, since no field here has one.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_float=_nothing, parse_constant=_nothing
        )
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def is_text(value: object, *, bytes_max: int) -> bool:
    """Tell whether a value is a text that can be sent on, and is short enough."""
    return isinstance(value, str) and 0 <= byte_length(value) <= bytes_max


def byte_length(text: str) -> int:
    """Return the length in bytes of UTF-8, or -1 for a text that has no UTF-8 form."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        return -1


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a field is given twice")
    return members


def _nothing(_text: str) -> None:
    return None
