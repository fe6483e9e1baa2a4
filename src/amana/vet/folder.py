"""The attacker's eyes on real files: the books, and every nightly copy of them.

Plain SQL on what lies there; nothing of the product's code is asked.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from amana.kernel import SECOND_NS
from amana.payments.model import PaymentKind, PaymentStatus
from amana.storage import BOOKS_FILE
from amana.vet.play import FIRST, Cast
from amana.vet.sight import DAY_SECONDS, Marks, Payments, Sight, marks, payments

_ID_BYTES: Final = 16
_PAID: Final = (
    "SELECT created_at, payer, payee, total FROM payments_payments "
    "WHERE kind = ? AND status = ? ORDER BY created_at"
)
_NOBODY: Final = -1


class Nights:
    """What the nightly copies show of standing orders: the day on which each was left."""

    def __init__(self) -> None:
        self._left: dict[bytes, tuple[int, bytes, int]] = {}

    def look(self, day: int, copy: Path) -> None:
        """Look into the copy made as a day begins: what is new in it came the day before."""
        with _reading(copy) as connection:
            for refill, party, amount in connection.execute(
                "SELECT id, party, amount FROM purse_refills"
            ):
                self._left.setdefault(refill, (day - 1, party, amount))

    def marks(self, people: Mapping[bytes, int]) -> Marks:
        """Return the days as marks of accounts."""
        return marks(
            (day * DAY_SECONDS, people[party], amount, _NOBODY)
            for day, party, amount in self._left.values()
        )


def read_sight(folder: Path, cast: Cast, nights: Nights) -> Sight:
    """Read everything that says something about who paid, out of a closed data folder."""
    people = {party.to_bytes(_ID_BYTES): place for place, party in enumerate(cast.people)}
    shops = {party.to_bytes(_ID_BYTES): place for place, party in enumerate(cast.shops)}
    with _reading(folder / BOOKS_FILE) as connection:
        return Sight(
            accounts=len(people),
            payments=_purchases(connection, shops),
            refills=_marks(connection, PaymentKind.REFILL, people, shops),
            named=_marks(connection, PaymentKind.PURCHASE, people, shops),
            days={"refill left": nights.marks(people)},
            moments={"deposit": _marks(connection, PaymentKind.DEPOSIT, people, shops)},
        )


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        yield connection


def _purchases(connection: sqlite3.Connection, shops: Mapping[bytes, int]) -> Payments:
    rows = connection.execute(_PAID, (int(PaymentKind.PURSE), int(PaymentStatus.PAID)))
    return payments([(_second(at), shops[payee], total) for at, _, payee, total in rows])


def _marks(
    connection: sqlite3.Connection,
    kind: PaymentKind,
    people: Mapping[bytes, int],
    shops: Mapping[bytes, int],
) -> Marks:
    """Return a kind of payment that names an account, on one side or the other."""
    paid = connection.execute(_PAID, (int(kind), int(PaymentStatus.PAID)))
    return marks(
        (
            _second(at),
            people[payer if payer in people else payee],
            total,
            shops.get(payee, _NOBODY),
        )
        for at, payer, payee, total in paid
    )


def _second(at: int) -> int:
    return (at - FIRST) // SECOND_NS
