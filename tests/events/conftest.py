"""The world of webhooks, over books in a folder of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.events.webhook_world import World

from amana.testing.rooms import open_books


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_books(tmp_path) as books:
        yield World(books)
