"""What a wallet makes is what the signatory accepts, and nothing else is."""

import asyncio
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.kernel import Instant
from amana.purse.keysets import KeysetPlan, powers_of_two
from amana.purse.model import BlindSignature, Keyset, Proof
from amana.purse.ports import Blank, Claim, Signed
from amana.purse.signatory import InProcessSignatory
from amana.testing.ecash import Blinded, BlindingWallet, split_amount, verify_told_dleq

YEAR = 365 * 86_400
NOW = 1_800_000_000


class StillClock:
    def now(self) -> Instant:
        return Instant(NOW * 1_000_000_000)


@pytest.fixture
def signatory() -> InProcessSignatory:
    plan = KeysetPlan("eur", powers_of_two(8), final_expiry=NOW + YEAR)
    return InProcessSignatory.fresh(b"\7" * 32, [plan], StillClock())


@pytest.fixture
def wallet(signatory: InProcessSignatory) -> BlindingWallet:
    return BlindingWallet(signatory.keysets()[0], Random(5).randbytes)


def _blank(keyset: Keyset, output: Blinded) -> Blank:
    return Blank(keyset.number, output.message.amount, output.message.point)


def _signature(output: Blinded, signed: Signed | None) -> BlindSignature:
    assert signed is not None
    return BlindSignature(output.message.keyset_id, output.message.amount, *signed)


def _claim(keyset: Keyset, proof: Proof) -> Claim:
    return Claim(keyset.number, proof.amount, proof.secret.encode(), proof.point)


def test_an_amount_signed_blindly_is_accepted_as_proofs(
    signatory: InProcessSignatory, wallet: BlindingWallet
) -> None:
    outputs = wallet.outputs(100)
    signed = asyncio.run(signatory.sign([_blank(wallet.keyset, each) for each in outputs]))
    proofs = wallet.proofs(
        outputs, [_signature(*pair) for pair in zip(outputs, signed, strict=True)]
    )
    claims = [_claim(wallet.keyset, proof) for proof in proofs]
    assert [proof.amount for proof in proofs] == [4, 32, 64]
    nullifiers = asyncio.run(signatory.verify(claims))
    assert all(nullifier is not None and len(nullifier) == 32 for nullifier in nullifiers)
    assert len(set(nullifiers)) == 3
    dearer = [claim._replace(amount=128) for claim in claims]
    assert asyncio.run(signatory.verify(dearer)) == [None] * 3


def _sign(signatory: InProcessSignatory, wallet: BlindingWallet, output: Blinded) -> Signed:
    signed = asyncio.run(signatory.sign([_blank(wallet.keyset, output)]))[0]
    assert signed is not None
    return signed


def test_a_wallet_refuses_a_signature_that_another_key_made(
    signatory: InProcessSignatory, wallet: BlindingWallet
) -> None:
    output = wallet.output(4)
    other = output._replace(message=msgspec.structs.replace(output.message, amount=8))
    signed = _sign(signatory, wallet, other)
    with pytest.raises(AssertionError):
        wallet.proof(output, _signature(output, signed))
    with pytest.raises(AssertionError):
        wallet.proof(output, _signature(other, signed))
    spoilt = signed._replace(dleq_s=bytes(31) + b"\1")
    with pytest.raises(AssertionError):
        wallet.proof(other, _signature(other, spoilt))


def test_a_blank_output_takes_the_amount_that_was_signed(
    signatory: InProcessSignatory, wallet: BlindingWallet
) -> None:
    output = wallet.output(0)
    signed = asyncio.run(signatory.sign([Blank(0, 16, output.message.point)]))[0]
    assert signed is not None
    proof = wallet.proof(output, BlindSignature(wallet.keyset.id, 16, *signed))
    assert proof.amount == 16
    assert asyncio.run(signatory.verify([_claim(wallet.keyset, proof)])) != [None]


def test_a_payee_who_is_told_the_factor_can_check_a_token_alone(
    signatory: InProcessSignatory, wallet: BlindingWallet
) -> None:
    output = wallet.output(2)
    signed = _sign(signatory, wallet, output)
    proof = wallet.proof(output, _signature(output, signed))
    key = wallet.keyset.keys[2]
    assert verify_told_dleq(key, proof, signed, output.factor)
    assert not verify_told_dleq(key, proof, signed, wallet.output(2).factor)
    assert not verify_told_dleq(wallet.keyset.keys[4], proof, signed, output.factor)


def test_what_is_signed_shows_nothing_of_the_secret(
    signatory: InProcessSignatory, wallet: BlindingWallet
) -> None:
    # The same secret twice gives two outputs, and two proofs that are one and the same.
    outputs = [wallet.output(1, "the same secret") for _ in range(2)]
    assert outputs[0].message.point != outputs[1].message.point
    proofs = [
        wallet.proof(output, _signature(output, _sign(signatory, wallet, output)))
        for output in outputs
    ]
    assert proofs[0] == proofs[1]


@given(st.integers(1, 10_000))
def test_an_amount_splits_into_few_ascending_denominations(amount: int) -> None:
    parts = split_amount(amount, powers_of_two(14))
    assert sum(parts) == amount
    assert parts == sorted(set(parts))


def test_what_is_no_sum_of_denominations_is_not_split() -> None:
    assert split_amount(0, [2, 4]) == []
    with pytest.raises(AssertionError):
        split_amount(5, [2, 4])
