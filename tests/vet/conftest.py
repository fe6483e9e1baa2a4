"""One town of the size that CI runs, attacked once for all tests; and a small one to look into."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from amana.vet.folder import Nights, read_sight
from amana.vet.play import play
from amana.vet.sight import Sight
from amana.vet.town import Town, run_town
from amana.vet.who_paid import Ask, Report, who_paid

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


class Played(NamedTuple):
    town: Town
    sight: Sight
    folder: Path


@pytest.fixture(scope="session")
def room() -> Iterator[Path]:
    """A folder in memory where there is one: a town flushes some ten thousand times."""
    made = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def report() -> Report:
    """Attacked on the rows that files are tested to hold; the command's test makes the files."""
    return who_paid(Ask(people=500, days=30, seed=7), None)


@pytest.fixture(scope="session")
def played(room: Path) -> Played:
    place = room / "played"
    place.mkdir()
    town, nights = run_town(120, 20, 3), Nights()
    cast = asyncio.run(play(town.facts, town.events, place, nightly=nights.look))
    return Played(town, read_sight(place / "operator", cast, nights), place)
