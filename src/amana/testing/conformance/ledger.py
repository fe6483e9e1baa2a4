"""What every engine of the ledger must do.

An engine's test file is one class and one fixture, `store`, that opens empty books:

    class TestMemoryLedger(LedgerStoreSuite):
        @pytest.fixture
        def store(self):
            return open_memory_ledger()

An engine that outlives its process subclasses `DurableLedgerSuite` and gives `place` as well.
"""

from amana.testing.conformance._ledger_books import BooksCases
from amana.testing.conformance._ledger_chains import ChainCases
from amana.testing.conformance._ledger_durability import DurabilityCases
from amana.testing.conformance._ledger_holds import HoldCases
from amana.testing.conformance._ledger_lookups import LookupCases
from amana.testing.conformance._ledger_statuses import StatusCases


class LedgerStoreSuite(StatusCases, ChainCases, HoldCases, BooksCases, LookupCases):
    """The meaning of the books, over the fixture `store`."""


class DurableLedgerSuite(LedgerStoreSuite, DurabilityCases):
    """The same, and what must survive the process, over the fixture `place` too."""
