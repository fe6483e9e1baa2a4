"""A merchant's payment links: make, list, end."""

from typing import Annotated, Final

import msgspec
from litestar import delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from amana.kernel import SECOND_NS, IdKind, Instant, format_id, format_instant
from amana.kernel.limits import AMOUNT_MINOR_MAX, REFERENCE_CHARACTERS_MAX
from amana.node.http import edge
from amana.node.http.codes import code_of
from amana.node.http.edge import Asked
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised, refuse
from amana.node.shapes import MoneyShape, Printable
from amana.node.views import View, instant_view, money_view
from amana.payments.links import Link, LinkReason, LinkRefused, url_secret
from amana.payments.model import CaptureMode, IdReused, Order, Reason, TipMode
from amana.people import PartyFacts, Scope
from amana.wire.cursor import read_cursor, write_cursor
from amana.wire.faults import Fault

_LIST: Final = "links"
_SECRET_BYTES: Final = 16
_ID_CEILING: Final = 2**128 - 1
_LIFE_S_MIN: Final = 60
_LIFE_S_MAX: Final = 400 * 86_400


class LinkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A link to be paid by; without an amount the payer chooses, without an end it stays."""

    amount: MoneyShape | None = None
    reference: (
        Annotated[str, msgspec.Meta(max_length=REFERENCE_CHARACTERS_MAX, pattern=Printable)] | None
    ) = None
    single_use: bool = False
    expires_in_s: Annotated[int, msgspec.Meta(ge=_LIFE_S_MIN, le=_LIFE_S_MAX)] | None = None


@post("/v1/links", status_code=201)
async def post_link(request: Asked, data: JSONBody[LinkBody]) -> View:
    """Make a payment link. Whoever has it can pay, as often as it says."""
    principal, operator = edge.merchant_of(request, Scope.ORDERS), edge.operator_of(request)
    edge.refuse_cashier(principal)
    key = edge.idempotency_key(request, principal.party)
    amount = None if data.amount is None else edge.money_of(operator, data.amount)
    if amount is not None and amount <= 0:
        raise refuse(Reason.AMOUNT_NOT_POSITIVE)
    if amount is not None and amount > AMOUNT_MINOR_MAX:
        raise refuse(Reason.AMOUNT_TOO_LARGE)
    now, life = operator.clock.now(), data.expires_in_s
    link = Link(
        id=operator.new_id(),
        merchant=principal.party,
        secret=operator.chance.draw(_SECRET_BYTES),
        amount=amount,
        reference=data.reference or None,
        is_single_use=data.single_use,
        key=key,
        body=edge.body_hash("link", data),
        created_at=now,
        expires_at=None if life is None else Instant(now + life * SECOND_NS),
    )
    facts = operator.directory.by_id(principal.party)
    assert facts is not None, "a merchant with a key is there"
    check_code(operator, facts, link, amount=amount or 1)
    kept = await operator.links.add(link)
    if isinstance(kept, IdReused):
        raise ProblemRaised("idempotency-key-reused")
    return _view(operator, kept)


@get("/v1/links")
async def get_links(
    request: Asked,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int | None, QueryParameter(ge=1, le=100)] = None,
) -> View:
    """Return the merchant's payment links, newest first."""
    principal, operator = edge.merchant_of(request, Scope.READ), edge.operator_of(request)
    count = edge.page_limit(limit)
    before = _ID_CEILING if cursor is None else edge.understood(read_cursor(_LIST, cursor))
    found = operator.links.links_of(principal.party, before=before, limit=count)
    is_last = len(found) < count
    return {
        "items": [_view(operator, link) for link in found],
        "next": None if is_last else write_cursor(_LIST, found[-1].id),
    }


@delete("/v1/links/{link_id:str}", status_code=204)
async def delete_link(request: Asked, link_id: FromPath[str]) -> None:
    """End a link. Orders that it made can still be paid until their time is over."""
    principal, operator = edge.merchant_of(request, Scope.ORDERS), edge.operator_of(request)
    edge.refuse_cashier(principal)
    link = edge.path_id(IdKind.LINK, link_id)
    refused = await operator.links.remove(principal.party, link)
    if refused is not None:
        raise link_problem(refused)


def check_code(operator: Operator, merchant: PartyFacts, link: Link, *, amount: int) -> None:
    """See that the link's orders can be written as codes, before one is stored.

    Raises:
        ProblemRaised: No code can hold the amount or the reference.
    """
    trial = Order(
        id=link.id,
        merchant=link.merchant,
        till_id=None,
        amount=amount,
        reference=link.reference,
        basket_hash=None,
        capture=CaptureMode.AUTOMATIC,
        tip=TipMode.NONE,
        key=link.key,
        body=link.body,
        created_at=operator.clock.now(),
        expires_at=operator.clock.now(),
    )
    code_of(operator, merchant, order=trial)


def link_problem(refused: LinkRefused) -> ProblemRaised:
    """Return the problem of a refusal: its slug is the reason."""
    if refused.reason is LinkReason.AMOUNT_MISSING:
        faults = (Fault("amount", "This link leaves the amount to the payer."),)
        return ProblemRaised("malformed-request", errors=faults)
    return ProblemRaised(refused.reason.value)


def _view(operator: Operator, link: Link) -> View:
    return {
        "id": format_id(IdKind.LINK, link.id),
        "url": f"{operator.settings.checkout_url}/l/#{url_secret(link)}",
        "amount": None if link.amount is None else money_view(operator, link.amount),
        "reference": link.reference,
        "single_use": link.is_single_use,
        "expires_at": instant_view(link.expires_at),
        "created_at": format_instant(link.created_at),
    }


HANDLERS: Final = [post_link, get_links, delete_link]
