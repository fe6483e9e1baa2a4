"""Which transfers a filter wants, and what kind of change a transfer was."""

from amana.ledger.model import (
    AccountFilter,
    Change,
    ChangeKind,
    Transfer,
    TransferFilter,
    TransferFlags,
)

_PENDING = int(TransferFlags.PENDING)
_POST = int(TransferFlags.POST_PENDING_TRANSFER)
_VOID = int(TransferFlags.VOID_PENDING_TRANSFER)


def is_of_account(wanted: AccountFilter, transfer: Transfer) -> bool:
    """Whether a transfer is one that a filter by account wants."""
    is_debit = wanted.includes_debits and transfer.debit_account_id == wanted.account_id
    is_credit = wanted.includes_credits and transfer.credit_account_id == wanted.account_id
    return (is_debit or is_credit) and _is_within(wanted, transfer)


def is_wanted(wanted: TransferFilter, transfer: Transfer) -> bool:
    """Whether a transfer is one that a filter over all accounts wants."""
    return wanted.ledger in {0, transfer.ledger} and _is_within(wanted, transfer)


def _is_within(wanted: AccountFilter | TransferFilter, transfer: Transfer) -> bool:
    return (
        wanted.timestamp_min <= transfer.timestamp
        and (wanted.timestamp_max == 0 or transfer.timestamp <= wanted.timestamp_max)
        and wanted.code in {0, transfer.code}
        and wanted.user_data_128 in {0, transfer.user_data_128}
        and wanted.user_data_64 in {0, transfer.user_data_64}
        and wanted.user_data_32 in {0, transfer.user_data_32}
    )


def change_of(transfer: Transfer) -> Change:
    """Say what a transfer changed."""
    if transfer.flags & _PENDING:
        kind = ChangeKind.HELD
    elif transfer.flags & _POST:
        kind = ChangeKind.HOLD_POSTED
    elif transfer.flags & _VOID:
        kind = ChangeKind.HOLD_VOIDED
    else:
        kind = ChangeKind.POSTED
    return Change(transfer.timestamp, kind, transfer)
