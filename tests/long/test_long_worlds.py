"""Thousands of simulated worlds, none of which may break a promise."""

import secrets
from time import monotonic

import pytest
from tests.long.sizes import Sizes

from amana.testing.simulator import run_worlds

pytestmark = [pytest.mark.slow, pytest.mark.simulation, pytest.mark.timeout(7_200)]


def test_no_world_breaks_a_promise(sizes: Sizes) -> None:
    count = sizes.pick(full=20_000, part=16_000)
    # Fresh worlds in each run: a failure names its seed, and that seed alone repeats it.
    first = secrets.randbelow(2**40)
    began = monotonic()
    report = run_worlds(first, count)
    assert report.is_clean, "\n".join(
        f"amana simulate --seed {world.seed} --trace: {world.violations[0]}"
        for world in report.failures
    )
    assert report.worlds == count
    sizes.record(
        "simulated worlds",
        f"{count:,} from seed {first}, no promise broken, {monotonic() - began:.0f} s",
    )
