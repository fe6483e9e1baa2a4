"""One proof, thousands of attempts to spend it at once: exactly one goes through.

Method: a demo operator on loopback; one purse; all attempts are under way at the same time, over a
hundred connections, each with outputs of its own. Then the books are recomputed.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.faults.holder import write_output, write_proof
from tests.faults.machine import machine_in
from tests.faults.purse_load import PurseLoad, Purser, RawMint

from amana.audit import audit_folder
from amana.purse.curve import hash_to_curve
from amana.purse.model import Code, Proof

Json = Any
_CONNECTIONS = 100
_ATTEMPTS = 2_000
_SINGLES = 50


class Attack:
    """Somebody who has one proof and many hands."""

    def __init__(self, load: PurseLoad, mint: RawMint) -> None:
        self.load = load
        self.mint = mint
        self.purser: Purser = load.pursers[0]
        self.shop = load.machine.world["merchants"][0]

    def swap(self, proof: Proof) -> tuple[str, bytes]:
        """Exchange the proof for outputs of this attempt's own."""
        outputs = self.purser.wallet.outputs([proof.amount])
        return "/v1/swap", _bytes(proof, outputs)

    async def quotes(self, count: int, proof: Proof) -> list[str]:
        """Return quotes, each for an attempt of its own."""
        body = {"request": f"@{self.shop['handle']}", "unit": "eur", "amount": proof.amount}
        asked = msgspec.json.encode(body)
        path = "/v1/melt/quote/amana-merchant"
        answers = await asyncio.gather(*(self.mint.post(path, asked) for _ in range(count)))
        return [answer["quote"] for _, answer in answers]

    @staticmethod
    def redemption(quote: str, proof: Proof) -> tuple[str, bytes]:
        """Pay a quote with the proof."""
        return "/v1/melt/amana-merchant", _bytes(proof, [], quote=quote)

    async def at_once(self, attempts: Sequence[tuple[str, bytes]]) -> Counter[tuple[int, int]]:
        """Make all attempts; count how they were answered, by status and code."""
        answers = await asyncio.gather(*(self.mint.post(*attempt) for attempt in attempts))
        return Counter((status, told.get("code", 0)) for status, told in answers)


def _bytes(proof: Proof, outputs: Sequence[Any], **more: Json) -> bytes:
    body = {
        **more,
        "inputs": [write_proof(proof)],
        "outputs": [write_output(output) for output in outputs],
    }
    return msgspec.json.encode(body)


async def attacked(folder: Path) -> dict[str, Counter[tuple[int, int]]]:
    """Attack by swap, by redemption, by both, and one quote with fifty sets of proofs."""
    found = {}
    with machine_in(folder) as machine:
        await machine.start()
        load = PurseLoad(machine, random.Random(4))
        await load.fill()
        mint = RawMint(machine.port + 1, _CONNECTIONS)
        await mint.open()
        attack = Attack(load, mint)
        first, second, third = [p for p in attack.purser.wallet.proofs if p.amount == 256][:3]
        half = _ATTEMPTS // 2
        found["swap"] = await attack.at_once([attack.swap(first) for _ in range(_ATTEMPTS)])
        quotes = await attack.quotes(_ATTEMPTS, second)
        found["redeem"] = await attack.at_once([attack.redemption(q, second) for q in quotes])
        quotes = await attack.quotes(half, third)
        mixed = [attack.redemption(quote, third) for quote in quotes]
        mixed += [attack.swap(third) for _ in range(half)]
        load.chance.shuffle(mixed)
        found["both"] = await attack.at_once(mixed)
        found["one quote"] = await one_quote(attack)
        await mint.close()
        machine.stop()
    return found


async def one_quote(attack: Attack) -> Counter[tuple[int, int]]:
    """Pay one quote with fifty different proofs at once."""
    async with attack.load.client() as client:
        proofs = await singles(attack, client)
    (quote,) = await attack.quotes(1, proofs[0])
    counted = await attack.at_once([attack.redemption(quote, proof) for proof in proofs])
    points = [hash_to_curve(proof.secret.encode()).hex() for proof in proofs]
    _, told = await attack.mint.post("/v1/checkstate", msgspec.json.encode({"Ys": points}))
    states = Counter(state["state"] for state in told["states"])
    assert states == {"SPENT": 1, "UNSPENT": len(proofs) - 1}
    return counted


async def singles(attack: Attack, client: httpx.AsyncClient) -> list[Proof]:
    """Break another purse's proofs into fifty of 1."""
    wallet = attack.load.pursers[1].wallet
    large = wallet.pick(64)
    rest = sum(proof.amount for proof in large) - _SINGLES
    outputs = [*wallet.outputs([1] * _SINGLES), *wallet.sum_of(rest)]
    body = {
        "inputs": [write_proof(proof) for proof in large],
        "outputs": [write_output(one) for one in outputs],
    }
    status, told = await attack.load.at_mint(client, "/v1/swap", body)
    assert status == httpx.codes.OK, told
    return wallet.receive(outputs, told["signatures"])[:_SINGLES]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Counter[tuple[int, int]]]:
    """What came of every attack; the books are sound after all of them."""
    folder = tmp_path_factory.mktemp("attacked")
    found = asyncio.run(attacked(folder))
    report = audit_folder(folder / "data")
    assert report.is_sound, report.findings
    assert not report.unfinished
    return found


@pytest.mark.parametrize("way", ["swap", "redeem", "both"])
def test_of_two_thousand_attempts_to_spend_one_proof_one_goes_through(
    counted: dict[str, Counter[tuple[int, int]]], way: str
) -> None:
    answers = counted[way]
    assert answers[200, 0] == 1
    assert answers[400, Code.ALREADY_SPENT] > 0
    # While one payment is made with a proof, it is pending to all others.
    pending = {(400, Code.PROOFS_PENDING)} if way != "swap" else set()
    assert set(answers) <= {(200, 0), (400, Code.ALREADY_SPENT), *pending}
    assert answers.total() == _ATTEMPTS


def test_of_fifty_proofs_for_one_quote_one_is_spent(
    counted: dict[str, Counter[tuple[int, int]]],
) -> None:
    answers = counted["one quote"]
    assert answers[200, 0] == 1
    assert set(answers) <= {
        (200, 0),
        (400, Code.QUOTE_PENDING),
        (400, Code.ALREADY_PAID),
    }
    assert answers.total() == _SINGLES
