"""Webhooks and their deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "events_deliveries",
        sa.Column("webhook", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "attempts",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("status", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "next_attempt_at",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=True,
        ),
        sa.Column("last_error", sa.Text(), autoincrement=False, nullable=True),
        sa.CheckConstraint("length(webhook) = 16", name="webhook_is_an_id"),
        sa.CheckConstraint("number > 0 AND attempts > 0", name="numbers_count_from_one"),
        sa.CheckConstraint("status IN ('waiting', 'delivered', 'parked')", name="status_is_known"),
        sa.CheckConstraint(
            "(status = 'waiting') = (next_attempt_at IS NOT NULL)",
            name="waiting_has_a_next_attempt",
        ),
        sa.CheckConstraint(
            "(status = 'delivered') = (last_error IS NULL)", name="undelivered_has_an_error"
        ),
        sa.PrimaryKeyConstraint("webhook", "number"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events_webhooks",
        sa.Column("id", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("merchant", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kinds", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column(
            "created_at",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "is_enabled",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "handled_number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "replays",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
        sa.CheckConstraint("length(merchant) = 16", name="merchant_is_an_id"),
        sa.CheckConstraint("length(secret) BETWEEN 24 AND 64", name="secret_is_long_enough"),
        sa.CheckConstraint("is_enabled IN (0, 1)", name="is_enabled_or_not"),
        sa.CheckConstraint("handled_number >= 0 AND replays >= 0", name="numbers_are_not_negative"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("events_webhooks_by_merchant", "events_webhooks", ["merchant"], unique=False)
