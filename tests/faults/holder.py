"""A wallet's side of the e-cash for tests: what it holds, and what it sends, as JSON."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from amana.purse.model import BlindSignature, Keyset, Proof
from amana.purse.policy import refill_outputs, shipped_policy
from amana.testing.ecash import Blinded, BlindingWallet

Json = Any
BLANKS: Final = 14


def read_keyset(view: Json) -> Keyset:
    """Read a keyset as the mint publishes it."""
    keys = {int(amount): bytes.fromhex(point) for amount, point in view["keys"].items()}
    return Keyset(0, view["id"], view["unit"], view["active"], 0, view["final_expiry"], keys)


def read_signature(view: Json) -> BlindSignature:
    """Read a signature as the mint answers it."""
    dleq = view["dleq"]
    e, s = bytes.fromhex(dleq["e"]), bytes.fromhex(dleq["s"])
    return BlindSignature(view["id"], view["amount"], bytes.fromhex(view["C_"]), e, s)


def write_output(blinded: Blinded) -> Json:
    """Show an output."""
    message = blinded.message
    return {"amount": message.amount, "id": message.keyset_id, "B_": message.point.hex()}


def write_proof(proof: Proof) -> Json:
    """Show a proof."""
    return {
        "amount": proof.amount,
        "id": proof.keyset_id,
        "secret": proof.secret,
        "C": proof.point.hex(),
    }


class Wallet:
    """Holds proofs of one mint, and the factor each was blinded with."""

    def __init__(self, keyset: Keyset, draw: Callable[[int], bytes] = os.urandom) -> None:
        self.proofs: list[Proof] = []
        self.factors: dict[str, bytes] = {}
        self._draw = draw
        self._keysets: dict[str, BlindingWallet] = {}
        self.renew(keyset)

    def renew(self, keyset: Keyset) -> None:
        """Make outputs for another keyset from now on."""
        self.keyset = keyset
        self._keysets[keyset.id] = BlindingWallet(keyset, self._draw)

    @property
    def total(self) -> int:
        """What it holds, minor units."""
        return sum(proof.amount for proof in self.proofs)

    def outputs(self, amounts: Iterable[int]) -> list[Blinded]:
        """Make an output for each amount."""
        return [self._keysets[self.keyset.id].output(amount) for amount in amounts]

    def sum_of(self, amount: int) -> list[Blinded]:
        """Make outputs for a sum."""
        return self._keysets[self.keyset.id].outputs(amount)

    def blanks(self) -> list[Blinded]:
        """Make blank outputs for change (NUT-08)."""
        return self.outputs([1] * BLANKS)

    def refill(self, amount: int) -> list[Blinded]:
        """Make the outputs of a refill, as everybody's are."""
        return self.outputs(refill_outputs(shipped_policy(), amount))

    def pick(self, amount: int) -> list[Proof]:
        """Take proofs out that are at least this much together, largest first."""
        chosen: list[Proof] = []
        for proof in sorted(self.proofs, key=lambda proof: -proof.amount):
            if sum(each.amount for each in chosen) >= amount:
                break
            chosen.append(proof)
        assert sum(each.amount for each in chosen) >= amount, "the wallet holds enough"
        self.proofs = [proof for proof in self.proofs if proof not in chosen]
        return chosen

    def put_back(self, proofs: Sequence[Proof]) -> None:
        """Hold proofs again that were not spent."""
        self.proofs += proofs

    def receive(self, outputs: Sequence[Blinded], signatures: Sequence[Json]) -> list[Proof]:
        """Turn signatures into proofs and hold them; each DLEQ proof must hold."""
        taken = []
        for blinded, signature in zip(outputs, signatures, strict=False):
            maker = self._keysets[blinded.message.keyset_id]
            taken.append(maker.proof(blinded, read_signature(signature)))
            self.factors[blinded.secret] = blinded.factor
        self.proofs += taken
        return taken
