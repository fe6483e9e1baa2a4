"""Which rows wait for which, which name is whose, and what a refund gives back."""

from collections import defaultdict
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.payments.samples import payment

from amana.demo.replay import rules
from amana.demo.replay.model import Entry, FileReport, Paid
from amana.payments.model import PaymentStatus
from amana.people import parse_handle
from amana.wire.csv_purchases import Purchase

CARD = "************1111"


def entry(place: int, amount_minor: int, merchant: str) -> Entry:
    row = Purchase(place + 2, date(2017, 3, 1), amount_minor, None, merchant, CARD)
    return Entry(place, row, rules.fold_name(merchant), rules.row_key(b"file", place), b"body")


ENTRIES = st.lists(
    st.tuples(
        st.integers(-3, 3), st.sampled_from(["baker", "butcher", "Direct Debit payment than"])
    )
).map(lambda rows: [entry(place, *row) for place, row in enumerate(rows)])


@given(ENTRIES)
def test_rounds_hold_every_row_once(entries: list[Entry]) -> None:
    placed = [found.place for group in rules.rounds(entries) for found in group]
    assert sorted(placed) == list(range(len(entries)))


@given(ENTRIES)
def test_rounds_keep_each_merchants_order(entries: list[Entry]) -> None:
    order = defaultdict(list)
    for group in rules.rounds(entries):
        for found in group:
            order[found.merchant].append(found.place)
    order.pop("direct debit payment than", None)
    assert all(places == sorted(places) for places in order.values())


@given(ENTRIES)
def test_who_gives_back_in_a_round_does_nothing_else_in_it(entries: list[Entry]) -> None:
    for group in rules.rounds(entries):
        backs = [found.merchant for found in group if rules.gives_back(found.row)]
        others = {found.merchant for found in group if found.amount_minor >= 0}
        assert len(backs) == len(set(backs))
        assert not others & set(backs)


@pytest.mark.parametrize(
    ("name", "amount_minor", "is_repayment"),
    [
        ("direct debit payment than", -1, True),
        ("DIRECT  DEBIT PAYMENT - THANK YOU", -1, True),
        ("direct debit payment than", 1, False),
        ("tesco direct", -1, False),
        ("credit adjustment", -1, False),
    ],
)
def test_a_repayment_is_known_by_the_issuers_words(
    name: str,
    amount_minor: int,
    is_repayment: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert rules.is_repayment(entry(0, amount_minor, name).row) is is_repayment


def paid(number: int, total: int) -> Paid:
    return Paid(number, b"%d" % number, total, created_at=number)


@pytest.mark.parametrize(
    ("totals", "chosen"),
    [
        ([], None),
        ([10], 0),
        ([10, 10], 1),
        ([10, 10, 50], 1),
        ([20, 50], 1),
        ([50, 20], 1),
    ],
)
def test_a_refund_of_ten_gives_back(totals: list[int], chosen: int | None) -> None:
    found = rules.refunded_by(10, [paid(number, total) for number, total in enumerate(totals)], {})
    assert (found.payment if found else None) == chosen


def test_newest_is_by_the_order_of_the_run_before_the_books_clock() -> None:
    places = {b"0": 8, b"1": 3}
    found = rules.refunded_by(10, [paid(0, 10), paid(1, 10), paid(2, 10)], places)
    assert found is not None
    assert found.payment == 0


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("welcome break kfc", "welcome-break-kfc"),
        ("welcome break-kfc", "welcome-break-kfc"),
        ("o2", "shop-o2"),
        ("مخبز", "shop"),
        ("a name that is far too long for a handle", "a-name-that-is-far-too-lo"),
        ("abcdefghijklmnopqrstuvwx/yz", "abcdefghijklmnopqrstuvwx"),
    ],
)
def test_a_merchants_first_handle_comes_from_its_name(name: str, first: str) -> None:
    assert rules.merchant_handles(name)[0] == first


@given(st.text(min_size=1))
def test_every_handle_is_one(name: str) -> None:
    for handle in (*rules.merchant_handles(rules.fold_name(name)), *rules.card_handles(CARD)):
        assert parse_handle(handle) == handle


def test_names_that_look_alike_have_different_second_handles() -> None:
    first, second = (rules.merchant_handles(name) for name in ("costa @ next", "costa@next"))
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_a_row_is_known_by_its_files_content_and_its_line() -> None:
    keys = {rules.row_key(b"a", 1), rules.row_key(b"a", 2), rules.row_key(b"b", 1)}
    assert len(keys | {rules.facility_key(b"a", "1")}) == 4
    assert all(len(key) == 16 for key in keys)


def test_a_row_whose_outcome_is_not_known_is_in_no_class() -> None:
    report = FileReport("march")
    rules.count_row(report, payment(status=PaymentStatus.PENDING))
    assert report == FileReport("march")
