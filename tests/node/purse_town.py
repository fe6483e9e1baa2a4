"""A town with a mint at its own origin, its keys in this process, and wallets full of e-cash."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec
from tests.faults.holder import Wallet, read_keyset, write_output, write_proof
from tests.node.mint_world import Reply, ask
from tests.node.town import SETTINGS, Client, Town, eur

from amana.kernel import HOUR_NS
from amana.node.http.openid import make_openid
from amana.node.mint.operators import create_operator_mint
from amana.node.operator import Operator, make_operator, open_operator
from amana.node.purse import keyset_plan, token_plan
from amana.node.workers import look_after_keysets
from amana.people.openid import OpenId
from amana.purse.curve import hash_to_curve
from amana.purse.model import Proof
from amana.purse.signatory import FolderStore, InProcessSignatory, make_signatory
from amana.testing.rooms import HandClock
from amana.trust import SIGNATORY_FOLDER

SEED: Final = bytes(range(32))
Json = Any


class PurseTown(Town):
    """The operator on both its origins."""

    def __init__(
        self, operator: Operator, runner: asyncio.Runner, clock: HandClock, openid: OpenId
    ) -> None:
        super().__init__(operator, runner, clock)
        self.mint = create_operator_mint(operator, openid)

    async def asked(self, method: str, path: str, body: Json = None, **headers: str) -> Reply:
        """Ask the mint; to be awaited beside others."""
        return await ask(self.mint, method, path, body, **headers)

    def at_mint(self, method: str, path: str, body: Json = None, **headers: str) -> Reply:
        """Ask the mint."""
        return self.run(self.asked(method, path, body, **headers))

    def wallet(self) -> Wallet:
        """Make an empty wallet for the keyset that signs."""
        (keyset,) = self.at_mint("GET", "/v1/keys").json["keysets"]
        return Wallet(read_keyset(keyset))

    def learn(self, wallet: Wallet) -> None:
        """Let a wallet hear of the keyset that signs now."""
        (keyset,) = self.at_mint("GET", "/v1/keys").json["keysets"]
        wallet.renew(read_keyset(keyset))

    def carry_out(self) -> None:
        """Let a day pass, and the operator carry out its standing orders."""
        self.clock.advance(25 * HOUR_NS)
        self.run(self.operator.purse.standing.carry_out())

    def refill(self, customer: Client, wallet: Wallet, tier: int = 2_000) -> None:
        """Fill a wallet from an account."""
        outputs = wallet.refill(tier)
        asked = [{"amount": one.message.amount, "B_": one.message.point.hex()} for one in outputs]
        body = {"tier": eur(tier), "keyset_id": wallet.keyset.id, "outputs": asked}
        left = customer.put("/v1/purse/refill", body)
        assert left.status == 200, left.content
        self.carry_out()
        signed = customer.get("/v1/purse/refill").body
        assert signed["state"] == "signed", signed
        wallet.receive(outputs, signed["signatures"])

    def filled(self, tier: int = 2_000) -> Wallet:
        """Return a wallet with e-cash in it."""
        wallet = self.wallet()
        self.refill(self.customer(tier), wallet, tier)
        return wallet

    def quote(self, request: str, method: str = "amana-merchant", **more: Json) -> str:
        """Return the id of a quote for a redemption."""
        path = f"/v1/melt/quote/{method}"
        answer = self.at_mint("POST", path, {"request": request, "unit": "eur", **more})
        assert answer.status == 200, answer.body
        return str(answer.json["quote"])

    def pay(
        self, quote: str, wallet: Wallet, proofs: list[Proof], method: str = "amana-merchant"
    ) -> Reply:
        """Redeem proofs; the change is the wallet's, or where it was refused the proofs again."""
        blanks = wallet.blanks()
        answer = self.at_mint("POST", f"/v1/melt/{method}", redemption(quote, proofs, blanks))
        if answer.status == 200:
            wallet.receive(blanks, answer.json.get("change", []))
        else:
            wallet.put_back(proofs)
        return answer

    def swap(self, wallet: Wallet, proofs: list[Proof]) -> Reply:
        """Exchange proofs for fresh ones; where it was refused the wallet has them again."""
        outputs = wallet.sum_of(sum(proof.amount for proof in proofs))
        answer = self.at_mint("POST", "/v1/swap", exchange(proofs, outputs))
        if answer.status == 200:
            wallet.receive(outputs, answer.json["signatures"])
        else:
            wallet.put_back(proofs)
        return answer

    def revoke(self, number: int) -> None:
        """Revoke a keyset; another signs in its place."""
        signatory = self.operator.purse.signatory
        assert isinstance(signatory, InProcessSignatory), "an operator's command does it elsewhere"
        self.run(signatory.revoke(number))
        self.run(look_after_keysets(self.operator))

    def state(self, proof: Proof) -> str:
        """Return where a proof stands."""
        return self.states([proof])[0]

    def states(self, proofs: list[Proof]) -> list[str]:
        """Return where proofs stand."""
        asked = {"Ys": [hash_to_curve(proof.secret.encode()).hex() for proof in proofs]}
        return [
            one["state"] for one in self.at_mint("POST", "/v1/checkstate", asked).json["states"]
        ]


def exchange(proofs: list[Proof], outputs: list[Any]) -> Json:
    """Write what a swap asks."""
    return {
        "inputs": [write_proof(proof) for proof in proofs],
        "outputs": [write_output(output) for output in outputs],
    }


def redemption(quote: str, proofs: list[Proof], blanks: list[Any]) -> Json:
    """Write what a redemption asks."""
    return {"quote": quote, **exchange(proofs, blanks)}


def keys_of(
    folder: Path, clock: HandClock, holder: type[InProcessSignatory] = InProcessSignatory
) -> InProcessSignatory:
    """Hold the keys of an operator's folder in this process; they are made where there are none."""
    plans = [keyset_plan("eur", clock), token_plan(clock)]
    make_signatory(folder / SIGNATORY_FOLDER, plans, seed=SEED, clock=clock)
    return holder(FolderStore(folder / SIGNATORY_FOLDER), clock)


@cache
def _made(**settings: Any) -> TemporaryDirectory[str]:
    """Make the folder of an operator that nothing has happened in yet: once, for all its towns."""
    folder = TemporaryDirectory()
    clock = HandClock()
    make_operator(Path(folder.name), msgspec.structs.replace(SETTINGS, **settings), clock=clock)
    keys_of(Path(folder.name), clock)
    return folder


@contextmanager
def purse_town(
    folder: Path,
    clock: HandClock | None = None,
    *,
    holder: type[InProcessSignatory] = InProcessSignatory,
    **settings: Any,
) -> Iterator[PurseTown]:
    """Make (once) and open an operator with its mint, on a loop of its own."""
    clock = clock or HandClock()
    if not folder.exists():
        copytree(_made(**settings).name, folder)
    with (
        asyncio.Runner() as runner,
        open_operator(
            folder, clock=clock, mint_signatory=keys_of(folder, clock, holder)
        ) as operator,
    ):
        yield PurseTown(operator, runner, clock, make_openid(operator))
