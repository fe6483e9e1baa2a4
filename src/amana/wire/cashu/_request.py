"""Payment requests: what a payee asks for, and where to send it (NUT-18)."""

from dataclasses import dataclass
from typing import Final

from amana.wire.cashu import limits
from amana.wire.cashu._encoding import read_base64, read_cbor, write_base64, write_cbor
from amana.wire.cashu._fields import Faults, Fields
from amana.wire.faults import Fault, Malformed

_PREFIX: Final = "creqA"
_KIND_BYTES_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Transport:
    """A way of delivery: `kind` is "post" (target: an address) or "nostr" (target: a profile)."""

    kind: str
    target: str
    tags: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class LockAsked:
    """The lock that the payee asks for: kind, data and tags of the secrets to come (NUT-10)."""

    kind: str
    data: str
    tags: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """What a payee asks for; without transports it is answered where it was found.

    `amount` is in whole units and never without a unit; `mints` are those whose proofs are taken,
    none for any.
    """

    id: str | None = None
    amount: int | None = None
    unit: str | None = None
    is_single_use: bool | None = None
    mints: tuple[str, ...] = ()
    description: str | None = None
    transports: tuple[Transport, ...] = ()
    lock: LockAsked | None = None


def read_cbor_request(text: str) -> PaymentRequest | Malformed:
    """Read a request in the form `creqA`: base64 of CBOR."""
    try:
        value = read_cbor(read_base64(text[len(_PREFIX) :]))
    except ValueError:
        return Malformed((Fault("request", "Cannot be decoded."),))
    faults = Faults()
    fields = Fields.of(value, place="", faults=faults, is_binary=True)
    has_amount = fields.has("a")
    if has_amount and not fields.has("u"):
        fields.fault("u", "An amount needs a unit.")
    request = PaymentRequest(
        id=fields.optional_text("i", bytes_max=limits.ID_BYTES_MAX),
        amount=fields.whole("a", least=0, most=limits.AMOUNT_MAX) if has_amount else None,
        unit=fields.optional_text("u", bytes_max=limits.UNIT_BYTES_MAX),
        is_single_use=fields.flag("s"),
        mints=fields.texts("m", most=limits.MINTS_MAX, bytes_max=limits.MINT_URL_BYTES_MAX),
        description=fields.optional_text("d", bytes_max=limits.DESCRIPTION_BYTES_MAX),
        transports=tuple(
            Transport(
                kind=one.text("t", bytes_max=_KIND_BYTES_MAX),
                target=one.text("a", bytes_max=limits.TARGET_BYTES_MAX),
                tags=_tags(one, "g"),
            )
            for one in fields.each("t", most=limits.TRANSPORTS_MAX)
        ),
        lock=_lock(fields.one("nut10")) if fields.has("nut10") else None,
    )
    return faults.malformed() or request


def write_cbor_request(request: PaymentRequest) -> str:
    """Write a request in the form `creqA`."""
    lock = request.lock
    members: dict[str, object] = {
        "t": [
            _said({"t": one.kind, "a": one.target, "g": _lists(one.tags)})
            for one in request.transports
        ],
        "i": request.id,
        "a": request.amount,
        "u": request.unit,
        "m": list(request.mints),
        "d": request.description,
        "s": request.is_single_use,
        "nut10": lock and _said({"k": lock.kind, "d": lock.data, "t": _lists(lock.tags)}),
    }
    return _PREFIX + write_base64(write_cbor(_said(members)), has_padding=True)


def _lock(fields: Fields) -> LockAsked:
    return LockAsked(
        kind=fields.text("k", bytes_max=_KIND_BYTES_MAX),
        data=fields.text("d", bytes_max=limits.SECRET_BYTES_MAX),
        tags=_tags(fields, "t"),
    )


def _tags(fields: Fields, name: str) -> tuple[tuple[str, ...], ...]:
    return fields.tuples(name, most=limits.TAGS_MAX, bytes_max=limits.TAG_VALUE_BYTES_MAX)


def _lists(tags: tuple[tuple[str, ...], ...]) -> list[list[str]]:
    return [list(tag) for tag in tags]


def _said(members: dict[str, object]) -> dict[str, object]:
    """Leave out what says nothing."""
    return {name: value for name, value in members.items() if value is not None and value != []}
