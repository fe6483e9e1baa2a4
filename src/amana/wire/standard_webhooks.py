"""Standard Webhooks: sign a message, verify one.

Two schemes stand side by side in one header, so that a receiver may hold only a public key:

- `v1`: HMAC-SHA256; the secret is written `whsec_` and base64;
- `v1a`: Ed25519; the keys are written `whsk_` (secret) and `whpk_` (public) and base64.

What is signed is `id.timestamp.body`, bytes as sent. Several keys give several signatures, so that
keys can be replaced without losing a message.

Source: Standard Webhooks, signature scheme and webhook headers.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from amana.kernel import SECOND_NS, Instant
from amana.wire.faults import Fault, Malformed

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"

TOLERANCE_S: Final = 300
"""Seconds by which a message's time may differ from the receiver's clock, either way."""

SECRET_BYTES_MIN: Final = 24
SECRET_BYTES_MAX: Final = 64
SIGNATURES_MAX: Final = 16
"""Signatures looked at in one header, so that a stranger cannot make us verify without end."""

_KEY_BYTES: Final = 32
_ID: Final = re.compile(r"[!-\-/-~]{1,255}", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,11}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A shared secret of scheme v1, 24 to 64 bytes."""

    key: bytes = field(repr=False)

    def text(self) -> str:
        """Write the secret as its receiver keeps it."""
        return "whsec_" + _base64(self.key)


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key of scheme v1a, 32 bytes."""

    key: bytes

    def text(self) -> str:
        """Write the key as its receiver keeps it."""
        return "whpk_" + _base64(self.key)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret key of scheme v1a: the 32 bytes from which the pair is made."""

    seed: bytes = field(repr=False)

    def verifying_key(self) -> VerifyingKey:
        """Return the public half."""
        return VerifyingKey(self._private().public_key().public_bytes_raw())

    def text(self) -> str:
        """Write the pair, seed first, as libsodium lays it out."""
        return "whsk_" + _base64(self.seed + self.verifying_key().key)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def sign(self, content: bytes) -> bytes:
        """Return the 64 bytes of signature over the content."""
        return self._private().sign(content)


@dataclass(frozen=True, slots=True)
class VerifiedMessage:
    """A message whose signature was good and whose time was near.

    A receiver still has to meet the same `id` twice without doing the work twice.
    """

    id: str
    signed_at: Instant
    body: bytes


class RefusalReason(StrEnum):
    """Why a message was not verified."""

    MISSING_HEADER = "missing-header"
    MALFORMED_HEADER = "malformed-header"
    TOO_OLD = "too-old"
    TOO_NEW = "too-new"
    NO_MATCHING_SIGNATURE = "no-matching-signature"


@dataclass(frozen=True, slots=True)
class NotVerified:
    """A message that must not be believed."""

    reason: RefusalReason


def sign(
    message_id: str, body: bytes, *, signed_at: Instant, keys: Sequence[WebhookSecret | SigningKey]
) -> dict[str, str]:
    """Sign a message.

    Args:
        message_id: Visible ASCII without a full stop, the same in every attempt.
        body: The bytes that will be sent, unchanged.
        signed_at: The instant of this attempt; whole seconds are sent.
        keys: At least one; the present key first, then those being replaced.
    Returns:
        The three headers to send.
    """
    assert keys, "a message is signed with at least one key"
    assert _ID.fullmatch(message_id), "an id is visible ASCII without a full stop"
    seconds = str(signed_at // SECOND_NS)
    content = _content(message_id, seconds, body)
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: seconds,
        SIGNATURE_HEADER: " ".join(_signature(key, content) for key in keys),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: Instant,
    keys: Sequence[WebhookSecret | VerifyingKey],
) -> VerifiedMessage | NotVerified:
    """Verify a message.

    Args:
        headers: As received, names in any case.
        body: As received, before any parsing.
        now: The receiver's time; the message's may lie up to 300 s to either side.
        keys: Those the receiver trusts; one match is enough.
    """
    named = {name.lower(): value for name, value in headers.items()}
    if not {ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER} <= named.keys():
        return NotVerified(RefusalReason.MISSING_HEADER)
    message_id, seconds = named[ID_HEADER], named[TIMESTAMP_HEADER]
    given = named[SIGNATURE_HEADER].split(" ")
    if (
        _ID.fullmatch(message_id) is None
        or _SECONDS.fullmatch(seconds) is None
        or len(given) > SIGNATURES_MAX
    ):
        return NotVerified(RefusalReason.MALFORMED_HEADER)
    signed_at = Instant(int(seconds) * SECOND_NS)
    if signed_at < now - TOLERANCE_S * SECOND_NS:
        return NotVerified(RefusalReason.TOO_OLD)
    if signed_at > now + TOLERANCE_S * SECOND_NS:
        return NotVerified(RefusalReason.TOO_NEW)
    content = _content(message_id, seconds, body)
    if any(_matches(one, key, content) for one in given for key in keys):
        return VerifiedMessage(message_id, signed_at, body)
    return NotVerified(RefusalReason.NO_MATCHING_SIGNATURE)


def read_secret(text: str) -> WebhookSecret | Malformed:
    """Read a `whsec_` secret of 24 to 64 bytes."""
    key = _unprefixed(text, "whsec_")
    if key is None or not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        return Malformed((Fault("secret", "No whsec_ secret of 24 to 64 bytes in base64."),))
    return WebhookSecret(key)


def read_verifying_key(text: str) -> VerifyingKey | Malformed:
    """Read a `whpk_` public key."""
    key = _unprefixed(text, "whpk_")
    if key is None or len(key) != _KEY_BYTES:
        return Malformed((Fault("public_key", "No whpk_ key of 32 bytes in base64."),))
    return VerifyingKey(key)


def read_signing_key(text: str) -> SigningKey | Malformed:
    """Read a `whsk_` secret key: the seed alone, or the seed and its public half."""
    key = _unprefixed(text, "whsk_")
    if key is not None and len(key) in {_KEY_BYTES, 2 * _KEY_BYTES}:
        pair = SigningKey(key[:_KEY_BYTES])
        if key[_KEY_BYTES:] in {b"", pair.verifying_key().key}:
            return pair
    return Malformed((Fault("secret_key", "No whsk_ key of 32 or 64 bytes in base64."),))


def _content(message_id: str, seconds: str, body: bytes) -> bytes:
    return f"{message_id}.{seconds}.".encode("ascii") + body


def _signature(key: WebhookSecret | SigningKey, content: bytes) -> str:
    if isinstance(key, SigningKey):
        return "v1a," + _base64(key.sign(content))
    return "v1," + _base64(_hmac(key, content))


def _matches(given: str, key: WebhookSecret | VerifyingKey, content: bytes) -> bool:
    scheme, _, encoded = given.partition(",")
    signature = _unbase64(encoded)
    if signature is None:
        return False
    if isinstance(key, WebhookSecret):
        return scheme == "v1" and hmac.compare_digest(signature, _hmac(key, content))
    if scheme != "v1a":
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.key).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _hmac(key: WebhookSecret, content: bytes) -> bytes:
    return hmac.digest(key.key, content, hashlib.sha256)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _unprefixed(text: str, prefix: str) -> bytes | None:
    return _unbase64(text.removeprefix(prefix)) if text.startswith(prefix) else None
