"""What waits for a payee: a token that only the payee's device can open."""

from enum import StrEnum
from typing import Final

import msgspec

from amana.kernel import AmanaId

MAIL_BYTES_MAX: Final = 16_384
"""Bytes of one sealed token: about 60 locked proofs, more than a purse sends to a person."""

MAIL_WAITING_MAX: Final = 1_000
"""Sealed tokens that wait for one payee; the next one is refused until some are fetched."""

MAIL_FREELY_MAX: Final = 500
"""Of them those that are taken as they come. Above, the chance halves again and again."""

MAIL_STEP: Final = 50
"""Letters after which the chance halves. To bring a mailbox from 500 letters to 1,000 takes more
than 100,000 blind tokens, those of 500 customers for a day; at 600 a letter takes eight."""

DRAW_BYTES: Final = 8


class Mail(msgspec.Struct, frozen=True):
    """A sealed token. `id` is 16 random bytes; there is no sender and no time."""

    party: AmanaId
    id: bytes
    sealed: bytes


class MailReason(StrEnum):
    """Why a sealed token was not taken."""

    MAILBOX_FULL = "mailbox-full"
    MAILBOX_CROWDED = "mailbox-crowded"
    """Many letters wait, and this one was not drawn; the next attempt may be."""
    TOO_LARGE = "mail-too-large"


class MailRefused(msgspec.Struct, frozen=True):
    """A refusal; nothing was kept."""

    reason: MailReason
