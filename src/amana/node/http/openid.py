"""Addresses of the operator as OpenID provider: how a wallet of any make comes by clear tokens.

What clients of OpenID ask is answered in that protocol's own shapes; what our pages and wallet ask
is answered as everywhere. No cookie is set or read: a customer approves with the session token
that their wallet holds, from a page of this origin that nobody can put into a frame.
"""

from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody

from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.http.openid_page import SCRIPT, STYLE, approval_page, device_page, language_of
from amana.node.http.rates import Callers, Rates
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised
from amana.node.views import View
from amana.people.openid import (
    CLIENT_ID,
    DEVICE_LIFE_NS,
    GRANTS,
    POLL_S,
    DeviceBegun,
    NoReturn,
    OAuthRefused,
    OpenId,
    TokensGiven,
)
from amana.people.openid import Asked as ClientAsked
from amana.people.openid_tokens import ALGORITHM, TokenKeys
from amana.trust import OPENID_SIGNING
from amana.wire.faults import Fault

DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
_KEYS_PATH: Final = "/v1/openid/keys"
_TOKEN_PATH: Final = "/v1/openid/token"  # noqa: S105 - an address
_DEVICE_PATH: Final = "/v1/openid/device"
_APPROVAL_PAGE: Final = "/openid/approve"
_DEVICE_PAGE: Final = "/openid/device"

FORM_BYTES_MAX: Final = 8_192
"""Bytes of a form or of a query; the longest of ours have about 1,000."""

DEVICE_ANSWERS_A_MINUTE: Final = 10
"""Codes of devices that one customer may type in one minute."""

_FIELDS_MAX: Final = 20
_FORM: Final = "application/x-www-form-urlencoded"
_ANYBODY: Final = {"Access-Control-Allow-Origin": "*"}
"""Wallets are web apps of other origins; no answer here depends on who the browser thinks asks."""

_ASKED_FIELDS: Final = frozenset(ClientAsked.__slots__)


class ApprovalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customer's answer to a client: the query that the client came with, and yes or no."""

    query: Annotated[str, msgspec.Meta(max_length=FORM_BYTES_MAX)]
    is_approved: bool


class DeviceAnswerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customer's answer to a device: the code that it shows, and yes or no."""

    user_code: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    is_approved: bool


def make_openid(operator: Operator) -> OpenId:
    """Make the provider of an operator."""
    operator.signatory.complete(operator.chance)
    secret = operator.signatory.secret(OPENID_SIGNING)
    return OpenId(
        keys=TokenKeys(secret, issuer=operator.settings.url),
        directory=operator.directory,
        clock=operator.clock,
        chance=operator.chance,
    )


def discovery_of(url: str) -> dict[str, Any]:
    """Return the discovery document. Source: OpenID Connect Discovery 1.0, RFC 8414."""
    return {
        "issuer": url,
        "authorization_endpoint": url + _APPROVAL_PAGE,
        "token_endpoint": url + _TOKEN_PATH,
        "device_authorization_endpoint": url + _DEVICE_PATH,
        "jwks_uri": url + _KEYS_PATH,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GRANTS,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "scopes_supported": ["openid"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce"],
        "authorization_response_iss_parameter_supported": True,
        "ui_locales_supported": ["en", "ar"],
    }


@get(DISCOVERY_PATH, include_in_schema=False)
async def get_discovery(request: Asked) -> Response[dict[str, Any]]:
    """Say where everything is."""
    return _answer(discovery_of(_openid(request).keys.issuer))


@get(_KEYS_PATH, include_in_schema=False)
async def get_keys(request: Asked) -> Response[dict[str, Any]]:
    """Return the public keys that clear tokens are signed with."""
    return _answer(_openid(request).keys.key_set())


async def _check_form(request: Asked) -> None:
    """Let forms in here, and nothing else."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise ProblemRaised("unsupported-media-type", f"Send Content-Type: {_FORM}.")


@post(_TOKEN_PATH, include_in_schema=False, before_request=_check_form, status_code=200)
async def post_token(request: Asked) -> Response[dict[str, Any]]:
    """Give tokens for a code, for a device that was approved, or for a refresh token.

    It is not counted who asks: nothing is kept of a wrong one, and none can be guessed.
    """
    given = _openid(request).exchange(_form_of(await request.body()))
    if not isinstance(given, TokensGiven):
        return _refusal(given)
    return _answer(
        {
            "access_token": given.access_token,
            "token_type": "Bearer",
            "expires_in": given.expires_in,
            "refresh_token": given.refresh_token,
            "id_token": given.id_token,
            "scope": "openid",
        }
    )


@post(_DEVICE_PATH, include_in_schema=False, before_request=_check_form, status_code=200)
async def post_device(request: Asked) -> Response[dict[str, Any]]:
    """Begin for a device: a code for its holder to type, and one for itself to ask with."""
    callers: Callers = request.app.state.openid_callers
    address = "" if request.client is None else request.client.host
    callers.count(address, edge.operator_of(request).clock.now())
    openid = _openid(request)
    begun = openid.begin_device(_form_of(await request.body()).get("client_id", ""))
    if not isinstance(begun, DeviceBegun):
        return _refusal(begun)
    page = openid.keys.issuer + _DEVICE_PAGE
    return _answer(
        {
            "device_code": begun.device_code,
            "user_code": begun.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={begun.user_code}",
            "expires_in": DEVICE_LIFE_NS // 1_000_000_000,
            "interval": POLL_S,
        }
    )


@get(_APPROVAL_PAGE, include_in_schema=False)
async def get_approval_page(request: Asked) -> Response[str]:
    """Ask the customer, on a page of ours, whether a client may fetch blind tokens."""
    openid, operator = _openid(request), edge.operator_of(request)
    asked = _asked_of(request.scope["query_string"])
    refused = openid.decide(asked)
    if isinstance(refused, NoReturn):
        raise _no_return(refused)
    if refused is not None:
        return Response("", status_code=303, headers={"Location": openid.send_back(asked, refused)})
    client = urlsplit(asked.redirect_uri).netloc
    return _page(request, approval_page(_language(request), operator.settings.name, client))


@get(_DEVICE_PAGE, include_in_schema=False)
async def get_device_page(request: Asked) -> Response[str]:
    """Ask the customer for the code that their device shows."""
    return _page(request, device_page(_language(request), edge.operator_of(request).settings.name))


@get("/openid/page.js", include_in_schema=False)
async def get_page_script() -> Response[str]:
    """Answer with what both pages do."""
    return Response(SCRIPT, media_type="text/javascript")


@get("/openid/page.css", include_in_schema=False)
async def get_page_style() -> Response[str]:
    """Answer with how both pages look."""
    return Response(STYLE, media_type="text/css")


@post("/v1/openid/approve", status_code=200)
async def post_approval(request: Asked, data: JSONBody[ApprovalBody]) -> View:
    """Answer a client that asked to fetch blind tokens in the customer's name."""
    principal, openid = edge.customer_of(request), _openid(request)
    asked = _asked_of(data.query.encode())
    if not data.is_approved:
        refused = openid.decide(asked)
        if not isinstance(refused, NoReturn):
            said_no = OAuthRefused("access_denied", "The customer said no.")
            return {"redirect": openid.send_back(asked, said_no)}
        raise _no_return(refused)
    address = openid.approve(principal.party, asked)
    if isinstance(address, NoReturn):
        raise _no_return(address)
    return {"redirect": address}


@post("/v1/openid/device/approve", status_code=204)
async def post_device_answer(request: Asked, data: JSONBody[DeviceAnswerBody]) -> None:
    """Answer a device that asked to fetch blind tokens in the customer's name."""
    principal = edge.customer_of(request)
    # A short code might be guessed: each customer has few tries, wherever they ask from.
    guesses: Rates = request.app.state.openid_guesses
    guesses.count(str(principal.party), edge.operator_of(request).clock.now())
    openid = _openid(request)
    if not openid.answer_device(principal.party, data.user_code, is_approved=data.is_approved):
        raise ProblemRaised("not-found", "No device waits with this code. Begin there again.")


HANDLERS: Final[list[Any]] = [
    get_discovery,
    get_keys,
    post_token,
    post_device,
    get_approval_page,
    get_device_page,
    get_page_script,
    get_page_style,
    post_approval,
    post_device_answer,
]


def _openid(request: Asked) -> OpenId:
    openid: OpenId = request.app.state.openid
    return openid


def _form_of(body: bytes) -> dict[str, str]:
    """Read a form in which each field stands once (RFC 6749, section 3.1)."""
    if len(body) > FORM_BYTES_MAX:
        raise ProblemRaised("payload-too-large")
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except ValueError:
        raise ProblemRaised("malformed-request", "The form was not understood.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise ProblemRaised("malformed-request", "A field stands twice.")
    return form


def _asked_of(query: bytes) -> ClientAsked:
    form = {name: text for name, text in _form_of(query).items() if name in _ASKED_FIELDS}
    empty = dict.fromkeys(
        ["client_id", "redirect_uri", "response_type", "code_challenge", "code_challenge_method"],
        "",
    )
    return ClientAsked(**{**empty, **form})


def _no_return(refused: NoReturn) -> ProblemRaised:
    told = f"{refused.detail} The client is to name '{CLIENT_ID}' and an address known here."
    return ProblemRaised("malformed-request", told, errors=(Fault("query", refused.detail),))


def _answer(body: dict[str, Any], status: int = 200) -> Response[dict[str, Any]]:
    return Response(body, status_code=status, headers=_ANYBODY, media_type="application/json")


def _refusal(refused: OAuthRefused) -> Response[dict[str, Any]]:
    return _answer({"error": refused.error, "error_description": refused.detail}, 400)


def _language(request: Asked) -> str:
    return language_of(
        request.query_params.get("ui_locales", ""), request.headers.get("accept-language", "")
    )


def _page(request: Asked, html: str) -> Response[str]:
    del request
    return Response(html, media_type="text/html", headers={"Vary": "Accept-Language"})
