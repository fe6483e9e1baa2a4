"""The room's tables in the books: sealed fields, recorded readings, counts."""

from typing import Any, Final

import sqlalchemy as sa

from amana.storage import (
    Bytes,
    Category,
    Int64,
    Joinable,
    Purpose,
    Retention,
    Text,
    column,
    strict_table,
)

_PERSON: Final[dict[str, Any]] = {
    "category": Category.IDENTIFIER,
    "purpose": Purpose.ACCOUNT_MANAGEMENT,
    "joinable": Joinable.PARTY,
}
_KEPT: Final[dict[str, Any]] = {
    "category": Category.NONE,
    "purpose": Purpose.RECORD_MANAGEMENT,
    "joinable": Joinable.NOTHING,
}

fields: Final = strict_table(
    "trust_fields",
    # The only place of personal data. Each value is sealed under the person's own key, bound to
    # person, column and purpose; the key is elsewhere.
    column("person", Bytes, primary_key=True, retention=Retention.PARTY, **_PERSON),
    column("name", Text, primary_key=True, retention=Retention.PARTY, **_KEPT),
    column(
        "sealed",
        Bytes,
        category=Category.SEALED,
        purpose=Purpose.DUE_DILIGENCE,
        retention=Retention.PARTY,
        joinable=Joinable.NOTHING,
    ),
    sa.CheckConstraint("length(person) = 16"),
    sa.CheckConstraint("length(sealed) BETWEEN 2 AND 1100"),
    has_rowid=False,
)

records: Final = strict_table(
    "trust_records",
    # Readings by a human other than the owner: about the staff, for the person's eyes.
    column("number", Int64, primary_key=True, retention=Retention.BOOKS, **_KEPT),
    column("person", Bytes, retention=Retention.BOOKS, **_PERSON),
    column("staff", Bytes, retention=Retention.BOOKS, **{**_KEPT, "category": Category.IDENTIFIER}),
    column("staff_name", Text, retention=Retention.BOOKS, **{**_KEPT, "category": Category.NAME}),
    column("role", Text, retention=Retention.BOOKS, **_KEPT),
    column("purpose", Text, retention=Retention.BOOKS, **_KEPT),
    column("names", Text, retention=Retention.BOOKS, **_KEPT),
    column("outcome", Text, retention=Retention.BOOKS, **_KEPT),
    column("policy", Text, retention=Retention.BOOKS, **_KEPT),
    column("occurred_at", Int64, retention=Retention.BOOKS, **_KEPT),
    sa.CheckConstraint("length(person) = 16"),
    sa.CheckConstraint("occurred_at > 0"),
    sa.Index("trust_records_by_person", "person"),
)

counts: Final = strict_table(
    "trust_counts",
    # Readings by the person or by a machine: a number a day, for ninety days, and nothing finer.
    column("person", Bytes, primary_key=True, retention=Retention.PARTY, **_PERSON),
    column("day", Int64, primary_key=True, retention=Retention.PARTY, **_KEPT),
    column("purpose", Text, primary_key=True, retention=Retention.PARTY, **_KEPT),
    column("reader", Text, primary_key=True, retention=Retention.PARTY, **_KEPT),
    column("count", Int64, retention=Retention.PARTY, **_KEPT),
    sa.CheckConstraint("length(person) = 16"),
    sa.CheckConstraint("count > 0"),
    sa.Index("trust_counts_by_day", "day"),
    has_rowid=False,
)
