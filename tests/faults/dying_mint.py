"""A mint in a process of its own that is killed at the n-th step of what it does.

A step is a statement to the books, a question to the keys or its answer, a count of signatures
about to be kept or just kept, and at the end the answer that nobody gets any more. To die at one
step is to die after the effect of the step before.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from tests.node.mint_world import Reply, ask
from tests.node.purse_town import keys_of

from amana.kernel import Clock, Instant, Unavailable
from amana.node.http.openid import make_openid
from amana.node.mint.operators import create_operator_mint
from amana.node.operator import Operator, open_operator
from amana.purse.ports import Blank, Claim, Exchanged, Signed
from amana.purse.signatory import FolderStore, InProcessSignatory
from amana.purse.signatory.store import Store
from amana.storage import _writer
from amana.testing.rooms import HandClock

Json = Any
ROUND: Final = "a round of the standing orders"
"""Asked for instead of a path: what the operator does by itself."""
_T = TypeVar("_T")


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
            self.come()

    def come(self) -> None:
        """End this process."""
        os.kill(os.getpid(), signal.SIGKILL)


class Absence(Death):
    """Counts steps likewise; at the last one the keys are gone, and the mint lives on."""

    def come(self) -> None:
        """Leave whoever asks without an answer."""
        self.counts = False
        raise Unavailable("the keys are gone")


class WatchedStore(FolderStore):
    """Counts of signatures whose every change is two steps."""

    death: Death

    def change_counts(self, change: Callable[[dict[str, int]], dict[str, int]]) -> None:
        """Change the counts."""
        self.death.step()
        super().change_counts(change)
        self.death.step()


class WatchedKeys(InProcessSignatory):
    """Keys whose every use is two steps at least: asked, and done but not told."""

    def __init__(self, store: Store, clock: Clock) -> None:
        assert isinstance(store, FolderStore), "the keys are those of a folder"
        self._watched = WatchedStore(store.folder)
        super().__init__(self._watched, clock)
        self.watch(Death(0))

    def watch(self, death: Death) -> None:
        """Tell a death of each step from now on."""
        self._death = self._watched.death = death

    async def verify_revoked(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs of revoked keysets."""
        self._death.step()
        found = await super().verify_revoked(claims)
        self._death.step()
        return found

    async def exchange(self, claims: Sequence[Claim], blanks: Sequence[Blank]) -> Exchanged:
        """Check proofs, and sign outputs for them."""
        self._death.step()
        made = await super().exchange(claims, blanks)
        self._death.step()
        return made

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs."""
        self._death.step()
        signed = await super().sign(blanks)
        self._death.step()
        return signed


@dataclass(frozen=True)
class LoneMint:
    """An operator with its mint alone: what opens quickly, again and again."""

    operator: Operator
    runner: asyncio.Runner
    app: Any

    def run(self, work: Awaitable[_T]) -> _T:
        """Run something to its end."""
        return self.runner.run(_awaited(work))

    def watch(self, death: Death) -> None:
        """Tell a death of each step of the keys from now on."""
        keys = self.operator.purse.signatory
        assert isinstance(keys, WatchedKeys), "the keys are those that were asked for"
        keys.watch(death)
        death.counts = True

    def post(self, path: str, body: Json) -> Reply:
        """Ask the mint, or have the operator do its round, which says how much it has done."""
        if path == ROUND:
            try:
                made = self.run(self.operator.purse.standing.carry_out())
            except Unavailable:
                return Reply(503, {}, b"")
            return Reply(200, {}, str(made).encode())
        return self.run(ask(self.app, "POST", path, body))


async def _awaited(work: Awaitable[_T]) -> _T:
    return await work


@contextmanager
def lone_mint(
    folder: Path, now: Instant, holder: type[InProcessSignatory] = InProcessSignatory
) -> Iterator[LoneMint]:
    """Open the mint of a folder; nothing that was interrupted is finished yet."""
    clock = HandClock(now)
    with (
        asyncio.Runner() as runner,
        open_operator(
            folder, clock=clock, mint_signatory=keys_of(folder, clock, holder)
        ) as operator,
    ):
        yield LoneMint(operator, runner, create_operator_mint(operator, make_openid(operator)))


class Errand(NamedTuple):
    """What is asked of a mint, and how many turns share a commit: one where others fill the rest.

    With one, each step of a payment is durable before the next.
    """

    now: Instant
    path: str
    body: Json
    turns_max: int | None = None


def ask_and_die(folder: Path, errand: Errand, at_step: int) -> None:
    """Open the mint of a folder, ask it, and die at a step; come back if there is none such."""
    death = Death(at_step)
    with lone_mint(folder, errand.now, WatchedKeys) as mint:
        mint.run(mint.operator.start())
        _writer.GROUP_TURNS_MAX = errand.turns_max or _writer.GROUP_TURNS_MAX  # type: ignore[misc]
        mint.operator.writer._core.connection.set_trace_callback(death.step)
        mint.watch(death)
        answer = mint.post(errand.path, errand.body)
        assert answer.status == 200, answer.body
        death.step()
        death.counts = False
