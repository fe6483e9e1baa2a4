"""The tables of access: blind tokens that were used, and how many each customer got today."""

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

spent_tokens_table: Final = strict_table(
    "purse_auth_spent",
    # In the order of random keys: a row says neither when nor beside which other it came. The
    # keyset stands first, so that the rows of one that has ended are found without the others.
    column(
        "keyset",
        Int64,
        category=Category.NONE,
        purpose=Purpose.TECHNICAL,
        retention=Retention.KEYSET,
        joinable=Joinable.NOTHING,
    ),
    column(
        "nullifier",
        Bytes,
        category=Category.NONE,
        purpose=Purpose.TECHNICAL,
        retention=Retention.KEYSET,
        joinable=Joinable.NOTHING,
    ),
    sa.PrimaryKeyConstraint("keyset", "nullifier"),
    sa.CheckConstraint("length(nullifier) = 32", name="nullifier_is_a_coordinate"),
    has_rowid=False,
)

quota_table: Final = strict_table(
    "purse_auth_quota",
    column(
        "day",
        Int64,
        category=Category.NONE,
        purpose=Purpose.TECHNICAL,
        retention=Retention.DAY,
        joinable=Joinable.NOTHING,
    ),
    column(
        "party",
        Bytes,
        category=Category.IDENTIFIER,
        purpose=Purpose.TECHNICAL,
        retention=Retention.DAY,
        joinable=Joinable.PARTY,
    ),
    column(
        "count",
        Int64,
        category=Category.NONE,
        purpose=Purpose.TECHNICAL,
        retention=Retention.DAY,
        joinable=Joinable.NOTHING,
    ),
    sa.PrimaryKeyConstraint("day", "party"),
    sa.CheckConstraint("length(party) = 16", name="party_is_128_bits"),
    sa.CheckConstraint("count > 0", name="count_is_positive"),
    has_rowid=False,
)
