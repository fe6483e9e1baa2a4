"""What happened, told to those it concerns: an outbox, a feed, a stream."""

from amana.events.model import Event, EventKind
from amana.events.outbox import EventRows, Outbox
from amana.events.store import SqlEventRows

__all__ = ["Event", "EventKind", "EventRows", "Outbox", "SqlEventRows"]
