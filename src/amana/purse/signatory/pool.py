"""The signatory as the mint sees it: some processes, asked in batches.

While a process works on a batch, what is asked meanwhile gathers for the next; so the cost of the
way there and back is shared when there is much to do, and nobody waits for company when there is
little. What only looks, or repeats an answer, comes after what pays and in small pieces: however
many strangers ask for it, a payment waits for a piece or two, and each of them for one of everybody
else's. A process that dies takes nothing with it but the answers under way: those who asked hear
`Unavailable`, the process is begun again, and the same question has the same answer.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

from amana.kernel import Unavailable
from amana.purse.model import Keyset
from amana.purse.ports import Blank, Claim, Exchanged, Signed, SigningStopped
from amana.purse.signatory.link import Job, Link, fail
from amana.purse.signatory.protocol import (
    Answer,
    Ask,
    Check,
    Checked,
    Exchange,
    GiveBack,
    Limit,
    Listed,
    Made,
    Reason,
    Refused,
    Reload,
    Revoke,
    Rotate,
    Sign,
    Signatures,
)
from amana.purse.signatory.store import SignatoryDamaged
from amana.purse.signatory.vault import KeyUnknown

PROCESSES_MAX: Final = 4
"""One process asks them all, and a swap costs it about what it costs them: more would idle."""

_log: Final = logging.getLogger("amana.signatory")
_BATCH_MAX: Final = 64
_WORK_MAX: Final = 3_000
"""Signatures in one batch, or seven times as many checks, which cost as much: half a second. What
is put into batches by strangers must end long before the process counts as hanging."""
_CHECKS_A_SIGNATURE: Final = 7
_PIECE: Final = 32
"""Signatures that a question which can wait asks for at once: 5 ms. Then it queues again."""
_LATER_WORK_MAX: Final = 64
"""Work in a batch of what can wait: a payment that comes meanwhile waits for no more."""
_SHARE: Final = 4
"""Of so much work that pays, one part more is done of what can wait, so that it is not starved."""
_LATER_MAX: Final = 256
"""Askers who can wait. Of more, that goes which asks for most: whoever has few outputs to look for,
as most have whose answer was lost, is not kept out by many who ask for hundreds."""
_DELAY_SECONDS_FIRST: Final = 0.05
_DELAY_SECONDS_MAX: Final = 5.0


def default_processes() -> int:
    """Return one process a core, at most four."""
    return min(os.cpu_count() or 1, PROCESSES_MAX)


@asynccontextmanager
async def open_signatory(
    folder: Path, *, processes: int | None = None
) -> AsyncIterator["SignatoryPool"]:
    """Start a mint's signatory and end it afterwards.

    Args:
        folder: Where `make_signatory` made it.
        processes: How many; by default one a core, at most four.
    Raises:
        SignatoryDamaged: The seed or the list is missing, or they do not belong together.
        Unavailable: A process did not start.
    """
    pool = SignatoryPool(folder)
    try:
        await pool.start(processes or default_processes())
        yield pool
    finally:
        await pool.stop()


class SignatoryPool:
    """Answers `Signatory`'s questions through processes of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._links: list[Link] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._waiting: deque[Job] = deque()
        self._later: deque[Job] = deque()
        self._owed = 0
        self._is_due = False
        self._is_whole = asyncio.Event()
        self._processes = 0
        self._keysets: tuple[Keyset, ...] = ()

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The ids of the processes that serve."""
        return tuple(link.process_id for link in self._links if link.is_up)

    async def start(self, processes: int) -> None:
        """Start the processes and wait for all of them."""
        self._processes = processes
        links = [await self._begin() for _ in range(processes)]
        greetings = await asyncio.gather(*(link.greeting for link in links), return_exceptions=True)
        for greeting in greetings:
            if isinstance(greeting, BaseException):
                raise greeting
            self._greet(greeting)
        self._keepers = [asyncio.create_task(self._keep(link)) for link in links]

    async def stop(self) -> None:
        """End the processes."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(link.stop() for link in self._links))
        self._links.clear()
        self._pump()

    async def wait_until_whole(self) -> None:
        """Wait until every process serves."""
        await self._is_whole.wait()

    def keysets(self) -> tuple[Keyset, ...]:
        """Return the append-only list of keysets, oldest first, as last heard."""
        return self._keysets

    async def verify(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; answer each with its nullifier, or None where it is false."""
        return await self._check(Check(list(claims)))

    async def verify_later(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs as `verify` does, after what pays."""
        return await self._check_later(claims, is_revoked=False)

    async def verify_revoked(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs of revoked keysets, whose holders must also show how they were issued."""
        return await self._check_later(claims, is_revoked=True)

    async def exchange(self, claims: Sequence[Claim], blanks: Sequence[Blank]) -> Exchanged:
        """Check proofs, and sign outputs for them if every one is good.

        Raises:
            SigningStopped: The count of a denomination stands at its limit.
            Unavailable: The signatory is gone, or a keyset has retired this moment.
        """
        found = await self._ask(Exchange(list(claims), list(blanks)))
        assert isinstance(found, Made), "a question has an answer of its kind"
        return Exchanged(found.nullifiers, found.signed)

    async def give_back(self, blanks: Sequence[Blank]) -> None:
        """Count signatures no more that were made and never told to anybody."""
        await self._ask(GiveBack(list(blanks)))

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs, all or none; where one is not on the curve, every answer is None.

        Raises:
            SigningStopped: The count of a denomination stands at its limit.
            Unavailable: The signatory is gone, or a keyset has retired this moment.
        """
        return await self._sign(Sign(list(blanks)))

    async def sign_again(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Repeat signatures that were given before, without counting them anew, after what pays."""
        signed: list[Signed | None] = []
        for start in range(0, len(blanks), _PIECE):
            piece = Sign(list(blanks[start : start + _PIECE]), is_repeat=True)
            signed += await self._sign(piece, later_of=len(blanks))
        return signed

    async def rotate(self, unit: str, *, final_expiry: int) -> Keyset:
        """Begin a new keyset for a unit; the one before signs no more.

        When this returns every process knows it.
        """
        listed = await self._change(Rotate(unit, final_expiry))
        assert listed.newest is not None, "a rotation begins a keyset"
        return listed.keysets[listed.newest]

    async def revoke(self, number: int) -> None:
        """Let a keyset whose key may be in other hands check and sign no more."""
        await self._change(Revoke(number))

    async def set_limit(self, number: int, signatures_max: int) -> None:
        """Let a keyset sign more, or less, of each denomination."""
        await self._change(Limit(number, signatures_max))

    async def _check_later(
        self, claims: Sequence[Claim], *, is_revoked: bool
    ) -> list[bytes | None]:
        nullifiers: list[bytes | None] = []
        for start in range(0, len(claims), step := _PIECE * _CHECKS_A_SIGNATURE):
            piece = Check(list(claims[start : start + step]), is_revoked)
            nullifiers += await self._check(piece, later_of=len(claims) // _CHECKS_A_SIGNATURE)
        return nullifiers

    async def _check(self, ask: Check, later_of: int | None = None) -> list[bytes | None]:
        found = await self._ask(ask, later_of)
        assert isinstance(found, Checked), "a question has an answer of its kind"
        return found.nullifiers

    async def _sign(self, ask: Sign, later_of: int | None = None) -> list[Signed | None]:
        found = await self._ask(ask, later_of)
        assert isinstance(found, Signatures), "a question has an answer of its kind"
        return found.signed

    async def _change(self, ask: Rotate | Revoke | Limit | Reload) -> Listed:
        found = await self._ask(ask)
        assert isinstance(found, Listed), "a question has an answer of its kind"
        self._hear(found)
        # A process that is gone reads the list when it comes back.
        up = [link for link in self._links if link.is_up]
        await asyncio.gather(*(self._tell(link) for link in up), return_exceptions=True)
        return found

    async def _ask(self, ask: Ask, later_of: int | None = None) -> Answer:
        """Ask, after what pays where it is a piece of something that can wait, of that size."""
        job = self._job(ask)
        if later_of is None:
            self._waiting.append(job)
        else:
            self._queue_later(job._replace(of=later_of))
        answer = await job.answer
        if isinstance(answer, Refused):
            await self._refuse(answer)
        return answer

    def _queue_later(self, job: Job) -> None:
        self._later.append(job)
        if len(self._later) > _LATER_MAX:
            _, place = max((job.of, place) for place, job in enumerate(self._later))
            fail(self._later[place])
            del self._later[place]

    async def _tell(self, link: Link) -> None:
        """Let one process read the list again."""
        job = self._job(Reload())
        link.own.append(job)
        await job.answer

    def _job(self, ask: Ask) -> Job:
        """Make a job; it is sent after everything of this round of the loop has asked."""
        loop = asyncio.get_running_loop()
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._pump)
        return Job(ask, loop.create_future())

    async def _refuse(self, refused: Refused) -> NoReturn:
        match refused.reason:
            case Reason.STOPPED:
                raise SigningStopped(refused.detail)
            case Reason.RETIRED:
                # Whoever asks again finds the list as it is now.
                await self._change(Reload())
                raise Unavailable(refused.detail)
            case Reason.UNKNOWN:
                raise KeyUnknown(refused.detail)
            case Reason.DAMAGED:
                raise SignatoryDamaged(refused.detail)

    def _look(self) -> None:
        """Something about a process changed."""
        if len(self.process_ids) == self._processes:
            self._is_whole.set()
        else:
            self._is_whole.clear()
        self._pump()

    def _pump(self) -> None:
        self._is_due = False
        up = [link for link in self._links if link.is_up]
        if not up:
            for queue in (self._waiting, self._later):
                while queue:
                    fail(queue.popleft())
        idle = [link for link in up if link.is_idle]
        # One is always kept for what pays, where there are several.
        to_lend = max(1, len(up) - 1) - sum(link.is_lent for link in up if link not in idle)
        for left, link in zip(range(len(idle), 0, -1), idle, strict=True):
            # Busy processes are not waited for: large batches cost less, each way and in all.
            share = min(-(-len(self._waiting) // left), _BATCH_MAX)
            link.is_lent = not self._waiting and to_lend > 0
            to_lend -= link.is_lent
            jobs = self._later_batch() if link.is_lent else self._batch(share)
            jobs = [*link.own, *jobs]
            link.own.clear()
            if jobs:
                link.send(jobs)

    def _later_batch(self) -> list[Job]:
        return _take(self._later, _BATCH_MAX, _LATER_WORK_MAX)

    def _batch(self, jobs_max: int) -> list[Job]:
        """Take up to so many jobs that pay, and a share of what can wait."""
        batch = _take(self._waiting, jobs_max, _WORK_MAX)
        if batch and self._later:
            self._owed += sum(_work_of(job.ask) for job in batch)
            share = _take(self._later, _BATCH_MAX, self._owed // _SHARE)
            owed = self._owed - _SHARE * sum(_work_of(job.ask) for job in share)
            # What nobody took is not saved up: it would all be asked for before one payment.
            self._owed = min(owed, _SHARE)
            batch += share
        return batch

    async def _begin(self) -> Link:
        link = Link(self._look)
        self._links.append(link)
        await link.start(self._folder)
        return link

    def _greet(self, greeting: Answer) -> None:
        if isinstance(greeting, Refused):
            raise SignatoryDamaged(greeting.detail)
        assert isinstance(greeting, Listed), "the greeting is the list"
        self._hear(greeting)

    def _hear(self, listed: Listed) -> None:
        if len(listed.keysets) >= len(self._keysets):
            self._keysets = tuple(listed.keysets)

    async def _keep(self, link: Link) -> None:
        """Begin a process again whenever it is gone, ever more slowly while it does not stay."""
        delay = _DELAY_SECONDS_FIRST
        while True:
            # Shielded: ending this task must not end what the link itself waits to say.
            await asyncio.shield(link.gone)
            _log.warning("signatory_process_gone")
            await link.stop()
            self._links.remove(link)
            delay = _DELAY_SECONDS_FIRST if link.was_useful else min(2 * delay, _DELAY_SECONDS_MAX)
            await asyncio.sleep(delay)
            link = await self._begin()
            # Its first question: the list may have changed between its reading and its greeting,
            # when it was not up yet to be told.
            again = self._job(Reload())
            link.own.append(again)
            with suppress(Unavailable, SignatoryDamaged):
                _, listed = await asyncio.gather(link.greeting, again.answer)
                self._greet(listed)


def _take(queue: deque[Job], jobs_max: int, work_max: int) -> list[Job]:
    """Take what waited longest, up to so many jobs and to where they are work enough."""
    batch: list[Job] = []
    work = 0
    while queue and len(batch) < jobs_max and work < work_max:
        batch.append(queue.popleft())
        work += _work_of(batch[-1].ask)
    return batch


def _work_of(ask: Ask) -> int:
    """Return about how many signatures a question costs, and one for the question itself."""
    match ask:
        case Check(claims):
            return 1 + len(claims) // _CHECKS_A_SIGNATURE
        case Exchange(claims, blanks):
            return 1 + len(claims) // _CHECKS_A_SIGNATURE + len(blanks)
        case Sign(blanks):
            return 1 + len(blanks)
        case _:
            return 1
