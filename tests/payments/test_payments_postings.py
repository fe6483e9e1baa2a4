"""Which transfers make a payment: one chain, double entry, ids that a retry meets again."""

import pytest
from tests.payments.samples import AMAL, SHOP, hold, intent, payment, step

from amana.ledger import TransferFlags
from amana.payments import postings, rules
from amana.payments.model import Payment, PaymentKind, PaymentStatus, StepKind

LEDGER = 978


def chain(of: Payment) -> list[tuple[int, int, int, int]]:
    return [
        (transfer.id & 0xFF, transfer.debit_account_id, transfer.credit_account_id, transfer.amount)
        for transfer in postings.of_payment(of, ledger=LEDGER)
    ]


def test_a_purchase_and_its_fee_are_one_chain() -> None:
    pending = payment(status=PaymentStatus.PENDING)
    assert chain(pending) == [
        (1, AMAL.account, SHOP.account, 1_000),
        (2, SHOP.account, postings.FEES_ACCOUNT, 2),
    ]
    first, last = postings.of_payment(pending, ledger=LEDGER)
    assert first.flags & TransferFlags.LINKED
    assert not last.flags & TransferFlags.LINKED


def test_a_payment_without_a_fee_is_one_transfer() -> None:
    assert chain(payment(fee=0)) == [(1, AMAL.account, SHOP.account, 1_000)]


def test_a_hold_is_one_pending_transfer_without_a_timeout() -> None:
    (pending,) = postings.of_payment(hold(fee=2), ledger=LEDGER)
    assert pending.flags == TransferFlags.PENDING
    assert pending.timeout_s == 0


def test_a_refund_gives_the_fee_back_before_the_amount() -> None:
    asked = intent(kind=PaymentKind.REFUND, payer=SHOP, payee=AMAL, amount=None)
    decided = rules.decide_intent(asked, rules.IntentFacts(original=payment()))
    assert chain(decided) == [
        (2, postings.FEES_ACCOUNT, SHOP.account, 2),
        (1, SHOP.account, AMAL.account, 1_000),
    ]
    first, last = postings.of_payment(decided, ledger=LEDGER)
    assert first.flags & TransferFlags.LINKED
    assert not last.flags & TransferFlags.LINKED


def test_a_refund_without_a_fee_is_one_transfer() -> None:
    refund = payment(kind=PaymentKind.REFUND, fee=0, payer_account=30, payee_account=10)
    assert chain(refund) == [(1, 30, 10, 1_000)]


@pytest.mark.parametrize(
    ("kind", "amount", "fee", "flag", "legs"),
    [
        (StepKind.CAPTURE, 1_000, 2, TransferFlags.POST_PENDING_TRANSFER, [0x11, 0x12]),
        (StepKind.CAPTURE, 100, 0, TransferFlags.POST_PENDING_TRANSFER, [0x11]),
        (StepKind.VOID, 0, 0, TransferFlags.VOID_PENDING_TRANSFER, [0x11]),
        (StepKind.EXPIRE, 0, 0, TransferFlags.VOID_PENDING_TRANSFER, [0x11]),
    ],
)
def test_a_step_posts_or_voids_what_is_pending(
    kind: StepKind, amount: int, fee: int, flag: TransferFlags, legs: list[int]
) -> None:
    transfers = postings.of_step(hold(), step(kind, amount=amount, fee=fee), ledger=LEDGER)
    assert [transfer.id & 0xFF for transfer in transfers] == legs
    assert transfers[0].flags & flag
    assert transfers[0].pending_id == hold().id | 1
    assert transfers[0].amount == amount


def test_no_two_transfers_of_a_payment_share_an_id() -> None:
    made = [*postings.of_payment(payment(), ledger=LEDGER)]
    for number in range(1, 16):
        made += postings.of_step(hold(), step(number=number, amount=1_000, fee=2), ledger=LEDGER)
    assert len({transfer.id for transfer in made}) == len(made)
