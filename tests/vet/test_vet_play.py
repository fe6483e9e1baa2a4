"""What is read from real files is what the claim about them says, and it is all from files."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from tests.node.purse_town import purse_town
from tests.vet.conftest import Played

from amana.kernel import DAY_NS, MILLISECOND_NS, MINUTE_NS, SECOND_NS
from amana.vet import town as towns
from amana.vet.play import FIRST
from amana.vet.sight import TOKENS, Marks, project
from amana.vet.town import TownMissing, run_town


def assert_same(read: Marks, claimed: Marks) -> None:
    for column in ("at", "account", "amount", "merchant"):
        assert np.array_equal(getattr(read, column), getattr(claimed, column)), column


def test_the_books_show_of_the_town_exactly_what_is_claimed(played: Played) -> None:
    claimed = project(*played.town)
    for column in ("at", "merchant", "amount"):
        read = getattr(played.sight.payments, column)
        assert np.array_equal(read, getattr(claimed.payments, column)), column
    assert len(played.sight.payments) > 500
    assert_same(played.sight.refills, claimed.refills)
    assert_same(played.sight.named, claimed.named)
    for what, seen in claimed.moments.items():
        assert_same(played.sight.moments[what], seen)


def test_nightly_copies_show_the_days_of_letters_backups_and_devices(played: Played) -> None:
    claimed = project(*played.town).days
    for what in ("letter waited", "letter fetched", "backup written", "device changed"):
        assert_same(played.sight.days[what], claimed[what])
        assert len(claimed[what].at), what


def test_nightly_copies_show_how_many_blind_tokens_everybody_fetched_on_each_day(
    played: Played,
) -> None:
    seen = played.sight.days[TOKENS]
    assert_same(seen, project(*played.town).days[TOKENS])
    # Two fetches as a purse is set up, and one with each refill after it.
    assert set(range(120)) == set(seen.account.tolist())
    assert {100, 200} <= set(seen.amount.tolist())


def test_what_is_kept_of_a_blind_token_says_neither_when_nor_whose(played: Played) -> None:
    with closing(sqlite3.connect(played.folder / "operator" / "books.db")) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(purse_auth_spent)")]
        used = [row[0] for row in connection.execute("SELECT nullifier FROM purse_auth_spent")]
        days = connection.execute("SELECT DISTINCT day FROM purse_auth_quota").fetchall()
    assert columns == ["keyset", "nullifier"]
    assert used == sorted(used)
    assert len(used) == sum(event.get("tokens", 0) for event in played.town.events)
    assert len(days) == 1, "who fetched how many is counted for a day"


def test_every_payment_and_everything_sent_takes_blind_tokens(played: Played) -> None:
    shown = {
        kind: {event["tokens"] for event in played.town.events if event["kind"] == kind}
        for kind in ("pay", "deposit", "give", "exchange")
    }
    assert shown == {"pay": {2}, "deposit": {2}, "give": {1, 3}, "exchange": {1}}


def test_a_letter_that_came_and_went_in_a_day_is_in_no_copy(played: Played) -> None:
    sent = [event for event in played.town.events if event["kind"] == "give"]
    by_handle = [event for event in sent if event["way"] == "handle"]
    assert 0 < len(played.sight.days["letter waited"].at) < len(by_handle) < len(sent)


def test_what_lies_in_a_mailbox_has_neither_sender_nor_time(played: Played) -> None:
    with closing(sqlite3.connect(played.folder / "operator" / "books.db")) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(purse_mail)")]
        rows = connection.execute("SELECT party, id FROM purse_mail").fetchall()
    assert columns == ["party", "id", "sealed"]
    assert rows == sorted(rows)
    assert len(rows) >= 2


def test_nightly_copies_show_the_day_a_refill_was_left_and_no_more(played: Played) -> None:
    seen = played.sight.days["refill left"]
    assert_same(seen, project(*played.town).days["refill left"])
    # Of two left on one day the first is not seen: a young purse's own two are such.
    left = [event for event in played.town.events if event["kind"] == "leave"]
    assert 0 < len(seen.at) < len(left)


def test_nothing_that_is_kept_of_a_proof_says_when_or_whose(played: Played) -> None:
    with closing(sqlite3.connect(played.folder / "operator" / "books.db")) as connection:
        columns = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for table in ("purse_spent", "purse_signed")
        }
        spent = [row[0] for row in connection.execute("SELECT nullifier FROM purse_spent")]
    assert columns["purse_spent"] == ["nullifier", "keyset", "amount"]
    assert columns["purse_signed"] == ["point", "keyset", "amount"]
    assert spent == sorted(spent)
    assert len(spent) == sum(len(event.get("inputs", ())) for event in played.town.events)
    kinds = {event["kind"] for event in played.town.events if event.get("inputs")}
    assert kinds == {"pay", "deposit", "give", "take", "exchange"}


def test_no_row_beside_a_name_says_at_which_second_a_wallet_was_open(played: Played) -> None:
    """Deposits and refills are asked for in an opening: of a deposit the day is kept."""
    with closing(sqlite3.connect(played.folder / "operator" / "books.db")) as connection:
        quotes = connection.execute(
            "SELECT id, payment_id, expires_at FROM purse_redeem_quotes "
            "WHERE method = 'amana-account'"
        ).fetchall()
        due = connection.execute(
            "SELECT due_at FROM purse_refills UNION ALL SELECT due_at FROM purse_deposits"
        ).fetchall()
    asked = [event for event in played.town.events if event["kind"] == "deposit"]
    assert len(quotes) == len(asked) > 0
    assert {ends % DAY_NS for _, _, ends in quotes} == {0}
    span = range(FIRST // MILLISECOND_NS, (FIRST + 60 * DAY_NS) // MILLISECOND_NS)
    assert not [key for _, key, _ in quotes if int.from_bytes(key[:6]) in span], "no id has a time"
    # A purse's first refill is made at once: nothing was paid from it yet.
    firsts = [event["due"] for event in played.town.events if event["kind"] == "leave"]
    at_once = {FIRST // SECOND_NS + second for second in firsts if second % 60}
    odd = {at // SECOND_NS for (at,) in due if at % MINUTE_NS}
    assert odd <= at_once


def test_the_same_seed_is_the_same_town() -> None:
    first, again, other = run_town(20, 10, 1), run_town(20, 10, 1), run_town(20, 10, 2)
    assert first == again
    assert first.events != other.events


def test_without_the_web_folder_the_town_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(towns, "_PROGRAM", towns._PROGRAM.with_name("absent.ts"))
    with pytest.raises(TownMissing, match="clone of the repository"):
        run_town(20, 10, 1)


# Every table that a town fills, and what the attacker makes of it. A new one must be thought about.
LOOKED_INTO = {
    "payments_payments": "refills, deposits, payments by name, purchases from purses",
    "purse_refills": "the day on which each was left, by the nightly copies",
    "purse_backups": "the day on which each was left",
    "purse_mail": "the days on which a letter lay in somebody's mailbox",
    "purse_auth_quota": "how many blind tokens everybody fetched, by the day",
    "people_customers": "the day on which another device took the place of the last",
}
SAYS_NO_MORE = {
    "events_events": "the same payments, at the same instants",
    "ledger_accounts": "sums of the same transfers",
    "ledger_holds": "the same transfers",
    "ledger_seals": "hashes of the same transfers",
    "ledger_transfers": "the same payments",
    "payments_orders": "the merchant's side of the same payments",
    "payments_spent": "a day's sum of payments by name",
    "payments_takings": "the merchant's side of the same payments",
    "people_handles": "who has an account",
    "people_merchants": "who has a shop",
    "purse_auth_spent": "hashes of used blind tokens, with their keyset",
    "purse_deposits": "the sum and hour of a deposit, as its payment; its quotes, the day",
    "purse_keys": "who may be sent letters",
    "purse_redeem_quotes": "the merchant's side of the same payments; the day of a deposit",
    "purse_signed": "random points with an amount",
    "purse_spent": "hashes with an amount",
    "purse_totals": "sums by denomination",
    "storage_version": "the edition of the tables",
}


# Every file of a folder that is served, its numbers and names that differ left out.
FILES = {
    "amana.toml": "the settings",
    "books.db": "looked into table by table, as above",
    "books.db-shm": "where the pages of the log lie",
    "books.db-wal": "what each payment spent and got back; a test reads one",
    "keys/persons.db": "a key for each person, in the order of their ids; opens names, no payments",
    "keys/persons.db-shm": "where the pages of its log lie",
    "keys/persons.db-wal": "the same keys; used at opening and erasing alone",
    "keys/wrapping/N.key": "wraps those keys",
    "lock": "nothing",
    "signatory/N.secret": "keys that sign and seal; e-cash was signed blindly",
    "signatory/counts.json": "sums over everybody by denomination, in blocks taken in advance",
    "signatory/keysets.json": "the public list, with limits",
    "signatory/signatory.lock": "nothing",
}


def test_every_file_of_a_served_folder_was_thought_about(tmp_path: Path) -> None:
    with purse_town(tmp_path / "town") as town:
        town.filled()
        folder = town.operator.folder
        seen = {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}
    named = {re.sub(r"[^/]+(\.secret|\.key)$", r"N\1", one) for one in seen}
    assert named - FILES.keys() == set()
    assert {"books.db-wal", "signatory/counts.json", "keys/persons.db"} <= named


def test_every_table_that_a_town_fills_was_thought_about(played: Played) -> None:
    with closing(sqlite3.connect(played.folder / "operator" / "books.db")) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        filled = {
            name
            for (name,) in names
            if connection.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone()  # noqa: S608 - its own
        }
    assert filled - {*LOOKED_INTO, *SAYS_NO_MORE} == set()
    assert set(LOOKED_INTO) <= filled
