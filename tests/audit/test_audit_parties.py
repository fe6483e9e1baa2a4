"""Whose account is whose, how long a hold lasts and when things happened: changed, and named."""

# ruff: noqa: S608 - sabotage is written as statements, with ids of this file's own books

import shutil
from pathlib import Path

import pytest
from tests.audit.books_world import BAKERY, LINA, MONA, change, make_books

from amana.audit import audit_folder
from amana.kernel import AmanaId

Ids = dict[str, AmanaId]


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ids]:
    folder = tmp_path_factory.mktemp("parties")
    ids = make_books(folder)
    for party in (MONA, LINA):
        change(
            folder,
            "INSERT INTO people_customers (customer, ledger_account, handle, display_name, "
            f"language, tier, status) VALUES (x'{party.id:032x}', x'{party.account:032x}', "
            f"'c{party.account}', 'C', 'en', 'basic', 'active')",
        )
    change(
        folder,
        "INSERT INTO people_merchants (merchant, ledger_account, handle, name, names, category, "
        f"country, city, status) VALUES (x'{BAKERY.id:032x}', x'{BAKERY.account:032x}', 'bakery', "
        "'B', '{}', '5462', 'AE', 'Dubai', 'active')",
    )
    return folder, ids


def checks_after(good: tuple[Path, Ids], folder: Path, *statements: str) -> set[tuple[str, str]]:
    """Return which check found what in which table, after a change."""
    shutil.copytree(good[0], folder)
    for statement in statements:
        change(folder, statement)
    return {(finding.check, finding.table) for finding in audit_folder(folder).findings}


def test_people_with_their_own_accounts_are_sound(good: tuple[Path, Ids], tmp_path: Path) -> None:
    assert checks_after(good, tmp_path / "copy") == set()


@pytest.mark.parametrize(
    "statement",
    [
        (
            "UPDATE people_customers SET ledger_account = x'{bakery.account:032x}' "
            "WHERE customer = x'{lina.id:032x}'"
        ),
        "UPDATE people_merchants SET ledger_account = x'{unknown:032x}'",
        (
            "UPDATE people_customers SET customer = x'{unknown:032x}' "
            "WHERE customer = x'{lina.id:032x}'"
        ),
        "DELETE FROM people_merchants",
    ],
)
def test_money_led_to_another_account_is_named(
    good: tuple[Path, Ids], tmp_path: Path, statement: str
) -> None:
    written = statement.format(lina=LINA, bakery=BAKERY, unknown=77)
    found = checks_after(good, tmp_path / "copy", written)
    assert found == {("whose account is whose", "people")}


@pytest.mark.parametrize(
    "values",
    [
        "hold_expires_at = hold_expires_at + 1",
        "steps = steps + 1",
        "tip = total + 1",
    ],
)
def test_a_hold_that_says_something_else_of_itself_is_named(
    good: tuple[Path, Ids], tmp_path: Path, values: str
) -> None:
    voided = f"x'{good[1]['voided']:032x}'"
    statement = f"UPDATE payments_payments SET {values} WHERE id = {voided}"
    found = checks_after(good, tmp_path / "copy", statement)
    assert ("what a hold says of itself", "payments_payments") in found


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events_events SET occurred_at = occurred_at + 1 WHERE kind = 'payment.voided'",
        "UPDATE payments_steps SET concluded_at = concluded_at + 1 WHERE status = 2",
        "UPDATE payments_payments SET concluded_at = concluded_at + 1 WHERE kind = 2",
        "UPDATE payments_orders SET cancelled_at = cancelled_at + 1",
    ],
)
def test_another_time_than_was_told_is_named(
    good: tuple[Path, Ids], tmp_path: Path, statement: str
) -> None:
    found = checks_after(good, tmp_path / "copy", statement)
    assert found == {("one event each", "events_events")}
