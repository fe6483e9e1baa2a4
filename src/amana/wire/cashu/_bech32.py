"""Bech32 and Bech32m: text for machines and people, with a check that finds slips.

Source: BIP 173 and BIP 350. Their bound of 90 characters is left to the caller: requests are
longer, and the check is then only good for finding most slips, not all.
"""

from collections.abc import Iterable, Iterator
from typing import Final

BECH32: Final = 1
BECH32M: Final = 0x2BC8_30A3

_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES: Final = {letter: value for value, letter in enumerate(_LETTERS)}
_GENERATORS: Final = (0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3)
_CHECK_LETTERS: Final = 6
_WORD_BITS: Final = 5
_BYTE_BITS: Final = 8


def write_bech32(prefix: str, data: bytes, *, constant: int) -> str:
    """Write bytes under a prefix, in lower case."""
    words = list(_regroup(data, given=_BYTE_BITS, wanted=_WORD_BITS))
    residue = _residue([*_spread(prefix), *words, *[0] * _CHECK_LETTERS]) ^ constant
    check = [residue >> _WORD_BITS * place & 31 for place in reversed(range(_CHECK_LETTERS))]
    return prefix + "1" + "".join(_LETTERS[word] for word in (*words, *check))


def read_bech32(text: str, prefix: str, *, constant: int) -> bytes:
    """Read bytes under this prefix, in upper or lower case; raises ValueError for all else."""
    lower = text.lower()
    letters = lower.removeprefix(prefix + "1")
    if text not in {lower, text.upper()} or not text.isascii() or letters == lower:
        raise ValueError("mixed case, or another prefix")
    if len(letters) < _CHECK_LETTERS or not _VALUES.keys() >= set(letters):
        raise ValueError("too short, or a letter that is none")
    words = [_VALUES[letter] for letter in letters]
    if _residue([*_spread(prefix), *words]) != constant:
        raise ValueError("the check does not hold")
    words = words[:-_CHECK_LETTERS]
    data = bytes(_regroup(words, given=_WORD_BITS, wanted=_BYTE_BITS))
    # What was left over must be fewer than five bits, all zero, or two texts would mean one thing.
    whole = len(words) * _WORD_BITS // _BYTE_BITS
    if list(_regroup(data[:whole], given=_BYTE_BITS, wanted=_WORD_BITS)) != words:
        raise ValueError("bits left over")
    return data[:whole]


def _regroup(values: Iterable[int], *, given: int, wanted: int) -> Iterator[int]:
    """Cut the same bits into groups of another size; the last is filled up with zeros."""
    kept = bits = 0
    for value in values:
        kept = kept << given | value
        bits += given
        while bits >= wanted:
            bits -= wanted
            yield kept >> bits
            kept &= (1 << bits) - 1
    if bits:
        yield kept << wanted - bits


def _spread(prefix: str) -> list[int]:
    codes = prefix.encode("ascii")
    return [*(code >> _WORD_BITS for code in codes), 0, *(code & 31 for code in codes)]


def _residue(words: Iterable[int]) -> int:
    """Return the remainder of the words, read as a polynomial, by the generator."""
    residue = 1
    for word in words:
        top = residue >> 25
        residue = (residue & 0x1FF_FFFF) << _WORD_BITS ^ word
        for place, generator in enumerate(_GENERATORS):
            residue ^= generator * (top >> place & 1)
    return residue
