"""Opening a folder of data for an audit, and putting its parts together."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from amana.audit._events import audit_events
from amana.audit._ledger import LedgerAudit
from amana.audit._payments import UNFINISHED, audit_payments, payment_text
from amana.audit._purse import UNFINISHED_REDEMPTIONS, audit_purse
from amana.audit._report import AuditReport, BooksUnreadable, Findings

_BOOKS_FILE: Final = "books.db"
_BUSY_MS: Final = 5_000
_CACHE_KIB: Final = 262_144
_COUNTED: Final = (
    ("payments", "payments_payments"),
    ("orders", "payments_orders"),
    ("steps", "payments_steps"),
)


def _silent(_: str, __: int) -> None:
    """Tell nobody of progress."""


def audit_folder(path: Path, *, progress: Callable[[str, int], None] = _silent) -> AuditReport:
    """Recompute the books of a data folder from their rows; nothing is changed.

    Args:
        path: The folder that holds the file of books.
        progress: Told now and then what has been read, and how many of it.

    Raises:
        BooksUnreadable: There are no books, or they cannot be read.
    """
    file = path / _BOOKS_FILE
    if not file.is_file():
        raise BooksUnreadable(
            f"There are no books in {path}: {file.name} is not there. Nothing was read; name the "
            "folder of an operator with --data."
        )
    try:
        connection = _open(file)
        try:
            return _audit(connection, progress)
        finally:
            connection.close()
    except sqlite3.Error as failure:
        raise BooksUnreadable(f"The books in {file} cannot be read: {failure}.") from failure


def _open(file: Path) -> sqlite3.Connection:
    """Open the books so that they cannot be changed, as they are at this moment."""
    connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
    connection.isolation_level = None
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("BEGIN")
    return connection


def _audit(connection: sqlite3.Connection, progress: Callable[[str, int], None]) -> AuditReport:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if "ledger_transfers" not in tables:
        raise BooksUnreadable("The file of books has no ledger in it.")
    findings = Findings()
    ledger = LedgerAudit(connection, findings, progress)
    totals = ledger.run()
    counts = dict(ledger.counts)
    checked = ["ledger", "seals"]
    unfinished: tuple[str, ...] = ()
    if "payments_payments" in tables:
        checked += ["payments", "events"]
        audit_payments(connection, findings, progress)
        counts["events"] = audit_events(connection, findings, progress)
        for name, table in _COUNTED:
            counts[name] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own table
        unfinished = tuple(payment_text(row[0]) for row in connection.execute(UNFINISHED))
    if "purse_totals" in tables:
        checked.append("purse")
        counts |= audit_purse(connection, findings, progress)
        held = connection.execute(UNFINISHED_REDEMPTIONS)
        unfinished += tuple(payment_text(row[0]) for row in held)
    return AuditReport(
        findings=tuple(findings.told),
        left_out=findings.left_out,
        checked=tuple(checked),
        totals=totals,
        counts=counts,
        unfinished=unfinished,
    )
