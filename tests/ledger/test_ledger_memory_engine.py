import pytest

from amana.ledger import StandaloneLedger, open_memory_ledger
from amana.testing.conformance import LedgerStoreSuite

pytestmark = pytest.mark.engine


class TestMemoryLedger(LedgerStoreSuite):
    @pytest.fixture
    def store(self) -> StandaloneLedger:
        return open_memory_ledger()
