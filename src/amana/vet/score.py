"""How well an attacker did: shares with intervals, beside chance and beside guessing by volume."""

from typing import Final

import msgspec
import numpy as np

from amana.vet.attacker import Attacker, volume_prior
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
    first, ten, sizes = [], [], []
    for part, scores in attacker.scores(tested):
        payer = truth.payer[part]
        places = _places(scores, payer, random)
        first.append(places < 1)
        ten.append(places < TEN)
        sizes.append(_effective_sets(scores))
    prior = volume_prior(sight)
    heaviest = np.argsort(prior)[::-1]
    effective = np.concatenate(sizes)
    return Score(
        chance=1 / sight.accounts,
        by_volume=share(truth.payer[tested] == heaviest[0], random),
        by_volume_ten=share(np.isin(truth.payer[tested], heaviest[:TEN]), random),
        named=share(np.concatenate(first), random),
        top_ten=share(np.concatenate(ten), random),
        set_median=float(np.median(effective)),
        set_low=float(np.quantile(effective, 0.05)),
        leaked_bits=float(np.log2(sight.accounts) - np.log2(effective).mean()),
        linked=tuple(_linked(attacker, truth, tested, k=k, random=random) for k in LINKED),
        weights={
            "volume": round(attacker.prior_weight, 3),
            **{one.clue.name: round(one.weight, 3) for one in attacker.learnt},
        },
    )


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


def _linked(
    attacker: Attacker, truth: Truth, tested: Whole, *, k: int, random: np.random.Generator
) -> Linked:
    """Name an account from k payments of one person, drawn among those tested."""
    counts = np.bincount(truth.payer[tested], minlength=len(attacker.prior))
    people = np.flatnonzero(counts >= k)
    if len(people) > LINKED_PEOPLE_MAX:
        people = random.choice(people, LINKED_PEOPLE_MAX, replace=False)
    hits = []
    for person in people:
        own = tested[truth.payer[tested] == person]
        drawn = random.choice(own, k, replace=False)
        total = attacker.evidence(drawn).sum(axis=0) + attacker.prior_weight * attacker.prior
        hits.append(bool(_places(total[None], np.array([person]), random)[0] < 1))
    heaviest = int(np.argmax(attacker.prior))
    by_volume = float(np.mean(people == heaviest)) if len(people) else 0.0
    return Linked(k, share(np.array(hits, dtype=bool), random), by_volume)
