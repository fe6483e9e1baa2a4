"""Every status of the ledger, in its order of precedence.

A ladder begins with an item against which there is as much as can be at once. Each rung names the
status that must be answered, and then mends that one thing. So each status is met while all later
ones of its ladder still apply, down to the item with nothing against it. A rung's status must
stand later in the list of statuses than the one before, so the list is the precedence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from amana.ledger import (
    AMOUNT_MAX_SENTINEL,
    ID_MAX,
    Account,
    AccountFlags,
    AccountStatus,
    Transfer,
    TransferFlags,
    TransferStatus,
)
from amana.testing.conformance import _ledger_world as world

FRESH: Final = -1
"""Stands for an id that was never used; each rung gets another."""

A = AccountStatus
T = TransferStatus
F = TransferFlags
_RESERVED: Final = 1 << 8
_BY_DEBIT: Final = int(F.CLOSING_DEBIT)
_EXCLUSIVE: Final = (
    F.POST_PENDING_TRANSFER,
    F.PENDING,
    F.BALANCING_DEBIT,
    F.BALANCING_CREDIT,
    F.CLOSING_DEBIT,
    F.CLOSING_CREDIT,
)


@dataclass(frozen=True, slots=True)
class Ladder:
    """An item with all faults, and its rungs: the status due, and what mends it."""

    name: str
    worst: Any
    rungs: tuple[tuple[Any, Mapping[str, int]], ...]


MOVEMENT: Final = Ladder(
    "a movement",
    Transfer(
        0,
        amount=world.MAX,
        pending_id=7,
        timeout_s=2**32 - 1,
        flags=_RESERVED | _BY_DEBIT,
        timestamp=5,
    ),
    (
        (T.TIMESTAMP_MUST_BE_ZERO, {"timestamp": 0}),
        (T.RESERVED_FLAG, {"flags": _BY_DEBIT}),
        (T.ID_MUST_NOT_BE_ZERO, {"id": ID_MAX}),
        (T.ID_MUST_NOT_BE_INT_MAX, {"id": world.BURNT}),
        (T.ID_ALREADY_FAILED, {"id": FRESH}),
        (T.DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO, {"debit_account_id": ID_MAX}),
        (T.DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX, {"debit_account_id": world.UNKNOWN}),
        (T.CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO, {"credit_account_id": ID_MAX}),
        (T.CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX, {"credit_account_id": world.UNKNOWN}),
        (T.ACCOUNTS_MUST_BE_DIFFERENT, {"credit_account_id": world.OTHER_UNKNOWN}),
        (T.PENDING_ID_MUST_BE_ZERO, {"pending_id": 0}),
        (T.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER, {"timeout_s": 0}),
        (
            T.CLOSING_TRANSFER_MUST_BE_PENDING,
            {"flags": _BY_DEBIT | int(F.PENDING), "timeout_s": 2**32 - 1},
        ),
        (T.LEDGER_MUST_NOT_BE_ZERO, {"ledger": 7}),
        (T.CODE_MUST_NOT_BE_ZERO, {"code": 1}),
        (T.DEBIT_ACCOUNT_NOT_FOUND, {"debit_account_id": world.CLOSED}),
        (T.CREDIT_ACCOUNT_NOT_FOUND, {"credit_account_id": world.FOREIGN_CLOSED}),
        (T.ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER, {"credit_account_id": world.OTHER_CLOSED}),
        (T.TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS, {"ledger": world.EUR}),
        (T.DEBIT_ACCOUNT_ALREADY_CLOSED, {"debit_account_id": world.DEBIT_HELD}),
        (T.CREDIT_ACCOUNT_ALREADY_CLOSED, {"credit_account_id": world.CREDIT_HELD}),
        (T.OVERFLOWS_DEBITS_PENDING, {"debit_account_id": world.DEBIT_POSTED}),
        (T.OVERFLOWS_CREDITS_PENDING, {"credit_account_id": world.CREDIT_POSTED}),
        (T.OVERFLOWS_DEBITS_POSTED, {"debit_account_id": world.EMPTY}),
        (
            T.OVERFLOWS_CREDITS_POSTED,
            {
                "amount": world.MAX - 1,
                "debit_account_id": world.DEBIT_BOTH,
                "credit_account_id": world.CREDIT_BOTH,
            },
        ),
        (T.OVERFLOWS_DEBITS, {"debit_account_id": world.DEBITS_BOUND}),
        (T.OVERFLOWS_CREDITS, {"credit_account_id": world.CREDITS_BOUND}),
        (T.OVERFLOWS_TIMEOUT, {"timeout_s": 1}),
        (T.EXCEEDS_CREDITS, {"debit_account_id": world.DEBIT_POSTED}),
        (T.EXCEEDS_DEBITS, {"credit_account_id": world.OTHER_EMPTY}),
    ),
)

CONCLUSION: Final = Ladder(
    "posting or voiding",
    Transfer(
        FRESH,
        debit_account_id=world.OTHER_EMPTY,
        credit_account_id=world.OTHER_EMPTY,
        amount=world.HELD + 1,
        timeout_s=1,
        ledger=7,
        code=7,
        flags=int(F.POST_PENDING_TRANSFER | F.VOID_PENDING_TRANSFER),
    ),
    (
        *(
            (T.FLAGS_ARE_MUTUALLY_EXCLUSIVE, {"flags": int(F.VOID_PENDING_TRANSFER | flag)})
            for flag in _EXCLUSIVE
        ),
        (T.FLAGS_ARE_MUTUALLY_EXCLUSIVE, {"flags": int(F.VOID_PENDING_TRANSFER)}),
        (T.PENDING_ID_MUST_NOT_BE_ZERO, {"pending_id": ID_MAX}),
        (T.PENDING_ID_MUST_NOT_BE_INT_MAX, {"pending_id": FRESH}),
        (T.PENDING_ID_MUST_BE_DIFFERENT, {"pending_id": world.UNKNOWN}),
        (T.TIMEOUT_RESERVED_FOR_PENDING_TRANSFER, {"timeout_s": 0}),
        (T.PENDING_TRANSFER_NOT_FOUND, {"pending_id": world.PLAIN}),
        (T.PENDING_TRANSFER_NOT_PENDING, {"pending_id": world.POSTED_HOLD}),
        (T.PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID, {"debit_account_id": 0}),
        (T.PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID, {"credit_account_id": 0}),
        (T.PENDING_TRANSFER_HAS_DIFFERENT_LEDGER, {"ledger": 0}),
        (T.PENDING_TRANSFER_HAS_DIFFERENT_CODE, {"code": 0}),
        (T.EXCEEDS_PENDING_TRANSFER_AMOUNT, {"amount": world.HELD - 1}),
        (T.PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT, {"amount": world.HELD}),
        (T.PENDING_TRANSFER_ALREADY_POSTED, {"pending_id": world.VOIDED_HOLD}),
        (T.PENDING_TRANSFER_ALREADY_VOIDED, {"pending_id": world.EXPIRED_HOLD}),
        (
            T.PENDING_TRANSFER_EXPIRED,
            {"pending_id": world.HOLD_OF_CLOSED_DEBIT, "flags": int(F.POST_PENDING_TRANSFER)},
        ),
        (T.DEBIT_ACCOUNT_ALREADY_CLOSED, {"pending_id": world.HOLD_OF_CLOSED_CREDIT}),
        (T.CREDIT_ACCOUNT_ALREADY_CLOSED, {"pending_id": world.OPEN_HOLD}),
    ),
)


def _repeated(name: str, worst: Transfer, right: Mapping[str, int]) -> Ladder:
    """Make a ladder of a repeated transfer: `right` holds what mends each field."""
    order = {
        "flags": T.EXISTS_WITH_DIFFERENT_FLAGS,
        "pending_id": T.EXISTS_WITH_DIFFERENT_PENDING_ID,
        "timeout_s": T.EXISTS_WITH_DIFFERENT_TIMEOUT,
        "debit_account_id": T.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID,
        "credit_account_id": T.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID,
        "amount": T.EXISTS_WITH_DIFFERENT_AMOUNT,
        "user_data_128": T.EXISTS_WITH_DIFFERENT_USER_DATA_128,
        "user_data_64": T.EXISTS_WITH_DIFFERENT_USER_DATA_64,
        "user_data_32": T.EXISTS_WITH_DIFFERENT_USER_DATA_32,
        "ledger": T.EXISTS_WITH_DIFFERENT_LEDGER,
        "code": T.EXISTS_WITH_DIFFERENT_CODE,
    }
    rungs = [(status, {field: right[field]}) for field, status in order.items() if field in right]
    return Ladder(name, worst, (*rungs, (T.EXISTS, {})))


def _all_wrong(transfer_id: int) -> Transfer:
    """Make a transfer that differs from every stored one in every field."""
    return Transfer(transfer_id, 77, 77, 7, 77, 77, 77, 77, 77, 77, 77, int(F.CLOSING_CREDIT))


_PLAIN_RIGHT: Final = {
    "flags": 0,
    "pending_id": 0,
    "timeout_s": 0,
    "debit_account_id": world.SOURCE,
    "credit_account_id": world.DEBITS_BOUND,
    "amount": 0,
    "user_data_128": 1,
    "user_data_64": 2,
    "user_data_32": 3,
    "ledger": world.EUR,
    "code": 1,
}
_LEFT_TO_THE_HOLD: Final = {
    **_PLAIN_RIGHT,
    "flags": int(F.POST_PENDING_TRANSFER),
    "pending_id": world.POSTED_HOLD,
    "debit_account_id": 0,
    "credit_account_id": 0,
    "amount": AMOUNT_MAX_SENTINEL,
    "user_data_128": 0,
    "user_data_64": 0,
    "user_data_32": 0,
    "ledger": 0,
    "code": 0,
}

REPETITIONS: Final = (
    _repeated("a repeated transfer", _all_wrong(world.PLAIN), _PLAIN_RIGHT),
    _repeated("a repeated posting", _all_wrong(world.THE_POSTING), _LEFT_TO_THE_HOLD),
    _repeated(
        "a repeated posting, spelt out",
        _all_wrong(world.THE_POSTING),
        {
            **_PLAIN_RIGHT,
            "flags": int(F.POST_PENDING_TRANSFER),
            "pending_id": world.POSTED_HOLD,
            "credit_account_id": world.TAKER,
            "amount": world.HELD,
        },
    ),
    _repeated(
        "a repeated posting of a part",
        Transfer(
            world.THE_PART_POSTING,
            amount=AMOUNT_MAX_SENTINEL,
            pending_id=world.HOLD_POSTED_IN_PART,
            flags=int(F.POST_PENDING_TRANSFER),
        ),
        {"amount": 40, "user_data_128": 4},
    ),
    _repeated(
        "a repeated voiding",
        _all_wrong(world.THE_VOIDING),
        {
            **_LEFT_TO_THE_HOLD,
            "flags": int(F.VOID_PENDING_TRANSFER),
            "pending_id": world.VOIDED_HOLD,
            "amount": 0,
        },
    ),
    _repeated(
        "a repeated balancing transfer, its bound below what was moved",
        _all_wrong(world.BALANCED),
        {
            **_PLAIN_RIGHT,
            "flags": int(F.BALANCING_DEBIT),
            "debit_account_id": world.TAKER,
            "credit_account_id": world.SOURCE,
            "amount": AMOUNT_MAX_SENTINEL,
            "user_data_128": 0,
            "user_data_64": 0,
            "user_data_32": 5,
        },
    ),
)

ACCOUNT: Final = Ladder(
    "an account",
    Account(
        0,
        ledger=0,
        code=0,
        flags=0b110 | 1 << 4,
        debits_pending=1,
        debits_posted=1,
        credits_pending=1,
        credits_posted=1,
        timestamp=5,
    ),
    (
        (A.TIMESTAMP_MUST_BE_ZERO, {"timestamp": 0}),
        (A.RESERVED_FLAG, {"flags": 0b110}),
        (A.ID_MUST_NOT_BE_ZERO, {"id": ID_MAX}),
        (A.ID_MUST_NOT_BE_INT_MAX, {"id": FRESH}),
        (A.FLAGS_ARE_MUTUALLY_EXCLUSIVE, {"flags": 0b010}),
        (A.DEBITS_PENDING_MUST_BE_ZERO, {"debits_pending": 0}),
        (A.DEBITS_POSTED_MUST_BE_ZERO, {"debits_posted": 0}),
        (A.CREDITS_PENDING_MUST_BE_ZERO, {"credits_pending": 0}),
        (A.CREDITS_POSTED_MUST_BE_ZERO, {"credits_posted": 0}),
        (A.LEDGER_MUST_NOT_BE_ZERO, {"ledger": 1}),
        (A.CODE_MUST_NOT_BE_ZERO, {"code": 1}),
    ),
)

REPEATED_ACCOUNT: Final = Ladder(
    "a repeated account",
    Account(
        world.DEBITS_BOUND,
        ledger=0,
        code=0,
        flags=0b110,
        user_data_128=1,
        user_data_64=1,
        user_data_32=1,
        debits_pending=1,
    ),
    (
        (
            A.EXISTS_WITH_DIFFERENT_FLAGS,
            {"flags": int(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)},
        ),
        (A.EXISTS_WITH_DIFFERENT_USER_DATA_128, {"user_data_128": 0}),
        (A.EXISTS_WITH_DIFFERENT_USER_DATA_64, {"user_data_64": 0}),
        (A.EXISTS_WITH_DIFFERENT_USER_DATA_32, {"user_data_32": 0}),
        (A.EXISTS_WITH_DIFFERENT_LEDGER, {"ledger": world.EUR}),
        (A.EXISTS_WITH_DIFFERENT_CODE, {"code": 1}),
        (A.EXISTS, {}),
    ),
)

TRANSFER_LADDERS: Final = (MOVEMENT, CONCLUSION, *REPETITIONS)
ACCOUNT_LADDERS: Final = (ACCOUNT, REPEATED_ACCOUNT)
