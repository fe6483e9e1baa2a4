"""Decisions on access: what an address asks, what a blind token's text says, who gets how many."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import msgspec

from amana.purse.auth.model import (
    AUTH_UNIT,
    Access,
    Allowance,
    BlindToken,
    Endpoint,
)
from amana.purse.limits import KEYSET_ID_CHARACTERS_MAX, POINT_CHARACTERS, SECRET_BYTES_MAX
from amana.purse.model import BlindedMessage, Code, Keyset, Refusal
from amana.purse.rules.refusals import plain

FETCH_PATH: Final = "/v1/auth/blind/mint"

ENDPOINTS: Final = (
    # What anybody may read says the same to everybody, or is found by a secret that was given out.
    Endpoint("GET", "/v1/*", Access.PUBLIC),
    # An issue was paid for out of a named account, and a quote is worth nothing until it is.
    Endpoint("POST", "/v1/mint/quote/*", Access.PUBLIC),
    Endpoint("POST", "/v1/mint/*", Access.PUBLIC),
    # Reads of what the asker holds the secret of.
    Endpoint("POST", "/v1/checkstate", Access.PUBLIC),
    Endpoint("POST", "/v1/restore", Access.PUBLIC),
    # Whoever shows how revoked e-cash was issued shows more than a token would; a wallet whose
    # keyset was revoked must not be kept from its money for want of one.
    Endpoint("POST", "/v1/reissue", Access.PUBLIC),
    Endpoint("POST", FETCH_PATH, Access.CLEAR),
    # Wallets by others deliver here what a payment request asks for (NUT-18), and the format has no
    # place for a token. Nothing comes out, only an open order's exact sum goes in, and nothing is
    # kept of a request whose proofs are not good.
    Endpoint("POST", "/v1/pay/*", Access.PUBLIC),
    # A handle's keys, and mail for it: without a token anybody could ask for all handles.
    Endpoint("GET", "/v1/people/*", Access.ALWAYS),
    Endpoint("POST", "/v1/mail/*", Access.ALWAYS),
    # What moves e-cash between hands or out of the mint is rationed.
    Endpoint("POST", "/v1/swap", Access.BLIND),
    Endpoint("POST", "/v1/melt/quote/*", Access.BLIND),
    Endpoint("POST", "/v1/melt/*", Access.BLIND),
)
"""Every address of the mint, decided. One that is not named here asks for a blind token."""

WORKED_IN_VAIN: Final = frozenset(
    {
        Code.PROOF_INVALID,
        Code.ALREADY_SPENT,
        Code.PROOFS_PENDING,
        Code.ALREADY_SIGNED,
        Code.QUOTE_SIGNATURE_INVALID,
    }
)
"""Refusals through the asker's own doing that cost what a success costs: signatures were checked or
made before. They use a token up like one, or a single token would have the keys work for ever.
"""

_PREFIX: Final = "authA"
_TOKEN_CHARACTERS_MAX: Final = 2_048
_POINT_BYTES: Final = POINT_CHARACTERS // 2


class _Proof(msgspec.Struct):
    """A blind token's JSON; other members are ignored, as everywhere in these formats."""

    id: str
    secret: str
    C: str
    amount: int = 1
    dleq: Any = None


_decoder: Final = msgspec.json.Decoder(_Proof)


def matches(endpoint: Endpoint, method: str, path: str) -> bool:
    """Say whether a request is to this address; `*` stands last or not at all (NUT-21)."""
    if endpoint.method != method:
        return False
    if endpoint.path.endswith("*"):
        return path.startswith(endpoint.path[:-1])
    return path == endpoint.path


def is_decided(method: str, path: str, endpoints: Sequence[Endpoint] = ENDPOINTS) -> bool:
    """Say whether an address is named, so that its access was somebody's decision."""
    return any(matches(endpoint, method, path) for endpoint in endpoints)


@cache
def access_of(method: str, path: str, endpoints: tuple[Endpoint, ...] = ENDPOINTS) -> Access:
    """Return what a route asks: of those that match, the longest; a blind token where none does.

    So a new address that nobody decided on is closed, not open. The answer is remembered: it is
    asked of routes, which are few, and not of what strangers send.
    """
    found = [endpoint for endpoint in endpoints if matches(endpoint, method, path)]
    if not found:
        return Access.BLIND
    return max(found, key=lambda endpoint: len(endpoint.path)).access


def protected(access: Access, endpoints: Sequence[Endpoint] = ENDPOINTS) -> list[dict[str, str]]:
    """Return the addresses that ask for a kind of token, as the mint's information lists them."""
    assert access is not Access.PUBLIC, "what is public is not listed"
    return [
        {"method": endpoint.method, "path": endpoint.path}
        for endpoint in endpoints
        if endpoint.access is access
    ]


def read_blind_token(text: str) -> BlindToken | Refusal:
    """Read the value of a `Blind-auth` header: `authA` and a proof's JSON in base64url.

    Padding may be there or not. A token with its DLEQ proof is refused: it holds the blinding
    factor, by which the mint could tell whom it signed the token for.
    """
    if not text.startswith(_PREFIX) or len(text) > _TOKEN_CHARACTERS_MAX:
        return _failed("This is no blind token.")
    body = text[len(_PREFIX) :].rstrip("=")
    try:
        proof = _decoder.decode(_bytes_of_base64(body))
        point = bytes.fromhex(proof.C)
    except (ValueError, msgspec.DecodeError, RecursionError):
        return _failed("This is no blind token.")
    if proof.dleq is not None:
        return _failed("A blind token is sent without its DLEQ proof.")
    # Python passes over white space in hex; a token has one spelling.
    is_whole = proof.amount == 1 and len(point) == _POINT_BYTES and len(proof.C) == POINT_CHARACTERS
    is_bounded = 0 < len(proof.secret.encode("utf-8", "surrogatepass")) <= SECRET_BYTES_MAX
    if not is_whole or not is_bounded or len(proof.id) > KEYSET_ID_CHARACTERS_MAX:
        return _failed("This is no blind token.")
    return BlindToken(proof.id.lower(), proof.secret, point)


def _bytes_of_base64(text: str) -> bytes:
    """Read base64url of which nothing is passed over.

    Raises:
        ValueError: The text holds something else.
    """
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(raw).rstrip(b"=") != text.encode():
        raise ValueError("not base64url")
    return raw


def decide_token(keyset: Keyset | None, *, now_s: int) -> Refusal | None:
    """Refuse a token of a keyset that is none of ours, or past its end."""
    if keyset is None or keyset.unit != AUTH_UNIT:
        return _failed("The blind token's keyset is unknown.")
    if keyset.final_expiry is not None and now_s >= keyset.final_expiry:
        return _failed("The blind token's keyset has expired.")
    return None


def decide_fetch(
    outputs: Sequence[BlindedMessage],
    keysets: Sequence[Keyset],
    allowance: Allowance,
    *,
    now_s: int,
) -> Keyset | Refusal:
    """Return the keyset that signs these outputs, all of it and of one unit each, or refuse."""
    if not outputs:
        return Refusal(Code.AMOUNT_OUT_OF_RANGE, "No outputs provided.")
    if len(outputs) > allowance.at_once:
        told = f"Too many outputs. You can only mint {allowance.at_once} tokens."
        return Refusal(Code.TOO_MANY_BLIND_TOKENS, told)
    if len({output.point for output in outputs}) != len(outputs):
        return plain(Code.DUPLICATE_OUTPUTS)
    if any(output.amount != 1 for output in outputs):
        return Refusal(Code.AMOUNT_OUT_OF_RANGE, "A blind token's amount is 1.")
    wanted = {output.keyset_id for output in outputs}
    found = next((keyset for keyset in keysets if {keyset.id} == wanted), None)
    if found is None or found.unit != AUTH_UNIT:
        return plain(Code.KEYSET_UNKNOWN)
    if not found.is_active:
        return plain(Code.KEYSET_INACTIVE)
    if found.final_expiry is not None and now_s >= found.final_expiry:
        return plain(Code.KEYSET_EXPIRED)
    return found


def decide_count(given: int, asked: int, allowance: Allowance) -> Refusal | None:
    """Refuse what goes beyond a day's tokens."""
    assert given >= 0, "a count is not negative"
    assert asked > 0, "something is asked"
    if given + asked > allowance.a_day:
        told = f"Blind tokens are limited to {allowance.a_day} a day. Ask again tomorrow."
        return Refusal(Code.BLIND_TOKENS_TOO_OFTEN, told)
    return None


def _failed(detail: str) -> Refusal:
    return Refusal(Code.BLIND_AUTH_FAILED, detail)
