"""A wallet's side of the e-cash: blinding, unblinding, DLEQ proofs, secrets from a seed.

For tests, simulated worlds and benches; people's wallets do this in TypeScript.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from amana.purse.curve import (
    ORDER,
    SECP256K1,
    add_points,
    hash_to_curve,
    subtract_points,
    verify_dleq,
)
from amana.purse.keysets import is_keyset_id
from amana.purse.model import BlindedMessage, BlindSignature, Keyset, Proof
from amana.purse.ports import Signed

_KDF_TAG: Final = b"Cashu_KDF_HMAC_SHA256"
_PHRASE_ROUNDS: Final = 2048


class Blinded(NamedTuple):
    """An output, with what only its wallet knows of it."""

    secret: str
    factor: bytes
    message: BlindedMessage


class Derived(NamedTuple):
    """A secret and its blinding factor out of a wallet's seed."""

    secret: str
    factor: bytes


def blind(secret: bytes, factor: bytes) -> bytes:
    """Return B_ = hash_to_curve(secret) + factor · G."""
    point = add_points(hash_to_curve(secret), SECP256K1.key(factor).public)
    assert point is not None, "chance does not meet the one factor that cancels out"
    return point


def unblind(signed: bytes, factor: bytes, key: bytes) -> bytes:
    """Return C = C_ - factor · K."""
    point = subtract_points(signed, SECP256K1.key(factor).multiply(key))
    assert point is not None, "chance does not meet the one factor that cancels out"
    return point


def blind_again(proof_point: bytes, factor: bytes, key: bytes) -> bytes:
    """Return C_ = C + factor · K: what a payee who was told the factor computes (NUT-12)."""
    point = add_points(proof_point, SECP256K1.key(factor).multiply(key))
    assert point is not None, "chance does not meet the one factor that cancels out"
    return point


def verify_told_dleq(key: bytes, proof: Proof, told: Signed, factor: bytes) -> bool:
    """Check a DLEQ proof that came with a token and its factor; `told.point` is not looked at."""
    signed = told._replace(point=blind_again(proof.point, factor, key))
    return verify_dleq(key, blind(proof.secret.encode(), factor), signed)


def split_amount(amount: int, amounts: Iterable[int]) -> list[int]:
    """Return few denominations that sum to an amount, ascending."""
    parts: list[int] = []
    for each in sorted(amounts, reverse=True):
        count, amount = divmod(amount, each)
        parts += [each] * count
    assert amount == 0, "the smallest denomination is 1"
    return parts[::-1]


def derive(seed: bytes, keyset_id: str, counter: int) -> Derived:
    """Return the secret and factor a wallet makes from its seed (NUT-13, ids of version 01)."""
    assert is_keyset_id(keyset_id), "the derivation of older keysets lets secrets collide"
    message = _KDF_TAG + bytes.fromhex(keyset_id) + counter.to_bytes(8)
    secret = hmac.digest(seed, message + b"\0", "sha256")
    factor = int.from_bytes(hmac.digest(seed, message + b"\1", "sha256")) % ORDER
    return Derived(secret.hex(), factor.to_bytes(32))


def seed_of(phrase: str) -> bytes:
    """Return the seed of a phrase of words (BIP-39, without a passphrase)."""
    return hashlib.pbkdf2_hmac("sha512", phrase.encode(), b"mnemonic", _PHRASE_ROUNDS)


class BlindingWallet:
    """Makes outputs for one keyset, and proofs out of what was signed."""

    def __init__(self, keyset: Keyset, draw: Callable[[int], bytes]) -> None:
        self.keyset = keyset
        self._draw = draw

    def output(self, amount: int, secret: str | None = None) -> Blinded:
        """Make an output for a denomination; the secret is random where none is given."""
        secret = self._draw(32).hex() if secret is None else secret
        factor = (int.from_bytes(self._draw(32)) % (ORDER - 1) + 1).to_bytes(32)
        point = blind(secret.encode(), factor)
        return Blinded(secret, factor, BlindedMessage(self.keyset.id, amount, point))

    def outputs(self, amount: int) -> list[Blinded]:
        """Make outputs for a sum, ascending."""
        return [self.output(part) for part in split_amount(amount, self.keyset.keys)]

    def proof(self, blinded: Blinded, signature: BlindSignature) -> Proof:
        """Turn a signature into a proof; the mint's DLEQ proof must hold.

        A blank output has the amount that the signature says (NUT-08).
        """
        message = blinded.message
        assert signature.keyset_id == message.keyset_id == self.keyset.id, "another keyset"
        assert message.amount in {0, 1, signature.amount}, "another amount was signed"
        key = self.keyset.keys[signature.amount]
        signed = Signed(signature.point, signature.dleq_e, signature.dleq_s)
        assert verify_dleq(key, message.point, signed), "another key signed"
        point = unblind(signature.point, blinded.factor, key)
        return Proof(self.keyset.id, signature.amount, blinded.secret, point)

    def proofs(
        self, outputs: Sequence[Blinded], signatures: Sequence[BlindSignature]
    ) -> list[Proof]:
        """Turn signatures into proofs, in their order."""
        return [
            self.proof(output, signature)
            for output, signature in zip(outputs, signatures, strict=False)
        ]
