"""A room of people for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.people.people_world import PeopleWorld, open_people


@pytest.fixture
def world(tmp_path: Path) -> Iterator[PeopleWorld]:
    with open_people(tmp_path / "data") as opened:
        yield opened
