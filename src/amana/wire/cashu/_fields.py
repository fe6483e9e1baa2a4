"""Fields of a JSON or CBOR object, checked one by one; what is wrong is noted, reading goes on."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from amana.wire.cashu._encoding import is_absent
from amana.wire.cashu._json import is_text
from amana.wire.faults import Fault, Malformed

_FAULTS_MAX: Final = 32
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+", re.ASCII)


@dataclass(slots=True)
class Faults:
    """What was found wrong so far; the first 32 are kept."""

    _found: list[Fault] = field(default_factory=list)

    def add(self, place: str, message: str) -> None:
        """Note a fault."""
        if len(self._found) < _FAULTS_MAX:
            self._found.append(Fault(place, message))

    def malformed(self) -> Malformed | None:
        """Return the faults, if there are any."""
        return Malformed(tuple(self._found)) if self._found else None


@dataclass(frozen=True, slots=True)
class Fields:
    """One object. A faulty field is noted and reads as a neutral value of its type.

    `is_binary` says that byte strings come as such (CBOR); otherwise they are hex (JSON).
    """

    members: dict[str, object]
    place: str
    faults: Faults
    is_binary: bool

    @classmethod
    def of(cls, value: object, *, place: str, faults: Faults, is_binary: bool) -> "Fields":
        """Take a value that should be an object."""
        if isinstance(value, dict):
            return cls(value, place, faults, is_binary)
        faults.add(place.rstrip("."), "Not an object.")
        return cls({}, place, Faults(), is_binary)

    def has(self, name: str) -> bool:
        """Tell whether a field is there and says something."""
        return not is_absent(self.members.get(name))

    def fault(self, name: str, message: str) -> None:
        """Note what is wrong with a field."""
        self.faults.add(self.place + name, message)

    def text(self, name: str, *, bytes_max: int) -> str:
        """Read a text that must be there and not be empty."""
        value = self.members.get(name)
        if not isinstance(value, str) or not value or not is_text(value, bytes_max=bytes_max):
            self.fault(name, f"Not a text of 1 to {bytes_max} bytes.")
            return ""
        return value

    def optional_text(self, name: str, *, bytes_max: int) -> str | None:
        """Read a text that may be left out; an empty one says nothing."""
        if not self.has(name) or self.members[name] == "":
            return None
        return self.text(name, bytes_max=bytes_max)

    def whole(self, name: str, *, least: int, most: int) -> int:
        """Read a whole number."""
        value = self.members.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.fault(name, f"Not a whole number from {least} to {most}.")
            return least
        return value

    def flag(self, name: str) -> bool | None:
        """Read a yes or no that may be left out."""
        value = self.members.get(name)
        if is_absent(value) or isinstance(value, bool):
            return value if isinstance(value, bool) else None
        self.fault(name, "Neither true nor false.")
        return None

    def octets(self, name: str, *, lengths: Collection[int]) -> bytes:
        """Read a byte string of one of these lengths."""
        value = self.members.get(name)
        if not self.is_binary and isinstance(value, str) and _HEX.fullmatch(value):
            value = bytes.fromhex(value)
        if not isinstance(value, bytes) or len(value) not in lengths:
            expected = " or ".join(map(str, lengths))
            self.fault(name, f"Not {expected} bytes{'' if self.is_binary else ' in hex'}.")
            return b""
        return value

    def point(self, name: str) -> bytes:
        """Read a compressed point. That it lies on the curve is checked where it is used."""
        value = self.octets(name, lengths=(33,))
        if value and value[0] not in {2, 3}:
            self.fault(name, "Not a compressed point.")
        return value

    def items(self, name: str, *, most: int, least: int = 0) -> list[object]:
        """Read a list; one that is left out is empty."""
        value = self.members.get(name)
        items = [] if is_absent(value) else value
        if not isinstance(items, list) or not least <= len(items) <= most:
            self.fault(name, f"Not a list of {least} to {most}.")
            return []
        return items

    def texts(self, name: str, *, most: int, bytes_max: int) -> tuple[str, ...]:
        """Read a list of texts."""
        items = self.items(name, most=most)
        texts = [item for item in items if isinstance(item, str) and item]
        if len(texts) < len(items) or not all(is_text(one, bytes_max=bytes_max) for one in texts):
            self.fault(name, f"Not all are texts of 1 to {bytes_max} bytes.")
        return tuple(texts)

    def tuples(self, name: str, *, most: int, bytes_max: int) -> tuple[tuple[str, ...], ...]:
        """Read tags: lists of texts, each with at least a name."""
        tags: list[tuple[str, ...]] = []
        for number, item in enumerate(self.items(name, most=most)):
            inner = Fields({"": item}, f"{self.place}{name}[{number}]", self.faults, self.is_binary)
            tag = inner.texts("", most=most, bytes_max=bytes_max)
            if not tag:
                inner.fault("", "A tag without a name.")
            tags.append(tag)
        return tuple(tags)

    def one(self, name: str) -> "Fields":
        """Enter an object that must be there."""
        place = f"{self.place}{name}."
        value = self.members.get(name)
        return Fields.of(value, place=place, faults=self.faults, is_binary=self.is_binary)

    def each(self, name: str, *, most: int, least: int = 0) -> Iterator["Fields"]:
        """Enter the objects of a list in turn."""
        for number, item in enumerate(self.items(name, most=most, least=least)):
            place = f"{self.place}{name}[{number}]."
            yield Fields.of(item, place=place, faults=self.faults, is_binary=self.is_binary)
