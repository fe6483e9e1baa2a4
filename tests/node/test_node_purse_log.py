"""What a stolen data folder holds of the order in which e-cash was spent: at most a minute's log.

The tables are in the order of random keys. The log beside the file is in the order of coming, so it
is emptied every minute and at the end; backups are made by the database itself, and hold no log.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.node.purse_town import PurseTown, purse_town

from amana.kernel import Instant
from amana.purse.curve import hash_to_curve
from amana.purse.model import Proof
from amana.purse.signatory import COUNTS_FILE, LIST_FILE, SEED_FILE
from amana.storage import BOOKS_FILE
from amana.trust import Places, make_backup


@pytest.fixture
def town(tmp_path: Path) -> Iterator[PurseTown]:
    with purse_town(tmp_path / "town") as opened:
        yield opened


def log_of(folder: Path) -> bytes:
    """The log beside the file of books; empty where there is none."""
    log = folder / f"{BOOKS_FILE}-wal"
    return log.read_bytes() if log.exists() else b""


def spent(town: PurseTown) -> list[Proof]:
    """Spend some proofs, each in a commit of its own."""
    wallet = town.filled()
    proofs = sorted(wallet.proofs, key=lambda proof: proof.secret)[:12]
    for proof in proofs:
        assert town.swap(wallet, [proof]).status == 200
    return proofs


def nullifiers(proofs: list[Proof]) -> list[bytes]:
    return [hash_to_curve(proof.secret.encode())[1:] for proof in proofs]


def test_the_log_is_emptied_and_with_it_the_order_of_what_was_spent(town: PurseTown) -> None:
    marks = nullifiers(spent(town))
    log = log_of(town.operator.folder)
    firsts = [log.find(mark) for mark in marks]
    assert firsts == sorted(firsts), "before, the log tells the order"
    assert -1 not in firsts
    town.run(town.operator.writer.carry_over())
    assert log_of(town.operator.folder) == b""


def test_the_file_holds_what_was_spent_in_the_order_of_random_keys(town: PurseTown) -> None:
    marks = nullifiers(spent(town))
    town.run(town.operator.writer.carry_over())
    books = (town.operator.folder / BOOKS_FILE).read_bytes()
    places = [books.rfind(mark) for mark in sorted(marks)]
    assert -1 not in places
    with closing(sqlite3.connect(town.operator.folder / BOOKS_FILE)) as connection:
        rows = [row[0] for row in connection.execute("SELECT nullifier FROM purse_spent")]
        with pytest.raises(sqlite3.OperationalError, match="rowid"):
            connection.execute("SELECT rowid FROM purse_spent")
    assert rows == sorted(rows)
    assert [row for row in rows if row in marks] != marks


def test_a_backup_of_a_running_mint_has_no_log_and_brings_its_keys(
    town: PurseTown, tmp_path: Path
) -> None:
    """Goal: restored, the copy holds the spent proofs and the keys, and no trace of the order."""
    marks = nullifiers(spent(town))
    assert log_of(town.operator.folder)
    places = Places.within(tmp_path / "backup")
    made = make_backup(town.operator.folder, places, now=Instant(town.clock.now()))
    kept = {path.name for path in (tmp_path / "backup").rglob("*") if path.is_file()}
    assert not [name for name in kept if name.endswith(("-wal", "-shm", "-journal"))], made
    assert {SEED_FILE, LIST_FILE} <= kept
    secret = (town.operator.folder / "signatory" / SEED_FILE).read_bytes()
    archived = [path for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    holding = {path.parent.parent.name for path in archived if secret in path.read_bytes()}
    assert holding == {"signatory"}, "the keys lie in one place alone"
    assert COUNTS_FILE in {path.name for path in places.signatory.rglob("*")}
    (copy,) = places.books.rglob(BOOKS_FILE)
    with closing(sqlite3.connect(copy)) as connection:
        rows = {row[0] for row in connection.execute("SELECT nullifier FROM purse_spent")}
    assert rows == set(marks)
