"""A wallet's side of a relay, after RFC 9458, for the tests: it shares no code with the mint's."""

from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyhpke import AEADId, CipherSuite, ContextInterface, KDFId, KEMId, KEMKeyPair

SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES128_GCM)
NONCE_BYTES = 16


class Sealed(NamedTuple):
    """A sealed request, and what opens the answer."""

    message: bytes
    context: ContextInterface

    def open(self, answer: bytes) -> bytes:
        secret = self.context.export(b"message/bhttp response", NONCE_BYTES)
        salt = self.message[7:39] + answer[:NONCE_BYTES]
        key, nonce = (
            HKDF(SHA256(), length=length, salt=salt, info=label).derive(secret)
            for label, length in ((b"key", 16), (b"nonce", 12))
        )
        return AESGCM(key).decrypt(nonce, answer[NONCE_BYTES:], b"")


def seal(keys: bytes, message: bytes, *, ephemeral: KEMKeyPair | None = None) -> Sealed:
    """Seal to the first key of an `application/ohttp-keys`."""
    config = keys[2 : 2 + int.from_bytes(keys[:2])]
    header = config[:3] + config[-4:]
    public = SUITE.kem.deserialize_public_key(config[3:35])
    info = b"message/bhttp request\0" + header
    enc, context = SUITE.create_sender_context(public, info=info, eks=ephemeral)
    return Sealed(header + enc + context.seal(message), context)
