"""How many fill a purse, as the wallet shows it: a number, and nothing of who they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.purse_town import PurseTown, purse_town
from tests.node.town import Client

from amana.audit import audit_folder


@pytest.fixture
def town(tmp_path: Path) -> Iterator[PurseTown]:
    with purse_town(tmp_path / "town") as opened:
        yield opened
    assert audit_folder(tmp_path / "town").is_sound


def test_the_crowd_is_everybody_whose_purse_was_filled_once_each(town: PurseTown) -> None:
    asker = town.customer(0)
    assert asker.get("/v1/purse").body["crowd"] == 0
    first = town.customer(6_000)
    for _ in range(2):
        town.refill(first, town.wallet())
    town.filled()
    assert asker.get("/v1/purse").body["crowd"] == 2


def order(town: PurseTown, customer: Client) -> None:
    """Leave the outputs of a refill."""
    wallet = town.wallet()
    asked = [
        {"amount": one.message.amount, "B_": one.message.point.hex()}
        for one in wallet.refill(2_000)
    ]
    tier = {"currency": "EUR", "minor": "2000"}
    body = {"tier": tier, "keyset_id": wallet.keyset.id, "outputs": asked}
    assert customer.put("/v1/purse/refill", body).status == 200


def test_whoever_waits_for_the_next_refill_is_in_the_crowd_all_the_time(town: PurseTown) -> None:
    customer = town.customer(6_000)
    town.refill(customer, town.wallet())
    order(town, customer)
    assert customer.get("/v1/purse").body["crowd"] == 1
    town.carry_out()
    assert customer.get("/v1/purse").body["crowd"] == 1


def test_an_order_that_the_account_cannot_pay_for_makes_no_crowd(town: PurseTown) -> None:
    town.filled()
    poor = town.customer(500)
    order(town, poor)
    town.carry_out()
    view = poor.get("/v1/purse").body
    assert view["refill"]["refused"] == 1
    assert view["crowd"] == 1
