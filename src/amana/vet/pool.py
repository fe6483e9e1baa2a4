"""Several towns taken together: one small town's luck is not the wallet's merit or fault."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from amana.vet.score import RESAMPLES, Linked, Score, Share

_SEED: Final = 7


def pooled(scores: Sequence[Score]) -> Score:
    """Return the scores of one attacker in several towns of one size, as if they were one.

    Shares are of all trials together, with the bounds of 95 in 100 resamples; the sizes of crowds
    are means over the towns, and the weights those of the first.
    """
    first = scores[0]
    return msgspec.structs.replace(
        first,
        by_volume=_together([score.by_volume for score in scores]),
        by_volume_ten=_together([score.by_volume_ten for score in scores]),
        named=_together([score.named for score in scores]),
        top_ten=_together([score.top_ten for score in scores]),
        set_median=_mean([score.set_median for score in scores]),
        set_low=_mean([score.set_low for score in scores]),
        leaked_bits=_mean([score.leaked_bits for score in scores]),
        linked=tuple(
            _linked([score.linked[place] for score in scores]) for place in range(len(first.linked))
        ),
    )


def _together(shares: Sequence[Share]) -> Share:
    trials = sum(share.trials for share in shares)
    if trials == 0:
        return shares[0]
    value = sum(share.value * share.trials for share in shares) / trials
    resampled = np.random.default_rng(_SEED).binomial(trials, value, RESAMPLES) / trials
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Share(value, float(low), float(high), trials)


def _linked(groups: Sequence[Linked]) -> Linked:
    trials = max(sum(group.named.trials for group in groups), 1)
    by_volume = sum(group.by_volume * group.named.trials for group in groups) / trials
    return Linked(groups[0].payments, _together([group.named for group in groups]), by_volume)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
