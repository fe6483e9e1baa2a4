"""The tables of webhooks and their deliveries, each column with what it declares."""

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
    "purpose": Purpose.TECHNICAL,
    "retention": Retention.PARTY,
    "joinable": Joinable.NOTHING,
}
_OF_DELIVERY: Final[dict[str, Any]] = {
    "category": Category.NONE,
    "purpose": Purpose.TECHNICAL,
    "retention": Retention.DELIVERY,
    "joinable": Joinable.NOTHING,
}
_IN_ROOM: Final[dict[str, Any]] = {"joinable": Joinable.WITHIN_ROOM}

webhooks: Final = strict_table(
    "events_webhooks",
    column(
        "id", Bytes, primary_key=True, category=Category.IDENTIFIER, **{**_OF_MERCHANT, **_IN_ROOM}
    ),
    column(
        "merchant",
        Bytes,
        category=Category.IDENTIFIER,
        **{**_OF_MERCHANT, "joinable": Joinable.PARTY},
    ),
    column("url", Text, category=Category.CONTACT, **_OF_MERCHANT),
    # The kinds asked for, in order and divided by spaces; empty for all.
    column("kinds", Text, category=Category.NONE, **_OF_MERCHANT),
    # It signs what the merchant is sent and opens nothing. It is kept as it is because an HMAC
    # cannot be made with less; the other signature's key stays in the signatory's folder.
    column("secret", Bytes, category=Category.AUTHENTICATION, **_OF_MERCHANT),
    column("created_at", Int64, category=Category.NONE, **_OF_MERCHANT),
    column("is_enabled", Int64, category=Category.NONE, **_OF_MERCHANT),
    column("handled_number", Int64, category=Category.NONE, **{**_OF_MERCHANT, **_IN_ROOM}),
    column("replays", Int64, category=Category.NONE, **_OF_MERCHANT),
    sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
    sa.CheckConstraint("length(merchant) = 16", name="merchant_is_an_id"),
    sa.CheckConstraint("length(secret) BETWEEN 24 AND 64", name="secret_is_long_enough"),
    sa.CheckConstraint("is_enabled IN (0, 1)", name="is_enabled_or_not"),
    sa.CheckConstraint("handled_number >= 0 AND replays >= 0", name="numbers_are_not_negative"),
    has_rowid=False,
)

webhooks_by_merchant: Final = sa.Index("events_webhooks_by_merchant", webhooks.c.merchant)

deliveries: Final = strict_table(
    "events_deliveries",
    column("webhook", Bytes, **{**_OF_DELIVERY, **_IN_ROOM, "category": Category.IDENTIFIER}),
    column("number", Int64, **{**_OF_DELIVERY, **_IN_ROOM}),
    column("attempts", Int64, **_OF_DELIVERY),
    column("status", Text, **_OF_DELIVERY),
    column("next_attempt_at", Int64, is_null=True, **_OF_DELIVERY),
    # A status of HTTP or a word for why there was none; nothing that the endpoint wrote.
    column("last_error", Text, is_null=True, **_OF_DELIVERY),
    sa.PrimaryKeyConstraint("webhook", "number"),
    sa.CheckConstraint("length(webhook) = 16", name="webhook_is_an_id"),
    sa.CheckConstraint("number > 0 AND attempts > 0", name="numbers_count_from_one"),
    sa.CheckConstraint("status IN ('waiting', 'delivered', 'parked')", name="status_is_known"),
    sa.CheckConstraint(
        "(status = 'waiting') = (next_attempt_at IS NOT NULL)", name="waiting_has_a_next_attempt"
    ),
    sa.CheckConstraint(
        "(status = 'delivered') = (last_error IS NULL)", name="undelivered_has_an_error"
    ),
    has_rowid=False,
)
