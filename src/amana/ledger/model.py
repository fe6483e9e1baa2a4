"""What accounts, transfers and their results are.

The meaning is TigerBeetle's: the same fields, flags, statuses and order of checks, so that an
operator can change engines without changing callers. Amounts and counters of our own engines end
at AMOUNT_MINOR_MAX; ids and user data have TigerBeetle's widths.
"""

from enum import IntEnum, IntFlag
from typing import Final

import msgspec

from amana.kernel import Instant

AMOUNT_MAX_SENTINEL: Final = 2**128 - 1
"""Asks for as much as possible (balancing transfers) or all of it (posting a hold)."""

ID_MAX: Final = 2**128 - 1
"""All ones: no account and no transfer has this id."""


class AccountFlags(IntFlag):
    """Rules of an account; the bits are TigerBeetle's."""

    NONE = 0
    LINKED = 1 << 0
    """Stands or falls with the next item of the batch."""
    DEBITS_MUST_NOT_EXCEED_CREDITS = 1 << 1
    CREDITS_MUST_NOT_EXCEED_DEBITS = 1 << 2
    HISTORY = 1 << 3
    """Its balance after each transfer is kept."""
    CLOSED = 1 << 5
    """Takes no transfer until the closing hold is voided."""


class TransferFlags(IntFlag):
    """What kind of transfer it is; the bits are TigerBeetle's."""

    NONE = 0
    LINKED = 1 << 0
    """Stands or falls with the next item of the batch."""
    PENDING = 1 << 1
    """Makes a hold."""
    POST_PENDING_TRANSFER = 1 << 2
    VOID_PENDING_TRANSFER = 1 << 3
    BALANCING_DEBIT = 1 << 4
    """Moves at most what the debit account has."""
    BALANCING_CREDIT = 1 << 5
    """Moves at most what the credit account owes."""
    CLOSING_DEBIT = 1 << 6
    CLOSING_CREDIT = 1 << 7


class AccountStatus(IntEnum):
    """What became of an account of a batch; the first that applies, in this order."""

    CREATED = 0
    LINKED_EVENT_FAILED = 1
    LINKED_EVENT_CHAIN_OPEN = 2
    TIMESTAMP_MUST_BE_ZERO = 3
    RESERVED_FLAG = 4
    ID_MUST_NOT_BE_ZERO = 5
    ID_MUST_NOT_BE_INT_MAX = 6
    EXISTS_WITH_DIFFERENT_FLAGS = 7
    EXISTS_WITH_DIFFERENT_USER_DATA_128 = 8
    EXISTS_WITH_DIFFERENT_USER_DATA_64 = 9
    EXISTS_WITH_DIFFERENT_USER_DATA_32 = 10
    EXISTS_WITH_DIFFERENT_LEDGER = 11
    EXISTS_WITH_DIFFERENT_CODE = 12
    EXISTS = 13
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = 14
    DEBITS_PENDING_MUST_BE_ZERO = 15
    DEBITS_POSTED_MUST_BE_ZERO = 16
    CREDITS_PENDING_MUST_BE_ZERO = 17
    CREDITS_POSTED_MUST_BE_ZERO = 18
    LEDGER_MUST_NOT_BE_ZERO = 19
    CODE_MUST_NOT_BE_ZERO = 20


class TransferStatus(IntEnum):
    """What became of a transfer of a batch; the first that applies, in this order."""

    CREATED = 0
    LINKED_EVENT_FAILED = 1
    LINKED_EVENT_CHAIN_OPEN = 2
    TIMESTAMP_MUST_BE_ZERO = 3
    RESERVED_FLAG = 4
    ID_MUST_NOT_BE_ZERO = 5
    ID_MUST_NOT_BE_INT_MAX = 6
    EXISTS_WITH_DIFFERENT_FLAGS = 7
    EXISTS_WITH_DIFFERENT_PENDING_ID = 8
    EXISTS_WITH_DIFFERENT_TIMEOUT = 9
    EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID = 10
    EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID = 11
    EXISTS_WITH_DIFFERENT_AMOUNT = 12
    EXISTS_WITH_DIFFERENT_USER_DATA_128 = 13
    EXISTS_WITH_DIFFERENT_USER_DATA_64 = 14
    EXISTS_WITH_DIFFERENT_USER_DATA_32 = 15
    EXISTS_WITH_DIFFERENT_LEDGER = 16
    EXISTS_WITH_DIFFERENT_CODE = 17
    EXISTS = 18
    ID_ALREADY_FAILED = 19
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = 20
    DEBIT_ACCOUNT_ID_MUST_NOT_BE_ZERO = 21
    DEBIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX = 22
    CREDIT_ACCOUNT_ID_MUST_NOT_BE_ZERO = 23
    CREDIT_ACCOUNT_ID_MUST_NOT_BE_INT_MAX = 24
    ACCOUNTS_MUST_BE_DIFFERENT = 25
    PENDING_ID_MUST_BE_ZERO = 26
    PENDING_ID_MUST_NOT_BE_ZERO = 27
    PENDING_ID_MUST_NOT_BE_INT_MAX = 28
    PENDING_ID_MUST_BE_DIFFERENT = 29
    TIMEOUT_RESERVED_FOR_PENDING_TRANSFER = 30
    CLOSING_TRANSFER_MUST_BE_PENDING = 31
    LEDGER_MUST_NOT_BE_ZERO = 32
    CODE_MUST_NOT_BE_ZERO = 33
    DEBIT_ACCOUNT_NOT_FOUND = 34
    CREDIT_ACCOUNT_NOT_FOUND = 35
    ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER = 36
    TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS = 37
    PENDING_TRANSFER_NOT_FOUND = 38
    PENDING_TRANSFER_NOT_PENDING = 39
    PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID = 40
    PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID = 41
    PENDING_TRANSFER_HAS_DIFFERENT_LEDGER = 42
    PENDING_TRANSFER_HAS_DIFFERENT_CODE = 43
    EXCEEDS_PENDING_TRANSFER_AMOUNT = 44
    PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT = 45
    PENDING_TRANSFER_ALREADY_POSTED = 46
    PENDING_TRANSFER_ALREADY_VOIDED = 47
    PENDING_TRANSFER_EXPIRED = 48
    DEBIT_ACCOUNT_ALREADY_CLOSED = 49
    CREDIT_ACCOUNT_ALREADY_CLOSED = 50
    OVERFLOWS_DEBITS_PENDING = 51
    OVERFLOWS_CREDITS_PENDING = 52
    OVERFLOWS_DEBITS_POSTED = 53
    OVERFLOWS_CREDITS_POSTED = 54
    OVERFLOWS_DEBITS = 55
    OVERFLOWS_CREDITS = 56
    OVERFLOWS_TIMEOUT = 57
    EXCEEDS_CREDITS = 58
    EXCEEDS_DEBITS = 59


TRANSIENT_STATUSES: Final = frozenset(
    {
        TransferStatus.DEBIT_ACCOUNT_NOT_FOUND,
        TransferStatus.CREDIT_ACCOUNT_NOT_FOUND,
        TransferStatus.PENDING_TRANSFER_NOT_FOUND,
        TransferStatus.EXCEEDS_CREDITS,
        TransferStatus.EXCEEDS_DEBITS,
        TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED,
        TransferStatus.CREDIT_ACCOUNT_ALREADY_CLOSED,
    }
)
"""Refusals that depend on the moment: they burn the transfer's id for ever."""


class Account(msgspec.Struct, frozen=True, gc=False):
    """An account of the books.

    `ledger` is one currency at one scale (32 bits, not zero), `code` its place in the chart of
    accounts (16 bits, not zero), `flags` bits of AccountFlags. Counters are minor units of money.
    When creating, counters and timestamp are zero.
    """

    id: int
    ledger: int
    code: int
    flags: int = 0
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0
    timestamp: int = 0


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """A movement of money between two accounts.

    `timeout_s` is the life of a hold in seconds, zero for a hold without end. `pending_id` names
    the hold that is posted or voided; ledger, code and accounts may then be zero, to be taken from
    the hold, and so is the amount when voiding. When creating, the timestamp is zero.
    """

    id: int
    debit_account_id: int = 0
    credit_account_id: int = 0
    amount: int = 0
    pending_id: int = 0
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    timeout_s: int = 0
    ledger: int = 0
    code: int = 0
    flags: int = 0
    timestamp: int = 0


class AccountResult(msgspec.Struct, frozen=True, gc=False):
    """What became of an account, and when: for EXISTS, the instant of the existing account."""

    status: AccountStatus
    timestamp: int


class TransferResult(msgspec.Struct, frozen=True, gc=False):
    """What became of a transfer, and when: for EXISTS, the instant of the existing transfer."""

    status: TransferStatus
    timestamp: int


class AccountBalance(msgspec.Struct, frozen=True, gc=False):
    """The counters of an account with history just after the transfer of this timestamp."""

    timestamp: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


class HoldStatus(IntEnum):
    """What became of a hold."""

    OPEN = 1
    POSTED = 2
    VOIDED = 3
    EXPIRED = 4


class Expiry(msgspec.Struct, frozen=True, gc=False):
    """A hold ended by its timeout."""

    timestamp: int
    transfer_id: int


class Failure(msgspec.Struct, frozen=True, gc=False):
    """A transfer's id that was refused for a passing reason and stays refused."""

    timestamp: int
    transfer_id: int


class ChangeKind(IntEnum):
    """What a change of the books was."""

    POSTED = 1
    HELD = 2
    HOLD_POSTED = 3
    HOLD_VOIDED = 4
    HOLD_EXPIRED = 5


class Change(msgspec.Struct, frozen=True, gc=False):
    """One change of the books, in the order in which they changed.

    `transfer` is the transfer made at this timestamp; for HOLD_EXPIRED, the hold.
    """

    timestamp: int
    kind: ChangeKind
    transfer: Transfer


class AccountFilter(msgspec.Struct, frozen=True):
    """Which transfers, or balances, of one account; zero means any.

    Both ends of the time range are included. `limit` is at least 1.
    """

    account_id: int
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    code: int = 0
    timestamp_min: int = 0
    timestamp_max: int = 0
    limit: int = 100
    includes_debits: bool = True
    includes_credits: bool = True
    is_newest_first: bool = False


class TransferFilter(msgspec.Struct, frozen=True):
    """Which transfers of all accounts; zero means any.

    Both ends of the time range are included. `limit` is at least 1.
    """

    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    ledger: int = 0
    code: int = 0
    timestamp_min: int = 0
    timestamp_max: int = 0
    limit: int = 100
    is_newest_first: bool = False


class Seal(msgspec.Struct, frozen=True):
    """Closes one commit group: a root over its salted rows, chained to the seal before.

    `number` counts from 1. `secret` makes the salts of the rows; it is None once the rows have
    been pruned. `hash` covers every field but the secret.
    """

    number: int
    previous_hash: bytes
    root: bytes
    count: int
    timestamp_min: int
    timestamp_max: int
    hash: bytes
    secret: bytes | None


class Pruning(msgspec.Struct, frozen=True):
    """Rows up to `cut` have given way to closing balances, whose digest is sealed as a row."""

    timestamp: int
    cut: int
    batches: int
    digest: bytes


class PruneRefused(msgspec.Struct, frozen=True):
    """Books that differ from their rows are not pruned: the rows may be needed as evidence."""

    report: "VerifyReport"


class Difference(msgspec.Struct, frozen=True):
    """One place where the books are not what they should be.

    `subject` is what is compared, such as `debits_posted` or `hold`; `id` the account, transfer or
    seal, in its own numbers.
    """

    subject: str
    id: int
    expected: str
    found: str


class VerifyReport(msgspec.Struct, frozen=True):
    """What recomputing the whole books found."""

    accounts: int
    transfers: int
    seals: int
    pruned_batches: int
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int
    differences: tuple[Difference, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


LEDGER_EPOCH: Final = Instant(0)
"""Before the first change: where a reader of the change feed begins."""
