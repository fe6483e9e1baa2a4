"""The operator's staff: books, customers, merchants, top-ups."""

from collections.abc import Awaitable, Callable
from typing import Final

from litestar import get, post
from litestar.params import FromPath, JSONBody

from amana.kernel import AmanaId, IdKind, format_id
from amana.node.books import books_view
from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.problems import ProblemRaised, refuse
from amana.node.shapes import CustomerBody, MerchantBody, TopupBody
from amana.node.views import View, money_view, payment_id_view
from amana.payments.model import Intent, Payment, PaymentKind, PaymentStatus
from amana.people import PartyKind, RefusalReason, Refused, Scope
from amana.people.rules import is_name
from amana.wire.faults import Fault

_ALL_SCOPES: Final = frozenset(Scope)


@get("/v1/operator/books")
async def get_books(request: Asked) -> View:
    """Return the books by kind of account, and whether they balance."""
    edge.staff_of(request)
    return books_view(edge.operator_of(request))


@post("/v1/operator/customers", status_code=201)
async def post_customer(request: Asked, data: JSONBody[CustomerBody]) -> View:
    """Open a customer's account; the token is shown once."""
    edge.staff_of(request)
    operator = edge.operator_of(request)
    made = operator.people.new_customer(data.handle, data.display_name, language=data.language)
    opened = await operator.people.open_customer(made)
    if isinstance(opened, Refused):
        raise people_problem(opened)
    issued = await operator.people.issue_session(opened.customer)
    assert not isinstance(issued, Refused), "a customer just opened can sign in"
    return {
        "customer": {"id": format_id(IdKind.CUSTOMER, opened.customer), "handle": opened.handle},
        "token": issued.text,
    }


@post("/v1/operator/customers/{handle:str}/close", status_code=204)
async def post_close(request: Asked, handle: FromPath[str]) -> None:
    """Close a customer's account that holds no money; its tokens end at once."""
    await _end(request, handle, edge.operator_of(request).people.close)


@post("/v1/operator/customers/{handle:str}/erase", status_code=204)
async def post_erase(request: Asked, handle: FromPath[str]) -> None:
    """Erase a customer whose account is closed: keys first, then rows; this cannot be undone."""
    await _end(request, handle, edge.operator_of(request).erase)


async def _end(
    request: Asked, handle: str, end: Callable[[AmanaId], Awaitable[Refused | None]]
) -> None:
    edge.staff_of(request)
    facts = edge.operator_of(request).directory.by_handle(handle)
    if facts is None or facts.kind is not PartyKind.PERSON:
        raise ProblemRaised("not-found")
    refused = await end(facts.party)
    if refused is not None:
        raise people_problem(refused)


@post("/v1/operator/merchants", status_code=201)
async def post_merchant(request: Asked, data: JSONBody[MerchantBody]) -> View:
    """Open a merchant's account with its first till; the API key is shown once."""
    edge.staff_of(request)
    operator = edge.operator_of(request)
    if not (is_name(data.site) and is_name(data.till)):
        # Refused before anything is opened: a merchant without a till would keep the handle.
        raise people_problem(Refused(RefusalReason.NAME_MALFORMED, "Sites and tills have names."))
    made = operator.people.new_merchant(
        data.handle,
        data.name,
        category=data.category,
        country=data.country,
        city=data.city,
        names=data.names,
    )
    opened = await operator.people.open_merchant(made)
    if isinstance(opened, Refused):
        raise people_problem(opened)
    site = await operator.people.add_site(opened.merchant, data.site, [data.till])
    if isinstance(site, Refused):
        raise people_problem(site)
    issued = await operator.people.issue_api_key(opened.merchant, _ALL_SCOPES)
    assert not isinstance(issued, Refused), "a merchant just opened can have a key"
    return {
        "merchant": {"id": format_id(IdKind.MERCHANT, opened.merchant), "handle": opened.handle},
        "api_key": issued.text,
    }


@post("/v1/operator/merchants/{handle:str}/api-keys", status_code=201)
async def post_merchant_key(request: Asked, handle: FromPath[str]) -> View:
    """Give a merchant who lost every key a new one of every scope, shown this once."""
    edge.staff_of(request)
    operator = edge.operator_of(request)
    facts = operator.directory.by_handle(handle)
    if facts is None or facts.kind is not PartyKind.MERCHANT:
        raise ProblemRaised("not-found")
    issued = await operator.people.issue_api_key(facts.party, _ALL_SCOPES)
    assert not isinstance(issued, Refused), "a merchant who is there can have a key"
    return {"id": format_id(IdKind.API_KEY, issued.token), "api_key": issued.text}


@post("/v1/operator/topups", status_code=201)
async def post_topup(request: Asked, data: JSONBody[TopupBody]) -> View:
    """Book money that came in for a customer."""
    staff, operator = edge.staff_of(request), edge.operator_of(request)
    facts = operator.directory.by_handle(data.customer.removeprefix("@").lower())
    is_person = facts is not None and facts.kind is PartyKind.PERSON
    payment = await operator.payments.pay(
        Intent(
            id=operator.new_id(),
            kind=PaymentKind.TOPUP,
            initiator=staff.party,
            key=edge.idempotency_key(request, staff.party),
            body=edge.body_hash("topup", data),
            payer=operator.own_party,
            payee=operator.party(facts) if facts is not None and is_person else None,
            amount=edge.money_of(operator, data.amount),
            created_at=operator.clock.now(),
        )
    )
    if not isinstance(payment, Payment):
        raise ProblemRaised("idempotency-key-reused")
    if payment.status is PaymentStatus.REFUSED:
        assert payment.reason is not None, "a refusal has its reason"
        raise refuse(payment.reason, payment_id=payment_id_view(payment))
    return {
        "id": payment_id_view(payment),
        "status": "paid",
        "amount": money_view(operator, payment.total),
        "customer": data.customer,
    }


_PEOPLE_SLUGS: Final = {
    RefusalReason.HANDLE_TAKEN: "handle-taken",
    RefusalReason.NOT_FOUND: "not-found",
    RefusalReason.PASSKEY_REFUSED: "passkey-refused",
    RefusalReason.SCOPES_TOO_WIDE: "not-allowed",
    RefusalReason.NOT_ACTIVE: "payer-closed",
    RefusalReason.HOLDS_MONEY: "account-holds-money",
    RefusalReason.NOT_CLOSED: "account-not-closed",
}


def people_problem(refused: Refused) -> ProblemRaised:
    """Return the problem of a refusal of the people room."""
    slug = _PEOPLE_SLUGS.get(refused.reason)
    if slug is not None:
        return ProblemRaised(slug, refused.detail or None)
    field = refused.reason.value.partition("-")[0]
    message = refused.detail or refused.reason.value
    return ProblemRaised("malformed-request", errors=(Fault(field, message),))
