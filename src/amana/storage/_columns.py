"""Tables in SQLAlchemy Core, each column with what it declares about the data in it.

A column says which category of data it holds, for which purpose, for how long, and what it may be
joined with. A test refuses a table with a column that says nothing.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

metadata: Final = sa.MetaData()
"""All tables of the one file of books."""

Int64: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A signed 64-bit integer: money, instants (nanoseconds), counters, states."""

Bytes: Final = sa.LargeBinary()
"""Bytes: 128-bit ids big-endian in 16 bytes, hashes, ciphertexts."""

Text: Final = sa.Text()


class Category(StrEnum):
    """Category of data, in the terms of the W3C Data Privacy Vocabulary (DPV 2.3, module PD)."""

    NONE = "NonPersonalData"
    IDENTIFIER = "UID"
    ACCOUNT_IDENTIFIER = "AccountIdentifier"
    NAME = "Name"
    USERNAME = "Username"
    CONTACT = "Contact"
    LANGUAGE = "Language"
    AUTHENTICATION = "Authenticating"
    TRANSACTION = "Transaction"
    BALANCE = "FinancialStatus"
    COMMUNICATION = "Communication"
    SEALED = "EncryptedData"


class Purpose(StrEnum):
    """Purpose of processing, in DPV terms."""

    PAYMENT_PROCESSING = "PaymentProcessing"
    PAYMENT_MANAGEMENT = "PaymentManagement"
    ACCOUNT_MANAGEMENT = "AccountManagement"
    IDENTITY_AUTHENTICATION = "IdentityAuthentication"
    DUE_DILIGENCE = "CustomerDueDiligence"
    RECORD_MANAGEMENT = "RecordManagement"
    TECHNICAL = "TechnicalServiceProvision"


class Retention(StrEnum):
    """How long a value stays, and what ends its stay."""

    BOOKS = "books"
    """Until the bookkeeping duty ends; then closing balances and hashes remain."""
    PAYMENT = "payment"
    """As long as the payment can be refunded or contested."""
    PARTY = "party"
    """Until the customer or merchant leaves."""
    SESSION = "session"
    """Until sign-out or revocation."""
    DELIVERY = "delivery"
    """Until delivered, or parked and then dropped by the merchant."""
    KEYSET = "keyset"
    """Until the keyset's proofs are redeemed no more: years after its expiry."""
    QUOTE = "quote"
    """Until some days after the quote's end."""
    DAY = "day"
    """Until the day is over."""
    FOR_EVER = "for ever"
    """Holds nothing about anybody."""


class Joinable(StrEnum):
    """What a column may be joined with."""

    NOTHING = "nothing"
    WITHIN_ROOM = "tables of its own room"
    BOOKS = "the ledger's accounts and transfers"
    PARTY = "the party's own record"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a column declares."""

    category: Category
    purpose: Purpose
    retention: Retention
    joinable: Joinable


def column(name: str, kind: Any, *keys: Any, is_null: bool = False, **declared: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own types
    """Make a column that declares its data.

    Args:
        name: The column's name.
        kind: Int64, Bytes or Text.
        keys: Foreign keys, as SQLAlchemy takes them.
        is_null: Whether the value may be absent.
        declared: category, purpose, retention, joinable; `primary_key` is handed on.
    """
    is_key = declared.pop("primary_key", False)
    declaration = Declaration(**declared)
    return sa.Column(
        name,
        kind,
        *keys,
        nullable=is_null,
        primary_key=is_key,
        autoincrement=False,
        info={"declaration": declaration},
    )


def declaration_of(column_of_table: "sa.Column[Any]") -> Declaration | None:
    """Return what a column declares, or None where it declares nothing."""
    found = column_of_table.info.get("declaration")
    return found if isinstance(found, Declaration) else None


def strict_table(name: str, *parts: Any, has_rowid: bool = True) -> sa.Table:  # noqa: ANN401 - SQLAlchemy's own types
    """Make a table that refuses values of another type (STRICT in SQLite).

    Args:
        name: The room's name, an underscore, and what a row is.
        parts: Columns and constraints.
        has_rowid: False for a table kept in the order of its primary key.
    """
    return sa.Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=has_rowid)


def sql_text(statement: sa.ClauseElement) -> str:
    """Compile a statement once to SQLite's text with `?` parameters, for use on a hot path."""
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="qmark")))
