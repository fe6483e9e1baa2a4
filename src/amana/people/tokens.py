"""Tokens: made once, shown once, known afterwards by their digest alone."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

from amana.kernel import DAY_NS, AmanaId, Instant, new_id
from amana.people.model import TOKEN_PREFIXES, IssuedToken, Scope, Token, TokenKind

TOKEN_SECRET_BYTES: Final = 32
TOKEN_CHANCE_BYTES: Final = 9 + TOKEN_SECRET_BYTES
"""Random bytes that one token takes: for its id, then for its text."""

SESSION_LIFE_NS: Final = 30 * DAY_NS
"""How long a wallet or till stays signed in."""

TOKEN_CHARACTERS_MAX: Final = 128
"""Characters of a bearer token that are looked at; ours have 47."""


def token_digest(text: str) -> bytes:
    """Return the SHA-256 by which a token is known. The token is random: it needs no salt."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def make_token(
    kind: TokenKind,
    holder: AmanaId,
    *,
    now: Instant,
    chance: bytes,
    scopes: frozenset[Scope] = frozenset(),
    label: str = "",
    is_confirmation_exempt: bool = False,
    expires_at: Instant | None = None,
) -> tuple[Token, IssuedToken]:
    """Make a token of TOKEN_CHANCE_BYTES random bytes: the row to keep, the text to show once."""
    assert len(chance) == TOKEN_CHANCE_BYTES, "a token takes chance for its id and its text"
    secret = urlsafe_b64encode(chance[9:]).decode().rstrip("=")
    text = TOKEN_PREFIXES[kind] + secret
    token = Token(
        token=new_id(now, chance[:9]),
        digest=token_digest(text),
        kind=kind,
        holder=holder,
        scopes=scopes,
        label=label,
        is_confirmation_exempt=is_confirmation_exempt,
        expires_at=expires_at,
    )
    return token, IssuedToken(token.token, text)
