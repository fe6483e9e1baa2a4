"""Blind signatures on secp256k1 (NUT-00), each with a DLEQ proof (NUT-12).

With k the mint's key, K = kG, x a secret and Y = hash_to_curve(x): the wallet sends B_ = Y + rG,
the mint answers C_ = kB_, the wallet keeps C = C_ - rK = kY, and the mint later checks kY == C.
"""

import hashlib
import hmac
from typing import Final

from amana.purse.curve import _native
from amana.purse.ports import Signed

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""How many points the group has."""

_DOMAIN: Final = b"Secp256k1_HashToCurve_Cashu_"
_NONCE_TAG: Final = b"Cashu_DLEQ_R_v1"
_TRIES_MAX: Final = 1 << 16
_NONCE_TRIES_MAX: Final = 256


def hash_to_curve(message: bytes) -> bytes:
    """Map a message to a point whose logarithm nobody knows (NUT-00), compressed."""
    return b"\2" + _find_point(message)[0]


def _find_point(message: bytes) -> tuple[bytes, object]:
    start = hashlib.sha256(_DOMAIN + message).digest()
    for counter in range(_TRIES_MAX):
        x = hashlib.sha256(start + counter.to_bytes(4, "little")).digest()
        if (parsed := _native.parse(b"\2" + x)) is not None:
            return x, parsed
    raise AssertionError("every second attempt meets the curve")


def _compress(both: bytes) -> bytes:
    return bytes((2 | both[63] & 1,)) + both[:32]


class Secp256k1Key:
    """A private key on secp256k1. Neither its text nor a pickle shows the scalar."""

    __slots__ = ("__scalar", "_full", "public")

    def __init__(self, scalar: bytes) -> None:
        assert _native.is_scalar(scalar), "a scalar is from 1 to the order less one"
        self.__scalar = scalar
        parsed = _native.multiply_base(scalar)
        self.public = _native.compressed(parsed)
        self._full = _native.uncompressed(parsed)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(public={self.public.hex()})"

    def __reduce__(self) -> str:
        raise TypeError("a private key does not leave its process")

    def check(self, secret: bytes, point: bytes) -> bytes | None:
        """Check kY == C; return the x-coordinate of Y, or None.

        C is compared as bytes, in constant time; it need not be parsed for that.
        """
        nullifier, parsed = _find_point(secret)
        expected = _compress(_native.multiply_secret(parsed, self.__scalar))
        return nullifier if hmac.compare_digest(expected, point) else None

    def multiply(self, point: bytes) -> bytes:
        """Return a point's multiple by this key, in constant time."""
        parsed = _native.parse(point)
        assert parsed is not None, "a point that was checked is on the curve"
        return _compress(_native.multiply_secret(parsed, self.__scalar))

    def sign(self, parsed: object) -> Signed:
        """Sign B_: C_ = kB_, and prove that k is the key behind K.

        The nonce is made from the key and what is signed, so that chance can fail nobody, and the
        proof of the same signature is the same each time.
        """
        product = _native.multiply_secret(parsed, self.__scalar)
        signed = b"\4" + product
        nonce = self._nonce(self._full + _native.uncompressed(parsed) + signed)
        first = _native.uncompressed(_native.multiply_base(nonce))
        second = b"\4" + _native.multiply_secret(parsed, nonce)
        found = _hash_points(first, second, self._full, signed)
        # The challenge is public, so its reduction may take whatever time it takes.
        factor = (int.from_bytes(found) % ORDER).to_bytes(32)
        response = _native.multiply_add(factor, self.__scalar, nonce)
        return Signed(_compress(product), found, response)

    def _nonce(self, points: bytes) -> bytes:
        for counter in range(_NONCE_TRIES_MAX):
            message = _NONCE_TAG + points + bytes((counter,))
            nonce = hmac.digest(self.__scalar, message, "sha256")
            if _native.is_scalar(nonce):
                return nonce
        raise AssertionError("a hash is below the order but once in 2^128")


def _hash_points(*full: bytes) -> bytes:
    return hashlib.sha256(b"".join(full).hex().encode()).digest()


class Secp256k1:
    """The curve of keysets whose id begins with 01."""

    def parse(self, point: bytes) -> object | None:
        """Understand a compressed point; None where it is not on the curve."""
        return _native.parse(point)

    def key(self, scalar: bytes) -> Secp256k1Key:
        """Hold a private key."""
        return Secp256k1Key(scalar)

    def is_scalar(self, scalar: bytes) -> bool:
        """Say whether 32 bytes can be a private key."""
        return _native.is_scalar(scalar)


SECP256K1: Final = Secp256k1()


def is_point(point: bytes) -> bool:
    """Say whether these are a compressed point on the curve."""
    return _native.parse(point) is not None


def add_points(first: bytes, second: bytes) -> bytes | None:
    """Add two points; None where one is not on the curve or they cancel each other out."""
    one, other = _native.parse(first), _native.parse(second)
    return None if one is None or other is None else _sum(one, other)


def subtract_points(first: bytes, second: bytes) -> bytes | None:
    """Subtract a point; None where one is not on the curve or they are the same."""
    one, other = _native.parse(first), _native.parse(second)
    return None if one is None or other is None else _sum(one, _native.negate(other))


def _sum(one: object, other: object) -> bytes | None:
    total = _native.add(one, other)
    return None if total is None else _native.compressed(total)


def multiply_public(point: bytes, scalar: bytes) -> bytes | None:
    """Multiply by a scalar that everybody may know; None where either is out of range.

    Never give it a secret: the time it takes tells of the scalar.
    """
    parsed = _native.parse(point)
    if parsed is None or not _native.is_scalar(scalar):
        return None
    return _native.compressed(_native.multiply_public(parsed, scalar))


def challenge(*points: bytes) -> bytes:
    """Hash compressed points into the challenge of a DLEQ proof (NUT-12, hash function)."""
    parsed = [_native.parse(point) for point in points]
    assert None not in parsed, "only points are hashed"
    return _hash_points(*map(_native.uncompressed, parsed))


def verify_dleq(key: bytes, point: bytes, signed: Signed) -> bool:
    """Check that the key announced as `key` signed the output `point` (NUT-12).

    R1 = sG - eK and R2 = sB_ - eC_ must hash to e again. Everything here is public.
    """
    scalar = int.from_bytes(signed.dleq_e) % ORDER
    parsed = [_native.parse(each) for each in (key, point, signed.point)]
    if not scalar or None in parsed or not _native.is_scalar(signed.dleq_s):
        return False
    announced, blinded, product = parsed
    minus = (ORDER - scalar).to_bytes(32)
    base = _native.multiply_base(signed.dleq_s)
    first = _native.add(base, _native.multiply_public(announced, minus))
    second = _native.add(
        _native.multiply_public(blinded, signed.dleq_s), _native.multiply_public(product, minus)
    )
    if first is None or second is None:
        return False
    found = _hash_points(*map(_native.uncompressed, (first, second, announced, product)))
    return hmac.compare_digest(found, signed.dleq_e)


verify_schnorr: Final = _native.verify_schnorr
sign_schnorr: Final = _native.sign_schnorr
