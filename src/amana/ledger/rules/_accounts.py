"""Opening accounts."""

from collections.abc import Sequence

import msgspec

from amana.kernel.limits import BATCH_TRANSFERS_MAX
from amana.ledger.model import ID_MAX, Account, AccountResult, AccountStatus
from amana.ledger.rules._books import (
    ACCOUNT_FLAGS_KNOWN,
    CREDITS_BOUND,
    DEBITS_BOUND,
    AccountState,
    Books,
    assert_widths,
)
from amana.ledger.rules._chains import Run

_NOTHING_AGAINST_IT = AccountStatus.CREATED
"""The one status that is false, so that checks can be joined by `or` in their order."""


def create_accounts(books: Books, batch: Sequence[Account], *, now: int) -> list[AccountResult]:
    """Open accounts, in order.

    Args:
        books: Holds every account the batch names, if it exists.
        batch: At most BATCH_TRANSFERS_MAX.
        now: The present instant.
    """
    assert len(batch) <= BATCH_TRANSFERS_MAX, "a batch is bounded"
    timestamp = books.reserve_timestamps(len(batch), now)
    mark = books.mark()
    results: list[AccountResult] = []
    run = Run[Account, AccountResult](
        books,
        results,
        len(batch),
        create=_create_account,
        failed=lambda at: AccountResult(AccountStatus.LINKED_EVENT_FAILED, at),
        chain_open=lambda at: AccountResult(AccountStatus.LINKED_EVENT_CHAIN_OPEN, at),
    )
    try:
        for position, account in enumerate(batch, start=1):
            run.step(account, timestamp + position)
    except BaseException:
        books.undo_to(mark)
        raise
    return results


def _create_account(books: Books, account: Account, timestamp: int) -> AccountResult:
    """Open one account, or say what is against it first of all."""
    assert_widths(account)
    status = _check_identity(account)
    if status:
        return AccountResult(status, timestamp)
    existing = books.accounts.get(account.id)
    if existing is not None:
        status = _compare(account, existing)
        is_same = status is AccountStatus.EXISTS
        return AccountResult(status, existing.timestamp if is_same else timestamp)
    status = _check_fields(account)
    if not status:
        opened = msgspec.structs.replace(account, flags=int(account.flags), timestamp=timestamp)
        books.accounts[account.id] = AccountState.of(opened)
        books.opened.append(opened)
    return AccountResult(status, timestamp)


def _check_identity(account: Account) -> AccountStatus:
    if account.timestamp != 0:
        return AccountStatus.TIMESTAMP_MUST_BE_ZERO
    if int(account.flags) & ~ACCOUNT_FLAGS_KNOWN:
        return AccountStatus.RESERVED_FLAG
    if account.id == 0:
        return AccountStatus.ID_MUST_NOT_BE_ZERO
    if account.id == ID_MAX:
        return AccountStatus.ID_MUST_NOT_BE_INT_MAX
    return _NOTHING_AGAINST_IT


def _compare(account: Account, existing: AccountState) -> AccountStatus:
    """Say how a repeated account differs; counters and timestamp may."""
    if account.flags != existing.flags:
        return AccountStatus.EXISTS_WITH_DIFFERENT_FLAGS
    if account.user_data_128 != existing.user_data_128:
        return AccountStatus.EXISTS_WITH_DIFFERENT_USER_DATA_128
    if account.user_data_64 != existing.user_data_64:
        return AccountStatus.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if account.user_data_32 != existing.user_data_32:
        return AccountStatus.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if account.ledger != existing.ledger:
        return AccountStatus.EXISTS_WITH_DIFFERENT_LEDGER
    if account.code != existing.code:
        return AccountStatus.EXISTS_WITH_DIFFERENT_CODE
    return AccountStatus.EXISTS


def _check_fields(account: Account) -> AccountStatus:
    both = DEBITS_BOUND | CREDITS_BOUND
    if int(account.flags) & both == both:
        return AccountStatus.FLAGS_ARE_MUTUALLY_EXCLUSIVE
    if account.debits_pending != 0:
        return AccountStatus.DEBITS_PENDING_MUST_BE_ZERO
    if account.debits_posted != 0:
        return AccountStatus.DEBITS_POSTED_MUST_BE_ZERO
    if account.credits_pending != 0:
        return AccountStatus.CREDITS_PENDING_MUST_BE_ZERO
    if account.credits_posted != 0:
        return AccountStatus.CREDITS_POSTED_MUST_BE_ZERO
    if account.ledger == 0:
        return AccountStatus.LEDGER_MUST_NOT_BE_ZERO
    if account.code == 0:
        return AccountStatus.CODE_MUST_NOT_BE_ZERO
    return _NOTHING_AGAINST_IT
