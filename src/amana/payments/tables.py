"""The tables of payments, each column with what it declares about its data."""

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


def _payment_column(name: str, kind: Any, category: Category, **more: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own types
    declared = {
        "purpose": Purpose.PAYMENT_PROCESSING,
        "retention": Retention.PAYMENT,
        "joinable": Joinable.WITHIN_ROOM,
    }
    return column(name, kind, category=category, **{**declared, **more})


def _id(name: str, category: Category = Category.TRANSACTION, **more: Any) -> Any:  # noqa: ANN401
    return _payment_column(name, Bytes, category, **more)


def _number(name: str, **more: Any) -> Any:  # noqa: ANN401
    return _payment_column(name, Int64, Category.TRANSACTION, **more)


def _party(name: str, **more: Any) -> Any:  # noqa: ANN401
    return _id(name, Category.IDENTIFIER, joinable=Joinable.PARTY, **more)


def _account(name: str) -> Any:  # noqa: ANN401
    return _id(name, Category.ACCOUNT_IDENTIFIER, joinable=Joinable.BOOKS)


payments_table: Final = strict_table(
    "payments_payments",
    _id("id", primary_key=True, joinable=Joinable.BOOKS),
    _number("kind"),
    _number("status"),
    _payment_column("reason", Text, Category.TRANSACTION, is_null=True),
    _party("initiator"),
    _id("intent_key", Category.NONE),
    _id("body_hash", Category.NONE),
    _party("payer", is_null=True),
    _party("payee", is_null=True),
    _account("payer_account"),
    _account("payee_account"),
    _number("total"),
    _number("tip"),
    _number("fee"),
    _number("fee_basis_points"),
    _id("order_id", is_null=True),
    _id("refund_of", is_null=True),
    _id("till_id", is_null=True),
    _number("captured"),
    _number("refunded"),
    _number("fee_returned"),
    _number("steps"),
    _number("hold_expires_at", is_null=True),
    _payment_column("sealed_note", Text, Category.SEALED, is_null=True, joinable=Joinable.NOTHING),
    _payment_column("note_key", Bytes, Category.SEALED, is_null=True, joinable=Joinable.NOTHING),
    _number("created_at"),
    _number("concluded_at", is_null=True),
    # Last, and unchecked: it was added later, and a check would read every row there is.
    _id("refund_key", Category.AUTHENTICATION, is_null=True),
    sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
    sa.CheckConstraint("status BETWEEN 1 AND 6", name="status_is_known"),
    sa.CheckConstraint("total >= 0 AND tip >= 0 AND fee >= 0", name="money_is_not_negative"),
    sa.CheckConstraint("refunded BETWEEN 0 AND total", name="refunded_at_most_what_was_paid"),
    sa.CheckConstraint("captured BETWEEN 0 AND total", name="captured_at_most_what_was_held"),
    sa.CheckConstraint("fee_returned BETWEEN 0 AND fee", name="fee_returned_at_most_the_fee"),
    sa.CheckConstraint("(concluded_at IS NULL) = (status = 1)", name="concluded_unless_pending"),
    has_rowid=False,
)

payments_key_index: Final = sa.Index(
    "payments_payment_key", payments_table.c.intent_key, unique=True
)
payments_unfinished_index: Final = sa.Index(
    "payments_payment_unfinished",
    payments_table.c.id,
    sqlite_where=payments_table.c.status <= 2,  # noqa: PLR2004 - PENDING or AUTHORISED
    postgresql_where=payments_table.c.status <= 2,  # noqa: PLR2004
)
payments_refund_index: Final = sa.Index(
    "payments_payment_refund",
    payments_table.c.refund_of,
    payments_table.c.id,
    sqlite_where=payments_table.c.refund_of.is_not(None),
    postgresql_where=payments_table.c.refund_of.is_not(None),
)

payments_direct_index: Final = sa.Index(
    "payments_payment_direct",
    payments_table.c.payee,
    payments_table.c.id,
    sqlite_where=sa.and_(payments_table.c.kind == 1, payments_table.c.order_id.is_(None)),
    postgresql_where=sa.and_(payments_table.c.kind == 1, payments_table.c.order_id.is_(None)),
)

steps_table: Final = strict_table(
    "payments_steps",
    _id("payment_id", joinable=Joinable.BOOKS),
    _number("number"),
    _number("kind"),
    _number("status"),
    _payment_column("reason", Text, Category.TRANSACTION, is_null=True),
    _id("intent_key", Category.NONE, primary_key=True),
    _id("body_hash", Category.NONE),
    _number("amount"),
    _number("fee"),
    _number("created_at"),
    _number("concluded_at", is_null=True),
    sa.CheckConstraint("number BETWEEN 0 AND 15", name="number_is_a_nibble"),
    sa.CheckConstraint("amount >= 0 AND fee >= 0", name="money_is_not_negative"),
    sa.CheckConstraint("status BETWEEN 1 AND 3", name="status_is_known"),
    has_rowid=False,
)
steps_payment_index: Final = sa.Index(
    "payments_step_payment", steps_table.c.payment_id, steps_table.c.number
)

orders_table: Final = strict_table(
    "payments_orders",
    _id("id", primary_key=True),
    _party("merchant"),
    _id("till_id", is_null=True),
    _number("amount"),
    _payment_column("reference", Text, Category.TRANSACTION, is_null=True),
    _id("basket_hash", Category.NONE, is_null=True),
    _number("capture"),
    _number("tip"),
    _id("intent_key", Category.NONE),
    _id("body_hash", Category.NONE),
    _number("created_at"),
    _number("expires_at"),
    _id("payment_id", is_null=True),
    _number("cancelled_at", is_null=True),
    sa.CheckConstraint("amount > 0", name="amount_is_positive"),
    sa.CheckConstraint(
        "payment_id IS NULL OR cancelled_at IS NULL", name="cancelled_orders_are_not_paid"
    ),
    has_rowid=False,
)
orders_key_index: Final = sa.Index("payments_order_key", orders_table.c.intent_key, unique=True)
orders_merchant_index: Final = sa.Index(
    "payments_order_merchant", orders_table.c.merchant, orders_table.c.id
)

notes_table: Final = strict_table(
    "payments_receipt_notes",
    _id("payment_id", primary_key=True),
    _payment_column("sealed_note", Text, Category.SEALED, joinable=Joinable.NOTHING),
    has_rowid=False,
)

spent_table: Final = strict_table(
    "payments_spent",
    _party("payer"),
    _number("day"),
    _number("minor"),
    sa.PrimaryKeyConstraint("payer", "day"),
    sa.CheckConstraint("minor >= 0", name="spent_is_not_negative"),
    has_rowid=False,
)

takings_table: Final = strict_table(
    "payments_takings",
    _party("merchant"),
    _number("day"),
    _number("payments"),
    _number("gross"),
    _number("fees"),
    _number("refunded"),
    sa.PrimaryKeyConstraint("merchant", "day"),
    has_rowid=False,
)
