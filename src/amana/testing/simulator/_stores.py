"""The stores of a world, in three forms, and what survives a crash of each."""

import sqlite3
from collections.abc import Sequence
from enum import Enum
from typing import Final, Protocol

import msgspec

from amana.events import Event, EventRows
from amana.kernel import AmanaId, Chance, Instant
from amana.ledger import Account, AccountFlags, LedgerEngine, Transfer
from amana.payments import postings
from amana.payments.books import PaymentRows
from amana.payments.model import (
    ECASH_ACCOUNT,
    PURSE_PARTY,
    Order,
    Party,
    PartyKind,
    Payment,
    Step,
    Takings,
)
from amana.testing.simulator._memory import FeedRows, MemoryEventRows, MemoryPaymentRows
from amana.testing.simulator._node import LEDGER_NUMBER, Parts
from amana.testing.simulator._purse_rows import MemoryPurse, StoredPurse, read_purse
from amana.testing.simulator._violation import Violation
from amana.testing.simulator._writer import Core, MemoryCore


class Form(Enum):
    """How the books of payments and the ledger are made durable."""

    SHARED = "one commit for payments and ledger, in memory"
    SEPARATE = "a ledger that commits on its own, in memory"
    SQLITE = "one commit for payments and ledger, in a file"


class Stored(msgspec.Struct, frozen=True):
    """Everything durable at the end of a world, for the auditor."""

    payments: dict[AmanaId, Payment]
    steps: dict[bytes, Step]
    orders: dict[AmanaId, Order]
    days: dict[tuple[AmanaId, int], int]
    takings: dict[tuple[AmanaId, int], Takings]
    feeds: dict[AmanaId, list[Event]]
    accounts: list[Account]
    transfers: list[Transfer]
    purse: StoredPurse


class FeedingRows(EventRows, FeedRows, Protocol):
    """Rows of events that can be written and read."""


class Stores(Protocol):
    """What a node of a world stands on."""

    @property
    def rows(self) -> PaymentRows:
        """Payments that have been committed."""

    @property
    def event_rows(self) -> FeedingRows:
        """Events that have been committed."""

    @property
    def engine(self) -> LedgerEngine:
        """The ledger."""

    @property
    def core(self) -> Core:
        """What commits payments and events."""

    @property
    def ledger_core(self) -> Core:
        """What commits the ledger; the same as `core` where they share commits."""

    @property
    def purse(self) -> sqlite3.Connection:
        """The connection on which the purse's rows are written."""

    def refunds_of(self, payment_id: AmanaId) -> Sequence[Payment]:
        """Return the refunds of a payment that have been committed."""

    def crash(self) -> None:
        """Lose what is not durable, and be ready for the next node."""

    def stored(self) -> Stored:
        """Return everything durable."""

    def second_opinion(self) -> list[Violation]:
        """Return what another auditor finds in the same stores."""

    def close(self) -> None:
        """Leave nothing behind."""


_CODES: Final = {
    PartyKind.CUSTOMER: postings.CODE_CUSTOMER,
    PartyKind.MERCHANT: postings.CODE_MERCHANT,
}


def chart(parties: dict[AmanaId, Party]) -> list[Account]:
    """Return the accounts of a world's ledger."""
    debits_bound = int(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)
    accounts = [
        Account(
            id=postings.SETTLEMENT_ACCOUNT,
            ledger=LEDGER_NUMBER,
            code=postings.CODE_SETTLEMENT,
            flags=int(AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS),
        ),
        Account(
            id=postings.FEES_ACCOUNT,
            ledger=LEDGER_NUMBER,
            code=postings.CODE_FEES,
            flags=debits_bound,
        ),
    ]
    accounts += [
        Account(party.account, LEDGER_NUMBER, _CODES[party.kind], flags=debits_bound)
        for party in parties.values()
        if party.kind in _CODES
    ]
    if PURSE_PARTY in parties:
        accounts.append(
            Account(ECASH_ACCOUNT, LEDGER_NUMBER, postings.CODE_ECASH, flags=debits_bound)
        )
    return accounts


class MemoryStores:
    """Rows and ledger in memory, with one commit or two."""

    def __init__(
        self, parts: Parts, *, accounts: list[Account], chance: Chance, now: Instant, form: Form
    ) -> None:
        self.rows = MemoryPaymentRows()
        self.event_rows = MemoryEventRows()
        self._purse = MemoryPurse()
        self.purse = self._purse.connection
        self._is_shared = form is Form.SHARED
        self._ledger = parts.ledger(chance=chance)
        self.engine: LedgerEngine = self._ledger
        self.engine.create_accounts(accounts, now=now)
        self.engine.before_commit()
        self.engine.after_commit()
        self._account_ids = [account.id for account in accounts]
        self.ledger_core: Core = MemoryCore()
        self.ledger_core.join(self.engine)
        self.core: Core = self._new_core()

    def _new_core(self) -> Core:
        core = MemoryCore(self.rows, self.event_rows, self._purse)
        if self._is_shared:
            core.join(self.engine)
            self.ledger_core = core
        return core

    def crash(self) -> None:
        """Lose what is not durable; a ledger apart goes on."""
        self.core.rollback()
        self.core = self._new_core()

    def stored(self) -> Stored:
        """Return everything durable."""
        return Stored(
            self.rows.payments,
            self.rows.steps,
            self.rows.orders,
            self.rows.days,
            self.rows.merchant_days,
            self.event_rows.feeds,
            self._ledger.lookup_accounts(self._account_ids),
            list(self._ledger.transfers()),
            read_purse(self.purse),
        )

    def refunds_of(self, payment_id: AmanaId) -> list[Payment]:
        """Return the refunds of a payment that have been committed."""
        return [row for row in self.rows.payments.values() if row.refund_of == payment_id]

    def second_opinion(self) -> list[Violation]:
        """Return what the ledger's own verification finds."""
        return [
            Violation(f"verify: {row.subject}", f"{row.id:x}", row.expected, row.found)
            for row in self._ledger.verify().differences
        ]

    def close(self) -> None:
        """Leave nothing behind: memory is forgotten."""
        self.purse.close()
