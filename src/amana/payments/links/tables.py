"""The table of payment links, each column with what it declares."""

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

_OF_MERCHANT: Final[dict[str, Any]] = {
    "purpose": Purpose.PAYMENT_PROCESSING,
    "retention": Retention.PARTY,
    "joinable": Joinable.NOTHING,
}
_IN_ROOM: Final[dict[str, Any]] = {**_OF_MERCHANT, "joinable": Joinable.WITHIN_ROOM}
_TO_PARTY: Final[dict[str, Any]] = {**_OF_MERCHANT, "joinable": Joinable.PARTY}

links_table: Final = strict_table(
    "payments_links",
    column("id", Bytes, primary_key=True, category=Category.TRANSACTION, **_OF_MERCHANT),
    column("merchant", Bytes, category=Category.IDENTIFIER, **_TO_PARTY),
    # It opens an order to pay and nothing else; the merchant is shown it again in the list.
    column("secret", Bytes, category=Category.NONE, **_OF_MERCHANT),
    column("amount", Int64, is_null=True, category=Category.TRANSACTION, **_OF_MERCHANT),
    column("reference", Text, is_null=True, category=Category.TRANSACTION, **_OF_MERCHANT),
    column("is_single_use", Int64, category=Category.NONE, **_OF_MERCHANT),
    column("intent_key", Bytes, category=Category.NONE, **_OF_MERCHANT),
    column("body_hash", Bytes, category=Category.NONE, **_OF_MERCHANT),
    column("created_at", Int64, category=Category.NONE, **_OF_MERCHANT),
    column("expires_at", Int64, is_null=True, category=Category.NONE, **_OF_MERCHANT),
    # Of a link that is paid at most once.
    column("order_id", Bytes, is_null=True, category=Category.TRANSACTION, **_IN_ROOM),
    sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
    sa.CheckConstraint("length(merchant) = 16", name="merchant_is_an_id"),
    sa.CheckConstraint("length(secret) = 16", name="secret_is_128_bits"),
    sa.CheckConstraint("amount IS NULL OR amount > 0", name="amount_is_positive"),
    sa.CheckConstraint("is_single_use IN (0, 1)", name="is_single_use_or_not"),
    sa.CheckConstraint("order_id IS NULL OR is_single_use = 1", name="only_single_use_follows"),
    has_rowid=False,
)
links_secret_index: Final = sa.Index("payments_link_secret", links_table.c.secret, unique=True)
links_key_index: Final = sa.Index("payments_link_key", links_table.c.intent_key, unique=True)
links_merchant_index: Final = sa.Index(
    "payments_link_merchant", links_table.c.merchant, links_table.c.id
)
