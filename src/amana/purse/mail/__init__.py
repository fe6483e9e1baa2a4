"""E-cash sent to a handle: the payee's purse key, and sealed tokens that wait to be fetched."""

from amana.purse.mail.model import (
    MAIL_BYTES_MAX,
    MAIL_FREELY_MAX,
    MAIL_WAITING_MAX,
    Mail,
    MailReason,
    MailRefused,
)
from amana.purse.mail.store import MailRows, MailStore

__all__ = [
    "MAIL_BYTES_MAX",
    "MAIL_FREELY_MAX",
    "MAIL_WAITING_MAX",
    "Mail",
    "MailReason",
    "MailRefused",
    "MailRows",
    "MailStore",
]
