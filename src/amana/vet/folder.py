"""The attacker's eyes on real files: the books, and every nightly copy of them.

Plain SQL on what lies there; nothing of the product's code is asked.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from amana.kernel import SECOND_NS, day_number
from amana.payments.model import PaymentKind, PaymentStatus
from amana.storage import BOOKS_FILE
from amana.vet.play import FIRST, Cast
from amana.vet.sight import DAY_SECONDS, TO_PERSON, TOKENS, Marks, Payments, Sight, marks, payments

_ID_BYTES: Final = 16
_PAID: Final = (
    "SELECT created_at, payer, payee, total FROM payments_payments "
    "WHERE kind = ? AND status = ? ORDER BY created_at"
)
_LETTERS: Final = "SELECT id, party FROM purse_mail"
_DEVICES: Final = "SELECT customer, note_key FROM people_customers WHERE note_key IS NOT NULL"
_TOKENS: Final = "SELECT day, party, count FROM purse_auth_quota"
_NOBODY: Final = -1
_FIRST_DAY: Final = day_number(FIRST)


class Nights:
    """What the nightly copies show beyond the last of them: the day on which each row came.

    Of standing orders and backups when they were left, of letters when they came into a mailbox
    and when they were gone from it, of devices when another took the place of the last. Of blind
    tokens a row has its day in itself, and is gone a day later.
    """

    def __init__(self) -> None:
        self._left: dict[bytes, tuple[int, bytes, int]] = {}
        self._backups: set[tuple[int, bytes]] = set()
        self._letters: dict[bytes, tuple[int, bytes]] = {}
        self._waiting: dict[bytes, bytes] = {}
        self._fetched: list[tuple[int, bytes]] = []
        self._devices: dict[bytes, bytes] = {}
        self._changed: list[tuple[int, bytes]] = []
        self._tokens: dict[tuple[int, bytes], int] = {}

    def look(self, day: int, copy: Path) -> None:
        """Look into the copy made as a day begins: what is new in it came the day before."""
        with _reading(copy) as connection:
            for refill, party, amount in connection.execute(
                "SELECT id, party, amount FROM purse_refills"
            ):
                self._left.setdefault(refill, (day - 1, party, amount))
            backups = connection.execute("SELECT day, party FROM purse_backups")
            self._backups.update((left - _FIRST_DAY, party) for left, party in backups)
            for given, party, count in connection.execute(_TOKENS):
                self._tokens[given - _FIRST_DAY, party] = count
            self._look_at_letters(day - 1, dict(connection.execute(_LETTERS)))
            self._look_at_devices(day - 1, dict(connection.execute(_DEVICES)))

    def _look_at_letters(self, day: int, waiting: dict[bytes, bytes]) -> None:
        for letter, party in waiting.items():
            self._letters.setdefault(letter, (day, party))
        gone = self._waiting.keys() - waiting.keys()
        self._fetched += [(day, self._waiting[letter]) for letter in gone]
        self._waiting = waiting

    def _look_at_devices(self, day: int, devices: dict[bytes, bytes]) -> None:
        known = self._devices
        self._changed += [
            (day, party) for party, key in devices.items() if known.get(party, key) != key
        ]
        self._devices = devices

    def days(self, people: Mapping[bytes, int]) -> dict[str, Marks]:
        """Return the days as marks of accounts, by what they are of."""
        return {
            "refill left": marks(
                (day * DAY_SECONDS, people[party], amount, _NOBODY)
                for day, party, amount in self._left.values()
            ),
            TOKENS: marks(
                (day * DAY_SECONDS, people[party], count, _NOBODY)
                for (day, party), count in self._tokens.items()
            ),
            "backup written": _marked(self._backups, people),
            "device changed": _marked(self._changed, people),
            "letter waited": _marked(self._letters.values(), people),
            "letter fetched": _marked(self._fetched, people),
        }


def _marked(rows: Iterable[tuple[int, bytes]], people: Mapping[bytes, int]) -> Marks:
    return marks((day * DAY_SECONDS, people[party], 0, _NOBODY) for day, party in rows)


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
            days=nights.days(people),
            moments={
                "deposit": _marks(connection, PaymentKind.DEPOSIT, people, shops),
                TO_PERSON: _marks(connection, PaymentKind.PERSON, people, people),
            },
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
