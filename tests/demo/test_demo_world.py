"""The demo's people: made once, met again, and their details nowhere but in the vault."""

import asyncio
import logging
from pathlib import Path

import pytest

from amana.demo.world import CANARY, PASSERS_BY, DemoWorld, prepare
from amana.node.operator import make_operator, open_operator
from amana.node.settings import Settings
from amana.people.vault import EMAIL, LEGAL_NAME
from amana.trust import Opened, Owner, ReadPurpose


def prepared(folder: Path) -> DemoWorld:
    """Start the demo's world as the command does."""

    async def work() -> DemoWorld:
        with open_operator(folder) as operator:
            await operator.start()
            return await prepare(operator)

    return asyncio.run(work())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "demo"
    make_operator(made, Settings(is_play_money=True))
    return made


def test_a_second_start_meets_the_same_people_and_tops_nobody_up_again(folder: Path) -> None:
    first, second = prepared(folder), prepared(folder)
    assert [c.handle for c in first.customers] == [c.handle for c in second.customers]
    assert first.link == second.link
    with open_operator(folder) as operator:
        (people,) = operator.read_connection.execute(
            "SELECT count(*) FROM people_customers"
        ).fetchone()
        (topups,) = operator.read_connection.execute(
            "SELECT count(*) FROM payments_payments WHERE kind = 3"
        ).fetchone()
    assert people == topups == len(first.customers) + PASSERS_BY


def test_the_planted_details_are_found_nowhere_but_sealed(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world = prepared(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "books.db" for path in files)
    for path in files:
        assert CANARY.encode() not in path.read_bytes(), path.name
    assert CANARY not in caplog.text
    assert CANARY not in str(world)


def test_their_owner_can_read_them(folder: Path) -> None:
    prepared(folder)

    async def work() -> object:
        with open_operator(folder) as operator:
            facts = operator.directory.by_handle("amal")
            assert facts is not None
            return await operator.door.read(
                facts.party,
                (LEGAL_NAME, EMAIL),
                purpose=ReadPurpose.ACCOUNT_MANAGEMENT,
                reader=Owner(facts.party),
            )

    opened = asyncio.run(work())
    assert opened == Opened(
        {LEGAL_NAME: f"Amal Haddad {CANARY}", EMAIL: f"amal.{CANARY}@mail.invalid"}
    )
