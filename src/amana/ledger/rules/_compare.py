"""A transfer that comes again: the same one, or one that differs, and where first."""

from amana.ledger.model import AMOUNT_MAX_SENTINEL, Transfer, TransferStatus
from amana.ledger.rules._books import BALANCING_CREDIT, BALANCING_DEBIT, POST, VOID


def compare(transfer: Transfer, existing: Transfer, held: Transfer | None) -> TransferStatus:
    """Say how a repeated transfer differs from the stored one, or that it does not.

    Args:
        transfer: As asked now; its id is the existing one's.
        existing: As stored.
        held: The pending transfer that `existing` posted or voided; None where there is none, or
            where it has been pruned: fields left to the hold are then taken as equal.
    """
    assert transfer.id == existing.id, "only a repeated id is compared"
    # The flags give the other fields their meaning, so they come first.
    if transfer.flags != existing.flags:
        return TransferStatus.EXISTS_WITH_DIFFERENT_FLAGS
    if transfer.pending_id != existing.pending_id:
        return TransferStatus.EXISTS_WITH_DIFFERENT_PENDING_ID
    if transfer.timeout_s != existing.timeout_s:
        return TransferStatus.EXISTS_WITH_DIFFERENT_TIMEOUT
    if int(transfer.flags) & (POST | VOID):
        return _compare_conclusion(transfer, existing, held or existing)
    return _compare_movement(transfer, existing)


def _compare_movement(transfer: Transfer, existing: Transfer) -> TransferStatus:
    if transfer.debit_account_id != existing.debit_account_id:
        return TransferStatus.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID
    if transfer.credit_account_id != existing.credit_account_id:
        return TransferStatus.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID
    if int(transfer.flags) & (BALANCING_DEBIT | BALANCING_CREDIT):
        # A balancing amount is an upper bound: what was moved then may be less than it.
        differs = transfer.amount < existing.amount
    else:
        differs = transfer.amount != existing.amount
    if differs:
        return TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT
    if transfer.user_data_128 != existing.user_data_128:
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_128
    if transfer.user_data_64 != existing.user_data_64:
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if transfer.user_data_32 != existing.user_data_32:
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if transfer.ledger != existing.ledger:
        return TransferStatus.EXISTS_WITH_DIFFERENT_LEDGER
    if transfer.code != existing.code:
        return TransferStatus.EXISTS_WITH_DIFFERENT_CODE
    return TransferStatus.EXISTS


def _compare_conclusion(transfer: Transfer, existing: Transfer, held: Transfer) -> TransferStatus:
    """Compare a posting or voiding: zero in a field meant the hold's value, so it still does."""
    if transfer.debit_account_id not in {0, existing.debit_account_id}:
        return TransferStatus.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID
    if transfer.credit_account_id not in {0, existing.credit_account_id}:
        return TransferStatus.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID
    all_of_it = 0 if int(transfer.flags) & VOID else AMOUNT_MAX_SENTINEL
    is_all = transfer.amount == all_of_it
    if existing.amount != (held.amount if is_all else transfer.amount):
        return TransferStatus.EXISTS_WITH_DIFFERENT_AMOUNT
    if existing.user_data_128 != (transfer.user_data_128 or held.user_data_128):
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_128
    if existing.user_data_64 != (transfer.user_data_64 or held.user_data_64):
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if existing.user_data_32 != (transfer.user_data_32 or held.user_data_32):
        return TransferStatus.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if transfer.ledger not in {0, existing.ledger}:
        return TransferStatus.EXISTS_WITH_DIFFERENT_LEDGER
    if transfer.code not in {0, existing.code}:
        return TransferStatus.EXISTS_WITH_DIFFERENT_CODE
    return TransferStatus.EXISTS
