"""A merchant's API keys: make, list, revoke."""

from typing import Any, Final

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from amana.kernel import IdKind, format_id, format_instant, id_instant
from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.http.operators import people_problem
from amana.node.problems import ProblemRaised
from amana.node.shapes import ApiKeyBody
from amana.node.views import View
from amana.people import PrincipalKind, Refused, Scope


@post("/v1/api-keys", status_code=201)
async def post_api_key(request: Asked, data: JSONBody[ApiKeyBody]) -> View:
    """Make a key that may do no more than the one that asks. It is shown this once."""
    principal, operator = edge.asker(request, PrincipalKind.MERCHANT), edge.operator_of(request)
    edge.refuse_cashier(principal)
    scopes = frozenset(Scope(scope) for scope in data.scopes)
    issued = await operator.people.issue_api_key(principal.party, scopes, held=principal.scopes)
    if isinstance(issued, Refused):
        raise people_problem(issued)
    return {
        "id": format_id(IdKind.API_KEY, issued.token),
        "scopes": sorted(scopes),
        "api_key": issued.text,
        "created_at": format_instant(id_instant(issued.token)),
    }


@get("/v1/api-keys")
async def get_api_keys(request: Asked) -> View:
    """Return the merchant's keys, oldest first, without the keys themselves."""
    principal, operator = edge.merchant_of(request, Scope.READ), edge.operator_of(request)
    return {
        "items": [
            {
                "id": format_id(IdKind.API_KEY, key.token),
                "scopes": sorted(key.scopes),
                "created_at": format_instant(id_instant(key.token)),
            }
            for key in operator.people.api_keys(principal.party)
        ],
        "next": None,
    }


@delete("/v1/api-keys/{key_id:str}", status_code=204)
async def delete_api_key(request: Asked, key_id: FromPath[str]) -> None:
    """Revoke a key at once and for good: one that the asking key could have made itself."""
    principal, operator = edge.asker(request, PrincipalKind.MERCHANT), edge.operator_of(request)
    edge.refuse_cashier(principal)
    token = edge.path_id(IdKind.API_KEY, key_id)
    wide = {
        key.token
        for key in operator.people.api_keys(principal.party)
        if not key.scopes <= principal.scopes
    }
    if token in wide:
        raise ProblemRaised("not-allowed", "This key lacks a scope of the key to be revoked.")
    refused = await operator.people.revoke(token, holder=principal.party)
    if refused is not None:
        raise people_problem(refused)


HANDLERS: Final[list[Any]] = [post_api_key, get_api_keys, delete_api_key]
