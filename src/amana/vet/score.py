"""How well an attacker did: shares with intervals, beside chance and beside guessing by volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import msgspec
import numpy as np

from amana.vet.attacker import CHUNK, Attacker, volume_prior
from amana.vet.sight import Floats, Sight, Truth, Whole

RESAMPLES: Final = 500
TEN: Final = 10
LINKED: Final = (4, 10, 20)
LINKED_PEOPLE_MAX: Final = 600


class Share(msgspec.Struct, frozen=True):
    """A share of so many trials, with the bounds of 95 in 100 resamples."""

    value: float
    low: float
    high: float
    trials: int


class Linked(msgspec.Struct, frozen=True):
    """How often an account was named from so many payments known to be one person's."""

    payments: int
    named: Share
    by_volume: float


class Score(msgspec.Struct, frozen=True):
    """One attacker's result."""

    chance: float
    by_volume: Share
    by_volume_ten: Share
    named: Share
    top_ten: Share
    set_median: float
    set_low: float
    leaked_bits: float
    linked: tuple[Linked, ...]
    weights: dict[str, float]


def score(attacker: Attacker, sight: Sight, truth: Truth, tested: Whole, *, seed: int) -> Score:
    """Test an attacker on payments that it has not learnt from."""
    random = np.random.default_rng(seed)
    heaviest = np.argsort(volume_prior(sight))[::-1]
    payer = truth.payer[tested]
    groups = [_drawn(payer, len(attacker.prior), count, random) for count in LINKED]
    found = _Found.go_through(attacker, payer, tested, groups=groups, random=random)
    return Score(
        chance=1 / sight.accounts,
        by_volume=share(payer == heaviest[0], random),
        by_volume_ten=share(np.isin(payer, heaviest[:TEN]), random),
        named=share(found.places < 1, random),
        top_ten=share(found.places < TEN, random),
        set_median=float(np.median(found.sets)),
        set_low=float(np.quantile(found.sets, 0.05)),
        leaked_bits=float(np.log2(sight.accounts) - np.log2(found.sets).mean()),
        linked=tuple(
            _linked(attacker, group, sums, random)
            for group, sums in zip(groups, found.sums, strict=True)
        ),
        weights={
            "volume": round(attacker.prior_weight, 3),
            **{one.clue.name: round(one.weight, 3) for one in attacker.learnt},
        },
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """People with so many payments each, drawn from what is tested: `drawn` is a row for each."""

    count: int
    people: Whole
    drawn: Whole


def _drawn(payer: Whole, accounts: int, count: int, random: np.random.Generator) -> _Group:
    people = np.flatnonzero(np.bincount(payer, minlength=accounts) >= count)
    if len(people) > LINKED_PEOPLE_MAX:
        people = random.choice(people, LINKED_PEOPLE_MAX, replace=False)
    rows = [
        random.choice(np.flatnonzero(payer == person), count, replace=False) for person in people
    ]
    return _Group(count, people, np.array(rows, dtype=np.int64).reshape(-1, count))


@dataclass(frozen=True, slots=True)
class _Found:
    """The payers' places, the crowds' sizes, and the evidence summed over each linked group."""

    places: Whole
    sets: Floats
    sums: list[Floats]

    @classmethod
    def go_through(
        cls,
        attacker: Attacker,
        payer: Whole,
        tested: Whole,
        *,
        groups: Sequence[_Group],
        random: np.random.Generator,
    ) -> Self:
        """Look at every tested payment once."""
        places, sets = [], []
        sums = [np.zeros((len(group.people), len(attacker.prior))) for group in groups]
        for start in range(0, len(tested), CHUNK):
            part = slice(start, start + CHUNK)
            evidence = attacker.evidence(tested[part])
            scores = evidence + attacker.prior_weight * attacker.prior
            places.append(_places(scores, payer[part], random))
            sets.append(_effective_sets(scores))
            for group, total in zip(groups, sums, strict=True):
                trial, column = np.nonzero((group.drawn >= start) & (group.drawn < start + CHUNK))
                np.add.at(total, trial, evidence[group.drawn[trial, column] - start])
        return cls(np.concatenate(places), np.concatenate(sets), sums)


def share(
    hits: Whole | np.ndarray[tuple[int], np.dtype[np.bool]], random: np.random.Generator
) -> Share:
    """Return a share of hits with its bootstrap interval."""
    count = len(hits)
    if count == 0:
        return Share(0.0, 0.0, 1.0, 0)
    value = float(np.mean(hits))
    resampled = random.binomial(count, value, RESAMPLES) / count
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Share(value, float(low), float(high), count)


def _places(scores: Floats, payer: Whole, random: np.random.Generator) -> Whole:
    """At which place the payer stands, from 0; equals stand in an order drawn by lot."""
    own = scores[np.arange(len(payer)), payer][:, None]
    ahead = (scores > own).sum(axis=1)
    equal = (scores == own).sum(axis=1)
    places: Whole = ahead + random.integers(0, equal)
    return places


def _effective_sets(scores: Floats) -> Floats:
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    entropy = -(chances * np.log2(np.maximum(chances, 1e-300))).sum(axis=1)
    sizes: Floats = np.exp2(entropy)
    return sizes


def _linked(attacker: Attacker, group: _Group, sums: Floats, random: np.random.Generator) -> Linked:
    """Name an account from payments known to be one person's."""
    scores = sums + attacker.prior_weight * attacker.prior
    hits = _places(scores, group.people, random) < 1
    heaviest = int(np.argmax(attacker.prior))
    by_volume = float(np.mean(group.people == heaviest)) if len(group.people) else 0.0
    return Linked(group.count, share(hits, random), by_volume)
