"""Tell our codes from other schemes' codes, and both from damage."""

import re
from dataclasses import dataclass
from typing import Final

from amana.wire.emv._model import GLOBAL_ID, ReadCode
from amana.wire.emv._read import (
    FIRST_TEMPLATE,
    LAST_ACCOUNT,
    open_code,
    read_code,
    template_identifier,
)
from amana.wire.emv._schemes import CARD_NETWORKS, IDENTIFIERS, PATTERNS
from amana.wire.emv._tlv import DataObject
from amana.wire.faults import Fault, Malformed

_OPENING: Final = "0002"
_CLOSING: Final = re.compile(r"6304[0-9A-Fa-f]{4}\Z", re.ASCII)
FOREIGN_CHARACTERS_MAX: Final = 4_296
"""Characters of any scanned text: the most that one QR code can hold."""


@dataclass(frozen=True, slots=True)
class ForeignCode:
    """A code that is somebody else's. `scheme` is its name for people, None where unknown."""

    scheme: str | None


def recognise(text: str) -> ReadCode | ForeignCode | Malformed:
    """Say what a scanned text is.

    Returns:
        Our code, read in full, where one of its merchant accounts is ours; a foreign code, whose
        rules are not checked beyond its outer form, with the scheme's name where it is known.
    Refuses:
        A merchant-presented code that is damaged, and one of ours that breaks a rule; empty text;
        text too long for a QR code.
    """
    text = text.strip(" \t\r\n")
    if len(text) > FOREIGN_CHARACTERS_MAX:
        return Malformed((Fault("code", f"More than {FOREIGN_CHARACTERS_MAX} characters."),))
    if text and not text.startswith(_OPENING):
        scheme = _scheme_of_text(text)
        if scheme is not None or _CLOSING.search(text) is None:
            return ForeignCode(scheme)
    opened = open_code(text)
    if isinstance(opened, Malformed):
        return opened
    identifiers = _identifiers(opened.objects)
    if GLOBAL_ID in identifiers:
        return read_code(text)
    return ForeignCode(_scheme_of_objects(opened.objects, identifiers))


def _scheme_of_text(text: str) -> str | None:
    return next((name for pattern, name in PATTERNS if pattern.match(text)), None)


def _identifiers(objects: tuple[DataObject, ...]) -> list[str]:
    templates = (item for item in objects if FIRST_TEMPLATE <= item.tag <= LAST_ACCOUNT)
    found = (template_identifier(item.value) for item in templates)
    return [identifier for identifier in found if identifier is not None]


def _scheme_of_objects(objects: tuple[DataObject, ...], identifiers: list[str]) -> str | None:
    # A national scheme is named before the wallets and cards that share its code.
    for prefix, name in IDENTIFIERS:
        if any(identifier.casefold().startswith(prefix) for identifier in identifiers):
            return name
    values = {item.tag: item.value for item in objects}
    # Bakong's identifier is the payee's own account, name@bank, so the country tells.
    if values.get("58") == "KH" and any("@" in identifier for identifier in identifiers):
        return "KHQR"
    return next((CARD_NETWORKS[tag] for tag in sorted(values) if tag in CARD_NETWORKS), None)
