"""The mint is killed at every single step of issuing revoked e-cash anew: none is lost or made.

Method: a wallet's keyset is revoked, and the folder kept as it then is. For each step a copy of it
is opened by a process that is killed there. The mint comes back, and the wallet asks again with
the same bytes, or for its signatures (NUT-09) where it is told that all was done.
"""

import copy
import multiprocessing
import signal
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from shutil import copytree
from typing import Any, Final

import pytest
from tests.faults.dying_mint import ask_and_die
from tests.faults.holder import Wallet, write_output, write_proof
from tests.node.purse_town import purse_town

from amana.audit import audit_folder
from amana.kernel import Instant
from amana.purse.liabilities import read_facts
from amana.purse.model import Code, Proof
from amana.storage import BOOKS_FILE, open_reader
from amana.testing.ecash import Blinded
from amana.testing.rooms import HandClock

Json = Any
PATH: Final = "/v1/reissue"
SHOWN: Final = 3
STEPS_MIN: Final = 12
"""Books read twice, two questions to the signatory, and a commit with rows for each proof."""


@dataclass
class Revoked:
    """A folder whose e-cash was revoked, its only holder, and what that one asks."""

    folder: Path
    now: Instant
    wallet: Wallet
    old: list[Proof]
    outputs: list[Blinded]

    @property
    def body(self) -> Json:
        """The request, the same each time."""
        shown = [
            {**write_proof(one), "r": self.wallet.factors[one.secret].hex()} for one in self.old
        ]
        return {"inputs": shown, "outputs": [write_output(one) for one in self.outputs]}


@pytest.fixture(scope="module")
def revoked(tmp_path_factory: pytest.TempPathFactory) -> Revoked:
    """Fill a wallet, and revoke what filled it."""
    folder, clock = tmp_path_factory.mktemp("revoked") / "town", HandClock()
    with purse_town(folder, clock) as town:
        wallet = town.filled()
        town.revoke(0)
        town.learn(wallet)
    old, wallet.proofs = wallet.proofs[:SHOWN], wallet.proofs[SHOWN:]
    outputs = wallet.sum_of(sum(proof.amount for proof in old))
    return Revoked(folder, clock.now(), wallet, old, outputs)


def is_killed(folder: Path, revoked: Revoked, step: int) -> bool:
    """Ask a mint that dies at a step; return whether there was such a step."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([ask_and_die.__module__])
    process = processes.Process(
        target=ask_and_die, args=(folder, revoked.now, PATH, revoked.body, step)
    )
    process.start()
    process.join()
    assert process.exitcode in {0, -signal.SIGKILL}, process.exitcode
    return process.exitcode != 0


def ask_again(folder: Path, revoked: Revoked) -> str:
    """Ask as the wallet does that has no answer; check what it holds and what the books say."""
    wallet = copy.copy(revoked.wallet)
    wallet.proofs = list(revoked.wallet.proofs)
    with purse_town(folder, HandClock(revoked.now)) as town:
        answer = town.at_mint("POST", PATH, revoked.body)
        was_done = answer.status != 200
        if was_done:
            assert answer.json["code"] in {Code.ALREADY_SPENT, Code.ALREADY_SIGNED}
            outputs = {"outputs": revoked.body["outputs"]}
            answer = town.at_mint("POST", "/v1/restore", outputs)
        wallet.receive(revoked.outputs, answer.json["signatures"])
        more = wallet.sum_of(sum(proof.amount for proof in revoked.old))
        again = {**revoked.body, "outputs": [write_output(one) for one in more]}
        assert town.at_mint("POST", PATH, again).json["code"] == Code.ALREADY_SPENT
        assert set(town.states(revoked.old)) == {"SPENT"}
    assert wallet.total == 2_000
    report = audit_folder(folder)
    assert report.is_sound, report.findings
    assert not report.unfinished
    with closing(open_reader((folder / BOOKS_FILE).resolve())) as connection:
        out = sum(
            (each.signed - each.spent) * each.amount for each in read_facts(connection).counts
        )
    assert out == wallet.total, "what is out is what the only wallet holds"
    return "done" if was_done else "not done"


def test_a_kill_at_any_step_of_an_issue_anew_loses_and_makes_no_e_cash(
    revoked: Revoked, tmp_path: Path
) -> None:
    found = []
    for step in count(1):
        folder = tmp_path / str(step)
        copytree(revoked.folder, folder)
        if not is_killed(folder, revoked, step):
            break
        found.append(ask_again(folder, revoked))
    assert len(found) >= STEPS_MIN
    assert found == sorted(found, reverse=True), "from one step on it is done"
    assert set(found) == {"not done", "done"}
