"""The room's statements: look-ups on a reading connection, changes through the one writer."""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from amana.kernel import AmanaId, Instant
from amana.storage import Writer, sql_text
from amana.trust import tables
from amana.trust.model import (
    DoorColumn,
    DoorCount,
    DoorRecord,
    ReadPurpose,
    ReadRequest,
    StaffMember,
)

_FIELDS: Final = sql_text(
    sa.select(tables.fields.c.name, tables.fields.c.sealed)
    .where(tables.fields.c.person == sa.bindparam("person"))
    .order_by(tables.fields.c.name)
)
_RECORDS: Final = sql_text(
    sa.select(tables.records)
    .where(tables.records.c.person == sa.bindparam("person"))
    .order_by(tables.records.c.number)
)
_COUNTS: Final = sql_text(
    sa.select(tables.counts)
    .where(tables.counts.c.person == sa.bindparam("person"))
    .order_by(tables.counts.c.day, tables.counts.c.purpose, tables.counts.c.reader)
)
_keep: Final = insert(tables.fields)
_KEEP_FIELD: Final = sql_text(
    _keep.on_conflict_do_update(
        index_elements=["person", "name"], set_={"sealed": _keep.excluded.sealed}
    )
)
_KEEP_RECORD: Final = sql_text(sa.insert(tables.records))
_COUNT: Final = sql_text(
    insert(tables.counts).on_conflict_do_update(
        index_elements=["person", "day", "purpose", "reader"],
        set_={"count": tables.counts.c["count"] + sa.literal_column("1")},
    )
)
_FORGET_COUNTS: Final = sql_text(
    sa.delete(tables.counts).where(tables.counts.c.day < sa.bindparam("day"))
)
_DELETE_FIELDS: Final = sql_text(
    sa.delete(tables.fields).where(tables.fields.c.person == sa.bindparam("person"))
)
_DELETE_COUNTS: Final = sql_text(
    sa.delete(tables.counts).where(tables.counts.c.person == sa.bindparam("person"))
)


class VaultRows:
    """Look-ups of what is committed, on a connection that only reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def fields(self, person: AmanaId) -> Mapping[DoorColumn, bytes]:
        """Return a person's sealed fields."""
        rows = self._connection.execute(_FIELDS, (person.to_bytes(16),))
        return {DoorColumn(name): sealed for name, sealed in rows}

    def records(self, person: AmanaId) -> tuple[DoorRecord, ...]:
        """Return the recorded readings of a person's fields, oldest first."""
        rows = self._connection.execute(_RECORDS, (person.to_bytes(16),))
        return tuple(_read_record(row) for row in rows)

    def counts(self, person: AmanaId) -> tuple[DoorCount, ...]:
        """Return the counts of a person's own and machines' readings."""
        rows = self._connection.execute(_COUNTS, (person.to_bytes(16),))
        return tuple(
            DoorCount(person, day, ReadPurpose(purpose), reader, count)
            for _, day, purpose, reader, count in rows
        )


class VaultStore:
    """Changes, each one durable unit of work."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def keep_fields(self, person: AmanaId, fields: Mapping[DoorColumn, bytes]) -> None:
        """Keep sealed fields, replacing those of the same column."""
        rows = [(person.to_bytes(16), name, sealed) for name, sealed in fields.items()]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_KEEP_FIELD, rows)

        await self._writer.run(work)

    async def keep_record(
        self, request: ReadRequest, outcome: str, policy: str, now: Instant
    ) -> None:
        """Record a reading by a human other than the owner."""
        reader = request.reader
        assert isinstance(reader, StaffMember), "owners and machines are counted, not recorded"
        row = (
            None,
            request.person.to_bytes(16),
            reader.staff.to_bytes(16),
            reader.name,
            reader.role,
            request.purpose.value,
            " ".join(column.name for column in request.columns),
            outcome,
            policy,
            now,
        )
        await self._writer.run(lambda connection: _execute(connection, _KEEP_RECORD, row))

    async def count(self, person: AmanaId, purpose: ReadPurpose, reader: str, day: int) -> None:
        """Count a reading by the owner or a machine."""
        row = (person.to_bytes(16), day, purpose.value, reader, 1)
        await self._writer.run(lambda connection: _execute(connection, _COUNT, row))

    async def forget_counts(self, before_day: int) -> None:
        """Delete the counts of days before this one."""
        await self._writer.run(
            lambda connection: _execute(connection, _FORGET_COUNTS, (before_day,))
        )

    async def delete_person(self, person: AmanaId) -> None:
        """Delete a person's fields and counts; records of staff's readings are about the staff."""
        key = (person.to_bytes(16),)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_DELETE_FIELDS, key)
            connection.execute(_DELETE_COUNTS, key)

        await self._writer.run(work)


def _execute(connection: sqlite3.Connection, statement: str, row: tuple[Any, ...]) -> None:
    connection.execute(statement, row)


def _read_record(row: tuple[Any, ...]) -> DoorRecord:
    number, person, staff, name, role, purpose, names, outcome, policy, occurred_at = row
    return DoorRecord(
        number=number,
        person=AmanaId(int.from_bytes(person)),
        reader=StaffMember(AmanaId(int.from_bytes(staff)), name, role),
        purpose=ReadPurpose(purpose),
        columns=tuple(DoorColumn(word) for word in names.split()),
        outcome=outcome,
        policy=policy,
        occurred_at=Instant(occurred_at),
    )
