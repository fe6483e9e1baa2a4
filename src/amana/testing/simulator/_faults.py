"""What may go wrong in a world, and how often."""

import random
from typing import Final

import msgspec


class Faults(msgspec.Struct, frozen=True):
    """The chance of each misfortune: per port call, per scheduler step, or per operation."""

    lost_before: float = 0.0
    """Per port call: the call never reaches what it calls."""
    lost_after: float = 0.0
    """Per port call: the effect happens, and its answer is lost."""
    request_lost: float = 0.0
    """Per attempt: the client's request does not arrive."""
    reply_lost: float = 0.0
    """Per attempt: the client does not hear the answer."""
    hang_up: float = 0.0
    """Per step: a client hangs up, and the work for it is dropped where it stands."""
    crash: float = 0.0
    """Per step: the node loses everything that is not durable, and starts again."""
    crash_at_commit: float = 0.0
    """Per commit: the node dies after the commit, before anybody hears of it."""
    turn_fails: float = 0.0
    """Per turn: storage is busy, and the open group is lost."""
    commit_fails: float = 0.0
    """Per commit: storage is full, and the open group is lost."""
    clock_jumps: float = 0.0
    """Per step: the clock leaps over the end of orders, days and holds."""
    clock_set_back: float = 0.0
    """Per step: the clock is set back."""
    double_tap: float = 0.0
    """Per operation: the same request is sent twice at once."""
    key_shared: float = 0.0
    """Per operation: an earlier key comes with another request."""
    gives_up: float = 0.0
    """Per failed attempt: the client never asks again."""


CALM: Final = Faults()
"""A world in which nothing goes wrong."""

_WORST: Final = Faults(
    lost_before=0.05,
    lost_after=0.05,
    request_lost=0.1,
    reply_lost=0.1,
    hang_up=0.01,
    crash=0.02,
    crash_at_commit=0.08,
    turn_fails=0.03,
    commit_fails=0.06,
    clock_jumps=0.02,
    clock_set_back=0.01,
    double_tap=0.3,
    key_shared=0.15,
    gives_up=0.3,
)

_SWITCHED_ON: Final = 0.5
"""Chance that a kind of fault happens at all in a world: few at a time reach deeper states."""


def draw_faults(chance: random.Random) -> Faults:
    """Draw which faults a world knows, and the rate of each."""
    rates = {
        name: worst * chance.random()
        for name, worst in msgspec.structs.asdict(_WORST).items()
        if chance.random() < _SWITCHED_ON
    }
    return Faults(**rates)


class PurseFaults(msgspec.Struct, frozen=True):
    """What may go wrong with e-cash alone, each a chance per step."""

    rotation: float = 0.0
    """A new keyset begins; the one before signs no more."""
    signatory_gone: float = 0.0
    """The signatory goes away, or comes back."""
    signing_stops: float = 0.0
    """The counts of signatures meet their limit, or an operator raises it."""
    merchant_closes: float = 0.0
    """A merchant closes, or opens again."""


NO_PURSE_FAULTS: Final = PurseFaults()

_WORST_OF_PURSES: Final = PurseFaults(
    rotation=0.01, signatory_gone=0.02, signing_stops=0.01, merchant_closes=0.01
)


def draw_purse_faults(chance: random.Random) -> PurseFaults:
    """Draw which faults the purses of a world know, and the rate of each."""
    rates = {
        name: worst * chance.random()
        for name, worst in msgspec.structs.asdict(_WORST_OF_PURSES).items()
        if chance.random() < _SWITCHED_ON
    }
    return PurseFaults(**rates)
