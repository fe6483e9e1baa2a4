"""A customer's addresses: the account, payments, codes, payees."""

from typing import Annotated, Any, Final

from litestar import get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from amana.kernel import AmanaId, IdKind, day_number, format_instant
from amana.ledger import AccountFilter
from amana.node.http import edge
from amana.node.http.codes import ScannedCode, scan
from amana.node.http.edge import Asked, Asking
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised, refuse
from amana.node.shapes import CodeBody, NoteKeyBody, PaymentBody
from amana.node.views import (
    View,
    id_view,
    key_view,
    money_view,
    outcome_view,
    payee_view,
    payment_id_view,
    payment_view,
)
from amana.payments.model import Intent, Party, Payment, PaymentKind, PaymentStatus, TipMode
from amana.payments.model import PartyKind as Side
from amana.payments.rules import is_held, kind_between, order_status
from amana.people import PartyFacts, Principal
from amana.wire.cursor import read_cursor, write_cursor
from amana.wire.emv import TipFixed, TipPercent, TipPrompt
from amana.wire.faults import Fault

_KEY_BYTES = 32
_LEGS = 0xFF
_MAIN_LEG = 1
_INSTANT_MAX = 2**63 - 1


@get("/v1/account")
async def get_account(request: Asked) -> View:
    """Return the customer's balance and limits."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    facts = operator.directory.by_id(principal.party)
    assert facts is not None, "a signed-in customer is there"
    (account,) = operator.ledger_read.lookup_accounts([facts.ledger_account])
    balance = account.credits_posted - account.debits_posted
    spent = operator.payments_read.spent(facts.party, day_number(operator.clock.now()))
    limits = facts.limits
    return {
        "id": id_view(IdKind.CUSTOMER, facts.party),
        "handle": facts.handle,
        "display_name": facts.name,
        "language": facts.language,
        "balance": money_view(operator, balance),
        "available": money_view(operator, balance - account.debits_pending),
        "held": money_view(operator, account.debits_pending),
        "limits": {
            "payment": money_view(operator, limits.payment_minor_max),
            "day": money_view(operator, limits.day_minor_max),
            "day_left": money_view(operator, max(0, limits.day_minor_max - spent)),
            "holding": money_view(operator, limits.holding_minor_max),
        },
        "note_key": key_view(facts.note_key),
    }


@put("/v1/account/note-key", status_code=204)
async def put_note_key(request: Asked, data: JSONBody[NoteKeyBody]) -> None:
    """Publish the key that others seal notes to."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    key = edge.bytes_of(data.note_key, "note_key", count=_KEY_BYTES)
    assert key is not None, "the body has a key"
    refused = await operator.people.set_note_key(principal.party, key)
    if refused is not None:
        raise ProblemRaised("malformed-request", errors=(Fault("note_key", refused.detail),))


@get("/v1/payees/{handle:str}")
async def get_payee(request: Asked, handle: FromPath[str]) -> View:
    """Return whom a handle names, so that the payer sees it before paying."""
    edge.customer_of(request)
    operator = edge.operator_of(request)
    facts = operator.directory.by_handle(handle.removeprefix("@").lower())
    if facts is None:
        raise ProblemRaised("not-found", "Nobody here has this handle.")
    return {**payee_view(facts), "note_key": key_view(facts.note_key)}


@post("/v1/codes", status_code=200)
async def post_code(request: Asked, data: JSONBody[CodeBody]) -> View:
    """Say what a scanned text is, before anything is paid."""
    edge.customer_of(request)
    operator = edge.operator_of(request)
    try:
        scanned = scan(operator, data.code)
    except ProblemRaised as refused:
        if refused.slug != "code-not-ours" or refused.scheme is None:
            raise
        return {**_NOTHING_SCANNED, "kind": "foreign", "scheme": refused.scheme.name}
    return _code_view(operator, scanned)


_NOTHING_SCANNED: dict[str, Any] = dict.fromkeys(
    [
        "scheme",
        "payee",
        "amount",
        "tip_amount",
        "tip_percent",
        "order_id",
        "till",
        "reference",
        "expires_at",
        "status",
    ]
) | {"tip": "none", "capture": "automatic"}


def _code_view(operator: Operator, scanned: ScannedCode) -> View:
    order, tip = scanned.order, scanned.code.tip
    amount = scanned.code.amount
    view: View = {
        **_NOTHING_SCANNED,
        "kind": "static" if order is None else "order",
        "payee": payee_view(scanned.payee),
        "amount": None if amount is None else money_view(operator, amount.minor),
        "till": id_view(IdKind.TILL, scanned.account.till),
        "reference": scanned.code.additional.reference,
    }
    if isinstance(tip, TipPrompt):
        view["tip"] = "prompt"
    elif isinstance(tip, TipFixed):
        view.update(tip="fixed", tip_amount=money_view(operator, tip.amount.minor))
    elif isinstance(tip, TipPercent):
        whole, rest = divmod(tip.basis_points, 100)
        view.update(tip="percent", tip_percent=f"{whole}.{rest:02}")
    if order is None:
        return view
    paying = None if order.payment_id is None else operator.payments_read.payment(order.payment_id)
    now = operator.clock.now()
    view.update(
        order_id=id_view(IdKind.ORDER, order.id),
        amount=money_view(operator, order.amount),
        reference=order.reference,
        tip="prompt" if order.tip is TipMode.PROMPT else "none",
        capture=order.capture.name.lower(),
        expires_at=format_instant(order.expires_at),
        status=order_status(order, paying, now=now).value,
    )
    return view


@post("/v1/payments", status_code=201)
async def post_payment(request: Asked, data: JSONBody[PaymentBody]) -> View:
    """Pay a handle, or by a scanned code."""
    return await make_payment(request, data)


async def make_payment(request: Asking, data: PaymentBody) -> View:
    """Make a customer's payment; return the answer to it and to every repetition."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    intent = _intent_of(request, operator, principal, data)
    payment = await operator.payments.pay(intent)
    if not isinstance(payment, Payment):
        raise ProblemRaised("idempotency-key-reused")
    if payment.status is PaymentStatus.REFUSED:
        assert payment.reason is not None, "a refusal has its reason"
        raise refuse(payment.reason, payment_id=payment_id_view(payment))
    return outcome_view(operator, payment)


def _intent_of(
    request: Asking, operator: Operator, principal: Principal, data: PaymentBody
) -> Intent:
    if (data.payee is None) == (data.code is None):
        raise ProblemRaised("malformed-request", "Nothing was done. Name a payee or send a code.")
    key = edge.idempotency_key(request, principal.party)
    amount = edge.money_of(operator, data.amount)
    tip = 0 if data.tip is None else edge.money_of(operator, data.tip)
    payer_facts = operator.directory.by_id(principal.party)
    assert payer_facts is not None, "a signed-in customer is there"
    scanned = None if data.code is None else scan(operator, data.code)
    payee_facts = _named(operator, data.payee) if scanned is None else scanned.payee
    payee = None if payee_facts is None else operator.party(payee_facts)
    order = None if scanned is None else scanned.order
    return Intent(
        id=operator.new_id(),
        kind=_kind_of(payee),
        initiator=principal.party,
        key=key,
        body=edge.body_hash("pay", data),
        payer=operator.party(payer_facts),
        payee=payee,
        amount=amount,
        tip=tip,
        created_at=operator.clock.now(),
        order_id=None if order is None else order.id,
        is_hold=is_held(order),
        till_id=None if scanned is None else scanned.account.till,
        sealed_note=data.sealed_note,
        note_key=edge.bytes_of(data.note_key, "note_key", count=_KEY_BYTES),
    )


def _named(operator: Operator, handle: str | None) -> PartyFacts | None:
    assert handle is not None, "a payment without a code names its payee"
    return operator.directory.by_handle(handle.removeprefix("@").lower())


def _kind_of(payee: Party | None) -> PaymentKind:
    return kind_between(Side.CUSTOMER, Side.CUSTOMER if payee is None else payee.kind)


@get("/v1/payments/{payment_id:str}")
async def get_payment(request: Asked, payment_id: FromPath[str]) -> View:
    """Return one of the customer's payments as it stands now."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    kind = IdKind.REFUND if payment_id.startswith("ref_") else IdKind.PAYMENT
    payment = operator.payments_read.payment(edge.path_id(kind, payment_id))
    if payment is None or not _may_see(principal, payment):
        raise ProblemRaised("not-found")
    return payment_view(operator, payment, principal.party)


_TRIED: Final = frozenset({PaymentStatus.PENDING, PaymentStatus.REFUSED})


def _may_see(principal: Principal, payment: Payment) -> bool:
    """Whether a payment is this customer's; a payee does not learn of what was tried in vain."""
    is_payee = payment.payee == principal.party and payment.status not in _TRIED
    return is_payee or payment.payer == principal.party


@get("/v1/payments")
async def get_payments(
    request: Asked,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int | None, QueryParameter(ge=1, le=100)] = None,
) -> View:
    """Return the customer's payments, newest first."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    count = edge.page_limit(limit)
    before = None
    if cursor is not None:
        before = edge.understood(read_cursor("payments", cursor), at_most=_INSTANT_MAX)
    ids, following = _history(operator, principal, before, count)
    payments = operator.payments_read.payments(ids) if ids else {}
    items = [
        payment_view(operator, payments[identifier], principal.party)
        for identifier in ids
        if identifier in payments
    ]
    return {
        "items": items,
        "next": None if following is None else write_cursor("payments", following),
    }


def _history(
    operator: Operator, principal: Principal, before: int | None, count: int
) -> tuple[list[AmanaId], int | None]:
    """Walk the customer's ledger account backwards, one main leg a payment."""
    ids: list[AmanaId] = []
    account = principal.ledger_account
    assert account is not None, "a customer has an account"
    while True:
        wanted = AccountFilter(
            account_id=account,
            limit=count,
            is_newest_first=True,
            timestamp_max=0 if before is None else before - 1,
        )
        transfers = operator.ledger_read.account_transfers(wanted)
        for transfer in transfers:
            before = transfer.timestamp
            if transfer.id & _LEGS == _MAIN_LEG:
                ids.append(AmanaId(transfer.id & ~_LEGS))
                if len(ids) == count:
                    return ids, before
        if len(transfers) < count:
            return ids, None
