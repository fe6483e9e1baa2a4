"""Intents, orders, payments and holds to decide on; each test changes what it is about."""

from typing import Any, Final

from msgspec.structs import replace

from amana.kernel import SECOND_NS, AmanaId, Instant
from amana.payments import rules
from amana.payments.model import (
    CaptureMode,
    Intent,
    Order,
    Party,
    PartyKind,
    Payment,
    PaymentKind,
    PaymentStatus,
    Step,
    StepIntent,
    StepKind,
    TipMode,
)

NOW: Final = Instant(1_800_000_000 * SECOND_NS)
LATER: Final = Instant(NOW + SECOND_NS)

CUSTOMER: Final = Party(AmanaId(2 << 8), PartyKind.CUSTOMER, account=201)
FRIEND: Final = Party(AmanaId(3 << 8), PartyKind.CUSTOMER, account=202)
MERCHANT: Final = Party(AmanaId(4 << 8), PartyKind.MERCHANT, account=203, fee_basis_points=20)
OPERATOR: Final = Party(AmanaId(1), PartyKind.OPERATOR, account=1)


def intent(**changed: Any) -> Intent:
    """A purchase of 1,250 from the merchant."""
    plain = Intent(
        id=AmanaId(100 << 8),
        kind=PaymentKind.PURCHASE,
        initiator=CUSTOMER.id,
        key=bytes(16),
        body=bytes(16),
        payer=CUSTOMER,
        payee=MERCHANT,
        amount=1_250,
        created_at=NOW,
    )
    return replace(plain, **changed)


def order(**changed: Any) -> Order:
    """An open order of 1,250 with ten minutes left."""
    plain = Order(
        id=AmanaId(50 << 8),
        merchant=MERCHANT.id,
        till_id=None,
        amount=1_250,
        reference=None,
        basket_hash=None,
        capture=CaptureMode.AUTOMATIC,
        tip=TipMode.NONE,
        key=bytes(16),
        body=bytes(16),
        created_at=NOW,
        expires_at=Instant(NOW + 600 * SECOND_NS),
    )
    return replace(plain, **changed)


def payment(status: PaymentStatus = PaymentStatus.PENDING, **changed: Any) -> Payment:
    """The purchase as stored."""
    stored = rules.decide_intent(intent(), rules.IntentFacts())
    return replace(stored, **{"status": status, **changed})


def hold(status: PaymentStatus = PaymentStatus.AUTHORISED, **changed: Any) -> Payment:
    """The purchase as a hold."""
    stored = rules.decide_intent(intent(is_hold=True), rules.IntentFacts())
    return replace(stored, **{"status": status, **changed})


def step_intent(kind: StepKind = StepKind.CAPTURE, **changed: Any) -> StepIntent:
    """Somebody asks to end the hold."""
    plain = StepIntent(hold().id, kind, bytes(16), bytes(16), None, LATER)
    return replace(plain, **changed)


def step(kind: StepKind = StepKind.CAPTURE, of: Payment | None = None, **changed: Any) -> Step:
    """A pending step on the hold."""
    decided = rules.decide_step(step_intent(kind, **changed), of or hold(), None)
    assert decided.reason is None, decided.reason
    return decided


def refund(amount: int | None, **changed: Any) -> Intent:
    """The merchant gives some of the purchase back."""
    return intent(
        id=AmanaId(101 << 8),
        kind=PaymentKind.REFUND,
        payer=MERCHANT,
        payee=CUSTOMER,
        amount=amount,
        refund_of=payment().id,
        **changed,
    )
