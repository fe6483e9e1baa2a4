"""Moving money: a straight path for the plain transfer, and the careful one for the rest."""

from collections.abc import Sequence

import msgspec

from amana.kernel import AMOUNT_MINOR_MAX, SECOND_NS
from amana.kernel.limits import BATCH_TRANSFERS_MAX
from amana.ledger.model import (
    ID_MAX,
    TRANSIENT_STATUSES,
    Failure,
    HoldStatus,
    Transfer,
    TransferResult,
    TransferStatus,
)
from amana.ledger.rules._books import (
    BALANCING_CREDIT,
    BALANCING_DEBIT,
    CLOSED,
    CLOSING_CREDIT,
    CLOSING_DEBIT,
    CREDITS_BOUND,
    DEBITS_BOUND,
    HISTORY,
    PENDING,
    POST,
    TIMESTAMP_MAX,
    TRANSFER_FLAGS_KNOWN,
    VOID,
    AccountState,
    Books,
    Hold,
    assert_widths,
    move_pending,
)
from amana.ledger.rules._chains import Run
from amana.ledger.rules._compare import compare
from amana.ledger.rules._holds import conclude_hold

_NOTHING_AGAINST_IT = TransferStatus.CREATED
"""The one status that is false, so that checks can be joined by `or` in their order."""


def create_transfers(books: Books, batch: Sequence[Transfer], *, now: int) -> list[TransferResult]:
    """Move money, in order; each transfer sees what those before it did.

    Args:
        books: Holds everything the batch names, as far as it exists; holds that are due at `now`
            have been expired.
        batch: At most BATCH_TRANSFERS_MAX.
        now: The present instant.
    """
    assert len(batch) <= BATCH_TRANSFERS_MAX, "a batch is bounded"
    timestamp = books.reserve_timestamps(len(batch), now)
    mark = books.mark()
    results: list[TransferResult] = []
    run = Run[Transfer, TransferResult](
        books,
        results,
        len(batch),
        create=_create_transfer,
        failed=lambda at: TransferResult(TransferStatus.LINKED_EVENT_FAILED, at),
        chain_open=lambda at: TransferResult(TransferStatus.LINKED_EVENT_CHAIN_OPEN, at),
    )
    is_chained = False
    try:
        for transfer in batch:
            timestamp += 1
            if transfer.flags == 0 and not is_chained and _post_plain(books, transfer, timestamp):
                results.append(TransferResult(_NOTHING_AGAINST_IT, timestamp))
            else:
                is_chained = run.step(transfer, timestamp)
    except BaseException:
        books.undo_to(mark)
        books.unburn_to(mark)
        raise
    return results


def _post_plain(books: Books, transfer: Transfer, timestamp: int) -> bool:
    """Post a transfer without flags, if there is nothing at all against it.

    The conditions are those of the careful path, cheapest first; where one fails, the careful path
    decides again and finds the status that comes first.
    """
    debit = books.accounts.get(transfer.debit_account_id)
    credit = books.accounts.get(transfer.credit_account_id)
    amount = transfer.amount
    if debit is None or credit is None or debit is credit or amount < 0:
        return False
    debits = debit.debits_posted + amount
    credits_ = credit.credits_posted + amount
    flags = debit.flags | credit.flags
    if (
        debits + debit.debits_pending > AMOUNT_MINOR_MAX
        or credits_ + credit.credits_pending > AMOUNT_MINOR_MAX
        or (debit.flags & DEBITS_BOUND and debits + debit.debits_pending > debit.credits_posted)
        or (
            credit.flags & CREDITS_BOUND
            and credits_ + credit.credits_pending > credit.debits_posted
        )
        or flags & CLOSED
        or not debit.ledger == credit.ledger == transfer.ledger
        or transfer.id in books.transfers
        or transfer.id in books.failed
        or not _has_plain_fields(transfer)
    ):
        return False
    debit.debits_posted = debits
    credit.credits_posted = credits_
    stored = msgspec.structs.replace(transfer, timestamp=timestamp, flags=0)
    books.transfers[transfer.id] = stored
    books.created.append(stored)
    if flags & HISTORY:
        books.remember_balances(stored)
    return True


def _has_plain_fields(transfer: Transfer) -> bool:
    """Whether the fields of a transfer without flags are well formed."""
    return (
        0 < transfer.id < ID_MAX
        and 0 < transfer.code < 1 << 16
        and not transfer.pending_id
        and not transfer.timeout_s
        and not transfer.timestamp
        and not transfer.user_data_128 >> 128
        and not transfer.user_data_64 >> 64
        and not transfer.user_data_32 >> 32
    )


def _create_transfer(books: Books, transfer: Transfer, timestamp: int) -> TransferResult:
    """Make one transfer, or say what is against it first of all; burn its id where that is due."""
    assert_widths(transfer)
    assert 0 <= transfer.amount < 1 << 128, "an amount has 128 bits and no sign"
    assert 0 <= transfer.debit_account_id < 1 << 128, "an account's id has 128 bits"
    assert 0 <= transfer.credit_account_id < 1 << 128, "an account's id has 128 bits"
    assert 0 <= transfer.pending_id < 1 << 128, "a hold's id has 128 bits"
    assert 0 <= transfer.timeout_s < 1 << 32, "a timeout has 32 bits"
    status = _check_identity(transfer)
    if status:
        return TransferResult(status, timestamp)
    existing = books.transfers.get(transfer.id)
    if existing is not None:
        status = compare(transfer, existing, books.transfers.get(existing.pending_id))
        is_same = status is TransferStatus.EXISTS
        return TransferResult(status, existing.timestamp if is_same else timestamp)
    if transfer.id in books.failed:
        return TransferResult(TransferStatus.ID_ALREADY_FAILED, timestamp)
    if int(transfer.flags) & (POST | VOID):
        status = conclude_hold(books, transfer, timestamp)
    else:
        status = _move(books, transfer, timestamp)
    if status in TRANSIENT_STATUSES:
        books.failed.add(transfer.id)
        books.failures.append(Failure(timestamp, transfer.id))
    return TransferResult(status, timestamp)


def _check_identity(transfer: Transfer) -> TransferStatus:
    if transfer.timestamp != 0:
        return TransferStatus.TIMESTAMP_MUST_BE_ZERO
    if int(transfer.flags) & ~TRANSFER_FLAGS_KNOWN:
        return TransferStatus.RESERVED_FLAG
    if transfer.id == 0:
        return TransferStatus.ID_MUST_NOT_BE_ZERO
    if transfer.id == ID_MAX:
        return TransferStatus.ID_MUST_NOT_BE_INT_MAX
    return _NOTHING_AGAINST_IT


def _move(books: Books, transfer: Transfer, timestamp: int) -> TransferStatus:
    """Post an amount, or hold it."""
    status = _check_accounts_named(transfer) or _check_fields(transfer)
    if status:
        return status
    debit = books.accounts.get(transfer.debit_account_id)
    if debit is None:
        return TransferStatus.DEBIT_ACCOUNT_NOT_FOUND
    credit = books.accounts.get(transfer.credit_account_id)
    if credit is None:
        return TransferStatus.CREDIT_ACCOUNT_NOT_FOUND
    amount = _amount_moved(transfer, debit, credit)
    status = (
        _check_ledgers(transfer, debit, credit)
        or _check_open(debit, credit)
        or _check_overflow(transfer, debit, credit, amount=amount)
        or _check_timeout(transfer, timestamp)
        or _check_bounds(debit, credit, amount)
    )
    if not status:
        stored = msgspec.structs.replace(
            transfer, amount=amount, flags=int(transfer.flags), timestamp=timestamp
        )
        _apply(books, stored, debit, credit)
    return status


def _check_accounts_named(transfer: Transfer) -> TransferStatus:
    if transfer.debit_account_id == 0:
        return TransferStatus.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO
    if transfer.debit_account_id == ID_MAX:
        return TransferStatus.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX
    if transfer.credit_account_id == 0:
        return TransferStatus.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO
    if transfer.credit_account_id == ID_MAX:
        return TransferStatus.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX
    if transfer.debit_account_id == transfer.credit_account_id:
        return TransferStatus.ACCOUNTS_MUST_BE_DIFFERENT
    return _NOTHING_AGAINST_IT


def _check_fields(transfer: Transfer) -> TransferStatus:
    flags = int(transfer.flags)
    if transfer.pending_id != 0:
        return TransferStatus.PENDING_ID_MUST_BE_ZERO
    if not flags & PENDING and transfer.timeout_s != 0:
        return TransferStatus.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER
    if not flags & PENDING and flags & (CLOSING_DEBIT | CLOSING_CREDIT):
        return TransferStatus.CLOSING_TRANSFER_MUST_BE_PENDING
    if transfer.ledger == 0:
        return TransferStatus.LEDGER_MUST_NOT_BE_ZERO
    if transfer.code == 0:
        return TransferStatus.CODE_MUST_NOT_BE_ZERO
    return _NOTHING_AGAINST_IT


def _check_ledgers(transfer: Transfer, debit: AccountState, credit: AccountState) -> TransferStatus:
    if debit.ledger != credit.ledger:
        return TransferStatus.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER
    if transfer.ledger != debit.ledger:
        return TransferStatus.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS
    return _NOTHING_AGAINST_IT


def _check_open(debit: AccountState, credit: AccountState) -> TransferStatus:
    if debit.flags & CLOSED:
        return TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED
    if credit.flags & CLOSED:
        return TransferStatus.CREDIT_ACCOUNT_ALREADY_CLOSED
    return _NOTHING_AGAINST_IT


def _amount_moved(transfer: Transfer, debit: AccountState, credit: AccountState) -> int:
    """Return the amount; a balancing one is cut to what the accounts leave room for."""
    amount = transfer.amount
    flags = int(transfer.flags)
    if flags & BALANCING_DEBIT:
        left = debit.credits_posted - debit.debits_posted - debit.debits_pending
        amount = min(amount, max(left, 0))
    if flags & BALANCING_CREDIT:
        left = credit.debits_posted - credit.credits_posted - credit.credits_pending
        amount = min(amount, max(left, 0))
    return amount


def _check_overflow(
    transfer: Transfer, debit: AccountState, credit: AccountState, *, amount: int
) -> TransferStatus:
    """Hold the bound of every counter, and of pending and posted together."""
    room = AMOUNT_MINOR_MAX - amount
    if int(transfer.flags) & PENDING:
        if debit.debits_pending > room:
            return TransferStatus.OVERFLOWS_DEBITS_PENDING
        if credit.credits_pending > room:
            return TransferStatus.OVERFLOWS_CREDITS_PENDING
    if debit.debits_posted > room:
        return TransferStatus.OVERFLOWS_DEBITS_POSTED
    if credit.credits_posted > room:
        return TransferStatus.OVERFLOWS_CREDITS_POSTED
    if debit.debits_pending + debit.debits_posted > room:
        return TransferStatus.OVERFLOWS_DEBITS
    if credit.credits_pending + credit.credits_posted > room:
        return TransferStatus.OVERFLOWS_CREDITS
    return _NOTHING_AGAINST_IT


def _check_timeout(transfer: Transfer, timestamp: int) -> TransferStatus:
    if timestamp + transfer.timeout_s * SECOND_NS > TIMESTAMP_MAX:
        return TransferStatus.OVERFLOWS_TIMEOUT
    return _NOTHING_AGAINST_IT


def _check_bounds(debit: AccountState, credit: AccountState, amount: int) -> TransferStatus:
    """Pessimistic: what is held counts as spent, and incoming holds do not count as received."""
    debits = debit.debits_pending + debit.debits_posted + amount
    if debit.flags & DEBITS_BOUND and debits > debit.credits_posted:
        return TransferStatus.EXCEEDS_CREDITS
    credits_ = credit.credits_pending + credit.credits_posted + amount
    if credit.flags & CREDITS_BOUND and credits_ > credit.debits_posted:
        return TransferStatus.EXCEEDS_DEBITS
    return _NOTHING_AGAINST_IT


def _apply(books: Books, transfer: Transfer, debit: AccountState, credit: AccountState) -> None:
    """Move a transfer against which there is nothing."""
    flags = transfer.flags
    if flags & PENDING:
        move_pending(debit, credit, transfer.amount)
        life_ns = transfer.timeout_s * SECOND_NS
        expires_at = transfer.timestamp + life_ns if life_ns else 0
        books.holds[transfer.id] = Hold(HoldStatus.OPEN, expires_at)
        if expires_at:
            books.next_expiry = min(books.next_expiry, expires_at)
        if flags & CLOSING_DEBIT:
            debit.flags |= CLOSED
        if flags & CLOSING_CREDIT:
            credit.flags |= CLOSED
    else:
        debit.debits_posted += transfer.amount
        credit.credits_posted += transfer.amount
    books.transfers[transfer.id] = transfer
    books.created.append(transfer)
    if (debit.flags | credit.flags) & HISTORY:
        books.remember_balances(transfer)
