"""Spending conditions: the published vectors of NUT-11, NUT-14, NUT-20 and NUT-28."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey, PublicKey
from tests.purse.locks import OUTPUT, POINT, as_output, as_proof, said, sign

from amana.purse.curve import verify_schnorr
from amana.purse.model import Proof
from amana.purse.rules.conditions import (
    operation_message,
    plain_quote_message,
    quote_signature_holds,
)
from amana.wire.cashu import HTLC, P2PK, Witness, write_secret, write_witness

VECTORS = Path(__file__).parent.parent / "vectors" / "nuts"


def published(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", published("11")["sig_inputs"], ids=lambda v: v["says"][:60])
def test_each_published_input_is_judged_as_published(vector: dict[str, Any]) -> None:
    answer = said(as_proof(vector["proof"]))
    assert (answer is None) == vector["is_spendable"], answer


@pytest.mark.parametrize("vector", published("11")["sig_all"], ids=lambda v: v["says"][-60:])
def test_each_published_operation_is_judged_as_published(vector: dict[str, Any]) -> None:
    request = vector["request"]
    proofs = [as_proof(one) for one in request["inputs"]]
    outputs = [as_output(one) for one in request["outputs"]]
    answer = said(*proofs, outputs=outputs, quote=request.get("quote"))
    assert (answer is None) == vector["is_spendable"], answer


def test_published_operations_give_the_published_messages() -> None:
    told = [vector for vector in published("11")["sig_all"] if "message" in vector]
    assert len(told) == 2
    for vector in told:
        request = vector["request"]
        message = operation_message(
            [as_proof(one) for one in request["inputs"]],
            [as_output(one) for one in request["outputs"]],
            request.get("quote"),
        )
        assert message == vector["message"]
        assert hashlib.sha256(message.encode()).hexdigest() == vector["sha256"]


def test_the_published_preimage_opens_the_published_hash() -> None:
    vector = published("14")
    secret = write_secret(HTLC, "nonce", vector["hash"]).text
    opened = write_witness(Witness(vector["preimage"]))
    assert said(Proof("00", 1, secret, POINT, opened)) is None


def test_published_quote_signatures_are_judged_as_published() -> None:
    vector = published("20")
    for request, holds in ((vector["valid"], True), (vector["invalid"], False)):
        assert (
            quote_signature_holds(
                request["quote"],
                [as_output(one) for one in request["outputs"]],
                pubkey=bytes.fromhex(vector["pubkey"]),
                signature=bytes.fromhex(request["signature"]),
                verify=verify_schnorr,
            )
            is holds
        )


def test_the_published_quote_message_is_what_is_hashed() -> None:
    vector = published("20")
    outputs = [as_output(one) for one in vector["valid"]["outputs"]]
    digest = hashlib.sha256(vector["message"].encode()).digest()
    assert plain_quote_message(vector["valid"]["quote"], outputs) == digest


def test_a_proof_locked_to_a_blinded_key_opens_for_the_derived_key_and_no_other() -> None:
    vector = published("28")
    proof = as_proof(vector["proof"])
    # The published example's key has the other parity, so the negated derivation is right.
    for secret_key, refused in (
        (vector["sk_neg"][0], None),
        (vector["sk_std"][0], "signature threshold not met. 0 < 1."),
        (vector["inputs"]["p"], "signature threshold not met. 0 < 1."),
    ):
        signer = PrivateKey(bytes.fromhex(secret_key))
        witness = write_witness(Witness(signatures=sign(proof.secret, signer)))
        spent = Proof(proof.keyset_id, proof.amount, proof.secret, proof.point, witness)
        assert said(spent, outputs=(OUTPUT,)) == refused


def test_payer_and_payee_of_the_published_blinded_key_share_one_secret() -> None:
    vector = published("28")
    inputs = {name: bytes.fromhex(value) for name, value in vector["inputs"].items()}
    for secret_key, point in ((inputs["e"], inputs["P"]), (inputs["p"], inputs["E"])):
        assert PublicKey(point).multiply(secret_key).format()[1:].hex() == vector["zx"]


@pytest.mark.parametrize("place", range(11))
def test_each_published_blinded_key_opens_for_its_derived_key_alone(place: int) -> None:
    vector = published("28")
    payee = PublicKey(bytes.fromhex(vector["inputs"]["P"]))
    shared = bytes.fromhex(vector["zx"])
    tweak = hashlib.sha256(b"Cashu_P2BK_v1" + shared + bytes([place])).digest()
    assert tweak.hex() == vector["r"][place]
    blinded = payee.add(tweak)
    assert blinded.format().hex() == vector["blinded"][place]
    text = write_secret(P2PK, "nonce", vector["blinded"][place]).text
    for secret_key, refused in (
        (vector["sk_neg"][place], None),
        (vector["sk_std"][place], "signature threshold not met. 0 < 1."),
    ):
        signer = PrivateKey(bytes.fromhex(secret_key))
        witness = write_witness(Witness(signatures=sign(text, signer)))
        assert said(Proof("00", 1, text, POINT, witness)) == refused
