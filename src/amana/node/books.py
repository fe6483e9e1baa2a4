"""The books at a glance: sums by kind of account."""

import sqlite3
from typing import Final

from amana.node.operator import Operator
from amana.node.views import View
from amana.payments import postings
from amana.payments.store import SqlPaymentRows

_NAMES: Final = {
    postings.CODE_SETTLEMENT: "settlement",
    postings.CODE_FEES: "fees",
    postings.CODE_ECASH: "e-cash",
    postings.CODE_CUSTOMER: "customers",
    postings.CODE_MERCHANT: "merchants",
}

_BY_CODE: Final = (
    "SELECT code, count(*), sum(debits_posted), sum(credits_posted), sum(debits_pending), "
    "sum(credits_pending) FROM ledger_accounts GROUP BY code ORDER BY code"
)
_LAST_SEAL: Final = "SELECT number, hash FROM ledger_seals ORDER BY number DESC LIMIT 1"


def books_view(operator: Operator) -> View:
    """Return the books as the operator's staff sees them."""
    return books_of(operator.read_connection, operator.settings.currency)


def books_of(connection: sqlite3.Connection, currency: str) -> View:
    """Sum the accounts by kind, and say whether debits equal credits."""
    rows = connection.execute(_BY_CODE).fetchall()
    debits = sum(row[2] + row[4] for row in rows)
    credits_ = sum(row[3] + row[5] for row in rows)
    (transfers,) = connection.execute("SELECT count(*) FROM ledger_transfers").fetchone()
    seal = connection.execute(_LAST_SEAL).fetchone()
    return {
        "currency": currency,
        "accounts": [
            {
                "name": _NAMES.get(code, f"code {code}"),
                "count": count,
                "debits_posted": str(debits_posted),
                "credits_posted": str(credits_posted),
                "debits_pending": str(debits_pending),
                "credits_pending": str(credits_pending),
                "balance": str(credits_posted - debits_posted),
            }
            for code, count, debits_posted, credits_posted, debits_pending, credits_pending in rows
        ],
        "transfers": transfers,
        "debits_total": str(debits),
        "credits_total": str(credits_),
        "balanced": debits == credits_,
        "last_seal": None if seal is None else {"number": seal[0], "hash": seal[1].hex()},
        "unfinished": len(SqlPaymentRows(connection).unfinished()),
    }
