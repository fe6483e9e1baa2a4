"""Somebody else has the mint's keys: what comes back is more than what went out."""

from pathlib import Path

from amana.purse.books import PurseBooks
from amana.purse.model import VerifiedProof
from amana.purse.ports import Blank
from amana.purse.rules.refusals import FORGED, SPENT
from amana.storage import open_writer_connection, upgrade


def _proof(number: int, amount: int) -> VerifiedProof:
    return VerifiedProof(0, amount, number.to_bytes(32))


def _blank(number: int, amount: int) -> Blank:
    return Blank(0, amount, b"\2" + number.to_bytes(32))


def test_no_more_of_an_amount_is_spent_than_was_signed(tmp_path: Path) -> None:
    upgrade(tmp_path / "books.db")
    connection = open_writer_connection(tmp_path / "books.db")
    connection.execute("BEGIN")
    books = PurseBooks(connection)
    assert books.spend_and_sign((), [_blank(1, 8), _blank(2, 8)]) is None
    assert books.spend_and_sign([_proof(1, 8), _proof(2, 8), _proof(3, 8)], ()) == FORGED
    assert books.spend_and_sign([_proof(1, 8)], [_blank(3, 8)]) is None
    assert books.spend_and_sign([_proof(2, 8)], ()) is None
    assert books.spend_and_sign([_proof(2, 8)], ()) == SPENT, "a replay is told as what it is"
    assert books.spend_and_sign([_proof(9, 4)], [_blank(4, 4)]) == FORGED, "its own change aside"
    assert connection.execute("SELECT count(*) FROM purse_spent").fetchone() == (2,)
    assert connection.execute("SELECT count(*) FROM purse_signed").fetchone() == (3,)
    connection.close()
