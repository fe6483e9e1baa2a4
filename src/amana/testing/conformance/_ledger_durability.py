"""What must survive the process."""

# ruff: noqa: PLR2004 - expected values are literals, on purpose

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from amana.kernel import SECOND_NS, Instant
from amana.ledger import (
    LEDGER_EPOCH,
    StandaloneLedger,
    Transfer,
    TransferStatus,
    open_sqlite_ledger,
)
from amana.testing.conformance import _ledger_world as world

BATCH: Final = 50
_KILLS: Final = 3
_ACKNOWLEDGED_MIN: Final = 4


class DurabilityCases:
    """Close and reopen, two processes, and kills. `place` is a file, `store` open books in it."""

    def opener(self) -> Callable[[Path], StandaloneLedger]:
        """Return what opens the books of a place; an engine that is not SQLite overrides it."""
        return open_sqlite_ledger

    def test_books_closed_and_reopened_are_the_same_books(
        self, store: StandaloneLedger, place: Path
    ) -> None:
        world.settle(store)
        before = store.lookup_accounts(range(1, 20))
        changes = store.changes(LEDGER_EPOCH, 1_000)
        store.close()
        again = self.opener()(place)
        assert again.lookup_accounts(range(1, 20)) == before
        assert again.changes(LEDGER_EPOCH, 1_000) == changes
        batch = [
            world.transfer(world.BURNT, world.SOURCE, world.EMPTY, 1),
            world.transfer(world.PLAIN, world.SOURCE, world.EMPTY, 1),
            world.post(1, world.OPEN_HOLD, 60),
            world.post(2, world.POSTED_HOLD, 60),
            world.post(3, world.EXPIRED_HOLD, 60),
        ]
        results = again.create_transfers(batch, now=world.LATER)
        assert [result.status for result in results] == [
            TransferStatus.ID_ALREADY_FAILED,
            TransferStatus.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID,
            TransferStatus.CREATED,
            TransferStatus.PENDING_TRANSFER_ALREADY_POSTED,
            TransferStatus.PENDING_TRANSFER_EXPIRED,
        ]
        assert again.verify().is_sound
        again.close()

    def test_reopened_books_go_on_after_their_last_timestamp(
        self, store: StandaloneLedger, place: Path
    ) -> None:
        world.settle(store)
        first = [world.transfer(1, world.SOURCE, world.EMPTY, 1)]
        stamp = store.create_transfers(first, now=world.LATER)[0].timestamp
        store.close()
        again = self.opener()(place)
        second = [world.transfer(2, world.SOURCE, world.EMPTY, 1)]
        assert again.create_transfers(second, now=world.NOW)[0].timestamp > stamp
        again.close()

    def test_an_open_hold_expires_after_reopening(
        self, store: StandaloneLedger, place: Path
    ) -> None:
        world.settle(store)
        store.close()
        again = self.opener()(place)
        assert again.expire_due(now=Instant(world.NOW + 7_200 * SECOND_NS)) == 2
        assert again.verify().is_sound
        again.close()

    def test_a_killed_process_loses_nothing_it_acknowledged(
        self, store: StandaloneLedger, place: Path
    ) -> None:
        """A child writes batches and tells each answer; it is killed by signal while it works.

        Whatever it told is there, whole batches only, the books balance, and a retry of all it may
        have done meets itself.
        """
        world.settle(store)
        store.close()
        acknowledged = 0
        for _ in range(_KILLS):
            acknowledged = _run_and_kill(place, start=acknowledged)
            again = self.opener()(place)
            report = again.verify()
            assert report.is_sound, report.differences
            held = again.lookup_accounts([world.EMPTY])[0].credits_posted
            assert held % BATCH == 0
            assert held // BATCH in {acknowledged, acknowledged + 1}
            for number in range(held // BATCH):
                results = again.create_transfers(child_batch(number), now=world.LATER)
                assert {result.status for result in results} == {TransferStatus.EXISTS}
            acknowledged = held // BATCH
            again.close()


def child_batch(number: int) -> list[Transfer]:
    """Make the batch of one number, always the same."""
    first = 1_000_000 + number * BATCH
    return [world.transfer(first + leg, world.SOURCE, world.EMPTY, 1) for leg in range(BATCH)]


def _run_and_kill(place: Path, *, start: int) -> int:
    """Start the child, let it acknowledge some batches, kill it; return how many it told."""
    command = [sys.executable, "-m", "amana.testing.conformance.ledger_child", str(place)]
    acknowledged = start
    with subprocess.Popen(  # noqa: S603 - our own module
        [*command, str(start)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            acknowledged = int(line)
            if acknowledged >= start + _ACKNOWLEDGED_MIN:
                child.kill()
                break
        # What it told between the last line read and its end counts too.
        for line in child.stdout:
            if line.endswith("\n"):
                acknowledged = int(line)
    return acknowledged
