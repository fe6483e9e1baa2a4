"""Payment requests as codes: `creqB`, made for QR codes (NUT-26).

Fields of type (1 byte), length (2 bytes) and value, in Bech32m.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from amana.wire.cashu import limits
from amana.wire.cashu._bech32 import BECH32M, read_bech32, write_bech32
from amana.wire.cashu._nostr import KEY_BYTES, Profile, read_profile, write_profile
from amana.wire.cashu._request import LockAsked, PaymentRequest, Transport, read_cbor_request
from amana.wire.cashu._secret import HTLC, P2PK
from amana.wire.faults import Fault, Malformed

_PREFIX: Final = "creqb"
_CODE_CHARACTERS_MAX: Final = 1023
"""What wallets by others read (as far as the check of Bech32 is specified at all)."""

_ID, _AMOUNT, _UNIT, _SINGLE_USE, _MINT, _DESCRIPTION, _TRANSPORT, _LOCK = range(1, 9)
_KIND, _TARGET, _TAG = range(1, 4)
_REPEATED: Final = {_MINT: limits.MINTS_MAX, _TRANSPORT: limits.TRANSPORTS_MAX}
_REPEATED_INSIDE: Final = {_TAG: limits.TAGS_MAX}
_HEAD_BYTES: Final = 3
_AMOUNT_BYTES: Final = 8
_SAT: Final = "sat"
_SAT_CODE: Final = b"\0"
_NOSTR: Final = "nostr"
_POST: Final = "post"
_TRANSPORTS: Final = (_NOSTR, _POST)
_LOCKS: Final = (P2PK, HTLC)
_RELAY_TAG: Final = "r"

_Parts = dict[int, list[bytes]]
_Tags = tuple[tuple[str, ...], ...]


def read_request(text: str) -> PaymentRequest | Malformed:
    """Read a payment request in either form: `creqA` (NUT-18) or `creqB` (NUT-26)."""
    if len(text) > limits.REQUEST_CHARACTERS_MAX:
        return _malformed(f"Longer than {limits.REQUEST_CHARACTERS_MAX} characters.")
    if text[:5].lower() == "creqa":
        return read_cbor_request(text)
    try:
        return _read(read_bech32(text, _PREFIX, constant=BECH32M))
    except ValueError:
        return _malformed("Cannot be decoded.")


def write_request_code(request: PaymentRequest) -> str | Malformed:
    """Write a payment request as `CREQB…`, in capitals, which a QR code holds best.

    Refuses:
        What the form cannot say (a way of delivery or a lock of another kind, a profile that is
        none, values over 255 bytes in tags, a unit written as the form writes "sat"), and what
        others' wallets would not read.
    """
    try:
        code = write_bech32(_PREFIX, b"".join(_parts(request)), constant=BECH32M)
    except ValueError:
        return _malformed("The form cannot say this.")
    if len(code) > _CODE_CHARACTERS_MAX:
        return _malformed(f"Longer than {_CODE_CHARACTERS_MAX} characters.")
    return code.upper()


def _read(data: bytes) -> PaymentRequest:
    parts = _split(data, _REPEATED)
    amount = _only(parts, _AMOUNT)
    if amount is not None and (len(amount) != _AMOUNT_BYTES or _UNIT not in parts):
        raise ValueError("an amount is 8 bytes and has a unit")
    if amount is not None and int.from_bytes(amount) > limits.AMOUNT_MAX:
        raise ValueError("an amount that cannot be kept")
    unit = _only(parts, _UNIT)
    lock = _only(parts, _LOCK)
    return PaymentRequest(
        id=_text(parts, _ID, bytes_max=limits.ID_BYTES_MAX),
        amount=None if amount is None else int.from_bytes(amount),
        unit=_SAT if unit == _SAT_CODE else _text(parts, _UNIT, bytes_max=limits.UNIT_BYTES_MAX),
        is_single_use=_flag(_only(parts, _SINGLE_USE)),
        mints=tuple(_decoded(one, limits.MINT_URL_BYTES_MAX) for one in parts.get(_MINT, ())),
        description=_text(parts, _DESCRIPTION, bytes_max=limits.DESCRIPTION_BYTES_MAX),
        transports=tuple(_transport(one) for one in parts.get(_TRANSPORT, ())),
        lock=None if lock is None else _lock(lock),
    )


def _transport(data: bytes) -> Transport:
    kind, target, tags = _kind_data_tags(data)
    if kind >= len(_TRANSPORTS):
        # To pass over the only way of delivery would make the payment one without delivery.
        raise ValueError("a way of delivery that is not known")
    if _TRANSPORTS[kind] == _POST:
        return Transport(_POST, _decoded(target, limits.TARGET_BYTES_MAX), tags)
    if len(target) != KEY_BYTES:
        raise ValueError("a profile's key is 32 bytes")
    relays = tuple(value for tag in tags if tag[0] == _RELAY_TAG for value in tag[1:])
    if not all(relay.isascii() for relay in relays):
        raise ValueError("a relay that is no address")
    others = tuple(tag for tag in tags if tag[0] != _RELAY_TAG)
    return Transport(_NOSTR, write_profile(Profile(target, relays)), others)


def _lock(data: bytes) -> LockAsked:
    kind, text, tags = _kind_data_tags(data)
    # A kind that is not known is kept as its number: the payer's wallet has to refuse it.
    name = _LOCKS[kind] if kind < len(_LOCKS) else str(kind)
    return LockAsked(name, _decoded(text, limits.SECRET_BYTES_MAX), tags)


def _kind_data_tags(data: bytes) -> tuple[int, bytes, _Tags]:
    parts = _split(data, _REPEATED_INSIDE)
    kind, target = _only(parts, _KIND), _only(parts, _TARGET)
    if kind is None or len(kind) != 1 or target is None:
        raise ValueError("a part without kind or data")
    return kind[0], target, tuple(_tag(one) for one in parts.get(_TAG, ()))


def _tag(data: bytes) -> tuple[str, ...]:
    words: list[str] = []
    while data:
        words.append(_decoded(data[1 : 1 + data[0]], limits.TAG_VALUE_BYTES_MAX))
        if len(data) <= data[0]:
            raise ValueError("a tag that is cut short")
        data = data[1 + data[0] :]
    if not words:
        raise ValueError("a tag without a name")
    return tuple(words)


def _split(data: bytes, repeated: dict[int, int]) -> _Parts:
    """Cut into values by type; only some types may come twice. Unknown ones are passed over."""
    parts: _Parts = {}
    while data:
        length = int.from_bytes(data[1:_HEAD_BYTES])
        value = data[_HEAD_BYTES : _HEAD_BYTES + length]
        if len(data) < _HEAD_BYTES or len(value) < length:
            raise ValueError("a part that is cut short")
        parts.setdefault(data[0], []).append(value)
        data = data[_HEAD_BYTES + length :]
    known = {kind: values for kind, values in parts.items() if kind <= _LOCK}
    if any(len(values) > repeated.get(kind, 1) for kind, values in known.items()):
        raise ValueError("a part given too often")
    return known


def _only(parts: _Parts, kind: int) -> bytes | None:
    return parts[kind][0] if kind in parts else None


def _flag(value: bytes | None) -> bool | None:
    if value not in {None, b"\0", b"\1"}:
        raise ValueError("neither yes nor no")
    return None if value is None else value == b"\1"


def _text(parts: _Parts, kind: int, *, bytes_max: int) -> str | None:
    value = _only(parts, kind)
    return None if value is None else _decoded(value, bytes_max)


def _decoded(value: bytes, bytes_max: int) -> str:
    if not 1 <= len(value) <= bytes_max:
        raise ValueError("a text that is empty or too long")
    return value.decode()


def _unit(unit: str) -> bytes:
    if unit.encode() == _SAT_CODE:
        raise ValueError("a unit that would read as another")
    return _SAT_CODE if unit == _SAT else unit.encode()


def _parts(request: PaymentRequest) -> Iterator[bytes]:
    if request.id is not None:
        yield _part(_ID, request.id.encode())
    if request.amount is not None:
        yield _part(_AMOUNT, request.amount.to_bytes(_AMOUNT_BYTES))
    if request.unit is not None:
        yield _part(_UNIT, _unit(request.unit))
    if request.is_single_use is not None:
        yield _part(_SINGLE_USE, bytes([request.is_single_use]))
    for mint in request.mints:
        yield _part(_MINT, mint.encode())
    if request.description is not None:
        yield _part(_DESCRIPTION, request.description.encode())
    for transport in request.transports:
        yield _part(_TRANSPORT, _transport_value(transport))
    if request.lock is not None:
        lock = request.lock
        kind = _LOCKS.index(lock.kind) if lock.kind in _LOCKS else int(lock.kind)
        yield _part(_LOCK, _inside(bytes([kind]), lock.data.encode(), lock.tags))


def _transport_value(transport: Transport) -> bytes:
    if transport.kind not in _TRANSPORTS:
        raise ValueError("a way of delivery that has no number")
    kind = bytes([_TRANSPORTS.index(transport.kind)])
    if transport.kind == _POST:
        return _inside(kind, transport.target.encode(), transport.tags)
    profile = read_profile(transport.target)
    relays = tuple((_RELAY_TAG, relay) for relay in profile.relays)
    return _inside(kind, profile.key, (*transport.tags, *relays))


def _inside(kind: bytes, target: bytes, tags: Iterable[tuple[str, ...]]) -> bytes:
    words = [b"".join(_word(value) for value in tag) for tag in tags]
    parts = (_part(_KIND, kind), _part(_TARGET, target), *(_part(_TAG, tag) for tag in words))
    return b"".join(parts)


def _word(value: str) -> bytes:
    data = value.encode()
    if len(data) > limits.TAG_VALUE_BYTES_MAX:
        raise ValueError("a value of more than 255 bytes in a tag")
    return bytes([len(data)]) + data


def _part(kind: int, value: bytes) -> bytes:
    if len(value) >= 1 << 16:
        raise ValueError("a part of more than 65535 bytes")
    return bytes([kind]) + len(value).to_bytes(2) + value


def _malformed(message: str) -> Malformed:
    return Malformed((Fault("request", message),))
