"""The one writer: shared commits, answers that are durable when they say so, and failures."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from amana.kernel import Unavailable
from amana.storage import Writer, open_reader, open_writer_connection
from amana.storage._core import WriterCore

Rows = list[tuple[int]]


class Notes:
    """A participant that holds rows back until the commit, as rooms do."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.held: list[int] = []
        self.calls: list[str] = []
        self.undo_failures = 0
        self.batches: list[int] = []

    def add(self, items: list[int]) -> list[int]:
        self.batches.append(len(items))
        self.held += items
        return [item * 2 for item in items]

    def stumble(self, items: list[int]) -> list[int]:
        raise AssertionError(f"{len(items)} items met a mistake of ours")

    def before_commit(self) -> None:
        self.calls.append("before")
        self._connection.executemany(
            "INSERT INTO notes VALUES (?)", [(number,) for number in self.held]
        )

    def after_commit(self) -> None:
        self.calls.append("after")
        self.held.clear()

    def after_rollback(self) -> None:
        self.calls.append("undone")
        if self.undo_failures:
            self.undo_failures -= 1
            raise sqlite3.OperationalError("disk I/O error")
        self.held.clear()


class World:
    def __init__(self, folder: Path) -> None:
        path = folder / "books.db"
        self.connection = open_writer_connection(path)
        self.connection.execute("CREATE TABLE notes (number INTEGER PRIMARY KEY) STRICT")
        self.reading = open_reader(path)
        self.writer = Writer(self.connection)
        self.notes = Notes(self.connection)
        self.writer.join(self.notes)
        self.commits = 0
        self.writer.on_commit(self._count)

    def _count(self) -> None:
        self.commits += 1

    def durable_rows(self) -> list[int]:
        """What another connection sees."""
        return [number for (number,) in self.reading.execute("SELECT number FROM notes")]

    async def keep(self, number: int) -> int:
        answer: int = await self.writer.submit(self.notes.add, number)
        await self.writer.durable()
        return answer

    async def accepting(self) -> None:
        """Wait out the refusal that follows a failure."""
        mended = asyncio.Event()
        loop = asyncio.get_running_loop()

        def look() -> None:
            if self.writer.is_refusing:
                loop.call_later(0.01, look)
            else:
                mended.set()

        look()
        async with asyncio.timeout(20):
            await mended.wait()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.reading.close()
    made.connection.close()


def test_many_units_share_one_turn_and_one_commit(world: World) -> None:
    async def work() -> list[int]:
        return await asyncio.gather(*[world.keep(number) for number in range(50)])

    assert asyncio.run(work()) == [number * 2 for number in range(50)]
    assert world.notes.batches == [50]
    assert world.commits == 1
    assert world.durable_rows() == list(range(50))


def test_an_answer_comes_before_durability_and_durable_waits_for_it(world: World) -> None:
    async def work() -> None:
        assert await world.writer.submit(world.notes.add, 1) == 2
        assert world.durable_rows() == [], "applied, not durable"
        await world.writer.durable()
        assert world.durable_rows() == [1]

    asyncio.run(work())


def test_durable_returns_at_once_where_nothing_is_open(world: World) -> None:
    asyncio.run(world.writer.durable())
    assert world.commits == 0


def test_items_of_one_kind_are_answered_in_the_order_they_came(world: World) -> None:
    seen: list[int] = []

    def note(items: list[int]) -> list[int]:
        seen.extend(items)
        return items

    async def work() -> list[int]:
        return list(await asyncio.gather(*[world.writer.submit(note, n) for n in range(20)]))

    assert asyncio.run(work()) == seen == list(range(20))


def test_a_unit_that_raises_undoes_its_own_changes_only(world: World) -> None:
    def good(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO notes VALUES (100)")
        return "kept"

    def bad(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES (200)")
        raise KeyError("the unit's own")

    async def work() -> tuple[object, ...]:
        return await asyncio.gather(
            world.writer.run(good), world.writer.run(bad), world.keep(1), return_exceptions=True
        )

    kept, failed, answer = asyncio.run(work())
    assert (kept, answer) == ("kept", 2)
    assert isinstance(failed, KeyError)
    assert world.durable_rows() == [1, 100]
    assert not world.writer.is_refusing


def test_a_constraint_that_a_unit_breaks_is_its_own(world: World) -> None:
    def twice(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO notes VALUES (1)")
        connection.execute("INSERT INTO notes VALUES (1)")

    async def work() -> tuple[object, ...]:
        return await asyncio.gather(world.writer.run(twice), world.keep(2), return_exceptions=True)

    broken, answer = asyncio.run(work())
    assert isinstance(broken, sqlite3.IntegrityError)
    assert answer == 4
    assert world.durable_rows() == [2]


def test_a_commit_that_fails_fails_for_everybody_and_undoes_everything(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        await world.keep(1)
        outcomes = await asyncio.gather(
            *[world.keep(number) for number in (2, 1, 3)], return_exceptions=True
        )
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        assert world.writer.is_refusing
        with pytest.raises(Unavailable):
            await world.keep(4)
        with pytest.raises(Unavailable):
            await world.writer.run(lambda connection: connection.execute("SELECT 1"))
        await world.accepting()
        assert await world.keep(5) == 10

    with caplog.at_level(logging.ERROR):
        asyncio.run(work())
    assert world.durable_rows() == [1, 5]
    assert "undone" in world.notes.calls
    assert "storage_failed" in caplog.text


def test_a_handler_that_raises_loses_the_group_and_nothing_before_it(world: World) -> None:
    async def work() -> None:
        await world.keep(1)
        outcomes = await asyncio.gather(
            world.keep(2), world.writer.submit(world.notes.stumble, 3), return_exceptions=True
        )
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        await world.accepting()
        await world.keep(4)

    asyncio.run(work())
    assert world.durable_rows() == [1, 4]


def test_whoever_holds_an_answer_of_a_lost_group_meets_the_refusal_next(world: World) -> None:
    async def work() -> None:
        await world.keep(1)
        assert await world.writer.submit(world.notes.add, 1) == 2, "applied; the commit will fail"
        with pytest.raises(Unavailable):
            await world.writer.durable()
        with pytest.raises(Unavailable):
            await world.writer.submit(world.notes.add, 9)

    asyncio.run(work())
    assert world.durable_rows() == [1]


def test_undoing_that_fails_is_tried_again_until_the_disk_is_mended(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        await world.keep(1)
        world.notes.undo_failures = 2
        with pytest.raises(Unavailable):
            await world.keep(1)
        await world.accepting()
        assert world.notes.undo_failures == 0
        assert await world.keep(2) == 4

    asyncio.run(work())
    assert world.durable_rows() == [1, 2]
    assert "storage_undo_failed" in caplog.text


def test_a_broken_disk_in_a_unit_of_work_fails_the_whole_group(world: World) -> None:
    def broken(_: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async def work() -> None:
        outcomes = await asyncio.gather(
            world.keep(1), world.writer.run(broken), return_exceptions=True
        )
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        await world.accepting()
        await world.keep(2)

    asyncio.run(work())
    assert world.durable_rows() == [2]


def test_a_group_that_the_database_undoes_by_itself_leaves_nothing_that_was_held_back(
    world: World,
) -> None:
    """What a participant writes at the commit would stand without what went before it."""

    def undone(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT OR ROLLBACK INTO notes VALUES (7), (7)")

    async def work() -> None:
        kept, broken = await asyncio.gather(
            world.keep(1), world.writer.run(undone), return_exceptions=True
        )
        assert isinstance(kept, Unavailable)
        assert isinstance(broken, sqlite3.IntegrityError)
        await world.accepting()
        await world.keep(2)

    asyncio.run(work())
    assert world.durable_rows() == [2]


def test_a_caller_who_leaves_disturbs_nobody(world: World) -> None:
    async def work() -> None:
        leaving = [asyncio.ensure_future(world.keep(number)) for number in (1, 2)]
        unit = asyncio.ensure_future(world.writer.run(lambda _: None))
        broken = asyncio.ensure_future(world.writer.run(lambda _: 1 // 0))
        staying = asyncio.ensure_future(world.keep(3))
        await asyncio.sleep(0)
        for task in (*leaving, unit, broken):
            task.cancel()
        assert await staying == 6
        waiting = asyncio.ensure_future(world.keep(4))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        assert await world.keep(5) == 10

    asyncio.run(work())
    assert set(world.durable_rows()) >= {1, 2, 3, 5}


def test_a_steady_flow_is_committed_all_the_same(world: World) -> None:
    """Work that never pauses may not keep a group open for ever."""

    async def work() -> None:
        async def stream(first: int) -> None:
            for number in range(first, first + 300):
                await world.writer.submit(world.notes.add, number)

        await asyncio.gather(*[stream(first * 1_000) for first in range(4)])
        await world.writer.durable()

    asyncio.run(work())
    assert len(world.durable_rows()) == 1_200
    assert world.commits > 1


def test_the_core_commits_and_rolls_back_nothing_where_nothing_is_open(world: World) -> None:
    core = WriterCore(world.connection)
    core.commit()
    core.rollback()
    core.begin()
    core.begin()
    core.rollback()
    assert not world.connection.in_transaction
