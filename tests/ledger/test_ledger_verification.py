"""Goal: one stored number is changed in good books, and `verify` names what it belongs to.

Method: books with every kind of row; a statement from outside; the differences that come out. The
untouched books are silent.
"""

import sqlite3
from pathlib import Path

import pytest

from amana.kernel import SECOND_NS, Instant
from amana.ledger import (
    Account,
    LedgerReader,
    StandaloneLedger,
    Transfer,
    open_memory_ledger,
    open_sqlite_ledger,
)
from amana.storage import open_reader
from amana.testing.conformance import _ledger_world as world


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    ledger = open_sqlite_ledger(path)
    world.settle(ledger)
    ledger.expire_due(now=world.LATER)
    ledger.create_accounts(
        [Account(20, world.EUR, 1, 8), Account(21, world.EUR, 1, 8)], now=world.LATER
    )
    both_have_history = world.transfer(3, 21, 20, 5)
    ledger.create_transfers([both_have_history], now=world.LATER)
    ledger.create_transfers(
        [world.transfer(1, world.SOURCE, world.EMPTY, 25)], now=Instant(world.LATER + SECOND_NS)
    )
    ledger.close()
    return path


def differences(place: Path) -> set[tuple[str, int]]:
    reader = open_reader(place)
    report = LedgerReader(reader).verify()
    reader.close()
    assert report.is_sound == (not report.differences)
    return {(difference.subject, difference.id) for difference in report.differences}


def change(place: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(place) as connection:
        assert connection.execute(statement, values).rowcount > 0, "the sabotage met a row"
    connection.close()


def key(number: int) -> bytes:
    return number.to_bytes(16)


def test_untouched_books_are_silent(place: Path) -> None:
    assert differences(place) == set()


@pytest.mark.parametrize(
    "counter", ["debits_posted", "credits_posted", "debits_pending", "credits_pending"]
)
def test_a_changed_counter_names_its_account_and_the_sum(place: Path, counter: str) -> None:
    change(
        place,
        f"UPDATE ledger_accounts SET {counter} = {counter} + 1 WHERE id = ?",  # noqa: S608 - the test's own names
        key(world.TAKER),
    )
    kind = counter.rpartition("_")[2]
    assert differences(place) == {(counter, world.TAKER), (f"sum of {kind}", 0)}


def test_a_changed_amount_names_both_accounts_and_the_seal(place: Path) -> None:
    change(place, "UPDATE ledger_transfers SET amount = amount + 1 WHERE id = ?", key(1))
    found = differences(place)
    assert ("debits_posted", world.SOURCE) in found
    assert ("credits_posted", world.EMPTY) in found
    assert "seal's root" in {subject for subject, _ in found}


@pytest.mark.parametrize(
    ("statement", "values", "expected"),
    [
        ("UPDATE ledger_accounts SET is_closed = 1 WHERE id = ?", [key(1)], ("flags", 1)),
        ("UPDATE ledger_accounts SET code = 2 WHERE id = ?", [key(1)], ("seal's root", 1)),
        ("DELETE FROM ledger_transfers WHERE id = ?", [key(1)], ("debits_posted", 1)),
        ("DELETE FROM ledger_transfers WHERE id = ?", [key(1)], ("sealed rows", 7)),
        ("DELETE FROM ledger_accounts WHERE id = ?", [key(18)], ("account of transfer", 1_018)),
        ("DELETE FROM ledger_expiries", [], ("hold", world.EXPIRED_HOLD)),
        ("DELETE FROM ledger_failures", [], ("sealed rows", 3)),
        ("DELETE FROM ledger_holds", [], ("hold", world.OPEN_HOLD)),
        ("UPDATE ledger_holds SET status = 2 WHERE status = 1", [], ("hold", world.OPEN_HOLD)),
        (
            "UPDATE ledger_holds SET expires_at = expires_at + 1 WHERE expires_at > 0",
            [],
            ("hold", world.OPEN_HOLD),
        ),
        ("INSERT INTO ledger_holds VALUES (5, 1, 0)", [], ("hold", 0)),
        ("UPDATE ledger_balances SET credits_posted = 6", [], ("history", 20)),
        ("DELETE FROM ledger_balances WHERE account_id = ?", [key(20)], ("history", 20)),
        ("INSERT INTO ledger_balances VALUES (?, 9e18, 0, 0, 0, 0)", [key(20)], ("history", 20)),
        ("DELETE FROM ledger_seals WHERE number = 2", [], ("seal number", 3)),
        ("UPDATE ledger_seals SET count = 9 WHERE number = 2", [], ("seal hash", 2)),
        (
            "UPDATE ledger_seals SET previous_hash = root WHERE number = 2",
            [],
            ("seal's previous hash", 2),
        ),
        ("UPDATE ledger_seals SET secret = NULL WHERE number = 2", [], ("seal's secret", 2)),
        (
            "UPDATE ledger_transfers SET flags = 8 WHERE id = ?",
            [key(world.THE_POSTING)],
            ("hold", world.POSTED_HOLD),
        ),
        (
            "UPDATE ledger_transfers SET pending_id = ? WHERE id = ?",
            [key(5), key(world.THE_POSTING)],
            ("hold", 5),
        ),
        (
            "UPDATE ledger_transfers SET pending_id = ? WHERE id = ?",
            [key(world.POSTED_HOLD), key(world.THE_VOIDING)],
            ("hold", world.POSTED_HOLD),
        ),
        (
            "UPDATE ledger_failures SET transfer_id = ?",
            [key(world.PLAIN)],
            ("transfer id", world.PLAIN),
        ),
    ],
)
def test_one_changed_row_is_named(
    place: Path, statement: str, values: list[bytes], expected: tuple[str, int]
) -> None:
    change(place, statement, *values)
    assert expected in differences(place)


def test_a_row_slipped_in_after_the_last_seal_is_named(place: Path) -> None:
    change(
        place,
        "INSERT INTO ledger_transfers SELECT 9223372036854775807, ?, debit_account_id,"
        " credit_account_id, amount, NULL, NULL, 0, 0, 0, ledger, code, 0"
        " FROM ledger_transfers WHERE id = ?",
        key(2),
        key(1),
    )
    assert ("unsealed row", 2**63 - 1) in differences(place)


def test_an_account_that_lost_its_opening_is_named() -> None:
    store = open_memory_ledger()
    world.settle(store)
    engine = store.engine
    engine._opened.pop()  # type: ignore[attr-defined]
    found = {(row.subject, row.id) for row in store.verify().differences}
    assert ("account", world.TAKER) in found


def test_an_account_that_is_gone_is_named_in_memory_too() -> None:
    store = open_memory_ledger()
    world.settle(store)
    del store.engine._books.accounts[world.TAKER]  # type: ignore[attr-defined]
    found = {(row.subject, row.id) for row in store.verify().differences}
    assert ("account", world.TAKER) in found


def test_a_transfer_twice_in_memory_is_named() -> None:
    store = open_memory_ledger()
    world.settle(store)
    rows: list[Transfer] = store.engine._transfers  # type: ignore[attr-defined]
    rows.append(rows[-1])
    found = {(row.subject, row.id) for row in store.verify().differences}
    assert ("transfer id", world.BALANCED) in found


@pytest.mark.parametrize("open_ledger", ["memory", "sqlite"])
def test_books_are_not_verified_in_the_middle_of_a_commit(tmp_path: Path, open_ledger: str) -> None:
    store: StandaloneLedger = (
        open_memory_ledger() if open_ledger == "memory" else open_sqlite_ledger(tmp_path / "l.db")
    )
    world.settle(store)

    def work() -> None:
        batch = [world.transfer(1, world.SOURCE, world.EMPTY, 25)]
        store.engine.create_transfers(batch, now=world.LATER)
        store.verify()

    with pytest.raises(AssertionError, match="between units of work"):
        store.run(work)
    store.close()
