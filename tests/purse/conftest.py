"""A shop of its own for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.purse.shop import Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A mint with a merchant, over real books, and a signatory in this process."""
    with open_shop(tmp_path / "books") as shop:
        yield shop
