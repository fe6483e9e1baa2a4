"""Keysets years after their expiry: rows are dropped, counts stay, and nothing comes back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amana.kernel import DAY_NS, SECOND_NS
from amana.purse.books import PurseBooks, Swap
from amana.purse.ending import Ending, EndingStore
from amana.purse.model import Keyset, Refusal, VerifiedProof
from amana.purse.ports import Blank
from amana.purse.rules.refusals import FORGED
from amana.purse.store import WrittenPurse
from amana.testing.rooms import Books, HandClock, open_books

GRACE_S = 6 * 366 * 86_400
OLD, YOUNG = 0, 2


class World:
    """A mint's books with rows of two keysets; the first expires in a hundred seconds."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.clock = HandClock()
        now_s = self.clock.now() // SECOND_NS
        self.listed = [
            Keyset(number, f"{number}", unit, False, 0, expiry, {})  # noqa: FBT003 - as the list has it
            for number, unit, expiry in (
                (OLD, "eur", now_s + 100),
                (1, "auth", now_s + 100),
                (YOUNG, "eur", now_s + 10_000_000),
            )
        ]
        self.rows = PurseBooks(books.connection)
        books.writer.join(self.rows)
        self.store = WrittenPurse(books.writer, self.rows, self.clock)
        self.ending = Ending(
            EndingStore(books.writer, self.rows, rows_at_once=3),
            keysets=lambda: self.listed,
            unit="eur",
            grace_s=GRACE_S,
            clock=self.clock,
        )

    def sign(self, keyset: int, *numbers: int) -> Refusal | None:
        blanks = [Blank(keyset, 4, b"\x02" + number.to_bytes(32)) for number in numbers]
        return self.books.run(self.store.swap((), blanks))

    def spend(self, keyset: int, *numbers: int, shown: str | None = None) -> Refusal | None:
        proofs = [VerifiedProof(keyset, 4, number.to_bytes(32), shown) for number in numbers]
        return self.books.run(self.store.swap(proofs, ()))

    def carry_out(self) -> list[int]:
        return list(self.books.run(self.ending.carry_out()))

    def pass_grace(self) -> None:
        """Let the first keyset's last day begin, and pass."""
        self.clock.advance((100 + GRACE_S) * SECOND_NS + DAY_NS)

    def ask(self, statement: str) -> list[Any]:
        return self.books.reading.execute(statement).fetchall()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_books(tmp_path) as books:
        made = World(books)
        # Rows of the two stand in turn, so that every batch has some of both.
        assert made.sign(OLD, *range(0, 20, 2)) is None
        assert made.sign(YOUNG, *range(1, 20, 2)) is None
        assert made.spend(OLD, *range(0, 14, 2), shown="a preimage") is None
        assert made.spend(YOUNG, *range(1, 14, 2), shown="another") is None
        yield made


def test_rows_are_dropped_a_day_after_the_last_way_closed_and_not_before(world: World) -> None:
    world.pass_grace()
    world.clock.advance(-1)
    assert world.carry_out() == []
    world.clock.advance(1)
    assert world.carry_out() == [OLD]
    for table, left in (("purse_spent", 7), ("purse_signed", 10)):
        by_keyset = f"SELECT keyset, count(*) FROM {table} GROUP BY keyset"  # noqa: S608 - our own
        assert world.ask(by_keyset) == [(YOUNG, left)]
    assert world.ask("SELECT count(*) FROM purse_shown") == [(7,)]
    assert world.ask("SELECT keyset, signed, spent FROM purse_totals") == [(YOUNG, 10, 7)]
    assert world.ask("SELECT keyset, amount, signed, spent FROM purse_ended") == [(OLD, 4, 10, 7)]
    assert world.carry_out() == []


def test_nothing_of_an_ended_keyset_is_spent_whatever_clock_or_grace_say(world: World) -> None:
    """Goal: once its rows are gone a spent proof looks unspent; the books refuse it all the same.

    That goes for one that was spent, for one that was not, and after a new start.
    """
    world.pass_grace()
    world.carry_out()
    assert world.spend(OLD, 0) == FORGED
    assert world.spend(OLD, 18) == FORGED
    world.rows.after_rollback()
    assert world.spend(OLD, 0) == FORGED
    assert world.spend(YOUNG, 15) is None


def test_what_was_begun_before_a_crash_is_dropped_after_it(world: World) -> None:
    world.pass_grace()
    world.books.run(EndingStore(world.books.writer, world.rows).end([OLD]))
    assert world.ask("SELECT count(*) FROM purse_spent WHERE keyset = 0") == [(7,)]
    world.listed.clear()
    assert world.carry_out() == [OLD]
    assert world.ask("SELECT count(*) FROM purse_spent WHERE keyset = 0") == [(0,)]


def test_a_count_of_the_same_commit_is_set_apart_with_the_rest(world: World) -> None:
    """Goal: what is spent in the very group that ends the keyset is in its counts."""

    async def together() -> None:
        spending = Swap([VerifiedProof(OLD, 4, bytes([16]) * 32)], ())
        await world.books.writer.submit(world.rows.swaps, spending)
        await EndingStore(world.books.writer, world.rows).end([OLD])

    world.books.run(together())
    assert world.ask("SELECT signed, spent FROM purse_ended") == [(10, 8)]
    assert world.ask("SELECT count(*) FROM purse_totals WHERE keyset = 0") == [(0,)]
