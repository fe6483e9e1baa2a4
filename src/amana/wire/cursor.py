"""Cursors: where a list goes on, in a text that clients hand back and do not read.

A cursor says only a position and the list it belongs to; it grants nothing, so it is not signed:
whoever changes one reads another page of a list that is his anyway.
"""

import base64
import binascii
from typing import Final

from amana.wire.faults import Fault, Malformed

POSITION_MAX: Final = 2**128 - 1

_VERSION: Final = b"\x01"
_POSITION_BYTES: Final = 16
_CHARACTERS_MAX: Final = 120


def write_cursor(name: str, position: int) -> str:
    """Write a cursor.

    Args:
        name: The list's name, ASCII, at most 60 characters.
        position: 0 to 2^128 - 1: an id or a running number.
    """
    assert 0 <= position <= POSITION_MAX, "a position has 128 bits"
    raw = _VERSION + position.to_bytes(_POSITION_BYTES) + name.encode("ascii")
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def read_cursor(name: str, text: str) -> int | Malformed:
    """Read a cursor of the list with this name; another list's cursor is malformed."""
    head = _VERSION + b"\0" * _POSITION_BYTES
    raw = _unbase64(text)
    if raw is None or raw[len(head) :] != name.encode("ascii") or raw[:1] != _VERSION:
        return Malformed((Fault("cursor", "This is no cursor of this list."),))
    return int.from_bytes(raw[1 : len(head)])


def _unbase64(text: str) -> bytes | None:
    if len(text) > _CHARACTERS_MAX:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # Bits left over in the last character would give one position several cursors.
    return raw if base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=") == text else None
