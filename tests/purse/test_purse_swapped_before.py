"""A swap whose answer was lost has it again, whatever came in between."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.purse.shop import Shop, open_shop

from amana.kernel import SECOND_NS
from amana.purse.model import BlindedMessage, Code, Proof, Refusal
from amana.purse.rules import operations


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "books") as shop:
        yield shop


def _swap(shop: Shop, coins: Sequence[Proof], outputs: Sequence[BlindedMessage]) -> object:
    return shop.run(shop.mint.swap(coins, outputs))


def test_a_lost_answer_comes_again_after_a_rotation(shop: Shop) -> None:
    coins, outputs = shop.coins(4), shop.outputs(4)
    first = _swap(shop, coins, outputs)
    shop.run(shop.signatory.rotate("eur", final_expiry=shop.clock.now() // SECOND_NS + 10**8))
    assert _swap(shop, coins, outputs) == first
    shop.signatory.is_stopped = True
    assert _swap(shop, coins, outputs) == first


def test_only_the_very_same_swap_is_told_again(shop: Shop) -> None:
    coins, outputs = shop.coins(4), shop.outputs(4)
    _swap(shop, coins, outputs)
    others, fresh = shop.coins(4), shop.outputs(4)
    for inputs, asked, code in [
        (coins, fresh, Code.ALREADY_SPENT),
        (others, outputs, Code.ALREADY_SIGNED),
        (coins + others, outputs, Code.NOT_BALANCED),
    ]:
        refused = _swap(shop, inputs, asked)
        assert isinstance(refused, Refusal)
        assert refused.code is code


def test_what_cannot_have_been_a_swap_is_not_looked_for(shop: Shop) -> None:
    coins, outputs = shop.coins(4), shop.outputs(4)
    keysets = {keyset.id: keyset for keyset in shop.mint.keysets()}
    signed = {outputs[0].point: (0, 4)}
    assert operations.claims_again(coins, outputs, signed, keysets) is not None
    assert operations.claims_again(coins, [], signed, keysets) is None
    assert operations.claims_again(coins, outputs, {}, keysets) is None
    assert operations.claims_again(coins, outputs, {outputs[0].point: (0, 8)}, keysets) is None
    assert operations.claims_again(coins, outputs, signed, {}) is None
    odd = [Proof(coins[0].keyset_id, 3, coins[0].secret, coins[0].point)]
    assert operations.claims_again(odd, outputs, signed, keysets) is None
    assert operations.claims_again(coins * 501, outputs, signed, keysets) is None
