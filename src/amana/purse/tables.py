"""The purse's tables. What is spent and what is signed stand in the order of random keys.

No row of a proof or of an output says when it came, with what, or for whom; nothing joins the two.
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
    Text,
    column,
    strict_table,
)


def _anonymous(name: str, kind: Any, **more: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own types
    """Declare a column about nobody: it joins with nothing."""
    declared = {
        "category": Category.NONE,
        "purpose": Purpose.PAYMENT_PROCESSING,
        "retention": Retention.KEYSET,
        "joinable": Joinable.NOTHING,
    }
    return column(name, kind, **{**declared, **more})


def _quote(name: str, kind: Any, **more: Any) -> Any:  # noqa: ANN401 - likewise
    declared = {
        "category": Category.TRANSACTION,
        "retention": Retention.QUOTE,
        "joinable": Joinable.WITHIN_ROOM,
    }
    return _anonymous(name, kind, **{**declared, **more})


def _own(name: str, kind: Any, **more: Any) -> Any:  # noqa: ANN401 - likewise
    """Declare a column of a standing order: it is its account holder's."""
    declared = {
        "category": Category.TRANSACTION,
        "retention": Retention.PARTY,
        "joinable": Joinable.PARTY,
    }
    return _anonymous(name, kind, **{**declared, **more})


spent_table: Final = strict_table(
    "purse_spent",
    _anonymous("nullifier", Bytes, primary_key=True),
    _anonymous("keyset", Int64),
    _anonymous("amount", Int64),
    sa.CheckConstraint("length(nullifier) = 32", name="nullifier_is_a_coordinate"),
    sa.CheckConstraint("amount > 0", name="amount_is_positive"),
    has_rowid=False,
)

signed_table: Final = strict_table(
    "purse_signed",
    _anonymous("point", Bytes, primary_key=True),
    _anonymous("keyset", Int64),
    _anonymous("amount", Int64),
    sa.CheckConstraint("length(point) = 33", name="point_is_compressed"),
    sa.CheckConstraint("amount > 0", name="amount_is_positive"),
    has_rowid=False,
)

shown_table: Final = strict_table(
    "purse_shown",
    _anonymous("nullifier", Bytes, primary_key=True),
    _anonymous("witness", Text),
    has_rowid=False,
)

totals_table: Final = strict_table(
    "purse_totals",
    _anonymous("keyset", Int64),
    _anonymous("amount", Int64),
    _anonymous("signed", Int64),
    _anonymous("spent", Int64),
    sa.PrimaryKeyConstraint("keyset", "amount"),
    sa.CheckConstraint("signed >= 0 AND spent >= 0", name="counts_are_not_negative"),
    has_rowid=False,
)

# Keysets of which nothing is taken any more: their counts, which no longer change, stand here and
# not among the totals. Their rows of proofs and outputs are dropped, or are about to be.
ended_table: Final = strict_table(
    "purse_ended",
    _anonymous("keyset", Int64, retention=Retention.FOR_EVER),
    _anonymous("amount", Int64, retention=Retention.FOR_EVER),
    _anonymous("signed", Int64, retention=Retention.FOR_EVER),
    _anonymous("spent", Int64, retention=Retention.FOR_EVER),
    _anonymous("is_dropped", Int64, retention=Retention.FOR_EVER),
    sa.PrimaryKeyConstraint("keyset", "amount"),
    sa.CheckConstraint("spent BETWEEN 0 AND signed", name="no_more_spent_than_signed"),
    sa.CheckConstraint("is_dropped IN (0, 1)", name="is_dropped_or_not"),
    has_rowid=False,
)

issue_quotes_table: Final = strict_table(
    "purse_issue_quotes",
    _quote("id", Bytes, primary_key=True),
    _quote("method", Text),
    _quote("request", Text),
    _quote("unit", Text),
    _quote("amount", Int64),
    _quote("paid", Int64),
    _quote("issued", Int64),
    _quote("pubkey", Bytes, is_null=True),
    _quote("expires_at", Int64, is_null=True),
    _quote("updated_at", Int64),
    sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
    sa.CheckConstraint("issued BETWEEN 0 AND paid", name="issued_at_most_what_is_paid"),
    has_rowid=False,
)

redeem_quotes_table: Final = strict_table(
    "purse_redeem_quotes",
    _quote("id", Bytes, primary_key=True),
    _quote("method", Text),
    _quote("request", Text),
    _quote("unit", Text),
    _quote("amount", Int64),
    _quote("fee_reserve", Int64),
    _quote("state", Int64),
    _quote("attempts", Int64),
    _quote("expires_at", Int64),
    _quote("payment_id", Bytes, joinable=Joinable.BOOKS),
    _quote("target", Bytes),
    sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
    sa.CheckConstraint("amount > 0 AND fee_reserve >= 0", name="money_is_positive"),
    sa.CheckConstraint("state BETWEEN 1 AND 4", name="state_is_known"),
    sa.CheckConstraint("attempts BETWEEN 0 AND 15", name="attempts_are_a_nibble"),
    has_rowid=False,
)
redeem_unfinished_index: Final = sa.Index(
    "purse_redeem_quote_unfinished",
    redeem_quotes_table.c.id,
    sqlite_where=sa.and_(redeem_quotes_table.c.state >= 2, redeem_quotes_table.c.state <= 3),  # noqa: PLR2004 - HELD or SPENT
    postgresql_where=sa.and_(redeem_quotes_table.c.state >= 2, redeem_quotes_table.c.state <= 3),  # noqa: PLR2004
)
redeem_ended_index: Final = sa.Index(
    "purse_redeem_quote_end", redeem_quotes_table.c.expires_at, redeem_quotes_table.c.id
)

refills_table: Final = strict_table(
    "purse_refills",
    _own("party", Bytes, primary_key=True, category=Category.IDENTIFIER),
    _own("id", Bytes),
    _own("keyset", Int64),
    _own("amount", Int64),
    _own("outputs", Bytes, joinable=Joinable.NOTHING),
    _own("state", Int64),
    _own("attempts", Int64),
    _own("due_at", Int64),
    sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
    sa.CheckConstraint("amount > 0", name="amount_is_positive"),
    sa.CheckConstraint("state BETWEEN 1 AND 3", name="state_is_known"),
    has_rowid=False,
)
refills_due_index: Final = sa.Index(
    "purse_refill_due", refills_table.c.state, refills_table.c.due_at, refills_table.c.party
)

deposits_table: Final = strict_table(
    "purse_deposits",
    _own("id", Bytes, primary_key=True),
    _own("party", Bytes, category=Category.IDENTIFIER),
    _own("amount", Int64),
    _own("state", Int64),
    _own("due_at", Int64),
    sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
    sa.CheckConstraint("amount >= 0", name="amount_is_not_negative"),
    sa.CheckConstraint("state BETWEEN 1 AND 3", name="state_is_known"),
    has_rowid=False,
)
deposits_due_index: Final = sa.Index(
    "purse_deposit_due", deposits_table.c.state, deposits_table.c.due_at, deposits_table.c.id
)
