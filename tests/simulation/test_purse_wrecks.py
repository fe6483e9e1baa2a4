"""What a crash leaves of the purses is judged at once, in one commit with the ledger or in two.

Goal: books that are wrong for a moment only, between a crash and its recovery, are found.
Method: a world is left at rest, then its stores are made wrong behind everybody's back, as a wrong
part would leave them, and it crashes.
"""

from collections.abc import Iterator

import pytest

from amana.ledger import Transfer, TransferFlags, TransferStatus
from amana.payments import postings
from amana.payments.model import ECASH_ACCOUNT
from amana.testing.simulator import Form
from amana.testing.simulator._node import LEDGER_NUMBER
from amana.testing.simulator._purse_world import PurseWorld
from amana.testing.simulator._run import PRODUCT

pytestmark = pytest.mark.simulation

SEED = 8


@pytest.fixture(params=[Form.SHARED, Form.SEPARATE])
def world(request: pytest.FixtureRequest) -> Iterator[PurseWorld]:
    """A world at rest, with e-cash out and nothing under way."""
    world = PurseWorld(SEED, parts=PRODUCT, form=request.param)
    world.run()
    world._crash()
    assert not world.violations
    assert world.stores.stored().purse.out > 0
    yield world
    world.close()


def broken_by_a_crash(world: PurseWorld) -> set[str]:
    world._crash()
    return {violation.rule for violation in world.violations}


def test_e_cash_that_nobody_paid_for_is_found(world: PurseWorld) -> None:
    purse = world.stores.purse
    (keyset, amount), (signed, spent) = next(iter(world.stores.stored().purse.totals.items()))
    purse.execute("INSERT INTO purse_signed VALUES (?, ?, ?)", (bytes(33), keyset, amount))
    changed = (signed + 1, spent, keyset, amount)
    purse.execute(
        "UPDATE purse_totals SET signed = ?, spent = ? WHERE keyset = ? AND amount = ?", changed
    )
    purse.commit()
    assert broken_by_a_crash(world) == {"what is out is owed, at every moment"}


def test_a_hold_that_no_recovery_would_end_is_found(world: PurseWorld) -> None:
    hold = Transfer(
        id=1 << 100,
        debit_account_id=ECASH_ACCOUNT,
        credit_account_id=postings.FEES_ACCOUNT,
        amount=1,
        ledger=LEDGER_NUMBER,
        code=6,
        flags=TransferFlags.PENDING,
    )
    (made,) = world.stores.engine.create_transfers([hold], now=world.clock.now())
    assert made.status is TransferStatus.CREATED
    world.stores.ledger_core.commit()
    assert broken_by_a_crash(world) == {"what is held is for recovery to end"}
