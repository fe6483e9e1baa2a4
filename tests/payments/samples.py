"""Parties, payments and orders to decide about; each test says what differs."""

from typing import Any, Final

import msgspec

from amana.kernel import AmanaId, Instant
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
    StepStatus,
    TipMode,
)

NOW: Final = Instant(1_795_000_000_000_000_000)
KEY: Final = b"k" * 16
BODY: Final = b"b" * 16
AMAL: Final = Party(
    AmanaId(0x100),
    PartyKind.CUSTOMER,
    10,
    payment_limit=1_000,
    day_limit=2_000,
    holding_limit=5_000,
)
BADR: Final = msgspec.structs.replace(AMAL, id=AmanaId(0x200), account=20)
SHOP: Final = Party(AmanaId(0x300), PartyKind.MERCHANT, 30, fee_basis_points=20)
BANK: Final = Party(AmanaId(0x400), PartyKind.OPERATOR, 1)

Differing = Any
"""What a test changes in a sample."""


def intent(**differing: Differing) -> Intent:
    """A purchase of 500."""
    usual: dict[str, Differing] = {
        "id": AmanaId(0x1000),
        "kind": PaymentKind.PURCHASE,
        "initiator": AMAL.id,
        "key": KEY,
        "body": BODY,
        "payer": AMAL,
        "payee": SHOP,
        "amount": 500,
        "created_at": NOW,
    }
    return Intent(**(usual | differing))


def payment(**differing: Differing) -> Payment:
    """A purchase of 1,000 that is paid."""
    usual: dict[str, Differing] = {
        "id": AmanaId(0x2000),
        "kind": PaymentKind.PURCHASE,
        "status": PaymentStatus.PAID,
        "reason": None,
        "initiator": AMAL.id,
        "key": KEY,
        "body": BODY,
        "payer": AMAL.id,
        "payee": SHOP.id,
        "payer_account": AMAL.account,
        "payee_account": SHOP.account,
        "total": 1_000,
        "tip": 0,
        "fee": 2,
        "fee_basis_points": 20,
        "order_id": None,
        "refund_of": None,
        "till_id": None,
        "captured": 0,
        "refunded": 0,
        "fee_returned": 0,
        "steps": 0,
        "hold_expires_at": None,
        "sealed_note": None,
        "note_key": None,
        "created_at": NOW,
        "concluded_at": NOW,
    }
    return Payment(**(usual | differing))


def hold(**differing: Differing) -> Payment:
    """A hold of 1,000 that is authorised."""
    usual: dict[str, Differing] = {
        "status": PaymentStatus.AUTHORISED,
        "fee": 0,
        "hold_expires_at": Instant(NOW + 1_000),
    }
    return payment(**(usual | differing))


def order(**differing: Differing) -> Order:
    """An open order of 500."""
    usual: dict[str, Differing] = {
        "id": AmanaId(0x3000),
        "merchant": SHOP.id,
        "till_id": None,
        "amount": 500,
        "reference": None,
        "basket_hash": None,
        "capture": CaptureMode.AUTOMATIC,
        "tip": TipMode.NONE,
        "key": KEY,
        "body": BODY,
        "created_at": NOW,
        "expires_at": Instant(NOW + 1_000),
    }
    return Order(**(usual | differing))


def step_intent(kind: StepKind = StepKind.CAPTURE, **differing: Differing) -> StepIntent:
    """Somebody ends the hold."""
    usual: dict[str, Differing] = {
        "payment_id": AmanaId(0x2000),
        "kind": kind,
        "key": KEY,
        "body": BODY,
        "amount": None,
        "created_at": NOW,
    }
    return StepIntent(**(usual | differing))


def step(kind: StepKind = StepKind.CAPTURE, **differing: Differing) -> Step:
    """A step that is under way."""
    usual: dict[str, Differing] = {
        "payment_id": AmanaId(0x2000),
        "number": 1,
        "kind": kind,
        "status": StepStatus.PENDING,
        "reason": None,
        "key": KEY,
        "body": BODY,
        "amount": 600 if kind is StepKind.CAPTURE else 0,
        "fee": 1 if kind is StepKind.CAPTURE else 0,
        "created_at": NOW,
        "concluded_at": None,
    }
    return Step(**(usual | differing))
