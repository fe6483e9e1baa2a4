"""The daily statement: made once a day, never changed."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec

from amana.kernel import Clock, day_number
from amana.purse.liabilities import rules
from amana.purse.liabilities.model import Statement
from amana.purse.liabilities.ports import FactsReader, Statements
from amana.purse.model import Keyset


class Liabilities:
    """Publishes what is owed to holders of e-cash."""

    def __init__(
        self,
        statements: Statements,
        *,
        facts: FactsReader,
        keysets: Callable[[], Sequence[Keyset]],
        unit: str,
        clock: Clock,
    ) -> None:
        """Join the ports.

        Args:
            statements: Where statements are kept.
            facts: Reads the books at one moment.
            keysets: The list as it stands.
            unit: The unit of the operator's e-cash.
            clock: The time.
        """
        self._statements = statements
        self._facts = facts
        self._keysets = keysets
        self._unit = unit
        self._clock = clock

    async def publish(self) -> Statement | None:
        """Make the day's statement; None where it is made already.

        Raises:
            Unavailable: It could not be kept; the next turn makes it.
        """
        day, last = day_number(self._clock.now()), self._statements.last()
        if last is not None and last[0] >= day:
            return None
        statement = await self.state(day)
        await self._statements.put(day, msgspec.json.encode(statement))
        return statement

    async def state(self, day: int) -> Statement:
        """Return what is owed at this moment, as the statement of a day would say it."""
        facts, last = await self._facts(), self._statements.last()
        return rules.make_statement(
            facts,
            self._keysets(),
            day=day,
            unit=self._unit,
            previous=None if last is None else sha256(last[1]).hexdigest(),
        )
