"""E-cash on its way into an account that closes: it arrives, or it is not spent."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.holder import Wallet
from tests.node.mint_world import Reply
from tests.node.purse_town import PurseTown, purse_town, redemption
from tests.node.town import Client

from amana.people import Refused
from amana.purse.model import Code, Proof

TIER = 2_000


class Leaving:
    """A customer whose e-cash is about to go into an account that is about to close."""

    def __init__(self, town: PurseTown) -> None:
        self.town = town
        self.wallet: Wallet = town.filled()
        self.customer: Client = town.customer(0)
        facts = town.operator.directory.by_handle(self.customer.handle)
        assert facts is not None
        self.party = facts.party
        address = self.customer.post("/v1/purse/deposits", {}).body["request"]
        self.quote = town.quote(address, "amana-account", amount=TIER)
        self.proofs: list[Proof] = self.wallet.pick(TIER)

    async def deposit(self) -> Reply:
        body = redemption(self.quote, self.proofs, [])
        return await self.town.asked("POST", "/v1/melt/amana-account", body)

    async def close(self) -> Refused | None:
        return await self.town.operator.people.close(self.party)

    def state(self) -> set[str]:
        return set(self.town.states(self.proofs))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[PurseTown]:
    with purse_town(tmp_path / "town") as opened:
        yield opened


@pytest.fixture
def leaving(town: PurseTown) -> Leaving:
    return Leaving(town)


def test_an_account_with_a_deposit_on_its_way_closes_after_it_was_paid_out(
    town: PurseTown, leaving: Leaving
) -> None:
    assert town.run(leaving.deposit()).status == 200
    assert town.run(leaving.close()) is not None
    town.carry_out()
    assert leaving.customer.available() == TIER


def test_e_cash_for_an_account_that_closed_is_not_spent(town: PurseTown, leaving: Leaving) -> None:
    assert town.run(leaving.close()) is None
    refused = town.run(leaving.deposit())
    assert refused.json["code"] == Code.PAYMENT_FAILED
    assert leaving.state() == {"UNSPENT"}
    assert not town.operator.read_connection.execute("SELECT 1 FROM purse_deposits").fetchall()


async def _race(leaving: Leaving, turns: int) -> tuple[Reply, Refused | None]:
    """Close the account some turns of the loop after its deposit was asked for."""
    deposit = asyncio.create_task(leaving.deposit())
    for _ in range(turns):
        await asyncio.sleep(0)
    refused = await leaving.close()
    return await deposit, refused


def test_whoever_is_first_of_deposit_and_closing_the_other_is_refused(town: PurseTown) -> None:
    """Goal: e-cash is never spent into an account that is closed.

    Method: the two meet at every distance; there are distances at which each of them is first.
    """
    closed = []
    for turns in range(0, 30, 3):
        leaving = Leaving(town)
        deposited, refused = town.run(_race(leaving, turns))
        closed.append(refused is None)
        if refused is None:
            assert deposited.json["code"] == Code.PAYMENT_FAILED
            assert leaving.state() == {"UNSPENT"}
        else:
            assert deposited.status == 200
            assert leaving.state() == {"SPENT"}
            town.carry_out()
            assert leaving.customer.available() == TIER
    assert set(closed) == {True, False}
