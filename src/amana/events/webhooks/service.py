"""Webhooks: making and replaying them, and delivering their events one by one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from amana.events.model import Event
from amana.events.webhooks.model import (
    SECRET_BYTES,
    Gone,
    ListedDelivery,
    RetryAt,
    Webhook,
    WebhookReason,
    WebhookRefused,
)
from amana.events.webhooks.ports import EventFeed, Poster, WebhookReader, WebhookWriter
from amana.events.webhooks.rules import (
    concluded,
    decide_next,
    decide_replay,
    decide_webhook,
    message_id,
    read_kinds,
    read_url,
    wants,
)
from amana.kernel import AmanaId, Chance, Clock, Instant, new_id
from amana.wire.standard_webhooks import SigningKey, VerifyingKey, WebhookSecret, sign

_ID_CHANCE_BYTES: Final = 9
_JITTER_BYTES: Final = 2
_PAGE_EVENTS: Final = 256
_NOT_FOUND: Final = WebhookRefused(WebhookReason.NOT_FOUND)

Describe = Callable[[Event], bytes]
"""Writes an event as the body of its message: the same bytes in every attempt."""


class Webhooks:
    """What a merchant does with its webhooks."""

    def __init__(
        self,
        *,
        reader: WebhookReader,
        writer: WebhookWriter,
        events: EventFeed,
        public_key: VerifyingKey,
        is_play_money: bool,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self.public_key = public_key
        self._reader = reader
        self._writer = writer
        self._events = events
        self._is_play_money = is_play_money
        self._clock = clock
        self._chance = chance
        self._listeners: list[Callable[[Webhook], None]] = []

    def listen(self, listener: Callable[[Webhook], None]) -> None:
        """Hand every webhook that is new, or set back by a replay, to a listener."""
        self._listeners.append(listener)

    async def add(
        self, merchant: AmanaId, url: str, kinds: Iterable[str]
    ) -> Webhook | WebhookRefused:
        """Add a webhook; it is told of events from now on."""
        wanted = read_kinds(kinds)
        if isinstance(wanted, WebhookRefused):
            return wanted
        held = len(self._reader.webhooks_of(merchant))
        refused = decide_webhook(read_url(url), held=held, is_play_money=self._is_play_money)
        if refused is not None:
            return refused
        now = self._clock.now()
        webhook = Webhook(
            id=new_id(now, self._chance.draw(_ID_CHANCE_BYTES)),
            merchant=merchant,
            url=url,
            secret=self._chance.draw(SECRET_BYTES),
            created_at=now,
            handled_number=self._events.last_number(merchant),
            kinds=wanted,
        )
        await self._writer.add(webhook)
        self._tell(webhook)
        return webhook

    def all_of(self, merchant: AmanaId) -> Sequence[Webhook]:
        """Return a merchant's webhooks, oldest first."""
        return self._reader.webhooks_of(merchant)

    async def remove(self, merchant: AmanaId, webhook: AmanaId) -> WebhookRefused | None:
        """Delete a merchant's webhook with its deliveries; what is under way may still arrive."""
        if self._of(merchant, webhook) is None:
            return _NOT_FOUND
        await self._writer.remove(webhook)
        return None

    def deliveries(
        self, merchant: AmanaId, webhook: AmanaId, *, before: int | None, limit: int
    ) -> Sequence[ListedDelivery] | WebhookRefused:
        """Return what became of a webhook's events, newest event first."""
        if self._of(merchant, webhook) is None:
            return _NOT_FOUND
        return self._reader.deliveries(webhook, before=before, limit=limit)

    async def replay(
        self, merchant: AmanaId, webhook: AmanaId, *, after: int
    ) -> int | WebhookRefused:
        """Deliver every event after a number, again where it was delivered or parked.

        A webhook that its endpoint had switched off is switched on.

        Returns:
            How many events are to be delivered now.
        """
        found = self._of(merchant, webhook)
        if found is None:
            return _NOT_FOUND
        after = min(after, found.handled_number)
        refused = decide_replay(after=after, head=self._events.last_number(merchant))
        if refused is not None:
            return refused
        await self._writer.replay(webhook, after=after)
        self._tell(found)
        return self._reader.count(found, after=after)

    def _of(self, merchant: AmanaId, webhook: AmanaId) -> Webhook | None:
        found = self._reader.webhook(webhook)
        return None if found is None or found.merchant != merchant else found

    def _tell(self, webhook: Webhook) -> None:
        for listener in self._listeners:
            listener(webhook)


class Deliverer:
    """Makes one attempt at a time for one webhook; everything it knows is in the rows."""

    def __init__(
        self,
        *,
        reader: WebhookReader,
        writer: WebhookWriter,
        events: EventFeed,
        poster: Poster,
        signing_key: SigningKey,
        describe: Describe,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._events = events
        self._poster = poster
        self._signing_key = signing_key
        self._describe = describe
        self._clock = clock
        self._chance = chance

    async def attempt(self, webhook_id: AmanaId) -> Instant | None:
        """Send the first event that is still to be delivered, if it is due.

        The caller makes one attempt at a time for one webhook, so events arrive in their order.
        A crash between the sending and the keeping sends the event again, under the same id.

        Returns:
            When to attempt next; None where nothing is left until another event comes.
        Raises:
            Unavailable: Storage failed; the event may have been sent, and will be sent again.
        """
        webhook = self._reader.webhook(webhook_id)
        if webhook is None or not webhook.is_enabled:
            return None
        event = await self._next_event(webhook)
        if event is None:
            return None
        before = self._reader.delivery(webhook.id, event.number)
        due_at = None if before is None else before.next_attempt_at
        if due_at is not None and due_at > self._clock.now():
            return due_at
        return await self._send(webhook, event, 1 if before is None else before.attempts + 1)

    async def _send(self, webhook: Webhook, event: Event, attempts: int) -> Instant | None:
        body = self._describe(event)
        headers = sign(
            message_id(webhook, event.number),
            body,
            signed_at=self._clock.now(),
            keys=(WebhookSecret(webhook.secret), self._signing_key),
        )
        outcome = await self._poster.post(webhook.url, headers, body)
        now = self._clock.now()
        chance = int.from_bytes(self._chance.draw(_JITTER_BYTES))
        decision = decide_next(attempts, outcome, now=now, chance=chance)
        is_gone = isinstance(decision, Gone)
        delivery = concluded(webhook, event.number, attempts, decision)
        is_kept = await self._writer.conclude(webhook, delivery, is_gone=is_gone)
        if not is_kept:
            return now
        if is_gone:
            return None
        return decision.at if isinstance(decision, RetryAt) else now

    async def _next_event(self, webhook: Webhook) -> Event | None:
        """Find the first event that the webhook asked for; pass over the others for good."""
        after = webhook.handled_number
        while True:
            page = self._events.feed(webhook.merchant, after=after, limit=_PAGE_EVENTS)
            for event in page:
                if wants(webhook, event.kind):
                    return event
            if len(page) < _PAGE_EVENTS:
                return None
            after = page[-1].number
            await self._writer.skip(webhook, number=after)
