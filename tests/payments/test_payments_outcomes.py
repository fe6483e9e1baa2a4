"""How payments, holds and orders move: by the table of transitions, and no other way."""

import pytest
from msgspec.structs import replace
from tests.payments.situations import (
    CUSTOMER,
    LATER,
    MERCHANT,
    NOW,
    hold,
    order,
    payment,
    refund,
    step,
    step_intent,
)

from amana.events import EventKind
from amana.kernel import AmanaId, Instant
from amana.kernel.limits import STEPS_PER_PAYMENT_MAX
from amana.ledger import TransferFlags, TransferStatus
from amana.payments import postings, rules
from amana.payments.model import (
    TRANSITIONS,
    Order,
    OrderStatus,
    Payment,
    PaymentKind,
    PaymentStatus,
    Reason,
    Refused,
    StepIntent,
    StepKind,
    StepStatus,
    Takings,
)

S = TransferStatus


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ((S.CREATED,), None),
        ((S.CREATED, S.CREATED), None),
        ((S.EXISTS,), None),
        ((S.EXISTS, S.LINKED_EVENT_FAILED), None),
        ((S.EXCEEDS_CREDITS,), Reason.INSUFFICIENT_FUNDS),
        ((S.LINKED_EVENT_FAILED, S.EXCEEDS_CREDITS), Reason.INSUFFICIENT_FUNDS),
        ((S.DEBIT_ACCOUNT_ALREADY_CLOSED,), Reason.PAYER_CLOSED),
        ((S.CREDIT_ACCOUNT_ALREADY_CLOSED,), Reason.PAYEE_CLOSED),
        ((S.ID_ALREADY_FAILED,), Reason.TRANSFER_REFUSED),
    ],
)
def test_the_ledgers_answer_to_a_chain_has_one_reason(
    statuses: tuple[TransferStatus, ...], reason: Reason | None
) -> None:
    assert rules.reason_of(statuses) == reason


@pytest.mark.parametrize("statuses", [(), (S.LINKED_EVENT_FAILED,)])
def test_an_answer_that_no_ledger_gives_is_a_mistake(
    statuses: tuple[TransferStatus, ...],
) -> None:
    with pytest.raises(AssertionError):
        rules.reason_of(statuses)


@pytest.mark.parametrize(
    ("pending", "reason", "status"),
    [
        (payment(), None, PaymentStatus.PAID),
        (hold(PaymentStatus.PENDING), None, PaymentStatus.AUTHORISED),
        (payment(), Reason.INSUFFICIENT_FUNDS, PaymentStatus.REFUSED),
        (hold(PaymentStatus.PENDING), Reason.INSUFFICIENT_FUNDS, PaymentStatus.REFUSED),
    ],
)
def test_a_pending_payment_is_concluded(
    pending: Payment, reason: Reason | None, status: PaymentStatus
) -> None:
    concluded = rules.conclude(pending, reason, now=LATER)
    assert (concluded.status, concluded.reason) == (status, reason)
    assert concluded.concluded_at == LATER
    assert status in TRANSITIONS[pending.status]


@pytest.mark.parametrize("status", [s for s in PaymentStatus if s is not PaymentStatus.PENDING])
def test_an_outcome_is_concluded_once(status: PaymentStatus) -> None:
    with pytest.raises(AssertionError, match="only a pending payment"):
        rules.conclude(payment(status), None, now=LATER)


OVER = Instant(hold().hold_expires_at or 0)

# The step asked for, the hold, and why it is refused.
STEP_REFUSALS: list[tuple[StepIntent, Payment, Reason]] = [
    (step_intent(), hold(PaymentStatus.PENDING), Reason.ORDER_IN_PROGRESS),
    (step_intent(), hold(PaymentStatus.PAID), Reason.ORDER_NOT_AUTHORISED),
    (step_intent(), hold(PaymentStatus.VOIDED), Reason.ORDER_NOT_AUTHORISED),
    (step_intent(StepKind.VOID), hold(PaymentStatus.EXPIRED), Reason.ORDER_NOT_AUTHORISED),
    (step_intent(StepKind.EXPIRE), hold(), Reason.HOLD_NOT_EXPIRED),
    (step_intent(), hold(steps=STEPS_PER_PAYMENT_MAX - 1), Reason.TOO_MANY_STEPS),
    (step_intent(StepKind.VOID), hold(steps=STEPS_PER_PAYMENT_MAX - 1), Reason.TOO_MANY_STEPS),
    (step_intent(created_at=OVER), hold(), Reason.HOLD_EXPIRED),
    (step_intent(amount=0), hold(), Reason.AMOUNT_NOT_POSITIVE),
    (step_intent(amount=-1), hold(), Reason.AMOUNT_NOT_POSITIVE),
    (step_intent(amount=1_251), hold(), Reason.EXCEEDS_HOLD),
]


@pytest.mark.parametrize(("asked", "of", "reason"), STEP_REFUSALS)
def test_a_step_is_refused_for_its_first_reason(
    asked: StepIntent, of: Payment, reason: Reason
) -> None:
    decided = rules.decide_step(asked, of, None)
    assert (decided.status, decided.reason) == (StepStatus.REFUSED, reason)
    assert (decided.number, decided.fee) == (0, 0)
    assert 0 <= decided.amount <= of.total


def test_a_step_waits_for_the_one_under_way() -> None:
    decided = rules.decide_step(step_intent(StepKind.VOID), hold(), step())
    assert decided.reason is Reason.ORDER_IN_PROGRESS


@pytest.mark.parametrize(
    ("asked", "amount", "fee", "status"),
    [
        (step_intent(), 1_250, 2, PaymentStatus.PAID),
        (step_intent(amount=600), 600, 1, PaymentStatus.PAID),
        (step_intent(amount=1, created_at=Instant(OVER - 1)), 1, 0, PaymentStatus.PAID),
        (step_intent(StepKind.VOID), 0, 0, PaymentStatus.VOIDED),
        (step_intent(StepKind.VOID, created_at=OVER), 0, 0, PaymentStatus.VOIDED),
        (step_intent(StepKind.EXPIRE, created_at=OVER), 0, 0, PaymentStatus.EXPIRED),
    ],
)
def test_a_step_ends_a_hold(
    asked: StepIntent, amount: int, fee: int, status: PaymentStatus
) -> None:
    pending = rules.decide_step(asked, hold(), None)
    assert (pending.status, pending.number, pending.amount, pending.fee) == (
        StepStatus.PENDING,
        1,
        amount,
        fee,
    )
    moved, done = rules.conclude_step(hold(), pending, None, now=LATER)
    assert (moved.status, moved.captured, moved.fee) == (status, amount, fee)
    assert (done.status, done.concluded_at) == (StepStatus.DONE, LATER)
    assert moved.taken == amount


def test_expiry_is_never_refused_for_too_many_steps() -> None:
    worn = hold(steps=STEPS_PER_PAYMENT_MAX - 1)
    asked = step_intent(StepKind.EXPIRE, created_at=OVER)
    assert rules.decide_step(asked, worn, None).number == STEPS_PER_PAYMENT_MAX


def test_a_step_that_the_ledger_refuses_leaves_the_hold() -> None:
    stays, refused = rules.conclude_step(hold(), step(), Reason.TRANSFER_REFUSED, now=LATER)
    assert stays == hold()
    assert (refused.status, refused.reason) == (StepStatus.REFUSED, Reason.TRANSFER_REFUSED)


def test_a_step_is_concluded_once() -> None:
    _, done = rules.conclude_step(hold(), step(), None, now=LATER)
    with pytest.raises(AssertionError, match="only a pending step"):
        rules.conclude_step(hold(), done, None, now=LATER)


@pytest.mark.parametrize("status", PaymentStatus)
def test_every_status_has_its_followers(status: PaymentStatus) -> None:
    assert status not in TRANSITIONS[status]
    assert PaymentStatus.PENDING not in TRANSITIONS[status]


@pytest.mark.parametrize(
    ("of", "by", "status"),
    [
        (order(), None, OrderStatus.OPEN),
        (order(expires_at=NOW), None, OrderStatus.EXPIRED),
        (order(expires_at=NOW), payment(), OrderStatus.OPEN),
        (order(cancelled_at=NOW), None, OrderStatus.CANCELLED),
        (order(), payment(PaymentStatus.REFUSED), OrderStatus.OPEN),
        (order(), payment(PaymentStatus.PAID), OrderStatus.PAID),
        (order(), hold(), OrderStatus.AUTHORISED),
        (order(), hold(PaymentStatus.VOIDED), OrderStatus.VOIDED),
        (order(), hold(PaymentStatus.EXPIRED), OrderStatus.EXPIRED),
    ],
)
def test_an_order_stands_where_its_payment_stands(
    of: Order, by: Payment | None, status: OrderStatus
) -> None:
    assert rules.order_status(of, by, now=LATER) is status


def test_an_order_that_nobody_paid_is_cancelled_once() -> None:
    cancelled = rules.decide_cancel(order(), None, now=LATER)
    assert cancelled == order(cancelled_at=LATER)
    assert rules.decide_cancel(order(cancelled_at=NOW), None, now=LATER) == order(cancelled_at=NOW)


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (payment(), Reason.ORDER_IN_PROGRESS),
        (payment(PaymentStatus.PAID), Reason.ORDER_ALREADY_PAID),
        (hold(), Reason.ORDER_ALREADY_PAID),
    ],
)
def test_an_order_that_was_taken_is_not_cancelled(by: Payment, reason: Reason) -> None:
    assert rules.decide_cancel(order(), by, now=LATER) == Refused(reason)


def test_payer_and_payee_are_told_of_a_purchase() -> None:
    assert rules.events_of(payment(PaymentStatus.PAID), None) == (
        (CUSTOMER.id, EventKind.PAYMENT_PAID),
        (MERCHANT.id, EventKind.ORDER_PAID),
    )


def test_a_capture_is_told_as_one() -> None:
    moved, done = rules.conclude_step(hold(), step(), None, now=LATER)
    assert rules.events_of(moved, done) == (
        (CUSTOMER.id, EventKind.PAYMENT_CAPTURED),
        (MERCHANT.id, EventKind.ORDER_CAPTURED),
    )


@pytest.mark.parametrize("kind", PaymentKind)
def test_a_payee_learns_nothing_of_a_payment_that_was_refused(kind: PaymentKind) -> None:
    told = rules.events_of(payment(PaymentStatus.REFUSED, kind=kind), None)
    assert [party for party, _ in told] == [CUSTOMER.id]


def test_nobody_is_told_in_the_name_of_nobody() -> None:
    paid = payment(PaymentStatus.PAID, kind=PaymentKind.TOPUP, payer=None)
    assert rules.events_of(paid, None) == ((MERCHANT.id, EventKind.PAYMENT_RECEIVED),)


def test_takings_add_up_payments_fees_and_what_was_given_back() -> None:
    takings = Takings()
    for concluded in (
        payment(PaymentStatus.PAID),
        payment(PaymentStatus.REFUSED),
        hold(PaymentStatus.PAID, captured=600, fee=1),
        payment(PaymentStatus.PAID, kind=PaymentKind.REFUND, total=500, fee=1),
    ):
        takings = rules.takings_after(takings, concluded)
    assert takings == Takings(payments=2, gross=1_850, fees=2, refunded=500)


@pytest.mark.parametrize(
    ("of", "merchant", "order_id"),
    [
        (payment(), MERCHANT.id, payment().id),
        (payment(order_id=order().id), MERCHANT.id, order().id),
        (payment(kind=PaymentKind.PERSON), None, None),
        (payment(kind=PaymentKind.TOPUP), None, None),
        (payment(kind=PaymentKind.CREDIT, payer=MERCHANT.id), MERCHANT.id, None),
        (
            payment(kind=PaymentKind.REFUND, payer=MERCHANT.id, refund_of=AmanaId(7 << 8)),
            MERCHANT.id,
            AmanaId(7 << 8),
        ),
        (
            payment(kind=PaymentKind.REFUND, payer=MERCHANT.id, order_id=order().id),
            MERCHANT.id,
            order().id,
        ),
    ],
)
def test_a_merchant_knows_a_payment_as_an_order(
    of: Payment, merchant: AmanaId | None, order_id: AmanaId | None
) -> None:
    assert rules.merchant_of(of) == merchant
    assert rules.order_of(of) == order_id


def chain(of: Payment) -> list[tuple[int, int, int, int]]:
    return [
        (transfer.id & 0xFF, transfer.debit_account_id, transfer.credit_account_id, transfer.amount)
        for transfer in postings.of_payment(of, ledger=978)
    ]


def test_a_purchase_and_its_fee_are_one_chain() -> None:
    assert chain(payment()) == [(1, 201, 203, 1_250), (2, 203, postings.FEES_ACCOUNT, 2)]
    first, last = postings.of_payment(payment(), ledger=978)
    assert first.flags & TransferFlags.LINKED
    assert not last.flags & TransferFlags.LINKED


def test_a_payment_without_a_fee_is_one_transfer() -> None:
    assert chain(payment(fee=0)) == [(1, 201, 203, 1_250)]


def test_a_hold_is_one_pending_transfer_and_its_fee_waits() -> None:
    (pending,) = postings.of_payment(hold(), ledger=978)
    assert pending.flags == TransferFlags.PENDING
    assert pending.timeout_s == 0


def test_a_refund_gives_the_fee_back_before_the_amount() -> None:
    original = payment(PaymentStatus.PAID)
    decided = rules.decide_intent(refund(None), rules.IntentFacts(original=original))
    assert chain(decided) == [(2, postings.FEES_ACCOUNT, 203, 2), (1, 203, 201, 1_250)]
    assert chain(replace(decided, fee=0)) == [(1, 203, 201, 1_250)]


@pytest.mark.parametrize(
    ("kind", "amount", "flag", "legs"),
    [
        (StepKind.CAPTURE, 1_250, TransferFlags.POST_PENDING_TRANSFER, [0x11, 0x12]),
        (StepKind.CAPTURE, 100, TransferFlags.POST_PENDING_TRANSFER, [0x11]),
        (StepKind.VOID, None, TransferFlags.VOID_PENDING_TRANSFER, [0x11]),
    ],
)
def test_a_step_posts_or_voids_what_is_pending(
    kind: StepKind, amount: int | None, flag: TransferFlags, legs: list[int]
) -> None:
    transfers = postings.of_step(hold(), step(kind, amount=amount), ledger=978)
    assert [transfer.id & 0xFF for transfer in transfers] == legs
    assert transfers[0].flags & flag
    assert transfers[0].pending_id == hold().id | 1
