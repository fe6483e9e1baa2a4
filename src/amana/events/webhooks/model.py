"""What a webhook is, what became of a delivery, and what may be decided about it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from amana.events.model import EventKind
from amana.kernel import HOUR_NS, MINUTE_NS, SECOND_NS, AmanaId, Instant

RETRY_DELAYS_NS: Final = (
    5 * SECOND_NS,
    5 * MINUTE_NS,
    30 * MINUTE_NS,
    2 * HOUR_NS,
    5 * HOUR_NS,
    10 * HOUR_NS,
    10 * HOUR_NS,
)
"""The wait after each failed attempt; after one more failure the event is parked.

Source: Standard Webhooks, section on deliverability and reliability.
"""

ATTEMPTS_MAX: Final = len(RETRY_DELAYS_NS) + 1
JITTER_PARTS: Final = 5
"""A wait is lengthened by chance, by less than one part in this many."""

DELIVERED_EVENTS_KEPT: Final = 1_000
"""The newest events of a feed whose good deliveries stay listed; parked ones stay listed longer."""

WEBHOOKS_PER_MERCHANT_MAX: Final = 8
REPLAYED_EVENTS_MAX: Final = 100_000
"""Events that one replay may reach back over; older ones are read from the feed."""

SECRET_BYTES: Final = 32
URL_CHARACTERS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Target:
    """An address, taken apart once, so that nobody reads it another way later."""

    is_secure: bool
    host: str
    port: int
    authority: str
    path: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a merchant is told of its events.

    `kinds` is empty for all. `handled_number` is the newest event of the feed that is delivered,
    parked, or of a kind not asked for. `replays` counts how often that number was set back, so
    that an attempt under way at the time cannot set it forward again.
    """

    id: AmanaId
    merchant: AmanaId
    url: str
    secret: bytes = field(repr=False)
    created_at: Instant
    handled_number: int
    kinds: frozenset[EventKind] = frozenset()
    is_enabled: bool = True
    replays: int = 0


class DeliveryStatus(StrEnum):
    """How far the delivery of one event came."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    PARKED = "parked"


class NoAnswer(StrEnum):
    """Why an attempt brought no answer."""

    TIMEOUT = "timeout"
    CONNECTION_FAILED = "connection-failed"
    ADDRESS_NOT_ALLOWED = "address-not-allowed"
    NOT_UNDERSTOOD = "answer-not-understood"


@dataclass(frozen=True, slots=True)
class Answered:
    """The endpoint answered with this status."""

    status: int


Outcome = Answered | NoAnswer


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event and one webhook: attempts so far, and the next where one is due."""

    webhook: AmanaId
    number: int
    attempts: int
    status: DeliveryStatus
    next_attempt_at: Instant | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class ListedDelivery:
    """A delivery with the kind of its event, as a merchant reads it."""

    delivery: Delivery
    kind: EventKind


@dataclass(frozen=True, slots=True)
class Delivered:
    """The event has arrived; the next one follows."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """The event is sent again then; those behind it wait."""

    at: Instant
    error: str


@dataclass(frozen=True, slots=True)
class Parked:
    """The event is laid aside until a replay by hand; the next one follows."""

    error: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The endpoint wants nothing more: the event is parked and the webhook switched off."""

    error: str


Decision = Delivered | RetryAt | Parked | Gone


class WebhookReason(StrEnum):
    """Why something asked about a webhook was refused."""

    NOT_FOUND = "not-found"
    URL_NOT_UNDERSTOOD = "url-not-understood"
    URL_NOT_SECURE = "url-not-secure"
    URL_NOT_PUBLIC = "url-not-public"
    KIND_UNKNOWN = "kind-unknown"
    TOO_MANY = "too-many"
    TOO_FAR_BACK = "too-far-back"


@dataclass(frozen=True, slots=True)
class WebhookRefused:
    """A refusal; nothing was changed."""

    reason: WebhookReason
