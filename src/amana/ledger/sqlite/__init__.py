"""The SQLite engine."""

from amana.ledger.sqlite._engine import ACCOUNTS_CACHED_MAX, SQLiteLedger
from amana.ledger.sqlite._reader import LedgerReader

__all__ = ["ACCOUNTS_CACHED_MAX", "LedgerReader", "SQLiteLedger"]
