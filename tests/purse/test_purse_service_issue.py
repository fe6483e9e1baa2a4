"""The mint's use cases over real books: refunds that are issued, questions, and telling."""

import asyncio

from tests.purse.shop import PAYER_KEY, SHOP, Shop, code_of

from amana.kernel import DAY_NS, IdKind, Instant, format_id
from amana.payments.model import PURSE_PARTY, PaymentKind, PaymentStatus
from amana.purse.limits import RESTORE_OUTPUTS_MAX, STATES_MAX
from amana.purse.methods import merchant, refund, refund_quote_id
from amana.purse.model import (
    BlindedMessage,
    Change,
    ChangeKind,
    Code,
    IssueAsk,
    IssueQuote,
    Proof,
    ProofState,
    RedeemAsk,
    Redeemed,
    RedeemQuote,
    RedeemState,
    Refusal,
)
from amana.purse.rules.conditions import framed_quote_message
from amana.testing.standin import nullifier_of, standin_signature


def state_of(shop: Shop, proof: Proof) -> ProofState:
    state: ProofState = shop.run(shop.mint.states([nullifier_of(proof)]))[0][0]
    return state


# Refunds


def refunded(shop: Shop, amount: int = 64, given: int | None = None) -> bytes:
    quote = shop.quote(shop.order(amount), refund_key=PAYER_KEY.hex())
    paid = shop.redeem(quote, shop.coins(amount))
    assert isinstance(paid, Redeemed)
    shop.move(1, int(SHOP), 100)
    back = shop.pay(PaymentKind.REFUND, SHOP, PURSE_PARTY, amount=given, refund_of=quote.payment_id)
    assert back.status is PaymentStatus.PAID
    return refund_quote_id(PAYER_KEY)


def claim(shop: Shop, quote_id: bytes, outputs: tuple[BlindedMessage, ...]) -> object:
    signature = standin_signature(PAYER_KEY, framed_quote_message(quote_id.hex(), outputs))
    return shop.run(
        shop.mint.issue(
            refund.METHOD, quote_id, outputs, quote_text=quote_id.hex(), signature=signature
        )
    )


def test_a_refund_is_issued_to_the_key_that_the_payer_left_and_once(shop: Shop) -> None:
    quote_id = refunded(shop)
    told = shop.run(shop.mint.find_issue_quote(refund.METHOD, quote_id))
    assert isinstance(told, IssueQuote)
    assert (told.paid, told.issued) == (64, 0)
    outputs = shop.outputs(32, 32)
    unsigned = shop.mint.issue(
        refund.METHOD, quote_id, outputs, quote_text=quote_id.hex(), signature=None
    )
    assert code_of(shop.run(unsigned)) is Code.QUOTE_SIGNATURE_INVALID
    assert code_of(claim(shop, quote_id, shop.outputs(64, 64))) is Code.NOT_BALANCED
    proofs = shop.proofs(outputs, claim(shop, quote_id, outputs))
    assert all(shop.wallet.is_good(proof) for proof in proofs)
    assert code_of(claim(shop, quote_id, shop.outputs(64))) is Code.ALREADY_ISSUED


def test_a_refund_claimed_twice_at_once_is_issued_once(shop: Shop) -> None:
    quote_id = refunded(shop, given=32)

    async def claiming(outputs: tuple[BlindedMessage, ...]) -> object:
        signature = standin_signature(PAYER_KEY, framed_quote_message(quote_id.hex(), outputs))
        return await shop.mint.issue(
            refund.METHOD, quote_id, outputs, quote_text=quote_id.hex(), signature=signature
        )

    async def both() -> list[object]:
        return await asyncio.gather(*(claiming(shop.outputs(32)) for _ in range(2)))

    answers = shop.run(both())
    assert sorted(isinstance(answer, Refusal) for answer in answers) == [False, True]


def test_outputs_that_were_signed_before_are_not_signed_for_a_quote(shop: Shop) -> None:
    """Such a quote stays as it is, and would have the keys work as often as it is asked."""
    quote_id, outputs = refunded(shop), shop.outputs(64)
    shop.run(shop.mint.swap(shop.coins(64), outputs))
    shop.signatory.is_stopped = True
    assert code_of(claim(shop, quote_id, outputs)) is Code.ALREADY_SIGNED, "nobody was asked to"
    shop.signatory.is_stopped = False
    assert isinstance(claim(shop, quote_id, shop.outputs(64)), tuple)


def test_an_issue_that_cannot_be_signed_leaves_the_quote_as_it_is(shop: Shop) -> None:
    quote_id = refunded(shop)
    shop.signatory.is_stopped = True
    assert code_of(claim(shop, quote_id, shop.outputs(64))) is Code.ISSUE_DISABLED
    shop.signatory.is_stopped = False
    assert isinstance(claim(shop, quote_id, shop.outputs(64)), tuple)


def test_quotes_are_found_by_the_way_they_were_made(shop: Shop) -> None:
    mint, ask = shop.mint, IssueAsk("eur", 64)
    assert code_of(shop.run(mint.issue_quote("post-office", ask))) is Code.UNIT_UNKNOWN
    assert code_of(shop.run(mint.issue_quote(refund.METHOD, ask))) is Code.ISSUE_DISABLED
    nowhere = shop.run(mint.redeem_quote("post-office", RedeemAsk("x", "eur")))
    assert code_of(nowhere) is Code.UNIT_UNKNOWN
    quote_id = refunded(shop)
    assert shop.run(mint.find_issue_quote("post-office", quote_id)) is None
    assert shop.run(mint.find_redeem_quote(merchant.METHOD, quote_id)) is None
    unknown = mint.issue(refund.METHOD, bytes(16), (), quote_text="", signature=None)
    assert code_of(shop.run(unknown)) is Code.UNNAMED


def test_a_quote_that_an_issue_method_makes_is_kept(shop: Shop) -> None:
    class AtOnce:
        async def quote(self, quote_id: bytes, ask: IssueAsk) -> IssueQuote:
            now = shop.clock.now()
            return IssueQuote(
                quote_id, "till", "", ask.unit, ask.amount, 0, 0, None, None, updated_at=now
            )

        def paid(self, quote: IssueQuote) -> int:
            return quote.amount

    shop.mint.issue_methods = {"till": AtOnce()}
    quote = shop.run(shop.mint.issue_quote("till", IssueAsk("eur", 64)))
    outputs = shop.outputs(64)
    issued = shop.mint.issue("till", quote.id, outputs, quote_text="", signature=None)
    assert isinstance(shop.run(issued), tuple)


# Questions, and telling


def test_lost_signatures_are_given_again_in_the_order_asked(shop: Shop) -> None:
    coins, outputs = shop.coins(4), shop.outputs(1, 3 - 1, 1)
    signatures = shop.run(shop.mint.swap(coins, outputs))
    asked = [outputs[2], shop.outputs(8)[0], outputs[0]]
    assert shop.run(shop.mint.restore(asked)) == [
        (outputs[2], signatures[2]),
        (outputs[0], signatures[0]),
    ]
    assert shop.run(shop.mint.restore(shop.outputs(1))) == []


def test_questions_have_a_limit(shop: Shop) -> None:
    too_many = shop.mint.states([bytes(32)] * (STATES_MAX + 1))
    assert code_of(shop.run(too_many)) is Code.TOO_MANY_INPUTS
    outputs = shop.outputs(1) * (RESTORE_OUTPUTS_MAX + 1)
    assert code_of(shop.run(shop.mint.restore(outputs))) is Code.TOO_MANY_OUTPUTS


def test_listeners_hear_of_each_change_until_they_leave(shop: Shop) -> None:
    heard: list[Change] = []
    leave = shop.mint.subscribe(heard.append)
    (coin,) = shop.coins(64)
    quote = shop.quote(shop.order(64))
    shop.redeem(quote, [coin])
    assert heard == [
        Change(ChangeKind.REDEEM_QUOTE, quote.id),
        Change(ChangeKind.PROOF, nullifier_of(coin)),
    ]
    leave()
    shop.run(shop.mint.swap(shop.coins(4), shop.outputs(4)))
    assert len(heard) == 2


def test_quotes_that_ended_are_forgotten_and_unfinished_ones_kept(shop: Shop) -> None:
    quotes = [shop.quote(shop.order(64)) for _ in range(3)]
    shop.durably(shop.store.begin(quotes[0], (), ()))
    shop.clock.advance(DAY_NS)
    assert shop.run(shop.store.forget_quotes(shop.clock.now())) == 2
    assert shop.stored(quotes[0]).state is RedeemState.HELD
    order = format_id(IdKind.ORDER, shop.order(4).id)
    assert isinstance(shop.ask(order).id, bytes)


def test_what_a_group_moved_is_seen_and_forgotten_before_it_is_written(shop: Shop) -> None:
    held, ended = (shop.quote(shop.order(64)) for _ in range(2))

    async def within_one_group() -> object:
        await shop.store.begin(held, (), ())
        begun = await shop.store.begin(ended, (), ())
        assert isinstance(begun, RedeemQuote)
        found = {quote.id for quote in await shop.store.unfinished()}
        released = asyncio.ensure_future(shop.store.release(begun))
        await asyncio.sleep(0)
        forgotten = await shop.store.forget_quotes(Instant(shop.clock.now() + DAY_NS))
        await released
        return found, forgotten

    assert shop.run(within_one_group()) == ({held.id, ended.id}, 1)
    assert shop.stored(held).state is RedeemState.HELD
    assert shop.run(shop.mint.find_redeem_quote(ended.method, ended.id)) is None
