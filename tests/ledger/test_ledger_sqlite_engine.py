from collections.abc import Iterator
from pathlib import Path

import pytest

from amana.ledger import StandaloneLedger, open_sqlite_ledger
from amana.testing.conformance import DurableLedgerSuite

pytestmark = pytest.mark.engine


class TestSQLiteLedger(DurableLedgerSuite):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        return tmp_path / "ledger.db"

    @pytest.fixture
    def store(self, place: Path) -> Iterator[StandaloneLedger]:
        ledger = open_sqlite_ledger(place)
        yield ledger
        ledger.close()
