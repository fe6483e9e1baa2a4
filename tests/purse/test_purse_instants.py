"""What is kept of a wallet's moments where a name is near: the day, never the hour."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.purse.shop import CUSTOMER, PAYER_KEY, SHOP, Shop, open_shop

from amana.kernel import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, Instant
from amana.kernel.limits import QUOTE_LIFE_MS
from amana.payments.model import PURSE_PARTY, PaymentKind
from amana.purse.methods import account, refund, refund_quote_id
from amana.purse.model import IssueQuote, RedeemAsk, Redeemed, RedeemQuote
from amana.purse.rules.conditions import framed_quote_message
from amana.purse.standing import Refill
from amana.testing.rooms import START
from amana.testing.standin import standin_signature

MIDNIGHT = Instant(START - START % DAY_NS + DAY_NS)
ODD = 1_234_567_891
"""Nanoseconds that are no whole second."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "books") as shop:
        shop.move(1, int(CUSTOMER), 5_000)
        yield shop


def deposit_asked(shop: Shop) -> RedeemQuote:
    address = shop.run(shop.standing.open_deposit(CUSTOMER))
    asked = RedeemAsk(account.ADDRESS_MARK + address.id.hex(), "eur", 100)
    quote = shop.run(shop.mint.redeem_quote(account.METHOD, asked))
    assert isinstance(quote, RedeemQuote)
    return quote


def rows(shop: Shop, table: str) -> list[Any]:
    return shop.books.connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - ours


def quotes_of_a_deposit_at(folder: Path, instant: int) -> list[Any]:
    with open_shop(folder) as shop:
        shop.clock.advance(instant - shop.clock.now())
        quote = deposit_asked(shop)
        assert isinstance(shop.redeem(quote, shop.coins(64, 32, 4)), Redeemed)
        return rows(shop, "purse_redeem_quotes")


def test_the_quote_of_a_deposit_is_the_same_row_at_any_hour_of_its_day(tmp_path: Path) -> None:
    """It leads to the account: an instant in it would be when that account's wallet was open."""
    early = quotes_of_a_deposit_at(tmp_path / "early", MIDNIGHT + HOUR_NS)
    late = quotes_of_a_deposit_at(tmp_path / "late", MIDNIGHT + 19 * HOUR_NS + ODD)
    assert early == late
    assert len(early) == 1
    assert quotes_of_a_deposit_at(tmp_path / "next", MIDNIGHT + DAY_NS + HOUR_NS) != early


def test_a_deposit_asked_for_at_the_end_of_a_day_can_be_paid_as_long_as_any(shop: Shop) -> None:
    for minutes in (0, 1, 14, 15, 16):
        shop.clock.advance(MIDNIGHT + DAY_NS - minutes * MINUTE_NS - shop.clock.now())
        left = deposit_asked(shop).expires_at - shop.clock.now()
        assert QUOTE_LIFE_MS * 1_000_000 <= left <= DAY_NS + QUOTE_LIFE_MS * 1_000_000
        shop.clock.advance(minutes * MINUTE_NS - DAY_NS)


def test_the_answer_to_a_deposit_stays_the_same_after_its_money_came(shop: Shop) -> None:
    quote, coins = deposit_asked(shop), shop.coins(64, 64)
    outputs = shop.outputs(0, 0, 0, 0, 0)
    paid = shop.redeem(quote, coins, outputs)
    assert isinstance(paid, Redeemed)
    shop.clock.advance(2 * DAY_NS)
    assert shop.run(shop.standing.carry_out()) == 1
    assert rows(shop, "purse_deposits") == []
    assert shop.redeem(quote, coins, outputs) == paid


def test_what_the_operator_does_later_is_due_at_a_whole_minute(shop: Shop) -> None:
    """The seconds of its hour would be the seconds at which the wallet asked for it."""
    shop.clock.advance(ODD)
    asked_at = shop.clock.now()
    assert asked_at % SECOND_NS
    first, second = (leave(shop) for _ in range(2))
    assert first.due_at == asked_at, "a first refill is made at once"
    assert isinstance(shop.redeem(deposit_asked(shop), shop.coins(64, 32, 4)), Redeemed)
    ((deposit_due,),) = shop.books.connection.execute("SELECT due_at FROM purse_deposits")
    for due_at in (second.due_at, deposit_due):
        assert due_at % MINUTE_NS == 0
        assert asked_at < due_at


def leave(shop: Shop) -> Refill:
    left = shop.run(shop.standing.leave_refill(CUSTOMER, 100, shop.refill_outputs(100)))
    assert isinstance(left, Refill)
    return left


def test_when_a_refund_was_fetched_is_kept_as_a_day(shop: Shop) -> None:
    quote = shop.quote(shop.order(64), refund_key=PAYER_KEY.hex())
    assert isinstance(shop.redeem(quote, shop.coins(64)), Redeemed)
    shop.pay(PaymentKind.REFUND, SHOP, PURSE_PARTY, refund_of=quote.payment_id, amount=64)
    shop.clock.advance(3 * DAY_NS + ODD)
    quote_id, outputs = refund_quote_id(PAYER_KEY), shop.outputs(64)
    text = quote_id.hex()
    signature = standin_signature(PAYER_KEY, framed_quote_message(text, outputs))
    issued = shop.run(
        shop.mint.issue(refund.METHOD, quote_id, outputs, quote_text=text, signature=signature)
    )
    assert isinstance(issued, tuple)
    found = shop.run(shop.mint.find_issue_quote(refund.METHOD, quote_id))
    assert isinstance(found, IssueQuote)
    assert found.updated_at == shop.clock.now() - shop.clock.now() % DAY_NS
