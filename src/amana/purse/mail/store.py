"""Purse keys and waiting mail: look-ups on a reading connection, changes through the one writer."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from amana.kernel import AmanaId, Chance
from amana.purse.mail.model import DRAW_BYTES, MAIL_BYTES_MAX, Mail, MailReason, MailRefused
from amana.purse.mail.rules import decide_delivery
from amana.purse.mail.tables import keys_table, mail_table
from amana.storage import Writer, sql_text

_ID_BYTES: Final = 16
_MAIL: Final = mail_table.c
_OF_PARTY: Final = _MAIL.party == sa.bindparam("party")
_OF_ID: Final = _MAIL.id == sa.bindparam("id")
_KEY: Final = sql_text(
    sa.select(keys_table.c.key).where(keys_table.c.party == sa.bindparam("party"))
)
_WAITING: Final = sql_text(sa.select(_MAIL.id, _MAIL.sealed).where(_OF_PARTY).order_by(_MAIL.id))
_COUNT: Final = sql_text(sa.select(sa.func.count()).select_from(mail_table).where(_OF_PARTY))
_FIND: Final = sql_text(sa.select(_MAIL.id).where(_OF_PARTY, _OF_ID))
_INSERT: Final = sql_text(sa.insert(mail_table))
_DROP: Final = sql_text(sa.delete(mail_table).where(_OF_PARTY, _OF_ID))
_PUT_KEY: Final = (
    "INSERT INTO purse_keys (party, key) VALUES (?, ?) "
    "ON CONFLICT (party) DO UPDATE SET key = excluded.key"
)


class _Letter(NamedTuple):
    mail: Mail
    draw: bytes


class MailRows:
    """Look-ups of what is committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def key(self, party: AmanaId) -> bytes | None:
        """Return the key to which e-cash for a customer is locked (33 bytes, compressed)."""
        row = self._connection.execute(_KEY, (party.to_bytes(_ID_BYTES),)).fetchone()
        return None if row is None else bytes(row[0])

    def waiting(self, party: AmanaId) -> list[Mail]:
        """Return what waits for a customer, in no order that means anything."""
        rows = self._connection.execute(_WAITING, (party.to_bytes(_ID_BYTES),))
        return [Mail(party, row[0], row[1]) for row in rows]


class MailStore:
    """Changes, each durable when it returns."""

    def __init__(self, writer: Writer, connection: sqlite3.Connection, chance: Chance) -> None:
        """Join the writer; `connection` is the writer's own."""
        self._writer = writer
        self._connection = connection
        self._chance = chance

    async def put_key(self, party: AmanaId, key: bytes) -> None:
        """Publish a customer's purse key; a later one takes its place."""
        row = (party.to_bytes(_ID_BYTES), key)
        await self._writer.run(lambda connection: connection.execute(_PUT_KEY, row).close())

    async def deliver(self, mail: Mail) -> MailRefused | None:
        """Keep a sealed token for its payee; the same id is kept once."""
        if len(mail.sealed) > MAIL_BYTES_MAX:
            return MailRefused(MailReason.TOO_LARGE)
        letter = _Letter(mail, self._chance.draw(DRAW_BYTES))
        refused: MailRefused | None = await self._writer.submit(self._deliver, letter)
        await self._writer.durable()
        return refused

    def _deliver(self, letters: Sequence[_Letter]) -> list[MailRefused | None]:
        return [self._deliver_one(*letter) for letter in letters]

    def _deliver_one(self, mail: Mail, draw: bytes) -> MailRefused | None:
        party = mail.party.to_bytes(_ID_BYTES)
        if self._connection.execute(_FIND, (party, mail.id)).fetchone() is not None:
            return None
        (waiting,) = self._connection.execute(_COUNT, (party,)).fetchone()
        reason = decide_delivery(waiting, draw)
        if reason is not None:
            return MailRefused(reason)
        self._connection.execute(_INSERT, (party, mail.id, mail.sealed))
        return None

    async def drop(self, party: AmanaId, mail_id: bytes) -> None:
        """Drop what a customer has fetched and put away; dropping it again changes nothing."""
        row = (party.to_bytes(_ID_BYTES), mail_id)
        await self._writer.run(lambda connection: connection.execute(_DROP, row).close())
