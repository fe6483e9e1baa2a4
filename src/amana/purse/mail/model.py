"""What waits for a payee: a token that only the payee's device can open."""

from enum import StrEnum
from typing import Final

import msgspec

from amana.kernel import AmanaId

MAIL_BYTES_MAX: Final = 16_384
"""Bytes of one sealed token: about 60 locked proofs, more than a purse sends to a person."""

MAIL_WAITING_MAX: Final = 1_000
"""Sealed tokens that wait for one payee; the next one is refused until some are fetched. To fill a
mailbox takes the blind tokens of five customers for a day."""


class Mail(msgspec.Struct, frozen=True):
    """A sealed token. `id` is 16 random bytes; there is no sender and no time."""

    party: AmanaId
    id: bytes
    sealed: bytes


class MailReason(StrEnum):
    """Why a sealed token was not taken."""

    MAILBOX_FULL = "mailbox-full"
    TOO_LARGE = "mail-too-large"


class MailRefused(msgspec.Struct, frozen=True):
    """A refusal; nothing was kept."""

    reason: MailReason
