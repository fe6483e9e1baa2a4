"""Who paid? At the size the goals are stated for; and a thousand payments with real e-cash."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.long.sizes import Sizes

from amana.vet.play import play
from amana.vet.town import run_town
from amana.vet.who_paid import LINKED_MAX, NAMED_MAX, OVER_VOLUME_MAX, Ask, who_paid

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7_200)]

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
RAW = Path(__file__).parents[2] / "docs" / "reference" / "who-paid.json"


@pytest.fixture
def room() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    yield made
    shutil.rmtree(made)


def test_two_thousand_people_cannot_be_told_apart(room: Path, sizes: Sizes) -> None:
    days, more = sizes.pick(full=60, part=30), sizes.pick(full=3, part=1)
    ask = Ask(people=2_000, days=days, seed=7, more=more)
    report = who_paid(ask, room)
    if sizes.is_full:
        RAW.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    found = report.pooled[0].score
    assert found.named.value <= NAMED_MAX
    if sizes.is_full:
        # A month of two towns is too short for what is asked beside volume: a few payments decide.
        assert found.named.value <= OVER_VOLUME_MAX * found.by_volume.value
        assert found.top_ten.value <= OVER_VOLUME_MAX * found.by_volume_ten.value
        assert all(linked.named.value <= LINKED_MAX for linked in found.linked)
        assert all(report.goals.values()), report.goals
    sizes.record(
        "who paid",
        f"{ask.people:,} people, {days} days, seeds 7 to {7 + more}: payer named "
        f"{found.named.value:.2%} of {found.named.trials:,}, by volume {found.by_volume.value:.2%}",
    )


def test_a_thousand_payments_with_real_e_cash_agree_with_the_policy(
    room: Path, sizes: Sizes
) -> None:
    town = run_town(sizes.pick(full=60, part=25), 30, 5, losses=False)
    paid = sum(event["kind"] == "pay" for event in town.events)
    assert paid >= sizes.pick(full=1_000, part=300)
    asyncio.run(play(town.facts, town.events, room, with_curve=True))
    sizes.record("payments with real e-cash", f"{paid:,}, all as the policy foresaw")
