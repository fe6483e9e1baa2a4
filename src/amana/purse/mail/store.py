"""Purse keys and waiting mail: look-ups on a reading connection, changes through the one writer."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from amana.kernel import AmanaId
from amana.purse.mail import tables as tables  # noqa: PLC0414 - the tables are declared by it
from amana.purse.mail.model import (
    MAIL_BYTES_MAX,
    MAIL_WAITING_MAX,
    Mail,
    MailReason,
    MailRefused,
)
from amana.storage import Writer

_ID_BYTES: Final = 16


class MailRows:
    """Look-ups of what is committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def key(self, party: AmanaId) -> bytes | None:
        """Return the key to which e-cash for a customer is locked (33 bytes, compressed)."""
        row = self._connection.execute(
            "SELECT key FROM purse_keys WHERE party = ?", (party.to_bytes(_ID_BYTES),)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def waiting(self, party: AmanaId) -> list[Mail]:
        """Return what waits for a customer, in no order that means anything."""
        rows = self._connection.execute(
            "SELECT id, sealed FROM purse_mail WHERE party = ? ORDER BY id",
            (party.to_bytes(_ID_BYTES),),
        )
        return [Mail(party, row[0], row[1]) for row in rows]


class MailStore:
    """Changes, each durable when it returns."""

    def __init__(self, writer: Writer, connection: sqlite3.Connection) -> None:
        """Join the writer; `connection` is the writer's own."""
        self._writer = writer
        self._connection = connection

    async def put_key(self, party: AmanaId, key: bytes) -> None:
        """Publish a customer's purse key; a later one takes its place."""
        row = (party.to_bytes(_ID_BYTES), key)
        await self._writer.run(
            lambda connection: connection.execute(
                "INSERT INTO purse_keys (party, key) VALUES (?, ?) "
                "ON CONFLICT (party) DO UPDATE SET key = excluded.key",
                row,
            ).close()
        )

    async def deliver(self, mail: Mail) -> MailRefused | None:
        """Keep a sealed token for its payee; the same id is kept once."""
        if len(mail.sealed) > MAIL_BYTES_MAX:
            return MailRefused(MailReason.TOO_LARGE)
        refused: MailRefused | None = await self._writer.submit(self._deliver, mail)
        await self._writer.durable()
        return refused

    def _deliver(self, mails: Sequence[Mail]) -> list[MailRefused | None]:
        return [self._deliver_one(mail) for mail in mails]

    def _deliver_one(self, mail: Mail) -> MailRefused | None:
        party = mail.party.to_bytes(_ID_BYTES)
        (waiting,) = self._connection.execute(
            "SELECT count(*) FROM purse_mail WHERE party = ? AND id <> ?", (party, mail.id)
        ).fetchone()
        if waiting >= MAIL_WAITING_MAX:
            return MailRefused(MailReason.MAILBOX_FULL)
        self._connection.execute(
            "INSERT INTO purse_mail (party, id, sealed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (party, mail.id, mail.sealed),
        )
        return None

    async def drop(self, party: AmanaId, mail_id: bytes) -> None:
        """Drop what a customer has fetched and put away; dropping it again changes nothing."""
        row = (party.to_bytes(_ID_BYTES), mail_id)
        await self._writer.run(
            lambda connection: connection.execute(
                "DELETE FROM purse_mail WHERE party = ? AND id = ?", row
            ).close()
        )
