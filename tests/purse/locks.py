"""Keys, locks and witnesses for tests of spending conditions."""

import hashlib
from collections.abc import Sequence
from itertools import count
from typing import Any, Final

from coincurve import PrivateKey

from amana.purse.curve import verify_schnorr
from amana.purse.model import BlindedMessage, Proof, Refusal
from amana.purse.rules import conditions
from amana.wire.cashu import HTLC, P2PK, Witness, write_secret, write_witness

NOW: Final = 1_800_000_000
PREIMAGE: Final = "00" * 31 + "01"
HASH: Final = hashlib.sha256(bytes.fromhex(PREIMAGE)).hexdigest()
POINT: Final = bytes.fromhex("038ec853d65ae1b79b5cdbc2774150b2cb288d6d26e12958a16fb33c32d9a86c39")
OUTPUT: Final = BlindedMessage("01" * 33, 2, POINT)

Tags = Sequence[Sequence[str]]

_nonces = count()


def key(number: int) -> PrivateKey:
    return PrivateKey(hashlib.sha256(f"key {number}".encode()).digest())


def name(signer: PrivateKey) -> str:
    return signer.public_key.format().hex()


def sign(message: str, *signers: PrivateKey) -> tuple[str, ...]:
    digest = hashlib.sha256(message.encode()).digest()
    return tuple(signer.sign_schnorr(digest).hex() for signer in signers)


def secret(kind: str, data: str, tags: Tags = ()) -> str:
    nonce = f"{next(_nonces):064x}"
    return write_secret(kind, nonce, data, tuple(tuple(tag) for tag in tags)).text


def proof(text: str, *signatures: str, preimage: str | None = None) -> Proof:
    witness = write_witness(Witness(preimage, signatures))
    return Proof("01" * 33, 2, text, POINT, None if witness == "{}" else witness)


def key_locked(tags: Tags, *signers: PrivateKey, owner: PrivateKey | None = None) -> Proof:
    """A proof locked to key 0 (or the owner) and the tags' keys, signed by the signers."""
    text = secret(P2PK, name(owner or key(0)), tags)
    return proof(text, *sign(text, *signers))


def hash_locked(tags: Tags, *signers: PrivateKey, preimage: str | None = PREIMAGE) -> Proof:
    text = secret(HTLC, HASH, tags)
    return proof(text, *sign(text, *signers), preimage=preimage)


def said(
    *proofs: Proof,
    outputs: Sequence[BlindedMessage] = (OUTPUT,),
    quote: str | None = None,
    now_s: int = NOW,
) -> str | None:
    """What the mint says to spending these: None lets it go on."""
    answer = conditions.meets_conditions(
        proofs, outputs, quote=quote, now_s=now_s, verify=verify_schnorr
    )
    assert answer is None or isinstance(answer, Refusal)
    return None if answer is None else answer.detail


def as_proof(published: dict[str, Any]) -> Proof:
    return Proof(
        published["id"],
        published["amount"],
        published["secret"],
        bytes.fromhex(published["C"]),
        published.get("witness"),
    )


def as_output(published: dict[str, Any]) -> BlindedMessage:
    return BlindedMessage(published["id"], published["amount"], bytes.fromhex(published["B_"]))
