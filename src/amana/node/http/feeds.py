"""Events: a feed to read from a position, and a stream that goes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter
from litestar.response import Stream

from amana.events import Event
from amana.kernel import IdKind, format_id, format_instant
from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised
from amana.node.views import View, id_view, money_view
from amana.people import Principal, PrincipalKind, Scope
from amana.wire.faults import Fault

HEARTBEAT_S = 15.0
_BATCH = 100


def _reader(request: Asked) -> Principal:
    """Return the customer or merchant whose feed is asked for."""
    principal = edge.signed_in(request)
    if principal.kind is PrincipalKind.OPERATOR:
        raise ProblemRaised("not-allowed", "Feeds are a customer's or a merchant's.")
    if principal.kind is PrincipalKind.MERCHANT:
        return edge.merchant_of(request, Scope.EVENTS)
    return principal


def event_view(operator: Operator, event: Event) -> View:
    """Write an event for the party whose feed it is in."""
    is_order = event.kind.value.startswith("order.")
    refund = event.kind.value in {"payment.refunded", "order.refunded", "refund.refused"}
    kind = IdKind.REFUND if refund else IdKind.PAYMENT
    is_cancelled = event.kind.value == "order.cancelled"
    return {
        "number": event.number,
        "kind": event.kind.value,
        "payment_id": None if is_cancelled else format_id(kind, event.subject),
        "order_id": id_view(IdKind.ORDER, event.order_id) if is_order else None,
        "amount": money_view(operator, event.amount),
        "occurred_at": format_instant(event.occurred_at),
    }


@get("/v1/events")
async def get_events(
    request: Asked,
    after: Annotated[int, QueryParameter(ge=0, le=2**62)] = 0,
    limit: Annotated[int | None, QueryParameter(ge=1, le=100)] = None,
) -> View:
    """Return the asker's events after a number, oldest first."""
    principal, operator = _reader(request), edge.operator_of(request)
    events = operator.events_read.feed(principal.party, after=after, limit=edge.page_limit(limit))
    return {
        "items": [event_view(operator, event) for event in events],
        "next": events[-1].number if events else after,
    }


@get("/v1/events/stream", media_type="text/event-stream")
async def get_stream(request: Asked) -> Stream:
    """Stream the asker's events; goes on after `Last-Event-ID`, else from now."""
    principal, operator = _reader(request), edge.operator_of(request)
    last = request.headers.get("last-event-id")
    if last is None:
        after = operator.events_read.last_number(principal.party)
    elif last.isascii() and last.isdigit() and len(last) <= 18:  # noqa: PLR2004 - digits of 2^62
        after = int(last)
    else:
        raise ProblemRaised("malformed-request", errors=(Fault("Last-Event-ID", "A number."),))
    return Stream(
        _events(request, principal, after),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _is_signed_in(request: Asked) -> bool:
    """Whether the token that opened a stream still holds: it may have been revoked since."""
    try:
        edge.signed_in(request)
    except ProblemRaised:
        return False
    return True


async def _events(request: Asked, principal: Principal, after: int) -> AsyncIterator[bytes]:
    operator = edge.operator_of(request)
    signal = operator.feed.subscribe(principal.party)
    try:
        yield b": connected\n\n"
        while not operator.feed.is_ended and _is_signed_in(request):
            signal.clear()
            events = operator.events_read.feed(principal.party, after=after, limit=_BATCH)
            for event in events:
                after = event.number
                data = msgspec.json.encode(event_view(operator, event))
                yield b"id: %d\nevent: %s\ndata: %s\n\n" % (
                    event.number,
                    event.kind.value.encode(),
                    data,
                )
            if events:
                continue
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    await signal.wait()
            except TimeoutError:
                yield b": still here\n\n"
    finally:
        operator.feed.unsubscribe(principal.party, signal)
