"""What the purse forgets of a person who is erased."""

import sqlite3
from collections.abc import Iterable
from typing import Final

from amana.kernel import AmanaId
from amana.storage import Writer

_ID_BYTES: Final = 16
_STATEMENTS: Final = (
    # A refill that was debited and not signed is money owed; it stays until it is paid out.
    "DELETE FROM purse_refills WHERE party = ? AND state <> 2",
    "DELETE FROM purse_deposits WHERE party = ? AND state <> 2",
    "DELETE FROM purse_keys WHERE party = ?",
    "DELETE FROM purse_mail WHERE party = ?",
    "DELETE FROM purse_backups WHERE party = ?",
    "DELETE FROM purse_auth_quota WHERE party = ?",
)


class PurseEraser:
    """Deletes a person's standing orders, keys, mail and backup; e-cash itself names nobody."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def erase_person(self, person: AmanaId) -> None:
        """Delete the person's rows; again and again without harm."""
        key = (person.to_bytes(_ID_BYTES),)

        def work(connection: sqlite3.Connection) -> None:
            for statement in _STATEMENTS:
                connection.execute(statement, key)

        await self._writer.run(work)

    def erased_persons(self) -> Iterable[AmanaId]:
        """Return nobody: who is erased is written in the people's own rows."""
        return ()
