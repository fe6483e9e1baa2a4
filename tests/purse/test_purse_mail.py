"""A mailbox under a flood: a letter's price rises for all of them, and one still gets in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from amana.kernel import AmanaId
from amana.purse.mail import (
    MAIL_BYTES_MAX,
    MAIL_FREELY_MAX,
    MAIL_WAITING_MAX,
    Mail,
    MailReason,
    MailRefused,
    MailRows,
    MailStore,
)
from amana.purse.mail.model import DRAW_BYTES, MAIL_STEP
from amana.purse.mail.rules import decide_delivery
from amana.testing.rooms import Books, SeededChance, open_books

LINA, MONA = AmanaId(7), AmanaId(8)
UNLUCKY, LUCKY = (1).to_bytes(DRAW_BYTES), bytes(DRAW_BYTES)


class World:
    """A mailbox, and somebody who writes to it."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.chance = SeededChance(3)
        self.store = MailStore(books.writer, books.connection, self.chance)
        self.rows = MailRows(books.reading)

    def flood(self, count: int) -> None:
        """Let so many letters wait for Lina."""
        rows = [(LINA.to_bytes(16), number.to_bytes(16), b"junk") for number in range(count)]
        self.books.connection.executemany("INSERT INTO purse_mail VALUES (?, ?, ?)", rows)
        self.deliver(MONA)

    def deliver(self, party: AmanaId = LINA, sealed: bytes = b"sealed") -> MailRefused | None:
        return self.books.run(self.store.deliver(Mail(party, self.chance.draw(16), sealed)))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_books(tmp_path) as books:
        yield World(books)


def test_the_chance_halves_with_every_step_above_what_is_taken_freely() -> None:
    def chance(waiting: int) -> float:
        draws = (number.to_bytes(DRAW_BYTES) for number in range(1_024))
        return sum(decide_delivery(waiting, draw) is None for draw in draws) / 1_024

    steps = range(MAIL_FREELY_MAX, MAIL_WAITING_MAX, MAIL_STEP)
    assert chance(0) == chance(MAIL_FREELY_MAX - 1) == 1
    assert [chance(waiting) for waiting in steps] == [0.5**n for n in range(1, 11)]
    assert chance(MAIL_FREELY_MAX + MAIL_STEP - 1) == 0.5


def test_a_full_mailbox_takes_nothing_whatever_the_draw_says() -> None:
    assert decide_delivery(MAIL_WAITING_MAX - 1, LUCKY) is None
    assert decide_delivery(MAIL_WAITING_MAX - 1, UNLUCKY) is MailReason.MAILBOX_CROWDED
    assert decide_delivery(MAIL_WAITING_MAX, LUCKY) is MailReason.MAILBOX_FULL


def test_a_letter_gets_into_a_crowded_mailbox_after_a_few_attempts(world: World) -> None:
    """Goal: a flood does not shut out whoever writes one letter.

    At 650 letters one in sixteen attempts is taken; each is refused or kept, and never both.
    """
    world.flood(650)
    answers = [world.deliver() for _ in range(100)]
    taken = answers.count(None)
    assert 1 <= taken < 25
    assert answers.count(MailRefused(MailReason.MAILBOX_CROWDED)) == 100 - taken
    assert len(world.rows.waiting(LINA)) == 650 + taken
    assert world.deliver(MONA) is None, "another mailbox is not crowded"


def test_a_letter_that_was_kept_is_met_again_however_crowded_it_is(world: World) -> None:
    kept = Mail(LINA, bytes([9]) * 16, b"sealed")
    assert world.books.run(world.store.deliver(kept)) is None
    world.flood(MAIL_WAITING_MAX)
    assert world.books.run(world.store.deliver(kept)) is None
    assert world.deliver() == MailRefused(MailReason.MAILBOX_FULL)
    world.books.run(world.store.drop(LINA, kept.id))
    assert kept not in world.rows.waiting(LINA)


def test_a_letter_that_is_too_large_is_refused(world: World) -> None:
    large = b"x" * (MAIL_BYTES_MAX + 1)
    assert world.deliver(sealed=large) == MailRefused(MailReason.TOO_LARGE)
    assert world.deliver(sealed=large[1:]) is None
