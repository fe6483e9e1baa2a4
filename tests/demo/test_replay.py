"""Files of purchases become payments: each row once, in one class, to the penny."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.demo.purchases import (
    HEADING,
    classes,
    facts,
    reasons,
    replayed,
    write_file,
    year_of_trade,
)

from amana.demo.replay import ReplayRefused, read_months
from amana.node.operator import make_operator, open_operator
from amana.node.settings import Settings
from amana.people import PartyKind
from amana.storage import BOOKS_FILE


def rows_of(data: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data / BOOKS_FILE)) as books:
        return books.execute(statement).fetchall()


def test_each_row_becomes_exactly_one_of_five(tmp_path: Path) -> None:
    file = write_file(
        tmp_path,
        "purchases-201703.csv",
        [
            ("01/03/17", "100.00", "baker", "1111"),
            ("02/03/17", "-30.00", "baker", "1111"),
            ("03/03/17", "-20.00", "baker", "2222"),
            ("04/03/17", "-50.00", "direct debit payment than", "1111"),
            ("05/03/17", "-7.00", "stranger", "1111"),
            ("06/03/17", "0.00", "baker", "1111"),
        ],
    )
    report = replayed(tmp_path / "data", file)
    assert classes(report.files[0]) == {
        "purchase": (1, 100_00),
        "refund": (1, -30_00),
        "credit": (1, -20_00),
        "repayment": (1, -50_00),
        "refused": (2, -7_00),
    }
    assert reasons(report.files[0]) == {
        "insufficient-funds": (1, -7_00),
        "amount-not-positive": (1, 0),
    }
    assert report.is_right
    assert report.files[0].is_equal
    assert report.books.unfinished == 0


def test_fees_are_taken_from_merchants_and_given_back_with_refunds(tmp_path: Path) -> None:
    rows = [("01/03/17", "100.00", "baker", "1111"), ("02/03/17", "-30.00", "baker", "1111")]
    report = replayed(tmp_path / "data", write_file(tmp_path, "a.csv", rows))
    assert (report.total.fees_taken, report.total.fees_returned) == (20, 6)
    assert report.books.merchants == 70_00 - 14


def test_the_facility_pays_in_only_what_a_card_lacks_for_its_purchases(tmp_path: Path) -> None:
    first = [
        ("01/03/17", "60.00", "baker", "1111"),
        ("01/03/17", "40.00", "baker", "1111"),
        ("02/03/17", "-40.00", "baker", "1111"),
        ("02/03/17", "-25.00", "direct debit payment than", "1111"),
    ]
    second = [("01/04/17", "70.00", "baker", "1111")]
    data = tmp_path / "data"
    paid = [
        replayed(data, write_file(tmp_path, f"{number}.csv", rows)).files[0].facility
        for number, rows in enumerate((first, second))
    ]
    assert [(one.count, one.minor) for one in paid] == [(1, 100_00), (1, 5_00)]


def test_a_refund_may_stand_before_its_purchase_in_the_file(tmp_path: Path) -> None:
    rows = [("05/03/17", "-10.00", "baker", "1111"), ("04/03/17", "10.00", "baker", "1111")]
    report = replayed(tmp_path / "data", write_file(tmp_path, "a.csv", rows))
    assert classes(report.files[0]) == {"purchase": (1, 10_00), "refund": (1, -10_00)}


def test_on_one_day_what_is_paid_comes_before_what_is_given_back(tmp_path: Path) -> None:
    rows = [("04/03/17", "-10.00", "baker", "1111"), ("04/03/17", "10.00", "baker", "1111")]
    report = replayed(tmp_path / "data", write_file(tmp_path, "a.csv", rows))
    assert classes(report.files[0]) == {"purchase": (1, 10_00), "refund": (1, -10_00)}


def test_what_comes_back_before_anything_was_paid_is_refused(tmp_path: Path) -> None:
    rows = [("03/03/17", "-10.00", "baker", "1111"), ("04/03/17", "10.00", "baker", "1111")]
    report = replayed(tmp_path / "data", write_file(tmp_path, "a.csv", rows))
    assert reasons(report.files[0]) == {"insufficient-funds": (1, -10_00)}


def test_a_refund_gives_back_the_newest_payment_of_its_amount(tmp_path: Path) -> None:
    rows = [
        ("01/03/17", "10.00", "baker", "1111"),
        ("02/03/17", "10.00", "baker", "1111"),
        ("03/03/17", "30.00", "baker", "1111"),
        ("04/03/17", "-10.00", "baker", "1111"),
        ("05/03/17", "-10.00", "baker", "1111"),
        ("06/03/17", "-10.00", "baker", "1111"),
    ]
    data = tmp_path / "data"
    replayed(data, write_file(tmp_path, "a.csv", rows))
    refunds = (
        "SELECT p.total, p.created_at, r.created_at FROM payments_payments p "
        "JOIN payments_payments r ON r.refund_of = p.id ORDER BY r.created_at"
    )
    first, second, third = rows_of(data, refunds)
    assert [first[0], second[0], third[0]] == [10_00, 10_00, 30_00]
    assert first[1] > second[1]  # type: ignore[operator] # both are instants


def test_a_refund_of_an_earlier_file_is_found(tmp_path: Path) -> None:
    march = write_file(tmp_path, "201703.csv", [("31/03/17", "10.00", "baker", "1111")])
    april = write_file(tmp_path, "201704.csv", [("01/04/17", "-10.00", "baker", "1111")])
    replayed(tmp_path / "data", march)
    report = replayed(tmp_path / "data", april)
    assert classes(report.files[0]) == {"refund": (1, -10_00)}


def test_a_merchant_gives_back_no_more_than_it_holds(tmp_path: Path) -> None:
    rows = [
        ("01/03/17", "10.00", "baker", "1111"),
        ("02/03/17", "-5.00", "baker", "2222"),
        ("03/03/17", "-10.00", "baker", "1111"),
    ]
    report = replayed(tmp_path / "data", write_file(tmp_path, "a.csv", rows))
    assert classes(report.files[0])["credit"] == (1, -5_00)
    assert reasons(report.files[0]) == {"insufficient-funds": (1, -10_00)}


def test_a_corporate_card_has_a_limit_per_payment_and_none_per_day(tmp_path: Path) -> None:
    rows = [("01/03/17", "250,000.00", f"shop {number}", "1111") for number in range(9)]
    rows.append(("02/03/17", "250,000.01", "shop 1", "1111"))
    report = replayed(tmp_path / "data", write_file(tmp_path, "a.csv", rows))
    assert classes(report.files[0])["purchase"] == (9, 2_250_000_00)
    assert reasons(report.files[0]) == {"exceeds-payment-limit": (1, 250_000_01)}
    assert report.is_right


def test_blank_lines_and_days_outside_the_month_are_counted_and_taken(tmp_path: Path) -> None:
    rows = [
        ("28/02/17", "1.00", "baker", "1111"),
        None,
        ("01/03/17", "2.00", "baker", "1111"),
        ("01/04/17", "4.00", "baker", "1111"),
    ]
    report = replayed(tmp_path / "data", write_file(tmp_path, "purchases-201703.csv", rows))
    file = report.files[0]
    assert (file.rows, file.blank_lines, file.outside) == (3, 1, 2)
    assert classes(file) == {"purchase": (3, 7_00)}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    data, file = tmp_path / "data", write_file(tmp_path, "a.csv", year_of_trade())
    first = replayed(data, file)
    before = rows_of(data, "SELECT * FROM payments_payments ORDER BY id")
    second = replayed(data, file)
    assert rows_of(data, "SELECT * FROM payments_payments ORDER BY id") == before
    assert (second.total.new, second.opened_customers, second.opened_merchants) == (0, 0, 0)
    assert facts(second.files[0]) == facts(first.files[0])
    assert second.is_right


def test_a_file_renamed_is_the_same_file(tmp_path: Path) -> None:
    file = write_file(tmp_path, "a.csv", year_of_trade())
    replayed(tmp_path / "data", file)
    again = replayed(tmp_path / "data", file.rename(tmp_path / "b.csv"))
    assert again.total.new == 0


def test_files_together_become_what_they_become_one_by_one(tmp_path: Path) -> None:
    rows = year_of_trade()
    files = [
        write_file(tmp_path, f"{start}.csv", rows[start : start + 100])
        for start in range(0, len(rows), 100)
    ]
    together = replayed(tmp_path / "one", *files)
    apart = [replayed(tmp_path / "many", file).files[0] for file in files]
    assert [facts(file) for file in together.files] == [facts(file) for file in apart]


def test_an_unreadable_file_stops_the_whole_run_before_anything_is_imported(
    tmp_path: Path,
) -> None:
    good = write_file(tmp_path, "good.csv", year_of_trade())
    bad = write_file(
        tmp_path,
        "bad.csv",
        [("01/03/17", "1.00", "baker", "1111"), ("31/02/17", "2.00", "baker", "1111")],
    )
    data = tmp_path / "data"
    with pytest.raises(ReplayRefused, match=r"bad\.csv:3: TRANS DATE: There is no such day"):
        replayed(data, good, bad)
    assert not data.exists()


def test_one_file_given_twice_is_refused(tmp_path: Path) -> None:
    file = write_file(tmp_path, "a.csv", year_of_trade())
    copy = tmp_path / "b.csv"
    copy.write_bytes(file.read_bytes())
    with pytest.raises(ReplayRefused, match=r"b\.csv: The same bytes as a\.csv"):
        read_months([file, copy])


def test_books_in_another_currency_are_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_operator(data, Settings(currency="EUR", is_play_money=True))
    file = write_file(tmp_path, "a.csv", year_of_trade())
    with pytest.raises(ReplayRefused, match="are in EUR"):
        replayed(data, file)
    assert rows_of(data, "SELECT count(*) FROM payments_payments") == [(0,)]


def test_cards_and_merchants_get_handles_of_their_own(tmp_path: Path) -> None:
    rows = [
        ("01/03/17", "1.00", "Corner  Baker", "************1111"),
        ("01/03/17", "1.00", "corner baker", "****1111"),
        ("01/03/17", "1.00", "corner-baker", "************1111"),
        ("01/03/17", "1.00", "o2", "************1111"),
    ]
    report = replayed(tmp_path / "data", write_file(tmp_path, "a.csv", rows))
    assert (report.opened_customers, report.opened_merchants) == (2, 3)
    with open_operator(tmp_path / "data") as operator:
        known = {
            handle: (facts.kind, facts.name)
            for handle in ("card-1111", "corner-baker", "shop-o2")
            if (facts := operator.directory.by_handle(handle)) is not None
        }
    assert known == {
        "card-1111": (PartyKind.PERSON, "************1111"),
        "corner-baker": (PartyKind.MERCHANT, "corner baker"),
        "shop-o2": (PartyKind.MERCHANT, "o2"),
    }


def test_a_name_the_network_does_not_take_refuses_its_rows_alone(tmp_path: Path) -> None:
    rows = [("01/03/17", "1.00", "b" * 61, "1111"), ("01/03/17", "2.00", "baker", "1111")]
    file = write_file(tmp_path, "a.csv", rows)
    for _ in range(2):
        report = replayed(tmp_path / "data", file)
        assert reasons(report.files[0]) == {"name-malformed": (1, 1_00)}
        assert classes(report.files[0])["purchase"] == (1, 2_00)
        assert report.is_right


def test_books_that_were_tampered_with_do_not_add_up(tmp_path: Path) -> None:
    data, file = tmp_path / "data", write_file(tmp_path, "a.csv", year_of_trade())
    replayed(data, file)
    with closing(sqlite3.connect(data / BOOKS_FILE)) as books:
        books.execute(
            "UPDATE payments_payments SET total = total + 1 WHERE id = "
            "(SELECT max(id) FROM payments_payments WHERE kind = 1 AND status = 3)"
        )
        books.commit()
    report = replayed(data, file)
    assert not report.files[0].is_equal
    assert not report.is_right


def test_a_file_without_its_heading_is_refused_by_line(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(HEADING.replace("CARD NUMBER", "CARD") + "\n", encoding="utf-8")
    with pytest.raises(ReplayRefused, match=r"a\.csv:1: The heading lacks"):
        read_months([file])


def test_every_file_at_fault_is_told_at_once(tmp_path: Path) -> None:
    bad = write_file(tmp_path, "bad.csv", [("01/03/17", "1.2.3", "baker", "1111")])
    with pytest.raises(ReplayRefused) as refusal:
        read_months([tmp_path / "absent.csv", bad, tmp_path])
    told = str(refusal.value).splitlines()
    assert told == [
        "absent.csv: No such file or directory.",
        "bad.csv:2: BILLING GROSS AMT: This is no amount.",
        "bad.csv:2: ORIGINAL GROSS AMT: This is no amount.",
        f"{tmp_path.name}: Is a directory.",
        "Nothing was imported.",
    ]
