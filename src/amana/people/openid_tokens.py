"""Clear tokens: signed by the operator, good for minutes, naming nobody to whoever reads them.

A token's subject is the customer's identifier under a key of the operator's, another for each
client: it looks random, tells no handle, and no two clients can compare theirs. Nothing is stored.
Source: RFC 9068 (access tokens), OpenID Connect Core 1.0, NUT-21.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from amana.kernel import SECOND_NS, AmanaId, Instant

ALGORITHM: Final = "ES256"
"""NUT-21 asks for this one or RS256."""

ACCESS_LIFE_S: Final = 600
"""Seconds a clear token is good for: fetching blind tokens takes one request."""

AUDIENCE: Final = "amana-mint"
"""Whom clear tokens are for: the operator's mint, and nobody else."""

TOKEN_CHARACTERS_MAX: Final = 2_048
"""Characters of a clear token that are looked at; ours have about 500."""

_ACCESS_TYPE: Final = "at+jwt"
_ID_TYPE: Final = "JWT"
_ID_BYTES: Final = 16
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_WIDE_BYTES: Final = 48
"""128 bits more than the order has, so that reducing by it favours no key measurably."""


class TokenKeys:
    """Makes and reads what the operator signs as an OpenID provider."""

    def __init__(self, secret: bytes, *, issuer: str) -> None:
        """Derive the keys.

        Args:
            secret: 32 bytes, the operator's `openid-signing`.
            issuer: The operator's own address, without a slash at the end.
        """
        self.issuer = issuer
        self._subject_key = _derive(secret, b"subjects", 64)
        wide = int.from_bytes(_derive(secret, b"signing", _WIDE_BYTES))
        private = ec.derive_private_key(wide % (_P256_ORDER - 1) + 1, ec.SECP256R1())
        self._key = ECKey.import_key(private)
        public = ECKey.import_key(private.public_key())
        self._key_id = public.thumbprint()
        self._public = public

    def key_set(self) -> dict[str, Any]:
        """Return the public keys, as a JWK set (RFC 7517)."""
        public: dict[str, Any] = dict(self._public.as_dict(private=False))
        public.update(kid=self._key_id, use="sig", alg=ALGORITHM)
        return {"keys": [public]}

    def access_token(self, party: AmanaId, client: str, *, now: Instant) -> str:
        """Make a clear token of a customer for a client."""
        claims = self._claims(party, client, now)
        claims.update(aud=AUDIENCE, client_id=client, azp=client, scope="openid")
        return self._sign(_ACCESS_TYPE, claims)

    def id_token(self, party: AmanaId, client: str, *, nonce: str | None, now: Instant) -> str:
        """Make what a client of OpenID asks besides; the mint takes it for nothing."""
        claims = self._claims(party, client, now)
        claims["aud"] = client
        if nonce is not None:
            claims["nonce"] = nonce
        return self._sign(_ID_TYPE, claims)

    def party_of(self, token: str, now: Instant) -> AmanaId | None:
        """Return the customer a clear token speaks for; None where it is not good."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            return None
        try:
            read = jwt.decode(token, self._public, algorithms=[ALGORITHM])
        except (JoseError, ValueError, TypeError, RecursionError):
            # The library takes a header's members for what they should be.
            return None
        claims, now_s = read.claims, now // SECOND_NS
        subject, client, ends = claims.get("sub"), claims.get("client_id"), claims.get("exp")
        is_ours = read.header.get("typ") == _ACCESS_TYPE and claims.get("aud") == AUDIENCE
        if not is_ours or claims.get("iss") != self.issuer:
            return None
        if not isinstance(subject, str) or not isinstance(client, str):
            return None
        if not isinstance(ends, int) or now_s >= ends:
            return None
        return self._party(subject, client)

    def subject(self, party: AmanaId, client: str) -> str:
        """Return the name by which a client knows a customer."""
        sealed = AESSIV(self._subject_key).encrypt(party.to_bytes(_ID_BYTES), [client.encode()])
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def _party(self, subject: str, client: str) -> AmanaId | None:
        try:
            sealed = urlsafe_b64decode(subject + "=" * (-len(subject) % 4))
            opened = AESSIV(self._subject_key).decrypt(sealed, [client.encode()])
        except (InvalidTag, ValueError):
            return None
        return AmanaId(int.from_bytes(opened))

    def _claims(self, party: AmanaId, client: str, now: Instant) -> dict[str, Any]:
        now_s = now // SECOND_NS
        return {
            "iss": self.issuer,
            "sub": self.subject(party, client),
            "iat": now_s,
            "exp": now_s + ACCESS_LIFE_S,
        }

    def _sign(self, kind: str, claims: dict[str, Any]) -> str:
        header = {"alg": ALGORITHM, "typ": kind, "kid": self._key_id}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


def _derive(secret: bytes, purpose: bytes, count: int) -> bytes:
    return HKDF(hashes.SHA256(), count, None, b"amana openid 1 " + purpose).derive(secret)
