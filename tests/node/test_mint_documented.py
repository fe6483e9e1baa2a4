"""What the reference says of the mint's addresses is what an operator's mint answers."""

import asyncio
import re
from pathlib import Path
from typing import Final

import pytest
from tests.node.town import SETTINGS, Town

from amana.node.mint import MintApp
from amana.node.mint.app import SOCKET_PATH
from amana.node.mint.operators import create_operator_mint
from amana.node.operator import make_operator, open_operator
from amana.purse.auth import Access, access_of
from amana.relay.gateway import GATEWAY_PATH
from amana.testing.rooms import HandClock

REFERENCE: Final = Path(__file__).parents[2] / "docs" / "reference" / "mint.md"
BESIDE: Final = {f"GET {SOCKET_PATH}", f"GET {GATEWAY_PATH}", f"POST {GATEWAY_PATH}"}
"""What is answered before the table of routes is looked at."""


def documented() -> dict[str, str]:
    """Each address of the table, with what it asks for; `…` is the address before it."""
    text = REFERENCE.read_text(encoding="utf-8")
    section = text.partition("\n## Addresses\n")[2].partition("\n## ")[0]
    found: dict[str, str] = {}
    for row in re.findall(r"^\| `.*$", section, re.MULTILINE):
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        before = ""
        for method, address in re.findall(r"`(\w+) (\S+)`", cells[0]):
            before = address.replace("…", before)
            found[f"{method} {before}"] = cells[-1]
    return found


def pattern_of(address: str) -> re.Pattern[str]:
    """How routes that an address stands for are written."""
    parts = re.split(r"(\{\w+\})", address)
    ways = {"{method}": r"amana-[a-z]+"}
    return re.compile("".join(ways.get(p, r"\*" if p[:1] == "{" else re.escape(p)) for p in parts))


@pytest.fixture
def routes(tmp_path: Path) -> set[str]:
    """What an operator's mint answers."""
    clock = HandClock()
    make_operator(tmp_path, SETTINGS, clock=clock)
    with asyncio.Runner() as runner, open_operator(tmp_path, clock=clock) as operator:
        town = Town(operator, runner, clock)
        mint: MintApp = create_operator_mint(operator, town.app._app.state.openid)
        return {f"{one.method} {one.path}" for one in mint.table} | BESIDE


def test_every_address_is_in_the_reference_and_nothing_else(routes: set[str]) -> None:
    patterns = {address: pattern_of(address) for address in documented()}
    assert len(routes) > len(patterns) > 20, "both are read"
    unsaid = {one for one in routes if not any(each.fullmatch(one) for each in patterns.values())}
    idle = {
        address
        for address, each in patterns.items()
        if not any(each.fullmatch(one) for one in routes)
    }
    assert (unsaid, idle) == (set(), set())


def test_the_reference_says_what_each_address_asks_for(routes: set[str]) -> None:
    said = {
        one: asks
        for address, asks in documented().items()
        for one in routes - BESIDE
        if pattern_of(address).fullmatch(one)
    }
    assert said.keys() == routes - BESIDE
    words = {
        Access.PUBLIC: {"–", "blind token to ask, none to look"},
        Access.CLEAR: {"clear token"},
        Access.BLIND: {"blind token", "blind token to ask, none to look"},
        Access.ALWAYS: {"blind token, always"},
    }
    wrong = {
        one: asks for one, asks in said.items() if asks not in words[access_of(*one.split(" "))]
    }
    assert wrong == {}
