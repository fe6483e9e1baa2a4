"""The room of people, put together by hand in a folder, over the memory ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amana.kernel import AmanaId, currency
from amana.ledger import Transfer
from amana.people import (
    VAULT_COLUMNS,
    Authenticator,
    Customer,
    Directory,
    Merchant,
    Passkeys,
    People,
    PeopleEraser,
    PeopleRows,
    PeopleStore,
    Principal,
    Refused,
    SignInSettings,
    load_tiers,
)
from amana.testing.rooms import AwaitedMemoryLedger, Books, HandClock, SeededChance, open_books
from amana.trust import (
    DEFAULT_TABLE,
    HANDLE_PEPPER,
    Door,
    Erasure,
    KeyStore,
    Signatory,
    TablePolicy,
    VaultRows,
    VaultStore,
)

LEDGER = 978
ORIGIN = "http://localhost:8400"
SETTLEMENT = 1


@dataclass
class PeopleWorld:
    """Everything a test of the room touches."""

    books: Books
    clock: HandClock
    chance: SeededChance
    ledger: AwaitedMemoryLedger
    rows: PeopleRows
    store: PeopleStore
    directory: Directory
    authenticator: Authenticator
    people: People
    passkeys: Passkeys
    door: Door
    erasure: Erasure
    keys: KeyStore
    on_their_way: dict[AmanaId, int]
    """What the rooms above have on its way to a party, in minor units."""

    def open_customer(self, handle: str = "noor", name: str = "Noor") -> Customer:
        opened = self.books.run(self.people.open_customer(self.people.new_customer(handle, name)))
        assert isinstance(opened, Customer), opened
        return opened

    def new_merchant(self, handle: str = "bakery") -> Merchant:
        return self.people.new_merchant(
            handle,
            "Bakery Noor",
            category="5462",
            country="AE",
            city="Dubai",
            names={"ar": "مخبز نور"},
        )

    def open_merchant(self, handle: str = "bakery") -> Merchant:
        opened = self.books.run(self.people.open_merchant(self.new_merchant(handle)))
        assert isinstance(opened, Merchant), opened
        return opened

    def principal(self, token: str) -> Principal | None:
        return self.authenticator.principal(token, self.clock.now())

    def session_of(self, customer: AmanaId) -> str:
        issued = self.books.run(self.people.issue_session(customer))
        assert not isinstance(issued, Refused), issued
        return issued.text

    def pay_in(self, account: int, amount: int) -> None:
        """Credit an account from one without bounds."""
        transfer = Transfer(
            id=int.from_bytes(self.chance.draw(15)),
            debit_account_id=SETTLEMENT,
            credit_account_id=account,
            amount=amount,
            ledger=LEDGER,
            code=1,
        )
        (result,) = self.books.run(self.ledger.create_transfers([transfer]))
        assert result.status == 0, result


@contextmanager
def open_people(folder: Path, *, kept_max: int = 1_000, open_max: int = 5) -> Iterator[PeopleWorld]:
    """Make a data folder and put the room together in it."""
    clock, chance = HandClock(), SeededChance()
    Signatory(folder).make(chance)
    keys = KeyStore.make(folder, now=clock.now(), chance=chance)
    with open_books(folder) as books:
        yield _put_together(books, keys, (clock, chance), (kept_max, open_max))
        keys.close()


def _put_together(
    books: Books,
    keys: KeyStore,
    surroundings: tuple[HandClock, SeededChance],
    bounds: tuple[int, int],
) -> PeopleWorld:
    clock, chance = surroundings
    rows = PeopleRows(books.reading)
    pepper = Signatory(books.folder).secret(HANDLE_PEPPER)
    on_their_way: dict[AmanaId, int] = {}
    store = PeopleStore(
        books.writer,
        handle_pepper=pepper,
        take_leave=lambda _, party: on_their_way.get(party, 0),
    )
    tiers = load_tiers(currency("EUR"))
    directory = Directory(rows, tiers, kept_max=bounds[0])
    authenticator = Authenticator(rows, directory, kept_max=bounds[0])
    eraser = PeopleEraser(
        reader=rows, writer=store, directory=directory, authenticator=authenticator
    )
    vault = VaultStore(books.writer)
    erasure = Erasure(keys=keys, writer=vault, erasers=[eraser], clock=clock)
    ledger = AwaitedMemoryLedger(clock=clock, chance=chance)
    people = People(
        ledger=ledger,
        ledger_number=LEDGER,
        reader=rows,
        writer=store,
        directory=directory,
        authenticator=authenticator,
        erasure=erasure,
        tiers=tiers,
        clock=clock,
        chance=chance,
    )
    settings = SignInSettings("localhost", "Demo operator", (ORIGIN,))
    passkeys = Passkeys(
        people=people,
        reader=rows,
        writer=store,
        settings=settings,
        clock=clock,
        chance=chance,
        open_max=bounds[1],
    )
    door = _door(books, keys, vault, surroundings)
    memory, services = (rows, store, directory, authenticator), (people, passkeys, door, erasure)
    return PeopleWorld(books, clock, chance, ledger, *memory, *services, keys, on_their_way)


def _door(
    books: Books, keys: KeyStore, vault: VaultStore, surroundings: tuple[HandClock, SeededChance]
) -> Door:
    return Door(
        columns=VAULT_COLUMNS,
        keys=keys,
        reader=VaultRows(books.reading),
        writer=vault,
        policy=TablePolicy(DEFAULT_TABLE),
        clock=surroundings[0],
        chance=surroundings[1],
    )
