"""What opening a payment link makes."""

from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import Final

from amana.kernel import AMOUNT_MINOR_MAX, AmanaId, Instant
from amana.payments.links.model import Link, LinkReason, LinkRefused
from amana.payments.model import OrderStatus

_ID_BYTES: Final = 16
_KEY_BYTES: Final = 16
_NO_ORDER: Final = AmanaId(0)
_TAKEN: Final = frozenset({OrderStatus.PAID, OrderStatus.AUTHORISED})


def decide_amount(link: Link, amount: int | None, *, now: Instant) -> int | LinkRefused:
    """Return the amount of the order that the link makes now.

    Args:
        link: The link.
        amount: What the payer chose, minor units; needed where the link leaves it open.
        now: The present instant.
    """
    if link.expires_at is not None and now >= link.expires_at:
        return LinkRefused(LinkReason.EXPIRED)
    if link.amount is not None:
        is_same = amount is None or amount == link.amount
        return link.amount if is_same else LinkRefused(LinkReason.AMOUNT_MISMATCH)
    if amount is None:
        return LinkRefused(LinkReason.AMOUNT_MISSING)
    if amount <= 0:
        return LinkRefused(LinkReason.AMOUNT_NOT_POSITIVE)
    if amount > AMOUNT_MINOR_MAX:
        return LinkRefused(LinkReason.AMOUNT_TOO_LARGE)
    return amount


def is_used(status: OrderStatus) -> bool:
    """Say whether an order in this status uses up a link that is paid at most once."""
    return status in _TAKEN


def order_key(link: AmanaId, previous: AmanaId | None) -> bytes:
    """Return the key of the order that follows another one of the same link.

    It follows from the two: however many open the link at once, they meet one order.
    """
    parts = link.to_bytes(_ID_BYTES) + (previous or _NO_ORDER).to_bytes(_ID_BYTES)
    return blake2b(b"amana-link-v1" + parts, digest_size=_KEY_BYTES).digest()


def url_secret(link: Link) -> str:
    """Return what stands after `#` in the link's address."""
    return urlsafe_b64encode(link.secret).rstrip(b"=").decode()
