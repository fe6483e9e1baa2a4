"""The edge of a request: who asks, with which key, for how much; and every error's one shape."""

import binascii
import logging
import re
import sqlite3
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, Protocol

import msgspec
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException

from amana.kernel import AmanaId, IdKind, Money, Unavailable, parse_id
from amana.kernel.limits import AMOUNT_MINOR_MAX, IDEMPOTENCY_KEY_CHARACTERS_MAX, PAGE_ITEMS_MAX
from amana.node.http.headers import API_HEADERS
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised, problem_of
from amana.node.shapes import MoneyShape
from amana.people import MerchantRole, Principal, PrincipalKind, Scope
from amana.wire.cursor import POSITION_MAX
from amana.wire.faults import Fault, Malformed
from amana.wire.problems import CONTENT_TYPE

Asked = Request[Any, Any, Any]


class Asking(Protocol):
    """What these functions read of a request."""

    @property
    def app(self) -> Litestar:
        """The application, whose state holds the operator."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by lower-case name."""


_HASH_BYTES: Final = 16
_SCHEME: Final = "bearer "
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_JSON: Final = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json", re.ASCII | re.IGNORECASE)
_HTTP_SLUGS: Final = {
    400: "malformed-request",
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "method-not-allowed",
    413: "payload-too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
}
_log: Final = logging.getLogger("amana.http")


def operator_of(request: Asking) -> Operator:
    """Return the operator that serves this request."""
    operator: Operator = request.app.state.operator
    return operator


def signed_in(request: Asking) -> Principal:
    """Return who asks, whatever they are."""
    header = request.headers.get("authorization", "")
    principal = None
    if header[: len(_SCHEME)].lower() == _SCHEME:
        operator = operator_of(request)
        principal = operator.authenticator.principal(
            header[len(_SCHEME) :].strip(), operator.clock.now()
        )
    if principal is None:
        raise ProblemRaised("not-signed-in")
    return principal


def asker(request: Asking, kind: PrincipalKind) -> Principal:
    """Return who asks, of the kind that this address is for."""
    principal = signed_in(request)
    if principal.kind is not kind:
        raise ProblemRaised("not-allowed", f"This address is for a {kind.value}'s token.")
    return principal


def customer_of(request: Asking) -> Principal:
    """Return the customer who asks."""
    return asker(request, PrincipalKind.CUSTOMER)


def merchant_of(request: Asked, scope: Scope) -> Principal:
    """Return the merchant who asks, with a key that may do this."""
    principal = asker(request, PrincipalKind.MERCHANT)
    if scope not in principal.scopes:
        raise ProblemRaised("not-allowed", f"This key lacks the scope '{scope.value}'.")
    return principal


def refuse_cashier(principal: Principal) -> None:
    """Refuse a cashier what would go on after the cashier is gone: keys, webhooks, links."""
    if principal.role is MerchantRole.CASHIER:
        raise ProblemRaised("not-allowed", "A cashier makes and ends no keys, webhooks or links.")


def staff_of(request: Asked) -> Principal:
    """Return the member of the operator's staff who asks."""
    return asker(request, PrincipalKind.OPERATOR)


def idempotency_key(request: Asking, initiator: AmanaId) -> bytes:
    """Return the hash of the asker with the request's Idempotency-Key."""
    key = request.headers.get("idempotency-key")
    if key is None:
        raise ProblemRaised(
            "idempotency-key-missing", "Nothing was done. Send an Idempotency-Key of your own."
        )
    if len(key) > IDEMPOTENCY_KEY_CHARACTERS_MAX or _VISIBLE.fullmatch(key) is None:
        raise ProblemRaised(
            "malformed-request",
            errors=(Fault("Idempotency-Key", "1 to 255 visible ASCII characters."),),
        )
    return blake2b(initiator.to_bytes(_HASH_BYTES) + key.encode(), digest_size=_HASH_BYTES).digest()


def body_hash(operation: str, body: msgspec.Struct) -> bytes:
    """Return the hash of what is asked: the operation and the understood body."""
    asked = msgspec.json.encode((operation, body))
    return blake2b(asked, digest_size=_HASH_BYTES).digest()


def money_of(operator: Operator, shape: MoneyShape) -> int:
    """Return the minor units of an amount in the operator's currency.

    Zero, negative and too large amounts pass: the rules refuse them, and remember that they did.
    """
    if shape.currency != operator.settings.currency:
        raise ProblemRaised(
            "wrong-currency", f"Nothing was done. Amounts here are in {operator.settings.currency}."
        )
    return max(-1, min(int(shape.minor), AMOUNT_MINOR_MAX + 1))


def money(operator: Operator, minor: int) -> MoneyShape:
    """Write minor units as an amount."""
    return MoneyShape(operator.settings.currency, str(minor))


def money_shape(amount: Money) -> MoneyShape:
    """Write money as an amount."""
    return MoneyShape(amount.currency.code, str(amount.minor))


def path_id(kind: IdKind, text: str) -> AmanaId:
    """Read an identifier from a path; anything else is simply not there."""
    identifier = parse_id(kind, text)
    if identifier is None:
        raise ProblemRaised("not-found")
    return identifier


def bytes_of(text: str | None, field: str, *, count: int) -> bytes | None:
    """Read base64url without padding, of an exact number of bytes."""
    if text is None:
        return None
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raw = b""
    if len(raw) != count:
        raise ProblemRaised("malformed-request", errors=(Fault(field, f"{count} bytes."),))
    return raw


def page_limit(limit: int | None) -> int:
    """Return how many items a page holds."""
    return min(PAGE_ITEMS_MAX, max(1, limit if limit is not None else 20))


def understood(position: int | Malformed, *, at_most: int = POSITION_MAX) -> int:
    """Return a cursor's position, or refuse the request that brought it."""
    if isinstance(position, Malformed):
        raise ProblemRaised("malformed-request", errors=position.faults)
    if position > at_most:
        fault = Fault("cursor", "This is no cursor of this list.")
        raise ProblemRaised("malformed-request", errors=(fault,))
    return position


async def check_media_type(request: Asked) -> None:
    """Refuse a body that says it is something else than JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if media_type and _JSON.fullmatch(media_type) is None:
        raise ProblemRaised("unsupported-media-type", "Send Content-Type: application/json.")


def answer_problem(request: Asked, raised: ProblemRaised) -> Response[bytes]:
    """Answer with a problem document."""
    problem = problem_of(raised, operator_of(request).settings.url)
    headers = dict(API_HEADERS)
    if raised.slug == "not-signed-in":
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        problem.to_json(), status_code=problem.status, media_type=CONTENT_TYPE, headers=headers
    )


def answer_http_error(request: Asked, error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused, in our one shape."""
    slug = _HTTP_SLUGS.get(error.status_code, "internal-error")
    faults: tuple[Fault, ...] = ()
    if slug == "malformed-request":
        faults = _faults_of(error)
    answer = answer_problem(request, ProblemRaised(slug, errors=faults))
    allowed = (error.headers or {}).get("allow")
    if allowed is not None:
        answer.headers["Allow"] = allowed
    return answer


_NOT_JSON: Final = (Fault("body", "This is not the JSON that this address takes."),)
_NO_BODY: Final = "'data'"
"""What the framework says where the request has no body."""


def _faults_of(error: HTTPException) -> tuple[Fault, ...]:
    extra: Any = error.extra
    if not isinstance(extra, list):
        return _NOT_JSON
    return tuple(_fault_of(entry) for entry in extra if isinstance(entry, dict)) or _NOT_JSON


def _fault_of(entry: dict[str, Any]) -> Fault:
    field, message = str(entry.get("key") or "body"), str(entry.get("message", "Not understood."))
    if field == "data":
        field = "body"
    return Fault(field, "The request has no body." if message == _NO_BODY else message)


def answer_too_deep(request: Asked, _: RecursionError) -> Response[bytes]:
    """Answer JSON that is nested beyond all reason."""
    faults = (Fault("body", "The JSON is nested too deeply."),)
    return answer_problem(request, ProblemRaised("malformed-request", errors=faults))


def answer_not_text(request: Asked, _: UnicodeDecodeError) -> Response[bytes]:
    """Answer JSON whose texts are not UTF-8."""
    faults = (Fault("body", "The text is not UTF-8."),)
    return answer_problem(request, ProblemRaised("malformed-request", errors=faults))


def answer_unavailable(request: Asked, _: Unavailable) -> Response[bytes]:
    """Answer that the outcome is not known."""
    slug = "storage-unavailable" if operator_of(request).writer.is_refusing else "outcome-unknown"
    return answer_problem(request, ProblemRaised(slug))


def answer_unreadable(request: Asked, failure: sqlite3.OperationalError) -> Response[bytes]:
    """Answer that the books could not even be read."""
    _log.error("storage_unreadable reason=%s", failure)
    return answer_problem(request, ProblemRaised("storage-unavailable"))


def answer_mistake(request: Asked, mistake: Exception) -> Response[bytes]:
    """Answer our own mistake, and raise the alarm; the log names no person and no amount."""
    _log.error("request_failed route=%s", request.scope.get("path_template", ""), exc_info=mistake)
    return answer_problem(request, ProblemRaised("internal-error"))
