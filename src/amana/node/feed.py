"""Who waits for events, and the waking of them after each commit."""

import asyncio
from collections.abc import Callable, Sequence

from amana.events import Event, Outbox
from amana.kernel import AmanaId


class Feed:
    """Wakes the streams and workers that a commit's events concern."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._waiting: dict[AmanaId, set[asyncio.Event]] = {}
        self._listeners: list[Callable[[Sequence[Event]], None]] = []
        self.is_ended = False

    def listen(self, listener: Callable[[Sequence[Event]], None]) -> None:
        """Hand every commit's events to a listener."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """Wake whoever waits for what was just committed."""
        events = self._outbox.take_committed()
        if not events:
            return
        for event in events if self._waiting else ():
            for waiter in self._waiting.get(event.stream, ()):
                waiter.set()
        for listener in self._listeners:
            listener(events)

    def subscribe(self, stream: AmanaId) -> asyncio.Event:
        """Return a signal that is set whenever the stream grows; give it back when done."""
        signal = asyncio.Event()
        self._waiting.setdefault(stream, set()).add(signal)
        return signal

    def unsubscribe(self, stream: AmanaId, signal: asyncio.Event) -> None:
        """Give a signal back."""
        waiting = self._waiting.get(stream, set())
        waiting.discard(signal)
        if not waiting:
            self._waiting.pop(stream, None)

    def end(self) -> None:
        """End every stream, since the operator stops: one that goes on would have to be cut off."""
        self.is_ended = True
        for waiters in self._waiting.values():
            for waiter in waiters:
                waiter.set()
