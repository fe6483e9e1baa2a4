"""Payment links: make, list, end, open."""

from collections.abc import Callable, Sequence
from typing import Final

from amana.kernel import HOUR_NS, AmanaId, Chance, Clock, Instant
from amana.payments.links import rules
from amana.payments.links.model import Link, LinkReason, LinkRefused
from amana.payments.links.ports import LinkReader, LinkWriter, Orders
from amana.payments.model import CaptureMode, IdReused, Order, OrderStatus, TipMode
from amana.payments.ports import PaymentStore
from amana.payments.rules import order_status, same_request
from amana.payments.service import PaymentService

LINK_ORDER_LIFE_NS: Final = HOUR_NS
"""For how long an order made by a link can be paid."""

_KEY_BYTES: Final = 16


class LinkOrders:
    """Orders as links make and follow them."""

    def __init__(self, payments: PaymentService, store: PaymentStore, clock: Clock) -> None:
        self._payments = payments
        self._store = store
        self._clock = clock

    async def create_order(self, order: Order) -> Order | IdReused:
        """Store an order, or meet the one that its key made before."""
        return await self._payments.create_order(order)

    async def look(self, order: AmanaId) -> tuple[Order, OrderStatus]:
        """Return an order that is there, and where it stands now."""
        found = await self._store.order(order)
        assert found is not None, "a link's order is there"
        paid_by = found.payment_id
        payment = None if paid_by is None else await self._store.payment(paid_by)
        return found, order_status(found, payment, now=self._clock.now())


class Links:
    """The links of all merchants."""

    def __init__(
        self,
        reader: LinkReader,
        writer: LinkWriter,
        orders: Orders,
        *,
        new_id: Callable[[], AmanaId],
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._orders = orders
        self._new_id = new_id
        self._clock = clock
        self._chance = chance

    async def add(self, link: Link) -> Link | IdReused:
        """Keep a link, or meet the one that its key made before."""
        kept = await self._writer.add(link)
        return same_request(kept.body, link.body) or kept

    def links_of(self, merchant: AmanaId, *, before: int, limit: int) -> Sequence[Link]:
        """Return a merchant's links below an id, newest first."""
        return self._reader.links_of(merchant, before=before, limit=limit)

    async def remove(self, merchant: AmanaId, link: AmanaId) -> LinkRefused | None:
        """End a link; orders that it made can still be paid until their time is over."""
        is_removed = await self._writer.remove(merchant, link)
        return None if is_removed else LinkRefused(LinkReason.NOT_FOUND)

    def find(self, secret: bytes) -> Link | LinkRefused:
        """Return the link that a secret opens, while it can be opened."""
        link = self._reader.by_secret(secret)
        if link is None:
            return LinkRefused(LinkReason.NOT_FOUND)
        if link.expires_at is not None and self._clock.now() >= link.expires_at:
            return LinkRefused(LinkReason.EXPIRED)
        return link

    async def open(self, link: Link, amount: int | None) -> Order | LinkRefused:
        """Return an order to pay: a fresh one, or the one that a single-use link has open.

        Args:
            link: The link.
            amount: What the payer chose, minor units, where the link leaves it open.
        """
        wanted = rules.decide_amount(link, amount, now=self._clock.now())
        if isinstance(wanted, LinkRefused):
            return wanted
        if not link.is_single_use:
            return await self._make(link, wanted, key=self._chance.draw(_KEY_BYTES))
        current = link.order_id
        # Each turn goes one order on, to the newest, or until the link itself ends.
        while not isinstance(wanted, LinkRefused):
            if current is not None:
                order, status = await self._orders.look(current)
                if status is OrderStatus.OPEN:
                    return order
                if rules.is_used(status):
                    return LinkRefused(LinkReason.USED)
            key = rules.order_key(link.id, current)
            current = (await self._make(link, wanted, key=key)).id
            await self._writer.follow(link.id, current)
            wanted = rules.decide_amount(link, amount, now=self._clock.now())
        return wanted

    async def _make(self, link: Link, amount: int, *, key: bytes) -> Order:
        now = self._clock.now()
        until = Instant(now + LINK_ORDER_LIFE_NS)
        order = Order(
            id=self._new_id(),
            merchant=link.merchant,
            till_id=None,
            amount=amount,
            reference=link.reference,
            basket_hash=None,
            capture=CaptureMode.AUTOMATIC,
            tip=TipMode.NONE,
            key=key,
            # The same for all orders of a link, so that those who open it at once meet one order.
            body=link.body,
            created_at=now,
            expires_at=until if link.expires_at is None else min(until, link.expires_at),
        )
        made = await self._orders.create_order(order)
        assert isinstance(made, Order), "a link's keys are its own"
        return made
