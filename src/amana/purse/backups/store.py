"""Backups: look-ups on a reading connection, changes through the one writer."""

import sqlite3
from typing import Final, NamedTuple

import sqlalchemy as sa

from amana.kernel import AmanaId
from amana.purse.backups.tables import backups_table
from amana.storage import Writer, sql_text

_ID_BYTES: Final = 16
_FIND: Final = sql_text(
    sa.select(backups_table.c.sealed, backups_table.c.day).where(
        backups_table.c.party == sa.bindparam("party")
    )
)
_PUT: Final = (
    "INSERT INTO purse_backups (party, sealed, day) VALUES (?, ?, ?) "
    "ON CONFLICT (party) DO UPDATE SET sealed = excluded.sealed, day = excluded.day"
)


class Backup(NamedTuple):
    """A sealed purse, and the UTC day it was left, counted from 1970."""

    sealed: bytes
    day: int


class BackupRows:
    """Look-ups of what is committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def backup(self, party: AmanaId) -> Backup | None:
        """Return a customer's backup."""
        row = self._connection.execute(_FIND, (party.to_bytes(_ID_BYTES),)).fetchone()
        return None if row is None else Backup(*row)


class BackupStore:
    """Changes, each durable when it returns."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def put(self, party: AmanaId, backup: Backup) -> None:
        """Keep a customer's backup in the place of the one before."""
        row = (party.to_bytes(_ID_BYTES), backup.sealed, backup.day)
        await self._writer.run(lambda connection: connection.execute(_PUT, row).close())
