"""Rows of the books as SQLite keeps them, and back.

Ids are 16 bytes, big end first; a zero pending id or 128-bit user data is NULL; 64-bit user data
is kept in two's complement, because SQLite's integers are signed.
"""

from operator import attrgetter
from typing import Any, Final

from amana.ledger import seals
from amana.ledger.model import Account, Transfer

_CLOSED: Final = 1 << 5
_SIGN: Final = 1 << 63
_MODULUS: Final = 1 << 64
_ID_BYTES: Final = 16
_ZERO: Final = bytes(_ID_BYTES)

ACCOUNT_COLUMNS: Final = (
    "timestamp, id, ledger, code, flags, user_data_128, user_data_64, user_data_32,"
    " debits_pending, debits_posted, credits_pending, credits_posted, is_closed"
)
TRANSFER_COLUMNS: Final = (
    "timestamp, id, debit_account_id, credit_account_id, amount, pending_id, user_data_128,"
    " user_data_64, user_data_32, timeout_s, ledger, code, flags"
)

INSERT_ACCOUNT: Final = (
    f"INSERT INTO ledger_accounts ({ACCOUNT_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,0,0,0,0,?)"  # noqa: S608 - constants only
)
INSERT_TRANSFER: Final = (
    f"INSERT INTO ledger_transfers ({TRANSFER_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"  # noqa: S608 - constants only
)
UPDATE_ACCOUNT: Final = (
    "UPDATE ledger_accounts SET debits_pending = ?, debits_posted = ?, credits_pending = ?,"
    " credits_posted = ?, is_closed = (? >> 5) & 1 WHERE timestamp = ?"
)
counters_row: Final = attrgetter(
    "debits_pending", "debits_posted", "credits_pending", "credits_posted", "flags", "timestamp"
)
"""Writes an account's counters and closed flag, for UPDATE_ACCOUNT."""


def id_bytes(identifier: int) -> bytes:
    """Write an id as 16 bytes."""
    return identifier.to_bytes(_ID_BYTES, "big")


def id_of(stored: bytes | None) -> int:
    """Read an id; NULL is zero."""
    return int.from_bytes(stored, "big") if stored is not None else 0


def signed(value: int) -> int:
    """Write 64 bits as a signed integer."""
    return value if value < _SIGN else value - _MODULUS


def account_row(account: Account) -> tuple[Any, ...]:
    """Write an account as it is opened, for INSERT_ACCOUNT."""
    return (
        account.timestamp,
        id_bytes(account.id),
        account.ledger,
        account.code,
        account.flags,
        id_bytes(account.user_data_128) if account.user_data_128 else None,
        signed(account.user_data_64),
        account.user_data_32,
        1 if account.flags & _CLOSED else 0,
    )


def account_of(row: tuple[Any, ...]) -> Account:
    """Read an account as it is now."""
    flags = row[4] | _CLOSED if row[12] else row[4] & ~_CLOSED
    return Account(
        id_of(row[1]),
        row[2],
        row[3],
        flags,
        id_of(row[5]),
        row[6] % _MODULUS,
        row[7],
        row[8],
        row[9],
        row[10],
        row[11],
        row[0],
    )


def opened_account_of(row: tuple[Any, ...]) -> Account:
    """Read an account as it was opened."""
    return account_of((*row[:8], 0, 0, 0, 0, row[4] & _CLOSED))


def transfer_row(transfer: Transfer) -> tuple[Any, ...]:
    """Write a transfer, for INSERT_TRANSFER."""
    return (
        transfer.timestamp,
        transfer.id.to_bytes(_ID_BYTES, "big"),
        transfer.debit_account_id.to_bytes(_ID_BYTES, "big"),
        transfer.credit_account_id.to_bytes(_ID_BYTES, "big"),
        transfer.amount,
        transfer.pending_id.to_bytes(_ID_BYTES, "big") if transfer.pending_id else None,
        transfer.user_data_128.to_bytes(_ID_BYTES, "big") if transfer.user_data_128 else None,
        signed(transfer.user_data_64),
        transfer.user_data_32,
        transfer.timeout_s,
        transfer.ledger,
        transfer.code,
        transfer.flags,
    )


def canonical_of(row: tuple[Any, ...]) -> bytes:
    """Write a transfer's row as the bytes that are sealed, reusing the bytes of its ids."""
    return seals.TRANSFER.pack(2, *row[:5], row[5] or _ZERO, row[6] or _ZERO, *row[7:])


def transfer_of(row: tuple[Any, ...]) -> Transfer:
    """Read a transfer."""
    return Transfer(
        id_of(row[1]),
        id_of(row[2]),
        id_of(row[3]),
        row[4],
        id_of(row[5]),
        id_of(row[6]),
        row[7] % _MODULUS,
        row[8],
        row[9],
        row[10],
        row[11],
        row[12],
        row[0],
    )
