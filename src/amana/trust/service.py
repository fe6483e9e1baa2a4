"""The one door to the vault, and the erasure of a person."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import tink

from amana.kernel import DAY_NS, AmanaId, Chance, Clock, day_number
from amana.trust.keys import KeyStore
from amana.trust.model import (
    VAULT_VALUE_BYTES_MAX,
    VAULT_VERSION,
    DoorColumn,
    DoorRefusal,
    DoorRefused,
    Erased,
    Opened,
    Permitted,
    Reader,
    ReadPurpose,
    ReadRequest,
    StaffMember,
    VaultColumn,
)
from amana.trust.ports import Eraser, Policy, VaultReader, VaultWriter
from amana.trust.rules import associated_data, reader_role

COUNT_DAYS_KEPT: Final = 90
"""Days for which counts of own and machines' readings are kept."""

_VERSION_BYTE: Final = VAULT_VERSION.to_bytes(1)
_OPENED: Final = "opened"


class FieldDamaged(AssertionError):  # noqa: N818 - a state of the books, told to the operator
    """A sealed field does not open under its person's own key: the books were tampered with."""


class Door:
    """Reads and writes of personal data; there is no other way in or out."""

    def __init__(
        self,
        *,
        columns: Iterable[VaultColumn],
        keys: KeyStore,
        reader: VaultReader,
        writer: VaultWriter,
        policy: Policy,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._columns = {column.name: column for column in columns}
        self._keys = keys
        self._reader = reader
        self._writer = writer
        self._policy = policy
        self._clock = clock
        self._chance = chance

    async def read(
        self,
        person: AmanaId,
        columns: Sequence[DoorColumn],
        *,
        purpose: ReadPurpose,
        reader: Reader,
    ) -> Opened | DoorRefused:
        """Open fields for a stated purpose.

        A reading by a human other than the owner is recorded, durably, before anything is opened;
        so is the attempt at one. Readings by the owner, and by machines that show nobody what they
        read, are counted by the day.

        Raises:
            Unavailable: The record or count could not be kept, so nothing was opened.
        """
        known = tuple(self._columns[name] for name in columns if name in self._columns)
        if len(known) != len(columns):
            return DoorRefused(DoorRefusal.COLUMN_UNKNOWN)
        request = ReadRequest(person, known, purpose, reader)
        decision = self._policy.decide(request)
        await self._tell(request, decision)
        if isinstance(decision, DoorRefused):
            return decision
        return self._open(request)

    async def keep(self, person: AmanaId, values: Mapping[DoorColumn, str]) -> DoorRefused | None:
        """Seal fields under the person's key and keep them.

        Raises:
            Unavailable: They were not kept, or whether they were is not known; keep them again.
        """
        if not values.keys() <= self._columns.keys():
            return DoorRefused(DoorRefusal.COLUMN_UNKNOWN)
        person_keys = self._keys.make_keys(person, self._chance)
        if person_keys is None:
            return DoorRefused(DoorRefusal.PERSON_ERASED)
        sealed = {}
        for name, value in values.items():
            plain = value.encode()
            assert len(plain) <= VAULT_VALUE_BYTES_MAX, "the edge bounds what it lets in"
            label = associated_data(person, self._columns[name])
            sealed[name] = _VERSION_BYTE + person_keys.fields.encrypt(plain, label)
        await self._writer.keep_fields(person, sealed)
        return None

    async def forget_counts(self) -> None:
        """Delete counts older than ninety days; due once a day."""
        await self._writer.forget_counts(day_number(self._clock.now()) - COUNT_DAYS_KEPT)

    async def _tell(self, request: ReadRequest, decision: Permitted | DoorRefused) -> None:
        now = self._clock.now()
        if isinstance(request.reader, StaffMember):
            outcome = decision.reason.value if isinstance(decision, DoorRefused) else _OPENED
            await self._writer.keep_record(request, outcome, decision.policy, now)
        elif isinstance(decision, Permitted):
            role = reader_role(request.reader)
            await self._writer.count(request.person, request.purpose, role, now // DAY_NS)

    def _open(self, request: ReadRequest) -> Opened | DoorRefused:
        person_keys = self._keys.keys(request.person)
        if person_keys is None:
            if self._keys.is_erased(request.person):
                return DoorRefused(DoorRefusal.PERSON_ERASED)
            return Opened({})
        sealed = self._reader.fields(request.person)
        opened = {}
        for column in request.columns:
            field = sealed.get(column.name)
            if field is None:
                continue
            if field[:1] != _VERSION_BYTE:
                raise FieldDamaged(f"A field of column {column.name} has an unknown version.")
            label = associated_data(request.person, column)
            try:
                opened[column.name] = person_keys.fields.decrypt(field[1:], label).decode()
            except tink.TinkError as failure:
                raise FieldDamaged(f"A field of column {column.name} does not open.") from failure
        return Opened(opened)


class Erasure:
    """Erases a person: the keys first, so that nothing can be read while rows are deleted."""

    def __init__(
        self, *, keys: KeyStore, writer: VaultWriter, erasers: Sequence[Eraser], clock: Clock
    ) -> None:
        self._keys = keys
        self._writer = writer
        self._erasers = erasers
        self._clock = clock

    async def erase(self, person: AmanaId) -> Erased:
        """Destroy a person's keys, then delete their rows where no duty forbids.

        Raises:
            Unavailable: The keys are destroyed; the rows are deleted by the next `complete`.
        """
        self._keys.destroy([person], self._clock.now())
        await self._delete_rows(person)
        return Erased(person)

    async def complete(self) -> int:
        """Finish erasures that broke off, or that a restored backup has undone; return how many.

        Due at each start. After a restore it asks both ways: who is erased by the key store is
        erased in the books, and who is erased in the books loses the keys an older key store
        brought back.
        """
        for eraser in self._erasers:
            revived = [p for p in eraser.erased_persons() if not self._keys.is_erased(p)]
            self._keys.destroy(revived, self._clock.now())
        unfinished = self._keys.erasures(only_incomplete=True)
        for person in unfinished:
            await self._delete_rows(person)
        return len(unfinished)

    async def _delete_rows(self, person: AmanaId) -> None:
        await self._writer.delete_person(person)
        for eraser in self._erasers:
            await eraser.erase_person(person)
        self._keys.complete(person)
