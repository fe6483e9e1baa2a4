"""Purchases from the purse: what the rules decide, and what moves in the ledger."""

import msgspec
import pytest

from amana.kernel import AmanaId, Instant
from amana.ledger import TransferFlags
from amana.payments import postings, rules
from amana.payments.model import (
    ECASH_ACCOUNT,
    PURSE_PARTY,
    CaptureMode,
    Order,
    Party,
    PartyKind,
    Payment,
    PaymentKind,
    PaymentStatus,
    PurseTaking,
    Reason,
    Takings,
    TipMode,
)
from amana.payments.postings import PurseHold

NOW = Instant(1_800_000_000_000_000_000)
SHOP = Party(AmanaId(0x2800), PartyKind.MERCHANT, account=7, fee_basis_points=250)
KEY = bytes(16)
ORDER = Order(
    id=AmanaId(0x100),
    merchant=SHOP.id,
    till_id=AmanaId(0x900),
    amount=95,
    reference=None,
    basket_hash=None,
    capture=CaptureMode.AUTOMATIC,
    tip=TipMode.PROMPT,
    key=KEY,
    body=KEY,
    created_at=NOW,
    expires_at=Instant(NOW + 10),
)
TAKING = PurseTaking(
    id=AmanaId(0x500),
    payee=SHOP,
    order_id=ORDER.id,
    total=100,
    tip=5,
    fee=2,
    attempt=3,
    key=KEY,
    now=NOW,
)


def taking(**differing: object) -> PurseTaking:
    return msgspec.structs.replace(TAKING, **differing)


def order(**differing: object) -> Order:
    return msgspec.structs.replace(ORDER, **differing)


def taken(status: PaymentStatus = PaymentStatus.PAID) -> Payment:
    decided = rules.decide_purse(TAKING, ORDER, None)
    assert isinstance(decided, tuple)
    return msgspec.structs.replace(decided[0], status=status)


def test_e_cash_pays_an_order_at_once_and_names_nobody() -> None:
    decided = rules.decide_purse(TAKING, ORDER, None)
    assert isinstance(decided, tuple)
    payment, after = decided
    assert (payment.kind, payment.status) == (PaymentKind.PURSE, PaymentStatus.PAID)
    assert (payment.payer, payment.initiator) == (PURSE_PARTY, PURSE_PARTY)
    assert (payment.total, payment.tip, payment.fee, payment.steps) == (100, 5, 2, 3)
    assert (payment.till_id, payment.concluded_at) == (ORDER.till_id, NOW)
    assert after.payment_id == payment.id
    assert rules.order_of(payment) == ORDER.id


def test_without_an_order_one_is_made_that_is_paid() -> None:
    decided = rules.decide_purse(taking(order_id=None), None, None)
    assert isinstance(decided, tuple)
    payment, made = decided
    assert (made.id, made.amount, made.merchant) == (payment.id, 95, SHOP.id)
    assert made.payment_id == payment.id == payment.order_id


@pytest.mark.parametrize(
    ("asked", "of", "paying", "reason"),
    [
        (
            taking(payee=msgspec.structs.replace(SHOP, is_open=False)),
            ORDER,
            None,
            Reason.PAYEE_CLOSED,
        ),
        (TAKING, None, None, Reason.ORDER_NOT_FOUND),
        (TAKING, order(cancelled_at=NOW), None, Reason.ORDER_CANCELLED),
        (TAKING, ORDER, taken(PaymentStatus.PENDING), Reason.ORDER_IN_PROGRESS),
        (TAKING, ORDER, taken(), Reason.ORDER_ALREADY_PAID),
        (taking(now=ORDER.expires_at), ORDER, None, Reason.ORDER_EXPIRED),
        (TAKING, order(capture=CaptureMode.MANUAL), None, Reason.PURSE_CANNOT_HOLD),
        (taking(total=101), ORDER, None, Reason.AMOUNT_MISMATCH),
        (TAKING, order(merchant=AmanaId(0x2900)), None, Reason.AMOUNT_MISMATCH),
        (TAKING, order(tip=TipMode.NONE), None, Reason.TIP_NOT_ASKED),
    ],
)
def test_what_stands_in_the_way_is_named(
    asked: PurseTaking, of: Order | None, paying: Payment | None, reason: Reason
) -> None:
    assert rules.decide_purse(asked, of, paying) is reason


def test_a_purchase_from_the_purse_counts_as_the_shops_and_tells_the_shop_alone() -> None:
    payment = taken()
    assert rules.merchant_of(payment) == SHOP.id
    assert rules.takings_after(Takings(), payment) == Takings(payments=1, gross=100, fees=2)
    assert [party for party, _ in rules.events_of(payment, None)] == [SHOP.id]


HOLD = PurseHold(AmanaId(0x500), attempt=3, payee_account=7, total=100, fee=2)


def test_a_hold_reserves_the_shops_part_and_the_fee_together() -> None:
    main, fee = postings.of_purse_hold(HOLD, ledger=978)
    assert (main.id, main.credit_account_id, main.amount) == (0x531, 7, 98)
    assert (fee.id, fee.credit_account_id, fee.amount) == (0x532, postings.FEES_ACCOUNT, 2)
    assert main.debit_account_id == fee.debit_account_id == ECASH_ACCOUNT
    assert main.flags == TransferFlags.PENDING | TransferFlags.LINKED
    assert fee.flags == TransferFlags.PENDING
    assert main.timeout_s == fee.timeout_s == 0


@pytest.mark.parametrize(
    ("is_void", "ids", "amounts"),
    [(False, [0x533, 0x534], [98, 2]), (True, [0x535, 0x536], [0, 0])],
)
def test_an_end_is_of_the_same_attempt(
    *, is_void: bool, ids: list[int], amounts: list[int]
) -> None:
    chain = postings.of_purse_end(HOLD, is_void=is_void)
    assert [transfer.id for transfer in chain] == ids
    assert [transfer.pending_id for transfer in chain] == [0x531, 0x532]
    assert [transfer.amount for transfer in chain] == amounts
    assert not chain[-1].flags & TransferFlags.LINKED


def test_a_part_of_nothing_is_left_out() -> None:
    (alone,) = postings.of_purse_hold(HOLD._replace(fee=0), ledger=978)
    assert alone.amount == 100
    (whole,) = postings.of_purse_end(HOLD._replace(fee=100), is_void=False)
    assert whole.pending_id == 0x532


def test_attempts_share_no_transfer() -> None:
    ids: set[int] = set()
    for attempt in range(1, 16):
        hold = HOLD._replace(attempt=attempt)
        for chain in (
            postings.of_purse_hold(hold, ledger=978),
            postings.of_purse_end(hold, is_void=False),
            postings.of_purse_end(hold, is_void=True),
        ):
            ids |= {transfer.id for transfer in chain}
    assert len(ids) == 15 * 6
