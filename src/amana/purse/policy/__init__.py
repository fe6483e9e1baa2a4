"""The purse's habits: one data file that wallet, mint and town share.

The same decisions are in the wallet's TypeScript; `vectors.json` holds both to the same answers.
Nothing here draws at random: eight random bytes come in as an argument.
"""

from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from amana.kernel import Currency

DRAW_BYTES: Final = 8
"""What a random decision asks for."""

_MINUTES_AN_HOUR: Final = 60


class Span(msgspec.Struct, frozen=True):
    """A range of whole units, from the first to the last."""

    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")


class Refill(msgspec.Struct, frozen=True):
    """Filling the purse by the operator's standing order."""

    tiers: tuple[int, ...]
    default_tier: int
    first_at_once: bool
    low_water: int
    low_water_days: int
    urgent_water: int
    urgent_water_days: int
    young_days: int
    young_low_water: int
    young_urgent_water: int
    tier_days: int
    outputs: int
    ladder_exponent_max: int
    signing_delay_hours: Span
    idle_seconds: int
    quiet_minutes: int


class Spend(msgspec.Struct, frozen=True):
    """Choosing proofs, and what is done with change."""

    proofs_max: int
    blanks: int
    change_rest_minutes: Span


class Refresh(msgspec.Struct, frozen=True):
    """Changing proofs of a keyset that ends: over a window of days, ending before a margin."""

    window_days: int
    margin_days: int


class Backup(msgspec.Struct, frozen=True):
    """A backup's one size, and the least days between two that no refill carries."""

    bytes: int
    slot_days: int


class BlindTokens(msgspec.Struct, frozen=True):
    """How many tokens are fetched with each refill; and below how many in other calls too.

    Below the urgent mark any opening will do for a call, as where the purse is nearly empty.
    """

    per_fetch: int
    low_mark: int
    urgent_mark: int


class Restore(msgspec.Struct, frozen=True):
    """Exchanging what came back with a backup: how soon, and how many coins at one look."""

    exchange_minutes: Span
    at_once: int


class Offline(msgspec.Struct, frozen=True):
    """E-cash taken without a network: how much may wait uncounted, its locks good for so long."""

    held_max: int
    lock_days_min: int


class Deposit(msgspec.Struct, frozen=True):
    """Putting e-cash back into one's own account."""

    tiers: tuple[int, ...]
    delay_hours: Span


class Policy(msgspec.Struct, frozen=True):
    """The file as it stands; amounts are for a currency with two digits."""

    about: str
    version: int
    scale: dict[str, int]
    denomination_exponent_max: int
    refill: Refill
    spend: Spend
    refresh: Refresh
    backup: Backup
    blind_tokens: BlindTokens
    restore: Restore
    refund_ask_hours: Span
    offline: Offline
    deposit: Deposit


@cache
def shipped_policy() -> Policy:
    """Read the policy that this release ships."""
    text = files("amana.purse.policy").joinpath("policy.json").read_bytes()
    return msgspec.json.decode(text, type=Policy)


def refill_tiers(policy: Policy, unit: Currency) -> tuple[int, ...]:
    """Return what a refill may be, in minor units of this currency, ascending."""
    return tuple(tier * policy.scale[str(unit.exponent)] for tier in policy.refill.tiers)


def deposit_tiers(policy: Policy, unit: Currency) -> tuple[int, ...]:
    """Return what a deposit into one's own account may be, in minor units, ascending."""
    return tuple(tier * policy.scale[str(unit.exponent)] for tier in policy.deposit.tiers)


def refill_outputs(policy: Policy, amount: int) -> tuple[int, ...]:
    """Return the denominations of a refill, ascending; the same for everybody who asks for it.

    One of each small power of two, the rest in as few as can be, then the largest halved until
    there are as many as every refill has.

    Args:
        policy: The habits.
        amount: A tier in minor units, larger than the ladder of small powers.
    """
    largest = 1 << policy.denomination_exponent_max
    outputs = [1 << exponent for exponent in range(policy.refill.ladder_exponent_max + 1)]
    rest = amount - sum(outputs)
    assert rest >= 0, "a tier is larger than the ladder"
    outputs += [largest] * (rest // largest)
    rest %= largest
    outputs += [1 << exponent for exponent in range(rest.bit_length()) if rest >> exponent & 1]
    while len(outputs) < policy.refill.outputs:
        outputs.sort()
        half = outputs.pop() // 2
        outputs += (half, half)
    return tuple(sorted(outputs))


def drawn(span: Span, random: bytes) -> int:
    """Draw a whole number of the span, each alike, from eight random bytes."""
    assert len(random) == DRAW_BYTES, "a draw takes eight bytes"
    count = span.last - span.first + 1
    return span.first + (int.from_bytes(random, "big") * count >> 8 * DRAW_BYTES)


def signing_delay_minutes(policy: Policy, random: bytes, *, is_first: bool = False) -> int:
    """Return how long a refill waits before the operator signs it, in minutes.

    A purse that was never filled is filled at once: nothing was paid from it that the time could
    point to, and an empty one makes its holder pay by name.
    """
    if is_first and policy.refill.first_at_once:
        return 0
    return drawn(_in_minutes(policy.refill.signing_delay_hours), random)


def deposit_delay_minutes(policy: Policy, random: bytes) -> int:
    """Return how long a deposit waits before it is in the account, in minutes."""
    return drawn(_in_minutes(policy.deposit.delay_hours), random)


def _in_minutes(hours: Span) -> Span:
    return Span(hours.first * _MINUTES_AN_HOUR, hours.last * _MINUTES_AN_HOUR - 1)
