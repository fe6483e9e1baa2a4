"""Suites that every implementation of a port must pass, to be subclassed with its fixtures."""

import pytest

# A suite's assertions explain themselves like those of a test's own file.
for _cases in ("books", "chains", "durability", "holds", "lookups", "statuses"):
    pytest.register_assert_rewrite(f"amana.testing.conformance._ledger_{_cases}")

from amana.testing.conformance.ledger import (  # noqa: E402 - after the assertions are prepared
    DurableLedgerSuite,
    LedgerStoreSuite,
)

__all__ = ["DurableLedgerSuite", "LedgerStoreSuite"]
