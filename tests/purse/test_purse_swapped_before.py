"""A swap whose answer was lost has it again, whatever came in between."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from tests.purse.shop import Shop

from amana.kernel import SECOND_NS
from amana.purse.model import BlindedMessage, Code, Proof, Refusal
from amana.purse.ports import Exchanged
from amana.purse.rules import operations


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


def test_what_is_refused_uses_up_no_count(shop: Shop) -> None:
    coins, outputs = shop.coins(64), shop.outputs(64)
    _swap(shop, coins, outputs)
    counted = shop.signatory.counted.copy()
    assert counted.total() == 1
    _swap(shop, coins, outputs)
    false = [msgspec.structs.replace(shop.coins(64)[0], point=coins[0].point)]
    quote = shop.quote(shop.order(60))
    for refused in (
        _swap(shop, coins, shop.outputs(64)),
        _swap(shop, false, shop.outputs(64)),
        shop.redeem(quote, coins, shop.outputs(1, 1, 1)),
        shop.redeem(quote, shop.coins(64), outputs),
    ):
        assert isinstance(refused, Refusal)
    assert shop.signatory.counted == counted


def test_a_refusal_is_told_though_the_signatory_has_gone_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    coins, outputs = shop.coins(64), shop.outputs(64)
    _swap(shop, coins, shop.outputs(64))
    signed = shop.signatory.make_for
    counted = shop.signatory.counted.total()

    def sign_and_go(*asked: Any) -> Exchanged:
        answer = signed(*asked)
        shop.signatory.is_gone = True
        return answer

    monkeypatch.setattr(shop.signatory, "make_for", sign_and_go)
    refused = _swap(shop, coins, outputs)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.ALREADY_SPENT
    assert shop.signatory.counted.total() == counted + 1, "too many, never too few"


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
