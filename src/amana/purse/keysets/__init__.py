"""Keysets: keys from one secret, ids, and the list everybody sees."""

from amana.purse.keysets.derivation import (
    AUTH_UNIT,
    SEED_BYTES,
    KeysetPlan,
    derive_keys,
    describe,
    plan_of,
    powers_of_two,
    rebuild,
)
from amana.purse.keysets.ids import (
    ID_VERSION,
    LIST_HASH_BYTES,
    derive_id,
    has_own_id,
    is_keyset_id,
    list_hash,
    parse_keys,
)

__all__ = [
    "AUTH_UNIT",
    "ID_VERSION",
    "LIST_HASH_BYTES",
    "SEED_BYTES",
    "KeysetPlan",
    "derive_id",
    "derive_keys",
    "describe",
    "has_own_id",
    "is_keyset_id",
    "list_hash",
    "parse_keys",
    "plan_of",
    "powers_of_two",
    "rebuild",
]
