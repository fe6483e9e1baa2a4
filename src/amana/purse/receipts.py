"""Receipts: what a merchant says of a payment from the purse, signed.

A receipt is one flat JSON object whose values are texts or null. It is written in the form of
RFC 8785 (JCS): members in the order of their names, no blanks, UTF-8, and only those characters
escaped that must be. What is signed is that form of the receipt without its member `signature`;
the signature is Ed25519 (RFC 8032), which gives the same bytes for the same receipt every time.

The operator holds the receipt keys for its merchants: each follows from the operator's secret and
the merchant's id. So a receipt says what the operator wrote down for the merchant, not what the
merchant alone can say; a key of the merchant's own tills may take its place later.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from amana.kernel import AmanaId, IdKind, format_id, format_instant
from amana.payments.model import Order, Payment

RECEIPT_TYPE: Final = "amana-receipt-v1"
"""What a receipt says that it is; no other text that the key signs begins so."""

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
VALUE_CHARACTERS_MAX: Final = 1_024
"""Characters of one member: of a stranger's receipt no more is looked at."""

_TAG: Final = b"amana-receipt-key-v1"
_ID_BYTES: Final = 16


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed: every value a text, as the receipt shows it.

    `amount` and `tip` are minor units of `currency` in digits, the tip not part of the amount.
    `operator` is the host in payment codes. `payer_key` is the one-time key that the payer left,
    33 bytes in hex: whoever can sign with it was the payer.
    """

    operator: str
    merchant: str
    merchant_name: str
    order: str
    reference: str | None
    amount: str
    tip: str
    currency: str
    paid_at: str
    payer_key: str | None
    type: str = RECEIPT_TYPE


_MEMBERS: Final = frozenset({*Receipt.__struct_fields__, "signature"})
_NULLABLE: Final = frozenset({"reference", "payer_key"})


def canonical(members: Mapping[str, str | None]) -> bytes:
    """Write members as RFC 8785 says; names are ASCII, so their order is that of the bytes.

    Raises:
        UnicodeEncodeError: A text is no Unicode: it holds half a character.
    """
    return msgspec.json.encode(members, order="sorted")


class ReceiptKey:
    """The key that signs one merchant's receipts."""

    def __init__(self, secret: bytes, merchant: AmanaId) -> None:
        """Derive the key.

        Args:
            secret: The operator's secret for receipts, 32 bytes.
            merchant: The merchant's id, which is never another's, as a handle might be.
        """
        assert len(secret) == KEY_BYTES, "the operator's secret is 32 bytes"
        seed = hmac.digest(secret, _TAG + merchant.to_bytes(_ID_BYTES), hashlib.sha256)
        self._private = Ed25519PrivateKey.from_private_bytes(seed)

    def public(self) -> bytes:
        """Return the public key, 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, receipt: Receipt) -> dict[str, str | None]:
        """Return the receipt as it is handed out, in the order of its names."""
        members: dict[str, str | None] = msgspec.structs.asdict(receipt)
        signature = self._private.sign(canonical(members))
        signed = {**members, "signature": write_base64url(signature)}
        return dict(sorted(signed.items()))


class Receipts:
    """The receipts of one operator's merchants; of one payment always the same, to the byte."""

    def __init__(self, secret: bytes, *, operator: str, currency: str) -> None:
        """Join what all receipts of an operator share.

        Args:
            secret: The operator's secret for receipts, 32 bytes.
            operator: Its host, as payment codes name it.
            currency: The ISO 4217 code of its books.
        """
        self._secret = secret
        self._operator = operator
        self._currency = currency
        self._keys: dict[AmanaId, ReceiptKey] = {}

    def key_of(self, merchant: AmanaId) -> ReceiptKey:
        """Return the key of a merchant's receipts."""
        key = self._keys.get(merchant)
        if key is None:
            key = self._keys[merchant] = ReceiptKey(self._secret, merchant)
        return key

    def of(
        self, payment: Payment, order: Order | None, profile: Mapping[str, Any]
    ) -> dict[str, str | None]:
        """Write the receipt of a payment.

        Args:
            payment: A purchase from the purse, PAID.
            order: The order that the merchant made for it, if the merchant made one.
            profile: The merchant's handle and name.
        """
        assert payment.payee is not None, "a purchase has its merchant"
        assert payment.order_id is not None, "what the purse pays has an order"
        assert payment.concluded_at is not None, "what is paid has its instant"
        receipt = Receipt(
            operator=self._operator,
            merchant=profile["handle"],
            merchant_name=profile["name"],
            order=format_id(IdKind.ORDER, payment.order_id),
            reference=None if order is None else order.reference,
            amount=str(payment.total - payment.tip),
            tip=str(payment.tip),
            currency=self._currency,
            paid_at=format_instant(payment.concluded_at),
            payer_key=None if payment.refund_key is None else payment.refund_key.hex(),
        )
        return self.key_of(payment.payee).sign(receipt)


def verify_receipt(given: object, key: bytes) -> Receipt | None:
    """Return the receipt that a merchant's key signed; None where it did not, or is no receipt.

    Args:
        given: The receipt as read from JSON.
        key: The merchant's receipt key, 32 bytes, as the operator publishes it.
    """
    if not isinstance(given, dict) or given.keys() != _MEMBERS:
        return None
    if given["type"] != RECEIPT_TYPE or not all(map(_is_shown, given.items())):
        return None
    signature = _signature(given["signature"])
    members: dict[str, Any] = {name: value for name, value in given.items() if name != "signature"}
    if signature is None or len(key) != KEY_BYTES:
        return None
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, canonical(members))
    except (InvalidSignature, UnicodeEncodeError):
        return None
    return Receipt(**members)


def _is_shown(member: tuple[str, object]) -> bool:
    name, value = member
    if value is None:
        return name in _NULLABLE
    return isinstance(value, str) and len(value) <= VALUE_CHARACTERS_MAX


def write_base64url(data: bytes) -> str:
    """Write bytes as base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _signature(text: str) -> bytes | None:
    """Read 64 bytes of base64url without padding, written in the one way they can be written."""
    try:
        raw = urlsafe_b64decode(text + "==")
    except ValueError:
        return None
    return raw if len(raw) == SIGNATURE_BYTES and write_base64url(raw) == text else None
