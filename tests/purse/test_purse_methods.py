"""Ways in and out of the purse: what is priced, what is refused, and what a quote says."""

from typing import Any

from tests.purse.shop import CLOSED_SHOP, CUSTOMER, PAYER_KEY, SHOP, Shop, code_of

from amana.kernel import AMOUNT_MINOR_MAX, SECOND_NS, IdKind, format_id
from amana.payments.model import CaptureMode, OrderStatus, PaymentKind, Reason
from amana.payments.rules import order_status
from amana.purse.methods import merchant, refund, refund_quote_id
from amana.purse.methods.merchant import say
from amana.purse.model import Code, RedeemAsk, Redeemed, RedeemQuote


def text(shop: Shop, amount: int = 64, **differing: Any) -> str:
    return format_id(IdKind.ORDER, shop.order(amount, **differing).id)


def test_an_order_is_priced_with_its_tip_and_ends_with_the_order(shop: Shop) -> None:
    order = shop.order(60)
    quote = shop.quote(order, tip=4)
    assert (quote.amount, quote.fee_reserve) == (64, 0)
    assert quote.expires_at <= order.expires_at
    fields = shop.mint.fields(quote)
    assert (fields["tip"], fields["tip_asked"], fields["order"]) == (
        4,
        True,
        format_id(IdKind.ORDER, order.id),
    )


def test_a_shop_without_an_order_is_paid_by_its_handle(shop: Shop) -> None:
    quote = shop.ask(f"@{int(SHOP)}", 64)
    assert isinstance(quote, RedeemQuote)
    fields = shop.mint.fields(quote)
    assert (fields["order"], fields["reference"], fields["tip_asked"]) == (None, None, False)
    paid = shop.redeem(quote, shop.coins(64))
    assert isinstance(paid, Redeemed)
    made = shop.payment_rows.order(quote.payment_id)
    assert made is not None
    payment = shop.payment_rows.payment(quote.payment_id)
    assert order_status(made, payment, now=shop.clock.now()) is OrderStatus.PAID


def test_what_cannot_be_paid_is_refused_with_its_reason(shop: Shop) -> None:
    late = text(shop)
    shop.clock.advance(601 * SECOND_NS)
    cancelled = shop.order(64)
    shop.run(shop.payments.cancel_order(cancelled.id))
    held = text(shop, capture=CaptureMode.MANUAL)
    refused = [
        (late, None, Code.QUOTE_EXPIRED),
        (format_id(IdKind.ORDER, cancelled.id), None, Code.QUOTE_EXPIRED),
        (held, None, Code.PAYMENT_FAILED),
        ("ord_nonsense", None, Code.PAYMENT_FAILED),
        (format_id(IdKind.ORDER, shop.new_id()), None, Code.PAYMENT_FAILED),
        (text(shop), 63, Code.AMOUNT_DIFFERS),
        (f"@{int(SHOP)}", None, Code.AMOUNTLESS_INVOICE),
        (f"@{int(SHOP)}", 0, Code.AMOUNT_OUT_OF_RANGE),
        (f"@{int(SHOP)}", AMOUNT_MINOR_MAX + 1, Code.AMOUNT_OUT_OF_RANGE),
        (f"@{int(CUSTOMER)}", 64, Code.PAYMENT_FAILED),
        ("@4711", 64, Code.PAYMENT_FAILED),
        (f"@{int(CLOSED_SHOP)}", 64, Code.PAYMENT_FAILED),
    ]
    for request, amount, code in refused:
        assert code_of(shop.ask(request, amount)) is code, request


def test_another_unit_and_a_bad_tip_are_refused(shop: Shop) -> None:
    asked = RedeemAsk(text(shop), "usd")
    assert code_of(shop.run(shop.mint.redeem_quote(merchant.METHOD, asked))) is Code.UNIT_UNKNOWN
    for tip in (-1, "4", True, AMOUNT_MINOR_MAX + 1):
        assert code_of(shop.ask(text(shop), tip=tip)) is Code.AMOUNT_OUT_OF_RANGE


def test_every_reason_of_the_books_is_said_in_words_that_calm_the_payer() -> None:
    for reason in Reason:
        assert "Your e-cash was not spent" in say(reason).detail


def test_only_a_compressed_key_is_kept_for_refunds(shop: Shop) -> None:
    keys = [None, 7, "02", "zz" * 33, "04" + "11" * 32]
    for key in keys:
        order = shop.order(2)
        quote = shop.quote(order) if key is None else shop.quote(order, refund_key=key)
        assert isinstance(shop.redeem(quote, shop.coins(2)), Redeemed)
        refused = shop.pay(
            PaymentKind.REFUND, SHOP, shop.parties[SHOP].id, refund_of=quote.payment_id, amount=1
        )
        assert refused.reason is not None
    rows = shop.books.connection.execute("SELECT count(*) FROM purse_issue_quotes").fetchone()
    assert rows == (0,)


def test_a_key_for_refunds_is_left_with_one_payment_only(shop: Shop) -> None:
    """Two payments under one key would be two refunds under one quote."""
    first = shop.quote(shop.order(64), refund_key=PAYER_KEY.hex())
    second = shop.quote(shop.order(64), refund_key=PAYER_KEY.hex())
    assert isinstance(shop.redeem(first, shop.coins(64)), Redeemed)
    coins = shop.coins(64)
    assert code_of(shop.redeem(second, coins)) is Code.PAYMENT_FAILED
    assert code_of(shop.ask(text(shop), refund_key=PAYER_KEY.hex())) is Code.PAYMENT_FAILED
    assert isinstance(shop.redeem(shop.quote(shop.order(64)), coins), Redeemed)
    found = shop.run(shop.mint.find_issue_quote(refund.METHOD, refund_quote_id(PAYER_KEY)))
    assert found is not None
    assert (found.amount, found.paid) == (64, 0)


def test_the_fee_is_the_one_that_was_quoted(shop: Shop) -> None:
    quote = shop.quote(shop.order(100))
    raised = shop.parties[SHOP].__class__(
        SHOP, shop.parties[SHOP].kind, int(SHOP), fee_basis_points=1_000
    )
    shop.parties[SHOP] = raised
    assert isinstance(shop.redeem(quote, shop.coins(64, 32, 4)), Redeemed)
    payment = shop.payment_rows.payment(quote.payment_id)
    assert payment is not None
    assert (payment.fee, payment.fee_basis_points) == (2, 250)


def test_a_hold_and_its_ends_may_come_twice(shop: Shop) -> None:
    way = shop.mint.redeem_methods[merchant.METHOD]
    shop.coins(64)
    held = shop.durably(shop.store.begin(shop.quote(shop.order(64)), (), ()))
    for _ in range(2):
        assert shop.run(way.hold(held)) is None
        assert shop.ledger.held() == 64
    for _ in range(2):
        shop.run(way.post(held))
    assert shop.ledger.balance(int(SHOP)) == 63
    other = shop.durably(shop.store.begin(shop.quote(shop.order(32)), (), ()))
    for _ in range(2):
        shop.run(way.void(other))
    assert shop.ledger.held() == 0
