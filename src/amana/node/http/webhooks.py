"""A merchant's webhooks: make, list, delete, see what became of each event, replay."""

from typing import Annotated, Any, Final

from litestar import delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from amana.events import EventKind
from amana.events.webhooks import ListedDelivery, Webhook, WebhookReason, WebhookRefused
from amana.kernel import IdKind, format_id, format_instant
from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised
from amana.node.shapes import ReplayBody, WebhookBody
from amana.node.views import View, instant_view
from amana.people import Scope
from amana.wire.cursor import read_cursor, write_cursor
from amana.wire.faults import Fault
from amana.wire.standard_webhooks import WebhookSecret

_LIST: Final = "deliveries"

_FAULTS: Final = {
    WebhookReason.URL_NOT_UNDERSTOOD: Fault(
        "url", "An address of plain ASCII, without user name, password or fragment."
    ),
    WebhookReason.URL_NOT_SECURE: Fault("url", "Begin with https://."),
    WebhookReason.URL_NOT_PUBLIC: Fault("url", "Name an address of the public internet."),
    WebhookReason.KIND_UNKNOWN: Fault(
        "kinds", "Known kinds: " + ", ".join(kind.value for kind in EventKind) + "."
    ),
    WebhookReason.TOO_FAR_BACK: Fault(
        "after", "A replay reaches back over 100,000 events; read older ones from /v1/events."
    ),
}


@post("/v1/webhooks", status_code=201)
async def post_webhook(request: Asked, data: JSONBody[WebhookBody]) -> View:
    """Be told of events from now on. The secret is shown this once.

    Each event is sent signed (`v1` with the secret, `v1a` with the operator's public key), in
    order, until the address answers 200 to 299: after 5 seconds, 5 minutes, 30 minutes, 2, 5, 10
    and 10 hours. Then it is parked and the next one follows. An answer of 410 ends it.
    """
    principal, operator = edge.merchant_of(request, Scope.EVENTS), edge.operator_of(request)
    edge.refuse_cashier(principal)
    made = await operator.webhooks.add(principal.party, data.url, data.kinds or ())
    if isinstance(made, WebhookRefused):
        raise _problem(made)
    return {**_webhook_view(operator, made), "secret": WebhookSecret(made.secret).text()}


@get("/v1/webhooks")
async def get_webhooks(request: Asked) -> View:
    """Return the merchant's webhooks, oldest first."""
    principal, operator = edge.merchant_of(request, Scope.EVENTS), edge.operator_of(request)
    webhooks = operator.webhooks.all_of(principal.party)
    return {"items": [_webhook_view(operator, webhook) for webhook in webhooks], "next": None}


@delete("/v1/webhooks/{webhook_id:str}", status_code=204)
async def delete_webhook(request: Asked, webhook_id: FromPath[str]) -> None:
    """Be told no more. A message that is under way may still arrive."""
    principal, operator = edge.merchant_of(request, Scope.EVENTS), edge.operator_of(request)
    edge.refuse_cashier(principal)
    webhook = edge.path_id(IdKind.WEBHOOK, webhook_id)
    refused = await operator.webhooks.remove(principal.party, webhook)
    if refused is not None:
        raise _problem(refused)


@get("/v1/webhooks/{webhook_id:str}/deliveries")
async def get_deliveries(
    request: Asked,
    webhook_id: FromPath[str],
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int | None, QueryParameter(ge=1, le=100)] = None,
) -> View:
    """Return what became of the newest 1,000 events, and of every parked one; newest first."""
    principal, operator = edge.merchant_of(request, Scope.EVENTS), edge.operator_of(request)
    count = edge.page_limit(limit)
    before = None if cursor is None else edge.understood(read_cursor(_LIST, cursor))
    found = operator.webhooks.deliveries(
        principal.party, edge.path_id(IdKind.WEBHOOK, webhook_id), before=before, limit=count
    )
    if isinstance(found, WebhookRefused):
        raise _problem(found)
    is_more = len(found) == count
    return {
        "items": [_delivery_view(listed) for listed in found],
        "next": write_cursor(_LIST, found[-1].delivery.number) if is_more else None,
    }


@post("/v1/webhooks/{webhook_id:str}/replay", status_code=200)
async def post_replay(
    request: Asked, webhook_id: FromPath[str], data: JSONBody[ReplayBody]
) -> View:
    """Deliver all events after a number, again where need be, each under the id it had.

    It also switches on a webhook that an answer of 410 had switched off.
    """
    principal, operator = edge.merchant_of(request, Scope.EVENTS), edge.operator_of(request)
    edge.refuse_cashier(principal)
    queued = await operator.webhooks.replay(
        principal.party, edge.path_id(IdKind.WEBHOOK, webhook_id), after=data.after
    )
    if isinstance(queued, WebhookRefused):
        raise _problem(queued)
    return {"queued": queued}


HANDLERS: Final[list[Any]] = [
    post_webhook,
    get_webhooks,
    delete_webhook,
    get_deliveries,
    post_replay,
]


def _webhook_view(operator: Operator, webhook: Webhook) -> View:
    return {
        "id": format_id(IdKind.WEBHOOK, webhook.id),
        "url": webhook.url,
        "kinds": sorted(webhook.kinds),
        "enabled": webhook.is_enabled,
        "handled_number": webhook.handled_number,
        "public_key": operator.webhooks.public_key.text(),
        "created_at": format_instant(webhook.created_at),
    }


def _delivery_view(listed: ListedDelivery) -> View:
    delivery = listed.delivery
    return {
        "number": delivery.number,
        "kind": listed.kind.value,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "next_attempt_at": instant_view(delivery.next_attempt_at),
        "last_error": delivery.last_error,
    }


def _problem(refused: WebhookRefused) -> ProblemRaised:
    if refused.reason is WebhookReason.NOT_FOUND:
        return ProblemRaised("not-found")
    if refused.reason is WebhookReason.TOO_MANY:
        return ProblemRaised("not-allowed", "A merchant has at most 8 webhooks. Delete one first.")
    return ProblemRaised("malformed-request", errors=(_FAULTS[refused.reason],))
