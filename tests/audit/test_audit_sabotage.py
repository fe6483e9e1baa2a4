"""Good books in which one thing was changed: the audit names it, and the loss.

Goal: nobody changes a stored number, row or seal without the audit saying where and how much.
Method: the real services make books in which every kind of payment happened; each case changes one
thing in a copy, against every constraint, and the audit must name that table, row and loss.
"""

# ruff: noqa: S608 - sabotage is written as statements, with ids of this file's own books

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.audit.books_world import (
    BAKERY,
    LINA,
    MONA,
    change,
    make_books,
    prune_books,
)

from amana.audit import AuditReport, BooksUnreadable, audit_folder
from amana.kernel import AmanaId, IdKind, Instant, format_id

Ids = dict[str, AmanaId]


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ids]:
    folder = tmp_path_factory.mktemp("good")
    return folder, make_books(folder)


@pytest.fixture
def books(good: tuple[Path, Ids], tmp_path: Path) -> tuple[Path, Ids]:
    copy = tmp_path / "copy"
    shutil.copytree(good[0], copy)
    return copy, good[1]


def blob(identifier: int) -> str:
    return f"x'{identifier:032x}'"


def execute(folder: Path, statement: str) -> tuple[int, ...]:
    connection = sqlite3.connect(folder / "books.db")
    row: tuple[int, ...] = connection.execute(statement).fetchone() or ()
    connection.close()
    return row


def named(report: AuditReport, check: str, table: str, place: str) -> list[int]:
    """Return the losses of the findings that name a place."""
    return [
        finding.loss_minor
        for finding in report.findings
        if (finding.check, finding.table) == (check, table) and place in finding.id
    ]


def payment(identifier: AmanaId) -> str:
    return format_id(IdKind.PAYMENT, identifier)


def test_untouched_books_are_silent(good: tuple[Path, Ids]) -> None:
    report = audit_folder(good[0])
    assert report.findings == ()
    assert report.is_sound
    assert report.checked == ("ledger", "seals", "payments", "events", "purse")
    assert report.counts["transfers"] == 19
    assert report.counts["payments"] == 12
    assert report.totals[0].debits_posted == report.totals[0].credits_posted == 64_328
    assert report.totals[0].debits_pending == 600


@pytest.mark.parametrize("name", ["debits_posted", "credits_posted", "credits_pending"])
def test_a_changed_balance_is_named_with_its_loss(books: tuple[Path, Ids], name: str) -> None:
    folder, _ = books
    change(folder, f"UPDATE ledger_accounts SET {name} = {name} + 13 WHERE id = {blob(768)}")
    place = format_id(IdKind.LEDGER_ACCOUNT, LINA.account)
    assert named(audit_folder(folder), name, "ledger_accounts", place) == [13]


def test_a_changed_balance_makes_both_sides_differ(books: tuple[Path, Ids]) -> None:
    folder, _ = books
    change(folder, "UPDATE ledger_accounts SET credits_posted = credits_posted + 13 WHERE code=20")
    report = audit_folder(folder)
    assert named(report, "debits equal credits, posted", "ledger_accounts", "ledger 978") == [13]


def test_a_changed_amount_is_named_by_seal_balance_and_payment(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        f"UPDATE ledger_transfers SET amount = amount - 34 WHERE id = {blob(ids['person'] | 1)}",
    )
    report = audit_folder(folder)
    moved = "a payment moved what it says"
    assert named(report, moved, "payments_payments", payment(ids["person"])) == [34]
    place = format_id(IdKind.LEDGER_ACCOUNT, LINA.account)
    assert named(report, "credits_posted", "ledger_accounts", place) == [34]
    assert any(finding.check == "seal root" for finding in report.findings)


def test_a_deleted_transfer_is_named_with_its_amount(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(folder, f"DELETE FROM ledger_transfers WHERE id = {blob(ids['direct'] | 1)}")
    report = audit_folder(folder)
    moved = "a payment moved what it says"
    assert named(report, moved, "payments_payments", payment(ids["direct"])) == [2_001]
    assert any(finding.check == "rows of a seal" for finding in report.findings)


def test_a_replayed_transfer_is_named_with_its_amount(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    replayed = ids["person"] | 5 << 4 | 1
    change(
        folder,
        "INSERT INTO ledger_transfers SELECT (SELECT max(timestamp) + 1 FROM ledger_transfers), "
        f"{blob(replayed)}, debit_account_id, credit_account_id, amount, pending_id, "
        "user_data_128, user_data_64, user_data_32, timeout_s, ledger, code, flags "
        f"FROM ledger_transfers WHERE id = {blob(ids['person'] | 1)}",
    )
    report = audit_folder(folder)
    place = format_id(IdKind.TRANSFER, replayed)
    belongs = "a transfer belongs to a payment"
    assert named(report, belongs, "ledger_transfers", place) == [1_234]
    assert named(report, "unsealed row", "ledger_transfers", "") == [0]


def test_a_transfer_replayed_under_its_own_id_is_named(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    execute(folder, "DROP INDEX ledger_transfers_id")
    change(
        folder,
        f"UPDATE ledger_transfers SET id = {blob(ids['topup'] | 1)} "
        f"WHERE id = {blob(ids['person'] | 1)}",
    )
    place = format_id(IdKind.TRANSFER, ids["topup"] | 1)
    assert named(audit_folder(folder), "transfer id", "ledger_transfers", place) == [0]


def test_two_swapped_amounts_are_named(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        f"UPDATE ledger_transfers SET amount = 2001 WHERE id = {blob(ids['person'] | 1)}",
        f"UPDATE ledger_transfers SET amount = 1234 WHERE id = {blob(ids['direct'] | 1)}",
    )
    report = audit_folder(folder)
    moved = "a payment moved what it says"
    assert named(report, moved, "payments_payments", payment(ids["person"])) == [767]
    assert named(report, moved, "payments_payments", payment(ids["direct"])) == [767]


def test_a_paid_payment_flipped_to_refused_is_named(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        "UPDATE payments_payments SET status = 4, reason = 'insufficient-funds' "
        f"WHERE id = {blob(ids['person'])}",
    )
    report = audit_folder(folder)
    place = format_id(IdKind.TRANSFER, ids["person"] | 1)
    belongs = "a transfer belongs to a payment"
    assert named(report, belongs, "ledger_transfers", place) == [1_234]


def test_a_refused_payment_flipped_to_paid_is_named(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        f"UPDATE payments_payments SET status = 3, reason = NULL WHERE id = {blob(ids['refused'])}",
    )
    moved = "a payment moved what it says"
    losses = named(audit_folder(folder), moved, "payments_payments", payment(ids["refused"]))
    assert 999_999 in losses


@pytest.mark.parametrize(
    ("name", "column", "check", "loss"),
    [
        ("direct", "total", "a payment moved what it says", 7),
        ("direct", "fee", "fee", 7),
        ("captured", "captured", "how a hold ended", 3_000),
        ("captured", "fee", "how a hold ended", 3_000),
        ("ordered", "refunded", "refunds", 7),
        ("ordered", "fee_returned", "refunds", 7),
        ("refund", "total", "a payment moved what it says", 7),
        ("held", "total", "a payment moved what it says", 7),
    ],
)
def test_a_changed_number_of_a_payment_is_named(
    books: tuple[Path, Ids], name: str, column: str, check: str, loss: int
) -> None:
    folder, ids = books
    change(
        folder, f"UPDATE payments_payments SET {column} = {column} - 7 WHERE id = {blob(ids[name])}"
    )
    report = audit_folder(folder)
    assert loss in named(report, check, "payments_payments", payment(ids[name]))


def test_a_refund_beyond_what_was_paid_is_named_with_the_excess(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        f"UPDATE payments_payments SET total = total + 50 WHERE id = {blob(ids['refund'])}",
    )
    losses = named(audit_folder(folder), "refunds", "payments_payments", payment(ids["ordered"]))
    assert losses == [50, 50]


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("UPDATE payments_payments SET status = 6 WHERE id = {0}", "voided"),
        ("UPDATE payments_payments SET status = 2 WHERE id = {0}", "expired"),
        ("UPDATE payments_payments SET status = 5 WHERE id = {0}", "held"),
        ("UPDATE payments_steps SET amount = amount + 1 WHERE payment_id = {0}", "captured"),
        ("UPDATE payments_steps SET fee = fee + 1 WHERE payment_id = {0}", "captured"),
        ("UPDATE payments_steps SET kind = 3 WHERE payment_id = {0}", "voided"),
        ("DELETE FROM payments_steps WHERE payment_id = {0}", "expired"),
    ],
)
def test_a_hold_that_ended_otherwise_is_named(
    books: tuple[Path, Ids], statement: str, name: str
) -> None:
    folder, ids = books
    change(folder, statement.format(blob(ids[name])))
    report = audit_folder(folder)
    assert named(report, "how a hold ended", "payments_payments", payment(ids[name]))


def test_a_hold_opened_again_in_the_ledger_is_named(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        "UPDATE ledger_holds SET status = 1 WHERE timestamp = "
        f"(SELECT timestamp FROM ledger_transfers WHERE id = {blob(ids['voided'] | 1)})",
    )
    place = format_id(IdKind.TRANSFER, ids["voided"] | 1)
    assert named(audit_folder(folder), "hold", "ledger_holds", place) == [800]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payments_orders SET amount = amount + 1 WHERE id = {order}",
        "UPDATE payments_orders SET payment_id = NULL WHERE id = {order}",
        "UPDATE payments_orders SET payment_id = {direct} WHERE id = {order}",
        "DELETE FROM payments_orders WHERE id = {order}",
    ],
)
def test_an_order_that_does_not_fit_its_payment_is_named(
    books: tuple[Path, Ids], statement: str
) -> None:
    folder, ids = books
    change(folder, statement.format(**{name: blob(key) for name, key in ids.items()}))
    place = format_id(IdKind.ORDER, ids["order"])
    check = "an order and its payment"
    assert named(audit_folder(folder), check, "payments_orders", place)


def test_a_dropped_event_is_named_as_a_gap_and_by_what_it_told(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        f"DELETE FROM events_events WHERE kind = 'order.paid' AND subject = {blob(ids['direct'])}",
    )
    report = audit_folder(folder)
    feed = f"{BAKERY.id:032x}"
    assert named(report, "events have no gap", "events_events", feed)
    missing = f"order.paid of {payment(ids['direct'])}"
    assert named(report, "one event each", "events_events", missing)


def test_the_last_event_of_a_feed_cannot_vanish_unseen(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        f"DELETE FROM events_events WHERE stream = {blob(LINA.id)} AND number = "
        f"(SELECT max(number) FROM events_events WHERE stream = {blob(LINA.id)})",
    )
    missing = f"payment.received of {payment(ids['credit'])}"
    assert named(audit_folder(folder), "one event each", "events_events", missing)


@pytest.mark.parametrize("column", ["amount = amount + 1", "kind = 'payment.paid'"])
def test_a_changed_event_is_named(books: tuple[Path, Ids], column: str) -> None:
    folder, ids = books
    change(
        folder,
        f"UPDATE events_events SET {column} WHERE subject = {blob(ids['voided'])} "
        "AND kind = 'payment.voided'",
    )
    changed = payment(ids["voided"])
    assert len(named(audit_folder(folder), "one event each", "events_events", changed)) == 2


def test_a_changed_day_of_spending_is_named_with_its_loss(books: tuple[Path, Ids]) -> None:
    folder, _ = books
    change(
        folder,
        f"UPDATE payments_spent SET minor = minor - 900 WHERE payer = {blob(MONA.id)} "
        f"AND day = (SELECT min(day) FROM payments_spent WHERE payer = {blob(MONA.id)})",
    )
    report = audit_folder(folder)
    assert named(report, "spent in a day", "payments_spent", f"{MONA.id:032x}") == [900]


@pytest.mark.parametrize("column", ["gross", "fees", "refunded"])
def test_changed_takings_are_named_with_their_loss(books: tuple[Path, Ids], column: str) -> None:
    folder, _ = books
    change(
        folder,
        f"UPDATE payments_takings SET {column} = {column} + 5 "
        "WHERE day = (SELECT min(day) FROM payments_takings)",
    )
    report = audit_folder(folder)
    assert named(report, "takings of a day", "payments_takings", f"{BAKERY.id:032x}") == [5]


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE ledger_seals SET root = randomblob(32) WHERE number = 5", "seal root"),
        ("UPDATE ledger_seals SET root = randomblob(32) WHERE number = 5", "seal hash"),
        ("UPDATE ledger_seals SET hash = randomblob(32) WHERE number = 5", "seal chain"),
        ("UPDATE ledger_seals SET count = count + 1 WHERE number = 5", "rows of a seal"),
        ("UPDATE ledger_seals SET secret = NULL WHERE number = 5", "seal secret"),
        ("UPDATE ledger_seals SET secret = randomblob(32) WHERE number = 5", "seal root"),
        ("DELETE FROM ledger_seals WHERE number = 5", "seal number"),
        (
            "DELETE FROM ledger_seals WHERE number = (SELECT max(number) FROM ledger_seals)",
            "unsealed row",
        ),
        ("DELETE FROM ledger_failures", "rows of a seal"),
    ],
)
def test_an_edited_seal_is_named(books: tuple[Path, Ids], statement: str, check: str) -> None:
    folder, _ = books
    change(folder, statement)
    assert check in {finding.check for finding in audit_folder(folder).findings}


def test_an_edited_balance_of_the_past_is_named(books: tuple[Path, Ids]) -> None:
    folder, _ = books
    change(
        folder,
        "UPDATE ledger_balances SET credits_posted = credits_posted + 1 "
        "WHERE timestamp = (SELECT min(timestamp) FROM ledger_balances)",
    )
    place = format_id(IdKind.LEDGER_ACCOUNT, BAKERY.account)
    report = audit_folder(folder)
    assert named(report, "balance at a time", "ledger_balances", place) == [0]


def test_a_transfer_to_nobody_is_named(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        f"UPDATE ledger_transfers SET credit_account_id = {blob(4_444)} "
        f"WHERE id = {blob(ids['person'] | 1)}",
    )
    place = format_id(IdKind.TRANSFER, ids["person"] | 1)
    report = audit_folder(folder)
    assert named(report, "account of a transfer", "ledger_transfers", place) == [1_234]


def test_an_overdrawn_account_is_named_where_it_went_over(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        f"UPDATE ledger_transfers SET amount = 90000 WHERE id = {blob(ids['person'] | 1)}",
    )
    place = format_id(IdKind.TRANSFER, ids["person"] | 1)
    assert named(audit_folder(folder), "bound", "ledger_transfers", place) == [40_000]


def test_an_unfinished_payment_is_listed(books: tuple[Path, Ids]) -> None:
    folder, ids = books
    change(
        folder,
        "UPDATE payments_payments SET status = 1, concluded_at = NULL "
        f"WHERE id = {blob(ids['person'])}",
    )
    assert audit_folder(folder).unfinished == (payment(ids["person"]),)


def test_pruned_books_are_silent_and_say_how_much_is_pruned(books: tuple[Path, Ids]) -> None:
    folder, _ = books
    prune_books(folder, before=_after_the_hold_expired(folder))
    report = audit_folder(folder)
    assert report.findings == ()
    assert 0 < report.counts["pruned_batches"] < report.counts["seals"]


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE ledger_closings SET credits_posted = credits_posted + 1", "closing balances"),
        (
            "DELETE FROM ledger_closings WHERE credits_posted = 0",
            "closing balances",
        ),
        ("UPDATE ledger_prunings SET digest = randomblob(32)", "seal root"),
    ],
)
def test_edited_closing_balances_are_named(
    books: tuple[Path, Ids], statement: str, check: str
) -> None:
    folder, _ = books
    prune_books(folder, before=_after_the_hold_expired(folder))
    change(folder, statement)
    assert check in {finding.check for finding in audit_folder(folder).findings}


def _after_the_hold_expired(folder: Path) -> Instant:
    (last,) = execute(folder, "SELECT max(timestamp_max) FROM ledger_seals")
    return Instant(last - 3_000_000_000)


def test_an_audit_changes_nothing(good: tuple[Path, Ids]) -> None:
    before = (good[0] / "books.db").read_bytes()
    audit_folder(good[0])
    assert (good[0] / "books.db").read_bytes() == before


def test_the_report_is_plain_json_with_amounts_as_digits(books: tuple[Path, Ids]) -> None:
    folder, _ = books
    change(folder, f"UPDATE ledger_accounts SET debits_posted = 0 WHERE id = {blob(512)}")
    read = json.loads(audit_folder(folder).as_json())
    assert read["is_sound"] is False
    assert read["findings"][0]["loss_minor"].isdigit()
    assert read["totals"][0]["credits_posted"] == "64328"


def test_a_finding_is_one_line(books: tuple[Path, Ids]) -> None:
    folder, _ = books
    change(folder, f"UPDATE ledger_accounts SET credits_posted = 0 WHERE id = {blob(768)}")
    report = audit_folder(folder)
    assert "(loss 1311)" in str(report.findings[0])
    assert report.loss_minor_max == 1_311


def test_a_folder_without_books_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(BooksUnreadable, match="no books"):
        audit_folder(tmp_path)


def test_a_file_that_is_no_database_is_said_to_be_unreadable(tmp_path: Path) -> None:
    (tmp_path / "books.db").write_text("not a database, but long enough to look at" * 100)
    with pytest.raises(BooksUnreadable, match="cannot be read"):
        audit_folder(tmp_path)


def test_progress_is_told(good: tuple[Path, Ids]) -> None:
    told: list[tuple[str, int]] = []
    audit_folder(good[0], progress=lambda what, count: told.append((what, count)))
    assert ("checks of payments", 1) in told
