"""Every private key of the mint out of one secret.

k = HMAC-SHA256(seed, "amana-mint-key-v1" ‖ len(unit) ‖ unit ‖ number ‖ amount ‖ attempt), in which
`number` is the keyset's place in the list and `amount` the denomination, 8 bytes each, big-endian,
and `attempt` is a byte that goes up while k is out of range.

So whoever has the seed has every key that ever was. Expiry and fee are no part of a key, and so
the list is rebuilt from the seed and any public copy of the list, whatever the copy's order, by
`rebuild`: it counts up from 0, derives the keys that a unit would have at each number, and takes
the number at which the id agrees. `amana purse rebuild` does so for an operator.
"""

import hmac
from collections.abc import Sequence
from typing import Final

import msgspec

from amana.purse.curve import MintKey, curve_of
from amana.purse.keysets.ids import ID_VERSION, derive_id
from amana.purse.model import Keyset

SEED_BYTES: Final = 32
UNIT_CHARACTERS_MAX: Final = 16
AUTH_UNIT: Final = "auth"
"""The unit of blind tokens (NUT-22); its one amount is 1."""

_TAG: Final = b"amana-mint-key-v1"
_TRIES_MAX: Final = 256


class KeysetPlan(msgspec.Struct, frozen=True):
    """What a keyset is to be; its keys follow from seed and number.

    `amounts` ascend. `final_expiry` is in seconds since 1970. `signatures_max` is how many
    signatures each denomination may give before an operator has to look.
    """

    unit: str
    amounts: tuple[int, ...]
    input_fee_ppk: int = 0
    final_expiry: int | None = None
    signatures_max: int = 10_000_000


def powers_of_two(count: int) -> tuple[int, ...]:
    """Return the first `count` powers of two, from 1."""
    return tuple(1 << exponent for exponent in range(count))


def derive_keys(seed: bytes, plan: KeysetPlan, number: int) -> dict[int, MintKey]:
    """Return the private keys of a keyset, one an amount."""
    curve = curve_of(ID_VERSION)
    assert curve is not None, "the version we make is one we know"
    assert len(seed) == SEED_BYTES, "a seed has 32 bytes"
    return {amount: curve.key(_scalar(seed, plan.unit, number, amount)) for amount in plan.amounts}


def _scalar(seed: bytes, unit: str, number: int, amount: int) -> bytes:
    curve = curve_of(ID_VERSION)
    assert curve is not None, "the version we make is one we know"
    name = unit.encode()
    assert 0 < len(name) <= UNIT_CHARACTERS_MAX, "a unit is a short word"
    start = _TAG + bytes((len(name),)) + name + number.to_bytes(8) + amount.to_bytes(8)
    for attempt in range(_TRIES_MAX):
        scalar = hmac.digest(seed, start + bytes((attempt,)), "sha256")
        if curve.is_scalar(scalar):
            return scalar
    raise AssertionError("a hash is below the order but once in 2^128")


def describe(plan: KeysetPlan, number: int, keys: dict[int, MintKey], *, is_active: bool) -> Keyset:
    """Return what everybody may know of a keyset."""
    public = {amount: key.public for amount, key in keys.items()}
    return Keyset(
        number=number,
        id=derive_id(
            public, plan.unit, input_fee_ppk=plan.input_fee_ppk, final_expiry=plan.final_expiry
        ),
        unit=plan.unit,
        is_active=is_active,
        input_fee_ppk=plan.input_fee_ppk,
        final_expiry=plan.final_expiry,
        keys=public,
    )


def rebuild(seed: bytes, published: Sequence[Keyset]) -> list[Keyset]:
    """Find the number of every keyset of a public copy of the list; return them in their order.

    Args:
        seed: The one secret.
        published: The whole list as any wallet or backup has it, in any order. Of the keys only the
            amounts are looked at: the id says whether they are the same.
    Raises:
        ValueError: An id does not come of this seed, or one that came before is not in the copy.
    """
    found = [_find_number(seed, keyset, below=len(published)) for keyset in published]
    found.sort(key=lambda keyset: keyset.number)
    if [keyset.number for keyset in found] != list(range(len(published))):
        raise ValueError("two keysets have one number")
    return found


def _find_number(seed: bytes, keyset: Keyset, *, below: int) -> Keyset:
    plan = plan_of(keyset)
    for number in range(below if plan.amounts else 0):
        keys = derive_keys(seed, plan, number)
        made = describe(plan, number, keys, is_active=keyset.is_active)
        if made.id == keyset.id:
            return made
    raise ValueError(
        f"keyset {keyset.id} does not come of this seed, or one that came before it is missing"
    )


def plan_of(keyset: Keyset) -> KeysetPlan:
    """Return the plan of a keyset that is public."""
    amounts: Sequence[int] = sorted(keyset.keys)
    return KeysetPlan(
        unit=keyset.unit,
        amounts=tuple(amounts),
        input_fee_ppk=keyset.input_fee_ppk,
        final_expiry=keyset.final_expiry,
    )
