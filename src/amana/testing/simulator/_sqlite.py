"""The real stores in a file: a crash drops the connection, and what was not committed is gone."""

import sqlite3
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from amana.audit import audit_folder
from amana.events import SqlEventRows
from amana.kernel import AmanaId, Chance, Instant
from amana.ledger import Account, LedgerEngine, SQLiteLedger
from amana.payments.model import Payment
from amana.payments.store import SqlPaymentRows
from amana.purse.liabilities.tables import statements_table
from amana.storage import WriterCore, metadata, open_reader, open_writer_connection
from amana.testing.simulator._purse_rows import read_purse
from amana.testing.simulator._stores import Stored
from amana.testing.simulator._violation import Violation
from amana.testing.simulator._writer import Core

BOOKS_FILE = "books.db"
_FEED_MAX = 100_000


@cache
def _empty_books() -> bytes:
    """Return a file of books with nothing in it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / BOOKS_FILE
        engine = sa.create_engine(f"sqlite:///{path}", poolclass=NullPool)
        assert statements_table.metadata is metadata, "every table that is audited is there"
        metadata.create_all(engine)
        return path.read_bytes()


class SqliteStores:
    """Payments, events and ledger in one file, with one commit."""

    def __init__(self, *, accounts: list[Account], chance: Chance, now: Instant) -> None:
        self._folder = TemporaryDirectory()
        self.path = Path(self._folder.name)
        (self.path / BOOKS_FILE).write_bytes(_empty_books())
        self._chance = chance
        self._accounts = accounts
        self._open()
        self._core.begin()
        self.engine.create_accounts(accounts, now=now)
        self._core.commit()

    def _open(self) -> None:
        self._connection = open_writer_connection(self.path / BOOKS_FILE)
        # A crash of these worlds is one of the process, not of the machine.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._core = WriterCore(self._connection)
        self._reading = open_reader(self.path / BOOKS_FILE)
        self.rows = SqlPaymentRows(self._connection)
        self.event_rows = SqlEventRows(self._connection)
        self.engine: LedgerEngine = SQLiteLedger(self._connection, chance=self._chance)
        self._core.join(self.engine)

    @property
    def core(self) -> Core:
        """What commits everything."""
        return self._core

    @property
    def ledger_core(self) -> Core:
        """The same."""
        return self._core

    @property
    def purse(self) -> sqlite3.Connection:
        """The connection on which the purse's rows are written."""
        return self._connection

    def refunds_of(self, payment_id: AmanaId) -> list[Payment]:
        """Return the refunds of a payment that have been committed."""
        return SqlPaymentRows(self._reading).refunds_of(payment_id)

    def crash(self) -> None:
        """Drop the connection in the middle of whatever it does, and open the file again."""
        self._connection.close()
        self._reading.close()
        self._open()

    def stored(self) -> Stored:
        """Return everything durable, as another connection sees it."""
        with sqlite3.connect(self.path / BOOKS_FILE) as reader:
            return self._read(reader)

    def _read(self, reader: sqlite3.Connection) -> Stored:
        rows, events = SqlPaymentRows(reader), SqlEventRows(reader)
        ledger = SQLiteLedger(reader, chance=self._chance)
        ids = _ids(reader, "SELECT id FROM payments_payments ORDER BY id")
        orders = [
            rows.order(key) for key in _ids(reader, "SELECT id FROM payments_orders ORDER BY id")
        ]
        keys = [key for (key,) in reader.execute("SELECT intent_key FROM payments_steps")]
        steps = [rows.step_by_key(key) for key in keys]
        spent = [
            (AmanaId(int.from_bytes(payer)), day)
            for payer, day in reader.execute("SELECT payer, day FROM payments_spent")
        ]
        taken = [
            (AmanaId(int.from_bytes(merchant)), day)
            for merchant, day in reader.execute("SELECT merchant, day FROM payments_takings")
        ]
        streams = _ids(reader, "SELECT DISTINCT stream FROM events_events")
        return Stored(
            payments=rows.payments(ids) if ids else {},
            steps={step.key: step for step in steps if step is not None},
            orders={order.id: order for order in orders if order is not None},
            days={key: rows.spent(*key) for key in spent},
            takings={key: rows.takings(*key) for key in taken},
            feeds={key: events.feed(key, after=0, limit=_FEED_MAX) for key in streams},
            accounts=ledger.lookup_accounts([account.id for account in self._accounts]),
            transfers=ledger.lookup_transfers(
                _ids(reader, "SELECT id FROM ledger_transfers ORDER BY timestamp")
            ),
            purse=read_purse(reader),
        )

    def second_opinion(self) -> list[Violation]:
        """Let the audit room recompute the file."""
        report = audit_folder(self.path)
        return [
            Violation(f"audit: {row.check}", f"{row.table} {row.id}", row.expected, row.found)
            for row in report.findings
        ]

    def close(self) -> None:
        """Leave nothing behind."""
        self._connection.close()
        self._reading.close()
        self._folder.cleanup()


def _ids(reader: sqlite3.Connection, statement: str) -> list[AmanaId]:
    return [AmanaId(int.from_bytes(key)) for (key,) in reader.execute(statement)]
