"""Data objects: two digits of tag, two digits of length in characters, the value; and the CRC."""

import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from amana.wire.faults import Fault, Malformed

VALUE_CHARACTERS_MAX: Final = 99
"""Characters of one value: its length is written with two digits."""

CRC_TAG: Final = "63"
_CRC_OPENING: Final = "6304"
_CRC_CHARACTERS: Final = 4
_CRC_INITIAL: Final = 0xFFFF
_HEAD_CHARACTERS: Final = 4
_HEAD: Final = re.compile(r"([0-9]{2})([0-9]{2})", re.ASCII)
_TAG: Final = re.compile(r"[0-9]{2}", re.ASCII)
_CRC: Final = re.compile(r"[0-9A-Fa-f]{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DataObject:
    """One tag and its value, in the order it was read."""

    tag: str
    value: str


def read_objects(text: str, within: str = "") -> tuple[DataObject, ...] | Malformed:
    """Take a text apart into its data objects.

    Args:
        text: A whole code, or the value of a template.
        within: The tag of the template, to name places in faults.
    Refuses:
        A tag or length that is not two ASCII digits, a length beyond the end, a tag twice. Only
        the first broken object is named: after it, nothing can be told apart.
    """
    objects: list[DataObject] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    place = 0
    while place < len(text):
        head = _HEAD.fullmatch(text, place, place + _HEAD_CHARACTERS)
        if head is None:
            faults.append(Fault(within or "code", "A tag and a length must stand here, as digits."))
            break
        tag, start = head[1], place + _HEAD_CHARACTERS
        place = start + int(head[2])
        if place > len(text):
            faults.append(Fault(_path(within, tag), "The length runs beyond the end."))
            break
        if tag in seen:
            faults.append(Fault(_path(within, tag), "The tag stands twice."))
        seen.add(tag)
        objects.append(DataObject(tag, text[start:place]))
    return Malformed(tuple(faults)) if faults else tuple(objects)


def write_objects(objects: Iterable[DataObject]) -> str:
    """Put data objects into text, in the order given.

    The caller has held the tags to two digits and the values to 99 characters.
    """
    parts = []
    for item in objects:
        assert _TAG.fullmatch(item.tag), "a tag is two digits"
        assert len(item.value) <= VALUE_CHARACTERS_MAX, "a value has at most 99 characters"
        parts.append(f"{item.tag}{len(item.value):02}{item.value}")
    return "".join(parts)


def seal(text: str) -> str:
    """Close a code with its checksum.

    Source: EMV QRCPS, ID 63: CRC-16 with polynomial 1021 and initial value FFFF, over all bytes up
    to and including the tag and length of the checksum itself.
    """
    opened = text + _CRC_OPENING
    return opened + f"{_crc(opened):04X}"


def checksum_faults(text: str, objects: tuple[DataObject, ...]) -> list[Fault]:
    """Say what is wrong with the last object as a checksum over the text before it.

    Lower-case digits are accepted: codes in the wild have them, and they read as the same number.
    """
    if not objects or objects[-1].tag != CRC_TAG:
        return [Fault(CRC_TAG, "The code does not end with its checksum.")]
    stated = objects[-1].value
    if _CRC.fullmatch(stated) is None:
        return [Fault(CRC_TAG, "The checksum is not four hexadecimal digits.")]
    if int(stated, 16) != _crc(text[:-_CRC_CHARACTERS]):
        return [Fault(CRC_TAG, "The checksum does not match: the code was damaged or changed.")]
    return []


def _crc(text: str) -> int:
    # The standard library's CRC-CCITT has this polynomial and this bit order.
    return binascii.crc_hqx(text.encode("utf-8"), _CRC_INITIAL)


def _path(within: str, tag: str) -> str:
    return f"{within}.{tag}" if within else tag
