"""What a wallet makes is what the signatory accepts, and nothing else is."""

import asyncio
from random import Random

import pytest

from amana.kernel import Instant, Unavailable
from amana.purse.keysets import KeysetPlan, powers_of_two
from amana.purse.model import BlindSignature, Keyset, Proof
from amana.purse.ports import Blank, Claim, Signed, SigningStopped
from amana.purse.signatory import InProcessSignatory
from amana.testing.ecash import BlindingWallet, Blinded, split_amount, verify_told_dleq

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
