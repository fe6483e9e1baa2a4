"""The decisions on payments, as rows: given, asked, decided."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.payments.samples import (
    AMAL,
    BADR,
    BANK,
    BODY,
    NOW,
    SHOP,
    Differing,
    hold,
    intent,
    order,
    payment,
    step,
    step_intent,
)

from amana.events import EventKind
from amana.kernel import AMOUNT_MINOR_MAX, AmanaId, Instant
from amana.kernel.limits import STEPS_PER_PAYMENT_MAX
from amana.ledger import TransferStatus
from amana.payments import rules
from amana.payments.model import (
    TRANSITIONS,
    CaptureMode,
    IdReused,
    OrderStatus,
    Party,
    PartyKind,
    PaymentKind,
    PaymentStatus,
    Reason,
    Refused,
    StepKind,
    StepStatus,
    Takings,
    TipMode,
)
from amana.payments.rules import IntentFacts

CLOSED = msgspec.structs.replace(AMAL, is_open=False)
CLOSED_SHOP = msgspec.structs.replace(SHOP, is_open=False)
REFUND = {"kind": PaymentKind.REFUND, "payer": SHOP, "payee": AMAL, "refund_of": AmanaId(0x2000)}
ORDERED = {"order_id": AmanaId(0x3000)}
PAID = payment()

REFUSALS: list[tuple[dict[str, Differing], dict[str, Differing], Reason]] = [
    ({"amount": 0}, {}, Reason.AMOUNT_NOT_POSITIVE),
    ({"amount": -1}, {}, Reason.AMOUNT_NOT_POSITIVE),
    ({"amount": -5, "tip": 10}, {}, Reason.AMOUNT_NOT_POSITIVE),
    ({"tip": -1}, {}, Reason.AMOUNT_NOT_POSITIVE),
    ({"amount": AMOUNT_MINOR_MAX + 1}, {}, Reason.AMOUNT_TOO_LARGE),
    ({"amount": AMOUNT_MINOR_MAX, "tip": 1}, {}, Reason.AMOUNT_TOO_LARGE),
    ({"payee": None}, {}, Reason.PAYEE_NOT_FOUND),
    ({"payer": None}, {}, Reason.PAYEE_NOT_FOUND),
    ({"payee": AMAL}, {}, Reason.PAYEE_IS_PAYER),
    ({"payer": CLOSED}, {}, Reason.PAYER_CLOSED),
    ({"payee": CLOSED_SHOP}, {}, Reason.PAYEE_CLOSED),
    (ORDERED, {}, Reason.ORDER_NOT_FOUND),
    (ORDERED, {"order": order(cancelled_at=NOW)}, Reason.ORDER_CANCELLED),
    (ORDERED, {"order": order(), "order_payment": PAID}, Reason.ORDER_ALREADY_PAID),
    (
        ORDERED,
        {"order": order(), "order_payment": payment(status=PaymentStatus.PENDING)},
        Reason.ORDER_IN_PROGRESS,
    ),
    (ORDERED, {"order": order(expires_at=NOW)}, Reason.ORDER_EXPIRED),
    ({**ORDERED, "amount": 499}, {"order": order()}, Reason.AMOUNT_MISMATCH),
    ({**ORDERED, "tip": 1}, {"order": order()}, Reason.TIP_NOT_ASKED),
    (REFUND, {}, Reason.ORDER_NOT_PAID),
    ({**REFUND, "payee": None}, {}, Reason.ORDER_NOT_PAID),
    ({**REFUND, "amount": None}, {}, Reason.ORDER_NOT_PAID),
    (REFUND, {"original": hold()}, Reason.ORDER_NOT_PAID),
    (REFUND, {"original": payment(kind=PaymentKind.PURSE)}, Reason.REFUND_NEEDS_KEY),
    ({**REFUND, "amount": 1_001}, {"original": PAID}, Reason.EXCEEDS_PAID),
    ({**REFUND, "amount": 401}, {"original": payment(refunded=600)}, Reason.EXCEEDS_PAID),
    ({**REFUND, "amount": None}, {"original": payment(refunded=1_000)}, Reason.EXCEEDS_PAID),
    ({**REFUND, "amount": 0}, {"original": PAID}, Reason.AMOUNT_NOT_POSITIVE),
    ({"amount": 1_001}, {}, Reason.EXCEEDS_PAYMENT_LIMIT),
    ({"amount": 990, "tip": 11}, {}, Reason.EXCEEDS_PAYMENT_LIMIT),
    ({}, {"spent_today": 1_501}, Reason.EXCEEDS_DAY_LIMIT),
    ({"payee": BADR}, {"holding": 4_501}, Reason.EXCEEDS_HOLDING_LIMIT),
]


@pytest.mark.parametrize(("asked", "facts", "reason"), REFUSALS)
def test_a_payment_is_refused_for_its_reason_and_what_is_kept_fits_the_books(
    asked: dict[str, Differing], facts: dict[str, Differing], reason: Reason
) -> None:
    decided = rules.decide_intent(intent(**asked), IntentFacts(**facts))
    assert (decided.status, decided.reason) == (PaymentStatus.REFUSED, reason)
    assert decided.concluded_at == NOW
    assert decided.fee == 0
    assert 0 <= decided.tip <= decided.total <= AMOUNT_MINOR_MAX


def test_every_reason_of_an_intent_has_its_row() -> None:
    others = {
        Reason.ORDER_NOT_AUTHORISED,
        Reason.PURSE_CANNOT_HOLD,
        Reason.EXCEEDS_HOLD,
        Reason.HOLD_EXPIRED,
        Reason.HOLD_NOT_EXPIRED,
        Reason.TOO_MANY_STEPS,
        Reason.INSUFFICIENT_FUNDS,
        Reason.TRANSFER_REFUSED,
    }
    assert {reason for _, _, reason in REFUSALS} == set(Reason) - others


PRECEDENCE: list[dict[str, Differing]] = [
    {"amount": 0},
    {"payee": None},
    {"payer": CLOSED},
    ORDERED,
    {"amount": 1_001},
]


@pytest.mark.parametrize("first", range(len(PRECEDENCE)))
def test_the_first_reason_in_declared_order_is_told(first: int) -> None:
    alone = rules.decide_intent(intent(**PRECEDENCE[first]), IntentFacts()).reason
    for second in PRECEDENCE[first + 1 :]:
        both = second | PRECEDENCE[first]
        assert rules.decide_intent(intent(**both), IntentFacts()).reason is alone


@pytest.mark.parametrize(
    ("asked", "facts", "total", "fee"),
    [
        ({}, {}, 500, 1),
        ({"amount": 499}, {}, 499, 0),
        ({"amount": 1_000}, {"spent_today": 1_000}, 1_000, 2),
        ({"payee": BADR}, {"holding": 4_500}, 500, 0),
        ({"amount": 450, "tip": 50}, {}, 500, 1),
        ({**ORDERED}, {"order": order()}, 500, 1),
        ({**ORDERED, "tip": 100}, {"order": order(tip=TipMode.PROMPT)}, 600, 1),
        ({"kind": PaymentKind.TOPUP, "payer": BANK, "payee": AMAL}, {}, 500, 0),
        ({**REFUND, "amount": None}, {"original": PAID}, 1_000, 2),
        ({**REFUND, "amount": 501}, {"original": PAID}, 501, 2),
        ({**REFUND, "amount": 500}, {"original": PAID}, 500, 1),
        (
            {**REFUND, "amount": None},
            {"original": payment(refunded=500, fee_returned=1)},
            500,
            1,
        ),
        (
            {**REFUND, "amount": 9},
            {"original": payment(refunded=1, fee_returned=2, fee=2)},
            9,
            0,
        ),
    ],
)
def test_a_payment_that_may_go_to_the_ledger_has_its_total_and_fee(
    asked: dict[str, Differing], facts: dict[str, Differing], total: int, fee: int
) -> None:
    decided = rules.decide_intent(intent(**asked), IntentFacts(**facts))
    assert (decided.status, decided.reason) == (PaymentStatus.PENDING, None)
    assert (decided.total, decided.fee) == (total, fee)


def test_a_hold_ends_a_week_later() -> None:
    decided = rules.decide_intent(intent(is_hold=True), IntentFacts())
    assert decided.is_hold
    assert decided.hold_expires_at == NOW + 7 * 86_400 * 10**9


@given(
    total=st.integers(1, 10**12),
    points=st.integers(0, 1_000),
    parts=st.lists(st.integers(1, 10**12), max_size=8),
)
def test_refunds_in_any_parts_give_back_the_whole_fee_and_no_more(
    total: int, points: int, parts: list[int]
) -> None:
    paid = payment(total=total, fee=rules.fee_due(total, points), fee_basis_points=points)
    for part in (*parts, None):
        asked = intent(**{**REFUND, "amount": part})
        decided = rules.decide_intent(asked, IntentFacts(original=paid))
        if decided.status is PaymentStatus.REFUSED:
            continue
        paid = msgspec.structs.replace(
            paid,
            refunded=paid.refunded + decided.total,
            fee_returned=paid.fee_returned + decided.fee,
        )
        left = paid.total - paid.refunded
        assert paid.fee - paid.fee_returned == rules.fee_due(left, points)
    assert (paid.refunded, paid.fee_returned) == (paid.total, paid.fee)


@pytest.mark.parametrize(
    ("amount", "points", "fee"),
    [(0, 20, 0), (499, 20, 0), (500, 20, 1), (9_999, 100, 99), (1, 10_000, 1), (7, 0, 0)],
)
def test_a_fee_is_rounded_down(amount: int, points: int, fee: int) -> None:
    assert rules.fee_due(amount, points) == fee


def test_a_key_of_another_request_is_reused() -> None:
    assert rules.same_request(BODY, BODY) is None
    assert rules.same_request(BODY, b"x" * 16) == IdReused()


FELL = TransferStatus.LINKED_EVENT_FAILED


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ((TransferStatus.CREATED,), None),
        ((TransferStatus.CREATED, TransferStatus.CREATED), None),
        ((TransferStatus.EXISTS,), None),
        ((FELL, TransferStatus.EXISTS), None),
        ((TransferStatus.EXISTS, FELL), None),
        ((TransferStatus.EXCEEDS_CREDITS,), Reason.INSUFFICIENT_FUNDS),
        ((TransferStatus.EXCEEDS_CREDITS, FELL), Reason.INSUFFICIENT_FUNDS),
        ((FELL, TransferStatus.EXCEEDS_CREDITS), Reason.INSUFFICIENT_FUNDS),
        ((TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED,), Reason.PAYER_CLOSED),
        ((TransferStatus.CREDIT_ACCOUNT_ALREADY_CLOSED,), Reason.PAYEE_CLOSED),
        ((TransferStatus.ID_ALREADY_FAILED,), Reason.TRANSFER_REFUSED),
        ((TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT,), Reason.TRANSFER_REFUSED),
    ],
)
def test_the_ledgers_answers_to_a_chain_are_read_as_one(
    statuses: tuple[TransferStatus, ...], reason: Reason | None
) -> None:
    assert rules.reason_of(statuses) is reason


def test_a_payment_moves_by_the_table_only() -> None:
    """Every status, every outcome: what the table does not name cannot be concluded."""
    for status, is_held, reason in itertools.product(
        PaymentStatus, (False, True), (None, Reason.INSUFFICIENT_FUNDS)
    ):
        given_ = (hold if is_held else payment)(status=status)
        if status is not PaymentStatus.PENDING:
            with pytest.raises(AssertionError):
                rules.conclude(given_, reason, now=NOW)
            continue
        concluded = rules.conclude(given_, reason, now=NOW)
        assert concluded.status in TRANSITIONS[status]
        assert concluded.concluded_at == NOW
        assert (concluded.status is PaymentStatus.REFUSED) is (reason is not None)
        assert (concluded.status is PaymentStatus.AUTHORISED) is (is_held and reason is None)


def test_a_hold_is_ended_by_the_table_only() -> None:
    ends = {
        StepKind.CAPTURE: PaymentStatus.PAID,
        StepKind.VOID: PaymentStatus.VOIDED,
        StepKind.EXPIRE: PaymentStatus.EXPIRED,
    }
    for status, kind in itertools.product(PaymentStatus, StepKind):
        given_ = hold(status=status)
        if ends[kind] not in TRANSITIONS[status] or status is PaymentStatus.PENDING:
            if status is not PaymentStatus.PENDING:
                with pytest.raises(AssertionError):
                    rules.conclude_step(given_, step(kind), None, now=NOW)
            continue
        moved, done = rules.conclude_step(given_, step(kind), None, now=NOW)
        assert (moved.status, done.status) == (ends[kind], StepStatus.DONE)
        assert (moved.captured, moved.fee) == (done.amount, done.fee)


def test_a_table_of_transitions_names_every_status_and_ends() -> None:
    assert set(TRANSITIONS) == set(PaymentStatus)
    ended = {status for status, following in TRANSITIONS.items() if not following}
    assert ended == set(PaymentStatus) - {PaymentStatus.PENDING, PaymentStatus.AUTHORISED}


def test_a_step_that_the_ledger_refused_leaves_the_hold() -> None:
    before = hold()
    after, refused = rules.conclude_step(before, step(), Reason.TRANSFER_REFUSED, now=NOW)
    assert after is before
    assert (refused.status, refused.reason) == (StepStatus.REFUSED, Reason.TRANSFER_REFUSED)
    with pytest.raises(AssertionError):
        rules.conclude_step(before, refused, None, now=NOW)


LATE = Instant(NOW + 1_000)


@pytest.mark.parametrize(
    ("kind", "asked", "held", "reason"),
    [
        (StepKind.CAPTURE, {}, payment(status=PaymentStatus.PENDING), Reason.ORDER_IN_PROGRESS),
        (StepKind.CAPTURE, {}, payment(), Reason.ORDER_NOT_AUTHORISED),
        (StepKind.CAPTURE, {"created_at": LATE}, hold(), Reason.HOLD_EXPIRED),
        (StepKind.CAPTURE, {"amount": 0}, hold(), Reason.AMOUNT_NOT_POSITIVE),
        (StepKind.CAPTURE, {"amount": -5}, hold(), Reason.AMOUNT_NOT_POSITIVE),
        (StepKind.CAPTURE, {"amount": 1_001}, hold(), Reason.EXCEEDS_HOLD),
        (StepKind.CAPTURE, {"amount": 2**63}, hold(), Reason.EXCEEDS_HOLD),
        (StepKind.CAPTURE, {}, hold(steps=STEPS_PER_PAYMENT_MAX - 1), Reason.TOO_MANY_STEPS),
        (StepKind.VOID, {}, hold(steps=STEPS_PER_PAYMENT_MAX - 1), Reason.TOO_MANY_STEPS),
        (StepKind.EXPIRE, {}, hold(), Reason.HOLD_NOT_EXPIRED),
    ],
)
def test_a_step_is_refused_for_its_reason_and_what_is_kept_fits_the_books(
    kind: StepKind, asked: dict[str, Differing], held: Differing, reason: Reason
) -> None:
    decided = rules.decide_step(step_intent(kind, **asked), held, None)
    assert (decided.status, decided.reason) == (StepStatus.REFUSED, reason)
    assert (decided.number, decided.fee) == (0, 0)
    assert 0 <= decided.amount <= held.total


def test_one_step_at_a_time_is_under_way() -> None:
    decided = rules.decide_step(step_intent(), hold(), step())
    assert decided.reason is Reason.ORDER_IN_PROGRESS


@pytest.mark.parametrize(
    ("kind", "asked", "amount", "fee"),
    [
        (StepKind.CAPTURE, {}, 1_000, 2),
        (StepKind.CAPTURE, {"amount": 600}, 600, 1),
        (StepKind.VOID, {}, 0, 0),
        (StepKind.VOID, {"created_at": LATE}, 0, 0),
        (StepKind.EXPIRE, {"created_at": LATE}, 0, 0),
    ],
)
def test_a_step_that_may_go_to_the_ledger_has_its_number(
    kind: StepKind, asked: dict[str, Differing], amount: int, fee: int
) -> None:
    decided = rules.decide_step(step_intent(kind, **asked), hold(steps=3), None)
    assert (decided.status, decided.number) == (StepStatus.PENDING, 4)
    assert (decided.amount, decided.fee) == (amount, fee)


def test_an_expiry_needs_no_attempt_of_the_merchants() -> None:
    last = hold(steps=STEPS_PER_PAYMENT_MAX - 1)
    decided = rules.decide_step(step_intent(StepKind.EXPIRE, created_at=LATE), last, None)
    assert (decided.status, decided.number) == (StepStatus.PENDING, STEPS_PER_PAYMENT_MAX)


@pytest.mark.parametrize(
    ("given_", "paying", "now", "status"),
    [
        (order(), None, NOW, OrderStatus.OPEN),
        (order(), None, LATE, OrderStatus.EXPIRED),
        (order(), payment(status=PaymentStatus.PENDING), LATE, OrderStatus.OPEN),
        (order(cancelled_at=NOW), None, LATE, OrderStatus.CANCELLED),
        (order(), hold(), LATE, OrderStatus.AUTHORISED),
        (order(), PAID, LATE, OrderStatus.PAID),
        (order(), payment(status=PaymentStatus.REFUSED), NOW, OrderStatus.OPEN),
        (order(), payment(status=PaymentStatus.VOIDED), NOW, OrderStatus.VOIDED),
        (order(), payment(status=PaymentStatus.EXPIRED), NOW, OrderStatus.EXPIRED),
    ],
)
def test_an_order_stands_where_its_payment_stands(
    given_: Differing, paying: Differing, now: Instant, status: OrderStatus
) -> None:
    assert rules.order_status(given_, paying, now=now) is status


def test_an_order_is_cancelled_once_and_only_unpaid() -> None:
    cancelled = rules.decide_cancel(order(), None, now=NOW)
    assert cancelled == order(cancelled_at=NOW)
    assert rules.decide_cancel(order(cancelled_at=NOW), None, now=LATE) == cancelled
    pending = payment(status=PaymentStatus.PENDING)
    assert rules.decide_cancel(order(), pending, now=NOW) == Refused(Reason.ORDER_IN_PROGRESS)
    assert rules.decide_cancel(order(), PAID, now=NOW) == Refused(Reason.ORDER_ALREADY_PAID)


@pytest.mark.parametrize(
    ("payer", "payee", "kind"),
    [
        (PartyKind.OPERATOR, PartyKind.CUSTOMER, PaymentKind.TOPUP),
        (PartyKind.MERCHANT, PartyKind.CUSTOMER, PaymentKind.CREDIT),
        (PartyKind.CUSTOMER, PartyKind.MERCHANT, PaymentKind.PURCHASE),
        (PartyKind.CUSTOMER, PartyKind.CUSTOMER, PaymentKind.PERSON),
    ],
)
def test_who_pays_whom_says_what_it_is(
    payer: PartyKind, payee: PartyKind, kind: PaymentKind
) -> None:
    assert rules.kind_between(payer, payee) is kind


def test_paying_an_order_of_manual_capture_holds() -> None:
    assert rules.is_held(order(capture=CaptureMode.MANUAL))
    assert not rules.is_held(order())
    assert not rules.is_held(None)


_BOTH = ([AMAL.id, SHOP.id], [AMAL.id])
"""Who is told of what was paid, and of what was refused: only who asked."""
_TOLD = {
    PaymentKind.PURSE: ([SHOP.id], []),
    PaymentKind.REFILL: ([AMAL.id], [AMAL.id]),
    PaymentKind.DEPOSIT: ([SHOP.id], [SHOP.id]),
}
"""E-cash is told nothing; who has an account is."""


def test_every_outcome_tells_its_parties_and_a_merchant_no_refusal() -> None:
    outcomes = set(PaymentStatus) - {PaymentStatus.PENDING}
    for kind, status in itertools.product(PaymentKind, outcomes):
        is_hold_only = status not in {PaymentStatus.PAID, PaymentStatus.REFUSED}
        if is_hold_only and kind is not PaymentKind.PURCHASE:
            with pytest.raises(KeyError):
                rules.events_of(payment(kind=kind, status=status), None)
            continue
        if (kind, status) == (PaymentKind.PURSE, PaymentStatus.REFUSED):
            with pytest.raises(KeyError):
                rules.events_of(payment(kind=kind, status=status), None)
            continue
        told = [party for party, _ in rules.events_of(payment(kind=kind, status=status), None)]
        assert told == _TOLD.get(kind, _BOTH)[status is PaymentStatus.REFUSED]


def test_a_capture_is_told_as_one_and_a_void_by_its_status() -> None:
    assert rules.events_of(payment(), step()) == (
        (AMAL.id, EventKind.PAYMENT_CAPTURED),
        (SHOP.id, EventKind.ORDER_CAPTURED),
    )
    voided = payment(status=PaymentStatus.VOIDED)
    assert rules.events_of(voided, step(StepKind.VOID))[1] == (SHOP.id, EventKind.ORDER_VOIDED)
    nobody = payment(payee=None, status=PaymentStatus.REFUSED)
    assert rules.events_of(nobody, None) == ((AMAL.id, EventKind.PAYMENT_REFUSED),)


def test_a_merchants_day_counts_what_was_taken_and_given_back() -> None:
    day = rules.takings_after(Takings(), payment())
    assert day == Takings(payments=1, gross=1_000, fees=2, refunded=0)
    captured = hold(status=PaymentStatus.PAID, captured=600, fee=1)
    day = rules.takings_after(day, captured)
    assert day == Takings(payments=2, gross=1_600, fees=3, refunded=0)
    refund = payment(kind=PaymentKind.REFUND, total=400, fee=1)
    day = rules.takings_after(day, refund)
    assert day == Takings(payments=2, gross=1_600, fees=2, refunded=400)
    assert rules.takings_after(day, hold()) == day
    assert hold().taken == 0


def test_whose_day_and_which_order_a_payment_changes() -> None:
    credit = payment(kind=PaymentKind.CREDIT, payer=SHOP.id, payee=AMAL.id)
    refund = payment(
        kind=PaymentKind.REFUND, payer=SHOP.id, payee=AMAL.id, refund_of=AmanaId(0x5000)
    )
    person = payment(kind=PaymentKind.PERSON)
    assert [rules.merchant_of(p) for p in (PAID, credit, refund, person)] == [
        SHOP.id,
        SHOP.id,
        SHOP.id,
        None,
    ]
    ordered = payment(order_id=AmanaId(0x3000))
    assert rules.order_of(PAID) == PAID.id
    assert rules.order_of(ordered) == 0x3000
    assert rules.order_of(refund) == 0x5000
    assert rules.order_of(msgspec.structs.replace(refund, order_id=AmanaId(0x3000))) == 0x3000
    assert rules.order_of(person) is None


def test_a_party_without_limits_has_none() -> None:
    free = Party(AmanaId(0x900), PartyKind.CUSTOMER, 90)
    asked = intent(payer=free, payee=free_payee(), amount=10**15)
    facts = IntentFacts(spent_today=10**15, holding=10**15)
    assert rules.decide_intent(asked, facts).status is PaymentStatus.PENDING


def free_payee() -> Party:
    return Party(AmanaId(0xA00), PartyKind.CUSTOMER, 91)
