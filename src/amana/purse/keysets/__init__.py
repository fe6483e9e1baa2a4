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
from amana.purse.keysets.rotation import ended, is_rotation_due

__all__ = [
    "AUTH_UNIT",
    "ID_VERSION",
    "LIST_HASH_BYTES",
    "SEED_BYTES",
    "KeysetPlan",
    "derive_id",
    "derive_keys",
    "describe",
    "ended",
    "has_own_id",
    "is_keyset_id",
    "is_rotation_due",
    "list_hash",
    "parse_keys",
    "plan_of",
    "powers_of_two",
    "rebuild",
]
