"""Old rows give way to closing balances and hashes, and the books can still be checked."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from amana.kernel import SECOND_NS, Instant
from amana.ledger import (
    LEDGER_EPOCH,
    Account,
    AccountFilter,
    AccountFlags,
    PruneRefused,
    Pruning,
    SQLiteLedger,
    StandaloneLedger,
    TransferFlags,
    TransferStatus,
    open_sqlite_ledger,
)
from amana.testing.conformance import _ledger_world as world

LATE = Instant(world.LATER + 1_000 * SECOND_NS)
EVERY_ACCOUNT = range(1, 40)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def store(place: Path) -> Iterator[StandaloneLedger]:
    ledger = open_sqlite_ledger(place)
    world.settle(ledger)
    batch = [world.transfer(1, world.SOURCE, world.EMPTY, 25)]
    ledger.create_transfers(batch, now=world.LATER)
    yield ledger
    ledger.close()


def prune(store: StandaloneLedger, before: Instant, now: Instant = LATE) -> object:
    engine = store.engine
    assert isinstance(engine, SQLiteLedger)
    return store.run(lambda: engine.prune(before=before, now=now))


def test_balances_stay_and_rows_go(store: StandaloneLedger) -> None:
    before = store.lookup_accounts(EVERY_ACCOUNT)
    seals = store.verify().seals
    pruned = prune(store, Instant(world.LATER + 1))
    assert isinstance(pruned, Pruning)
    assert pruned.batches == seals
    assert store.lookup_accounts(EVERY_ACCOUNT) == before
    left = {row.id for row in (change.transfer for change in store.changes(LEDGER_EPOCH, 1_000))}
    open_holds = {
        world.OPEN_HOLD,
        world.HOLD_OF_CLOSED_DEBIT,
        world.HOLD_OF_CLOSED_CREDIT,
        2_001,
        2_004,
        2_005,
        2_006,
    }
    assert left == open_holds
    report = store.verify()
    assert report.is_sound, report.differences
    assert report.pruned_batches == seals
    assert report.seals == seals + 1


def test_only_whole_batches_before_the_instant_are_pruned(store: StandaloneLedger) -> None:
    assert prune(store, Instant(world.NOW - 1)) is None
    pruned = prune(store, world.LATER)
    assert isinstance(pruned, Pruning)
    assert pruned.cut < world.LATER
    assert [row.id for row in store.lookup_transfers([world.PLAIN, 1])] == [1]
    assert store.verify().is_sound
    assert prune(store, world.LATER) is None


def test_a_pruned_id_is_never_used_again(store: StandaloneLedger) -> None:
    prune(store, world.LATER)
    batch = [
        world.transfer(world.PLAIN, world.SOURCE, world.DEBITS_BOUND, 0),
        world.transfer(world.BURNT, world.SOURCE, world.EMPTY, 1),
    ]
    for _ in range(2):
        results = store.create_transfers(batch, now=LATE)
        already = TransferStatus.ID_ALREADY_FAILED
        assert [result.status for result in results] == [already, already]


def test_a_hold_open_at_the_cut_is_concluded_after_it(store: StandaloneLedger, place: Path) -> None:
    prune(store, Instant(world.LATER + 1))
    store.close()
    again = open_sqlite_ledger(place)
    conclusions = [
        world.post(50, world.OPEN_HOLD, 60),
        world.void(51, 2_005),
        world.void(52, 2_006),
    ]
    results = again.create_transfers(conclusions, now=LATE)
    assert {result.status for result in results} == {TransferStatus.CREATED}
    retry = again.create_transfers(conclusions, now=LATE)
    assert {result.status for result in retry} == {TransferStatus.EXISTS}
    assert again.verify().is_sound
    assert isinstance(prune(again, Instant(LATE + SECOND_NS), LATE), Pruning)
    assert again.verify().is_sound
    gone = again.create_transfers([world.post(53, world.OPEN_HOLD, 1)], now=LATE)[0]
    assert gone.status is TransferStatus.PENDING_TRANSFER_NOT_FOUND
    again.close()


def test_a_retry_of_a_conclusion_whose_hold_is_pruned_meets_itself(
    store: StandaloneLedger,
) -> None:
    conclusion = world.post(50, world.OPEN_HOLD, 2**128 - 1)
    hold_end = Instant(world.LATER + 10)
    store.create_transfers([world.transfer(49, world.SOURCE, world.EMPTY, 1)], now=hold_end)
    prune(store, Instant(hold_end + 1))
    store.create_transfers([conclusion], now=LATE)
    # The next cut takes the hold, which has been concluded, and leaves a batch after it.
    store.create_transfers([world.transfer(51, world.SOURCE, world.EMPTY, 1)], now=LATE)
    engine = store.engine
    assert isinstance(engine, SQLiteLedger)
    connection = engine._connection
    connection.execute("DELETE FROM ledger_transfers WHERE id = ?", (world.OPEN_HOLD.to_bytes(16),))
    result = store.create_transfers([conclusion], now=LATE)[0]
    assert result.status is TransferStatus.EXISTS


def test_history_and_expiries_are_pruned_with_their_transfers(store: StandaloneLedger) -> None:
    store.create_accounts([Account(20, world.EUR, 1, int(AccountFlags.HISTORY))], now=world.LATER)
    batch = [world.transfer(60, world.SOURCE, 20, 5), world.hold(61, world.SOURCE, 20, timeout_s=1)]
    store.create_transfers(batch, now=world.LATER)
    assert store.expire_due(now=Instant(world.LATER + 2 * SECOND_NS)) == 1
    prune(store, Instant(world.LATER + 3 * SECOND_NS))
    assert store.account_balances(AccountFilter(20)) == []
    assert store.account_transfers(AccountFilter(20)) == []
    assert store.verify().is_sound


def test_a_closed_account_is_closed_after_the_cut_too(store: StandaloneLedger) -> None:
    closing = int(TransferFlags.CLOSING_DEBIT)
    store.create_transfers([world.hold(60, world.EMPTY, world.SOURCE, flags=closing)], now=LATE)
    prune(store, Instant(LATE + SECOND_NS), Instant(LATE + SECOND_NS))
    assert store.verify().is_sound
    assert store.lookup_accounts([world.EMPTY])[0].flags & AccountFlags.CLOSED
    result = store.create_transfers([world.void(62, 60)], now=Instant(LATE + 2 * SECOND_NS))[0]
    assert result.status is TransferStatus.CREATED
    assert store.verify().is_sound


def test_books_that_differ_are_not_pruned(store: StandaloneLedger, place: Path) -> None:
    with sqlite3.connect(place) as other:
        other.execute("UPDATE ledger_transfers SET amount = 1 WHERE id = ?", (PLAIN_KEY,))
    other.close()
    refused = prune(store, Instant(world.LATER + 1))
    assert isinstance(refused, PruneRefused)
    assert not refused.report.is_sound
    assert store.lookup_transfers([1])


PLAIN_KEY = world.PLAIN.to_bytes(16)


@pytest.mark.parametrize(
    ("sabotage", "subject"),
    [
        ("UPDATE ledger_closings SET credits_posted = credits_posted + 1", "closing"),
        (
            "UPDATE ledger_closings SET debits_pending = debits_pending + 1",
            "closing debits_pending",
        ),
        ("DELETE FROM ledger_prunings", "debits_posted"),
        ("UPDATE ledger_prunings SET batches = batches + 1", "seal's root"),
        ("UPDATE ledger_seals SET root = zeroblob(32) WHERE number = 1", "seal hash"),
        ("DELETE FROM ledger_transfers WHERE flags & 2", "closing debits_pending"),
        ("UPDATE ledger_transfers SET flags = 0 WHERE timestamp < 1e30", "pruned transfer"),
        ("INSERT INTO ledger_pruned_ids SELECT id FROM ledger_transfers LIMIT 1", "transfer id"),
    ],
)
def test_sabotage_of_what_is_left_is_named(
    store: StandaloneLedger, place: Path, sabotage: str, subject: str
) -> None:
    prune(store, Instant(world.LATER + 1))
    with sqlite3.connect(place) as other:
        other.execute(sabotage)
    other.close()
    assert subject in {difference.subject for difference in store.verify().differences}
