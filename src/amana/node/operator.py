"""One operator put together: the only place that knows every room."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from amana.events import Outbox, SqlEventRows
from amana.events.webhooks import WebhookRows, Webhooks, WebhookStore
from amana.kernel import AmanaId, Chance, Clock, new_id
from amana.ledger import Account, AccountFlags, AccountStatus, LedgerReader, SQLiteLedger
from amana.node.chance import SystemChance, SystemClock
from amana.node.feed import Feed
from amana.node.ledger import WrittenLedger
from amana.node.purse import Purse, PurseFloor, compose_purse, ecash_account
from amana.node.settings import (
    Settings,
    check_settings,
    read_settings,
    write_settings,
)
from amana.payments import postings
from amana.payments.books import PaymentBooks
from amana.payments.links import LinkOrders, LinkRows, Links, LinkStore
from amana.payments.model import Party
from amana.payments.model import PartyKind as Side
from amana.payments.service import PaymentService
from amana.payments.store import SqlPaymentRows, WrittenPayments
from amana.people import (
    Authenticator,
    Directory,
    PartyFacts,
    PartyKind,
    PartyStatus,
    Passkeys,
    People,
    PeopleEraser,
    PeopleRows,
    PeopleStore,
    Refused,
    SignInSettings,
    load_tiers,
)
from amana.people.vault import VAULT_COLUMNS
from amana.purse.erasing import PurseEraser
from amana.purse.ports import Signatory as MintSignatory
from amana.purse.standing import take_leave
from amana.storage import (
    BOOKS_FILE,
    SETTINGS_FILE,
    Writer,
    lock_folder,
    open_reader,
    open_writer_connection,
    upgrade,
)
from amana.trust import (
    DEFAULT_TABLE,
    HANDLE_PEPPER,
    WEBHOOK_SIGNING,
    Door,
    Eraser,
    Erasure,
    KeyStore,
    Signatory,
    TablePolicy,
    VaultRows,
    VaultStore,
)
from amana.wire.standard_webhooks import SigningKey

_CHANCE_BYTES: Final = 9
OPERATOR_PARTY: Final = AmanaId(1)
"""The operator itself as payer of a top-up: its money at the bank."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Everything that serves requests, commands and workers."""

    folder: Path
    settings: Settings
    clock: Clock
    chance: Chance
    writer: Writer
    ledger: WrittenLedger
    ledger_read: LedgerReader
    payments: PaymentService
    payments_store: WrittenPayments
    payments_read: SqlPaymentRows
    events_read: SqlEventRows
    feed: Feed
    webhooks: Webhooks
    links: Links
    people: People
    passkeys: Passkeys
    people_store: PeopleStore
    people_read: PeopleRows
    directory: Directory
    authenticator: Authenticator
    keys: KeyStore
    signatory: Signatory
    door: Door
    erasure: Erasure
    purse: Purse
    read_connection: sqlite3.Connection

    @property
    def ledger_number(self) -> int:
        """The ledger of the operator's currency: its ISO 4217 number."""
        return int(self.settings.unit.numeric)

    def party(self, facts: PartyFacts) -> Party:
        """Turn a party's facts into what the rules of payments need."""
        return _party_of(self.settings, facts)

    async def erase(self, customer: AmanaId) -> Refused | None:
        """Erase a customer whose account is closed, from the books' log too."""
        refused = await self.people.erase(customer)
        if refused is None:
            await self.writer.carry_over()
        return refused

    def new_id(self) -> AmanaId:
        """Make an identifier of this instant."""
        return _new_id(self.clock, self.chance)

    @property
    def own_party(self) -> Party:
        """The operator's settlement account as a payer."""
        return Party(OPERATOR_PARTY, Side.OPERATOR, postings.SETTLEMENT_ACCOUNT)

    async def start(self) -> int:
        """Open the operator's own accounts, and finish what was interrupted.

        Returns:
            How many payments and redemptions were finished.
        """
        await self.open_own_accounts()
        if await self.erasure.complete():
            await self.writer.carry_over()
        return len(await self.payments.recover()) + await self.purse.mint.recover()

    async def open_own_accounts(self) -> None:
        """Open the operator's accounts in the books, where they are not open yet."""
        number = self.ledger_number
        opened = await self.ledger.create_accounts(
            [
                _own_account(postings.SETTLEMENT_ACCOUNT, postings.CODE_SETTLEMENT, number),
                _own_account(postings.FEES_ACCOUNT, postings.CODE_FEES, number),
                ecash_account(number),
            ]
        )
        fine = {AccountStatus.CREATED, AccountStatus.EXISTS}
        assert all(result.status in fine for result in opened), "the operator's accounts are there"


def _party_of(settings: Settings, facts: PartyFacts) -> Party:
    is_merchant = facts.kind is PartyKind.MERCHANT
    fee = facts.fee_basis_points
    if fee is None:
        fee = settings.merchant_fee_basis_points if is_merchant else 0
    limits = facts.limits
    return Party(
        id=facts.party,
        kind=Side.MERCHANT if is_merchant else Side.CUSTOMER,
        account=facts.ledger_account,
        is_open=facts.status is PartyStatus.ACTIVE,
        payment_limit=None if is_merchant else limits.payment_minor_max,
        day_limit=None if is_merchant else limits.day_minor_max,
        holding_limit=None if is_merchant else limits.holding_minor_max,
        fee_basis_points=fee,
    )


def _new_id(clock: Clock, chance: Chance) -> AmanaId:
    return new_id(clock.now(), chance.draw(_CHANCE_BYTES))


def _own_account(account: int, code: int, ledger: int) -> Account:
    credit_only = account == postings.FEES_ACCOUNT
    flags = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS if credit_only else AccountFlags.NONE
    return Account(id=account, ledger=ledger, code=code, flags=flags)


def make_operator(
    folder: Path, settings: Settings, *, clock: Clock | None = None, chance: Chance | None = None
) -> None:
    """Make the data folder of a new operator: settings, keys, secrets, empty books.

    Raises:
        SettingsRefused: A setting cannot be used; nothing was made.
        FileExistsError: The folder holds an operator already; nothing was changed.
    """
    check_settings(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock, chance = clock or SystemClock(), chance or SystemChance()
    with lock_folder(folder):
        if (folder / SETTINGS_FILE).exists():
            raise FileExistsError(f"{folder} holds an operator already. Nothing was changed.")
        Signatory(folder).make(chance)
        KeyStore.make(folder, now=clock.now(), chance=chance).close()
        upgrade((folder / BOOKS_FILE).resolve())
        write_settings(folder, settings)


@contextmanager
def open_operator(
    folder: Path,
    *,
    url: str | None = None,
    mint_url: str | None = None,
    checkout_url: str | None = None,
    relay_url: str | None = None,
    clock: Clock | None = None,
    chance: Chance | None = None,
    mint_signatory: MintSignatory | None = None,
    pace: int = 1,
) -> Iterator[Operator]:
    """Open the operator of a data folder, alone.

    Args:
        folder: The data folder.
        url: Where it is reached this time, if not where its settings say.
        mint_url: Where its mint is, likewise.
        checkout_url: Where people pay online, likewise.
        relay_url: Which relay wallets use, likewise.
        clock: Another clock than the machine's.
        chance: Another chance than the system's.
        mint_signatory: Another holder of the mint's keys than processes over the folder's own.
        pace: How many times faster than real the purse's hours pass: the demo's alone.
    Raises:
        FolderLocked: Another process works in the folder.
        SettingsRefused: The folder holds no operator, or its settings cannot be used.
    """
    settings = read_settings(folder)
    this_time = {
        "url": url,
        "mint_url": mint_url,
        "checkout_url": checkout_url,
        "relay_url": relay_url,
    }
    changed = {name: value for name, value in this_time.items() if value is not None}
    settings = msgspec.structs.replace(settings, **changed)
    path = (folder / BOOKS_FILE).resolve()
    with ExitStack() as stack:
        stack.enter_context(lock_folder(folder))
        upgrade(path)
        connection = stack.enter_context(closing(open_writer_connection(path)))
        reading = stack.enter_context(closing(open_reader(path)))
        keys = stack.enter_context(closing(KeyStore(folder)))
        floor = _Floor(
            folder, settings, clock or SystemClock(), chance or SystemChance(), keys, pace
        )
        yield _put_together(floor, connection, reading, mint_signatory)


@dataclass(frozen=True, slots=True)
class _Floor:
    """What the rooms stand on."""

    folder: Path
    settings: Settings
    clock: Clock
    chance: Chance
    keys: KeyStore
    pace: int


@dataclass(frozen=True, slots=True)
class _Books:
    """The rooms that share the writer's commits."""

    writer: Writer
    ledger: WrittenLedger
    ledger_read: LedgerReader
    payments: PaymentBooks
    payments_store: WrittenPayments
    feed: Feed


def _books(floor: _Floor, connection: sqlite3.Connection, reading: sqlite3.Connection) -> _Books:
    writer = Writer(connection)
    engine = SQLiteLedger(connection, chance=floor.chance)
    ledger_read = LedgerReader(reading)
    ledger = WrittenLedger(writer, engine, ledger_read, floor.clock)
    outbox = Outbox(SqlEventRows(connection))
    books = PaymentBooks(SqlPaymentRows(connection), outbox, ledger.balance)
    feed = Feed(outbox)
    for participant in (engine, books, outbox):
        writer.join(participant)
    writer.on_commit(feed.tell)
    store = WrittenPayments(writer, books, floor.clock)
    return _Books(writer, ledger, ledger_read, books, store, feed)


@dataclass(frozen=True, slots=True)
class _Trust:
    """The vault's parts."""

    signatory: Signatory
    door: Door
    erasure: Erasure


def _trust(floor: _Floor, writer: Writer, reading: sqlite3.Connection, eraser: Eraser) -> _Trust:
    vault = VaultStore(writer)
    door = Door(
        columns=VAULT_COLUMNS,
        keys=floor.keys,
        reader=VaultRows(reading),
        writer=vault,
        policy=TablePolicy(DEFAULT_TABLE),
        clock=floor.clock,
        chance=floor.chance,
    )
    erasure = Erasure(
        keys=floor.keys, writer=vault, erasers=[eraser, PurseEraser(writer)], clock=floor.clock
    )
    return _Trust(Signatory(floor.folder), door, erasure)


def _links(
    floor: _Floor, books: _Books, payments: PaymentService, reading: sqlite3.Connection
) -> Links:
    return Links(
        LinkRows(reading),
        LinkStore(books.writer),
        LinkOrders(payments, books.payments_store, floor.clock),
        new_id=lambda: _new_id(floor.clock, floor.chance),
        clock=floor.clock,
        chance=floor.chance,
    )


def _webhooks(floor: _Floor, writer: Writer, reading: sqlite3.Connection) -> Webhooks:
    key = SigningKey(Signatory(floor.folder).secret(WEBHOOK_SIGNING))
    return Webhooks(
        reader=WebhookRows(reading),
        writer=WebhookStore(writer),
        events=SqlEventRows(reading),
        public_key=key.verifying_key(),
        is_play_money=floor.settings.is_play_money,
        clock=floor.clock,
        chance=floor.chance,
    )


@dataclass(frozen=True, slots=True)
class _People:
    """Who takes part, and what is kept of them."""

    people: People
    passkeys: Passkeys
    store: PeopleStore
    read: PeopleRows
    directory: Directory
    authenticator: Authenticator
    trust: _Trust


def _people(floor: _Floor, books: _Books, reading: sqlite3.Connection) -> _People:
    settings, clock, chance = floor.settings, floor.clock, floor.chance
    read = PeopleRows(reading)
    tiers = load_tiers(settings.unit)
    directory = Directory(read, tiers)
    authenticator = Authenticator(read, directory)
    pepper = Signatory(floor.folder).secret(HANDLE_PEPPER)
    store = PeopleStore(books.writer, handle_pepper=pepper, take_leave=take_leave)
    eraser = PeopleEraser(
        reader=read, writer=store, directory=directory, authenticator=authenticator
    )
    trust = _trust(floor, books.writer, reading, eraser)
    people = People(
        ledger=books.ledger,
        ledger_number=int(settings.unit.numeric),
        reader=read,
        writer=store,
        directory=directory,
        authenticator=authenticator,
        erasure=trust.erasure,
        tiers=tiers,
        clock=clock,
        chance=chance,
    )
    passkeys = Passkeys(
        people=people,
        reader=read,
        writer=store,
        settings=SignInSettings(settings.host, settings.name, (settings.url,)),
        clock=clock,
        chance=chance,
    )
    return _People(people, passkeys, store, read, directory, authenticator, trust)


def _purse_floor(  # noqa: PLR0917 - the parts that the purse stands on
    floor: _Floor,
    books: _Books,
    payments: PaymentService,
    directory: Directory,
    connections: tuple[sqlite3.Connection, sqlite3.Connection],
) -> PurseFloor:
    return PurseFloor(
        folder=floor.folder,
        settings=floor.settings,
        clock=floor.clock,
        chance=floor.chance,
        connection=connections[0],
        reading=connections[1],
        writer=books.writer,
        ledger=books.ledger,
        payment_books=books.payments,
        payments=payments,
        directory=directory,
        party=lambda facts: _party_of(floor.settings, facts),
        pace=floor.pace,
        new_id=lambda: _new_id(floor.clock, floor.chance),
    )


def _put_together(
    floor: _Floor,
    connection: sqlite3.Connection,
    reading: sqlite3.Connection,
    mint_signatory: MintSignatory | None,
) -> Operator:
    number = int(floor.settings.unit.numeric)
    books = _books(floor, connection, reading)
    parties = _people(floor, books, reading)
    payments = PaymentService(books.payments_store, books.ledger, ledger_number=number)
    purse_floor = _purse_floor(floor, books, payments, parties.directory, (connection, reading))
    purse = compose_purse(purse_floor, mint_signatory)
    return Operator(
        folder=floor.folder,
        settings=floor.settings,
        clock=floor.clock,
        chance=floor.chance,
        writer=books.writer,
        ledger=books.ledger,
        ledger_read=books.ledger_read,
        payments=payments,
        payments_store=books.payments_store,
        payments_read=SqlPaymentRows(reading),
        events_read=SqlEventRows(reading),
        feed=books.feed,
        webhooks=_webhooks(floor, books.writer, reading),
        links=_links(floor, books, payments, reading),
        people=parties.people,
        passkeys=parties.passkeys,
        people_store=parties.store,
        people_read=parties.read,
        directory=parties.directory,
        authenticator=parties.authenticator,
        keys=floor.keys,
        signatory=parties.trust.signatory,
        door=parties.trust.door,
        erasure=parties.trust.erasure,
        purse=purse,
        read_connection=reading,
    )
