"""The curve the mint signs on: a thin wrapper of libsecp256k1 behind a small interface."""

from typing import Final

from amana.purse.curve.ports import Curve, MintKey
from amana.purse.curve.secp256k1 import (
    ORDER,
    SECP256K1,
    add_points,
    hash_to_curve,
    is_point,
    multiply_public,
    sign_schnorr,
    subtract_points,
    verify_dleq,
    verify_schnorr,
)

CURVES: Final[dict[str, Curve]] = {"01": SECP256K1}
"""The curve that goes with a version of keyset ids: their first two characters."""


def curve_of(keyset_id: str) -> Curve | None:
    """Return the curve of a keyset by its id; None for a version that is not known here."""
    return CURVES.get(keyset_id[:2])


__all__ = [
    "CURVES",
    "ORDER",
    "SECP256K1",
    "Curve",
    "MintKey",
    "add_points",
    "curve_of",
    "hash_to_curve",
    "is_point",
    "multiply_public",
    "sign_schnorr",
    "subtract_points",
    "verify_dleq",
    "verify_schnorr",
]
