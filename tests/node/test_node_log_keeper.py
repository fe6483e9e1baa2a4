"""The worker that keeps the books' log empty, as an operator runs it.

Goal: what was spent is gone from the log within a minute; who reads delays that, and stops nobody.
Method: all workers run on a loop whose time is its own: where nothing is to be done it goes on to
the next moment at which something is, so that minutes pass in no time.
"""

import asyncio
import logging
import selectors
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from tests.node.purse_town import PurseTown, exchange, purse_town

from amana.kernel import SECOND_NS, format_instant
from amana.node.log_keeper import LOG_AGAIN_S, LOG_EVERY_S, LOG_KEPT_S
from amana.node.workers import keeper_of, run_workers
from amana.storage import BOOKS_FILE, open_reader, read_log

PATIENCE_MS = 20_000
_A_BREATH_S = 0.002


class _Jumping(selectors.DefaultSelector):
    """Waits for no moment to come, only for threads: a breath each time."""

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(timeout and min(timeout, _A_BREATH_S))
        if not ready and timeout:
            self.passed_s += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose time goes on by what it would have waited."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed_s


@pytest.fixture
def town(tmp_path: Path) -> Iterator[PurseTown]:
    with purse_town(tmp_path / "town") as opened:
        yield opened


def log_of(town: PurseTown) -> bytes:
    log = town.operator.folder / f"{BOOKS_FILE}-wal"
    return log.read_bytes() if log.exists() else b""


def at_work(town: PurseTown, story: Callable[[], Awaitable[None]]) -> None:
    """Let something happen while all the workers work, from after their first turn on."""

    async def tell() -> None:
        workers = asyncio.create_task(run_workers(town.operator))
        await asyncio.sleep(LOG_EVERY_S / 2)
        await story()
        workers.cancel()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(tell())


def spending(town: PurseTown) -> Callable[[], Awaitable[None]]:
    """Return what spends a proof and finds the log with something in it."""
    wallet = town.filled()
    proofs = iter(sorted(wallet.proofs, key=lambda proof: proof.secret))

    async def spend() -> None:
        proof = next(proofs)
        outputs = wallet.sum_of(proof.amount)
        answer = await town.asked("POST", "/v1/swap", exchange([proof], outputs))
        assert answer.status == 200, answer.body
        assert log_of(town)

    return spend


@contextmanager
def reading(town: PurseTown) -> Iterator[sqlite3.Connection]:
    """Somebody reads the books, and goes on reading."""
    with closing(open_reader((town.operator.folder / BOOKS_FILE).resolve())) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM purse_spent").fetchone()
        yield reader


def said(caplog: pytest.LogCaptureFixture, event: str) -> list[str]:
    return [text for one in caplog.records if (text := one.getMessage()).startswith(event)]


def test_what_was_spent_is_out_of_the_log_within_a_minute(town: PurseTown) -> None:
    spend = spending(town)

    async def story() -> None:
        for _ in range(3):
            await spend()
            await asyncio.sleep(LOG_EVERY_S)
            assert log_of(town) == b""

    at_work(town, story)
    assert LOG_EVERY_S <= 60


def test_a_reader_keeps_the_log_only_until_it_goes_and_is_told_of_once(
    town: PurseTown, caplog: pytest.LogCaptureFixture
) -> None:
    spend = spending(town)

    async def story() -> None:
        await spend()
        with reading(town):
            await spend()
            await asyncio.sleep(LOG_EVERY_S)
            assert log_of(town), "the reader still reads what stands in it"
            assert said(caplog, "books_log_kept") == [], "a short reading is nobody's concern"
            await asyncio.sleep(10 * LOG_EVERY_S)
            (told,) = said(caplog, "books_log_kept")
            assert "open for reading" in told
        await asyncio.sleep(LOG_AGAIN_S)
        assert log_of(town) == b""
        assert len(said(caplog, "books_log_emptied")) == 1

    with caplog.at_level(logging.INFO, logger="amana.workers"):
        at_work(town, story)


async def health(town: PurseTown) -> Any:
    return (await town.send("GET", "/health")).body["books_log"]


def test_health_says_since_when_the_log_is_kept_and_else_no_size(town: PurseTown) -> None:
    spend = spending(town)
    emptied_at = format_instant(town.clock.now())
    fine = {"status": "ok", "kept_since": None, "bytes_max": 0}

    async def story() -> None:
        await spend()
        with reading(town):
            await spend()
            await asyncio.sleep(LOG_EVERY_S)
            town.clock.advance(int(LOG_KEPT_S) * SECOND_NS)
            assert await health(town) == fine, "how much is written is told to nobody"
            town.clock.advance(SECOND_NS)
            told = await health(town)
            assert (told["status"], told["kept_since"]) == ("kept", emptied_at)
            assert 0 <= told["bytes_max"] - len(log_of(town)) < 1 << 20
            assert told["bytes_max"] % (1 << 20) == 0
        await asyncio.sleep(2 * LOG_AGAIN_S)
        assert await health(town) == fine
        assert read_log(town.operator.folder).emptied_at == town.clock.now()

    at_work(town, story)


def test_nobody_waits_while_a_reader_keeps_the_log(town: PurseTown) -> None:
    """Goal: the loop goes on, however long the connection waits elsewhere, as it still does."""
    spend = spending(town)
    town.run(spend())
    connection = town.operator.writer._core.connection
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    with reading(town):
        town.run(spend())
        begun = monotonic()
        assert town.run(town.operator.writer.carry_over()) is False
        assert monotonic() - begun < PATIENCE_MS / 1_000 / 2
    assert connection.execute("PRAGMA busy_timeout").fetchone() == (PATIENCE_MS,)
    assert town.run(town.operator.writer.carry_over()) is True
    assert log_of(town) == b""


def test_at_stop_a_reader_is_given_a_moment_and_then_told_of(
    town: PurseTown, caplog: pytest.LogCaptureFixture
) -> None:
    spend = spending(town)

    async def stop(reader: sqlite3.Connection, *, goes: bool) -> None:
        if goes:
            asyncio.get_running_loop().call_later(1, reader.close)
        await keeper_of(town.operator).stop()

    for goes in (True, False):
        town.run(spend())
        with reading(town) as reader, asyncio.Runner(loop_factory=JumpingLoop) as run:
            run.run(stop(reader, goes=goes))
        assert (log_of(town) == b"") is goes
        assert bool(said(caplog, "books_log_kept")) is not goes
