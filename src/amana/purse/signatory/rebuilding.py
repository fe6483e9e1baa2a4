"""A list of keysets that was lost, made again from the seed and public copies of it.

Every keyset's keys follow from the seed and its number, and its id from its keys, unit, fee and
expiry. So what a copy says is not believed but tried: only what gives the same id is taken. What
cannot be tried is whether a keyset signs and whether it was revoked; the worst that a copy says of
that holds.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from amana.purse.keysets import parse_keys, plan_of, rebuild
from amana.purse.model import Keyset
from amana.purse.signatory.store import Entry, KeysetStatus


class KeysetCopy(msgspec.Struct, frozen=True):
    """A keyset as a public copy has it; the keys may be left out."""

    id: str
    unit: str = ""
    active: bool = False
    input_fee_ppk: int | None = None
    final_expiry: int | None = None
    revoked: bool = False
    keys: dict[str, str] = {}


class _Copy(msgspec.Struct):
    """An answer of the mint with keysets in it, or a statement, which has one unit for all."""

    keysets: tuple[KeysetCopy, ...]
    unit: str = ""


def read_copy(text: bytes) -> tuple[KeysetCopy, ...]:
    """Read an answer of `/v1/keysets` or `/v1/keys`, a statement, or a kept list of a signatory.

    Raises:
        ValueError: It is none of these.
    """
    try:
        copy = msgspec.json.decode(text, type=_Copy | tuple[Entry, ...])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValueError("holds no keysets") from None
    if isinstance(copy, _Copy):
        return tuple(
            msgspec.structs.replace(each, unit=each.unit or copy.unit) for each in copy.keysets
        )
    return tuple(
        KeysetCopy(
            entry.id,
            entry.plan.unit,
            entry.status is KeysetStatus.ACTIVE,
            entry.plan.input_fee_ppk,
            entry.plan.final_expiry,
            entry.status is KeysetStatus.REVOKED,
        )
        for entry in copy
    )


def rebuild_entries(
    seed: bytes, copies: Iterable[KeysetCopy], amounts_of: Callable[[str], Sequence[int]]
) -> tuple[Entry, ...]:
    """Return the list that the copies are of.

    Args:
        seed: The one secret.
        copies: Keysets of any number of copies, in any order.
        amounts_of: The amounts of a unit's keysets, for copies without keys.
    Raises:
        ValueError: A keyset does not come of this seed, or others that are in no copy came before.
    """
    merged: dict[str, KeysetCopy] = {}
    for copy in copies:
        merged[copy.id] = _worst(merged.get(copy.id, copy), copy)
    made = rebuild(seed, [_as_keyset(copy, amounts_of) for copy in merged.values()])
    signing = {each.unit: each.number for each in made if merged[each.id].active}
    return tuple(
        Entry(each.id, plan_of(each), _status(merged[each.id], each, signing)) for each in made
    )


def _worst(one: KeysetCopy, other: KeysetCopy) -> KeysetCopy:
    return msgspec.structs.replace(
        one,
        active=one.active and other.active,
        revoked=one.revoked or other.revoked,
        keys=one.keys or other.keys,
    )


def _as_keyset(copy: KeysetCopy, amounts_of: Callable[[str], Sequence[int]]) -> Keyset:
    keys = parse_keys(copy.keys) or dict.fromkeys(amounts_of(copy.unit), b"")
    fee = copy.input_fee_ppk or 0
    return Keyset(0, copy.id, copy.unit, copy.active, fee, copy.final_expiry, keys)


def _status(copy: KeysetCopy, made: Keyset, signing: dict[str, int]) -> KeysetStatus:
    if copy.revoked:
        return KeysetStatus.REVOKED
    is_newest = signing.get(made.unit) == made.number
    return KeysetStatus.ACTIVE if is_newest else KeysetStatus.RETIRED
