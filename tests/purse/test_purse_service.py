"""Swaps and redemptions over real books, and what is left of them after an interruption."""

import asyncio
from typing import Any

import msgspec
import pytest
from tests.purse.shop import SHOP, Shop, code_of

from amana.kernel import SECOND_NS, Unavailable
from amana.payments.model import ECASH_ACCOUNT
from amana.purse.methods import merchant
from amana.purse.model import (
    BlindedMessage,
    Code,
    Proof,
    ProofState,
    Redeemed,
    RedeemQuote,
    RedeemState,
    Refusal,
)
from amana.testing.standin import nullifier_of


def state_of(shop: Shop, proof: Proof) -> ProofState:
    state: ProofState = shop.run(shop.mint.states([nullifier_of(proof)]))[0][0]
    return state


# Swap


def test_a_swap_gives_fresh_proofs_of_the_same_sum_and_spends_the_old(shop: Shop) -> None:
    (coin,) = shop.coins(8)
    outputs = shop.outputs(2, 2, 4)
    fresh = shop.proofs(outputs, shop.run(shop.mint.swap([coin], outputs)))
    assert sum(proof.amount for proof in fresh) == 8
    assert all(shop.wallet.is_good(proof) for proof in fresh)
    assert state_of(shop, coin) is ProofState.SPENT
    assert state_of(shop, fresh[0]) is ProofState.UNSPENT


def test_a_proof_is_swapped_once_however_many_try_at_once(shop: Shop) -> None:
    (coin,) = shop.coins(4)

    async def all_at_once() -> list[object]:
        tries = [shop.mint.swap([coin], shop.outputs(4)) for _ in range(20)]
        return await asyncio.gather(*tries)

    answers = shop.run(all_at_once())
    assert sum(isinstance(answer, tuple) for answer in answers) == 1
    assert {code_of(a) for a in answers if not isinstance(a, tuple)} == {Code.ALREADY_SPENT}


def test_what_a_swap_refuses_stays_unspent(shop: Shop) -> None:
    (coin,) = shop.coins(4)
    forged = msgspec.structs.replace(coin, point=shop.outputs(4)[0].point)
    locked = msgspec.structs.replace(coin, secret='["P2PK",{"nonce":"a","data":"b","tags":[]}]')
    no_point = BlindedMessage(coin.keyset_id, 4, b"\x02" + b"\xff" * 32)
    signed_before = shop.outputs(4)
    shop.run(shop.mint.swap(shop.coins(4), signed_before))
    refused = [
        ([coin], shop.outputs(2), Code.NOT_BALANCED),
        ([forged], shop.outputs(4), Code.PROOF_INVALID),
        ([locked], shop.outputs(4), Code.PROOF_INVALID),
        ([coin], [no_point], Code.PROOF_INVALID),
        ([coin], signed_before, Code.ALREADY_SIGNED),
    ]
    for inputs, outputs, code in refused:
        assert code_of(shop.run(shop.mint.swap(inputs, outputs))) is code
    assert state_of(shop, coin) is ProofState.UNSPENT


def test_outputs_are_signed_once_however_many_try_at_once(shop: Shop) -> None:
    first, second = shop.coins(4, 4)
    outputs = shop.outputs(4)

    async def both() -> list[object]:
        swaps = [shop.mint.swap([coin], outputs) for coin in (first, second)]
        return list(await asyncio.gather(*swaps))

    won, lost = sorted(shop.run(both()), key=lambda answer: isinstance(answer, Refusal))
    assert isinstance(won, tuple)
    assert code_of(lost) is Code.ALREADY_SIGNED
    states = {state_of(shop, first), state_of(shop, second)}
    assert states == {ProofState.SPENT, ProofState.UNSPENT}


def test_a_mint_that_has_stopped_signing_spends_nothing(shop: Shop) -> None:
    (coin,) = shop.coins(4)
    shop.signatory.is_stopped = True
    assert code_of(shop.run(shop.mint.swap([coin], shop.outputs(4)))) is Code.ISSUE_DISABLED
    quote = shop.quote(shop.order(2))
    assert code_of(shop.redeem(quote, [coin], shop.outputs(0, 0))) is Code.ISSUE_DISABLED
    assert state_of(shop, coin) is ProofState.UNSPENT


def test_without_its_signatory_the_mint_says_that_it_does_not_know(shop: Shop) -> None:
    (coin,) = shop.coins(4)
    shop.signatory.is_gone = True
    with pytest.raises(Unavailable):
        shop.run(shop.mint.swap([coin], shop.outputs(4)))
    shop.signatory.is_gone = False
    assert state_of(shop, coin) is ProofState.UNSPENT


def test_after_a_rotation_old_proofs_are_taken_and_new_outputs_asked_for(shop: Shop) -> None:
    (coin,) = shop.coins(4)
    old = shop.outputs(4)
    now_s = shop.clock.now() // SECOND_NS
    shop.run(shop.signatory.rotate("eur", final_expiry=now_s + 10**8))
    assert [keyset.is_active for keyset in shop.mint.keysets()] == [False, True]
    assert code_of(shop.run(shop.mint.swap([coin], old))) is Code.KEYSET_INACTIVE
    assert isinstance(shop.run(shop.mint.swap([coin], shop.outputs(4))), tuple)


# Redemption


def test_a_redemption_pays_the_shop_and_gives_change_once(shop: Shop) -> None:
    coins, blanks = shop.coins(64, 64), shop.outputs(*[0] * 14)
    quote = shop.quote(shop.order(100))
    paid = shop.redeem(quote, coins, blanks)
    assert isinstance(paid, Redeemed)
    assert paid.quote.state is RedeemState.PAID
    assert sum(one.amount for one in paid.change) == 28
    assert shop.ledger.balance(int(SHOP)) == 98
    assert shop.ledger.balance(ECASH_ACCOUNT) == 28
    assert paid.fields["reference"] == "table 4"
    assert shop.mint.fields(paid.quote) == paid.fields
    again = shop.redeem(quote, coins, blanks)
    assert again == paid
    assert shop.ledger.balance(int(SHOP)) == 98


def test_a_redemption_without_change_is_told_again_too(shop: Shop) -> None:
    coins = shop.coins(64, 4)
    quote = shop.quote(shop.order(68))
    paid = shop.redeem(quote, coins, shop.outputs(*[0] * 14))
    assert isinstance(paid, Redeemed)
    assert paid.change == ()
    assert shop.redeem(quote, coins, shop.outputs(*[0] * 14)) == paid
    assert shop.redeem(quote, coins) == paid


def test_a_paid_quote_is_not_paid_again_with_other_proofs(shop: Shop) -> None:
    coins, others = shop.coins(64), shop.coins(64)
    quote = shop.quote(shop.order(64))
    assert isinstance(shop.redeem(quote, coins), Redeemed)
    assert code_of(shop.redeem(quote, others)) is Code.ALREADY_PAID
    assert state_of(shop, others[0]) is ProofState.UNSPENT
    # Nor are spent proofs of too little, or with change of somebody else's told as this payment.
    more = shop.coins(64, 1)
    shop.run(shop.mint.swap(more, shop.outputs(64, 1)))
    assert code_of(shop.redeem(quote, more, shop.outputs(0))) is Code.ALREADY_PAID
    assert code_of(shop.redeem(quote, more[1:])) is Code.ALREADY_PAID


def test_two_who_pay_one_quote_at_once_pay_it_once(shop: Shop) -> None:
    first, second = shop.coins(64), shop.coins(64)
    quote = shop.quote(shop.order(64))

    async def both() -> list[object]:
        return list(await asyncio.gather(*(shop.redeeming(quote, c) for c in (first, second))))

    answers = shop.run(both())
    assert isinstance(answers[0], Redeemed)
    assert code_of(answers[1]) is Code.QUOTE_PENDING
    assert state_of(shop, second[0]) is ProofState.UNSPENT


def test_a_proof_raced_through_swap_and_redemption_is_spent_once(shop: Shop) -> None:
    (coin,) = shop.coins(64)
    quotes = [shop.quote(shop.order(64)) for _ in range(4)]

    async def race() -> list[object]:
        swaps = [shop.mint.swap([coin], shop.outputs(64)) for _ in range(4)]
        return await asyncio.gather(*swaps, *(shop.redeeming(q, [coin]) for q in quotes))

    answers = shop.run(race())
    assert sum(not isinstance(answer, Refusal) for answer in answers) == 1
    assert shop.ledger.held() == 0
    out = 0 if any(isinstance(answer, Redeemed) for answer in answers) else 64
    assert shop.ledger.balance(ECASH_ACCOUNT) == out


def test_an_order_paid_meanwhile_gives_everything_back(shop: Shop) -> None:
    order = shop.order(64)
    mine, theirs = shop.coins(64), shop.coins(64)
    early, late = shop.quote(order), shop.quote(order)
    assert isinstance(shop.redeem(early, mine), Redeemed)
    refused = shop.redeem(late, theirs, shop.outputs(0, 0))
    assert code_of(refused) is Code.ALREADY_PAID
    assert state_of(shop, theirs[0]) is ProofState.UNSPENT
    assert shop.stored(late).state is RedeemState.UNPAID
    assert shop.ledger.held() == 0
    assert shop.ledger.balance(int(SHOP)) == 63


def test_a_shop_that_closed_meanwhile_is_not_paid(shop: Shop) -> None:
    (coin,) = shop.coins(64)
    quote = shop.quote(shop.order(64))
    shop.parties[SHOP] = msgspec.structs.replace(shop.parties[SHOP], is_open=False)
    assert code_of(shop.redeem(quote, [coin])) is Code.PAYMENT_FAILED
    assert state_of(shop, coin) is ProofState.UNSPENT
    assert shop.ledger.balance(ECASH_ACCOUNT) == 64
    shop.parties[SHOP] = msgspec.structs.replace(shop.parties[SHOP], is_open=True)
    paid = shop.redeem(quote, [coin])
    assert isinstance(paid, Redeemed)
    assert paid.quote.attempts == 2


def test_what_a_redemption_refuses_stays_unspent(shop: Shop) -> None:
    (coin,) = shop.coins(64)
    quote, order = shop.quote(shop.order(32)), shop.order(64)
    forged = msgspec.structs.replace(coin, point=shop.outputs(4)[0].point)
    locked = msgspec.structs.replace(coin, secret='["P2PK",{"nonce":"a","data":"b","tags":[]}]')
    assert code_of(shop.redeem(quote, [])) is Code.PROOF_INVALID
    assert code_of(shop.redeem(shop.quote(shop.order(64)), [forged])) is Code.PROOF_INVALID
    assert code_of(shop.redeem(quote, [locked])) is Code.PROOF_INVALID
    assert code_of(shop.redeem(quote, [coin])) is Code.NOT_BALANCED
    late = shop.quote(order)
    shop.clock.advance(601 * SECOND_NS)
    assert code_of(shop.redeem(late, [coin])) is Code.QUOTE_EXPIRED
    unknown = msgspec.structs.replace(quote, id=bytes(16))
    elsewhere = msgspec.structs.replace(quote, method="amana-account")
    nowhere = msgspec.structs.replace(quote, method="post-office")
    for each in (unknown, elsewhere, nowhere):
        assert code_of(shop.redeem(each, [coin])) is Code.UNNAMED
    assert state_of(shop, coin) is ProofState.UNSPENT


def test_a_quote_tried_in_vain_too_often_has_ended(shop: Shop) -> None:
    (coin,) = shop.coins(64)
    quote = shop.quote(shop.order(64))
    shop.parties[SHOP] = msgspec.structs.replace(shop.parties[SHOP], is_open=False)
    codes = [code_of(shop.redeem(quote, [coin])) for _ in range(16)]
    assert codes == [Code.PAYMENT_FAILED] * 15 + [Code.QUOTE_EXPIRED]


def test_a_ledger_without_the_money_pays_nobody(shop: Shop) -> None:
    (coin,) = shop.coins(64)
    shop.move(ECASH_ACCOUNT, int(SHOP), 60)
    quote = shop.quote(shop.order(64))
    assert code_of(shop.redeem(quote, [coin])) is Code.PAYMENT_FAILED
    assert state_of(shop, coin) is ProofState.UNSPENT


# Interruptions


def test_a_redemption_that_spent_nothing_is_given_back_by_recovery(shop: Shop) -> None:
    (coin,) = shop.coins(64)
    quote = shop.quote(shop.order(64))
    way = shop.mint.redeem_methods[merchant.METHOD]
    held = shop.durably(shop.store.begin(quote, (), ()))
    assert shop.run(way.hold(held)) is None
    assert shop.ledger.held() == 64
    assert shop.run(shop.mint.recover()) == 1
    assert shop.ledger.held() == 0
    assert shop.stored(quote).state is RedeemState.UNPAID
    assert isinstance(shop.redeem(quote, [coin]), Redeemed)
    assert shop.run(shop.mint.recover()) == 0


@pytest.fixture
def interrupted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> tuple[RedeemQuote, list[Proof]]:
    """A redemption whose proofs are spent, and whose money is not posted yet."""
    coins = shop.coins(64)
    quote = shop.quote(shop.order(64))
    conclude = shop.store.conclude

    async def then_lost(*given: Any, **named: Any) -> object:
        refusal = await conclude(*given, **named)
        shop.ledger.is_gone = True
        return refusal

    with monkeypatch.context() as patch:
        patch.setattr(shop.store, "conclude", then_lost)
        with pytest.raises(Unavailable):
            shop.redeem(quote, coins)
    shop.ledger.is_gone = False
    shop.run(shop.books.writer.durable())
    assert shop.stored(quote).state is RedeemState.SPENT
    return quote, coins


def test_a_redemption_that_spent_is_paid_by_recovery(
    shop: Shop, interrupted: tuple[RedeemQuote, list[Proof]]
) -> None:
    quote, _ = interrupted
    assert shop.run(shop.mint.recover()) == 1
    assert shop.stored(quote).state is RedeemState.PAID
    assert shop.ledger.balance(int(SHOP)) == 63
    assert shop.ledger.held() == 0


def test_a_redemption_that_spent_is_paid_by_its_retry(
    shop: Shop, interrupted: tuple[RedeemQuote, list[Proof]]
) -> None:
    assert isinstance(shop.redeem(*interrupted), Redeemed)
    assert shop.ledger.balance(int(SHOP)) == 63


def test_recovery_leaves_alone_what_somebody_owns_or_nobody_knows(shop: Shop) -> None:
    quote = shop.quote(shop.order(64))
    shop.durably(shop.store.begin(quote, (), ()))
    shop.mint._owned.add(quote.id)
    assert shop.run(shop.mint.recover()) == 0
    shop.mint._owned.clear()
    way = dict(shop.mint.redeem_methods)
    shop.mint.redeem_methods = {}
    assert shop.run(shop.mint.recover()) == 0
    shop.mint.redeem_methods = way
    assert shop.run(shop.mint.recover()) == 1


def test_recovery_goes_by_what_a_quote_is_now_and_not_by_what_was_listed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote = shop.quote(shop.order(64))
    listed = [msgspec.structs.replace(quote, state=RedeemState.HELD, attempts=1)]
    assert isinstance(shop.redeem(quote, shop.coins(64)), Redeemed)

    async def unfinished() -> object:
        return listed

    monkeypatch.setattr(shop.store, "unfinished", unfinished)
    shop.run(shop.mint.recover())
    assert shop.stored(quote).state is RedeemState.PAID
    assert shop.ledger.balance(int(SHOP)) == 63


def test_an_owner_that_left_is_waited_for_before_its_quote_is_judged(shop: Shop) -> None:
    """Goal: what was asked for and not waited for is not voided behind its own back.

    Method: a commit that spends stands in the writer's queue, its owner gone; a recovery begins
    while the quote still says HELD.
    """
    (coin,) = shop.coins(64)
    quote = shop.quote(shop.order(64))
    way = shop.mint.redeem_methods[merchant.METHOD]
    held = shop.durably(shop.store.begin(quote, (), ()))
    assert shop.run(way.hold(held)) is None
    going_in = shop.mint._read(way, [coin], (), text=quote.id.hex())
    assert not isinstance(going_in, Refusal)
    proofs = shop.run(shop.mint._signing.verified_later([coin], going_in.claims))

    async def leave_and_recover() -> int:
        spending = shop.store.conclude(held, proofs, (), effect=way.effect)
        left = asyncio.ensure_future(spending)
        await asyncio.sleep(0)
        left.cancel()
        found: int = await shop.mint.recover()
        return found

    assert shop.run(leave_and_recover()) == 1
    assert shop.stored(quote).state is RedeemState.PAID
    assert shop.ledger.balance(int(SHOP)) == 63
    assert state_of(shop, coin) is ProofState.SPENT


def test_an_attempt_that_was_overtaken_is_pending(shop: Shop) -> None:
    quote = shop.quote(shop.order(64))
    begun = shop.durably(shop.store.begin(quote, (), ()))
    assert code_of(shop.run(shop.store.begin(quote, (), ()))) is Code.QUOTE_PENDING
    shop.run(shop.store.release(begun))
    late = shop.run(shop.store.conclude(begun, (), (), effect=lambda *_: None))
    assert code_of(late) is Code.QUOTE_PENDING
    assert shop.run(shop.store.settle(begun)).state is RedeemState.UNPAID


def test_who_asks_while_a_quote_turns_paid_is_told_so(shop: Shop) -> None:
    coins = shop.coins(64)
    quote = shop.quote(shop.order(64))
    assert isinstance(shop.redeem(quote, coins), Redeemed)
    assert code_of(shop.run(shop.store.begin(quote, (), ()))) is Code.ALREADY_PAID


def test_a_paid_quote_tells_a_false_proof_nothing(shop: Shop) -> None:
    (coin,) = shop.coins(64)
    quote = shop.quote(shop.order(64))
    assert isinstance(shop.redeem(quote, [coin]), Redeemed)
    forged = msgspec.structs.replace(coin, point=shop.outputs(4)[0].point)
    assert code_of(shop.redeem(quote, [forged])) is Code.PROOF_INVALID


def test_a_redemption_overtaken_between_its_checks_and_its_attempt_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (coin,) = shop.coins(64)
    quote = shop.quote(shop.order(64))
    begin = shop.store.begin

    async def overtaken(*asked: Any) -> object:
        await begin(*asked)
        return await begin(*asked)

    monkeypatch.setattr(shop.store, "begin", overtaken)
    assert code_of(shop.redeem(quote, [coin])) is Code.QUOTE_PENDING
    assert state_of(shop, coin) is ProofState.UNSPENT
