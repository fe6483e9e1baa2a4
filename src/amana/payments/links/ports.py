"""What payment links stand on."""

from collections.abc import Sequence
from typing import Protocol

from amana.kernel import AmanaId
from amana.payments.links.model import Link
from amana.payments.model import IdReused, Order, OrderStatus


class LinkReader(Protocol):
    """Looks up what is committed."""

    def by_secret(self, secret: bytes) -> Link | None:
        """Return the link that a secret opens."""

    def links_of(self, merchant: AmanaId, *, before: int, limit: int) -> Sequence[Link]:
        """Return a merchant's links below an id, newest first."""


class LinkWriter(Protocol):
    """Changes, each durable when it returns."""

    async def add(self, link: Link) -> Link:
        """Keep a link; with a key seen before, return what was kept then."""

    async def remove(self, merchant: AmanaId, link: AmanaId) -> bool:
        """Delete a merchant's link; False where there is none."""

    async def follow(self, link: AmanaId, order: AmanaId) -> None:
        """Keep which order of a link is its newest."""


class Orders(Protocol):
    """The merchant's orders."""

    async def create_order(self, order: Order) -> Order | IdReused:
        """Store an order, or meet the one that its key made before."""

    async def look(self, order: AmanaId) -> tuple[Order, OrderStatus]:
        """Return an order that is there, and where it stands now."""
