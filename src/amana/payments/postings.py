"""From a payment to its transfers: double entry, ids derived from the payment's.

Transfer ids are the payment's id with its low byte filled: the high nibble is the step's number
(0 for the payment itself), the low nibble the leg. So a retry meets itself in the ledger.
"""

from typing import Final, NamedTuple

import msgspec

from amana.kernel import AmanaId
from amana.ledger import Transfer, TransferFlags
from amana.payments.model import ECASH_ACCOUNT, Payment, PaymentKind, Step, StepKind

SETTLEMENT_ACCOUNT: Final = 1
"""The operator's money at its bank, seen from the books: debited when money comes in."""

FEES_ACCOUNT: Final = 2
"""Fees taken and not yet settled."""

CODE_SETTLEMENT: Final = 1
CODE_FEES: Final = 2
CODE_ECASH: Final = 3
CODE_CUSTOMER: Final = 10
CODE_MERCHANT: Final = 20
"""Account codes: the chart of accounts."""

TRANSFER_FEE: Final = 100
TRANSFER_FEE_RETURNED: Final = 101
TRANSFER_PURSE_FEE: Final = 102
"""Transfer codes beside those of the payment's kind, which are PaymentKind's numbers."""

_MAIN_LEG: Final = 1
_FEE_LEG: Final = 2
_POST_LEGS: Final = 2
_VOID_LEGS: Final = 4
"""What is added to a purse payment's legs to post and to void them."""
_STEP_SHIFT: Final = 4


def of_payment(payment: Payment, *, ledger: int) -> tuple[Transfer, ...]:
    """Return the chain that makes a payment: all of it stands or none."""
    if payment.kind is PaymentKind.REFUND:
        return _of_refund(payment, ledger)
    if payment.is_hold:
        return (_main(payment, ledger, TransferFlags.PENDING),)
    if not payment.fee:
        return (_main(payment, ledger, TransferFlags(0)),)
    fee = Transfer(
        id=payment.id | _FEE_LEG,
        debit_account_id=payment.payee_account,
        credit_account_id=FEES_ACCOUNT,
        amount=payment.fee,
        ledger=ledger,
        code=TRANSFER_FEE,
    )
    return _main(payment, ledger, TransferFlags.LINKED), fee


def of_step(payment: Payment, step: Step, *, ledger: int) -> tuple[Transfer, ...]:
    """Return the chain that captures, voids or expires a hold."""
    base = payment.id | step.number << _STEP_SHIFT
    if step.kind is not StepKind.CAPTURE:
        return (_resolve(base, payment, amount=0, flags=TransferFlags.VOID_PENDING_TRANSFER),)
    if not step.fee:
        return (_resolve(base, payment, amount=step.amount, flags=_POST),)
    fee = Transfer(
        id=base | _FEE_LEG,
        debit_account_id=payment.payee_account,
        credit_account_id=FEES_ACCOUNT,
        amount=step.fee,
        ledger=ledger,
        code=TRANSFER_FEE,
    )
    flags = _POST | TransferFlags.LINKED
    return _resolve(base, payment, amount=step.amount, flags=flags), fee


_POST: Final = TransferFlags.POST_PENDING_TRANSFER


def main_transfer_id(payment_id: AmanaId) -> int:
    """Return the id of the transfer that moves what a payment says, where it is no hold."""
    return payment_id | _MAIN_LEG


def purse_post_ids(payment_id: AmanaId, attempt: int) -> tuple[int, int]:
    """Return the ids by which an attempt's holds are posted: the payee's part and the fee's."""
    base = payment_id | attempt << _STEP_SHIFT
    return base | _MAIN_LEG + _POST_LEGS, base | _FEE_LEG + _POST_LEGS


class PurseHold(NamedTuple):
    """What a purse payment holds: the attempt's number, who is paid, and how much of it is fee."""

    payment_id: AmanaId
    attempt: int
    payee_account: int
    total: int
    fee: int


def of_purse_hold(hold: PurseHold, *, ledger: int) -> tuple[Transfer, ...]:
    """Return the chain that reserves e-cash for a merchant and for the fee; without a timeout."""
    base = hold.payment_id | hold.attempt << _STEP_SHIFT
    legs = [
        (_MAIN_LEG, hold.payee_account, hold.total - hold.fee, int(PaymentKind.PURSE)),
        (_FEE_LEG, FEES_ACCOUNT, hold.fee, TRANSFER_PURSE_FEE),
    ]
    chain = [
        Transfer(
            id=base | leg,
            debit_account_id=ECASH_ACCOUNT,
            credit_account_id=account,
            amount=amount,
            ledger=ledger,
            code=code,
            flags=TransferFlags.PENDING | TransferFlags.LINKED,
        )
        for leg, account, amount, code in legs
        if amount
    ]
    return _closed(chain)


def of_purse_end(hold: PurseHold, *, is_void: bool) -> tuple[Transfer, ...]:
    """Return the chain that posts or voids what a purse payment reserved."""
    base = hold.payment_id | hold.attempt << _STEP_SHIFT
    flags = TransferFlags.VOID_PENDING_TRANSFER if is_void else TransferFlags.POST_PENDING_TRANSFER
    shift = _VOID_LEGS if is_void else _POST_LEGS
    legs = [(_MAIN_LEG, hold.total - hold.fee), (_FEE_LEG, hold.fee)]
    chain = [
        Transfer(
            id=base | leg + shift,
            pending_id=base | leg,
            debit_account_id=0,
            credit_account_id=0,
            amount=0 if is_void else amount,
            ledger=0,
            code=0,
            flags=flags | TransferFlags.LINKED,
        )
        for leg, amount in legs
        if amount
    ]
    return _closed(chain)


def _closed(chain: list[Transfer]) -> tuple[Transfer, ...]:
    """End a chain with its last transfer."""
    last = chain[-1]
    chain[-1] = msgspec.structs.replace(last, flags=last.flags & ~TransferFlags.LINKED)
    return tuple(chain)


def _main(payment: Payment, ledger: int, flags: TransferFlags) -> Transfer:
    return Transfer(
        id=payment.id | _MAIN_LEG,
        debit_account_id=payment.payer_account,
        credit_account_id=payment.payee_account,
        amount=payment.total,
        ledger=ledger,
        code=int(payment.kind),
        flags=flags,
    )


def _of_refund(payment: Payment, ledger: int) -> tuple[Transfer, ...]:
    """Give the fee back first, so that a merchant with nothing else left can refund in full."""
    main = _main(payment, ledger, TransferFlags(0))
    if not payment.fee:
        return (main,)
    fee = Transfer(
        id=payment.id | _FEE_LEG,
        debit_account_id=FEES_ACCOUNT,
        credit_account_id=payment.payer_account,
        amount=payment.fee,
        ledger=ledger,
        code=TRANSFER_FEE_RETURNED,
        flags=TransferFlags.LINKED,
    )
    return fee, main


def _resolve(base: int, payment: Payment, *, amount: int, flags: TransferFlags) -> Transfer:
    """Post or void the pending transfer; accounts, ledger and code are the pending one's."""
    return Transfer(
        id=base | _MAIN_LEG,
        pending_id=payment.id | _MAIN_LEG,
        debit_account_id=0,
        credit_account_id=0,
        amount=amount,
        ledger=0,
        code=0,
        flags=flags,
    )
