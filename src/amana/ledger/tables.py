"""The books' tables. Nothing in them is personal: opaque ids, amounts, codes and hashes.

A transfer's timestamp is its row's number, so each index ends with the time without storing it.
"""

from typing import Any, Final

import sqlalchemy as sa

from amana.storage import (
    Bytes,
    Category,
    Int64,
    Joinable,
    Purpose,
    Retention,
    column,
    strict_table,
)

_ID_BYTES: Final = 16
_HASH_BYTES: Final = 32


def _column(
    name: str,
    kind: Any,  # noqa: ANN401 - SQLAlchemy's own types
    category: Category = Category.TRANSACTION,
    joinable: Joinable = Joinable.BOOKS,
    **more: bool,
) -> "sa.Column[Any]":
    """Make a column of the books, kept as long as the bookkeeping duty lasts."""
    made: sa.Column[Any] = column(
        name,
        kind,
        category=category,
        purpose=Purpose.PAYMENT_PROCESSING,
        retention=Retention.BOOKS,
        joinable=joinable,
        **more,
    )
    return made


def _plain(name: str, kind: Any = Int64, **more: bool) -> "sa.Column[Any]":  # noqa: ANN401 - SQLAlchemy's own types
    """Make a column that says nothing about anybody."""
    return _column(name, kind, Category.NONE, Joinable.WITHIN_ROOM, **more)


def _counters() -> "list[Any]":
    names = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
    return [
        *(_column(name, Int64, Category.BALANCE, Joinable.WITHIN_ROOM) for name in names),
        *(sa.CheckConstraint(f"{name} >= 0", name=name) for name in names),
    ]


def _has_length(name: str, length: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"length({name}) = {length}", name=f"{name}_length")


accounts: Final = strict_table(
    "ledger_accounts",
    _plain("timestamp", primary_key=True),
    _column("id", Bytes, Category.ACCOUNT_IDENTIFIER),
    _plain("ledger"),
    _plain("code"),
    _plain("flags"),
    _column("user_data_128", Bytes, is_null=True),
    _column("user_data_64", Int64),
    _column("user_data_32", Int64),
    *_counters(),
    _plain("is_closed"),
    _has_length("id", _ID_BYTES),
    sa.CheckConstraint("is_closed IN (0, 1)", name="is_closed"),
    sa.CheckConstraint(
        "flags & 2 = 0 OR debits_pending + debits_posted <= credits_posted", name="debits_bound"
    ),
    sa.CheckConstraint(
        "flags & 4 = 0 OR credits_pending + credits_posted <= debits_posted", name="credits_bound"
    ),
    sa.Index("ledger_accounts_id", "id", unique=True),
)

transfers: Final = strict_table(
    "ledger_transfers",
    _plain("timestamp", primary_key=True),
    _column("id", Bytes, Category.IDENTIFIER),
    _column("debit_account_id", Bytes, Category.ACCOUNT_IDENTIFIER),
    _column("credit_account_id", Bytes, Category.ACCOUNT_IDENTIFIER),
    _column("amount", Int64),
    _column("pending_id", Bytes, Category.IDENTIFIER, is_null=True),
    _column("user_data_128", Bytes, is_null=True),
    _column("user_data_64", Int64),
    _column("user_data_32", Int64),
    _plain("timeout_s"),
    _plain("ledger"),
    _plain("code"),
    _plain("flags"),
    _has_length("id", _ID_BYTES),
    sa.CheckConstraint("amount >= 0", name="amount"),
    sa.CheckConstraint("debit_account_id <> credit_account_id", name="accounts_differ"),
    sa.Index("ledger_transfers_id", "id", unique=True),
    sa.Index("ledger_transfers_debit", "debit_account_id"),
    sa.Index("ledger_transfers_credit", "credit_account_id"),
    sa.Index("ledger_transfers_code", "code"),
)

holds: Final = strict_table(
    "ledger_holds",
    # The pending transfer's timestamp.
    _plain("timestamp", primary_key=True),
    _plain("status"),
    _plain("expires_at"),
    sa.CheckConstraint("status BETWEEN 1 AND 4", name="status"),
    sa.Index(
        "ledger_holds_due", "expires_at", sqlite_where=sa.text("status = 1 AND expires_at > 0")
    ),
)

expiries: Final = strict_table(
    "ledger_expiries",
    _plain("timestamp", primary_key=True),
    _column("transfer_id", Bytes, Category.IDENTIFIER),
    _has_length("transfer_id", _ID_BYTES),
)

failures: Final = strict_table(
    "ledger_failures",
    _plain("timestamp", primary_key=True),
    _column("transfer_id", Bytes, Category.IDENTIFIER),
    _has_length("transfer_id", _ID_BYTES),
    sa.Index("ledger_failures_transfer_id", "transfer_id", unique=True),
)

balances: Final = strict_table(
    "ledger_balances",
    _column("account_id", Bytes, Category.ACCOUNT_IDENTIFIER, primary_key=True),
    _plain("timestamp", primary_key=True),
    *_counters(),
    has_rowid=False,
)

seals: Final = strict_table(
    "ledger_seals",
    _plain("number", primary_key=True),
    _plain("previous_hash", Bytes),
    _plain("root", Bytes),
    _plain("count"),
    _plain("timestamp_min"),
    _plain("timestamp_max"),
    _plain("hash", Bytes),
    _plain("secret", Bytes, is_null=True),
    _has_length("previous_hash", _HASH_BYTES),
    _has_length("root", _HASH_BYTES),
    _has_length("hash", _HASH_BYTES),
)

prunings: Final = strict_table(
    "ledger_prunings",
    _plain("timestamp", primary_key=True),
    _plain("cut"),
    _plain("batches"),
    _plain("digest", Bytes),
    _has_length("digest", _HASH_BYTES),
)

closings: Final = strict_table(
    "ledger_closings",
    # The account's timestamp.
    _plain("timestamp", primary_key=True),
    *_counters(),
    _plain("is_closed"),
)

pruned_ids: Final = strict_table(
    "ledger_pruned_ids",
    _column("transfer_id", Bytes, Category.IDENTIFIER, primary_key=True),
    has_rowid=False,
)

TABLES: Final = (
    accounts,
    transfers,
    holds,
    expiries,
    failures,
    balances,
    seals,
    prunings,
    closings,
    pruned_ids,
)
