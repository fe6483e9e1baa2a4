"""A passkey authenticator in software: ES256, no attestation, discoverable credentials.

It answers what a browser would answer for `navigator.credentials.create` and `.get`, in the JSON
forms of Web Authentication. Its knobs let a test be a bad authenticator too.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import encode_cbor

_USER_PRESENT: Final = 0x01
_USER_VERIFIED: Final = 0x04
_ATTESTED: Final = 0x40
_NO_MODEL: Final = bytes(16)
_CREDENTIAL_ID_BYTES: Final = 32

# Labels and values of a COSE key: EC2, ES256, P-256. Source: RFC 9053, section 7.1.1.
_COSE_EC2: Final = {1: 2, 3: -7, -1: 1}
_COSE_X: Final = -2
_COSE_Y: Final = -3


@dataclass(slots=True)
class _Credential:
    """A private key, whom it is for, and how often it was used."""

    credential_id: bytes
    user_handle: bytes
    key: ec.EllipticCurvePrivateKey
    rp_id: str
    sign_count: int


class SoftwareAuthenticator:
    """One person's device."""

    def __init__(self, *, origin: str) -> None:
        """Take the page's origin, as a browser would.

        Knobs, to be set by a test: `is_user_verified` whether the person shows that it is them;
        `step` what each use adds to the count, zero for a passkey that syncs between devices.
        """
        self.origin = origin
        self.is_user_verified = True
        self.step = 1
        self._credentials: list[_Credential] = []

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Make a passkey; return the RegistrationResponseJSON."""
        key = ec.generate_private_key(ec.SECP256R1())
        numbers = key.private_numbers().private_value.to_bytes(32)
        credential = _Credential(
            credential_id=hashlib.sha256(b"credential" + numbers).digest()[:_CREDENTIAL_ID_BYTES],
            user_handle=decode(options["user"]["id"]),
            key=key,
            rp_id=options["rp"]["id"],
            sign_count=self.step,
        )
        self._credentials.append(credential)
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._attested(credential)}
        response = {
            "clientDataJSON": self._client_data("webauthn.create", options["challenge"]),
            "attestationObject": encode(encode_cbor(attestation)),
            "transports": ["internal"],
        }
        return _public_key(credential, response)

    def get(self, options: Mapping[str, Any], *, which: int = -1) -> dict[str, Any]:
        """Sign with a passkey for the page's site; return the AuthenticationResponseJSON."""
        held = [item for item in self._credentials if item.rp_id == options["rpId"]]
        credential = held[which]
        credential.sign_count += self.step
        data = self._data(credential, 0)
        client_data = self._client_data("webauthn.get", options["challenge"])
        digest = hashlib.sha256(decode(client_data)).digest()
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": encode(data),
            "signature": encode(credential.key.sign(data + digest, ec.ECDSA(hashes.SHA256()))),
            "userHandle": encode(credential.user_handle),
        }
        return _public_key(credential, response)

    def set_sign_count(self, sign_count: int) -> None:
        """Set every passkey's count, as a copy of the device made earlier would have it."""
        for credential in self._credentials:
            credential.sign_count = sign_count

    def _data(self, credential: _Credential, flags: int) -> bytes:
        flags |= _USER_PRESENT | (_USER_VERIFIED if self.is_user_verified else 0)
        site = hashlib.sha256(credential.rp_id.encode()).digest()
        return site + bytes([flags]) + credential.sign_count.to_bytes(4)

    def _attested(self, credential: _Credential) -> bytes:
        point = credential.key.public_key().public_numbers()
        cose = {**_COSE_EC2, _COSE_X: point.x.to_bytes(32), _COSE_Y: point.y.to_bytes(32)}
        length = len(credential.credential_id).to_bytes(2)
        head = self._data(credential, _ATTESTED)
        return head + _NO_MODEL + length + credential.credential_id + encode_cbor(cose)

    def _client_data(self, kind: str, challenge: str) -> str:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return encode(json.dumps(data).encode())


def encode(data: bytes) -> str:
    """Write bytes as base64url without padding, as Web Authentication does."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Read base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _public_key(credential: _Credential, response: Mapping[str, Any]) -> dict[str, Any]:
    name = encode(credential.credential_id)
    return {
        "id": name,
        "rawId": name,
        "type": "public-key",
        "response": dict(response),
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
    }
