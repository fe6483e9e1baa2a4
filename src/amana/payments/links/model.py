"""The words of payment links."""

from enum import StrEnum

import msgspec

from amana.kernel import AmanaId, Instant


class Link(msgspec.Struct, frozen=True):
    """A merchant's standing offer to be paid.

    `amount` of None lets the payer choose. `order_id` is the newest order of a link that is paid at
    most once; of any other link nothing is kept about who opened it and when.
    """

    id: AmanaId
    merchant: AmanaId
    secret: bytes
    amount: int | None
    reference: str | None
    is_single_use: bool
    key: bytes
    body: bytes
    created_at: Instant
    expires_at: Instant | None = None
    order_id: AmanaId | None = None


class LinkReason(StrEnum):
    """Why a link makes no order; each value is its problem's slug."""

    NOT_FOUND = "not-found"
    EXPIRED = "link-expired"
    USED = "link-used"
    AMOUNT_MISSING = "malformed-request"
    AMOUNT_NOT_POSITIVE = "amount-not-positive"
    AMOUNT_TOO_LARGE = "amount-too-large"
    AMOUNT_MISMATCH = "amount-mismatch"


class LinkRefused(msgspec.Struct, frozen=True):
    """A refusal that names its reason and changes nothing."""

    reason: LinkReason
