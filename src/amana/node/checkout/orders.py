"""What the checkout shows of an order: all that its payer needs, and nothing of any payer."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import JSONBody

from amana.kernel import IdKind, format_id, format_instant
from amana.node.http import edge
from amana.node.http.codes import cashu_request_of, code_of
from amana.node.http.edge import Asked
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised
from amana.node.views import View, money_view, payee_view
from amana.payments.model import CaptureMode, Order, OrderStatus
from amana.payments.rules import order_status

_ID_CHARACTERS_MAX = 64


class OrderLookBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which order somebody looks at."""

    order: Annotated[str, msgspec.Meta(max_length=_ID_CHARACTERS_MAX)]


@get("/v1/look")
async def get_place(request: Asked) -> View:
    """Return whose checkout this is, for somebody who comes without an order or a link."""
    settings = edge.operator_of(request).settings
    return {
        "wallet": f"{settings.url}/wallet",
        "operator": settings.name,
        "play_money": settings.is_play_money,
    }


@post("/v1/look/order", status_code=200)
async def post_order_look(request: Asked, data: JSONBody[OrderLookBody]) -> View:
    """Return an order as anybody sees it who has its id: a look that leaves no row."""
    operator = edge.operator_of(request)
    order = operator.payments_read.order(edge.path_id(IdKind.ORDER, data.order))
    if order is None:
        raise ProblemRaised("not-found")
    return public_order_view(operator, order)


def public_order_view(operator: Operator, order: Order) -> View:
    """Write an order for its payer; how it was paid, by whom and when is not said."""
    merchant = operator.directory.by_id(order.merchant)
    assert merchant is not None, "a merchant with an order is there"
    paid_by = order.payment_id
    payment = None if paid_by is None else operator.payments_read.payment(paid_by)
    status = order_status(order, payment, now=operator.clock.now())
    is_open = status is OrderStatus.OPEN
    return {
        "id": format_id(IdKind.ORDER, order.id),
        "status": status.value,
        "pending": is_open and payment is not None,
        "amount": money_view(operator, order.amount),
        "reference": order.reference,
        "payee": payee_view(merchant),
        "purse": order.capture is not CaptureMode.MANUAL,
        "code": code_of(operator, merchant, order=order) if is_open else None,
        "cashu_request": cashu_request_of(operator, merchant, order) if is_open else None,
        "wallet": f"{operator.settings.url}/wallet",
        "operator": operator.settings.name,
        "play_money": operator.settings.is_play_money,
        "expires_at": format_instant(order.expires_at),
    }
