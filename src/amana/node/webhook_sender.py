"""The worker that sends webhooks: it wakes for new events and for attempts that are due."""

import asyncio
import contextlib
import heapq
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from amana import __version__
from amana.events import Event
from amana.events.webhooks import (
    Deliverer,
    HttpPoster,
    Poster,
    Webhook,
    WebhookReader,
    WebhookRows,
    WebhookStore,
    wants,
)
from amana.kernel import MINUTE_NS, SECOND_NS, AmanaId, Clock, Instant, Unavailable
from amana.node.http.feeds import event_view
from amana.node.operator import Operator
from amana.trust import WEBHOOK_SIGNING
from amana.wire.standard_webhooks import SigningKey

ATTEMPTS_AT_ONCE_MAX: Final = 16
"""Attempts under way at one time, at most one of them for one webhook."""

_AFTER_STORAGE_NS: Final = 5 * SECOND_NS
_AFTER_MISTAKE_NS: Final = MINUTE_NS
_NAP_NS_MAX: Final = MINUTE_NS
_MESSAGE_MEMBERS: Final = ("number", "payment_id", "order_id", "amount")
_log: Final = logging.getLogger("amana.webhooks")


class Alarm(Protocol):
    """Waits for a signal or an instant."""

    async def wait(self, signal: asyncio.Event, until: Instant | None) -> None:
        """Return when the signal is set or the instant has come; it may return earlier."""


class SystemAlarm:
    """Waits by the loop's clock, and looks at the real one every minute: that one can be set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def wait(self, signal: asyncio.Event, until: Instant | None) -> None:
        """Return when the signal is set, the instant has come, or a minute is over."""
        if until is None:
            await signal.wait()
            return
        nap_ns = min(max(0, until - self._clock.now()), _NAP_NS_MAX)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(nap_ns / SECOND_NS):
                await signal.wait()


@dataclass(slots=True)
class _Watched:
    """A webhook in memory; what must survive is in the rows."""

    webhook: Webhook
    due_at: Instant | None = None
    is_busy: bool = False


class WebhookSender:
    """Starts attempts when they are due, the longest due first.

    It remembers only when each webhook is to be looked at again. An attempt that comes too early
    does no harm: the rows decide, so a new sender over the same rows goes on where another stopped.
    """

    def __init__(
        self, *, deliverer: Deliverer, reader: WebhookReader, clock: Clock, alarm: Alarm
    ) -> None:
        self._deliverer = deliverer
        self._reader = reader
        self._clock = clock
        self._alarm = alarm
        self._signal = asyncio.Event()
        self._watched: dict[AmanaId, _Watched] = {}
        self._by_merchant: dict[AmanaId, list[_Watched]] = {}
        self._queue: list[tuple[Instant, AmanaId]] = []
        self._busy = 0

    def watch(self, webhook: Webhook) -> None:
        """Look at a webhook now: it is new, or was set back by a replay."""
        watched = self._watched.get(webhook.id)
        if watched is None:
            watched = self._watched[webhook.id] = _Watched(webhook)
            self._by_merchant.setdefault(webhook.merchant, []).append(watched)
        self._look_at(watched, self._clock.now())

    def tell(self, events: Sequence[Event]) -> None:
        """Look at the webhooks that asked for these events, which are durable."""
        if not self._watched:
            return
        for event in events:
            for watched in self._by_merchant.get(event.stream, ()):
                if watched.due_at is None and wants(watched.webhook, event.kind):
                    self._look_at(watched, self._clock.now())

    async def run(self) -> None:
        """Send until cancelled."""
        for webhook in self._reader.enabled():
            self.watch(webhook)
        async with asyncio.TaskGroup() as group:
            while True:
                self._signal.clear()
                next_at = self._start_due(group)
                await self._alarm.wait(self._signal, next_at)

    def _look_at(self, watched: _Watched, at: Instant) -> None:
        watched.due_at = at if watched.due_at is None else min(at, watched.due_at)
        if not watched.is_busy:
            heapq.heappush(self._queue, (watched.due_at, watched.webhook.id))
        self._signal.set()

    def _start_due(self, group: asyncio.TaskGroup) -> Instant | None:
        """Start what is due, as far as there is room; return when the next one is due."""
        now = self._clock.now()
        while self._queue and self._busy < ATTEMPTS_AT_ONCE_MAX:
            at, webhook = self._queue[0]
            watched = self._watched.get(webhook)
            is_stale = watched is None or watched.is_busy or watched.due_at != at
            if not is_stale and at > now:
                return at
            heapq.heappop(self._queue)
            if watched is not None and not is_stale:
                watched.is_busy, watched.due_at = True, None
                self._busy += 1
                group.create_task(self._attempt(watched))
        return None

    async def _attempt(self, watched: _Watched) -> None:
        next_at = await self._next_at(watched.webhook.id)
        watched.is_busy = False
        self._busy -= 1
        # An event or a replay that came meanwhile may have set an earlier instant.
        due_at = watched.due_at if next_at is None else next_at
        if due_at is None:
            self._let_go(watched)
        else:
            self._look_at(watched, due_at)
        self._signal.set()

    async def _next_at(self, webhook: AmanaId) -> Instant | None:
        try:
            return await self._deliverer.attempt(webhook)
        except Unavailable:
            return Instant(self._clock.now() + _AFTER_STORAGE_NS)
        except Exception as mistake:  # noqa: BLE001 - a worker's edge: others' webhooks go on
            _log.error("webhook_failed kind=%s", type(mistake).__name__)
            return Instant(self._clock.now() + _AFTER_MISTAKE_NS)

    def _let_go(self, watched: _Watched) -> None:
        """Forget a webhook that was deleted or switched off."""
        stored = self._reader.webhook(watched.webhook.id)
        if stored is not None and stored.is_enabled:
            return
        del self._watched[watched.webhook.id]
        siblings = self._by_merchant[watched.webhook.merchant]
        siblings.remove(watched)
        if not siblings:
            del self._by_merchant[watched.webhook.merchant]


def message_of(operator: Operator, event: Event) -> bytes:
    """Write an event as the body of its message: ids and an amount, nobody's name."""
    view = event_view(operator, event)
    message: dict[str, Any] = {
        "type": view["kind"],
        "timestamp": view["occurred_at"],
        "data": {name: view[name] for name in _MESSAGE_MEMBERS},
    }
    return msgspec.json.encode(message)


def sender_of(operator: Operator, poster: Poster, *, alarm: Alarm | None = None) -> WebhookSender:
    """Put an operator's sender together, and let it hear of new events and webhooks."""
    reader = WebhookRows(operator.read_connection)
    deliverer = Deliverer(
        reader=reader,
        writer=WebhookStore(operator.writer),
        events=operator.events_read,
        poster=poster,
        signing_key=SigningKey(operator.signatory.secret(WEBHOOK_SIGNING)),
        describe=lambda event: message_of(operator, event),
        clock=operator.clock,
        chance=operator.chance,
    )
    sender = WebhookSender(
        deliverer=deliverer,
        reader=reader,
        clock=operator.clock,
        alarm=alarm or SystemAlarm(operator.clock),
    )
    operator.feed.listen(sender.tell)
    operator.webhooks.listen(sender.watch)
    return sender


async def send_webhooks(operator: Operator) -> None:
    """Send an operator's webhooks until cancelled."""
    poster = HttpPoster(
        is_play_money=operator.settings.is_play_money, product=f"Amana/{__version__}"
    )
    async with poster:
        await sender_of(operator, poster).run()
