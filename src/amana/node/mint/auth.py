"""Blind tokens at the mint's origin (NUT-22): their keys, and how a clear token fetches them."""

from typing import Final

import msgspec

from amana.node.mint import shapes
from amana.node.mint.info import AuthInfo, ProtectedAddress
from amana.node.mint.routes import Answer, Request, Route
from amana.purse.auth import Access, Allowance, BlindAuth, protected
from amana.purse.auth.model import TOKENS_AT_ONCE_MAX
from amana.purse.auth.rules import FETCH_PATH
from amana.purse.model import Code, Refusal
from amana.purse.rules.refusals import plain

_outputs: Final = msgspec.json.Decoder(shapes.OutputsBody)
_KEYS_PATH: Final = "/v1/auth/blind/keys"
_KEYSETS_PATH: Final = "/v1/auth/blind/keysets"


def auth_info(
    *, openid_discovery: str, client_id: str, allowance: Allowance, asks_blind: bool
) -> AuthInfo:
    """Say where clear tokens come from and what tokens open, for the mint's information.

    Args:
        openid_discovery: Address of the discovery document.
        client_id: What wallets call themselves there.
        allowance: How many blind tokens a customer may fetch.
        asks_blind: Whether swaps and redemptions are rationed by blind tokens.
    """
    return AuthInfo(
        openid_discovery=openid_discovery,
        client_id=client_id,
        clear=_listed(Access.CLEAR),
        blind=_listed(Access.BLIND) if asks_blind else (),
        bat_max_mint=allowance.at_once,
    )


def _listed(access: Access) -> tuple[ProtectedAddress, ...]:
    return tuple(ProtectedAddress(entry["method"], entry["path"]) for entry in protected(access))


def auth_routes(auth: BlindAuth) -> tuple[Route, ...]:
    """Return the addresses of blind tokens; what each asks of a caller is decided elsewhere."""
    endpoints = _Endpoints(auth)
    return (
        Route("GET", _KEYS_PATH, endpoints.get_keys),
        Route("GET", f"{_KEYS_PATH}/*", endpoints.get_keys_of),
        Route("GET", _KEYSETS_PATH, endpoints.get_keysets),
        Route("POST", FETCH_PATH, endpoints.post_fetch),
    )


class _Endpoints:
    """Answers for the blind tokens of one mint; the same bytes for everybody."""

    def __init__(self, auth: BlindAuth) -> None:
        self._auth = auth

    async def get_keys(self, _: Request) -> Answer:
        """Answer `GET /v1/auth/blind/keys`: the keyset that signs."""
        return shapes.write_keys(one for one in self._auth.keysets() if one.is_active)

    async def get_keys_of(self, request: Request) -> Answer:
        """Answer `GET /v1/auth/blind/keys/{id}`."""
        wanted = request.tail.lower()
        found = [one for one in self._auth.keysets() if one.id == wanted]
        if not found:
            return plain(Code.KEYSET_UNKNOWN)
        return shapes.write_keys(found)

    async def get_keysets(self, _: Request) -> Answer:
        """Answer `GET /v1/auth/blind/keysets`: every keyset of blind tokens there ever was."""
        return shapes.write_keysets(self._auth.keysets())

    async def post_fetch(self, request: Request) -> Answer:
        """Answer `POST /v1/auth/blind/mint`."""
        party = None if request.admission is None else request.admission.party
        if party is None:
            return plain(Code.CLEAR_AUTH_MISSING)
        body = shapes.read(_outputs, request.body)
        if len(body.outputs) > TOKENS_AT_ONCE_MAX:
            told = f"Too many outputs. You can only mint {self._auth.allowance.at_once} tokens."
            return Refusal(Code.TOO_MANY_BLIND_TOKENS, told)
        outputs = shapes.read_outputs(body.outputs)
        if isinstance(outputs, Refusal):
            return outputs
        given = await self._auth.give(party, outputs)
        return given if isinstance(given, Refusal) else shapes.write_signatures(given)
