"""The outbox: events enter it in the same commit as what they tell of."""

from collections.abc import Sequence
from typing import Final, Protocol

from amana.events.model import Event, EventKind
from amana.kernel import AmanaId, Instant

_HEADS_MAX: Final = 200_000


class EventRows(Protocol):
    """Where events are kept."""

    def last_number(self, stream: AmanaId) -> int:
        """Return the number of the newest event of a stream, 0 where there is none."""

    def write(self, events: Sequence[Event]) -> None:
        """Add events within the open commit group."""


class Outbox:
    """Numbers events and holds them back until the commit that makes them true."""

    def __init__(self, rows: EventRows) -> None:
        self._rows = rows
        self._heads: dict[AmanaId, int] = {}
        self._held_back: list[Event] = []
        self._committed: list[Event] = []

    def append(
        self,
        stream: AmanaId,
        kind: EventKind,
        *,
        subject: AmanaId,
        order_id: AmanaId | None,
        amount: int,
        occurred_at: Instant,
    ) -> None:
        """Add one event to a party's feed, durable with the commit group."""
        head = self._heads.get(stream)
        if head is None:
            head = self._rows.last_number(stream)
        self._heads[stream] = head + 1
        self._held_back.append(
            Event(stream, head + 1, kind, subject, order_id, amount, occurred_at)
        )

    def take_committed(self) -> Sequence[Event]:
        """Return the events made durable since the last call, in order."""
        committed, self._committed = self._committed, []
        return committed

    def before_commit(self) -> None:
        """Write the events of this group."""
        self._rows.write(self._held_back)

    def after_commit(self) -> None:
        """Let the events be told."""
        self._committed += self._held_back
        self._held_back = []
        if len(self._heads) > _HEADS_MAX:
            self._heads.clear()

    def after_rollback(self) -> None:
        """Forget the events of a group that was lost."""
        self._held_back = []
        self._heads.clear()
