"""What only the SQLite engine has: a cache, readers beside it, and a file that can be spoilt."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amana.kernel import AMOUNT_MINOR_MAX, Instant
from amana.ledger import (
    LEDGER_EPOCH,
    Account,
    AccountFilter,
    LedgerReader,
    StandaloneLedger,
    TransferStatus,
    open_sqlite_ledger,
)
from amana.ledger.sqlite import _engine
from amana.storage import open_reader
from amana.testing.conformance import _ledger_world as world


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def store(place: Path) -> Iterator[StandaloneLedger]:
    ledger = open_sqlite_ledger(place)
    world.settle(ledger)
    yield ledger
    ledger.close()


def test_accounts_that_left_the_cache_come_back_with_their_balances(
    store: StandaloneLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_engine, "ACCOUNTS_CACHED_MAX", 6)
    engine: Any = store.engine
    for number in range(100, 140):
        store.create_accounts([Account(number, world.EUR, 1)], now=world.LATER)
        batch = [world.transfer(number, world.SOURCE, number, 3)]
        assert store.create_transfers(batch, now=world.LATER)[0].status is TransferStatus.CREATED
        assert len(engine._books.accounts) <= 6
    again = [world.transfer(200 + n, 100 + n, world.SOURCE, 1) for n in range(40)]
    results = store.create_transfers(again, now=world.LATER)
    assert {result.status for result in results} == {TransferStatus.CREATED}
    balances = {
        row.credits_posted - row.debits_posted for row in store.lookup_accounts(range(100, 140))
    }
    assert balances == {2}
    assert store.verify().is_sound


def test_a_reader_beside_the_writer_sees_what_is_committed_and_no_more(
    store: StandaloneLedger, place: Path
) -> None:
    connection = open_reader(place)
    reader = LedgerReader(connection)

    def work() -> None:
        batch = [world.transfer(1, world.SOURCE, world.EMPTY, 25)]
        store.engine.create_transfers(batch, now=world.LATER)
        assert store.engine.lookup_transfers([1])
        assert reader.lookup_transfers([1]) == []
        assert reader.lookup_accounts([world.EMPTY])[0].credits_posted == 0

    store.run(work)
    assert [row.id for row in reader.lookup_transfers([1])] == [1]
    assert reader.lookup_accounts([world.EMPTY])[0].credits_posted == 25
    assert reader.account_transfers(AccountFilter(world.EMPTY))[0].id == 1
    assert reader.changes(LEDGER_EPOCH, 1_000) == store.changes(LEDGER_EPOCH, 1_000)
    assert reader.verify() == store.verify()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM ledger_transfers")
    connection.close()


def test_a_commit_that_storage_refuses_leaves_the_engine_as_before(
    store: StandaloneLedger,
) -> None:
    """Method: a full disk, made with a bound on the file's pages."""
    engine: Any = store.engine
    connection = engine._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    batch = [world.transfer(5_000 + n, world.SOURCE, world.EMPTY, 1) for n in range(2_000)]
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store.create_transfers(batch, now=world.LATER)
    assert store.lookup_accounts([world.EMPTY])[0].credits_posted == 0
    assert store.lookup_transfers([5_000]) == []
    connection.execute("PRAGMA max_page_count = 1000000")
    results = store.create_transfers(batch, now=world.LATER)
    assert {result.status for result in results} == {TransferStatus.CREATED}
    assert store.verify().is_sound


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_accounts SET debits_posted = -1",
        "UPDATE ledger_accounts SET debits_posted = 1 WHERE flags & 2",
        "UPDATE ledger_accounts SET credits_posted = 1 WHERE flags & 4",
        "UPDATE ledger_accounts SET is_closed = 2",
        "UPDATE ledger_accounts SET id = x'00'",
        "UPDATE ledger_accounts SET debits_posted = 'much'",
        "UPDATE ledger_transfers SET amount = -1",
        "UPDATE ledger_transfers SET amount = 0.5",
        "UPDATE ledger_transfers SET credit_account_id = debit_account_id",
        "UPDATE ledger_transfers SET id = (SELECT min(id) FROM ledger_transfers)",
        "UPDATE ledger_holds SET status = 5",
    ],
)
def test_the_tables_repeat_the_rules_bounds(store: StandaloneLedger, statement: str) -> None:
    engine: Any = store.engine
    with pytest.raises(sqlite3.IntegrityError):
        engine._connection.execute(statement)


def test_the_largest_balance_is_kept_exactly(store: StandaloneLedger, place: Path) -> None:
    batch = [world.transfer(1, world.EMPTY, world.OTHER_EMPTY, AMOUNT_MINOR_MAX)]
    store.create_transfers(batch, now=world.LATER)
    store.close()
    again = open_sqlite_ledger(place)
    assert again.lookup_accounts([world.EMPTY])[0].debits_posted == AMOUNT_MINOR_MAX
    assert again.verify().is_sound
    more = [world.transfer(2, world.EMPTY, world.OTHER_EMPTY, 1)]
    result = again.create_transfers(more, now=Instant(world.LATER + 1))[0]
    assert result.status is TransferStatus.OVERFLOWS_DEBITS_POSTED
    again.close()


@pytest.mark.parametrize(
    ("column", "index"),
    [
        ("id", "ledger_transfers_id"),
        ("debit_account_id", "ledger_transfers_debit"),
        ("credit_account_id", "ledger_transfers_credit"),
        ("code", "ledger_transfers_code"),
    ],
)
def test_each_way_of_finding_transfers_has_its_index_and_needs_no_sorting(
    store: StandaloneLedger, column: str, index: str
) -> None:
    engine: Any = store.engine
    plan = engine._connection.execute(
        f"EXPLAIN QUERY PLAN SELECT * FROM ledger_transfers WHERE {column} = ?1"  # noqa: S608 - the test's own names
        " AND timestamp BETWEEN ?2 AND ?3 ORDER BY timestamp DESC LIMIT 5",
        (b"", 0, 1),
    ).fetchall()
    text = " ".join(row[3] for row in plan)
    assert index in text
    assert "TEMP B-TREE" not in text
