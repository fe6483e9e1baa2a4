"""The key by which a payer from the purse gets money back: kept, asked for, and never guessed."""

import itertools

import pytest
from tests.payments.samples import BANK, NOW, SHOP, hold, intent, order, payment

from amana.kernel import AmanaId
from amana.payments import rules
from amana.payments.model import (
    Intent,
    Payment,
    PaymentKind,
    PaymentStatus,
    PurseTaking,
    Reason,
)

LEFT = b"\2" + b"k" * 32


def refund_of(original: Payment, amount: int | None = None) -> Payment:
    asked: Intent = intent(
        kind=PaymentKind.REFUND, payer=SHOP, payee=BANK, amount=amount, refund_of=original.id
    )
    return rules.decide_intent(asked, rules.IntentFacts(original=original))


def purse(**differing: object) -> Payment:
    return payment(kind=PaymentKind.PURSE, **differing)


@pytest.mark.parametrize("key", [None, LEFT])
def test_the_key_that_a_payer_left_stays_with_the_payment(key: bytes | None) -> None:
    taking = PurseTaking(
        id=AmanaId(0x2000),
        payee=SHOP,
        order_id=AmanaId(0x3000),
        total=500,
        tip=0,
        fee=1,
        attempt=1,
        key=b"k" * 16,
        now=NOW,
        refund_key=key,
    )
    decided = rules.decide_purse(taking, order(), None)
    assert not isinstance(decided, Reason)
    assert decided[0].refund_key == key


def test_nothing_is_given_back_where_the_payer_left_no_way() -> None:
    for amount in (None, 1, 1_000, 1_001):
        refund = refund_of(purse(), amount)
        assert (refund.status, refund.reason) == (PaymentStatus.REFUSED, Reason.REFUND_NEEDS_KEY)


def test_what_is_not_paid_is_told_before_the_missing_key() -> None:
    refund = refund_of(purse(status=PaymentStatus.PENDING))
    assert refund.reason is Reason.ORDER_NOT_PAID


def test_a_key_or_an_account_is_a_way_back() -> None:
    for original in (purse(refund_key=LEFT), payment()):
        refund = refund_of(original, 400)
        assert (refund.status, refund.total) == (PaymentStatus.PENDING, 400)


def test_a_merchant_is_told_what_can_be_given_back_exactly_where_it_can() -> None:
    kinds = (PaymentKind.PURCHASE, PaymentKind.PURSE, PaymentKind.PERSON, PaymentKind.REFUND)
    for kind, status, key, refunded in itertools.product(
        kinds, PaymentStatus, (None, LEFT), (0, 999, 1_000)
    ):
        original = payment(kind=kind, status=status, refund_key=key, refunded=refunded)
        is_given = refund_of(original, 1).status is PaymentStatus.PENDING
        assert rules.is_refundable(original) is is_given, original
    captured = hold(status=PaymentStatus.PAID, captured=600, refunded=600)
    assert not rules.is_refundable(captured)
    assert not rules.is_refundable(hold())
