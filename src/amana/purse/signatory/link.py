"""The mint's end of one signatory process: starts it, speaks with it, notices when it is gone."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, cast

from amana.kernel import Unavailable
from amana.purse.signatory.protocol import (
    FRAME_BYTES_MAX,
    LENGTH_BYTES,
    Answer,
    Ask,
    Listed,
    read_answers,
    write_frame,
)

BATCH_SECONDS_MAX: Final = 20
"""A process that does not answer for this long is ended and begun again."""
_STOP_SECONDS_MAX: Final = 5
# The process gets these of the environment and nothing else.
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ")


class Job(NamedTuple):
    """A question, and who waits for its answer; `of` is the size of what it is a piece of."""

    ask: Ask
    answer: asyncio.Future[Answer]
    of: int = 0


class Link(asyncio.Protocol):
    """One process and its socket. At most one batch is on its way."""

    def __init__(self, on_idle: Callable[[], None]) -> None:
        self._on_idle = on_idle
        self._loop = asyncio.get_running_loop()
        self._incoming = bytearray()
        self._jobs: list[Job] = []
        self._transport: asyncio.Transport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._has_greeted = False
        self.was_useful = False
        self.is_lent = False
        """Whether its batch is of what can wait alone."""
        self.own: list[Job] = []
        """What is for this process alone, and waits for its next batch."""
        self.greeting: asyncio.Future[Answer] = self._loop.create_future()
        self.gone: asyncio.Future[None] = self._loop.create_future()

    @property
    def is_up(self) -> bool:
        """Say whether the process has greeted and not gone."""
        return self._has_greeted and not self.gone.done()

    @property
    def is_idle(self) -> bool:
        """Say whether the process waits for a batch."""
        return self.is_up and not self._jobs

    @property
    def process_id(self) -> int:
        """The id of the process."""
        assert self._process is not None, "it was started"
        return self._process.pid

    async def start(self, folder: Path) -> None:
        """Start the process; its greeting comes later, or it is gone."""
        try:
            ours, theirs = socket.socketpair()
        except OSError:
            self.connection_lost(None)
            return
        with theirs:
            try:
                self._launch(folder, theirs.fileno())
            except OSError:
                ours.close()
                self.connection_lost(None)
                return
        await self._loop.create_connection(lambda: self, sock=ours)
        self._wait_for_answer()

    def _launch(self, folder: Path, descriptor: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", "amana.purse.signatory", str(folder), str(descriptor)],
            pass_fds=(descriptor,),
            stdin=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )

    def send(self, jobs: list[Job]) -> None:
        """Send a batch; each job's future has its answer, or `Unavailable`."""
        assert self.is_idle, "one batch at a time"
        assert self._transport is not None, "a process that greeted is connected"
        try:
            frame = write_frame([job.ask for job in jobs])
        except Exception:
            for job in jobs:
                fail(job)
            raise
        self._jobs = jobs
        self._transport.write(frame)
        self._wait_for_answer()

    async def stop(self) -> None:
        """Let the process end, or end it."""
        if self._transport is not None:
            self._transport.close()
        process = self._process
        if process is not None:
            await asyncio.to_thread(_end, process)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        # uvloop's transports are no subclass of asyncio's, so nothing is asserted here.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Gather bytes until a frame is whole."""
        self._incoming += data
        if len(self._incoming) < LENGTH_BYTES:
            return
        end = LENGTH_BYTES + int.from_bytes(self._incoming[:LENGTH_BYTES])
        assert end <= FRAME_BYTES_MAX, "the signatory's answers are no longer than our questions"
        if len(self._incoming) >= end:
            assert len(self._incoming) == end, "the signatory answers one batch at a time"
            body = bytes(self._incoming[LENGTH_BYTES:])
            self._incoming.clear()
            self._take(read_answers(body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits that it is not known what became of their question."""
        del exc
        self._stop_waiting()
        jobs = [*self._jobs, *self.own]
        self._jobs, self.own = [], []
        for job in jobs:
            fail(job)
        if not self.greeting.done():
            self.greeting.set_exception(Unavailable("the signatory did not start"))
        self.gone.set_result(None)
        self._on_idle()

    def _take(self, answers: list[Answer]) -> None:
        self._stop_waiting()
        if not self.greeting.done():
            self._has_greeted = isinstance(answers[0], Listed)
            self.greeting.set_result(answers[0])
        self.was_useful |= bool(self._jobs)
        jobs, self._jobs = self._jobs, []
        for job, found in zip(jobs, answers, strict=False):
            if not job.answer.done():
                job.answer.set_result(found)
        self._on_idle()

    def _wait_for_answer(self) -> None:
        self._patience = self._loop.call_later(BATCH_SECONDS_MAX, self._lose_patience)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        assert self._process is not None, "it was started"
        self._process.kill()


def fail(job: Job) -> None:
    """Tell who waits that the answer is not known."""
    if not job.answer.done():
        job.answer.set_exception(Unavailable("the signatory is not there; ask again"))


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
