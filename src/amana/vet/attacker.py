"""The attacker: learns from payments whose payer is known, then guesses those of all others.

Each clue is a ratio of likelihoods, learnt from half of the known payments: how often it looks like
this for the payer, against how often for anybody. How much each clue is to be believed beside the
others is fitted on the other half, by the likelihood of the true payer among all accounts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from amana.vet.sight import DAY_SECONDS, TOKENS, Floats, Marks, Sight, Whole

Bins: TypeAlias = NDArray[np.int16]

CHUNK: Final = 1_024
GAP_BINS: Final = 40
_SMOOTHING: Final = 4.0
_RIDGE: Final = 1.0
_STEPS: Final = 12
_TILL_SECONDS: Final = 900
_LONGEST: Final = 60 * DAY_SECONDS
_FAR: Final = 2**50
_BOUNDS: Final = 2
_NEVER: Final = GAP_BINS
_DAYS_SEEN: Final = 15
_AMOUNTS: Final = (200, 400, 700, 1_000, 1_500, 2_500, 5_000, 10_000)
_CLASSES: Final = 6
_PROOFS_SEEN: Final = 20
_A_DAY: Final = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 25, 50, 100)
_UNFETCHED_DAYS: Final = (2, 4, 7, 14, 28)


@dataclass(frozen=True, slots=True)
class Clue:
    """One thing to look at: for payments, a bin beside each account, of so many bins."""

    name: str
    bins: int
    look: Callable[[Whole], Bins]


@dataclass(frozen=True, slots=True)
class Learnt:
    """A clue with the logarithm of its ratio in each bin, and its weight."""

    clue: Clue
    ratios: Floats
    weight: float


@dataclass(frozen=True, slots=True)
class Attacker:
    """What was learnt: the prior from volume, its weight, and the clues."""

    prior: Floats
    prior_weight: float
    learnt: tuple[Learnt, ...]

    def evidence(self, which: Whole) -> Floats:
        """Return the weighted log-likelihood of each account for these payments, without prior."""
        table = np.zeros((len(which), len(self.prior)))
        for one in self.learnt:
            if not one.weight:
                continue
            table += one.weight * one.ratios[one.clue.look(which)]
        return table


def volume_prior(sight: Sight) -> Floats:
    """Return the logarithm of each account's share of everything that was ever refilled."""
    volume = np.bincount(
        sight.refills.account, weights=sight.refills.amount, minlength=sight.accounts
    )
    volume += 0.01 * volume.mean() + 1
    shares: Floats = np.log(volume / volume.sum())
    return shares


def learn(sight: Sight, known: Whole, payer: Whole) -> Attacker:
    """Learn from known payments, given as places among the payments with their payers."""
    clues = list(make_clues(sight))
    half = len(known) // 2
    ratios = [_ratios(clue, known[:half], payer[:half]) for clue in clues]
    prior = volume_prior(sight)
    weights = _fit(clues, ratios, prior, (known[half:], payer[half:]))
    learnt = tuple(map(Learnt, clues, ratios, weights[1:].tolist()))
    return Attacker(prior, float(weights[0]), learnt)


def make_clues(sight: Sight) -> Iterator[Clue]:
    """Make the clues that this sight allows."""
    yield from _gap_clues("refill", sight, sight.refills)
    if len(sight.named.at):
        yield from _gap_clues("named payment", sight, sight.named)
        yield _same_merchant(sight)
    for name, seen in sight.days.items():
        if len(seen.at):
            yield _day_clue(name, sight, seen)
    if TOKENS in sight.days:
        yield _token_clue(sight, sight.days[TOKENS])
    for name, seen in sight.moments.items():
        if len(seen.at):
            yield from _gap_clues(name, sight, seen)
    yield _drawn_for_it(sight)
    yield _amount_clue(sight)
    yield _balance_clue(sight)
    if sight.among_accounts:
        yield _payee_clue(sight)
    if sight.sees_denominations:
        yield from _proof_clues(sight)


def _gap_table() -> NDArray[np.int8]:
    """Return the bin of each gap in whole seconds: by its logarithm, the last one for never."""
    gaps = np.log(np.maximum(np.arange(_LONGEST + 1), 1)) / np.log(_LONGEST) * (GAP_BINS - 1)
    return np.append(gaps.astype(np.int8), np.int8(_NEVER))


class _Gaps:
    """How long before and after each account's marks some payments are, in bins.

    Both ways are asked for one after the other, so the last answer is kept.
    """

    def __init__(self, sight: Sight, seen: Marks) -> None:
        self._times = [
            np.concatenate(([-_FAR], own, [_FAR])) for own in seen.times_of(sight.accounts)
        ]
        self._at = sight.payments.at
        self._bins = _gap_table()
        self._last: tuple[Whole, tuple[Bins, Bins]] | None = None

    def since(self, which: Whole) -> Bins:
        """Return the bins of the time since the mark before."""
        return self._both(which)[0]

    def until(self, which: Whole) -> Bins:
        """Return the bins of the time until the mark after."""
        return self._both(which)[1]

    def _both(self, which: Whole) -> tuple[Bins, Bins]:
        if self._last is None or not np.array_equal(self._last[0], which):
            self._last = which, self._look(self._at[which])
        return self._last[1]

    def _look(self, moments: Whole) -> tuple[Bins, Bins]:
        since = np.full((len(self._times), len(moments)), _NEVER, dtype=np.int16)
        until = since.copy()
        for account, own in enumerate(self._times):
            if len(own) == _BOUNDS:
                continue
            place = np.searchsorted(own, moments, side="right")
            since[account] = self._binned(moments - own[place - 1])
            until[account] = self._binned(own[place] - moments)
        return since.T, until.T

    def _binned(self, gaps: Whole) -> NDArray[np.int8]:
        far = np.where(gaps > _FAR // 2, _LONGEST + 1, np.minimum(gaps, _LONGEST))
        return self._bins[far]


def _gap_clues(name: str, sight: Sight, seen: Marks) -> Iterator[Clue]:
    gaps = _Gaps(sight, seen)
    yield Clue(f"time since {name}", GAP_BINS + 1, gaps.since)
    yield Clue(f"time until {name}", GAP_BINS + 1, gaps.until)


def _day_clue(name: str, sight: Sight, seen: Marks) -> Clue:
    """Days from the payment's day to the nearest marked day, before or after, up to a week."""
    last = int(max(sight.payments.at.max(), seen.at.max()) // DAY_SECONDS) + 1
    marked = np.zeros((sight.accounts, last), dtype=bool)
    marked[seen.account, seen.at // DAY_SECONDS] = True
    reach = _DAYS_SEEN // 2
    nearest = np.full((sight.accounts, last), _DAYS_SEEN, dtype=np.int16)
    for distance in sorted(range(-reach, reach + 1), key=abs, reverse=True):
        moved = np.zeros_like(marked)
        source = slice(max(distance, 0), last + min(distance, 0))
        target = slice(max(-distance, 0), last - max(distance, 0))
        moved[:, target] = marked[:, source]
        nearest[moved] = distance + reach
    day = sight.payments.at // DAY_SECONDS
    return Clue(f"day of {name}", _DAYS_SEEN + 1, lambda which: nearest[:, day[which]].T)


def _token_clue(sight: Sight, seen: Marks) -> Clue:
    """How fast the account used tokens then: those next fetched, by the days since it fetched last.

    A wallet fetches again when some were used, so this bounds its payments between two fetches.
    Where none were fetched again, it is how long the last ones have sufficed.
    """
    last = int(max(sight.payments.at.max(), seen.at.max(initial=0)) // DAY_SECONDS) + 1
    paces = len(_A_DAY) + 1
    times, sums = seen.times_of(sight.accounts), seen.sums_of(sight.accounts)
    table = np.empty((sight.accounts, last), dtype=np.int16)
    for account in range(sight.accounts):
        days = np.concatenate(([-1], times[account] // DAY_SECONDS, [last]))
        a_day = np.diff(sums[account]) / np.diff(days)[:-1]
        is_long = np.searchsorted(np.array(_UNFETCHED_DAYS), last - days[-2])
        binned = np.append(np.searchsorted(np.array(_A_DAY), a_day), paces + is_long)
        # What is fetched on the day of a payment may be fetched because of it.
        table[account] = binned[np.searchsorted(days[1:], np.arange(last))]
    day = sight.payments.at // DAY_SECONDS
    bins = paces + len(_UNFETCHED_DAYS) + 1
    return Clue("use of blind tokens", bins, lambda which: table[:, day[which]].T)


def _same_merchant(sight: Sight) -> Clue:
    """How often this account paid this merchant by name."""
    merchants = int(max(sight.payments.merchant.max(), sight.named.merchant.max())) + 1
    counts = np.zeros((sight.accounts, merchants), dtype=np.int16)
    np.add.at(counts, (sight.named.account, sight.named.merchant), 1)
    counts = np.minimum(counts, 3)
    return Clue(
        "named payments at this merchant",
        4,
        lambda which: counts[:, sight.payments.merchant[which]].T,
    )


def _drawn_for_it(sight: Sight) -> Clue:
    """Whether the account drew exactly this sum, or any sum, in the minutes before."""
    account, amount, drawn_at = sight.refills.account, sight.refills.amount, sight.refills.at

    def look(which: Whole) -> Bins:
        bins = np.zeros((len(which), sight.accounts), dtype=np.int16)
        for row, place in enumerate(which):
            at = sight.payments.at[place]
            first, last = np.searchsorted(drawn_at, (at - _TILL_SECONDS, at))
            bins[row, account[first:last]] = 1
            exact = amount[first:last] == sight.payments.amount[place]
            bins[row, account[first:last][exact]] = 2
        return bins

    return Clue("drawn for this payment", 3, look)


def _classes(sight: Sight) -> Whole:
    """Sort accounts into classes by the volume of their refills."""
    volume = volume_prior(sight)
    bounds = np.quantile(volume, np.linspace(0, 1, _CLASSES + 1)[1:-1])
    classes: Whole = np.searchsorted(bounds, volume).astype(np.int64)
    return classes


def _amount_clue(sight: Sight) -> Clue:
    """Large sums are paid by those who refill much."""
    classes = _classes(sight)
    size = np.searchsorted(np.array(_AMOUNTS), sight.payments.amount)
    bins = _CLASSES * (len(_AMOUNTS) + 1)
    return Clue("amount by class of account", bins, partial(_by_class, size, classes))


def _balance_clue(sight: Sight) -> Clue:
    """What the account may hold: what was signed until then, less its usual spending, and price."""
    volume = np.bincount(
        sight.refills.account, weights=sight.refills.amount, minlength=sight.accounts
    )
    ends = float(sight.payments.at.max())
    begins = np.full(sight.accounts, ends)
    np.minimum.at(begins, sight.refills.account, sight.refills.at)
    pace = volume / np.maximum(ends - begins, DAY_SECONDS)
    times = sight.refills.times_of(sight.accounts)
    sums = sight.refills.sums_of(sight.accounts)
    edges = np.array([-20_000, -10_000, -5_000, -2_000, 0, 2_000, 5_000, 10_000, 15_000, 20_000])
    bins = len(edges) + 2

    def look(which: Whole) -> Bins:
        moments = sight.payments.at[which]
        table = np.empty((len(which), sight.accounts), dtype=np.int16)
        for account in range(sight.accounts):
            signed = sums[account][np.searchsorted(times[account], moments, side="right")]
            spent = pace[account] * np.maximum(moments - begins[account], 0)
            left = np.searchsorted(edges, signed - spent)
            is_able = signed >= sight.payments.amount[which]
            table[:, account] = np.where(is_able, left, bins - 1)
        return table

    return Clue("what the account may hold", bins, look)


def _payee_clue(sight: Sight) -> Clue:
    """Nobody pays themselves."""
    everybody = np.arange(sight.accounts)
    return Clue(
        "is the payee",
        2,
        lambda which: (sight.payments.merchant[which][:, None] == everybody).astype(np.int16),
    )


def _proof_clues(sight: Sight) -> Iterator[Clue]:
    """The largest denomination that went in, how many did, and the change, by class of account."""
    classes = _classes(sight)
    largest = np.log2(np.maximum(sight.payments.highest, 1)).astype(np.int64)
    count = np.minimum(sight.payments.inputs, _PROOFS_SEEN)
    change = np.ceil(np.log2(sight.payments.change + 1)).astype(np.int64)
    sizes = {"largest denomination": largest, "number of proofs": count, "change": change}
    for name, size in sizes.items():
        yield Clue(
            f"{name} by class of account",
            _CLASSES * (int(size.max()) + 1),
            partial(_by_class, size, classes),
        )


def _by_class(size: Whole, classes: Whole, which: Whole) -> Bins:
    return (size[which][:, None] * _CLASSES + classes).astype(np.int16)


def _ratios(clue: Clue, known: Whole, payer: Whole) -> Floats:
    """Log of how often a bin is seen beside the payer, over how often beside anybody."""
    own = np.zeros(clue.bins)
    anybody = np.zeros(clue.bins)
    for start in range(0, len(known), CHUNK):
        seen = clue.look(known[start : start + CHUNK])
        own += np.bincount(
            seen[np.arange(len(seen)), payer[start : start + CHUNK]], minlength=clue.bins
        )
        anybody += np.bincount(seen.ravel(), minlength=clue.bins)
    share = anybody / anybody.sum()
    mixed = (own + _SMOOTHING * share * clue.bins) / (own.sum() + _SMOOTHING * clue.bins)
    ratios: Floats = np.log(np.maximum(mixed, 1e-12)) - np.log(np.maximum(share, 1e-12))
    return ratios


def _fit(
    clues: list[Clue], ratios: list[Floats], prior: Floats, known: tuple[Whole, Whole]
) -> Floats:
    """Weights of prior and clues: the most likely ones for the known payers, by Newton's method."""
    places, payer = known
    tables = np.empty((len(clues) + 1, len(places), len(prior)), dtype=np.float32)
    tables[0] = prior
    for number, (clue, ratio) in enumerate(zip(clues, ratios, strict=True), 1):
        for start in range(0, len(places), CHUNK):
            tables[number, start : start + CHUNK] = ratio[clue.look(places[start : start + CHUNK])]
    weights = np.zeros(len(tables))
    weights[0] = 1.0
    for _ in range(_STEPS):
        weights += _newton_step(tables, payer, weights)
    return np.clip(weights, 0.0, 2.0)


def _newton_step(tables: NDArray[np.float32], payer: Whole, weights: Floats) -> Floats:
    score = np.tensordot(weights.astype(np.float32), tables, axes=1)
    score -= score.max(axis=1, keepdims=True)
    chances = np.exp(score)
    chances /= chances.sum(axis=1, keepdims=True)
    weighted = tables * chances
    expected = weighted.sum(axis=2, dtype=np.float64)
    own = tables[:, np.arange(len(payer)), payer]
    start = np.zeros(len(weights))
    start[0] = 1.0
    slope = (own - expected).sum(axis=1) - _RIDGE * (weights - start)
    rows = len(weights)
    curve = weighted.reshape(rows, -1) @ tables.reshape(rows, -1).T - expected @ expected.T
    curve = curve.astype(np.float64) + _RIDGE * np.eye(rows)
    step: Floats = np.linalg.solve(curve, slope)
    return np.clip(step, -0.5, 0.5)
