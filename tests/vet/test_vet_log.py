"""What the attacker is told of the log is what a real one shows, page by page.

Method: a town is played into an operator whose log nobody empties for a stretch. The log is then
cut off after each event, as it lay on the disk at that moment, and what is new in it is read.
"""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from amana.storage import BOOKS_FILE
from amana.vet.play import WORKERS, play
from amana.vet.sight import project, with_log
from amana.vet.town import Town, run_town

SPENT: Final = "SELECT amount FROM purse_spent"
SIGNED: Final = "SELECT amount FROM purse_signed"
STRETCH: Final = 60
"""Events, so few that the log is not written back by itself."""


class Log:
    """Follows the log from some event on, by its length after each."""

    def __init__(self, books: Path, first: int) -> None:
        self._books = books
        self._log = books.with_name(f"{books.name}-wal")
        self._first = first
        self._seen = 0
        self._ends: list[int] = []
        self.base = b""
        self.kept = b""

    def watch(self, count: int) -> None:
        """Note how long the log is after an event."""
        self._seen += count
        if self._seen == self._first:
            with closing(sqlite3.connect(self._books)) as connection:
                assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
            self.base = self._books.read_bytes()
        if self._first <= self._seen <= self._first + STRETCH:
            self.kept = self._log.read_bytes()
            self._ends.append(len(self.kept))

    def states(self, folder: Path) -> list[tuple[Counter[int], Counter[int]]]:
        """Return the denominations of all that was spent and signed, after each event."""
        copy = folder / "copy.db"
        found = []
        for end in self._ends:
            copy.write_bytes(self.base)
            copy.with_name("copy.db-wal").write_bytes(self.kept[:end])
            with closing(sqlite3.connect(copy)) as connection:
                spent = Counter(row[0] for row in connection.execute(SPENT))
                signed = Counter(row[0] for row in connection.execute(SIGNED))
            found.append((spent, signed))
        return found


@pytest.fixture(scope="module")
def town() -> Town:
    return run_town(60, 12, 4)


def test_the_log_shows_of_each_payment_what_the_attacker_is_told(town: Town, room: Path) -> None:
    place = room / "logged"
    place.mkdir()
    order = sorted(town.events, key=lambda event: (event["at"], event["kind"] in WORKERS))
    first = len(order) - 2 * STRETCH
    log = Log(place / "operator" / BOOKS_FILE, first)
    asyncio.run(play(town.facts, town.events, place, watch=log.watch))
    states = log.states(place)
    assert len(states) == STRETCH + 1

    payments = with_log(project(*town), town.events).payments
    paid = [event for event in town.events if event["kind"] == "pay"]
    compared = 0
    for number, event in enumerate(order[first : first + STRETCH]):
        (spent, signed), (spent_then, signed_then) = states[number], states[number + 1]
        inputs, change = spent_then - spent, signed_then - signed
        if event["kind"] != "pay":
            continue
        compared += 1
        which = next(at for at, one in enumerate(paid) if one is event)
        assert max(inputs) == payments.highest[which]
        assert inputs.total() == payments.inputs[which]
        assert sum(change.elements()) == payments.change[which]
        assert inputs == Counter(event["inputs"])
        assert change == Counter(event["change"])
    assert compared > STRETCH / 10
    assert np.any(payments.change)
