"""The table of published statements."""

from typing import Final

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

statements_table: Final = strict_table(
    "purse_statements",
    column(
        "day",
        Int64,
        primary_key=True,
        category=Category.NONE,
        purpose=Purpose.RECORD_MANAGEMENT,
        retention=Retention.FOR_EVER,
        joinable=Joinable.NOTHING,
    ),
    column(
        "statement",
        Bytes,
        category=Category.NONE,
        purpose=Purpose.RECORD_MANAGEMENT,
        retention=Retention.FOR_EVER,
        joinable=Joinable.NOTHING,
    ),
    sa.CheckConstraint("day > 0", name="day_is_positive"),
    has_rowid=False,
)
