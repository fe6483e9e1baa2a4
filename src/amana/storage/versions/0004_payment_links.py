"""Payment links."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _number(name: str, *, is_null: bool = False) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, autoincrement=False, nullable=is_null)


def _bytes(name: str, *, is_null: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), autoincrement=False, nullable=is_null)


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "payments_links",
        _bytes("id"),
        _bytes("merchant"),
        _bytes("secret"),
        _number("amount", is_null=True),
        sa.Column("reference", sa.Text(), autoincrement=False, nullable=True),
        _number("is_single_use"),
        _bytes("intent_key"),
        _bytes("body_hash"),
        _number("created_at"),
        _number("expires_at", is_null=True),
        _bytes("order_id", is_null=True),
        sa.CheckConstraint("amount IS NULL OR amount > 0", name="amount_is_positive"),
        sa.CheckConstraint("is_single_use IN (0, 1)", name="is_single_use_or_not"),
        sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
        sa.CheckConstraint("length(merchant) = 16", name="merchant_is_an_id"),
        sa.CheckConstraint("length(secret) = 16", name="secret_is_128_bits"),
        sa.CheckConstraint("order_id IS NULL OR is_single_use = 1", name="only_single_use_follows"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("payments_link_key", "payments_links", ["intent_key"], unique=True)
    op.create_index("payments_link_merchant", "payments_links", ["merchant", "id"], unique=False)
    op.create_index("payments_link_secret", "payments_links", ["secret"], unique=True)
