"""What the mint does for wallets that are pages: a browser's connections join nothing."""

from pathlib import Path

from tests.node.mint_world import MintTown, meeting

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
