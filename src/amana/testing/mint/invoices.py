"""Lightning invoices as text (BOLT 11), as much as a look-alike needs: written whole, read in part.

An invoice is bech32 without its bound on length: a part for people with the amount, then groups of
five bits: when, fields, a signature that its signer's key can be had from, and a check sum.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from coincurve import PrivateKey

MILLISATOSHI: Final = 1_000
_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {letter: value for value, letter in enumerate(_LETTERS)}
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK_WORDS: Final = 6
_TIME_WORDS: Final = 7
_SIGNATURE_WORDS: Final = 104
_BITCOIN_MSAT: Final = 100_000_000 * MILLISATOSHI
_DIVISORS: Final = {"m": 10**3, "u": 10**6, "n": 10**9, "p": 10**12}
_PREFIXES: Final = ("lnbcrt", "lntbs", "lnbc", "lntb")
_CHARACTERS_MAX: Final = 10_000
_EXPIRY_S: Final = 3_600
_PREIMAGE_TAG: Final = b"amana-test-preimage"


class Invoice(NamedTuple):
    """What is read of an invoice; an amount of None is left to whoever pays."""

    amount_msat: int | None
    payment_hash: bytes
    payment_secret: bytes | None


def preimage_of(payment_secret: bytes) -> bytes:
    """Return what proves that an invoice of ours was paid; whoever reads the invoice can.

    So one test mint pays another's invoices as a node would. Of real invoices it is made up.
    """
    return hashlib.sha256(_PREIMAGE_TAG + payment_secret).digest()


def write_invoice(
    amount_msat: int, *, payment_secret: bytes, key: PrivateKey, description: str, at_s: int
) -> str:
    """Write a signed invoice.

    Args:
        amount_msat: In thousandths of a satoshi, above zero.
        payment_secret: 32 bytes, of which the payment's hash is made.
        key: Of the node that would be paid.
        description: Told to whoever pays.
        at_s: When, in seconds since 1970.
    """
    readable = f"lnbc{_write_amount(amount_msat)}"
    words = [at_s >> shift & 31 for shift in range(30, -1, -5)]
    words += _field("p", _words(hashlib.sha256(preimage_of(payment_secret)).digest()))
    words += _field("s", _words(payment_secret))
    words += _field("d", _words(description.encode()[:639]))
    words += _field("x", [_EXPIRY_S >> 10 & 31, _EXPIRY_S >> 5 & 31, _EXPIRY_S & 31])
    words += _field("c", [18])
    # Bits 8 and 14: fields of any length, and a payment secret.
    words += _field("9", [1 << 4, 1 << 3, 0])
    signed = readable.encode() + _bytes(words, is_padded=True)
    words += _words(key.sign_recoverable(signed))
    words += _check(readable, words)
    return f"{readable}1{''.join(_LETTERS[word] for word in words)}"


def read_invoice(text: str) -> Invoice | None:
    """Read an invoice of any network; None where it is none. Its signature is not checked."""
    if len(text) > _CHARACTERS_MAX:
        return None
    text = text.lower().removeprefix("lightning:")
    readable, _, data = text.rpartition("1")
    prefix = next((one for one in _PREFIXES if readable.startswith(one)), None)
    least = _TIME_WORDS + _SIGNATURE_WORDS + _CHECK_WORDS
    if prefix is None or len(data) < least or not set(data) <= _VALUES.keys():
        return None
    words = [_VALUES[letter] for letter in data]
    if _remainder(_spread(readable) + words) != 1:
        return None
    fields = words[_TIME_WORDS : -_SIGNATURE_WORDS - _CHECK_WORDS]
    payment_hash = _find(fields, "p")
    amount = readable.removeprefix(prefix)
    amount_msat = _read_amount(amount) if amount else None
    if payment_hash is None or (amount and amount_msat is None):
        return None
    return Invoice(amount_msat, payment_hash, _find(fields, "s"))


def _write_amount(msat: int) -> str:
    assert msat > 0, "an amount is positive"
    for letter, divisor in _DIVISORS.items():
        count, rest = divmod(msat * divisor, _BITCOIN_MSAT)
        if rest == 0:
            return f"{count}{letter}"
    raise AssertionError("a thousandth of a satoshi is ten times the smallest part")


def _read_amount(text: str) -> int | None:
    digits, divisor = (text[:-1], _DIVISORS[text[-1]]) if text[-1] in _DIVISORS else (text, 1)
    if not digits.isascii() or not digits.isdigit():
        return None
    msat, rest = divmod(int(digits) * _BITCOIN_MSAT, divisor)
    return None if rest or not msat else msat


def _field(letter: str, words: list[int]) -> list[int]:
    return [_VALUES[letter], len(words) >> 5, len(words) & 31, *words]


def _find(words: list[int], letter: str) -> bytes | None:
    """Return the first field of 32 bytes of a kind."""
    place = 0
    while place + 3 <= len(words):
        length = words[place + 1] << 5 | words[place + 2]
        value = words[place + 3 : place + 3 + length]
        if words[place] == _VALUES[letter] and len(value) == 52:  # noqa: PLR2004 - 32 bytes in words
            return _bytes(value, is_padded=False)
        place += 3 + length
    return None


def _words(data: bytes) -> list[int]:
    bits = len(data) * 8
    padding = -bits % 5
    number = int.from_bytes(data) << padding
    return [number >> shift & 31 for shift in range(bits + padding - 5, -1, -5)]


def _bytes(words: list[int], *, is_padded: bool) -> bytes:
    number = 0
    for word in words:
        number = number << 5 | word
    bits = len(words) * 5
    padding = -bits % 8 if is_padded else 0
    return ((number << padding) >> (bits + padding) % 8).to_bytes((bits + padding) // 8)


def _spread(readable: str) -> list[int]:
    codes = readable.encode()
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _remainder(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, polynomial in enumerate(_GENERATOR):
            check ^= polynomial if top >> place & 1 else 0
    return check


def _check(readable: str, words: list[int]) -> list[int]:
    rest = _remainder([*_spread(readable), *words, *[0] * _CHECK_WORDS]) ^ 1
    return [rest >> shift & 31 for shift in range(25, -1, -5)]
