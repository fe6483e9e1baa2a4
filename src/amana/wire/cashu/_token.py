"""Tokens: proofs as people hand them on, in the versions A (read only) and B.

Source: NUT-00, serialization of tokens; NUT-12 and NUT-28, what a proof carries beside.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from amana.wire.cashu import limits
from amana.wire.cashu._encoding import read_base64, read_cbor, write_base64, write_cbor
from amana.wire.cashu._fields import Faults, Fields
from amana.wire.cashu._json import read_json
from amana.wire.faults import Fault, Malformed

_SCHEME: Final = "cashu:"
_JSON: Final = "cashuA"
_CBOR: Final = "cashuB"
_RAW: Final = b"crawB"
_ID_LENGTHS: Final = (8, 33)
_SCALAR: Final = (32,)


@dataclass(frozen=True, slots=True)
class Dleq:
    """Proof that the announced key signed, with the blinding factor `r`; 32 bytes each.

    `r` leads back from the proof to its issue: it goes to a payee who checks without asking the
    mint, and never to the mint.
    """

    e: bytes
    s: bytes
    r: bytes


@dataclass(frozen=True, slots=True)
class TokenProof:
    """A proof in a token; `keyset_id` is hex in lower case, whole or the first 8 bytes.

    `ephemeral` is the payer's point from which the payee derives the key of the lock (NUT-28).
    """

    keyset_id: str
    amount: int
    secret: str
    point: bytes
    dleq: Dleq | None = None
    witness: str | None = None
    ephemeral: bytes | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """Proofs of one mint; `mint` is its address without a slash at the end."""

    mint: str
    unit: str | None
    proofs: tuple[TokenProof, ...]
    memo: str | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """What a payer sends to the address that a payment request names (NUT-18)."""

    mint: str
    unit: str
    proofs: tuple[TokenProof, ...]
    id: str | None = None
    memo: str | None = None


def read_token(text: str) -> Token | Malformed:
    """Read a token of version A or B, with or without `cashu:` before it."""
    bare = text.removeprefix(_SCHEME)
    if len(bare) > limits.TOKEN_CHARACTERS_MAX:
        return _malformed("token", f"Longer than {limits.TOKEN_CHARACTERS_MAX} characters.")
    try:
        if bare.startswith(_CBOR):
            return _read_groups(read_cbor(read_base64(bare.removeprefix(_CBOR))))
        if bare.startswith(_JSON):
            return _read_entries(read_json(read_base64(bare.removeprefix(_JSON))))
    except ValueError:
        return _malformed("token", "Cannot be decoded.")
    return _malformed("token", "Neither cashuA nor cashuB.")


def read_raw_token(data: bytes) -> Token | Malformed:
    """Read a token of version B in its binary form."""
    if not data.startswith(_RAW) or len(data) > limits.TOKEN_CHARACTERS_MAX:
        return _malformed("token", "Not crawB, or too long.")
    try:
        return _read_groups(read_cbor(data.removeprefix(_RAW)))
    except ValueError:
        return _malformed("token", "Cannot be decoded.")


def write_token(token: Token) -> str:
    """Write a token of version B; the same proofs in the same order give the same text."""
    return _CBOR + write_base64(_groups(token), has_padding=False)


def write_raw_token(token: Token) -> bytes:
    """Write a token of version B in its binary form."""
    return _RAW + _groups(token)


def read_payload(text: str | bytes) -> Payload | Malformed:
    """Read a payment sent for a request (NUT-18, payment payload)."""
    if len(text) > limits.TOKEN_CHARACTERS_MAX:
        return _malformed("payload", f"Longer than {limits.TOKEN_CHARACTERS_MAX} bytes.")
    try:
        value = read_json(text)
    except ValueError:
        return _malformed("payload", "Not JSON.")
    faults = Faults()
    fields = Fields.of(value, place="", faults=faults, is_binary=False)
    payload = Payload(
        mint=_mint(fields, "mint"),
        unit=fields.text("unit", bytes_max=limits.UNIT_BYTES_MAX),
        proofs=_json_proofs(fields),
        id=fields.optional_text("id", bytes_max=limits.ID_BYTES_MAX),
        memo=fields.optional_text("memo", bytes_max=limits.MEMO_BYTES_MAX),
    )
    return faults.malformed() or payload


def write_payload(payload: Payload) -> str:
    """Write a payment for a request as JSON."""
    members: dict[str, object] = {"id": payload.id, "memo": payload.memo}
    members |= {"mint": payload.mint, "unit": payload.unit}
    members["proofs"] = [_json_proof(proof) for proof in payload.proofs]
    said = {name: value for name, value in members.items() if value is not None}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _read_groups(value: object) -> Token | Malformed:
    faults = Faults()
    fields = Fields.of(value, place="", faults=faults, is_binary=True)
    proofs: list[TokenProof] = []
    for group in fields.each("t", least=1, most=limits.TOKEN_PROOFS_MAX):
        keyset_id = group.octets("i", lengths=_ID_LENGTHS).hex()
        for one in group.each("p", least=1, most=limits.TOKEN_PROOFS_MAX):
            if len(proofs) == limits.TOKEN_PROOFS_MAX:
                return _malformed("t", f"More than {limits.TOKEN_PROOFS_MAX} proofs.")
            proofs.append(_proof(one, keyset_id, names=("a", "s", "c", "d", "w", "pe")))
    token = Token(
        mint=_mint(fields, "m"),
        unit=fields.text("u", bytes_max=limits.UNIT_BYTES_MAX),
        proofs=tuple(proofs),
        memo=fields.optional_text("d", bytes_max=limits.MEMO_BYTES_MAX),
    )
    return faults.malformed() or token


def _read_entries(value: object) -> Token | Malformed:
    faults = Faults()
    fields = Fields.of(value, place="", faults=faults, is_binary=False)
    # Tokens of several mints were once allowed; wallets no longer take one.
    tokens = [
        Token(
            mint=_mint(entry, "mint"),
            unit=fields.optional_text("unit", bytes_max=limits.UNIT_BYTES_MAX),
            proofs=_json_proofs(entry),
            memo=fields.optional_text("memo", bytes_max=limits.MEMO_BYTES_MAX),
        )
        for entry in fields.each("token", least=1, most=1)
    ]
    return faults.malformed() or tokens[0]


def _json_proofs(fields: Fields) -> tuple[TokenProof, ...]:
    return tuple(
        _proof(
            one,
            one.octets("id", lengths=_ID_LENGTHS).hex(),
            names=("amount", "secret", "C", "dleq", "witness", "p2pk_e"),
        )
        for one in fields.each("proofs", least=1, most=limits.TOKEN_PROOFS_MAX)
    )


def _proof(fields: Fields, keyset_id: str, *, names: tuple[str, ...]) -> TokenProof:
    amount, secret, point, dleq, witness, ephemeral = names
    return TokenProof(
        keyset_id=keyset_id,
        amount=fields.whole(amount, least=1, most=limits.AMOUNT_MAX),
        secret=fields.text(secret, bytes_max=limits.SECRET_BYTES_MAX),
        point=fields.point(point),
        dleq=_dleq(fields.one(dleq)) if fields.has(dleq) else None,
        witness=_witness(fields, witness),
        ephemeral=fields.point(ephemeral) if fields.has(ephemeral) else None,
    )


def _witness(fields: Fields, name: str) -> str | None:
    given = fields.members.get(name)
    if isinstance(given, dict) and not fields.is_binary:
        # Some wallets keep a witness as the object that it stands for, and send it so.
        text = json.dumps(given, separators=(",", ":"))
        fields = replace(fields, members={name: text})
    return fields.optional_text(name, bytes_max=limits.WITNESS_BYTES_MAX)


def _dleq(fields: Fields) -> Dleq | None:
    if not fields.has("r"):
        # Without the blinding factor nobody but the issuing wallet can check it.
        return None
    return Dleq(*(fields.octets(name, lengths=_SCALAR) for name in ("e", "s", "r")))


def _mint(fields: Fields, name: str) -> str:
    given = fields.text(name, bytes_max=limits.MINT_URL_BYTES_MAX)
    mint = given.rstrip("/")
    if given and not mint:
        fields.fault(name, "No address.")
    return mint


def _groups(token: Token) -> bytes:
    groups: dict[str, list[dict[str, object]]] = {}
    for proof in token.proofs:
        groups.setdefault(proof.keyset_id, []).append(_cbor_proof(proof))
    members: dict[str, object] = {
        "t": [{"i": bytes.fromhex(name), "p": proofs} for name, proofs in groups.items()],
        "d": token.memo,
        "m": token.mint,
        "u": token.unit,
    }
    return write_cbor({name: value for name, value in members.items() if value is not None})


def _cbor_proof(proof: TokenProof) -> dict[str, object]:
    dleq = proof.dleq
    members: dict[str, object] = {
        "a": proof.amount,
        "s": proof.secret,
        "c": proof.point,
        "d": None if dleq is None else {"e": dleq.e, "s": dleq.s, "r": dleq.r},
        "w": proof.witness,
        "pe": proof.ephemeral,
    }
    return {name: value for name, value in members.items() if value is not None}


def _json_proof(proof: TokenProof) -> dict[str, Any]:
    dleq = proof.dleq
    members: dict[str, Any] = {
        "amount": proof.amount,
        "id": proof.keyset_id,
        "secret": proof.secret,
        "C": proof.point.hex(),
        "dleq": None if dleq is None else {"e": dleq.e.hex(), "s": dleq.s.hex(), "r": dleq.r.hex()},
        "witness": proof.witness,
        "p2pk_e": None if proof.ephemeral is None else proof.ephemeral.hex(),
    }
    return {name: value for name, value in members.items() if value is not None}


def _malformed(field: str, message: str) -> Malformed:
    return Malformed((Fault(field, message),))
