"""What deliveries need from outside: the feed, the rows, and somebody who posts."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from amana.events.model import Event
from amana.events.webhooks.model import Delivery, ListedDelivery, Outcome, Webhook
from amana.kernel import AmanaId


class EventFeed(Protocol):
    """A party's events, as far as they are durable."""

    def last_number(self, stream: AmanaId) -> int:
        """Return the number of the newest event of a stream, 0 where there is none."""

    def feed(self, stream: AmanaId, *, after: int, limit: int) -> list[Event]:
        """Return a party's events after a number, oldest first."""


class WebhookReader(Protocol):
    """Look-ups of what is committed, answered at once."""

    def webhook(self, webhook: AmanaId) -> Webhook | None:
        """Return a webhook."""

    def webhooks_of(self, merchant: AmanaId) -> tuple[Webhook, ...]:
        """Return a merchant's webhooks, oldest first."""

    def enabled(self) -> tuple[Webhook, ...]:
        """Return every webhook that is switched on."""

    def delivery(self, webhook: AmanaId, number: int) -> Delivery | None:
        """Return the delivery of an event, if an attempt was made."""

    def deliveries(
        self, webhook: AmanaId, *, before: int | None, limit: int
    ) -> Sequence[ListedDelivery]:
        """Return deliveries, newest event first, of events before a number."""

    def count(self, webhook: Webhook, *, after: int) -> int:
        """Count the events after a number that the webhook asked for."""


class WebhookWriter(Protocol):
    """The keeping of rows; durable when it returns.

    Raises:
        Unavailable: Storage failed; whether it was kept is not known.
    """

    async def add(self, webhook: Webhook) -> None:
        """Keep a new webhook."""

    async def remove(self, webhook: AmanaId) -> None:
        """Delete a webhook and its deliveries."""

    async def replay(self, webhook: AmanaId, *, after: int) -> None:
        """Set a webhook back to a number, forget later deliveries, and switch it on."""

    async def skip(self, webhook: Webhook, *, number: int) -> None:
        """Set the handled number past events nobody asked for, unless a replay came between."""

    async def conclude(self, webhook: Webhook, delivery: Delivery, *, is_gone: bool) -> bool:
        """Keep what became of an attempt.

        Returns:
            Whether it was kept. It is not where the webhook was deleted or replayed meanwhile.
        """


class Poster(Protocol):
    """Sends one message."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send a message, once, and return what came of it. It never raises for what others do."""
