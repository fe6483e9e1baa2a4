"""One town for the tests that only add to it; a town of its own for each that moves the clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.town import Town, open_town


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town that all tests share: each brings its own customers and merchants."""
    with open_town(tmp_path_factory.mktemp("town")) as opened:
        yield opened
        assert opened.books()["balanced"], "whatever was asked, the books balance"
        assert opened.books()["unfinished"] == 0, "nothing is left half done"


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    """A town whose clock this test may move."""
    with open_town(tmp_path / "town") as opened:
        yield opened
        assert opened.books()["balanced"], "whatever was asked, the books balance"
