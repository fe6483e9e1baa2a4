"""Well-known secrets: a lock written into the secret of a proof (NUT-10), and what opens it.

A secret is signed as the text it arrived as, so the text is kept beside what was read from it.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from amana.wire.cashu import limits
from amana.wire.cashu._json import byte_length, is_text, read_json
from amana.wire.faults import Fault, Malformed

P2PK: Final = "P2PK"
HTLC: Final = "HTLC"

_FIELDS: Final = frozenset({"nonce", "data", "tags"})
_PAIR: Final = 2
# Whoever wrote this meant a lock; a slip in the JSON must not make it anybody's money.
_MEANT_AS_LOCK: Final = re.compile(r"""\s*\[\s*["']?(?:P2PK|HTLC)\b""")


@dataclass(frozen=True, slots=True)
class WellKnownSecret:
    """A secret that carries a lock. `text` is the secret itself, which signatures cover."""

    kind: str
    nonce: str
    data: str
    tags: tuple[tuple[str, ...], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Witness:
    """What opens a lock, as sent: nothing in it was verified."""

    preimage: str | None = None
    signatures: tuple[str, ...] = ()


def read_secret(text: str) -> WellKnownSecret | Malformed | None:
    """Read a secret; None is a plain one, which locks nothing.

    Anything of the well-known shape, or that begins like a lock of a known kind, is a lock or
    malformed, never plain. Kinds are not judged here.

    Source: NUT-10, well-known secret and tag format.
    """
    if not is_text(text, bytes_max=limits.SECRET_BYTES_MAX):
        return _malformed(f"secret too long. max: {limits.SECRET_BYTES_MAX}")
    if not text.lstrip().startswith("["):
        return None
    try:
        decoded = json.loads(text)
    except RecursionError:
        return _malformed("malformed NUT-10 secret.")
    except ValueError:
        return _malformed("malformed NUT-10 secret.") if _MEANT_AS_LOCK.match(text) else None
    if not decoded or not isinstance(decoded[0], str):
        return None
    if len(decoded) != _PAIR or not isinstance(decoded[1], dict):
        is_meant = decoded[0] in {P2PK, HTLC}
        return _malformed("malformed NUT-10 secret: expected two elements.") if is_meant else None
    try:
        # Only what has a lock's shape is held to our stricter JSON: no field twice.
        kind, body = read_json(text)
    except ValueError:
        return _malformed("malformed NUT-10 secret: duplicate field.")
    return _read_lock(text, kind, body)


def write_secret(
    kind: str, nonce: str, data: str, tags: tuple[tuple[str, ...], ...] = ()
) -> WellKnownSecret:
    """Write a lock; what is written is read back the same."""
    body = {"nonce": nonce, "data": data, "tags": [list(tag) for tag in tags]}
    text = json.dumps([kind, body], ensure_ascii=False, separators=(",", ":"))
    return WellKnownSecret(kind, nonce, data, tags, text)


def read_witness(text: str | None) -> Witness | Malformed:
    """Read what opens a lock; an absent one is empty, unknown fields are passed over.

    Source: NUT-11 and NUT-14, witness format.
    """
    if not text:
        return Witness()
    if not is_text(text, bytes_max=limits.WITNESS_BYTES_MAX):
        return _malformed(f"witness too long. max: {limits.WITNESS_BYTES_MAX}", "witness")
    try:
        decoded = read_json(text)
    except ValueError:
        return _malformed("malformed witness.", "witness")
    if not isinstance(decoded, dict):
        return _malformed("malformed witness.", "witness")
    preimage, signatures = decoded.get("preimage"), decoded.get("signatures")
    signatures = [] if signatures is None else signatures
    if not (preimage is None or isinstance(preimage, str)) or not _are_texts(signatures):
        return _malformed("malformed witness.", "witness")
    if len(signatures) > limits.SIGNATURES_MAX:
        return _malformed(f"too many signatures. max: {limits.SIGNATURES_MAX}", "witness")
    return Witness(preimage, tuple(signatures))


def write_witness(witness: Witness) -> str:
    """Write what opens a lock; a part that is not there is left out."""
    members: dict[str, object] = {}
    if witness.preimage is not None:
        members["preimage"] = witness.preimage
    if witness.signatures:
        members["signatures"] = list(witness.signatures)
    return json.dumps(members, separators=(",", ":"))


def _read_lock(text: str, kind: str, body: dict[str, object]) -> WellKnownSecret | Malformed:
    if not kind:
        return _malformed("malformed NUT-10 secret: invalid kind.")
    if body.keys() - _FIELDS:
        return _malformed("malformed NUT-10 secret: unexpected payload field.")
    nonce, data, tags = body.get("nonce"), body.get("data"), body.get("tags", [])
    if not isinstance(nonce, str) or not nonce:
        return _malformed("malformed NUT-10 secret: invalid nonce field.")
    if not isinstance(data, str) or not data:
        return _malformed("malformed NUT-10 secret: invalid data field.")
    if not isinstance(tags, list) or len(tags) > limits.TAGS_MAX:
        return _malformed("malformed NUT-10 secret: invalid tags field.")
    if not all(_are_texts(tag) and tag and all(tag) for tag in tags):
        return _malformed("malformed NUT-10 secret: invalid tag.")
    if any(byte_length(part) < 0 for part in (kind, nonce, data, *(v for t in tags for v in t))):
        return _malformed("malformed NUT-10 secret: half a surrogate pair.")
    return WellKnownSecret(kind, nonce, data, tuple(tuple(tag) for tag in tags), text)


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _malformed(message: str, field: str = "secret") -> Malformed:
    return Malformed((Fault(field, message),))
