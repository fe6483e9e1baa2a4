"""A vault with its door, put together by hand in a folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from amana.kernel import AmanaId, new_id
from amana.testing.rooms import Books, HandClock, SeededChance, open_books
from amana.trust import (
    DEFAULT_TABLE,
    Door,
    DoorColumn,
    DoorRefused,
    Erasure,
    KeyStore,
    Opened,
    Owner,
    ReadPurpose,
    Signatory,
    StaffMember,
    TablePolicy,
    VaultColumn,
    VaultRows,
    VaultStore,
)

NAME = DoorColumn("customer.legal_name")
EMAIL = DoorColumn("customer.email")
COLUMNS = (
    VaultColumn(NAME, "Name", ReadPurpose.CUSTOMER_DUE_DILIGENCE),
    VaultColumn(EMAIL, "EmailAddress", ReadPurpose.COMMUNICATION_FOR_CUSTOMER_CARE),
)
OFFICER = StaffMember(AmanaId(77), "Amal Officer", "officer")


@dataclass
class OtherRoom:
    """A room with rows of its own about people."""

    erased: set[AmanaId] = field(default_factory=set)
    calls: int = 0

    async def erase_person(self, person: AmanaId) -> None:
        self.calls += 1
        self.erased.add(person)

    def erased_persons(self) -> tuple[AmanaId, ...]:
        return tuple(self.erased)


@dataclass
class Vault:
    """Everything a test of the vault touches."""

    folder: Path
    books: Books
    keys: KeyStore
    rows: VaultRows
    store: VaultStore
    door: Door
    erasure: Erasure
    other: OtherRoom
    clock: HandClock
    chance: SeededChance

    def new_person(self) -> AmanaId:
        return new_id(self.clock.now(), self.chance.draw(9))

    def keep(self, person: AmanaId, values: Mapping[DoorColumn, str]) -> DoorRefused | None:
        return self.books.run(self.door.keep(person, values))

    def read_own(self, person: AmanaId, *columns: DoorColumn) -> Opened | DoorRefused:
        return self.books.run(
            self.door.read(
                person,
                columns or (NAME, EMAIL),
                purpose=ReadPurpose.RIGHTS_FULFILMENT,
                reader=Owner(person),
            )
        )

    def own_fields(self, person: AmanaId) -> dict[DoorColumn, str]:
        opened = self.read_own(person)
        assert isinstance(opened, Opened)
        return dict(opened.fields)


@contextmanager
def open_vault(folder: Path, *, clock: HandClock | None = None, seed: int = 1) -> Iterator[Vault]:
    """Make or open a data folder with a vault."""
    clock, chance = clock or HandClock(), SeededChance(seed)
    with open_books(folder) as books:
        Signatory(folder).make(chance)
        keys = KeyStore.make(folder, now=clock.now(), chance=chance)
        rows, store, other = VaultRows(books.reading), VaultStore(books.writer), OtherRoom()
        door = Door(
            columns=COLUMNS,
            keys=keys,
            reader=rows,
            writer=store,
            policy=TablePolicy(DEFAULT_TABLE),
            clock=clock,
            chance=chance,
        )
        erasure = Erasure(keys=keys, writer=store, erasers=[other], clock=clock)
        try:
            yield Vault(folder, books, keys, rows, store, door, erasure, other, clock, chance)
        finally:
            keys.close()
