"""What waits at the signatory until what pays is done: looks, and answers that are told again."""

from collections.abc import Sequence

import pytest
from tests.node.test_node_pay import MELT, QUOTE, PurseTown, purse, shown, wired
from tests.node.town import Client

from amana.purse.ports import Claim

__all__ = ["purse"]


def test_looks_and_repeats_leave_what_pays_before(
    purse: PurseTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop: Client = purse.merchant()
    first, second = shop.order(700)["id"], shop.order(900)["id"]
    proofs, others, more = purse.pieces(700), purse.pieces(900), purse.pieces(100)
    quote = purse.at_mint(QUOTE, {"request": first, "unit": "eur"}).body["quote"]
    melt = {"quote": quote, "inputs": shown(proofs)}
    swap = {"inputs": shown(more), "outputs": wired(purse.wallet.outputs(100))}
    paid, swapped = purse.at_mint(MELT, melt), purse.at_mint("/v1/swap", swap)
    purse.mint._retries._kept.clear()

    async def too_early(_: Sequence[Claim]) -> list[bytes | None]:
        pytest.fail("it was checked before those who pay")

    monkeypatch.setattr(purse.operator.purse.signatory, "verify", too_early)
    assert purse.pay(second, others).status == 200
    again = purse.at_mint(MELT, melt)
    assert (again.status, again.body["receipt"]) == (200, paid.body["receipt"])
    assert purse.at_mint("/v1/swap", swap).body == swapped.body
    restored = purse.at_mint("/v1/restore", {"outputs": swap["outputs"]})
    assert restored.body["signatures"] == swapped.body["signatures"]
