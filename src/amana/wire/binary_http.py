"""Binary HTTP of known length: one request or one answer as bytes (RFC 9292), sans I/O.

Of the format there is what a sealed request needs: no indeterminate length, no informational
answers. Trailers are read over. Zeros may follow (RFC 9292, section 3.8): they hide the size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from amana.wire.faults import Fault, Malformed

Field = tuple[bytes, bytes]
"""A header's name, in lower case, with its value."""

FIELDS_MAX: Final = 32
NAME_BYTES_MAX: Final = 8_192
"""Bytes of one part of the control data, and of one header's name or value."""

_REQUEST: Final = 0
_RESPONSE: Final = 1
_STATUS_MIN: Final = 200
_STATUS_MAX: Final = 599
_VARINT_BITS: Final = 62


@dataclass(frozen=True, slots=True)
class BinaryRequest:
    """A request: its control data, headers and body."""

    method: bytes
    scheme: bytes
    authority: bytes
    path: bytes
    fields: tuple[Field, ...] = ()
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class BinaryResponse:
    """A final answer: its status, headers and body."""

    status: int
    fields: tuple[Field, ...] = ()
    content: bytes = b""


def write_request(request: BinaryRequest) -> bytes:
    """Write a request."""
    control = (request.method, request.scheme, request.authority, request.path)
    head = _varint(_REQUEST) + b"".join(_sized(part) for part in control)
    return head + _written_fields(request.fields) + _sized(request.content) + _sized(b"")


def write_response(response: BinaryResponse) -> bytes:
    """Write an answer."""
    assert _STATUS_MIN <= response.status <= _STATUS_MAX, "only final answers are written"
    head = _varint(_RESPONSE) + _varint(response.status)
    return head + _written_fields(response.fields) + _sized(response.content) + _sized(b"")


def read_request(message: bytes) -> BinaryRequest | Malformed:
    """Read a request; sections that are left out at its end are empty (section 3.8)."""
    try:
        read = _Reading(message)
        if read.varint() != _REQUEST:
            return _fault("framing", "This is no request of known length.")
        control = [read.sized(NAME_BYTES_MAX) for _ in range(4)]
        fields, content = _rest(read)
    except _OffError as off:
        return _fault("message", str(off))
    method, scheme, authority, path = control
    return BinaryRequest(method, scheme, authority, path, fields, content)


def read_response(message: bytes) -> BinaryResponse | Malformed:
    """Read an answer; sections that are left out at its end are empty (section 3.8)."""
    try:
        read = _Reading(message)
        if read.varint() != _RESPONSE:
            return _fault("framing", "This is no answer of known length.")
        status = read.varint()
        if not _STATUS_MIN <= status <= _STATUS_MAX:
            return _fault("status", "This is no final answer.")
        fields, content = _rest(read)
    except _OffError as off:
        return _fault("message", str(off))
    return BinaryResponse(status, fields, content)


def padded(message: bytes, sizes: Sequence[int]) -> bytes:
    """Return the message with zeros up to the first of the sizes, in rising order, that holds it.

    Returns:
        The message as it is where it is longer than all sizes.
    """
    for size in sizes:
        if len(message) <= size:
            return message + bytes(size - len(message))
    return message


class _OffError(Exception):
    """The message ends too early, or holds what no message holds."""


class _Reading:
    """Reads a message from its beginning on."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._at = 0

    @property
    def is_over(self) -> bool:
        return self._at == len(self._message)

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._message):
            raise _OffError("The message ends too early.")
        taken = self._message[self._at : end]
        self._at = end
        return taken

    def left(self) -> bytes:
        return self._message[self._at :]

    def varint(self) -> int:
        """Read a number whose first two bits say its length (RFC 9000, section 16)."""
        first = self.take(1)[0]
        more = self.take((1 << (first >> 6)) - 1)
        return int.from_bytes(bytes([first & 0x3F]) + more)

    def sized(self, bytes_max: int | None = None) -> bytes:
        size = self.varint()
        if bytes_max is not None and size > bytes_max:
            raise _OffError("A part is too long.")
        return self.take(size)


def _rest(read: _Reading) -> tuple[tuple[Field, ...], bytes]:
    """Read headers, body, trailers and padding."""
    fields = () if read.is_over else _read_fields(read.sized())
    content = b"" if read.is_over else read.sized()
    if not read.is_over:
        _read_fields(read.sized())
    if read.left().strip(b"\0"):
        raise _OffError("Something other than zeros follows the message.")
    return fields, content


def _read_fields(section: bytes) -> tuple[Field, ...]:
    read = _Reading(section)
    fields: list[Field] = []
    while not read.is_over:
        if len(fields) == FIELDS_MAX:
            raise _OffError("There are too many headers.")
        name, value = read.sized(NAME_BYTES_MAX), read.sized(NAME_BYTES_MAX)
        if not name or name != name.lower():
            raise _OffError("A header's name is empty or has capitals.")
        fields.append((name, value))
    return tuple(fields)


def _written_fields(fields: Sequence[Field]) -> bytes:
    return _sized(b"".join(_sized(name) + _sized(value) for name, value in fields))


def _sized(part: bytes) -> bytes:
    return _varint(len(part)) + part


def _varint(value: int) -> bytes:
    """Write a number in the fewest bytes (RFC 9000, section 16)."""
    assert 0 <= value < 1 << _VARINT_BITS, "a number has at most 62 bits"
    exponent = 0
    while value >= 1 << ((8 << exponent) - 2):
        exponent += 1
    size = 1 << exponent
    return (value | exponent << (8 * size - 2)).to_bytes(size)


def _fault(field: str, message: str) -> Malformed:
    return Malformed((Fault(field, message),))
