"""The tables of e-cash between people: no sender, no time, and the order of random ids."""

from typing import Any, Final

import sqlalchemy as sa

from amana.storage import (
    Bytes,
    Category,
    Joinable,
    Purpose,
    Retention,
    column,
    strict_table,
)


def _own(name: str, category: Category, **more: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's own types
    declared = {
        "category": category,
        "purpose": Purpose.PAYMENT_PROCESSING,
        "retention": Retention.PARTY,
        "joinable": Joinable.PARTY,
    }
    return column(name, Bytes, **{**declared, **more})


keys_table: Final = strict_table(
    "purse_keys",
    _own("party", Category.IDENTIFIER, primary_key=True),
    _own("key", Category.NONE, joinable=Joinable.NOTHING),
    sa.CheckConstraint("length(key) = 33", name="key_is_compressed"),
    has_rowid=False,
)

mail_table: Final = strict_table(
    "purse_mail",
    _own("party", Category.IDENTIFIER),
    _own("id", Category.NONE, joinable=Joinable.NOTHING, retention=Retention.DELIVERY),
    _own("sealed", Category.SEALED, joinable=Joinable.NOTHING, retention=Retention.DELIVERY),
    sa.PrimaryKeyConstraint("party", "id"),
    sa.CheckConstraint("length(id) = 16", name="id_is_128_bits"),
    has_rowid=False,
)
