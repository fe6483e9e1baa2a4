"""What is owed to holders of e-cash: published daily to everybody, and recomputed by the audit."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.node.purse_town import PurseTown, purse_town

from amana.audit import audit_folder
from amana.kernel import DAY_NS, HOUR_NS
from amana.node.workers import publish_liabilities

KEY = "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[PurseTown]:
    with purse_town(tmp_path / "town") as opened:
        yield opened
    report = audit_folder(tmp_path / "town")
    assert report.is_sound, report.findings


def publish(town: PurseTown) -> Any:
    """Let the worker come round, and read the newest statement without a token."""
    town.run(publish_liabilities(town.operator))
    return town.ask("GET", "/v1/liabilities").body["newest"]


def owed(statement: Any) -> tuple[int, ...]:
    names = ("outstanding", "promised", "returning", "to_post", "ledger_balance")
    return tuple(int(statement[name]) for name in names)


def test_every_kind_of_debt_stands_in_the_statement_and_it_is_even(town: PurseTown) -> None:
    wallet, shop, customer = town.filled(5_000), town.merchant(), town.customer(0)
    assert owed(publish(town)) == (5_000, 0, 0, 0, 5_000)

    quote = town.quote(order := shop.order(700)["id"], refund_key=KEY)
    assert town.pay(quote, wallet, wallet.pick(700)).status == 200
    town.clock.advance(DAY_NS)
    assert owed(publish(town)) == (4_300, 0, 0, 0, 4_300)

    refunded = shop.post(f"/v1/orders/{order}/refunds", {})
    assert refunded.status == 201, refunded.content
    address = customer.post("/v1/purse/deposits", {}).body["request"]
    quote = town.quote(address, "amana-account", amount=2_000)
    paid = town.pay(quote, wallet, wallet.pick(2_000), "amana-account")
    assert paid.status == 200, paid.body
    town.clock.advance(DAY_NS)
    statement = publish(town)
    assert owed(statement) == (2_300, 700, 2_000, 0, 5_000)
    assert statement["even"]

    town.carry_out()
    assert owed(publish(town)) == (2_300, 700, 0, 0, 3_000)
    assert sum(int(keyset["outstanding"]) for keyset in statement["keysets"]) == 2_300
    assert wallet.total == 2_300


def test_a_refill_that_is_debited_and_not_signed_is_promised(town: PurseTown) -> None:
    wallet, customer = town.filled(), town.customer(5_000)
    asked = [
        {"amount": one.message.amount, "B_": one.message.point.hex()}
        for one in wallet.refill(2_000)
    ]
    asked[0]["B_"] = "02" + "00" * 31 + "05"
    tier = {"currency": "EUR", "minor": "2000"}
    body = {"tier": tier, "keyset_id": wallet.keyset.id, "outputs": asked}
    assert customer.put("/v1/purse/refill", body).status == 200
    town.carry_out()
    assert customer.available() == 3_000
    statement = publish(town)
    assert owed(statement) == (2_000, 2_000, 0, 0, 4_000), "one point cannot be signed"
    assert statement["even"]


def test_a_statement_is_published_once_a_day_in_the_same_bytes_for_ever(town: PurseTown) -> None:
    assert town.ask("GET", "/v1/liabilities").body == {"days": [], "newest": None}
    town.filled()
    day = publish(town)["day"]
    first = town.ask("GET", f"/v1/liabilities/{day}").content
    town.filled()
    town.clock.advance(HOUR_NS)
    later = publish(town)
    assert later["day"] != day, "a refill takes a day here"
    assert town.ask("GET", f"/v1/liabilities/{day}").content == first
    assert later["previous"] == sha256(first).hexdigest()
    assert town.ask("GET", "/v1/liabilities").body["days"] == [later["day"], day]
    for wrong in ("2020-01-01", "today", "20261118"):
        assert town.ask("GET", f"/v1/liabilities/{wrong}").slug == "not-found"


def test_nothing_in_a_statement_is_finer_than_a_day_or_about_anybody(town: PurseTown) -> None:
    """Goal: from two statements nobody learns an hour, a customer, a merchant or an order."""
    wallet, shop = town.filled(), town.merchant()
    town.pay(town.quote(shop.order(100)["id"]), wallet, wallet.pick(100))
    statement = publish(town)
    assert set(statement) == {
        *("day", "unit", "keysets", "outstanding", "promised", "returning", "to_post"),
        *("ledger_balance", "even", "previous"),
    }
    (keyset,) = statement["keysets"]
    assert set(keyset) == {
        *("id", "active", "revoked", "final_expiry", "outstanding", "denominations"),
    }
    assert {len(one) for one in keyset["denominations"]} == {4}
    assert shop.handle not in json.dumps(statement)


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        (("outstanding", "1999"), "what is out"),
        (("ledger_balance", "1999"), "what is owed"),
        (("previous", "00" * 32), "the statement before"),
        (("keysets", [{"outstanding": "2000", "denominations": []}]), "what is out"),
        (("outstanding", "much"), "its text"),
        (("unit", None), None),
    ],
)
def test_the_audit_names_what_is_wrong_with_the_last_statement(
    tmp_path: Path, changed: tuple[str, Any], place: str | None
) -> None:
    folder = tmp_path / "town"
    with purse_town(folder) as town:
        town.filled()
        publish(town)
    with closing(sqlite3.connect(folder / "books.db")) as books, books:
        (text,) = books.execute("SELECT statement FROM purse_statements").fetchone()
        statement = {**json.loads(text), changed[0]: changed[1]}
        books.execute(
            "UPDATE purse_statements SET statement = ?", (json.dumps(statement).encode(),)
        )
    named = [
        finding.id
        for finding in audit_folder(folder).findings
        if finding.table == "purse_statements"
    ]
    assert bool(named) is (place is not None)
    assert place is None or any(place in name for name in named)


def test_the_audit_names_a_statement_that_said_more_than_there_is(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    with purse_town(folder) as town:
        town.filled()
        publish(town)
    with closing(sqlite3.connect(folder / "books.db")) as books, books:
        (text,) = books.execute("SELECT statement FROM purse_statements").fetchone()
        statement = json.loads(text)
        for one in statement["keysets"][0]["denominations"]:
            one["signed"], one["spent"] = str(int(one["signed"]) + 9), str(int(one["spent"]) + 9)
        books.execute(
            "UPDATE purse_statements SET statement = ?", (json.dumps(statement).encode(),)
        )
    named = [f.id for f in audit_folder(folder).findings if f.table == "purse_statements"]
    assert len(named) == len(statement["keysets"][0]["denominations"])
