"""Forty kills of operator and signatory under load of purses."""

import asyncio
from pathlib import Path

import pytest
from tests.faults.test_faults_purse_kill import check_purses, live_through
from tests.long.sizes import Sizes


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_forty_kills_under_load_lose_and_make_no_e_cash(tmp_path: Path, sizes: Sizes) -> None:
    kills = sizes.pick(full=40, part=15)
    load = asyncio.run(live_through(tmp_path, kills=kills, seed=40))
    errands = check_purses(tmp_path / "data", load)
    sizes.record(
        f"{kills} kills of mint and signatory under load",
        f"{errands} swaps, payments and deposits; no e-cash lost, none made",
    )
