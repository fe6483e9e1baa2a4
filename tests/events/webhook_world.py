"""A merchant with events and webhooks over real books, and an endpoint that does as it is told."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from amana.events import Event, EventKind, SqlEventRows
from amana.events.webhooks import (
    Answered,
    Deliverer,
    Outcome,
    Webhook,
    WebhookRefused,
    WebhookRows,
    Webhooks,
    WebhookStore,
)
from amana.kernel import AmanaId, Chance, Instant
from amana.testing.rooms import Books, HandClock
from amana.wire.standard_webhooks import SigningKey

MERCHANT = AmanaId(0x1111 << 64)
OTHER = AmanaId(0x2222 << 64)
KEY = SigningKey(bytes(range(32)))


class CountingChance:
    """Chance that differs each time and never lengthens a wait."""

    def __init__(self) -> None:
        self._drawn = 0

    def draw(self, count: int) -> bytes:
        """Return a running number, or zero where two bytes are asked for."""
        self._drawn += 1
        return bytes(2) if count == 2 else self._drawn.to_bytes(count)


@dataclass
class Message:
    """What an endpoint received."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    at: Instant

    @property
    def number(self) -> int:
        """The number of the event inside."""
        number: int = msgspec.json.decode(self.body)["number"]
        return number


@dataclass
class Endpoint:
    """Answers as told, 200 otherwise, and remembers what came."""

    clock: HandClock
    answers: list[Outcome] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    before_answer: Callable[[Message], Awaitable[None]] | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Receive a message."""
        message = Message(url, headers, body, self.clock.now())
        self.received.append(message)
        if self.before_answer is not None:
            await self.before_answer(message)
        return self.answers.pop(0) if self.answers else Answered(200)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events received, in the order they came."""
        return [message.number for message in self.received]


class World:
    """Webhooks over the books of one folder."""

    def __init__(self, books: Books, *, is_play_money: bool = False) -> None:
        self.books = books
        # What survives a loss of power is shown elsewhere; here many small commits are to be fast.
        books.connection.execute("PRAGMA synchronous = OFF")
        self.clock = HandClock()
        self.chance: Chance = CountingChance()
        self.endpoint = Endpoint(self.clock)
        self.events = SqlEventRows(books.reading)
        self.rows = WebhookRows(books.reading)
        self.store = WebhookStore(books.writer)
        self.webhooks = Webhooks(
            reader=self.rows,
            writer=self.store,
            events=self.events,
            public_key=KEY.verifying_key(),
            is_play_money=is_play_money,
            clock=self.clock,
            chance=self.chance,
        )
        self.deliverer = self.new_deliverer()

    def new_deliverer(self) -> Deliverer:
        """Make a deliverer as after a restart."""
        return Deliverer(
            reader=self.rows,
            writer=self.store,
            events=self.events,
            poster=self.endpoint,
            signing_key=KEY,
            describe=describe,
            clock=self.clock,
            chance=self.chance,
        )

    async def happen(
        self, *kinds: EventKind, merchant: AmanaId = MERCHANT, first: int | None = None
    ) -> Sequence[Event]:
        """Let events happen, numbered on from the newest."""
        after = self.events.last_number(merchant) if first is None else first - 1
        made = [
            Event(merchant, after + place, kind, AmanaId(place), None, 100, self.clock.now())
            for place, kind in enumerate(kinds, 1)
        ]
        await self.books.writer.run(lambda connection: SqlEventRows(connection).write(made))
        return made

    async def webhook(
        self, *kinds: EventKind, merchant: AmanaId = MERCHANT, url: str = "https://shop.example/"
    ) -> Webhook:
        """Add a webhook."""
        made = await self.webhooks.add(merchant, url, [kind.value for kind in kinds])
        assert not isinstance(made, WebhookRefused)
        return made

    def stored(self, webhook: Webhook) -> Webhook:
        """Return a webhook as it is in the rows."""
        found = self.rows.webhook(webhook.id)
        assert found is not None
        return found

    def story(self, webhook: Webhook) -> list[tuple[int, str, int, str | None]]:
        """Return what became of each event, oldest first."""
        listed = self.rows.deliveries(webhook.id, before=None, limit=10_000)
        return [
            (
                one.delivery.number,
                one.delivery.status.value,
                one.delivery.attempts,
                one.delivery.last_error,
            )
            for one in reversed(listed)
        ]

    async def attempt_until_quiet(self, webhook: Webhook) -> None:
        """Attempt again and again, each time at its instant, until nothing is left."""
        while (next_at := await self.deliverer.attempt(webhook.id)) is not None:
            self.clock.advance(max(0, next_at - self.clock.now()))


def describe(event: Event) -> bytes:
    """Write an event in few bytes."""
    return msgspec.json.encode({"type": event.kind, "number": event.number})
