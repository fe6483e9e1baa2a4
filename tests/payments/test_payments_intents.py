"""Which intents may go to the ledger, and the first reason where one may not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.payments.situations import (
    CUSTOMER,
    FRIEND,
    MERCHANT,
    NOW,
    OPERATOR,
    intent,
    order,
    payment,
    refund,
)

from amana.kernel import AMOUNT_MINOR_MAX
from amana.kernel.limits import HOLD_LIFE_MS
from amana.payments import rules
from amana.payments.model import (
    CaptureMode,
    IdReused,
    Intent,
    PartyKind,
    PaymentKind,
    PaymentStatus,
    Reason,
    TipMode,
)
from amana.payments.rules import IntentFacts

ORDER = order()
FOR_ORDER = {"order_id": ORDER.id}
PAID = payment(PaymentStatus.PAID)

# What is asked, what is known, and the reason to refuse: in the order in which rules are asked.
REFUSALS: list[tuple[Intent, IntentFacts, Reason]] = [
    (intent(amount=0), IntentFacts(), Reason.AMOUNT_NOT_POSITIVE),
    (intent(amount=-1), IntentFacts(), Reason.AMOUNT_NOT_POSITIVE),
    (intent(amount=-1, tip=5), IntentFacts(), Reason.AMOUNT_NOT_POSITIVE),
    (intent(tip=-1), IntentFacts(), Reason.AMOUNT_NOT_POSITIVE),
    (intent(amount=AMOUNT_MINOR_MAX + 1), IntentFacts(), Reason.AMOUNT_TOO_LARGE),
    (intent(amount=AMOUNT_MINOR_MAX, tip=1), IntentFacts(), Reason.AMOUNT_TOO_LARGE),
    (intent(payee=None), IntentFacts(), Reason.PAYEE_NOT_FOUND),
    (intent(payer=None), IntentFacts(), Reason.PAYEE_NOT_FOUND),
    (intent(payee=CUSTOMER), IntentFacts(), Reason.PAYEE_IS_PAYER),
    (intent(payer=replace(CUSTOMER, is_open=False)), IntentFacts(), Reason.PAYER_CLOSED),
    (intent(payee=replace(MERCHANT, is_open=False)), IntentFacts(), Reason.PAYEE_CLOSED),
    (intent(**FOR_ORDER), IntentFacts(), Reason.ORDER_NOT_FOUND),
    (intent(**FOR_ORDER), IntentFacts(order=order(cancelled_at=NOW)), Reason.ORDER_CANCELLED),
    (
        intent(**FOR_ORDER),
        IntentFacts(order=ORDER, order_payment=payment()),
        Reason.ORDER_IN_PROGRESS,
    ),
    (intent(**FOR_ORDER), IntentFacts(order=ORDER, order_payment=PAID), Reason.ORDER_ALREADY_PAID),
    (intent(**FOR_ORDER), IntentFacts(order=order(expires_at=NOW)), Reason.ORDER_EXPIRED),
    (intent(amount=1_249, **FOR_ORDER), IntentFacts(order=ORDER), Reason.AMOUNT_MISMATCH),
    (intent(amount=1_150, tip=100, **FOR_ORDER), IntentFacts(order=ORDER), Reason.AMOUNT_MISMATCH),
    (intent(tip=100, **FOR_ORDER), IntentFacts(order=ORDER), Reason.TIP_NOT_ASKED),
    (refund(1), IntentFacts(), Reason.ORDER_NOT_PAID),
    (refund(None), IntentFacts(), Reason.ORDER_NOT_PAID),
    (refund(1), IntentFacts(original=payment()), Reason.ORDER_NOT_PAID),
    (refund(1_251), IntentFacts(original=PAID), Reason.EXCEEDS_PAID),
    (refund(2), IntentFacts(original=replace(PAID, refunded=1_249)), Reason.EXCEEDS_PAID),
    (refund(None), IntentFacts(original=replace(PAID, refunded=1_250)), Reason.EXCEEDS_PAID),
    (
        intent(payer=replace(CUSTOMER, payment_limit=1_249)),
        IntentFacts(),
        Reason.EXCEEDS_PAYMENT_LIMIT,
    ),
    (
        intent(payer=replace(CUSTOMER, day_limit=2_000)),
        IntentFacts(spent_today=751),
        Reason.EXCEEDS_DAY_LIMIT,
    ),
    (
        intent(kind=PaymentKind.PERSON, payee=replace(FRIEND, holding_limit=2_000)),
        IntentFacts(holding=751),
        Reason.EXCEEDS_HOLDING_LIMIT,
    ),
]


@pytest.mark.parametrize(("asked", "facts", "reason"), REFUSALS)
def test_an_intent_is_refused_for_its_first_reason(
    asked: Intent, facts: IntentFacts, reason: Reason
) -> None:
    decided = rules.decide_intent(asked, facts)
    assert (decided.status, decided.reason) == (PaymentStatus.REFUSED, reason)
    assert decided.fee == 0
    assert decided.concluded_at == asked.created_at


def test_reasons_come_in_the_order_in_which_they_are_declared() -> None:
    """Begin with an intent that breaks every rule, and mend one after the other."""
    closed = replace(CUSTOMER, is_open=False, payment_limit=1)
    everything = intent(amount=0, payer=closed, payee=None, **FOR_ORDER)
    told = []
    for change in ({}, {"amount": 1_249}, {"payee": MERCHANT}, {"payer": CUSTOMER}):
        everything = replace(everything, **change)
        facts = IntentFacts(order=order(expires_at=NOW))
        told.append(rules.decide_intent(everything, facts).reason)
    assert told == [
        Reason.AMOUNT_NOT_POSITIVE,
        Reason.PAYEE_NOT_FOUND,
        Reason.PAYER_CLOSED,
        Reason.ORDER_EXPIRED,
    ]


# At the very edge of every bound.
ALLOWED: list[tuple[Intent, IntentFacts]] = [
    (intent(), IntentFacts()),
    (intent(amount=1), IntentFacts()),
    (intent(amount=AMOUNT_MINOR_MAX, payee=FRIEND, kind=PaymentKind.PERSON), IntentFacts()),
    (intent(**FOR_ORDER), IntentFacts(order=ORDER)),
    (intent(created_at=ORDER.expires_at - 1, **FOR_ORDER), IntentFacts(order=ORDER)),
    (intent(tip=100, **FOR_ORDER), IntentFacts(order=order(tip=TipMode.PROMPT))),
    (intent(payer=replace(CUSTOMER, payment_limit=1_250)), IntentFacts()),
    (intent(payer=replace(CUSTOMER, day_limit=2_000)), IntentFacts(spent_today=750)),
    (intent(payee=replace(FRIEND, holding_limit=2_000)), IntentFacts(holding=750)),
    (intent(kind=PaymentKind.TOPUP, payer=OPERATOR, payee=CUSTOMER), IntentFacts()),
    (refund(1_250), IntentFacts(original=PAID)),
    (refund(None), IntentFacts(original=PAID)),
    (
        refund(1_250),
        IntentFacts(original=PAID, spent_today=10**9, holding=10**9),
    ),
]


@pytest.mark.parametrize(("asked", "facts"), ALLOWED)
def test_an_intent_within_every_bound_goes_on(asked: Intent, facts: IntentFacts) -> None:
    decided = rules.decide_intent(asked, facts)
    assert (decided.status, decided.reason) == (PaymentStatus.PENDING, None)
    assert decided.concluded_at is None


def test_what_is_given_back_is_never_limited() -> None:
    tight: dict[str, Any] = {"payment_limit": 1, "day_limit": 1, "holding_limit": 1}
    asked = replace(
        refund(1_250), payer=replace(MERCHANT, **tight), payee=replace(CUSTOMER, **tight)
    )
    assert rules.decide_intent(asked, IntentFacts(original=PAID, holding=9)).reason is None


def test_a_payment_carries_who_what_and_until_when() -> None:
    decided = rules.decide_intent(intent(tip=100, is_hold=True), IntentFacts())
    assert (decided.payer, decided.payee) == (CUSTOMER.id, MERCHANT.id)
    assert (decided.payer_account, decided.payee_account) == (201, 203)
    assert (decided.total, decided.tip, decided.fee) == (1_350, 100, 2)
    assert decided.is_hold
    assert decided.hold_expires_at == NOW + HOLD_LIFE_MS * 1_000_000


@pytest.mark.parametrize(
    ("amount", "basis_points", "fee"),
    [(1_250, 20, 2), (499, 20, 0), (500, 20, 1), (1_250, 0, 0), (0, 20, 0), (1, 10_000, 1)],
)
def test_a_fee_is_rounded_down(amount: int, basis_points: int, fee: int) -> None:
    assert rules.fee_due(amount, basis_points) == fee


def test_a_fee_on_less_than_nothing_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="what was taken"):
        rules.fee_due(-1, 20)


@given(st.integers(1, 10**12), st.integers(0, 1_000), st.lists(st.integers(1, 10**12), max_size=8))
def test_after_every_refund_the_fee_that_stays_is_due_on_what_stays(
    paid: int, basis_points: int, parts: list[int]
) -> None:
    payee = replace(MERCHANT, fee_basis_points=basis_points)
    pending = rules.decide_intent(intent(amount=paid, payee=payee), IntentFacts())
    original = replace(pending, status=PaymentStatus.PAID)
    for asked in [*parts, None]:
        decided = rules.decide_intent(refund(asked), IntentFacts(original=original))
        if decided.reason is None:
            original = replace(
                original,
                refunded=original.refunded + decided.total,
                fee_returned=original.fee_returned + decided.fee,
            )
        left = original.taken - original.refunded
        assert left >= 0
        assert original.fee - original.fee_returned == rules.fee_due(left, basis_points)
    assert original.fee == original.fee_returned
    assert original.refunded == paid


def test_a_key_with_the_same_request_meets_itself() -> None:
    assert rules.same_request(b"one", b"one") is None
    assert rules.same_request(b"one", b"two") == IdReused()


@pytest.mark.parametrize(
    ("payer", "payee", "kind"),
    [
        (PartyKind.OPERATOR, PartyKind.CUSTOMER, PaymentKind.TOPUP),
        (PartyKind.MERCHANT, PartyKind.CUSTOMER, PaymentKind.CREDIT),
        (PartyKind.CUSTOMER, PartyKind.MERCHANT, PaymentKind.PURCHASE),
        (PartyKind.CUSTOMER, PartyKind.CUSTOMER, PaymentKind.PERSON),
    ],
)
def test_a_payment_is_named_by_its_sides(
    payer: PartyKind, payee: PartyKind, kind: PaymentKind
) -> None:
    assert rules.kind_between(payer, payee) is kind


def test_only_a_refund_may_leave_its_amount_open() -> None:
    with pytest.raises(AssertionError, match="only a refund"):
        rules.decide_intent(intent(amount=None), IntentFacts())


def test_an_order_with_manual_capture_is_held() -> None:
    assert rules.is_held(order(capture=CaptureMode.MANUAL))
    assert not rules.is_held(order())
    assert not rules.is_held(None)
