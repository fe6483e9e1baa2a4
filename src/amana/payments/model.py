"""What a payment, an order and a step are, and which states follow which."""

from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from amana.kernel import AmanaId, Instant


class PartyKind(IntEnum):
    """Who stands on a side of a payment."""

    CUSTOMER = 1
    MERCHANT = 2
    OPERATOR = 3


class Party(msgspec.Struct, frozen=True):
    """What the rules need to know of a payer or payee.

    Limits are minor units: the largest payment, the largest sum of one UTC day, and the largest
    balance; None where there is none. The fee is what the payee pays, in hundredths of a percent.
    """

    id: AmanaId
    kind: PartyKind
    account: int
    is_open: bool = True
    payment_limit: int | None = None
    day_limit: int | None = None
    holding_limit: int | None = None
    fee_basis_points: int = 0


class PaymentKind(IntEnum):
    """Why money moves."""

    PURCHASE = 1
    PERSON = 2
    TOPUP = 3
    REFUND = 4
    CREDIT = 5
    """From a merchant to a customer, with no earlier payment to refund."""
    PURSE = 6
    """A purchase paid with e-cash: nobody but the payer knows the payer."""
    REFILL = 7
    """From a customer's account into e-cash of the same customer."""
    DEPOSIT = 8
    """From e-cash into a customer's account."""


PURSE_PARTY: Final = AmanaId(2)
"""Whoever holds e-cash, as one party: it pays purchases, and refunds of them come back to it."""

ECASH_ACCOUNT: Final = 3
"""The ledger account of e-cash that is out: what the operator owes to whoever holds proofs."""


class PaymentStatus(IntEnum):
    """Where a payment stands. PENDING is unfinished: its outcome is not known yet."""

    PENDING = 1
    AUTHORISED = 2
    PAID = 3
    REFUSED = 4
    VOIDED = 5
    EXPIRED = 6


TRANSITIONS: Final = {
    PaymentStatus.PENDING: frozenset(
        {PaymentStatus.AUTHORISED, PaymentStatus.PAID, PaymentStatus.REFUSED}
    ),
    PaymentStatus.AUTHORISED: frozenset(
        {PaymentStatus.PAID, PaymentStatus.VOIDED, PaymentStatus.EXPIRED}
    ),
    PaymentStatus.PAID: frozenset[PaymentStatus](),
    PaymentStatus.REFUSED: frozenset[PaymentStatus](),
    PaymentStatus.VOIDED: frozenset[PaymentStatus](),
    PaymentStatus.EXPIRED: frozenset[PaymentStatus](),
}
"""Which status may follow which; a payment moves by this table only."""


class Reason(StrEnum):
    """Why a payment, a step or an order was refused: the slug of its problem page."""

    AMOUNT_NOT_POSITIVE = "amount-not-positive"
    AMOUNT_TOO_LARGE = "amount-too-large"
    PAYEE_NOT_FOUND = "payee-not-found"
    PAYEE_IS_PAYER = "payee-is-payer"
    PAYER_CLOSED = "payer-closed"
    PAYEE_CLOSED = "payee-closed"
    TIP_NOT_ASKED = "tip-not-asked"
    ORDER_NOT_FOUND = "order-not-found"
    ORDER_CANCELLED = "order-cancelled"
    ORDER_EXPIRED = "order-expired"
    ORDER_ALREADY_PAID = "order-already-paid"
    ORDER_IN_PROGRESS = "order-in-progress"
    ORDER_NOT_AUTHORISED = "order-not-authorised"
    ORDER_NOT_PAID = "order-not-paid"
    REFUND_NEEDS_KEY = "refund-needs-key"
    AMOUNT_MISMATCH = "amount-mismatch"
    PURSE_CANNOT_HOLD = "purse-cannot-hold"
    EXCEEDS_PAYMENT_LIMIT = "exceeds-payment-limit"
    EXCEEDS_DAY_LIMIT = "exceeds-day-limit"
    EXCEEDS_HOLDING_LIMIT = "exceeds-holding-limit"
    EXCEEDS_PAID = "exceeds-paid"
    EXCEEDS_HOLD = "exceeds-hold"
    HOLD_EXPIRED = "hold-expired"
    HOLD_NOT_EXPIRED = "hold-not-expired"
    TOO_MANY_STEPS = "too-many-steps"
    INSUFFICIENT_FUNDS = "insufficient-funds"
    TRANSFER_REFUSED = "transfer-refused"


class Intent(msgspec.Struct, frozen=True):
    """What somebody asks for: the facts that are there before anything is decided.

    `key` and `body` are 16-byte hashes: of the asker with the idempotency key, and of the request.
    An `amount` of None refunds all that is left.
    """

    id: AmanaId
    kind: PaymentKind
    initiator: AmanaId
    key: bytes
    body: bytes
    payer: Party | None
    payee: Party | None
    amount: int | None
    created_at: Instant
    tip: int = 0
    order_id: AmanaId | None = None
    refund_of: AmanaId | None = None
    is_hold: bool = False
    till_id: AmanaId | None = None
    sealed_note: str | None = None
    note_key: bytes | None = None


class Payment(msgspec.Struct, frozen=True):
    """A payment as stored. Amounts are minor units of the operator's currency.

    `total` moves from payer to payee, `fee` from the merchant to the operator (for a refund: the
    fee given back to the merchant). `captured` is what a hold became; `refunded` and
    `fee_returned` are what later payments gave back or are giving back. `refund_key` is the
    one-time key (33 bytes, compressed) that a payer from the purse left, for refunds alone.
    """

    id: AmanaId
    kind: PaymentKind
    status: PaymentStatus
    reason: Reason | None
    initiator: AmanaId
    key: bytes
    body: bytes
    payer: AmanaId | None
    payee: AmanaId | None
    payer_account: int
    payee_account: int
    total: int
    tip: int
    fee: int
    fee_basis_points: int
    order_id: AmanaId | None
    refund_of: AmanaId | None
    till_id: AmanaId | None
    captured: int
    refunded: int
    fee_returned: int
    steps: int
    hold_expires_at: Instant | None
    sealed_note: str | None
    note_key: bytes | None
    created_at: Instant
    concluded_at: Instant | None
    refund_key: bytes | None = None

    @property
    def is_hold(self) -> bool:
        """Whether the payer authorised and the payee captures."""
        return self.hold_expires_at is not None

    @property
    def taken(self) -> int:
        """What the payee has: all of a direct payment, the captured part of a hold."""
        if self.status is not PaymentStatus.PAID:
            return 0
        return self.captured if self.is_hold else self.total


class PurseTaking(msgspec.Struct, frozen=True):
    """What e-cash pays to a merchant: the facts of a redemption that spends its proofs now.

    `attempt` is the number of the hold in the ledger; without an order one is made for it. Without
    a `refund_key` nothing can be given back later: nobody but the payer knows the payer.
    """

    id: AmanaId
    payee: Party
    order_id: AmanaId | None
    total: int
    tip: int
    fee: int
    attempt: int
    key: bytes
    now: Instant
    refund_key: bytes | None = None


class StepKind(IntEnum):
    """What ends a hold."""

    CAPTURE = 1
    VOID = 2
    EXPIRE = 3


class StepStatus(IntEnum):
    """Where a step stands. PENDING is unfinished."""

    PENDING = 1
    DONE = 2
    REFUSED = 3


class StepIntent(msgspec.Struct, frozen=True):
    """Somebody asks to end a hold; `amount` of None captures all of it."""

    payment_id: AmanaId
    kind: StepKind
    key: bytes
    body: bytes
    amount: int | None
    created_at: Instant


class Step(msgspec.Struct, frozen=True):
    """A step as stored, with what it took and the fee on it.

    `number` counts the steps that went to the ledger; it is 0 for one refused before.
    """

    payment_id: AmanaId
    number: int
    kind: StepKind
    status: StepStatus
    reason: Reason | None
    key: bytes
    body: bytes
    amount: int
    fee: int
    created_at: Instant
    concluded_at: Instant | None


class CaptureMode(IntEnum):
    """Whether paying an order takes the money at once, or holds it."""

    AUTOMATIC = 1
    MANUAL = 2


class TipMode(IntEnum):
    """Whether the payer is asked for a tip."""

    NONE = 1
    PROMPT = 2


class Order(msgspec.Struct, frozen=True):
    """What a merchant asks to be paid. What was bought is only here as a hash."""

    id: AmanaId
    merchant: AmanaId
    till_id: AmanaId | None
    amount: int
    reference: str | None
    basket_hash: bytes | None
    capture: CaptureMode
    tip: TipMode
    key: bytes
    body: bytes
    created_at: Instant
    expires_at: Instant
    payment_id: AmanaId | None = None
    cancelled_at: Instant | None = None


class OrderStatus(StrEnum):
    """Where an order stands; follows from the order and the payment that took it."""

    OPEN = "open"
    AUTHORISED = "authorised"
    PAID = "paid"
    CANCELLED = "cancelled"
    VOIDED = "voided"
    EXPIRED = "expired"


class Takings(msgspec.Struct, frozen=True):
    """What a merchant took on one UTC day, minor units; `fees` are less what was given back."""

    payments: int = 0
    gross: int = 0
    fees: int = 0
    refunded: int = 0


class IdReused(msgspec.Struct, frozen=True):
    """The same key came with another request."""


class NotFound(msgspec.Struct, frozen=True):
    """There is no such thing, or it is somebody else's: the asker cannot tell."""


class Refused(msgspec.Struct, frozen=True):
    """A refusal that names its reason and changes nothing."""

    reason: Reason
