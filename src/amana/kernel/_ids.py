"""Identifiers: 128 bits that sort by time, written with their kind.

Layout, most significant first: 48 bits of milliseconds since 1970, 72 bits of chance, 8 bits of
zero. The low byte is left to whoever derives transfer ids from a payment's id, so that the books
and the payments join without a table between them.
"""

from enum import StrEnum
from typing import Final, NewType

from amana.kernel._instants import MILLISECOND_NS, Instant

AmanaId = NewType("AmanaId", int)
"""A 128-bit identifier, neither zero nor all ones."""

ID_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, lower case: digits sort before letters, no i, l, o, u."""

_TEXT_LENGTH: Final = 26
_CHANCE_BYTES: Final = 9
_VALUES: Final = {character: value for value, character in enumerate(ID_ALPHABET)}
_ID_MAX: Final = 2**128 - 1


class IdKind(StrEnum):
    """What an identifier names; its prefix in text."""

    PAYMENT = "pay"
    ORDER = "ord"
    REFUND = "ref"
    CUSTOMER = "cus"
    MERCHANT = "mer"
    SITE = "sit"
    TILL = "til"
    STAFF = "stf"
    API_KEY = "key"
    WEBHOOK = "whk"
    LINK = "lnk"
    LEDGER_ACCOUNT = "acc"
    TRANSFER = "tra"


def new_id(now: Instant, chance: bytes) -> AmanaId:
    """Make an identifier.

    Args:
        now: The instant of making; its milliseconds lead the id.
        chance: Exactly 9 random bytes.
    """
    assert len(chance) == _CHANCE_BYTES, "an id takes nine bytes of chance"
    milliseconds = now // MILLISECOND_NS
    assert 0 < milliseconds < 2**48, "an id is made after 1970 and before the year 10889"
    return AmanaId((milliseconds << 80) | (int.from_bytes(chance) << 8))


def id_instant(identifier: AmanaId) -> Instant:
    """Return the instant an identifier was made, to the millisecond."""
    return Instant((identifier >> 80) * MILLISECOND_NS)


_PAIRS: Final = [first + second for first in ID_ALPHABET for second in ID_ALPHABET]
_PAIR_SHIFTS: Final = tuple(range(120, -1, -10))


def format_id(kind: IdKind, identifier: int) -> str:
    """Write an identifier as its kind, an underscore and 26 characters that sort by time."""
    pairs = _PAIRS
    text = "".join([pairs[identifier >> shift & 1023] for shift in _PAIR_SHIFTS])
    return f"{kind.value}_{text}"


def parse_id(kind: IdKind, text: str) -> AmanaId | None:
    """Read an identifier of one kind; None where the text is not exactly one."""
    prefix = f"{kind.value}_"
    if not text.startswith(prefix) or len(text) != len(prefix) + _TEXT_LENGTH:
        return None
    identifier = 0
    for character in text[len(prefix) :]:
        value = _VALUES.get(character)
        if value is None:
            return None
        identifier = identifier << 5 | value
    return AmanaId(identifier) if 0 < identifier < _ID_MAX else None
