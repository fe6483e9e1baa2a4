"""The room's tables, each column with what it declares about the data in it."""

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

_PUBLIC: Final[dict[str, Any]] = {
    "purpose": Purpose.PAYMENT_PROCESSING,
    "retention": Retention.PARTY,
    "joinable": Joinable.PARTY,
}
_KEPT: Final[dict[str, Any]] = {
    "purpose": Purpose.ACCOUNT_MANAGEMENT,
    "retention": Retention.BOOKS,
    "joinable": Joinable.WITHIN_ROOM,
}
_SIGN_IN: Final[dict[str, Any]] = {
    "purpose": Purpose.IDENTITY_AUTHENTICATION,
    "retention": Retention.SESSION,
    "joinable": Joinable.NOTHING,
}
_ACCOUNT: Final[dict[str, Any]] = {
    "category": Category.ACCOUNT_IDENTIFIER,
    "purpose": Purpose.PAYMENT_PROCESSING,
    "retention": Retention.BOOKS,
    "joinable": Joinable.BOOKS,
}


def _id(name: str, *keys: Any, **options: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own types
    declared = {"category": Category.IDENTIFIER, **_KEPT, **options}
    return column(name, Bytes, *keys, **declared)


def _bytes_are(name: str, count: int) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"length({name}) = {count}")


_STATUS: Final = sa.CheckConstraint("status IN ('active', 'closed', 'erased')")

customers: Final = strict_table(
    "people_customers",
    _id("customer", primary_key=True),
    column("ledger_account", Bytes, **_ACCOUNT),
    column("handle", Text, is_null=True, category=Category.USERNAME, **_PUBLIC),
    column("display_name", Text, is_null=True, category=Category.NAME, **_PUBLIC),
    column("language", Text, is_null=True, category=Category.LANGUAGE, **_PUBLIC),
    column("note_key", Bytes, is_null=True, category=Category.IDENTIFIER, **_PUBLIC),
    column("user_handle", Bytes, is_null=True, category=Category.AUTHENTICATION, **_SIGN_IN),
    column("tier", Text, category=Category.NONE, **_KEPT),
    column("payment_minor_max", Int64, is_null=True, category=Category.NONE, **_KEPT),
    column("day_minor_max", Int64, is_null=True, category=Category.NONE, **_KEPT),
    column("holding_minor_max", Int64, is_null=True, category=Category.NONE, **_KEPT),
    column("status", Text, category=Category.NONE, **_KEPT),
    _STATUS,
    _bytes_are("customer", 16),
    _bytes_are("ledger_account", 16),
    sa.CheckConstraint("note_key IS NULL OR length(note_key) = 32"),
    sa.CheckConstraint("(status = 'erased') = (handle IS NULL)"),
    sa.CheckConstraint("(payment_minor_max IS NULL) = (day_minor_max IS NULL)"),
    sa.CheckConstraint("(payment_minor_max IS NULL) = (holding_minor_max IS NULL)"),
    sa.Index("people_customers_by_handle", "handle", unique=True),
    sa.Index("people_customers_by_account", "ledger_account", unique=True),
    sa.Index("people_customers_by_user_handle", "user_handle", unique=True),
    has_rowid=False,
)

merchants: Final = strict_table(
    "people_merchants",
    _id("merchant", primary_key=True),
    column("ledger_account", Bytes, **_ACCOUNT),
    column("handle", Text, category=Category.USERNAME, **_PUBLIC),
    column("name", Text, category=Category.NAME, **_PUBLIC),
    column("names", Text, category=Category.NAME, **_PUBLIC),
    column("category", Text, category=Category.NONE, **_PUBLIC),
    column("country", Text, category=Category.NONE, **_PUBLIC),
    column("city", Text, category=Category.NONE, **_PUBLIC),
    column("fee_basis_points", Int64, is_null=True, category=Category.NONE, **_KEPT),
    column("status", Text, category=Category.NONE, **_KEPT),
    _STATUS,
    _bytes_are("merchant", 16),
    _bytes_are("ledger_account", 16),
    sa.CheckConstraint("fee_basis_points BETWEEN 0 AND 10000"),
    sa.Index("people_merchants_by_handle", "handle", unique=True),
    sa.Index("people_merchants_by_account", "ledger_account", unique=True),
    has_rowid=False,
)

handles: Final = strict_table(
    "people_handles",
    # A keyed hash of each handle ever given out, of customers and merchants alike. It stays when
    # its holder is erased, so that nobody else can take the name and be paid in their stead.
    column(
        "keyed_hash",
        Bytes,
        primary_key=True,
        category=Category.NONE,
        purpose=Purpose.ACCOUNT_MANAGEMENT,
        retention=Retention.FOR_EVER,
        joinable=Joinable.NOTHING,
    ),
    _bytes_are("keyed_hash", 32),
    has_rowid=False,
)

sites: Final = strict_table(
    "people_sites",
    _id("site", primary_key=True),
    _id("merchant", sa.ForeignKey("people_merchants.merchant")),
    column("name", Text, category=Category.NONE, **_PUBLIC),
    _bytes_are("site", 16),
    sa.Index("people_sites_by_merchant", "merchant"),
    has_rowid=False,
)

tills: Final = strict_table(
    "people_tills",
    _id("till", primary_key=True),
    _id("site", sa.ForeignKey("people_sites.site")),
    _id("merchant", sa.ForeignKey("people_merchants.merchant")),
    column("name", Text, category=Category.NONE, **_PUBLIC),
    _bytes_are("till", 16),
    sa.Index("people_tills_by_merchant", "merchant"),
    has_rowid=False,
)

staff: Final = strict_table(
    "people_staff",
    _id("staff", primary_key=True),
    _id("merchant", sa.ForeignKey("people_merchants.merchant")),
    column("name", Text, category=Category.NAME, **_PUBLIC),
    column("role", Text, category=Category.NONE, **_KEPT),
    _bytes_are("staff", 16),
    sa.CheckConstraint("role IN ('owner', 'manager', 'cashier')"),
    sa.Index("people_staff_by_merchant", "merchant"),
    has_rowid=False,
)

operator_staff: Final = strict_table(
    "people_operator_staff",
    _id("staff", primary_key=True),
    column("name", Text, category=Category.NAME, **_KEPT),
    column("role", Text, category=Category.NONE, **_KEPT),
    _bytes_are("staff", 16),
    sa.CheckConstraint("role IN ('officer', 'support', 'auditor')"),
    has_rowid=False,
)

tokens: Final = strict_table(
    "people_tokens",
    _id("token", primary_key=True, **_SIGN_IN),
    column("digest", Bytes, category=Category.AUTHENTICATION, **_SIGN_IN),
    column("kind", Text, category=Category.NONE, **_SIGN_IN),
    _id("holder", **_SIGN_IN),
    column("scopes", Text, category=Category.NONE, **_SIGN_IN),
    column("label", Text, category=Category.NONE, **_SIGN_IN),
    column("is_confirmation_exempt", Int64, category=Category.NONE, **_SIGN_IN),
    column("expires_at", Int64, is_null=True, category=Category.NONE, **_SIGN_IN),
    _bytes_are("token", 16),
    _bytes_are("digest", 32),
    sa.CheckConstraint("kind IN ('session', 'staff-session', 'api-key', 'operator')"),
    sa.CheckConstraint("is_confirmation_exempt IN (0, 1)"),
    sa.Index("people_tokens_by_digest", "digest", unique=True),
    sa.Index("people_tokens_by_holder", "holder"),
    has_rowid=False,
)

passkeys: Final = strict_table(
    "people_passkeys",
    column("credential_id", Bytes, primary_key=True, category=Category.AUTHENTICATION, **_SIGN_IN),
    _id("customer", sa.ForeignKey("people_customers.customer"), **_SIGN_IN),
    column("public_key", Bytes, category=Category.AUTHENTICATION, **_SIGN_IN),
    column("sign_count", Int64, category=Category.NONE, **_SIGN_IN),
    sa.CheckConstraint("sign_count >= 0"),
    sa.Index("people_passkeys_by_customer", "customer"),
    has_rowid=False,
)
