"""Posting, voiding and expiring what a pending transfer holds."""

from collections.abc import Sequence

import msgspec

from amana.ledger.model import (
    AMOUNT_MAX_SENTINEL,
    ID_MAX,
    Expiry,
    HoldStatus,
    Transfer,
    TransferStatus,
)
from amana.ledger.rules._books import (
    BALANCING_CREDIT,
    BALANCING_DEBIT,
    CLOSED,
    CLOSING_CREDIT,
    CLOSING_DEBIT,
    HISTORY,
    PENDING,
    POST,
    VOID,
    AccountState,
    Books,
    Hold,
    move_pending,
)

_NOTHING_AGAINST_IT = TransferStatus.CREATED
_CONCLUSION_EXCLUDES = PENDING | BALANCING_DEBIT | BALANCING_CREDIT | CLOSING_DEBIT | CLOSING_CREDIT


def conclude_hold(books: Books, transfer: Transfer, timestamp: int) -> TransferStatus:
    """Post or void a hold, or say what is against it first of all."""
    status = _check_form(transfer)
    if status:
        return status
    held = books.transfers.get(transfer.pending_id)
    if held is None:
        return TransferStatus.PENDING_TRANSFER_NOT_FOUND
    if not held.flags & PENDING:
        return TransferStatus.PENDING_TRANSFER_NOT_PENDING
    hold = books.holds[held.id]
    amount = _amount_concluded(transfer, held)
    debit = books.accounts[held.debit_account_id]
    credit = books.accounts[held.credit_account_id]
    status = (
        _check_against_hold(transfer, held)
        or _check_amount(transfer, held, amount)
        or _check_state(hold, timestamp)
        or _check_open(transfer, debit, credit)
    )
    if not status:
        _conclude(books, _stored(transfer, held, amount, timestamp), held, hold)
    return status


def _check_form(transfer: Transfer) -> TransferStatus:
    flags = int(transfer.flags)
    if flags & POST and flags & VOID:
        return TransferStatus.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    if flags & _CONCLUSION_EXCLUDES:
        return TransferStatus.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    if transfer.pending_id == 0:
        return TransferStatus.PENDING_ID_MUST_NOT_BE_ZERO
    if transfer.pending_id == ID_MAX:
        return TransferStatus.PENDING_ID_MUST_NOT_BE_INT_MAX
    if transfer.pending_id == transfer.id:
        return TransferStatus.PENDING_ID_MUST_BE_DIFFERENT
    if transfer.timeout_s != 0:
        return TransferStatus.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
    return _NOTHING_AGAINST_IT


def _check_against_hold(transfer: Transfer, held: Transfer) -> TransferStatus:
    """Compare with the hold; zero stands for the hold's value, and user data may differ."""
    if transfer.debit_account_id not in {0, held.debit_account_id}:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID
    if transfer.credit_account_id not in {0, held.credit_account_id}:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID
    if transfer.ledger not in {0, held.ledger}:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_LEDGER
    if transfer.code not in {0, held.code}:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_CODE
    return _NOTHING_AGAINST_IT


def _amount_concluded(transfer: Transfer, held: Transfer) -> int:
    """Return what is posted or voided; voiding says all by zero, posting by the sentinel."""
    all_of_it = 0 if int(transfer.flags) & VOID else AMOUNT_MAX_SENTINEL
    return held.amount if transfer.amount == all_of_it else transfer.amount


def _check_amount(transfer: Transfer, held: Transfer, amount: int) -> TransferStatus:
    if amount > held.amount:
        return TransferStatus.EXCEEDS_PENDING_TRANSFER_AMOUNT
    if int(transfer.flags) & VOID and amount < held.amount:
        return TransferStatus.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT
    return _NOTHING_AGAINST_IT


def _check_state(hold: Hold, timestamp: int) -> TransferStatus:
    if hold.status is HoldStatus.POSTED:
        return TransferStatus.PENDING_TRANSFER_ALREADY_POSTED
    if hold.status is HoldStatus.VOIDED:
        return TransferStatus.PENDING_TRANSFER_ALREADY_VOIDED
    # Due holds expire before each batch; this one may have come due within the batch.
    if hold.status is HoldStatus.EXPIRED or 0 < hold.expires_at <= timestamp:
        return TransferStatus.PENDING_TRANSFER_EXPIRED
    return _NOTHING_AGAINST_IT


def _check_open(transfer: Transfer, debit: AccountState, credit: AccountState) -> TransferStatus:
    """A closed account takes no posting; voiding is how it is opened again."""
    if int(transfer.flags) & VOID:
        return _NOTHING_AGAINST_IT
    if debit.flags & CLOSED:
        return TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED
    if credit.flags & CLOSED:
        return TransferStatus.CREDIT_ACCOUNT_ALREADY_CLOSED
    return _NOTHING_AGAINST_IT


def _stored(transfer: Transfer, held: Transfer, amount: int, timestamp: int) -> Transfer:
    """Fill what the caller left to the hold."""
    return msgspec.structs.replace(
        transfer,
        debit_account_id=held.debit_account_id,
        credit_account_id=held.credit_account_id,
        amount=amount,
        user_data_128=transfer.user_data_128 or held.user_data_128,
        user_data_64=transfer.user_data_64 or held.user_data_64,
        user_data_32=transfer.user_data_32 or held.user_data_32,
        ledger=held.ledger,
        code=held.code,
        flags=int(transfer.flags),
        timestamp=timestamp,
    )


def _conclude(books: Books, transfer: Transfer, held: Transfer, hold: Hold) -> None:
    debit = books.accounts[held.debit_account_id]
    credit = books.accounts[held.credit_account_id]
    assert held.timestamp < transfer.timestamp, "a hold comes before its conclusion"
    move_pending(debit, credit, -held.amount)
    if transfer.flags & POST:
        hold.status = HoldStatus.POSTED
        debit.debits_posted += transfer.amount
        credit.credits_posted += transfer.amount
    else:
        hold.status = HoldStatus.VOIDED
        _reopen(held, debit, credit)
    books.transfers[transfer.id] = transfer
    books.created.append(transfer)
    if (debit.flags | credit.flags) & HISTORY:
        books.remember_balances(transfer)


def _reopen(held: Transfer, debit: AccountState, credit: AccountState) -> None:
    """Take back the closing of accounts that a hold did."""
    if held.flags & CLOSING_DEBIT:
        debit.flags &= ~CLOSED
    if held.flags & CLOSING_CREDIT:
        credit.flags &= ~CLOSED


def expire_holds(books: Books, due: Sequence[Transfer], *, now: int) -> None:
    """End holds whose time is over. History keeps no balance for it, as in TigerBeetle.

    Args:
        books: Holds the accounts and the holds of `due`.
        due: Pending transfers whose holds are open and whose `expires_at` is not after `now`, by
            `expires_at` and then by timestamp.
        now: The present instant.
    """
    for held in due:
        hold = books.holds[held.id]
        assert hold.status is HoldStatus.OPEN, "a hold ends once"
        assert 0 < hold.expires_at <= now, "only a hold whose time is over expires"
        # It ended at its own instant, unless something later is already in the books.
        books.last = max(hold.expires_at, books.last + 1)
        debit = books.accounts[held.debit_account_id]
        credit = books.accounts[held.credit_account_id]
        hold.status = HoldStatus.EXPIRED
        move_pending(debit, credit, -held.amount)
        _reopen(held, debit, credit)
        books.expiries.append(Expiry(books.last, held.id))
