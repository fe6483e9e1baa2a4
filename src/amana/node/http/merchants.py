"""A merchant's addresses: profile, orders, captures, refunds, receipts."""

from typing import Annotated

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from amana.kernel import (
    AMOUNT_MINOR_MAX,
    MILLISECOND_NS,
    AmanaId,
    IdKind,
    Instant,
    day_number,
    parse_id,
)
from amana.node.http import edge
from amana.node.http.codes import cashu_request_of, code_of
from amana.node.http.edge import Asked
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised, refuse
from amana.node.purse import PURSE
from amana.node.shapes import AmountBody, EmptyBody, NoteBody, OrderBody
from amana.node.views import (
    View,
    direct_order_view,
    id_view,
    instant_view,
    key_view,
    money_view,
    order_answer,
    order_view,
    payee_view,
    payment_id_view,
)
from amana.payments.model import (
    PURSE_PARTY,
    CaptureMode,
    IdReused,
    Intent,
    Order,
    OrderStatus,
    Party,
    Payment,
    PaymentKind,
    PaymentStatus,
    Reason,
    Refused,
    StepIntent,
    StepKind,
    StepStatus,
    TipMode,
)
from amana.payments.rules import order_status
from amana.people import PartyFacts, PartyKind, Principal, Scope
from amana.wire.cursor import read_cursor, write_cursor
from amana.wire.faults import Fault

_HASH_BYTES = 32
_ID_CEILING = 2**128 - 1
_SECOND_MS = 1_000
_DAY_S = 86_400


def _facts(operator: Operator, principal: Principal) -> PartyFacts:
    facts = operator.directory.by_id(principal.party)
    assert facts is not None, "a merchant with a key is there"
    return facts


@get("/v1/merchant")
async def get_merchant(request: Asked) -> View:
    """Return the merchant's profile, tills, balance and day."""
    principal, operator = edge.merchant_of(request, Scope.READ), edge.operator_of(request)
    facts = _facts(operator, principal)
    (account,) = operator.ledger_read.lookup_accounts([facts.ledger_account])
    balance = account.credits_posted - account.debits_posted
    today = operator.payments_read.takings(facts.party, day_number(operator.clock.now()))
    sites = [
        {
            "id": id_view(IdKind.SITE, site.site),
            "name": site.name,
            "tills": [
                {
                    "id": id_view(IdKind.TILL, till.till),
                    "name": till.name,
                    "static_code": code_of(operator, facts, till=till.till),
                }
                for till in site.tills
            ],
        }
        for site in operator.people_read.sites(facts.party)
    ]
    return {
        **payee_view(facts),
        "id": id_view(IdKind.MERCHANT, facts.party),
        "category": facts.category,
        "country": facts.country,
        "city": facts.city,
        "balance": money_view(operator, balance),
        "held": money_view(operator, account.credits_pending),
        "fee_basis_points": operator.party(facts).fee_basis_points,
        "sites": sites,
        "today": {
            "count": today.payments,
            "gross": money_view(operator, today.gross),
            "refunded": money_view(operator, today.refunded),
            "fees": money_view(operator, today.fees),
            "net": money_view(operator, today.gross - today.refunded - today.fees),
        },
    }


@post("/v1/orders", status_code=201)
async def post_order(request: Asked, data: JSONBody[OrderBody]) -> View:
    """Ask to be paid."""
    principal, operator = edge.merchant_of(request, Scope.ORDERS), edge.operator_of(request)
    key = edge.idempotency_key(request, principal.party)
    amount = edge.money_of(operator, data.amount)
    if amount <= 0:
        raise refuse(Reason.AMOUNT_NOT_POSITIVE)
    if amount > AMOUNT_MINOR_MAX:
        raise refuse(Reason.AMOUNT_TOO_LARGE)
    now = operator.clock.now()
    order = Order(
        id=operator.new_id(),
        merchant=principal.party,
        till_id=_till(operator, principal, data.till),
        amount=amount,
        reference=data.reference or None,
        basket_hash=None if data.basket_hash is None else bytes.fromhex(data.basket_hash),
        capture=CaptureMode.MANUAL if data.capture == "manual" else CaptureMode.AUTOMATIC,
        tip=TipMode.PROMPT if data.tip == "prompt" else TipMode.NONE,
        key=key,
        body=edge.body_hash("order", data),
        created_at=now,
        expires_at=Instant(now + data.expires_in_s * _SECOND_MS * MILLISECOND_NS),
    )
    # Written before it is stored: an order without a code could never be shown again.
    facts = _facts(operator, principal)
    code_of(operator, facts, order=order)
    stored = await operator.payments.create_order(order)
    if isinstance(stored, IdReused):
        raise ProblemRaised("idempotency-key-reused")
    return order_answer(
        operator,
        stored,
        code_of(operator, facts, order=stored),
        cashu_request=cashu_request_of(operator, facts, stored),
    )


def _till(operator: Operator, principal: Principal, text: str | None) -> AmanaId | None:
    if text is None:
        return None
    till = parse_id(IdKind.TILL, text)
    own = {till.till for site in operator.people_read.sites(principal.party) for till in site.tills}
    if till is None or till not in own:
        raise ProblemRaised(
            "malformed-request", errors=(Fault("till", "This is no till of this merchant."),)
        )
    return till


def _found(
    operator: Operator, principal: Principal, order_id: str
) -> tuple[Order | None, Payment | None]:
    """Return the merchant's order, or the direct payment that stands for one."""
    identifier = edge.path_id(IdKind.ORDER, order_id)
    order = operator.payments_read.order(identifier)
    if order is not None and order.merchant == principal.party:
        paid = order.payment_id
        return order, None if paid is None else operator.payments_read.payment(paid)
    payment = operator.payments_read.payment(identifier)
    is_direct = (
        payment is not None
        and payment.kind is PaymentKind.PURCHASE
        and payment.payee == principal.party
        and payment.order_id is None
        and payment.status is not PaymentStatus.REFUSED
    )
    if not is_direct:
        raise ProblemRaised("not-found")
    return None, payment


def _view(
    operator: Operator, facts: PartyFacts, order: Order | None, payment: Payment | None
) -> View:
    if order is None:
        assert payment is not None, "what is no order is a payment"
        return direct_order_view(operator, payment)
    status = order_status(order, payment, now=operator.clock.now())
    # Only while it can be paid: the form takes a while to write, and lists are long.
    is_payable = status is OrderStatus.OPEN and payment is None
    return order_view(
        operator,
        order,
        payment,
        code=code_of(operator, facts, order=order),
        cashu_request=cashu_request_of(operator, facts, order) if is_payable else None,
    )


@get("/v1/orders/{order_id:str}")
async def get_order(request: Asked, order_id: FromPath[str]) -> View:
    """Return an order as it stands now."""
    principal, operator = edge.merchant_of(request, Scope.READ), edge.operator_of(request)
    return _view(operator, _facts(operator, principal), *_found(operator, principal, order_id))


@get("/v1/orders")
async def get_orders(
    request: Asked,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int | None, QueryParameter(ge=1, le=100)] = None,
) -> View:
    """Return the merchant's orders, and payments by static code or handle, newest first."""
    principal, operator = edge.merchant_of(request, Scope.READ), edge.operator_of(request)
    count = edge.page_limit(limit)
    before = _ID_CEILING
    if cursor is not None:
        before = edge.understood(read_cursor("orders", cursor))
    facts, rows = _facts(operator, principal), operator.payments_read
    orders = rows.orders_of(facts.party, before=before, limit=count)
    direct = rows.direct_payments_to(facts.party, before=before, limit=count)
    paid_by = [order.payment_id for order in orders if order.payment_id is not None]
    paid = rows.payments(paid_by) if paid_by else {}
    found: list[tuple[AmanaId, Order | None, Payment | None]] = [
        (order.id, order, None if order.payment_id is None else paid.get(order.payment_id))
        for order in orders
    ]
    found += [(payment.id, None, payment) for payment in direct]
    found.sort(key=lambda entry: entry[0], reverse=True)
    page = found[:count]
    is_last = len(page) < count
    return {
        "items": [_view(operator, facts, order, payment) for _, order, payment in page],
        "next": None if is_last else write_cursor("orders", page[-1][0]),
    }


def _step(
    request: Asked, principal: Principal, payment: Payment, *, kind: StepKind, data: AmountBody
) -> StepIntent:
    operator = edge.operator_of(request)
    return StepIntent(
        payment_id=payment.id,
        kind=kind,
        key=edge.idempotency_key(request, principal.party),
        body=edge.body_hash(f"{kind.name} {payment.id}", data),
        amount=None if data.amount is None else edge.money_of(operator, data.amount),
        created_at=operator.clock.now(),
    )


@post("/v1/orders/{order_id:str}/capture", status_code=200)
async def post_capture(request: Asked, order_id: FromPath[str], data: JSONBody[AmountBody]) -> View:
    """Take all or part of what was authorised; the rest goes back to the payer."""
    principal, operator = edge.merchant_of(request, Scope.ORDERS), edge.operator_of(request)
    _, payment = _found(operator, principal, order_id)
    if payment is None or not payment.is_hold:
        raise refuse(Reason.ORDER_NOT_AUTHORISED)
    outcome = await operator.payments.step(
        _step(request, principal, payment, kind=StepKind.CAPTURE, data=data)
    )
    if isinstance(outcome, IdReused):
        raise ProblemRaised("idempotency-key-reused")
    held, step = outcome
    if step.status is not StepStatus.DONE:
        assert step.reason is not None, "a refusal has its reason"
        raise refuse(step.reason)
    return {
        "id": order_id,
        "status": "paid",
        "captured": money_view(operator, step.amount),
        "released": money_view(operator, held.total - step.amount),
        "fee": money_view(operator, step.fee),
    }


@post("/v1/orders/{order_id:str}/cancel", status_code=200)
async def post_cancel(request: Asked, order_id: FromPath[str], data: JSONBody[EmptyBody]) -> View:
    """Cancel an order that is not paid, or void what was authorised."""
    del data
    principal, operator = edge.merchant_of(request, Scope.ORDERS), edge.operator_of(request)
    edge.idempotency_key(request, principal.party)
    order, payment = _found(operator, principal, order_id)
    if order is None:
        raise refuse(Reason.ORDER_ALREADY_PAID)
    if payment is not None and payment.is_hold and payment.status is not PaymentStatus.PENDING:
        return await _void(request, principal, order_id, payment)
    decided = await operator.payments.cancel_order(order.id)
    if isinstance(decided, Refused):
        # A payment came between the look and the cancellation; a hold can still be given back.
        _, payment = _found(operator, principal, order_id)
        if payment is not None and payment.is_hold and payment.status is not PaymentStatus.PENDING:
            return await _void(request, principal, order_id, payment)
        raise refuse(decided.reason)
    return {"id": order_id, "status": "cancelled"}


async def _void(request: Asked, principal: Principal, order_id: str, payment: Payment) -> View:
    step = _step(request, principal, payment, kind=StepKind.VOID, data=AmountBody())
    outcome = await edge.operator_of(request).payments.step(step)
    if isinstance(outcome, IdReused):
        raise ProblemRaised("idempotency-key-reused")
    held, done = outcome
    # The answer follows from what was stored of this step. Where the hold had ended before, how it
    # had ended never changes; for any other reason it may, and the answer must not.
    had_ended = done.reason is Reason.ORDER_NOT_AUTHORISED
    if done.status is not StepStatus.DONE and not (had_ended and _is_voided(held)):
        assert done.reason is not None, "a refusal has its reason"
        is_paid = had_ended and held.status is PaymentStatus.PAID
        raise refuse(Reason.ORDER_ALREADY_PAID if is_paid else done.reason)
    return {"id": order_id, "status": "voided"}


def _is_voided(held: Payment) -> bool:
    return held.status is PaymentStatus.VOIDED


@post("/v1/orders/{order_id:str}/refunds", status_code=201)
async def post_refund(request: Asked, order_id: FromPath[str], data: JSONBody[AmountBody]) -> View:
    """Give back all that is left of a payment, or a part of it."""
    principal, operator = edge.merchant_of(request, Scope.REFUNDS), edge.operator_of(request)
    order, payment = _found(operator, principal, order_id)
    # Without a payment there is nothing to give back; the refusal is remembered like any other,
    # so that the same key gives nothing back once the order is paid.
    payer_id = None if payment is None else payment.payer
    payee = PURSE if payer_id == PURSE_PARTY else _party_of(operator, payer_id)
    asked = edge.path_id(IdKind.ORDER, order_id)
    intent = Intent(
        id=operator.new_id(),
        kind=PaymentKind.REFUND,
        initiator=principal.party,
        key=edge.idempotency_key(request, principal.party),
        body=edge.body_hash(f"refund {asked}", data),
        payer=operator.party(_facts(operator, principal)),
        payee=payee,
        amount=None if data.amount is None else edge.money_of(operator, data.amount),
        created_at=operator.clock.now(),
        refund_of=None if payment is None else payment.id,
        order_id=None if order is None else order.id,
    )
    refund = await operator.payments.pay(intent)
    if not isinstance(refund, Payment):
        raise ProblemRaised("idempotency-key-reused")
    if refund.status is PaymentStatus.REFUSED:
        assert refund.reason is not None, "a refusal has its reason"
        raise refuse(refund.reason, payment_id=payment_id_view(refund))
    return {
        "id": payment_id_view(refund),
        "status": "paid",
        "amount": money_view(operator, refund.total),
        "fee_returned": money_view(operator, refund.fee),
        "order_id": order_id,
        "created_at": instant_view(refund.created_at),
    }


def _party_of(operator: Operator, party: AmanaId | None) -> Party | None:
    facts = None if party is None else operator.directory.by_id(party)
    return None if facts is None else operator.party(facts)


@get("/v1/merchants/{handle:str}/receipt-key")
async def get_receipt_key(request: Asked, handle: FromPath[str]) -> Response[View]:
    """Return the key that a merchant's receipts are signed with; it never changes."""
    operator = edge.operator_of(request)
    facts = operator.directory.by_handle(handle.removeprefix("@").lower())
    if facts is None or facts.kind is not PartyKind.MERCHANT:
        raise ProblemRaised("not-found", "No merchant here has this handle.")
    public = operator.purse.receipts.key_of(facts.party).public()
    view = {"handle": facts.handle, "algorithm": "Ed25519", "public_key": key_view(public)}
    return Response(view, headers={"Cache-Control": f"public, max-age={_DAY_S}"})


@put("/v1/orders/{order_id:str}/receipt-note", status_code=204)
async def put_receipt_note(
    request: Asked, order_id: FromPath[str], data: JSONBody[NoteBody]
) -> None:
    """Hand the payer what was bought, sealed to the order's note key."""
    principal, operator = edge.merchant_of(request, Scope.ORDERS), edge.operator_of(request)
    _, payment = _found(operator, principal, order_id)
    if payment is None or payment.note_key is None:
        raise ProblemRaised("not-found", "This order has no note key to seal a receipt to.")
    await operator.payments_store.put_receipt_note(payment.id, data.sealed_note)
