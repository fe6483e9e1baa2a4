"""Addresses that need no token: health, fees, signing up and in."""

from typing import Final

from litestar import get, post
from litestar.params import JSONBody

from amana import __version__
from amana.kernel import IdKind, format_id, format_instant
from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.http.operators import people_problem
from amana.node.http.rates import Callers
from amana.node.log_keeper import kept_since
from amana.node.operator import Operator
from amana.node.shapes import CeremonyBody, EmptyBody, SignUpOptionsBody
from amana.node.views import View
from amana.people import Refused, SignedIn
from amana.storage import read_log

_TOLD_BYTES: Final = 1 << 20


@get("/health")
async def get_health(request: Asked) -> View:
    """Say that the operator is there, and whether its books can be written."""
    operator = edge.operator_of(request)
    return {
        "status": "refusing" if operator.writer.is_refusing else "ok",
        "version": __version__,
        "currency": operator.settings.currency,
        "operator": operator.settings.name,
        "play_money": operator.settings.is_play_money,
        "checkout": operator.settings.checkout_url,
        "books_log": _books_log(operator),
    }


def _books_log(operator: Operator) -> View:
    """Say whether the books' log is emptied as often as is stated.

    How fast it grows would tell everybody who asks when something is paid. So its size is told only
    where it is not, and rounded up.
    """
    log = read_log(operator.folder)
    since = kept_since(log, operator.clock.now())
    if since is None:
        return {"status": "ok", "kept_since": None, "bytes_max": 0}
    bytes_max = -(-log.bytes // _TOLD_BYTES) * _TOLD_BYTES
    return {"status": "kept", "kept_since": format_instant(since), "bytes_max": bytes_max}


@get("/v1/fees")
async def get_fees(request: Asked) -> View:
    """Return the published schedule of fees."""
    return {
        "merchant_basis_points": edge.operator_of(request).settings.merchant_fee_basis_points,
        "person_basis_points": 0,
        "rounding": "down to the minor unit",
        "version": 1,
    }


@post("/v1/sign-up/options", status_code=200)
async def post_sign_up_options(request: Asked, data: JSONBody[SignUpOptionsBody]) -> View:
    """Begin signing up: the options for making a passkey."""
    _count(request)
    begun = edge.operator_of(request).passkeys.begin_sign_up(
        data.handle, data.display_name, language=data.language
    )
    if isinstance(begun, Refused):
        raise people_problem(begun)
    return {"ceremony": begun.ceremony, "options": dict(begun.options)}


@post("/v1/sign-up", status_code=201)
async def post_sign_up(request: Asked, data: JSONBody[CeremonyBody]) -> View:
    """Finish signing up with the passkey that was made."""
    return _signed_in(
        await edge.operator_of(request).passkeys.sign_up(data.ceremony, data.credential)
    )


@post("/v1/sign-in/options", status_code=200)
async def post_sign_in_options(request: Asked, data: JSONBody[EmptyBody]) -> View:
    """Begin signing in: the options for using a passkey."""
    del data
    _count(request)
    begun = edge.operator_of(request).passkeys.begin_sign_in()
    return {"ceremony": begun.ceremony, "options": dict(begun.options)}


@post("/v1/sign-in", status_code=200)
async def post_sign_in(request: Asked, data: JSONBody[CeremonyBody]) -> View:
    """Finish signing in with the passkey that was used."""
    return _signed_in(
        await edge.operator_of(request).passkeys.sign_in(data.ceremony, data.credential)
    )


@post("/v1/sign-out", status_code=204)
async def post_sign_out(request: Asked) -> None:
    """End the session of this token."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    refused = await operator.people.revoke(principal.token, holder=principal.party)
    if refused is not None:
        raise people_problem(refused)


def _count(request: Asked) -> None:
    callers: Callers = request.app.state.callers
    address = "" if request.client is None else request.client.host
    callers.count(address, edge.operator_of(request).clock.now())


def _signed_in(outcome: SignedIn | Refused) -> View:
    if isinstance(outcome, Refused):
        raise people_problem(outcome)
    customer = outcome.customer
    return {
        "token": outcome.issued.text,
        "customer": {
            "id": format_id(IdKind.CUSTOMER, customer.customer),
            "handle": customer.handle,
        },
    }
