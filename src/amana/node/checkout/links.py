"""Payment links as those see them who open one."""

from typing import Annotated, Final

import msgspec
from litestar import post
from litestar.params import JSONBody

from amana.kernel.limits import AMOUNT_MINOR_MAX
from amana.node.checkout.orders import public_order_view
from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.http.links import check_code, link_problem
from amana.node.http.rates import Rates
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised
from amana.node.shapes import MoneyShape
from amana.node.views import View, money_view, payee_view
from amana.payments.links import Link, LinkRefused
from amana.people import PartyFacts

ORDERS_A_MINUTE: Final = 60
"""Orders that one link makes in a minute. Counted by link: nothing is read of who asks."""

Secret = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{21}[AQgw]$", max_length=22)]
_SECRET_BYTES: Final = 16


class LinkLookBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which link somebody looks at."""

    link: Secret


class LinkOrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which link somebody pays by, and how much where it leaves that open."""

    link: Secret
    amount: MoneyShape | None = None


@post("/v1/look/link", status_code=200)
async def post_link_look(request: Asked, data: JSONBody[LinkLookBody]) -> View:
    """Return whom a link pays: a look that makes no order and leaves no row."""
    operator = edge.operator_of(request)
    link, merchant = _found(operator, data.link)
    return {
        "payee": payee_view(merchant),
        "currency": operator.settings.currency,
        "amount": None if link.amount is None else money_view(operator, link.amount),
        "reference": link.reference,
        "operator": operator.settings.name,
        "play_money": operator.settings.is_play_money,
    }


@post("/v1/look/link/order", status_code=200)
async def post_link_order(request: Asked, data: JSONBody[LinkOrderBody]) -> View:
    """Return an order to pay: a fresh one, or the one that a single-use link has open."""
    operator = edge.operator_of(request)
    link, merchant = _found(operator, data.link)
    amount = None if data.amount is None else edge.money_of(operator, data.amount)
    rates: Rates = request.app.state.link_rates
    rates.count(data.link, operator.clock.now())
    if amount is not None and 0 < amount <= AMOUNT_MINOR_MAX:
        check_code(operator, merchant, link, amount=amount)
    order = await operator.links.open(link, amount)
    if isinstance(order, LinkRefused):
        raise link_problem(order)
    return public_order_view(operator, order)


def _found(operator: Operator, secret: str) -> tuple[Link, PartyFacts]:
    raw = edge.bytes_of(secret, "link", count=_SECRET_BYTES)
    assert raw is not None, "there is a secret"
    link = operator.links.find(raw)
    if isinstance(link, LinkRefused):
        raise link_problem(link)
    merchant = operator.directory.by_id(link.merchant)
    if merchant is None or not operator.party(merchant).is_open:
        raise ProblemRaised("not-found")
    return link, merchant
