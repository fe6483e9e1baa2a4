"""From a payment to its transfers: double entry, ids derived from the payment's.

Transfer ids are the payment's id with its low byte filled: the high nibble is the step's number
(0 for the payment itself), the low nibble the leg. So a retry meets itself in the ledger.
"""

from typing import Final

from amana.ledger import Transfer, TransferFlags
from amana.payments.model import Payment, PaymentKind, Step, StepKind

SETTLEMENT_ACCOUNT: Final = 1
"""The operator's money at its bank, seen from the books: debited when money comes in."""

FEES_ACCOUNT: Final = 2
"""Fees taken and not yet settled."""

CODE_SETTLEMENT: Final = 1
CODE_FEES: Final = 2
CODE_CUSTOMER: Final = 10
CODE_MERCHANT: Final = 20
"""Account codes: the chart of accounts."""

TRANSFER_FEE: Final = 100
TRANSFER_FEE_RETURNED: Final = 101
"""Transfer codes beside those of the payment's kind, which are PaymentKind's numbers."""

_MAIN_LEG: Final = 1
_FEE_LEG: Final = 2
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
