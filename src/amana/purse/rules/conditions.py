"""Spending conditions: may these proofs be spent, with these witnesses, at this instant?

A proof's secret may be a lock: on keys (P2PK, NUT-11) or on a hash and keys (HTLC, NUT-14). Keys
that were blinded for the payee (NUT-28) are keys like others here. Texts of refusals are those of
the reference mint, which wallets show and tests of others look for.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from amana.purse import limits
from amana.purse.model import BlindedMessage, Code, Proof, Refusal
from amana.wire import Malformed
from amana.wire.cashu import (
    HTLC,
    P2PK,
    WellKnownSecret,
    Witness,
    read_secret,
    read_witness,
    write_witness,
)

Verifier = Callable[[bytes, bytes, bytes], bool]
"""Schnorr check (BIP 340): x-only key, 32-byte message, 64-byte signature.

Answers False, and does not raise, for a key that is not on the curve.
"""

_ONE_VALUE: Final = frozenset({"sigflag", "n_sigs", "locktime", "n_sigs_refund"})
_KNOWN: Final = _ONE_VALUE | {"pubkeys", "refund"}
_PAIR: Final = 2
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_KEY: Final = re.compile(r"0[23][0-9a-f]{64}", re.ASCII)
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-fA-F]*", re.ASCII)
_QUOTE_TAG: Final = b"Cashu_MintQuoteSig_v1"


class Covers(StrEnum):
    """What a signature is made over: its own input, or the whole operation."""

    SIG_INPUTS = "SIG_INPUTS"
    SIG_ALL = "SIG_ALL"


@dataclass(frozen=True, slots=True)
class Path:
    """One way to open a lock: so many of these keys (x-only, 32 bytes) must have signed."""

    keys: tuple[bytes, ...]
    needed: int


@dataclass(frozen=True, slots=True)
class Lock:
    """A secret's conditions, found well formed.

    `hash` is what the preimage must hash to, and None for a lock on keys alone; `refund` is what
    opens it when the lock has expired; `expires_s` is in seconds since 1970, None never expires.
    """

    secret: WellKnownSecret
    covers: Covers
    hash: bytes | None
    main: Path
    refund: Path
    expires_s: int | None

    def has_expired(self, now_s: int) -> bool:
        """Tell whether the refund path is open: in the second after the instant named (NUT-11).

        The clock's fraction is cut off, so the second that bears the instant's number is the one
        that follows it.
        """
        return self.expires_s is not None and now_s >= self.expires_s

    def is_same_as(self, other: "Lock") -> bool:
        """Tell whether both have one kind, data and tags, as SIG_ALL demands of all inputs."""
        mine, theirs = self.secret, other.secret
        return (mine.kind, mine.data, mine.tags) == (theirs.kind, theirs.data, theirs.tags)


@dataclass(frozen=True, slots=True)
class Opening:
    """A lock, and what was sent to open it."""

    lock: Lock
    witness: Witness

    def checks(self, now_s: int) -> int:
        """Return how many signatures the judging may have to check: each with each key."""
        keys = len(self.lock.main.keys)
        if self.lock.has_expired(now_s):
            keys += len(self.lock.refund.keys)
        return keys * len(self.witness.signatures)


def meets_conditions(
    proofs: Sequence[Proof],
    outputs: Sequence[BlindedMessage],
    *,
    quote: str | None,
    now_s: int,
    verify: Verifier,
) -> Refusal | None:
    """Judge the locks of all inputs of one operation; None lets it go on.

    Args:
        proofs: The inputs in the order sent, whose signatures of the mint are checked elsewhere.
        outputs: In the order sent; for a redemption those for change.
        quote: Id of the redeem quote in the text the payer signed; None for a swap.
        now_s: Seconds since 1970 by the mint's clock.
        verify: Checks one signature.
    Refuses:
        A lock that is malformed or of an unknown kind, a witness that is too long, more checks
        than CHECKS_MAX, and a lock that is not open.
    Source: NUT-10, NUT-11 (signature flag), NUT-14.
    """
    opened = _openings(proofs)
    if isinstance(opened, Refusal):
        return opened
    locked = [opening for opening in opened if opening is not None]
    messages = [opening.lock.secret.text for opening in locked]
    if any(opening.lock.covers is Covers.SIG_ALL for opening in locked):
        if len(locked) < len(opened):
            return _refusal("SIG_ALL transaction contains an ordinary secret.")
        if not all(opening.lock.is_same_as(locked[0].lock) for opening in locked):
            return _refusal("not all secrets are equal.")
        # Only the first input's witness counts: it speaks for the whole operation.
        del locked[1:]
        messages = [operation_message(proofs, outputs, quote)]
    if sum(opening.checks(now_s) for opening in locked) > limits.CHECKS_MAX:
        return _refusal(f"too many signatures to check. max: {limits.CHECKS_MAX}")
    for opening, message in zip(locked, messages, strict=True):
        fault = _fault(opening, message, now_s=now_s, verify=verify)
        if fault is not None:
            # The code that other mints answer and wallets look for, though NUT-20 names it.
            return Refusal(Code.QUOTE_SIGNATURE_INVALID, fault)
    return None


def operation_message(
    proofs: Sequence[Proof], outputs: Sequence[BlindedMessage], quote: str | None
) -> str:
    """Return what a SIG_ALL signature covers, as text; its SHA-256 is signed.

    Source: NUT-11, message aggregation for SIG_ALL.
    """
    parts = [proof.secret + proof.point.hex() for proof in proofs]
    parts += [str(output.amount) + output.point.hex() for output in outputs]
    return "".join(parts) + (quote or "")


def shown_witness(proof: Proof) -> str | None:
    """Return the witness that is kept for others to read: a right preimage, and nothing else.

    The other side of an exchange waits for it (NUT-07, NUT-14). Signatures are not kept: they say
    nothing to those who wait, and would tie spends of one key together.
    """
    return shown_witnesses((proof,))[0]


def shown_witnesses(proofs: Sequence[Proof]) -> tuple[str | None, ...]:
    """Return for each input of one operation the witness that is kept for others to read.

    Under SIG_ALL the first input's witness speaks for all, so its preimage is shown for all.
    """
    return tuple(_shown(proof, proofs[0]) for proof in proofs)


def quote_signature_holds(
    quote: str,
    outputs: Sequence[BlindedMessage],
    *,
    pubkey: bytes,
    signature: bytes,
    verify: Verifier,
) -> bool:
    """Tell whether the key that a quote was asked with signed these outputs for it.

    Two messages are taken: the framed one with amounts, that wallets sign by now, and the plain
    one of the published vectors, on which wallets fall back. Both bind quote and outputs; points
    are of one length, so the plain one reads one way only.

    Args:
        quote: Id of the issue quote as it was told to the wallet.
        outputs: In the order sent.
        pubkey: Compressed, 33 bytes.
        signature: 64 bytes; anything else does not hold.
        verify: Checks one signature.
    Source: NUT-20, and its amendment with framed messages.
    """
    if len(signature) != limits.SIGNATURE_CHARACTERS >> 1:
        return False
    messages = (framed_quote_message(quote, outputs), plain_quote_message(quote, outputs))
    return any(verify(pubkey[1:], message, signature) for message in messages)


def framed_quote_message(quote: str, outputs: Sequence[BlindedMessage]) -> bytes:
    """Return the 32 bytes to sign: a tag, then quote, amounts and points, each with its length."""
    fields = [quote.encode()]
    for output in outputs:
        amount = output.amount
        fields += [amount.to_bytes((amount.bit_length() + 7) // 8), output.point]
    framed = b"".join(len(field).to_bytes(4) + field for field in fields)
    return hashlib.sha256(_QUOTE_TAG + framed).digest()


def plain_quote_message(quote: str, outputs: Sequence[BlindedMessage]) -> bytes:
    """Return the 32 bytes to sign in the older form: quote and points in hex, one after another."""
    return hashlib.sha256(
        "".join([quote, *(output.point.hex() for output in outputs)]).encode()
    ).digest()


def read_lock(secret: str) -> Lock | Refusal | None:
    """Read a secret's conditions; None is a plain secret, which anybody who knows it may spend.

    Refuses:
        A malformed lock, which nobody may spend, and a lock of a kind not known here: to take it
        for a plain secret would give the money to whoever sees it first.
    Source: NUT-10, NUT-11 (tags, public key canonicalisation), NUT-14 (hash lock).
    """
    known = read_secret(secret)
    if known is None:
        return None
    if isinstance(known, Malformed):
        return _refusal(known.faults[0].message)
    if known.kind not in {P2PK, HTLC}:
        return _refusal(f"unsupported NUT-10 secret kind: {known.kind}")
    tags = _known_tags(known)
    if isinstance(tags, str):
        return _refusal(tags)
    is_hash_lock = known.kind == HTLC
    if is_hash_lock and _HASH.fullmatch(known.data) is None:
        return _refusal("malformed NUT-10 secret: invalid HTLC hash.")
    given = tags.get("pubkeys", ())
    main = _path(given if is_hash_lock else (known.data, *given), tags, "n_sigs")
    refund = _path(tags.get("refund", ()), tags, "n_sigs_refund")
    for path in (main, refund):
        if isinstance(path, str):
            return _refusal(path)
    assert isinstance(main, Path), "faults were told above"
    assert isinstance(refund, Path), "faults were told above"
    flag = tags.get("sigflag", (Covers.SIG_INPUTS,))[0]
    if flag not in set(Covers):
        return _refusal("malformed NUT-10 secret: invalid sigflag tag.")
    return Lock(
        secret=known,
        covers=Covers(flag),
        hash=bytes.fromhex(known.data) if is_hash_lock else None,
        main=main,
        refund=refund,
        expires_s=_expiry(tags),
    )


def _known_tags(secret: WellKnownSecret) -> dict[str, tuple[str, ...]] | str:
    """Return the values of the tags that mean something here; a tag given twice is malformed."""
    tags: dict[str, tuple[str, ...]] = {}
    for name, *values in secret.tags:
        if name not in _KNOWN:
            continue
        if name in tags:
            return f"malformed NUT-10 secret: duplicate {name} tag."
        if not values or (name in _ONE_VALUE and len(values) > 1):
            return f"malformed NUT-10 secret: invalid {name} tag."
        tags[name] = tuple(values)
    return tags


def _path(given: tuple[str, ...], tags: dict[str, tuple[str, ...]], counter: str) -> Path | str:
    """Return a way to open the lock, or what is wrong with it.

    Keys are compared by x-coordinate, in one case of letters: 02, 03 and capitals name one signer,
    who must not count twice. That a key lies on the curve is the verifier's to see: one that does
    not never signs.
    """
    if len(given) > limits.KEYS_MAX:
        return f"malformed NUT-10 secret: too many pubkeys. max: {limits.KEYS_MAX}"
    keys = [key.lower() for key in given]
    if not all(_KEY.fullmatch(key) for key in keys):
        return "malformed NUT-10 secret: invalid compressed public key."
    if len(set(keys)) < len(keys):
        return "pubkeys must be unique."
    points = [bytes.fromhex(key[2:]) for key in keys]
    if len(set(points)) < len(points):
        return "pubkeys must have unique x-coordinates."
    if counter not in tags:
        return Path(tuple(points), min(1, len(points)))
    text = tags[counter][0]
    needed = int(text) if _DIGITS.fullmatch(text) else 0
    if needed < 1:
        return f"malformed NUT-10 secret: {counter} must be a positive integer."
    if needed > len(points):
        return f"malformed NUT-10 secret: {counter} exceeds available pubkeys."
    return Path(tuple(points), needed)


def _expiry(tags: dict[str, tuple[str, ...]]) -> int | None:
    """Return when the lock expires; a time that is none makes it permanent (NUT-11, locktime)."""
    text = tags.get("locktime", ("",))[0]
    return int(text) if _DIGITS.fullmatch(text) else None


def _openings(proofs: Sequence[Proof]) -> list[Opening | None] | Refusal:
    """Pair each lock with its witness; None for a plain secret, whose witness opens nothing."""
    openings: list[Opening | None] = []
    for proof in proofs:
        lock, witness = read_lock(proof.secret), read_witness(proof.witness)
        if isinstance(lock, Refusal):
            return lock
        if isinstance(witness, Malformed):
            return _refusal(witness.faults[0].message)
        openings.append(None if lock is None else Opening(lock, witness))
    return openings


def _shown(proof: Proof, first: Proof) -> str | None:
    if proof.witness is None and first.witness is None:
        return None
    lock = read_lock(proof.secret)
    if not isinstance(lock, Lock) or lock.hash is None:
        return None
    witness = read_witness((first if lock.covers is Covers.SIG_ALL else proof).witness)
    if isinstance(witness, Malformed) or _preimage_fault(lock.hash, witness) is not None:
        return None
    return write_witness(Witness(str(witness.preimage).lower()))


def _fault(opening: Opening, message: str, *, now_s: int, verify: Verifier) -> str | None:
    """Judge one lock: by the main path, or where it has expired by the refund path as well."""
    lock, witness = opening.lock, opening.witness
    digest = hashlib.sha256(message.encode()).digest()
    fault = None if lock.hash is None else _preimage_fault(lock.hash, witness)
    fault = fault or _signatures_fault(lock.main, witness, digest, verify)
    if fault is not None and lock.has_expired(now_s):
        fault = _signatures_fault(lock.refund, witness, digest, verify)
    return fault


def _preimage_fault(expected: bytes, witness: Witness) -> str | None:
    preimage = witness.preimage
    if not preimage:
        return "no HTLC preimage provided"
    if len(preimage) != limits.PREIMAGE_CHARACTERS:
        return "HTLC preimage must be 64 characters hex."
    if _HEX.fullmatch(preimage) is None:
        return "invalid preimage for HTLC: not a hex string."
    if not hmac.compare_digest(hashlib.sha256(bytes.fromhex(preimage)).digest(), expected):
        return "HTLC preimage does not match."
    return None


def _signatures_fault(path: Path, witness: Witness, digest: bytes, verify: Verifier) -> str | None:
    """Say what is missing, or None where enough different keys have signed."""
    if path.needed == 0:
        return None
    given = witness.signatures
    if not given:
        # The two ways in which other mints say it; clients' tests look for the words.
        has_preimage = witness.preimage is not None
        return "no signatures in proof." if has_preimage else _UNSIGNED
    if len(given) < path.needed:
        return (
            f"not enough pubkeys ({len(path.keys)}) or signatures ({len(given)})"
            f" present for n_sigs ({path.needed})."
        )
    signatures = [bytes.fromhex(text) for text in given if _is_signature(text)]
    signed = 0
    for key in path.keys:
        signed += any(verify(key, digest, signature) for signature in signatures)
        if signed == path.needed:
            return None
    return f"signature threshold not met. {signed} < {path.needed}."


_UNSIGNED: Final = "no witness: p2pk signatures not provided."


def _is_signature(text: str) -> bool:
    return len(text) == limits.SIGNATURE_CHARACTERS and _HEX.fullmatch(text) is not None


def _refusal(detail: str) -> Refusal:
    return Refusal(Code.PROOF_INVALID, detail)
