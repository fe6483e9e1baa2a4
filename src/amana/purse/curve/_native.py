"""libsecp256k1, as coincurve brings it: raw structures, no objects in the hot path.

A multiplication by a secret takes the library's ECDH, which is written to take the same time for
every scalar; `tweak_mul` of a point is faster and is not, and serves public scalars only. Buffers
are made for each call, so that threads do not meet.
"""

import os
from typing import Any, Final

from coincurve import _libsecp256k1

_ffi: Final[Any] = _libsecp256k1.ffi
_lib: Final[Any] = _libsecp256k1.lib

POINT_BYTES: Final = 33
SCALAR_BYTES: Final = 32

_COMPRESSED: Final = 258
_UNCOMPRESSED: Final = 2
_UNCOMPRESSED_BYTES: Final = 65
_POINT: Final = _ffi.typeof("secp256k1_pubkey *")
_POINTS: Final = _ffi.typeof("secp256k1_pubkey *[2]")
_XONLY: Final = _ffi.typeof("secp256k1_xonly_pubkey *")
_KEYPAIR: Final = _ffi.typeof("secp256k1_keypair *")
_BYTES: Final = _ffi.typeof("unsigned char[]")
_LENGTH: Final = _ffi.typeof("size_t *")
_NOTHING: Final = _ffi.NULL


def _make_context() -> Any:  # noqa: ANN401 - a C structure has no Python type
    context = _ffi.gc(_lib.secp256k1_context_create(1), _lib.secp256k1_context_destroy)
    # Blinds the multiplication of the generator against an eavesdropper with an antenna.
    assert _lib.secp256k1_context_randomize(context, os.urandom(32)), "libsecp256k1 is unwell"
    return context


_context: Final = _make_context()


def _keep_both(output: Any, x: Any, y: Any, _data: Any) -> int:  # noqa: ANN401 - C pointers
    _ffi.memmove(output, x, 32)
    _ffi.memmove(output + 32, y, 32)
    return 1


_KEEP_BOTH: Final = _ffi.callback(
    "int(unsigned char *, const unsigned char *, const unsigned char *, void *)", _keep_both
)


def parse(point: bytes) -> Any | None:  # noqa: ANN401 - a C structure has no Python type
    """Understand a compressed point; None where it is not on the curve."""
    if len(point) != POINT_BYTES:
        return None
    parsed = _ffi.new(_POINT)
    return parsed if _lib.secp256k1_ec_pubkey_parse(_context, parsed, point, POINT_BYTES) else None


def compressed(parsed: object) -> bytes:
    """Write a point in 33 bytes."""
    output = _ffi.new(_BYTES, POINT_BYTES)
    length = _ffi.new(_LENGTH, POINT_BYTES)
    _lib.secp256k1_ec_pubkey_serialize(_context, output, length, parsed, _COMPRESSED)
    return bytes(_ffi.buffer(output))


def uncompressed(parsed: object) -> bytes:
    """Write a point in 65 bytes."""
    output = _ffi.new(_BYTES, _UNCOMPRESSED_BYTES)
    length = _ffi.new(_LENGTH, _UNCOMPRESSED_BYTES)
    _lib.secp256k1_ec_pubkey_serialize(_context, output, length, parsed, _UNCOMPRESSED)
    return bytes(_ffi.buffer(output))


def is_scalar(scalar: bytes) -> bool:
    """Say whether 32 bytes are from 1 to the order less one, in constant time."""
    return len(scalar) == SCALAR_BYTES and bool(_lib.secp256k1_ec_seckey_verify(_context, scalar))


def multiply_secret(parsed: object, scalar: bytes) -> bytes:
    """Return x and y (64 bytes) of a point times a secret scalar, in constant time."""
    output = _ffi.new(_BYTES, 64)
    done = _lib.secp256k1_ecdh(_context, output, parsed, scalar, _KEEP_BOTH, _NOTHING)
    assert done, "the scalar is from 1 to the order less one"
    return bytes(_ffi.buffer(output))


def multiply_base(scalar: bytes) -> Any:  # noqa: ANN401 - a C structure has no Python type
    """Return the generator times a secret scalar, in constant time."""
    output = _ffi.new(_POINT)
    done = _lib.secp256k1_ec_pubkey_create(_context, output, scalar)
    assert done, "the scalar is from 1 to the order less one"
    return output


def multiply_add(factor: bytes, scalar: bytes, summand: bytes) -> bytes:
    """Return factor · scalar + summand modulo the order, in constant time."""
    result = _ffi.new(_BYTES, SCALAR_BYTES)
    _ffi.memmove(result, scalar, SCALAR_BYTES)
    done = _lib.secp256k1_ec_seckey_tweak_mul(_context, result, factor)
    done = done and _lib.secp256k1_ec_seckey_tweak_add(_context, result, summand)
    assert done, "a zero comes out of a hash once in 2^256"
    return bytes(_ffi.buffer(result))


def multiply_public(parsed: object, scalar: bytes) -> Any:  # noqa: ANN401 - a C structure
    """Return a point times a scalar that everybody may know: the time taken tells of it."""
    output = _ffi.new(_POINT)
    output[0] = parsed[0]  # type: ignore[index]
    done = _lib.secp256k1_ec_pubkey_tweak_mul(_context, output, scalar)
    assert done, "the scalar is from 1 to the order less one"
    return output


def add(first: object, second: object) -> Any | None:  # noqa: ANN401 - a C structure
    """Add two points; None where they cancel each other out."""
    output = _ffi.new(_POINT)
    both = _ffi.new(_POINTS, [first, second])
    return output if _lib.secp256k1_ec_pubkey_combine(_context, output, both, 2) else None


def negate(parsed: object) -> Any:  # noqa: ANN401 - a C structure has no Python type
    """Return the point on the other side of the axis."""
    output = _ffi.new(_POINT)
    output[0] = parsed[0]  # type: ignore[index]
    _lib.secp256k1_ec_pubkey_negate(_context, output)
    return output


def verify_schnorr(key: bytes, message: bytes, signature: bytes) -> bool:
    """Check a BIP-340 signature of 64 bytes; `key` is an x-coordinate of 32 bytes."""
    if len(key) != SCALAR_BYTES or len(signature) != 64:  # noqa: PLR2004 - as the docstring says
        return False
    parsed = _ffi.new(_XONLY)
    return bool(
        _lib.secp256k1_xonly_pubkey_parse(_context, parsed, key)
        and _lib.secp256k1_schnorrsig_verify(_context, signature, message, len(message), parsed)
    )


def sign_schnorr(scalar: bytes, message: bytes) -> bytes:
    """Sign 32 bytes by BIP-340, without auxiliary randomness."""
    assert len(message) == SCALAR_BYTES, "what is signed is a hash"
    pair = _ffi.new(_KEYPAIR)
    assert _lib.secp256k1_keypair_create(_context, pair, scalar), "the scalar is in range"
    output = _ffi.new(_BYTES, 64)
    assert _lib.secp256k1_schnorrsig_sign32(_context, output, message, pair, _NOTHING), (
        "signing with a good key does not fail"
    )
    return bytes(_ffi.buffer(output))
