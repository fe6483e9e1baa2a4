"""What the mint does for browsers: wallets' connections join nothing, and a person finds a page."""

import re
from pathlib import Path
from typing import Final

from tests.node.mint_world import MintTown, ask, meeting

BROWSER: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

PAGE = {"origin": "https://wallet.example"}
PAYING = {"quote": "0" * 36, "inputs": [], "outputs": []}


def test_a_page_has_a_connection_for_one_payment_and_no_more(tmp_path: Path) -> None:
    async def talk(town: MintTown) -> None:
        async def ends(path: str, body: object, **headers: str) -> bool:
            answer = await town.post(path, body, **headers)
            return answer.headers.get("connection") == "close"

        assert await ends("/v1/melt/bolt11", PAYING, **PAGE)
        assert await ends("/v1/swap", {"inputs": [], "outputs": []}, **PAGE)
        assert not await ends("/v1/melt/quote/bolt11", {"request": "x", "unit": "sat"}, **PAGE)
        assert not await ends("/v1/melt/bolt11", PAYING)

    with meeting(tmp_path) as meet:
        meet(talk)


def test_a_persons_browser_is_told_at_the_root_what_this_is(tmp_path: Path) -> None:
    async def talk(town: MintTown) -> None:
        answer = await ask(town.app, "GET", "/", accept=BROWSER)
        page = answer.body.decode()
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        for words in (
            "Mint of <bdi>Amana test mint",
            "nothing\nto sign in to",
            'lang="ar" dir="rtl"',
        ):
            assert words in page
        assert set(re.findall(r"https?:|<script|(?<=href=)\S+?(?=>)", page)) == {
            '"data:,"',
            '"/v1/info"',
        }
        again = await ask(town.app, "GET", "/", accept=BROWSER, accept_language="ar", cookie="a=b")
        assert again == answer, "the same for everybody"

    with meeting(tmp_path) as meet:
        meet(talk)


def test_a_program_is_told_at_the_root_what_it_was_always_told(tmp_path: Path) -> None:
    async def talk(town: MintTown) -> None:
        for accept in ("application/json", "*/*", "application/json, text/html"):
            answer = await ask(town.app, "GET", "/", accept=accept)
            assert (answer.status, set(answer.json)) == (404, {"detail", "code"})
        elsewhere = await ask(town.app, "GET", "/v1/nothing", accept=BROWSER)
        assert (elsewhere.status, set(elsewhere.json)) == (404, {"detail", "code"})

    with meeting(tmp_path) as meet:
        meet(talk)
