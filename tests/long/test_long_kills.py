"""Fifty kills under load."""

import asyncio
from pathlib import Path

import pytest
from tests.faults.test_faults_kill import check_books, live_through
from tests.long.sizes import Sizes


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_fifty_kills_under_load_lose_and_double_nothing(tmp_path: Path, sizes: Sizes) -> None:
    kills = sizes.pick(full=50, part=20)
    load = asyncio.run(live_through(tmp_path, kills=kills, seed=50))
    payments = check_books(tmp_path / "data", load)
    sizes.record(f"{kills} kills under load", f"{payments} payments, none lost, none twice")
