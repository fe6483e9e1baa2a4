"""What the ledger's answers mean, and how holds end."""

from typing import Final

import msgspec

from amana.kernel import Instant
from amana.kernel.limits import STEPS_PER_PAYMENT_MAX
from amana.ledger import TransferStatus
from amana.payments.model import (
    TRANSITIONS,
    Payment,
    PaymentStatus,
    Reason,
    Step,
    StepIntent,
    StepKind,
    StepStatus,
)
from amana.payments.rules._intents import fee_due

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
