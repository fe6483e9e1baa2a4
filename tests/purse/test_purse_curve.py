"""The curve: published vectors, broken input, and no secret shown."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.purse.curve import (
    ORDER,
    SECP256K1,
    add_points,
    curve_of,
    hash_to_curve,
    is_point,
    multiply_public,
    sign_schnorr,
    subtract_points,
    verify_dleq,
    verify_schnorr,
)
from amana.purse.curve.secp256k1 import challenge
from amana.purse.model import Proof
from amana.purse.ports import Signed
from amana.testing.ecash import blind, verify_told_dleq

VECTORS = Path(__file__).parent.parent / "vectors" / "nuts"
CURVE = json.loads((VECTORS / "00-curve.json").read_text())
DLEQ = json.loads((VECTORS / "12-dleq.json").read_text())
GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")

scalars = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize("vector", CURVE["hash_to_curve"])
def test_messages_map_to_the_published_points(vector: dict[str, str]) -> None:
    assert hash_to_curve(_bytes(vector["message"])).hex() == vector["point"]


@pytest.mark.parametrize("vector", CURVE["blinded_messages"])
def test_blinding_gives_the_published_points(vector: dict[str, str]) -> None:
    assert blind(_bytes(vector["secret"]), _bytes(vector["factor"])).hex() == vector["point"]


@pytest.mark.parametrize("vector", CURVE["blinded_signatures"])
def test_signing_gives_the_published_points(vector: dict[str, str]) -> None:
    key = SECP256K1.key(_bytes(vector["private_key"]))
    parsed = SECP256K1.parse(_bytes(vector["point"]))
    assert parsed is not None
    assert key.sign(parsed).point.hex() == vector["signed"]


def test_a_challenge_is_the_published_hash() -> None:
    vector = DLEQ["challenge"]
    points = [_bytes(vector[name]) for name in ("R1", "R2", "K", "C_")]
    assert challenge(*points).hex() == vector["e"]


def test_a_proof_of_equality_is_the_published_one() -> None:
    vector = DLEQ["nonce"]
    key = SECP256K1.key(_bytes(vector["a"]))
    parsed = SECP256K1.parse(_bytes(vector["B_"]))
    assert parsed is not None
    signed = key.sign(parsed)
    assert key.public.hex() == vector["A"]
    assert signed == Signed(*(_bytes(vector[name]) for name in ("C_", "e", "s")))
    assert verify_dleq(key.public, _bytes(vector["B_"]), signed)


def _told(vector: dict[str, Any]) -> Signed:
    point = vector["C_"] if "C_" in vector else vector["C"]
    return Signed(_bytes(point), _bytes(vector["dleq"]["e"]), _bytes(vector["dleq"]["s"]))


def test_the_published_proof_on_a_signature_holds() -> None:
    vector = DLEQ["signature"]
    assert verify_dleq(_bytes(vector["A"]), _bytes(vector["B_"]), _told(vector))


def test_the_published_proof_on_a_token_holds() -> None:
    vector = DLEQ["proof"]
    proof = Proof(vector["id"], vector["amount"], vector["secret"], _bytes(vector["C"]))
    factor = _bytes(vector["dleq"]["r"])
    assert verify_told_dleq(_bytes(vector["A"]), proof, _told(vector), factor)
    other = Proof(vector["id"], vector["amount"], vector["secret"] + "0", _bytes(vector["C"]))
    assert not verify_told_dleq(_bytes(vector["A"]), other, _told(vector), factor)


@given(scalars, st.binary(max_size=80))
def test_a_key_checks_what_it_signed_and_nothing_else(scalar: bytes, secret: bytes) -> None:
    key = SECP256K1.key(scalar)
    other = SECP256K1.key((int.from_bytes(scalar) % (ORDER - 1) + 1).to_bytes(32))
    point = hash_to_curve(secret)
    signed = key.multiply(point)
    assert key.check(secret, signed) == point[1:]
    assert other.check(secret, signed) is None
    assert key.check(secret + b"!", signed) is None
    assert key.check(secret, bytes((signed[0] ^ 1,)) + signed[1:]) is None
    assert key.check(secret, signed[:-1]) is None


@given(scalars, scalars)
def test_the_same_output_has_the_same_signature_and_its_proof_holds(k: bytes, r: bytes) -> None:
    key, point = SECP256K1.key(k), blind(b"a secret", r)
    parsed = SECP256K1.parse(point)
    assert parsed is not None
    signed = key.sign(parsed)
    assert key.sign(parsed) == signed
    assert signed.point == key.multiply(point)
    assert verify_dleq(key.public, point, signed)


def _spoilt(content: bytes) -> bytes:
    return content[:-1] + bytes((content[-1] ^ 1,))


def test_a_spoilt_proof_of_equality_does_not_hold() -> None:
    key, point = SECP256K1.key(b"\5" * 32), hash_to_curve(b"x")
    parsed = SECP256K1.parse(point)
    assert parsed is not None
    signed = key.sign(parsed)
    spoilt = [
        (key.public, point, signed._replace(dleq_e=_spoilt(signed.dleq_e))),
        (key.public, point, signed._replace(dleq_s=_spoilt(signed.dleq_s))),
        (key.public, point, signed._replace(point=hash_to_curve(b"y"))),
        (key.public, hash_to_curve(b"y"), signed),
        (GENERATOR, point, signed),
        (b"\5" + key.public[1:], point, signed),
        (key.public, point[:-1], signed),
        (key.public, point, signed._replace(dleq_s=bytes(32))),
        (key.public, point, signed._replace(dleq_s=ORDER.to_bytes(32))),
        (key.public, point, signed._replace(dleq_s=signed.dleq_s[:-1])),
        (key.public, point, signed._replace(dleq_e=bytes(32))),
        (key.public, point, signed._replace(dleq_e=signed.dleq_e[:-1])),
        (key.public, point, signed._replace(dleq_e=signed.dleq_e + b"\0")),
    ]
    assert verify_dleq(key.public, point, signed)
    assert [verify_dleq(*case) for case in spoilt] == [False] * len(spoilt)


def test_a_proof_of_equality_whose_points_cancel_out_does_not_hold() -> None:
    # With s = e · k the first commitment is the point at infinity, which has no bytes to hash.
    key = SECP256K1.key((3).to_bytes(32))
    point = hash_to_curve(b"x")
    signed = Signed(key.multiply(point), (7).to_bytes(32), (21).to_bytes(32))
    assert not verify_dleq(key.public, point, signed)
    other = Signed(hash_to_curve(b"y"), (7).to_bytes(32), (21).to_bytes(32))
    assert not verify_dleq(key.public, point, other)


@pytest.mark.parametrize(
    "point",
    [
        b"",
        bytes(33),
        b"\2" + b"\xff" * 32,
        b"\2" + (5).to_bytes(32),
        b"\4" + GENERATOR[1:],
        GENERATOR[:-1],
        GENERATOR + b"\0",
        b"\0",
    ],
)
def test_what_is_no_compressed_point_is_refused(point: bytes) -> None:
    assert not is_point(point)
    assert SECP256K1.parse(point) is None
    assert add_points(point, GENERATOR) is None
    assert add_points(GENERATOR, point) is None
    assert multiply_public(point, (2).to_bytes(32)) is None


@given(st.binary(min_size=30, max_size=36))
def test_no_bytes_make_the_curve_stumble(point: bytes) -> None:
    parsed = SECP256K1.parse(point)
    if parsed is not None:
        signed = SECP256K1.key(b"\1" * 32).sign(parsed)
        assert verify_dleq(SECP256K1.key(b"\1" * 32).public, point, signed)


@pytest.mark.parametrize("scalar", [b"", bytes(32), ORDER.to_bytes(32), b"\xff" * 32, b"\1" * 31])
def test_what_is_no_scalar_makes_no_key(scalar: bytes) -> None:
    assert not SECP256K1.is_scalar(scalar)
    assert multiply_public(GENERATOR, scalar) is None
    with pytest.raises(AssertionError):
        SECP256K1.key(scalar)


def test_points_add_up_and_cancel_out() -> None:
    double = SECP256K1.key((2).to_bytes(32)).public
    assert add_points(GENERATOR, GENERATOR) == double
    assert subtract_points(double, GENERATOR) == GENERATOR
    assert subtract_points(GENERATOR, GENERATOR) is None
    assert subtract_points(GENERATOR, double) == b"\3" + GENERATOR[1:]
    assert subtract_points(double, b"\3" + GENERATOR[1:]) == multiply_public(
        GENERATOR, (3).to_bytes(32)
    )
    assert subtract_points(double, b"\4" + GENERATOR[1:]) is None


@given(scalars)
def test_the_secret_route_and_the_public_route_agree(scalar: bytes) -> None:
    key = SECP256K1.key(scalar)
    assert multiply_public(GENERATOR, scalar) == key.public == key.multiply(GENERATOR)


@given(scalars, st.binary(min_size=32, max_size=32))
def test_a_signature_over_a_hash_is_checked(scalar: bytes, message: bytes) -> None:
    key = SECP256K1.key(scalar).public[1:]
    signature = sign_schnorr(scalar, message)
    assert verify_schnorr(key, message, signature)
    assert not verify_schnorr(key, _spoilt(message), signature)
    assert not verify_schnorr(key, message, _spoilt(signature))
    assert not verify_schnorr(key, message, signature[:-1])
    assert not verify_schnorr(key[:-1], message, signature)
    assert not verify_schnorr(b"\xff" * 32, message, signature)


def test_a_key_never_shows_its_scalar() -> None:
    scalar = b"\xab\xcd" * 16
    key = SECP256K1.key(scalar)
    assert scalar.hex() not in repr(key)
    assert repr(scalar)[2:-1] not in repr(key)
    assert key.public.hex() in repr(key)
    with pytest.raises(TypeError):
        pickle.dumps(key)
    assert "scalar" not in " ".join(name for name in dir(key) if not name.startswith("_"))


def test_the_version_of_an_id_names_the_curve() -> None:
    assert curve_of("01" + "0" * 64) is SECP256K1
    assert curve_of("009a1f293253e41e") is None
    assert curve_of("02" + "0" * 64) is None
    assert curve_of("") is None
