"""The yardstick of bench/ledger.py: raw SQLite writing the rows the ledger writes, and no more.

Same file settings (WAL, synchronous FULL), same tables, columns, indexes and checks. The rows are
made before the clock starts; there are no rules, no results, no seals, no look-ups. Two forms:

- `insert`: one `executemany` that inserts the transfers of a batch, and a commit.
- `three`: the same, and one `executemany` each that adds to the counters of the debit and of the
  credit account of every transfer, which is what books need at the least.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from amana.ledger import Account, Transfer
from amana.ledger.sqlite._rows import INSERT_ACCOUNT, INSERT_TRANSFER, account_row, transfer_row
from amana.ledger.tables import TABLES
from amana.storage import metadata, open_writer_connection

_ADD_DEBIT = "UPDATE ledger_accounts SET debits_posted = debits_posted + ? WHERE id = ?"
_ADD_CREDIT = "UPDATE ledger_accounts SET credits_posted = credits_posted + ? WHERE id = ?"


def open_raw(path: Path, accounts: Sequence[Account]) -> sqlite3.Connection:
    """Make the tables and open the accounts."""
    metadata.create_all(create_engine(f"sqlite:///{path}", poolclass=NullPool), tables=TABLES)
    connection = open_writer_connection(path)
    connection.execute("BEGIN")
    connection.executemany(INSERT_ACCOUNT, map(account_row, accounts))
    connection.execute("COMMIT")
    return connection


def run_raw(connection: sqlite3.Connection, batch: Sequence[Transfer], *, form: str) -> float:
    """Write one batch; return the seconds it took."""
    rows = [transfer_row(transfer) for transfer in batch]
    debits: list[tuple[Any, ...]] = [(row[4], row[2]) for row in rows]
    credits_: list[tuple[Any, ...]] = [(row[4], row[3]) for row in rows]
    started = perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT_TRANSFER, rows)
    if form == "three":
        connection.executemany(_ADD_DEBIT, debits)
        connection.executemany(_ADD_CREDIT, credits_)
    connection.execute("COMMIT")
    return perf_counter() - started
