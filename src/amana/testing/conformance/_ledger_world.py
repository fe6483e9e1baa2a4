"""Accounts and holds in every state a rule can ask for, made through the ledger's own door."""

from typing import Final

from amana.kernel import AMOUNT_MINOR_MAX, SECOND_NS, Instant
from amana.ledger import (
    Account,
    AccountFlags,
    AccountStatus,
    StandaloneLedger,
    Transfer,
    TransferFlags,
    TransferStatus,
)

NOW: Final = Instant(5_500_000_000_000_000_000)
"""Late enough that the longest timeout passes the end of time."""

LATER: Final = Instant(NOW + 60 * SECOND_NS)
EUR: Final = 978
JPY: Final = 392
MAX: Final = AMOUNT_MINOR_MAX

# Accounts.
SOURCE: Final = 1
EMPTY: Final = 2
OTHER_EMPTY: Final = 3
FOREIGN: Final = 4
DEBITS_BOUND: Final = 5
CREDITS_BOUND: Final = 6
DEBIT_HELD: Final = 7
CREDIT_HELD: Final = 8
DEBIT_POSTED: Final = 9
CREDIT_POSTED: Final = 10
DEBIT_BOTH: Final = 11
CREDIT_BOTH: Final = 12
CLOSED: Final = 13
OTHER_CLOSED: Final = 14
FOREIGN_CLOSED: Final = 15
CLOSING: Final = 16
CLOSING_TOO: Final = 17
TAKER: Final = 18
UNKNOWN: Final = 98
OTHER_UNKNOWN: Final = 99

# Transfers.
PLAIN: Final = 1_001
BURNT: Final = 1_002
POSTED_HOLD: Final = 1_010
THE_POSTING: Final = 1_011
VOIDED_HOLD: Final = 1_012
THE_VOIDING: Final = 1_013
EXPIRED_HOLD: Final = 1_014
OPEN_HOLD: Final = 1_015
HOLD_OF_CLOSED_DEBIT: Final = 1_016
HOLD_OF_CLOSED_CREDIT: Final = 1_017
BALANCED: Final = 1_018
THE_PART_POSTING: Final = 1_019
HOLD_POSTED_IN_PART: Final = 1_020
HELD: Final = 100
"""The amount of every hold."""


def transfer(transfer_id: int, debit: int, credit: int, amount: int, **more: int) -> Transfer:
    """Make a transfer in euros."""
    fields = {"ledger": EUR, "code": 1, **more}
    return Transfer(transfer_id, debit, credit, amount, **fields)


def hold(transfer_id: int, debit: int, credit: int, **more: int) -> Transfer:
    """Make a hold of HELD."""
    flags = more.pop("flags", 0) | TransferFlags.PENDING
    return transfer(transfer_id, debit, credit, HELD, flags=int(flags), **more)


def post(transfer_id: int, pending_id: int, amount: int, **more: int) -> Transfer:
    """Post a hold, all of what it left unsaid taken from the hold."""
    flags = int(TransferFlags.POST_PENDING_TRANSFER)
    return Transfer(transfer_id, amount=amount, pending_id=pending_id, flags=flags, **more)


def void(transfer_id: int, pending_id: int, **more: int) -> Transfer:
    """Void a hold."""
    flags = int(TransferFlags.VOID_PENDING_TRANSFER)
    return Transfer(transfer_id, pending_id=pending_id, flags=flags, **more)


_ACCOUNTS: Final = (
    Account(SOURCE, EUR, 1),
    Account(EMPTY, EUR, 1),
    Account(OTHER_EMPTY, EUR, 1),
    Account(FOREIGN, JPY, 1),
    Account(DEBITS_BOUND, EUR, 1, int(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)),
    Account(CREDITS_BOUND, EUR, 1, int(AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS)),
    *(Account(number, EUR, 1) for number in range(DEBIT_HELD, CREDIT_BOTH + 1)),
    Account(CLOSED, EUR, 1, int(AccountFlags.CLOSED)),
    Account(OTHER_CLOSED, EUR, 1, int(AccountFlags.CLOSED)),
    Account(FOREIGN_CLOSED, JPY, 1, int(AccountFlags.CLOSED)),
    Account(CLOSING, EUR, 1),
    Account(CLOSING_TOO, EUR, 1),
    Account(TAKER, EUR, 1),
)

_TRANSFERS: Final = (
    transfer(2_001, DEBIT_HELD, CREDIT_HELD, 1, flags=int(TransferFlags.PENDING)),
    transfer(2_002, DEBIT_POSTED, CREDIT_POSTED, 1),
    transfer(2_003, DEBIT_BOTH, CREDIT_BOTH, 1),
    transfer(2_004, DEBIT_BOTH, CREDIT_BOTH, 1, flags=int(TransferFlags.PENDING)),
    hold(HOLD_OF_CLOSED_DEBIT, CLOSING, CLOSING_TOO),
    hold(HOLD_OF_CLOSED_CREDIT, SOURCE, CLOSING_TOO),
    hold(2_005, CLOSING, CLOSING_TOO, flags=TransferFlags.CLOSING_DEBIT),
    hold(2_006, SOURCE, CLOSING_TOO, flags=TransferFlags.CLOSING_CREDIT),
    transfer(PLAIN, SOURCE, DEBITS_BOUND, 0, user_data_128=1, user_data_64=2, user_data_32=3),
    hold(POSTED_HOLD, SOURCE, TAKER, user_data_128=1, user_data_64=2, user_data_32=3),
    post(THE_POSTING, POSTED_HOLD, 2**128 - 1),
    hold(VOIDED_HOLD, SOURCE, TAKER, user_data_128=1, user_data_64=2, user_data_32=3),
    void(THE_VOIDING, VOIDED_HOLD),
    hold(HOLD_POSTED_IN_PART, SOURCE, TAKER),
    post(THE_PART_POSTING, HOLD_POSTED_IN_PART, 40, user_data_128=4),
    hold(EXPIRED_HOLD, SOURCE, TAKER, timeout_s=1),
    hold(OPEN_HOLD, SOURCE, TAKER, timeout_s=3_600),
    transfer(
        BALANCED, TAKER, SOURCE, MAX, flags=int(TransferFlags.BALANCING_DEBIT), user_data_32=5
    ),
)


def settle(store: StandaloneLedger) -> None:
    """Bring empty books into the state that the tests of the statuses begin from, before LATER."""
    opened = store.create_accounts(_ACCOUNTS, now=NOW)
    assert {result.status for result in opened} == {AccountStatus.CREATED}
    made = store.create_transfers(_TRANSFERS, now=Instant(NOW + 1_000))
    refused = [result.status for result in made if result.status is not TransferStatus.CREATED]
    assert not refused, refused
    burnt = store.create_transfers([transfer(BURNT, UNKNOWN, EMPTY, 1)], now=Instant(NOW + 2_000))
    assert burnt[0].status is TransferStatus.DEBIT_ACCOUNT_NOT_FOUND
