"""How many fill a purse, as the wallet shows it: a number, and nothing of who they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.purse_town import PurseTown, purse_town

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


def test_whoever_waits_for_a_first_refill_is_not_in_the_crowd_yet(town: PurseTown) -> None:
    town.filled()
    wallet, waiting = town.wallet(), town.customer(2_000)
    asked = [
        {"amount": one.message.amount, "B_": one.message.point.hex()}
        for one in wallet.refill(2_000)
    ]
    tier = {"currency": "EUR", "minor": "2000"}
    body = {"tier": tier, "keyset_id": wallet.keyset.id, "outputs": asked}
    assert waiting.put("/v1/purse/refill", body).status == 200
    assert waiting.get("/v1/purse").body["crowd"] == 1
    town.carry_out()
    assert waiting.get("/v1/purse").body["crowd"] == 2
