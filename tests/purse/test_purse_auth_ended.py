"""Blind tokens of a keyset that ended: which of them were used is forgotten."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amana.kernel import DAY_NS, SECOND_NS
from amana.purse.auth import AuthRows, AuthStore, BlindAuth
from amana.purse.auth.ports import SpentKey
from amana.purse.keysets import AUTH_UNIT, KeysetPlan
from amana.purse.signatory import InProcessSignatory
from amana.testing.rooms import Books, HandClock, open_books

LIFE_S = 180 * 86_400


class World:
    """What takes tokens, over books of its own."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.clock = HandClock()
        self.end_s = self.clock.now() // SECOND_NS + LIFE_S
        plan = KeysetPlan(AUTH_UNIT, (1,), final_expiry=self.end_s)
        self.signatory = InProcessSignatory.fresh(bytes(32), [plan], self.clock)
        self.store = AuthStore(books.writer, books.connection)
        self.auth = BlindAuth(
            signatory=self.signatory,
            reader=AuthRows(books.reading),
            writer=self.store,
            clock=self.clock,
        )

    def spend(self, keyset: int, number: int = 0) -> bool:
        return self.books.run(self.store.spend(SpentKey(keyset, number.to_bytes(32))))

    def forget(self) -> int:
        return self.books.run(self.auth.forget_spent())

    def rows(self) -> list[Any]:
        return self.books.reading.execute("SELECT * FROM purse_auth_spent").fetchall()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_books(tmp_path) as books:
        yield World(books)


def test_used_tokens_are_forgotten_a_day_after_their_keysets_end_and_not_before(
    world: World,
) -> None:
    """Goal: rows go with their keyset, in batches, and only those of the keyset that ended."""
    assert world.spend(0)
    newer = world.books.run(world.signatory.rotate(AUTH_UNIT, final_expiry=world.end_s + LIFE_S))
    assert world.spend(newer.number)
    many = [(0, number.to_bytes(32)) for number in range(1, 1_001)]
    world.books.connection.executemany("INSERT INTO purse_auth_spent VALUES (?, ?)", many)
    world.clock.advance(LIFE_S * SECOND_NS + DAY_NS - 1)
    assert world.forget() == 0
    world.clock.advance(1)
    assert world.forget() == 1_001
    assert world.rows() == [(newer.number, bytes(32))]
    assert world.forget() == 0


def test_one_secret_that_two_keysets_signed_is_two_tokens(world: World) -> None:
    """Goal: whoever paid for two has two, since a row is dropped with its own keyset."""
    assert world.spend(0)
    assert not world.spend(0)
    assert world.spend(1)
