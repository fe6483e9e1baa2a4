"""What a statement of liabilities says, and the facts it is made from.

Amounts are minor units; in the statement they are strings of digits, as everywhere on the wire.
Nothing here is finer than a day, and nothing names anybody.
"""

from typing import NamedTuple

import msgspec


class Count(NamedTuple):
    """How often a denomination of a keyset was signed and spent."""

    keyset: int
    amount: int
    signed: int
    spent: int


class Facts(NamedTuple):
    """The books at one moment.

    `promised` is paid for and not signed yet, `returning` is spent and on its way into accounts,
    `to_post` is spent and on its way to merchants, `balance` is the ledger account of e-cash.
    """

    counts: tuple[Count, ...]
    promised: int
    returning: int
    to_post: int
    balance: int


class DenominationStatement(msgspec.Struct, frozen=True):
    """One denomination: how many were signed, were spent, and are out."""

    amount: str
    signed: str
    spent: str
    outstanding: str


class KeysetStatement(msgspec.Struct, frozen=True):
    """One keyset; `outstanding` is money, the counts of its denominations are numbers of proofs.

    `revoked` stands here too because the list of keysets could say it to one wallet alone, and a
    statement is the same for everybody.
    """

    id: str
    active: bool
    revoked: bool
    final_expiry: int | None
    outstanding: str
    denominations: tuple[DenominationStatement, ...]


class Statement(msgspec.Struct, frozen=True):
    """What is owed to holders of e-cash, as it stood at some moment of a day (UTC).

    `even` says that outstanding + promised + returning = ledger_balance - to_post. `previous` is
    the SHA-256 of the statement before, as published, in hex: none can be changed unseen.
    """

    day: str
    unit: str
    keysets: tuple[KeysetStatement, ...]
    outstanding: str
    promised: str
    returning: str
    to_post: str
    ledger_balance: str
    even: bool
    previous: str | None
