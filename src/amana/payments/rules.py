"""Decisions about payments: facts in, what to store out. No clock, no chance, no waiting."""

from typing import Final

import msgspec

from amana.events import EventKind
from amana.kernel import AMOUNT_MINOR_MAX, MILLISECOND_NS, AmanaId, Instant
from amana.kernel.limits import HOLD_LIFE_MS, STEPS_PER_PAYMENT_MAX
from amana.ledger import TransferStatus
from amana.payments.model import (
    ECASH_ACCOUNT,
    PURSE_PARTY,
    TRANSITIONS,
    CaptureMode,
    IdReused,
    Intent,
    Order,
    OrderStatus,
    Party,
    PartyKind,
    Payment,
    PaymentKind,
    PaymentStatus,
    PurseTaking,
    Reason,
    Refused,
    Step,
    StepIntent,
    StepKind,
    StepStatus,
    Takings,
    TipMode,
)

BASIS_POINTS: Final = 10_000

_NO_PARTY_ACCOUNT: Final = 0


class IntentFacts(msgspec.Struct, frozen=True):
    """What the decision on an intent needs to know beside the intent.

    `spent_today` is what the payer has intended, held or paid this UTC day; `holding` is the
    payee's balance and all that is on its way there; both in minor units.
    """

    spent_today: int = 0
    holding: int = 0
    order: Order | None = None
    order_payment: Payment | None = None
    original: Payment | None = None


def fee_due(amount: int, basis_points: int) -> int:
    """Return the fee on an amount: hundredths of a percent, rounded down, in minor units.

    Rounding down is in the merchant's favour and is stated in the published schedule.
    """
    assert amount >= 0, "a fee is due on what was taken"
    return amount * basis_points // BASIS_POINTS


def same_request(stored_body: bytes, body: bytes) -> IdReused | None:
    """Refuse a key that came before with another request."""
    return None if stored_body == body else IdReused()


def decide_intent(intent: Intent, facts: IntentFacts) -> Payment:
    """Decide whether a payment may go to the ledger.

    Returns:
        A PENDING payment, or one REFUSED with the first reason that holds, in declared order.
    """
    amount = _amount_asked(intent, facts)
    reason = (
        _refuse_amount(intent, amount)
        or _refuse_parties(intent)
        or _refuse_order(intent, facts, amount)
        or _refuse_refund(intent, facts, amount)
        or _refuse_limits(intent, facts, amount)
    )
    total = max(0, min(amount, AMOUNT_MINOR_MAX))
    payment = _payment(intent, total=total, fee=_fee_of(intent, facts, total, reason))
    if reason is None:
        return payment
    return msgspec.structs.replace(
        payment, status=PaymentStatus.REFUSED, reason=reason, concluded_at=intent.created_at
    )


def _amount_asked(intent: Intent, facts: IntentFacts) -> int:
    if intent.amount is not None:
        return intent.amount + intent.tip
    assert intent.kind is PaymentKind.REFUND, "only a refund may leave its amount open"
    return 0 if facts.original is None else facts.original.taken - facts.original.refunded


def _refuse_amount(intent: Intent, amount: int) -> Reason | None:
    if intent.kind is PaymentKind.REFUND and intent.amount is None:
        return None  # whether anything is left is for `_refuse_refund`
    if amount <= 0 or intent.tip < 0 or (intent.amount is not None and intent.amount <= 0):
        return Reason.AMOUNT_NOT_POSITIVE
    if amount > AMOUNT_MINOR_MAX:
        return Reason.AMOUNT_TOO_LARGE
    return None


def _refuse_parties(intent: Intent) -> Reason | None:
    payer, payee = intent.payer, intent.payee
    if payee is None or payer is None:
        is_refund = intent.kind is PaymentKind.REFUND
        return Reason.ORDER_NOT_PAID if is_refund else Reason.PAYEE_NOT_FOUND
    if payer.id == payee.id:
        return Reason.PAYEE_IS_PAYER
    if not payer.is_open:
        return Reason.PAYER_CLOSED
    if not payee.is_open:
        return Reason.PAYEE_CLOSED
    return None


def _refuse_order(intent: Intent, facts: IntentFacts, amount: int) -> Reason | None:
    order = facts.order
    if intent.kind is PaymentKind.REFUND:
        return None
    if order is None:
        return Reason.ORDER_NOT_FOUND if intent.order_id is not None else None
    if order.cancelled_at is not None:
        return Reason.ORDER_CANCELLED
    taken_by = facts.order_payment
    if taken_by is not None:
        is_open = taken_by.status is PaymentStatus.PENDING
        return Reason.ORDER_IN_PROGRESS if is_open else Reason.ORDER_ALREADY_PAID
    if intent.created_at >= order.expires_at:
        return Reason.ORDER_EXPIRED
    if amount - intent.tip != order.amount:
        return Reason.AMOUNT_MISMATCH
    if intent.tip and order.tip is TipMode.NONE:
        return Reason.TIP_NOT_ASKED
    return None


def _refuse_refund(intent: Intent, facts: IntentFacts, amount: int) -> Reason | None:
    if intent.kind is not PaymentKind.REFUND:
        return None
    original = facts.original
    is_paid = original is not None and original.status is PaymentStatus.PAID
    if original is None or not is_paid or original.kind not in _REFUNDABLE:
        return Reason.ORDER_NOT_PAID
    if not _has_way_back(original):
        return Reason.REFUND_NEEDS_KEY
    left = original.taken - original.refunded
    if amount > left or not left:
        return Reason.EXCEEDS_PAID
    return None


def _has_way_back(original: Payment) -> bool:
    """Say whether money can reach the payer: by the account, or by the key left for it."""
    return original.kind is not PaymentKind.PURSE or original.refund_key is not None


def is_refundable(payment: Payment) -> bool:
    """Say whether a merchant could give something of a purchase back now."""
    is_paid = payment.kind in _REFUNDABLE and payment.status is PaymentStatus.PAID
    return is_paid and payment.taken > payment.refunded and _has_way_back(payment)


_REFUNDABLE: Final = frozenset({PaymentKind.PURCHASE, PaymentKind.PURSE})
_UNLIMITED: Final = frozenset({PaymentKind.REFUND, PaymentKind.DEPOSIT})
"""What a payer gets back, and what was the payer's own all the time."""


def _refuse_limits(intent: Intent, facts: IntentFacts, amount: int) -> Reason | None:
    """Hold the payer's and payee's limits; what is given back is never limited."""
    payer, payee = intent.payer, intent.payee
    assert payer is not None, "parties were checked before"
    assert payee is not None, "parties were checked before"
    if intent.kind in _UNLIMITED:
        return None
    if payer.payment_limit is not None and amount > payer.payment_limit:
        return Reason.EXCEEDS_PAYMENT_LIMIT
    if payer.day_limit is not None and facts.spent_today + amount > payer.day_limit:
        return Reason.EXCEEDS_DAY_LIMIT
    if payee.holding_limit is not None and facts.holding + amount > payee.holding_limit:
        return Reason.EXCEEDS_HOLDING_LIMIT
    return None


def _fee_of(intent: Intent, facts: IntentFacts, total: int, reason: Reason | None) -> int:
    """Return the fee to take, or for a refund the part of the fee to give back.

    After each refund, the fee that stays is the fee due on what stays; so a full refund, in
    however many parts, gives back the whole fee.
    """
    if reason is not None or intent.payee is None:
        return 0
    if intent.kind is PaymentKind.REFUND:
        original = facts.original
        assert original is not None, "a refund that is not refused has its payment"
        left = original.taken - original.refunded - total
        stays = fee_due(left, original.fee_basis_points)
        return max(0, original.fee - original.fee_returned - stays)
    return fee_due(total, intent.payee.fee_basis_points)


def _payment(intent: Intent, *, total: int, fee: int) -> Payment:
    payer, payee = intent.payer, intent.payee
    hold_ends = Instant(intent.created_at + HOLD_LIFE_MS * MILLISECOND_NS)
    return Payment(
        id=intent.id,
        kind=intent.kind,
        status=PaymentStatus.PENDING,
        reason=None,
        initiator=intent.initiator,
        key=intent.key,
        body=intent.body,
        payer=None if payer is None else payer.id,
        payee=None if payee is None else payee.id,
        payer_account=_NO_PARTY_ACCOUNT if payer is None else payer.account,
        payee_account=_NO_PARTY_ACCOUNT if payee is None else payee.account,
        total=total,
        tip=max(0, min(intent.tip, total)),
        fee=fee,
        fee_basis_points=0 if payee is None else payee.fee_basis_points,
        order_id=intent.order_id,
        refund_of=intent.refund_of,
        till_id=intent.till_id,
        captured=0,
        refunded=0,
        fee_returned=0,
        steps=0,
        hold_expires_at=hold_ends if intent.is_hold else None,
        sealed_note=intent.sealed_note,
        note_key=intent.note_key,
        created_at=intent.created_at,
        concluded_at=None,
    )


def decide_purse(
    taking: PurseTaking, order: Order | None, order_payment: Payment | None
) -> tuple[Payment, Order] | Reason:
    """Decide whether e-cash may be spent on an order now, or on a new one where it names none.

    Returns:
        The payment, PAID: its proofs are spent in the same commit; and the order it takes.
    """
    payee = taking.payee
    if not payee.is_open:
        return Reason.PAYEE_CLOSED
    if order is None:
        if taking.order_id is not None:
            return Reason.ORDER_NOT_FOUND
        order = _order_of(taking)
    reason = _refuse_taking(taking, order, order_payment)
    if reason is not None:
        return reason
    payment = _payment(
        Intent(
            id=taking.id,
            kind=PaymentKind.PURSE,
            initiator=PURSE_PARTY,
            key=taking.key,
            body=taking.key,
            payer=Party(PURSE_PARTY, PartyKind.OPERATOR, ECASH_ACCOUNT),
            payee=payee,
            amount=taking.total - taking.tip,
            created_at=taking.now,
            tip=taking.tip,
            order_id=order.id,
            till_id=order.till_id,
        ),
        total=taking.total,
        fee=taking.fee,
    )
    paid = msgspec.structs.replace(
        payment,
        status=PaymentStatus.PAID,
        steps=taking.attempt,
        concluded_at=taking.now,
        refund_key=taking.refund_key,
    )
    return paid, msgspec.structs.replace(order, payment_id=paid.id)


def _order_of(taking: PurseTaking) -> Order:
    """Make the order of a payment by static code or handle: the same bits, another kind."""
    return Order(
        id=taking.id,
        merchant=taking.payee.id,
        till_id=None,
        amount=taking.total - taking.tip,
        reference=None,
        basket_hash=None,
        capture=CaptureMode.AUTOMATIC,
        tip=TipMode.PROMPT,
        key=taking.key,
        body=taking.key,
        created_at=taking.now,
        expires_at=Instant(taking.now + 1),
    )


def _refuse_taking(
    taking: PurseTaking, order: Order, order_payment: Payment | None
) -> Reason | None:
    if order.cancelled_at is not None:
        return Reason.ORDER_CANCELLED
    if order_payment is not None:
        is_open = order_payment.status is PaymentStatus.PENDING
        return Reason.ORDER_IN_PROGRESS if is_open else Reason.ORDER_ALREADY_PAID
    if taking.now >= order.expires_at:
        return Reason.ORDER_EXPIRED
    if order.capture is CaptureMode.MANUAL:
        return Reason.PURSE_CANNOT_HOLD
    if taking.total - taking.tip != order.amount or order.merchant != taking.payee.id:
        return Reason.AMOUNT_MISMATCH
    if taking.tip and order.tip is TipMode.NONE:
        return Reason.TIP_NOT_ASKED
    return None


_REASON_OF: Final = {
    TransferStatus.EXCEEDS_CREDITS: Reason.INSUFFICIENT_FUNDS,
    TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED: Reason.PAYER_CLOSED,
    TransferStatus.CREDIT_ACCOUNT_ALREADY_CLOSED: Reason.PAYEE_CLOSED,
}
_SAYS_NOTHING: Final = frozenset({TransferStatus.CREATED, TransferStatus.LINKED_EVENT_FAILED})


def reason_of(statuses: tuple[TransferStatus, ...]) -> Reason | None:
    """Read the ledger's answers to a chain.

    Returns:
        None where every transfer stands, else why the chain fell: the answer of the transfer
        that made it fall. A transfer that exists makes its chain fall too, and means that the
        whole chain was made before, because chains are made whole or not at all.
    """
    assert statuses, "a chain has at least one transfer"
    telling = next((status for status in statuses if status not in _SAYS_NOTHING), None)
    if telling is None:
        assert TransferStatus.LINKED_EVENT_FAILED not in statuses, "a chain falls for a reason"
        return None
    if telling is TransferStatus.EXISTS:
        return None
    return _REASON_OF.get(telling, Reason.TRANSFER_REFUSED)


def conclude(payment: Payment, reason: Reason | None, *, now: Instant) -> Payment:
    """Move a pending payment to its outcome.

    Args:
        payment: The stored payment, PENDING.
        reason: Why the ledger refused, or None where it moved.
        now: When the outcome is recorded.
    """
    assert payment.status is PaymentStatus.PENDING, "only a pending payment is concluded"
    if reason is not None:
        status = PaymentStatus.REFUSED
    elif payment.is_hold:
        status = PaymentStatus.AUTHORISED
    else:
        status = PaymentStatus.PAID
    assert status in TRANSITIONS[payment.status], "the table allows the step"
    return msgspec.structs.replace(payment, status=status, reason=reason, concluded_at=now)


def decide_step(intent: StepIntent, payment: Payment, open_step: Step | None) -> Step:
    """Decide whether a hold may be captured, voided or expired.

    Returns:
        A PENDING step, or one REFUSED with the first reason that holds.
    """
    amount = payment.total if intent.amount is None else intent.amount
    reason = _refuse_step(intent, payment, open_step, amount)
    is_capture = intent.kind is StepKind.CAPTURE
    step = Step(
        payment_id=payment.id,
        number=payment.steps + 1 if reason is None else 0,
        kind=intent.kind,
        status=StepStatus.PENDING,
        reason=None,
        key=intent.key,
        body=intent.body,
        # A refused step may have asked for anything; what is kept of it fits the books.
        amount=max(0, min(amount, payment.total)) if is_capture else 0,
        fee=fee_due(amount, payment.fee_basis_points) if is_capture and reason is None else 0,
        created_at=intent.created_at,
        concluded_at=None,
    )
    if reason is None:
        return step
    return msgspec.structs.replace(
        step, status=StepStatus.REFUSED, reason=reason, concluded_at=intent.created_at
    )


def _refuse_step(
    intent: StepIntent, payment: Payment, open_step: Step | None, amount: int
) -> Reason | None:
    if open_step is not None or payment.status is PaymentStatus.PENDING:
        return Reason.ORDER_IN_PROGRESS
    if payment.status is not PaymentStatus.AUTHORISED:
        return Reason.ORDER_NOT_AUTHORISED
    assert payment.hold_expires_at is not None, "an authorised payment is a hold"
    has_expired = intent.created_at >= payment.hold_expires_at
    if intent.kind is StepKind.EXPIRE:
        return None if has_expired else Reason.HOLD_NOT_EXPIRED
    if payment.steps >= STEPS_PER_PAYMENT_MAX - 1:
        return Reason.TOO_MANY_STEPS
    if intent.kind is StepKind.VOID:
        return None
    if has_expired:
        return Reason.HOLD_EXPIRED
    if amount <= 0:
        return Reason.AMOUNT_NOT_POSITIVE
    if amount > payment.total:
        return Reason.EXCEEDS_HOLD
    return None


_STATUS_AFTER: Final = {
    StepKind.CAPTURE: PaymentStatus.PAID,
    StepKind.VOID: PaymentStatus.VOIDED,
    StepKind.EXPIRE: PaymentStatus.EXPIRED,
}


def conclude_step(
    payment: Payment, step: Step, reason: Reason | None, *, now: Instant
) -> tuple[Payment, Step]:
    """Move a hold to where its step leads, or leave it where the ledger refused the step."""
    assert step.status is StepStatus.PENDING, "only a pending step is concluded"
    if reason is not None:
        refused = msgspec.structs.replace(
            step, status=StepStatus.REFUSED, reason=reason, concluded_at=now
        )
        return payment, refused
    status = _STATUS_AFTER[step.kind]
    assert status in TRANSITIONS[payment.status], "the table allows the step"
    done = msgspec.structs.replace(step, status=StepStatus.DONE, concluded_at=now)
    moved = msgspec.structs.replace(
        payment, status=status, captured=step.amount, fee=step.fee, concluded_at=now
    )
    return moved, done


def order_status(order: Order, payment: Payment | None, *, now: Instant) -> OrderStatus:
    """Return where an order stands, from the order and the payment that took it."""
    if order.cancelled_at is not None:
        return OrderStatus.CANCELLED
    if payment is not None and payment.status is not PaymentStatus.PENDING:
        return _ORDER_STATUS[payment.status]
    is_over = payment is None and now >= order.expires_at
    return OrderStatus.EXPIRED if is_over else OrderStatus.OPEN


_ORDER_STATUS: Final = {
    PaymentStatus.AUTHORISED: OrderStatus.AUTHORISED,
    PaymentStatus.PAID: OrderStatus.PAID,
    PaymentStatus.REFUSED: OrderStatus.OPEN,
    PaymentStatus.VOIDED: OrderStatus.VOIDED,
    PaymentStatus.EXPIRED: OrderStatus.EXPIRED,
}


def decide_cancel(order: Order, payment: Payment | None, *, now: Instant) -> Order | Refused:
    """Cancel an order that nobody has paid; say what stands in the way of any other."""
    if order.cancelled_at is not None:
        return order
    if payment is not None:
        if payment.status is PaymentStatus.PENDING:
            return Refused(Reason.ORDER_IN_PROGRESS)
        return Refused(Reason.ORDER_ALREADY_PAID)
    return msgspec.structs.replace(order, cancelled_at=now)


def kind_between(payer: PartyKind, payee: PartyKind) -> PaymentKind:
    """Return what a payment between two kinds of party is."""
    if payer is PartyKind.OPERATOR:
        return PaymentKind.TOPUP
    if payer is PartyKind.MERCHANT:
        return PaymentKind.CREDIT
    return PaymentKind.PURCHASE if payee is PartyKind.MERCHANT else PaymentKind.PERSON


def is_held(order: Order | None) -> bool:
    """Whether paying this order holds the money for a later capture."""
    return order is not None and order.capture is CaptureMode.MANUAL


_TOLD: Final = {
    (PaymentKind.PURCHASE, PaymentStatus.PAID): (EventKind.PAYMENT_PAID, EventKind.ORDER_PAID),
    (PaymentKind.PURCHASE, PaymentStatus.AUTHORISED): (
        EventKind.PAYMENT_AUTHORISED,
        EventKind.ORDER_AUTHORISED,
    ),
    (PaymentKind.PURCHASE, PaymentStatus.VOIDED): (
        EventKind.PAYMENT_VOIDED,
        EventKind.ORDER_VOIDED,
    ),
    (PaymentKind.PURCHASE, PaymentStatus.EXPIRED): (
        EventKind.PAYMENT_EXPIRED,
        EventKind.ORDER_EXPIRED,
    ),
    (PaymentKind.PURCHASE, PaymentStatus.REFUSED): (EventKind.PAYMENT_REFUSED, None),
    (PaymentKind.PERSON, PaymentStatus.PAID): (
        EventKind.PAYMENT_PAID,
        EventKind.PAYMENT_RECEIVED,
    ),
    (PaymentKind.PERSON, PaymentStatus.REFUSED): (EventKind.PAYMENT_REFUSED, None),
    (PaymentKind.TOPUP, PaymentStatus.PAID): (EventKind.TOPUP_PAID, EventKind.PAYMENT_RECEIVED),
    (PaymentKind.TOPUP, PaymentStatus.REFUSED): (EventKind.TOPUP_REFUSED, None),
    (PaymentKind.REFUND, PaymentStatus.PAID): (
        EventKind.ORDER_REFUNDED,
        EventKind.PAYMENT_REFUNDED,
    ),
    (PaymentKind.REFUND, PaymentStatus.REFUSED): (EventKind.REFUND_REFUSED, None),
    (PaymentKind.CREDIT, PaymentStatus.PAID): (
        EventKind.ORDER_CREDITED,
        EventKind.PAYMENT_RECEIVED,
    ),
    (PaymentKind.CREDIT, PaymentStatus.REFUSED): (EventKind.CREDIT_REFUSED, None),
    (PaymentKind.PURSE, PaymentStatus.PAID): (None, EventKind.ORDER_PAID),
    (PaymentKind.REFILL, PaymentStatus.PAID): (EventKind.PURSE_REFILLED, None),
    (PaymentKind.REFILL, PaymentStatus.REFUSED): (EventKind.REFILL_REFUSED, None),
    (PaymentKind.DEPOSIT, PaymentStatus.PAID): (None, EventKind.PURSE_DEPOSITED),
    (PaymentKind.DEPOSIT, PaymentStatus.REFUSED): (None, EventKind.DEPOSIT_REFUSED),
}
"""What the payer and the payee are told of each outcome. Nobody is told of a payment that somebody
else tried in vain: a merchant learns of payments, not of empty purses."""

_CAPTURED: Final = (EventKind.PAYMENT_CAPTURED, EventKind.ORDER_CAPTURED)


def events_of(payment: Payment, step: Step | None) -> tuple[tuple[AmanaId, EventKind], ...]:
    """Return who is told what of an outcome; a party of None is nobody."""
    is_capture = step is not None and step.kind is StepKind.CAPTURE
    kinds = _CAPTURED if is_capture else _TOLD[payment.kind, payment.status]
    sides = zip((payment.payer, payment.payee), kinds, strict=True)
    return tuple((party, kind) for party, kind in sides if party is not None and kind is not None)


def takings_after(before: Takings, payment: Payment) -> Takings:
    """Add a concluded payment to the payee's, or refund or credit to the payer's, takings."""
    if payment.status is not PaymentStatus.PAID:
        return before
    if payment.kind in _REFUNDABLE:
        return Takings(
            payments=before.payments + 1,
            gross=before.gross + payment.taken,
            fees=before.fees + payment.fee,
            refunded=before.refunded,
        )
    return Takings(
        payments=before.payments,
        gross=before.gross,
        fees=before.fees - payment.fee,
        refunded=before.refunded + payment.total,
    )


def merchant_of(payment: Payment) -> AmanaId | None:
    """Return the merchant whose takings a payment changes, if there is one."""
    if payment.kind in _REFUNDABLE:
        return payment.payee
    return payment.payer if payment.kind in _GIVING_BACK else None


_GIVING_BACK: Final = frozenset({PaymentKind.REFUND, PaymentKind.CREDIT})


def order_of(payment: Payment) -> AmanaId | None:
    """Return the order a payment belongs to, as the merchant knows it.

    A payment by static code or handle is its own order: the same bits, another kind.
    """
    if payment.kind is PaymentKind.REFUND:
        return payment.order_id or payment.refund_of
    if payment.kind is PaymentKind.PURCHASE:
        return payment.order_id or payment.id
    return payment.order_id
