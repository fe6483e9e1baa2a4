"""A keyset of long ago: its rows are dropped, what it owes stays owed, and the audit holds both."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.node.purse_town import PurseTown, purse_town

from amana.audit import audit_folder
from amana.kernel import DAY_NS
from amana.node.workers import look_after_keysets
from amana.purse.model import Code

GRACE_DAYS = 730 + 6 * 366


@pytest.fixture
def town(tmp_path: Path) -> Iterator[PurseTown]:
    with purse_town(tmp_path / "town") as opened:
        yield opened


def turn(town: PurseTown, days: int) -> None:
    """Let time pass, and the operator look after its keysets."""
    town.clock.advance(days * DAY_NS)
    town.run(look_after_keysets(town.operator))


def rows(town: PurseTown) -> tuple[int, int]:
    """Count the rows of spent proofs and of signed outputs."""
    spent, signed = town.operator.read_connection.execute(
        "SELECT (SELECT count(*) FROM purse_spent), (SELECT count(*) FROM purse_signed)"
    ).fetchone()
    return spent, signed


def owed(town: PurseTown) -> dict[str, Any]:
    """What is owed at this moment, in sums."""
    told = msgspec.to_builtins(town.run(town.operator.purse.liabilities.state(1)))
    return {name: told[name] for name in ("outstanding", "promised", "ledger_balance", "even")}


def spend_and_leave(town: PurseTown) -> None:
    """Fill a wallet with 2,000 and pay 500 of them; the rest never comes back."""
    wallet, shop = town.filled(), town.merchant()
    paid = town.pay(town.quote(shop.order(500)["id"]), wallet, wallet.pick(500))
    assert paid.json["state"] == "PAID", paid.body


def test_when_a_keyset_is_gone_its_rows_are_and_what_it_owes_stays(
    town: PurseTown, tmp_path: Path
) -> None:
    spend_and_leave(town)
    late = town.filled()
    before = owed(town)
    assert before["outstanding"] == "3500"
    turn(town, GRACE_DAYS - 4)
    assert rows(town) != (0, 0)
    turn(town, 6)
    assert rows(town) == (0, 0)
    assert owed(town) == before
    assert audit_folder(tmp_path / "town").is_sound
    proofs = late.pick(100)
    town.learn(late)
    assert town.swap(late, proofs).json["code"] == Code.KEYSET_EXPIRED
    spend_and_leave(town)
    assert audit_folder(tmp_path / "town").is_sound


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("UPDATE purse_ended SET signed = signed + 1", "what is owed to holders of e-cash"),
        ("UPDATE purse_ended SET spent = signed", "what is owed to holders of e-cash"),
        ("DELETE FROM purse_ended", "what is owed to holders of e-cash"),
        (
            "INSERT INTO purse_spent SELECT zeroblob(32), keyset, amount FROM purse_ended LIMIT 1",
            "signed and spent",
        ),
        (
            "INSERT INTO purse_totals SELECT keyset, amount, 0, 0 FROM purse_ended",
            "signed and spent",
        ),
    ],
)
def test_the_audit_names_what_was_changed_in_an_ended_keyset(
    change: str, check: str, tmp_path: Path
) -> None:
    folder = tmp_path / "town"
    with purse_town(folder) as town:
        spend_and_leave(town)
        turn(town, GRACE_DAYS + 2)
    assert audit_folder(folder).is_sound
    with closing(sqlite3.connect(folder / "books.db")) as books, books:
        books.execute(change)
    assert check in {finding.check for finding in audit_folder(folder).findings}


def test_rows_that_are_still_to_be_dropped_are_never_more_than_their_counts(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "town"
    with purse_town(folder) as town:
        spend_and_leave(town)
        (keyset, *_) = town.operator.purse.mint.keysets()
        town.run(town.operator.purse.ending._store.end([keyset.number]))
    assert audit_folder(folder).is_sound
    with closing(sqlite3.connect(folder / "books.db")) as books, books:
        books.execute("UPDATE purse_ended SET signed = spent")
    assert "signed and spent" in {finding.check for finding in audit_folder(folder).findings}
