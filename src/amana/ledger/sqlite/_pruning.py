"""Rows older than their retention give way to closing balances and hashes.

What stays of a pruned batch: its seal without the secret, so that the chain still holds and no hash
can be compared with a guessed row; and its transfers' ids, so that none of them is ever used again
(it is answered as ID_ALREADY_FAILED). A hold that was open at the cut keeps its row until a later
pruning. Burnt ids and accounts stay.
"""

import sqlite3
from typing import Final

from amana.ledger import seals
from amana.ledger.model import Account, AccountFlags, Pruning, Transfer
from amana.ledger.sqlite._reader import LedgerReader
from amana.ledger.verification import closing_at

# ruff: noqa: S608 - the statements are joined from constants of this file; values are parameters

_CLOSED: Final = int(AccountFlags.CLOSED)
_NOT_KEPT: Final = "timestamp <= ?1 AND timestamp NOT IN (SELECT timestamp FROM temp.ledger_kept)"
_DELETIONS: Final = (
    f"DELETE FROM ledger_transfers WHERE {_NOT_KEPT}",
    f"DELETE FROM ledger_holds WHERE {_NOT_KEPT}",
    "DELETE FROM ledger_balances WHERE timestamp <= ?1",
    "DELETE FROM ledger_expiries WHERE timestamp <= ?1",
    "UPDATE ledger_seals SET secret = NULL WHERE timestamp_max <= ?1",
    "DELETE FROM ledger_closings WHERE ?1 > 0",
)


def cut_before(connection: sqlite3.Connection, before: int) -> int:
    """Return the end of the last batch that lies wholly before an instant and is not pruned yet.

    Returns:
        Its last timestamp, or 0 where there is none.
    """
    text = "SELECT max(timestamp_max) FROM ledger_seals WHERE timestamp_max < ?"
    cut: int = connection.execute(text, (before,)).fetchone()[0] or 0
    pruned = connection.execute("SELECT max(cut) FROM ledger_prunings").fetchone()[0] or 0
    return cut if cut > pruned else 0


def prune(connection: sqlite3.Connection, *, cut: int, timestamp: int) -> Pruning:
    """Prune sound books up to a cut; the caller seals the answer and commits."""
    accounts, kept = closing_at(LedgerReader(connection), cut)
    batches = connection.execute(
        "SELECT count(*) FROM ledger_seals WHERE timestamp_max <= ?", (cut,)
    ).fetchone()[0]
    _delete(connection, cut, kept)
    connection.executemany(
        "INSERT INTO ledger_closings (timestamp, debits_pending, debits_posted, credits_pending,"
        " credits_posted, is_closed) VALUES (?,?,?,?,?,?)",
        (_closing_row(account) for account in accounts),
    )
    pruning = Pruning(timestamp, cut, batches, seals.closing_digest(accounts))
    connection.execute(
        "INSERT INTO ledger_prunings (timestamp, cut, batches, digest) VALUES (?,?,?,?)",
        (pruning.timestamp, pruning.cut, pruning.batches, pruning.digest),
    )
    return pruning


def _delete(connection: sqlite3.Connection, cut: int, kept: list[Transfer]) -> None:
    """Take the rows away and remember their ids."""
    connection.execute("CREATE TEMP TABLE ledger_kept (timestamp INTEGER PRIMARY KEY) STRICT")
    connection.executemany(
        "INSERT INTO temp.ledger_kept VALUES (?)", ((held.timestamp,) for held in kept)
    )
    connection.execute(
        f"INSERT INTO ledger_pruned_ids SELECT id FROM ledger_transfers WHERE {_NOT_KEPT}",
        (cut,),
    )
    for deletion in _DELETIONS:
        connection.execute(deletion, (cut,))
    connection.execute("DROP TABLE temp.ledger_kept")


def _closing_row(account: Account) -> tuple[int, ...]:
    return (
        account.timestamp,
        account.debits_pending,
        account.debits_posted,
        account.credits_pending,
        account.credits_posted,
        1 if account.flags & _CLOSED else 0,
    )
