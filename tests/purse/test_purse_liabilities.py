"""The daily statement: once a day, never changed, and even with the ledger."""

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.kernel import DAY_NS, HOUR_NS, day_number
from amana.purse.keysets import AUTH_UNIT, KeysetPlan
from amana.purse.liabilities import (
    Count,
    Facts,
    Liabilities,
    Statement,
    StatementStore,
    date_of,
    make_statement,
    read_date,
)
from amana.purse.model import Keyset
from amana.purse.signatory import InProcessSignatory
from amana.testing.rooms import Books, HandClock, open_books

FACTS = Facts(
    (Count(0, 4, 5, 2), Count(0, 1, 3, 3)), promised=7, returning=2, to_post=1, balance=22
)


class World:
    """Facts that a test sets, and the statements made of them."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.clock = HandClock()
        self.facts = FACTS
        plans = [KeysetPlan("eur", (1, 2, 4)), KeysetPlan(AUTH_UNIT, (1,))]
        self.signatory = InProcessSignatory.fresh(bytes(32), plans, self.clock)
        self.store = StatementStore(books.reading, books.writer, books.connection)
        self.liabilities = Liabilities(
            self.store,
            facts=self.read,
            keysets=self.signatory.keysets,
            unit="eur",
            clock=self.clock,
        )

    async def read(self) -> Facts:
        return self.facts

    def publish(self) -> Statement | None:
        return self.books.run(self.liabilities.publish())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_books(tmp_path) as books:
        yield World(books)


def test_a_statement_says_what_is_out_by_keyset_and_denomination(world: World) -> None:
    told = world.publish()
    assert told is not None
    (keyset,) = told.keysets
    assert [msgspec.structs.astuple(one) for one in keyset.denominations] == [
        ("1", "3", "3", "0"),
        ("4", "5", "2", "3"),
    ]
    assert (told.outstanding, told.promised, told.returning) == ("12", "7", "2")
    assert (told.ledger_balance, told.to_post) == ("22", "1")
    assert told.even
    assert told.day == "2026-11-18"


def test_a_statement_tells_everybody_which_keyset_was_revoked(world: World) -> None:
    """Goal: what the list tells a wallet can be compared with what is published."""
    told = world.publish()
    assert told is not None
    assert [(each.active, each.revoked) for each in told.keysets] == [(True, False)]
    (number,) = [each.number for each in world.signatory.keysets() if each.unit == "eur"]
    world.books.run(world.signatory.revoke(number))
    world.clock.advance(DAY_NS)
    told = world.publish()
    assert told is not None
    assert [(each.active, each.revoked) for each in told.keysets] == [(False, True)]


def test_a_day_has_one_statement_and_it_never_changes(world: World) -> None:
    assert world.publish() is not None
    first = world.store.last()
    world.facts = Facts((), 0, 0, 0, 0)
    world.clock.advance(HOUR_NS)
    assert world.publish() is None
    assert world.store.last() == first
    world.clock.advance(DAY_NS)
    assert world.publish() is not None
    today = day_number(world.clock.now())
    assert world.store.days() == [today, today - 1]
    assert first == (today - 1, world.store.statement(today - 1))
    assert world.store.statement(today + 1) is None


def test_the_first_statement_of_a_day_stands(world: World) -> None:
    world.books.run(world.store.put(1, b"first"))
    world.books.run(world.store.put(1, b"second"))
    assert world.store.statement(1) == b"first"


def test_each_statement_names_the_one_before_by_its_hash(world: World) -> None:
    told = world.publish()
    assert told is not None
    assert told.previous is None
    last = world.store.last()
    assert last is not None
    world.clock.advance(DAY_NS)
    told = world.publish()
    assert told is not None
    assert told.previous == sha256(last[1]).hexdigest()


def test_a_statement_that_is_not_even_says_so(world: World) -> None:
    world.facts = FACTS._replace(balance=21)
    told = world.publish()
    assert told is not None
    assert not told.even


def test_a_statement_says_nothing_finer_than_a_day(world: World) -> None:
    """Goal: the same books give the same bytes, whatever the hour."""
    first = world.books.run(world.liabilities.state(20_000))
    world.clock.advance(5 * HOUR_NS)
    assert world.books.run(world.liabilities.state(20_000)) == first


@given(st.dates(min_value=date(1970, 1, 2)))
def test_dates_come_back_as_the_days_they_were(day: date) -> None:
    number = read_date(day.isoformat())
    assert number is not None
    assert date_of(number) == day.isoformat()


@pytest.mark.parametrize("text", ["", "yesterday", "20261118", "2026-W47-3", "2026-02-30"])
def test_another_way_to_write_a_date_is_none(text: str) -> None:
    assert read_date(text) is None


def test_what_is_of_no_listed_keyset_is_a_mistake(world: World) -> None:
    keysets: list[Keyset] = []
    with pytest.raises(AssertionError):
        make_statement(FACTS, keysets, day=1, unit="eur", previous=None)
    assert world.publish() is not None
