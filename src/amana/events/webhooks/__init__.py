"""Webhooks: events sent to merchants, signed, in order, again until they arrive."""

from amana.events.webhooks.client import HttpPoster, look_up
from amana.events.webhooks.model import (
    Answered,
    Delivery,
    DeliveryStatus,
    ListedDelivery,
    NoAnswer,
    Outcome,
    Webhook,
    WebhookReason,
    WebhookRefused,
)
from amana.events.webhooks.ports import EventFeed, Poster, WebhookReader, WebhookWriter
from amana.events.webhooks.rules import wants
from amana.events.webhooks.service import Deliverer, Webhooks
from amana.events.webhooks.store import WebhookRows, WebhookStore

__all__ = [
    "Answered",
    "Deliverer",
    "Delivery",
    "DeliveryStatus",
    "EventFeed",
    "HttpPoster",
    "ListedDelivery",
    "NoAnswer",
    "Outcome",
    "Poster",
    "Webhook",
    "WebhookReader",
    "WebhookReason",
    "WebhookRefused",
    "WebhookRows",
    "WebhookStore",
    "WebhookWriter",
    "Webhooks",
    "look_up",
    "wants",
]
