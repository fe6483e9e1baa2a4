"""A mint in a process of its own that is killed at the n-th step of a request.

A step is a statement to the books, a question to the signatory or its answer, and at the end the
answer that nobody gets any more.
"""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.node.mint_world import Reply
from tests.node.purse_town import purse_town

from amana.kernel import Instant
from amana.purse.ports import Blank, Claim, Signed
from amana.purse.signatory import InProcessSignatory
from amana.testing.rooms import HandClock

Json = Any


class Death:
    """Counts steps from when it is told to; at the last one this process ends as by kill -9."""

    def __init__(self, at_step: int) -> None:
        self._left = at_step
        self.counts = False

    def step(self, *_: object) -> None:
        """Count a step."""
        if not self.counts:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class WatchedKeys(InProcessSignatory):
    """Keys whose every use is two steps: asked, and done but not told."""

    death: Death

    async def verify_revoked(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs of revoked keysets."""
        self.death.step()
        found = await super().verify_revoked(claims)
        self.death.step()
        return found

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs."""
        self.death.step()
        signed = await super().sign(blanks)
        self.death.step()
        return signed


def ask_and_die(folder: Path, now: Instant, path: str, body: Json, at_step: int) -> None:
    """Open the mint of a folder, ask it, and die at a step; come back if there is none such."""
    death = Death(at_step)
    with purse_town(folder, HandClock(now), holder=WatchedKeys) as town:
        keys = town.operator.purse.signatory
        assert isinstance(keys, WatchedKeys), "the keys are those that were asked for"
        keys.death = death
        town.operator.writer._core.connection.set_trace_callback(death.step)
        death.counts = True
        answer: Reply = town.at_mint("POST", path, body)
        assert answer.status == 200, answer.body
        death.step()
        death.counts = False
