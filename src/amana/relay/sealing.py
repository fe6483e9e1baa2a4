"""Sealing requests to the mint and answers to their asker (RFC 9458, section 4; RFC 9180).

One suite: X25519, HKDF-SHA256, AES-128-GCM. Browsers have it without any code of ours.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKeyPair, PyHPKEError

from amana.kernel import Chance

REQUEST_TYPE: Final = "message/ohttp-req"
RESPONSE_TYPE: Final = "message/ohttp-res"
KEYS_TYPE: Final = "application/ohttp-keys"

SIZES: Final = (2_048, 8_192, 32_768, 131_072, 524_288, 1_179_648)
"""Bytes of a message before it is sealed, padded to one of these. The last holds the longest body
that the mint takes, with its headers."""

NONCE_BYTES: Final = 16
"""The longer of the cipher's key and nonce (RFC 9458, section 4.4)."""

_SUITE_IDS: Final = (0x0020, 0x0001, 0x0001)
_POINT_BYTES: Final = 32
_KEY_BYTES: Final = 16
_CIPHER_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HEADER_BYTES: Final = 7
_LABEL: Final = b"message/bhttp request\0"
_ANSWER_LABEL: Final = b"message/bhttp response"

SEALED_BYTES_MAX: Final = _HEADER_BYTES + _POINT_BYTES + SIZES[-1] + _TAG_BYTES
"""Bytes of the longest sealed request; a sealed answer is shorter."""

SUITE: Final = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES128_GCM)


class SealBroken(Exception):  # noqa: N818 - what came from outside, told as a refusal
    """What came was not sealed to this key."""


class KeyUnknown(SealBroken):
    """What came was sealed to another key, or by another suite."""


@dataclass(frozen=True, slots=True)
class SealedAnswer:
    """What seals the answer to one request."""

    _secret: bytes
    _enc: bytes

    def seal(self, answer: bytes, chance: Chance) -> bytes:
        """Seal an answer to whoever sealed the request (RFC 9458, section 4.4)."""
        nonce = chance.draw(NONCE_BYTES)
        key, cipher_nonce = answer_keys(self._secret, self._enc + nonce)
        return nonce + SUITE.aead.import_key(key).seal(answer, cipher_nonce, b"")


class SealingKey:
    """The mint's key to which requests are sealed."""

    def __init__(self, pair: KEMKeyPair, key_id: int) -> None:
        self._pair = pair
        self.public = pair.public_key.to_public_bytes()
        self.id = key_id

    @classmethod
    def from_secret(cls, secret: bytes) -> "SealingKey":
        """Make the key that follows from a secret of at least 32 bytes."""
        pair = SUITE.kem.derive_key_pair(secret)
        # Another key has another id, so that its holder knows what was sealed to an older one.
        public = pair.public_key.to_public_bytes()
        return cls(pair, hashlib.sha256(public).digest()[0])

    @property
    def config(self) -> bytes:
        """The key and its suite, as `application/ohttp-keys` (RFC 9458, section 3)."""
        kem, kdf, aead = _SUITE_IDS
        suites = kdf.to_bytes(2) + aead.to_bytes(2)
        config = bytes([self.id]) + kem.to_bytes(2) + self.public
        config += len(suites).to_bytes(2) + suites
        return len(config).to_bytes(2) + config

    def open(self, sealed: bytes) -> tuple[bytes, SealedAnswer]:
        """Open a request (RFC 9458, section 4.3).

        Returns:
            The message, and what seals the answer to it.
        Raises:
            SealBroken: It was not sealed to this key.
        """
        header, enc = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES : _HEADER_BYTES + _POINT_BYTES]
        if header != self.header:
            raise KeyUnknown
        try:
            context = SUITE.create_recipient_context(
                enc, self._pair.private_key, info=_LABEL + header
            )
            message = context.open(sealed[_HEADER_BYTES + _POINT_BYTES :])
        except (PyHPKEError, ValueError):
            raise SealBroken from None
        return message, SealedAnswer(context.export(_ANSWER_LABEL, NONCE_BYTES), enc)

    @property
    def header(self) -> bytes:
        """The first bytes of whatever is sealed to this key."""
        return bytes([self.id]) + b"".join(number.to_bytes(2) for number in _SUITE_IDS)


def answer_keys(secret: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """Return key and nonce of an answer's cipher (RFC 9458, section 4.4)."""
    prk = SUITE.kdf.extract(salt, secret)
    key = SUITE.kdf.expand(prk, b"key", _KEY_BYTES)
    return key, SUITE.kdf.expand(prk, b"nonce", _CIPHER_NONCE_BYTES)
