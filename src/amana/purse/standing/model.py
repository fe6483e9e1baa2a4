"""What a standing order is, and why one is refused."""

from enum import IntEnum, StrEnum

import msgspec

from amana.kernel import AmanaId, Instant
from amana.purse.ports import Blank


class RefillState(IntEnum):
    """Where a refill stands. DEBITED is unfinished: the account is or was debited; unsigned."""

    WAITING = 1
    DEBITED = 2
    SIGNED = 3


class Refill(msgspec.Struct, frozen=True):
    """The next filling of a purse: outputs that the operator will sign at a random hour.

    `id` is 16 random bytes; `attempts` counts debits that were refused.
    """

    party: AmanaId
    id: bytes
    keyset: int
    amount: int
    outputs: tuple[Blank, ...]
    state: RefillState
    attempts: int
    due_at: Instant


class DepositState(IntEnum):
    """Where a deposit stands. OPEN is an address; WAITING is spent e-cash on its way."""

    OPEN = 1
    WAITING = 2
    CLOSING = 3
    """An address of an account that is closing: it takes any sum."""


class Deposit(msgspec.Struct, frozen=True):
    """E-cash on its way into an account. `id` is 16 random bytes, and secret while OPEN."""

    id: bytes
    party: AmanaId
    amount: int
    state: DepositState
    due_at: Instant

    @property
    def is_open(self) -> bool:
        """Whether it is an address that nothing was sent to yet."""
        return self.state is not DepositState.WAITING


class StandingReason(StrEnum):
    """Why a standing order was refused: the slug of its problem page."""

    NOT_A_TIER = "purse-not-a-tier"
    OUTPUTS_DIFFER = "purse-outputs-differ"
    KEYSET_INACTIVE = "purse-keyset-inactive"
    OUTPUTS_USED = "purse-outputs-used"
    DEBITED_DIFFERS = "purse-refill-debited"


class StandingRefused(msgspec.Struct, frozen=True):
    """A refusal; nothing was changed."""

    reason: StandingReason
