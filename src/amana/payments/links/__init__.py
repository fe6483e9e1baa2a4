"""Payment links: a merchant sends one, and whoever opens it gets a fresh order to pay."""

from amana.payments.links.model import Link, LinkReason, LinkRefused
from amana.payments.links.ports import LinkReader, LinkWriter, Orders
from amana.payments.links.rules import url_secret
from amana.payments.links.service import LINK_ORDER_LIFE_NS, LinkOrders, Links
from amana.payments.links.store import LinkRows, LinkStore

__all__ = [
    "LINK_ORDER_LIFE_NS",
    "Link",
    "LinkOrders",
    "LinkReader",
    "LinkReason",
    "LinkRefused",
    "LinkRows",
    "LinkStore",
    "LinkWriter",
    "Links",
    "Orders",
    "url_secret",
]
