"""What is held while a payment is under way: no more than is out, and no alarm without a forger."""

import asyncio
import logging

import pytest
from tests.purse.shop import SHOP, Shop, code_of

from amana.payments import postings
from amana.payments.model import ECASH_ACCOUNT
from amana.purse.methods import merchant
from amana.purse.model import Code, ProofState, Redeemed, RedeemQuote, Refusal
from amana.testing.standin import nullifier_of

ALARM = "ecash_exceeds_what_is_out"


def is_alarmed(caplog: pytest.LogCaptureFixture) -> bool:
    return any(record.levelno == logging.CRITICAL for record in caplog.records)


def test_one_proof_in_many_payments_at_once_is_held_once_and_hinders_nobody(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """Twelve holds of one proof would leave an honest payer nothing to hold, and cry forgery."""
    (coin,), honest = shop.coins(64), shop.coins(32)
    quotes = [shop.quote(shop.order(64)) for _ in range(12)]
    own = shop.quote(shop.order(32))

    async def at_once() -> list[object]:
        many = [shop.redeeming(quote, [coin]) for quote in quotes]
        return await asyncio.gather(*many[:9], shop.redeeming(own, honest), *many[9:])

    answers = shop.run(at_once())
    assert isinstance(answers.pop(9), Redeemed)
    assert sum(isinstance(answer, Redeemed) for answer in answers) == 1
    refused = {answer.code for answer in answers if isinstance(answer, Refusal)}
    assert refused == {Code.PROOFS_PENDING}
    assert shop.ledger.held() == 0
    assert not is_alarmed(caplog)
    late = shop.quote(shop.order(64))
    assert code_of(shop.redeem(late, [coin])) is Code.ALREADY_SPENT, "it is pending no more"


def test_proofs_are_pending_as_long_as_an_attempt_with_them_lasts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    coins = shop.coins(64)
    (other,) = shop.coins(32)
    asked_after = [nullifier_of(coin) for coin in (*coins, other)]
    way = shop.mint.redeem_methods[merchant.METHOD]
    hold = way.hold
    seen: list[object] = []

    async def hold_and_look(quote: RedeemQuote) -> Refusal | None:
        refusal = await hold(quote)
        seen.append(await shop.mint.states(asked_after))
        return refusal

    monkeypatch.setattr(way, "hold", hold_and_look)
    assert isinstance(shop.redeem(shop.quote(shop.order(64)), coins), Redeemed)
    pending, spent, unspent = (
        (state, None) for state in (ProofState.PENDING, ProofState.SPENT, ProofState.UNSPENT)
    )
    assert seen == [[pending, unspent]]
    assert shop.run(shop.mint.states(asked_after)) == [spent, unspent]


def test_what_others_hold_is_waited_for_and_is_no_alarm(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    coins = shop.coins(64)
    way = shop.mint.redeem_methods[merchant.METHOD]
    other = shop.durably(shop.store.begin(shop.quote(shop.order(64)), (), ()))
    assert shop.run(way.hold(other)) is None
    quote = shop.quote(shop.order(64))
    refused = shop.redeem(quote, coins)
    assert code_of(refused) is Code.QUOTE_PENDING
    assert "was not spent" in refused.detail
    assert not is_alarmed(caplog)
    shop.run(way.void(other))
    assert isinstance(shop.redeem(quote, coins), Redeemed)


def test_more_e_cash_than_is_out_by_what_was_posted_is_an_alarm(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    coins = shop.coins(64)
    shop.move(ECASH_ACCOUNT, postings.SETTLEMENT_ACCOUNT, 1)
    assert code_of(shop.redeem(shop.quote(shop.order(64)), coins)) is Code.PAYMENT_FAILED
    assert [record.getMessage() for record in caplog.records] == [f"{ALARM} method=amana-merchant"]
    assert shop.ledger.held() == 0


def test_proofs_that_were_swapped_and_paid_meanwhile_are_spent_and_no_alarm(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    (coin,) = shop.coins(64)
    slow, quick = shop.quote(shop.order(64)), shop.quote(shop.order(64))
    outputs = shop.outputs(64)

    async def meanwhile() -> None:
        fresh = shop.proofs(outputs, await shop.mint.swap([coin], outputs))
        assert isinstance(await shop.redeeming(quick, fresh), Redeemed)

    shop.ledger.meanwhile = meanwhile
    assert code_of(shop.redeem(slow, [coin])) is Code.ALREADY_SPENT
    assert not is_alarmed(caplog)
    assert shop.ledger.held() == 0
    assert shop.ledger.balance(int(SHOP)) == 63
