"""Keysets that end: what is left of them, and used blind tokens by keyset."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _number(name: str) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, autoincrement=False, nullable=False)


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "purse_ended",
        _number("keyset"),
        _number("amount"),
        _number("signed"),
        _number("spent"),
        _number("is_dropped"),
        sa.CheckConstraint("spent BETWEEN 0 AND signed", name="no_more_spent_than_signed"),
        sa.CheckConstraint("is_dropped IN (0, 1)", name="is_dropped_or_not"),
        sa.PrimaryKeyConstraint("keyset", "amount"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.rename_table("purse_auth_spent", "purse_auth_spent_before")
    op.create_table(
        "purse_auth_spent",
        _number("keyset"),
        sa.Column("nullifier", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.CheckConstraint("length(nullifier) = 32", name="nullifier_is_a_coordinate"),
        sa.PrimaryKeyConstraint("keyset", "nullifier"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    # Until now every mint had one keyset of blind tokens, made with its first keyset of money.
    op.execute(
        "INSERT INTO purse_auth_spent (keyset, nullifier) "
        "SELECT 1, nullifier FROM purse_auth_spent_before"
    )
    op.drop_table("purse_auth_spent_before")
