"""Good books of a purse in which one thing was changed: the audit names it, and the loss.

Goal: none of the audit's checks of the purse can be switched off, or fall away, unseen.
Method: a whole operator makes books with e-cash in every state; each case changes one thing in a
copy, against every constraint, and the check that is there for it must name table, row and loss.
"""

# ruff: noqa: S608 - sabotage is written as statements, with names of this file

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.audit.books_world import change
from tests.faults.holder import write_output
from tests.node.purse_town import PurseTown, purse_town
from tests.node.town import eur

from amana.audit import AuditReport, audit_folder
from amana.node.mint.shapes import write_quote_id
from amana.node.workers import publish_liabilities
from amana.purse.curve import sign_schnorr
from amana.purse.methods.refund import refund_quote_id
from amana.purse.rules.conditions import plain_quote_message

PRICE, CLAIMED, MOVED_BACK = 700, 300, 2_000
FEE = 1
KEY = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
SECRET = (1).to_bytes(32)
PURCHASE = "(SELECT id FROM payments_payments WHERE kind = 6)"

MOVED = ("a purse payment moved what it says", "payments_payments")
ENDED = ("a hold of the purse ended", "ledger_transfers")
QUOTED = ("a redemption and its payment", "purse_redeem_quotes")
COUNTED = ("signed and spent", "purse_totals")
COUNTED_ENDED = ("signed and spent", "purse_ended")
BOUNDED = ("no more spent than signed", "purse_spent")
CLAIMS = ("claims of refunds", "purse_issue_quotes")
OWED = ("what is owed to holders of e-cash", "ledger_accounts")
STATED = ("the published statement", "purse_statements")


def claim(town: PurseTown) -> None:
    """Fetch what was given back by now, with the key that the payment named."""
    wallet = town.wallet()
    quote, outputs = write_quote_id(refund_quote_id(KEY)), wallet.sum_of(CLAIMED)
    message = plain_quote_message(quote, [one.message for one in outputs])
    asked = {
        "quote": quote,
        "outputs": [write_output(one) for one in outputs],
        "signature": sign_schnorr(SECRET, message).hex(),
    }
    claimed = town.at_mint("POST", "/v1/mint/amana-refund", asked)
    assert claimed.status == 200, claimed.body


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books in which e-cash was issued, swapped, paid, given back, claimed, and put back."""
    folder = tmp_path_factory.mktemp("good") / "town"
    with purse_town(folder) as town:
        wallet, shop, customer = town.filled(5_000), town.merchant(), town.customer(0)
        assert town.swap(wallet, wallet.pick(100)).status == 200
        quote = town.quote(order := shop.order(PRICE)["id"], refund_key=KEY.hex())
        assert town.pay(quote, wallet, wallet.pick(PRICE)).status == 200
        for amount in (CLAIMED, PRICE - CLAIMED):
            given = shop.post(f"/v1/orders/{order}/refunds", {"amount": eur(amount)})
            assert given.status == 201, given.content
            if amount == CLAIMED:
                claim(town)
        address = customer.post("/v1/purse/deposits", {}).body["request"]
        quote = town.quote(address, "amana-account", amount=MOVED_BACK)
        paid = town.pay(quote, wallet, wallet.pick(MOVED_BACK), "amana-account")
        assert paid.status == 200, paid.body
        town.run(publish_liabilities(town.operator))
        town.run(town.operator.writer.carry_over())
    return folder


@pytest.fixture
def books(good: Path, tmp_path: Path) -> Path:
    shutil.copytree(good, copy := tmp_path / "copy")
    return copy


def named(report: AuditReport, check: tuple[str, str]) -> list[int]:
    """Return the losses of the findings of a check."""
    return [one.loss_minor for one in report.findings if (one.check, one.table) == check]


def leg(number: int) -> str:
    """Write the id of a leg of the first attempt: 1 and 2 hold, 3 and 4 post, 5 and 6 void."""
    return f"(SELECT CAST(substr({PURCHASE}, 1, 15) || x'1{number}' AS BLOB))"


def test_untouched_books_of_a_purse_are_silent(good: Path) -> None:
    report = audit_folder(good)
    assert report.findings == ()
    with closing(sqlite3.connect(good / "books.db")) as connection:
        held = connection.execute(
            f"SELECT amount FROM ledger_transfers WHERE id IN ({leg(1)}, {leg(2)}) ORDER BY 1"
        ).fetchall()
    assert held == [(FEE,), (PRICE - FEE,)], "there is something to sabotage on both legs"


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("changed", "loss"),
    [
        ("amount = amount + 5", 5),
        ("code = 7", None),
        ("flags = flags | 8", None),
        ("debit_account_id = x'00000000000000000000000000000001'", None),
        ("credit_account_id = x'00000000000000000000000000000001'", None),
        (None, None),
    ],
)
def test_a_transfer_that_is_not_what_the_purchase_says_is_named(
    books: Path, number: int, changed: str | None, loss: int | None
) -> None:
    if changed is None:
        change(books, f"DELETE FROM ledger_transfers WHERE id = {leg(number)}")
    else:
        change(books, f"UPDATE ledger_transfers SET {changed} WHERE id = {leg(number)}")
    amount = FEE if number in {2, 4} else PRICE - FEE
    assert named(audit_folder(books), MOVED) == [amount if loss is None else loss]


def test_a_purchase_that_says_more_than_moved_is_named(books: Path) -> None:
    change(books, "UPDATE payments_payments SET total = total + 1 WHERE kind = 6")
    report = audit_folder(books)
    assert named(report, MOVED) == [1, 1], "held and posted"
    assert named(report, QUOTED) == [PRICE]


def replayed(number: int, source: int) -> str:
    """Write what puts a copy of one leg under another leg's id."""
    return (
        "INSERT INTO ledger_transfers SELECT (SELECT max(timestamp) + 1 FROM ledger_transfers), "
        f"{leg(number)}, debit_account_id, credit_account_id, amount, pending_id, user_data_128, "
        "user_data_64, user_data_32, timeout_s, ledger, code, flags FROM ledger_transfers "
        f"WHERE id = {leg(source)}"
    )


def test_a_void_of_what_was_paid_is_named(books: Path) -> None:
    change(books, replayed(5, 3))
    assert named(audit_folder(books), ENDED) == [PRICE - FEE]


def test_holds_of_an_attempt_that_neither_paid_nor_ended_are_named(books: Path) -> None:
    change(books, "UPDATE payments_payments SET steps = 2 WHERE kind = 6")
    report = audit_folder(books)
    assert sorted(named(report, ENDED)) == [FEE, FEE, PRICE - FEE, PRICE - FEE]
    assert named(report, QUOTED) == [PRICE]


@pytest.mark.parametrize(
    "changed",
    ["amount = amount + 1", "attempts = attempts + 1", "state = 1", "state = 2"],
)
def test_a_redemption_that_does_not_fit_its_payment_is_named(books: Path, changed: str) -> None:
    change(books, f"UPDATE purse_redeem_quotes SET {changed} WHERE method = 'amana-merchant'")
    assert len(named(audit_folder(books), QUOTED)) == 1


def test_a_redemption_without_its_payment_is_named(books: Path) -> None:
    change(books, "DELETE FROM payments_payments WHERE kind = 6")
    report = audit_folder(books)
    assert named(report, QUOTED) == [PRICE]
    assert sorted(named(report, ENDED)) == [FEE, FEE, PRICE - FEE, PRICE - FEE]


@pytest.mark.parametrize("table", ["purse_spent", "purse_signed"])
def test_a_deleted_row_of_a_live_keyset_is_named_with_its_amount(books: Path, table: str) -> None:
    with closing(sqlite3.connect(books / "books.db")) as connection:
        ((amount,),) = connection.execute(f"SELECT amount FROM {table} LIMIT 1").fetchall()
    first = {"purse_spent": "nullifier", "purse_signed": "point"}[table]
    change(books, f"DELETE FROM {table} WHERE {first} = (SELECT {first} FROM {table} LIMIT 1)")
    assert named(audit_folder(books), COUNTED) == [amount]


@pytest.mark.parametrize("column", ["spent", "signed"])
def test_a_changed_count_of_a_live_keyset_is_named(books: Path, column: str) -> None:
    change(
        books,
        f"UPDATE purse_totals SET {column} = {column} - 1 WHERE amount = "
        "(SELECT max(amount) FROM purse_totals WHERE spent > 0)",
    )
    (loss,) = named(audit_folder(books), COUNTED)
    assert named(audit_folder(books), OWED) == [loss]


def test_more_spent_than_signed_is_named_though_the_counts_agree(books: Path) -> None:
    which = "keyset = 0 AND amount = (SELECT min(amount) FROM purse_spent)"
    change(
        books,
        f"DELETE FROM purse_signed WHERE {which}",
        f"UPDATE purse_totals SET signed = 0 WHERE {which}",
    )
    report = audit_folder(books)
    assert named(report, COUNTED) == []
    assert len(named(report, BOUNDED)) == 1


def test_counts_of_a_keyset_both_live_and_ended_are_named(books: Path) -> None:
    change(
        books,
        "INSERT INTO purse_ended SELECT keyset, amount, 0, 0, 0 FROM purse_totals",
    )
    assert 0 in named(audit_folder(books), COUNTED_ENDED)


@pytest.mark.parametrize("is_dropped", [0, 1])
def test_rows_that_are_left_of_a_dropped_keyset_are_named(books: Path, is_dropped: int) -> None:
    change(
        books,
        f"INSERT INTO purse_ended SELECT keyset, amount, signed, spent, {is_dropped} "
        "FROM purse_totals",
        "DELETE FROM purse_totals",
    )
    report = audit_folder(books)
    assert bool(named(report, COUNTED_ENDED)) is (is_dropped == 1)
    assert named(report, OWED) == [], "what is out stays owed"


def test_a_forged_output_with_its_count_is_named_as_owed_to_nobody(books: Path) -> None:
    which = "keyset = 0 AND amount = (SELECT max(amount) FROM purse_signed)"
    change(
        books,
        "INSERT INTO purse_signed SELECT zeroblob(33), keyset, amount FROM purse_signed "
        f"WHERE {which} LIMIT 1",
        f"UPDATE purse_totals SET signed = signed + 1 WHERE {which}",
    )
    report = audit_folder(books)
    assert named(report, COUNTED) == []
    assert len(named(report, OWED)) == 1


@pytest.mark.parametrize(
    ("statement", "loss"),
    [
        ("DELETE FROM purse_deposits WHERE state = 2", MOVED_BACK),
        ("UPDATE purse_deposits SET amount = amount + 9 WHERE state = 2", 9),
        ("UPDATE purse_issue_quotes SET issued = issued - 9 WHERE method = 'amana-refund'", 9),
        ("UPDATE payments_payments SET total = total - 9 WHERE total = 400", 9),
        ("UPDATE purse_refills SET state = 2 WHERE state = 3", 5_000),
    ],
)
def test_what_is_promised_or_on_its_way_and_not_in_the_ledger_is_named(
    books: Path, statement: str, loss: int
) -> None:
    change(books, statement)
    assert named(audit_folder(books), OWED) == [loss]


def test_a_refund_claimed_for_more_than_was_given_back_is_named_with_the_excess(
    books: Path,
) -> None:
    change(
        books,
        f"UPDATE purse_issue_quotes SET issued = {PRICE + 11} WHERE method = 'amana-refund'",
    )
    assert named(audit_folder(books), CLAIMS) == [11]


def test_a_statement_that_says_another_sum_than_its_parts_is_named(books: Path) -> None:
    change(
        books,
        "UPDATE purse_statements SET statement = "
        "CAST(json_set(CAST(statement AS TEXT), '$.promised', '0') AS BLOB)",
    )
    assert named(audit_folder(books), STATED) == [PRICE - CLAIMED]
