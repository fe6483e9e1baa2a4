"""Ids of keysets (NUT-02) and their public keys as they stand in JSON (NUT-01)."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from amana.purse.curve import is_point
from amana.purse.model import Keyset

ID_VERSION: Final = "01"
LIST_HASH_BYTES: Final = 16
AMOUNT_MAX: Final = (1 << 64) - 1

_ID: Final = re.compile(r"01[0-9a-f]{64}", re.ASCII)
_AMOUNT: Final = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)
_KEY: Final = re.compile(r"0[23][0-9a-fA-F]{64}", re.ASCII)


def is_keyset_id(text: str) -> bool:
    """Say whether a text has the form of a keyset id of version 01; other versions are refused."""
    return _ID.fullmatch(text) is not None


def derive_id(
    keys: Mapping[int, bytes], unit: str, *, input_fee_ppk: int, final_expiry: int | None
) -> str:
    """Return the id that keys, unit, fee and expiry have, of version 01.

    Source: NUT-02, deriving the keyset ID. A fee or an expiry of 0 counts as none.
    """
    assert keys, "a keyset has a key"
    text = ",".join(f"{amount}:{key.hex()}" for amount, key in sorted(keys.items()))
    text += f"|unit:{unit.lower()}"
    if input_fee_ppk:
        text += f"|input_fee_ppk:{input_fee_ppk}"
    if final_expiry:
        text += f"|final_expiry:{final_expiry}"
    return ID_VERSION + hashlib.sha256(text.encode()).hexdigest()


def has_own_id(keyset: Keyset) -> bool:
    """Say whether a keyset's id is the one its keys, unit, fee and expiry have."""
    return keyset.id == derive_id(
        keyset.keys,
        keyset.unit,
        input_fee_ppk=keyset.input_fee_ppk,
        final_expiry=keyset.final_expiry,
    )


def parse_keys(written: Mapping[str, str]) -> dict[int, bytes] | None:
    """Read keys as a mint shows them; None where an amount or a key is malformed (NUT-01)."""
    keys: dict[int, bytes] = {}
    for amount, key in written.items():
        if not (_AMOUNT.fullmatch(amount) and _KEY.fullmatch(key)):
            return None
        point = bytes.fromhex(key)
        if int(amount) > AMOUNT_MAX or not is_point(point):
            return None
        keys[int(amount)] = point
    return keys or None


def list_hash(keysets: Iterable[Keyset]) -> bytes:
    """Return the hash by which a merchant's code names the lists of keysets: 16 bytes.

    SHA-256 over one line a keyset in the order of the ids, cut off. A line is id, unit and expiry
    with a colon between and a line feed after; no expiry is written as nothing. Keysets of e-cash
    and those of blind tokens, which wallets read in two lists, are hashed together.
    """
    lines = sorted(
        f"{keyset.id}:{keyset.unit}:{_written(keyset.final_expiry)}\n" for keyset in keysets
    )
    return hashlib.sha256("".join(lines).encode()).digest()[:LIST_HASH_BYTES]


def _written(final_expiry: int | None) -> str:
    return "" if final_expiry is None else str(final_expiry)
