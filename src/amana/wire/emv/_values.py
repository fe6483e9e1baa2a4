"""Values inside a code that both the reader and the writer judge: amounts, percentages, text."""

import re
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from amana.kernel import Currency, Money, parse_decimal

AMOUNT_CHARACTERS_MAX: Final = 13

_PERCENT: Final = re.compile(r"([0-9]{1,2})(?:\.([0-9]{0,2}))?", re.ASCII)
_KEYSETS: Final = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_NEVER_PRINTED: Final = frozenset(("Cc", "Cs", "Zl", "Zp"))
# Marks that reorder what a person sees: a name must not be able to pose as another.
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def read_amount(unit: Currency, text: str) -> Money | None:
    """Read tag 54 or 56 exactly.

    Returns:
        More than zero; None where the text is no amount, is zero, or has more decimals than the
        currency. A trailing point, as in "98.", is allowed.
    Source: EMV QRCPS, section 4.7.4 and table 3.5.
    """
    if len(text) > AMOUNT_CHARACTERS_MAX or text.startswith("-"):
        return None
    amount = parse_decimal(unit, text.removesuffix("."))
    return amount if amount is not None and amount.minor else None


def write_amount(amount: Money) -> str | None:
    """Write an amount; None where it is not more than zero or too long to be written."""
    text = amount.decimal()
    return text if amount.minor > 0 and len(text) <= AMOUNT_CHARACTERS_MAX else None


def read_percent(text: str) -> int | None:
    """Read tag 57 as hundredths of a percent, 1 to 9999."""
    match = _PERCENT.fullmatch(text)
    if match is None:
        return None
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) or None


def write_percent(basis_points: int) -> str | None:
    """Write hundredths of a percent as tag 57; None outside 1 to 9999."""
    if not 0 < basis_points < 100 * 100:
        return None
    return f"{basis_points // 100:02}.{basis_points % 100:02}"


def read_keysets(text: str) -> bytes | None:
    """Read 16 bytes of base64url without padding; None for anything else."""
    if _KEYSETS.fullmatch(text) is None:
        return None
    value = urlsafe_b64decode(text + "==")
    # The last character holds bits that must be zero: each hash is written in one way only.
    return value if write_keysets(value) == text else None


def write_keysets(value: bytes) -> str:
    """Write a hash as base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def is_printable(text: str) -> bool:
    """Say whether a text can be shown: any script, but no controls and nothing that reorders."""
    return not any(
        character in _REORDERING or unicodedata.category(character) in _NEVER_PRINTED
        for character in text
    )


def shortened(text: str, characters_max: int) -> str:
    """Cut a text to a number of characters.

    Cuts between letters, not inside one: marks that belong to the last letter go with it, as does
    a joiner that would be left dangling.
    """
    if len(text) <= characters_max:
        return text
    end = characters_max
    while end and (unicodedata.combining(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return text[:end].rstrip()
