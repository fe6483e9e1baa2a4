"""The table of purse backups: what only its owner opens, and a day."""

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

backups_table: Final = strict_table(
    "purse_backups",
    column(
        "party",
        Bytes,
        primary_key=True,
        category=Category.IDENTIFIER,
        purpose=Purpose.TECHNICAL,
        retention=Retention.PARTY,
        joinable=Joinable.PARTY,
    ),
    column(
        "sealed",
        Bytes,
        category=Category.SEALED,
        purpose=Purpose.TECHNICAL,
        retention=Retention.PARTY,
        joinable=Joinable.NOTHING,
    ),
    # The day and nothing finer: an hour would say when a wallet was open.
    column(
        "day",
        Int64,
        category=Category.NONE,
        purpose=Purpose.TECHNICAL,
        retention=Retention.PARTY,
        joinable=Joinable.NOTHING,
    ),
    sa.CheckConstraint("length(party) = 16", name="party_is_128_bits"),
    has_rowid=False,
)
"""Backups are all of one size, so that none of them says how much its owner holds."""
