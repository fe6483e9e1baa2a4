"""What each address answers, as JSON Schema: written into the OpenAPI document.

The tests hold every answer they get against these schemas, so that they say what is true.
"""

from typing import Any, Final

Schema = dict[str, Any]


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def _list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _object(**properties: Schema) -> Schema:
    """Describe an object that has all of these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _page_of(name: str) -> Schema:
    return _object(items=_list_of(_ref(name)), next=_or_null(_TEXT))


_TEXT: Final[Schema] = {"type": "string"}
_COUNT: Final[Schema] = {"type": "integer"}
_FLAG: Final[Schema] = {"type": "boolean"}
_INSTANT: Final[Schema] = {"type": "string", "format": "date-time"}
_MONEY: Final[Schema] = _ref("MoneyShape")
_NAMES: Final[Schema] = {"type": "object", "additionalProperties": _TEXT}
_DIGITS: Final[Schema] = {"type": "string", "pattern": "^-?[0-9]+$"}
_SIDE: Final = _one_of("merchant", "person")
_MAYBE_TEXT: Final = _or_null(_TEXT)
_MAYBE_MONEY: Final = _or_null(_MONEY)
_MAYBE_INSTANT: Final = _or_null(_INSTANT)

_PAYEE: Final = {"handle": _TEXT, "kind": _SIDE, "name": _TEXT, "names": _NAMES}
_OUTCOME: Final = {
    "id": _TEXT,
    "kind": _one_of(
        "purchase", "person", "topup", "refund", "credit", "purse", "refill", "deposit"
    ),
    "status": _one_of("pending", "authorised", "paid", "refused", "voided", "expired"),
    "amount": _MONEY,
    "tip": _MONEY,
    "total": _MONEY,
    "fee": _MAYBE_MONEY,
    "fee_paid_by": _one_of("payee"),
    "payee": _or_null(_object(handle=_TEXT, kind=_SIDE)),
    "order_id": _MAYBE_TEXT,
    "privacy": _one_of("named"),
    "created_at": _INSTANT,
    "concluded_at": _MAYBE_INSTANT,
}
_REFILL: Final = {
    "tier": _MONEY,
    "state": _one_of("waiting", "signed"),
    "outputs": _COUNT,
    "refused": _COUNT,
}
_ORDER: Final = {
    "id": _TEXT,
    "status": _one_of("open", "authorised", "paid", "cancelled", "voided", "expired"),
    "amount": _MONEY,
    "reference": _MAYBE_TEXT,
    "basket_hash": _MAYBE_TEXT,
    "capture": _one_of("automatic", "manual"),
    "till": _MAYBE_TEXT,
    "tip": _one_of("none", "prompt"),
    "code": _MAYBE_TEXT,
    "cashu_request": _MAYBE_TEXT,
    "expires_at": _MAYBE_INSTANT,
    "created_at": _INSTANT,
}
_LINK: Final = {
    "id": _TEXT,
    "url": _TEXT,
    "amount": _MAYBE_MONEY,
    "reference": _MAYBE_TEXT,
    "single_use": _FLAG,
    "expires_at": _MAYBE_INSTANT,
    "created_at": _INSTANT,
}
_WEBHOOK: Final = {
    "id": _TEXT,
    "url": _TEXT,
    "kinds": _list_of(_TEXT),
    "enabled": _FLAG,
    "handled_number": _COUNT,
    "public_key": _TEXT,
    "created_at": _INSTANT,
}
_KEY: Final = {"id": _TEXT, "scopes": _list_of(_TEXT), "created_at": _INSTANT}
_MEMBER: Final = {"id": _TEXT, "name": _TEXT, "role": _one_of("owner", "manager", "cashier")}
_PARTY: Final = _object(id=_TEXT, handle=_TEXT)

SCHEMAS: Final[dict[str, Schema]] = {
    "Health": _object(
        status=_one_of("ok", "refusing"),
        version=_TEXT,
        currency=_TEXT,
        operator=_TEXT,
        play_money=_FLAG,
        checkout=_TEXT,
        books_log=_object(
            status=_one_of("ok", "kept"), kept_since=_MAYBE_INSTANT, bytes_max=_COUNT
        ),
    ),
    "Fees": _object(
        merchant_basis_points=_COUNT, person_basis_points=_COUNT, rounding=_TEXT, version=_COUNT
    ),
    "Ceremony": _object(ceremony=_TEXT, options={"type": "object"}),
    "SignedIn": _object(token=_TEXT, customer=_PARTY),
    "Account": _object(
        id=_TEXT,
        handle=_TEXT,
        display_name=_TEXT,
        language=_TEXT,
        balance=_MONEY,
        available=_MONEY,
        held=_MONEY,
        limits=_object(payment=_MONEY, day=_MONEY, day_left=_MONEY, holding=_MONEY),
        note_key=_MAYBE_TEXT,
    ),
    "Payee": _object(**_PAYEE, note_key=_MAYBE_TEXT),
    "Code": _object(
        kind=_one_of("order", "static", "foreign"),
        scheme=_MAYBE_TEXT,
        payee=_or_null(_object(**_PAYEE)),
        amount=_MAYBE_MONEY,
        tip=_one_of("none", "prompt", "fixed", "percent"),
        tip_amount=_MAYBE_MONEY,
        tip_percent=_MAYBE_TEXT,
        order_id=_MAYBE_TEXT,
        till=_MAYBE_TEXT,
        reference=_MAYBE_TEXT,
        expires_at=_MAYBE_INSTANT,
        status=_MAYBE_TEXT,
        capture=_one_of("automatic", "manual"),
    ),
    "PaymentOutcome": _object(**_OUTCOME),
    "Payment": _object(
        **{
            **_OUTCOME,
            "payee": _or_null(_object(**_PAYEE)),
            "reason": _MAYBE_TEXT,
            "direction": _one_of("in", "out"),
            "payer": _or_null(_object(**_PAYEE)),
            "captured": _MAYBE_MONEY,
            "refunded": _MONEY,
            "refund_of": _MAYBE_TEXT,
            "reference": _MAYBE_TEXT,
            "hold_expires_at": _MAYBE_INSTANT,
            "sealed_note": _MAYBE_TEXT,
            "receipt_note": _MAYBE_TEXT,
            "note_key": _MAYBE_TEXT,
        }
    ),
    "PaymentPage": _page_of("Payment"),
    "Merchant": _object(
        **_PAYEE,
        id=_TEXT,
        category=_TEXT,
        country=_TEXT,
        city=_TEXT,
        balance=_MONEY,
        held=_MONEY,
        fee_basis_points=_COUNT,
        sites=_list_of(
            _object(
                id=_TEXT,
                name=_TEXT,
                tills=_list_of(_object(id=_TEXT, name=_TEXT, static_code=_TEXT)),
            )
        ),
        today=_object(count=_COUNT, gross=_MONEY, refunded=_MONEY, fees=_MONEY, net=_MONEY),
    ),
    "NewOrder": _object(**_ORDER),
    "Order": _object(
        **_ORDER,
        pending=_FLAG,
        payment_id=_MAYBE_TEXT,
        paid=_MAYBE_MONEY,
        paid_from=_or_null(_one_of("account", "purse")),
        tip_paid=_MAYBE_MONEY,
        captured=_MAYBE_MONEY,
        fee=_MAYBE_MONEY,
        net=_MAYBE_MONEY,
        refunded=_MONEY,
        refundable=_FLAG,
        refunds=_list_of(
            _object(id=_TEXT, status=_TEXT, amount=_MONEY, fee_returned=_MONEY, created_at=_INSTANT)
        ),
        note_key=_MAYBE_TEXT,
        hold_expires_at=_MAYBE_INSTANT,
        concluded_at=_MAYBE_INSTANT,
    ),
    "OrderPage": _page_of("Order"),
    "Capture": _object(
        id=_TEXT, status=_one_of("paid"), captured=_MONEY, released=_MONEY, fee=_MONEY
    ),
    "Cancel": _object(id=_TEXT, status=_one_of("cancelled", "voided")),
    "Refund": _object(
        id=_TEXT,
        status=_one_of("paid"),
        amount=_MONEY,
        fee_returned=_MONEY,
        order_id=_TEXT,
        created_at=_INSTANT,
    ),
    "ReceiptKey": _object(handle=_TEXT, algorithm=_one_of("Ed25519"), public_key=_TEXT),
    "Event": _object(
        number=_COUNT,
        kind=_TEXT,
        payment_id=_MAYBE_TEXT,
        order_id=_MAYBE_TEXT,
        amount=_MONEY,
        occurred_at=_INSTANT,
    ),
    "EventPage": _object(items=_list_of(_ref("Event")), next=_COUNT),
    "Webhook": _object(**_WEBHOOK),
    "NewWebhook": _object(**_WEBHOOK, secret=_TEXT),
    "WebhookPage": _page_of("Webhook"),
    "Delivery": _object(
        number=_COUNT,
        kind=_TEXT,
        status=_one_of("waiting", "delivered", "parked"),
        attempts=_COUNT,
        next_attempt_at=_MAYBE_INSTANT,
        last_error=_MAYBE_TEXT,
    ),
    "DeliveryPage": _page_of("Delivery"),
    "Replay": _object(queued=_COUNT),
    "ApiKey": _object(**_KEY),
    "NewApiKey": _object(**_KEY, api_key=_TEXT),
    "ApiKeyPage": _page_of("ApiKey"),
    "StaffMember": _object(**_MEMBER),
    "NewStaffMember": _object(**_MEMBER, token=_TEXT),
    "StaffPage": _page_of("StaffMember"),
    "Books": _object(
        currency=_TEXT,
        accounts=_list_of(
            _object(
                name=_TEXT,
                count=_COUNT,
                debits_posted=_DIGITS,
                credits_posted=_DIGITS,
                debits_pending=_DIGITS,
                credits_pending=_DIGITS,
                balance=_DIGITS,
            )
        ),
        transfers=_COUNT,
        debits_total=_DIGITS,
        credits_total=_DIGITS,
        balanced=_FLAG,
        last_seal=_or_null(_object(number=_COUNT, hash=_TEXT)),
        unfinished=_COUNT,
    ),
    "NewCustomer": _object(customer=_PARTY, token=_TEXT),
    "NewMerchant": _object(merchant=_PARTY, api_key=_TEXT),
    "NewMerchantKey": _object(id=_TEXT, api_key=_TEXT),
    "Purse": _object(
        mint=_TEXT,
        unit=_TEXT,
        policy_version=_COUNT,
        refill=_or_null(_object(**_REFILL)),
        crowd=_COUNT,
    ),
    "Refill": _object(**_REFILL),
    "SignedRefill": _object(**_REFILL, signatures=_list_of(_ref("BlindSignature"))),
    "BlindSignature": _object(id=_TEXT, amount=_COUNT, C_=_TEXT, dleq=_object(e=_TEXT, s=_TEXT)),
    "BlindTokens": _object(signatures=_list_of(_ref("BlindSignature"))),
    "LiabilitiesList": _object(days=_list_of(_TEXT), newest=_or_null(_ref("Liabilities"))),
    "Liabilities": _object(
        day=_TEXT,
        unit=_TEXT,
        keysets=_list_of(
            _object(
                id=_TEXT,
                active=_FLAG,
                revoked=_FLAG,
                final_expiry=_or_null(_COUNT),
                outstanding=_DIGITS,
                denominations=_list_of(
                    _object(amount=_DIGITS, signed=_DIGITS, spent=_DIGITS, outstanding=_DIGITS)
                ),
            )
        ),
        outstanding=_DIGITS,
        promised=_DIGITS,
        returning=_DIGITS,
        to_post=_DIGITS,
        ledger_balance=_DIGITS,
        even=_FLAG,
        previous=_MAYBE_TEXT,
    ),
    "Link": _object(**_LINK),
    "LinkPage": _page_of("Link"),
    "RelayKey": _object(mint=_TEXT, relay=_MAYBE_TEXT, keys=_TEXT),
    "DepositAddress": _object(request=_TEXT),
    "PurseBackup": _object(sealed=_or_null(_TEXT), day=_or_null(_TEXT)),
    "Mailbox": _object(items=_list_of(_object(id=_TEXT, sealed=_TEXT))),
    "OpenIdRedirect": _object(redirect=_TEXT),
    "Topup": _object(id=_TEXT, status=_one_of("paid"), amount=_MONEY, customer=_TEXT),
}
"""Every shape of a successful answer; all members are always there."""

ANSWERS: Final = {
    "GET /health": "Health",
    "GET /v1/fees": "Fees",
    "POST /v1/sign-up/options": "Ceremony",
    "POST /v1/sign-up": "SignedIn",
    "POST /v1/sign-in/options": "Ceremony",
    "POST /v1/sign-in": "SignedIn",
    "GET /v1/account": "Account",
    "GET /v1/payees/{handle}": "Payee",
    "POST /v1/codes": "Code",
    "POST /v1/payments": "PaymentOutcome",
    "GET /v1/payments/{payment_id}": "Payment",
    "GET /v1/payments": "PaymentPage",
    "GET /v1/merchant": "Merchant",
    "POST /v1/orders": "NewOrder",
    "GET /v1/orders/{order_id}": "Order",
    "GET /v1/orders": "OrderPage",
    "POST /v1/orders/{order_id}/capture": "Capture",
    "POST /v1/orders/{order_id}/cancel": "Cancel",
    "POST /v1/orders/{order_id}/refunds": "Refund",
    "GET /v1/merchants/{handle}/receipt-key": "ReceiptKey",
    "POST /v1/links": "Link",
    "GET /v1/links": "LinkPage",
    "GET /v1/events": "EventPage",
    "POST /v1/webhooks": "NewWebhook",
    "GET /v1/webhooks": "WebhookPage",
    "GET /v1/webhooks/{webhook_id}/deliveries": "DeliveryPage",
    "POST /v1/webhooks/{webhook_id}/replay": "Replay",
    "POST /v1/api-keys": "NewApiKey",
    "GET /v1/api-keys": "ApiKeyPage",
    "POST /v1/staff": "NewStaffMember",
    "GET /v1/staff": "StaffPage",
    "GET /v1/operator/books": "Books",
    "POST /v1/operator/customers": "NewCustomer",
    "POST /v1/operator/merchants": "NewMerchant",
    "POST /v1/operator/merchants/{handle}/api-keys": "NewMerchantKey",
    "POST /v1/operator/topups": "Topup",
    "POST /v1/openid/approve": "OpenIdRedirect",
    "GET /v1/purse": "Purse",
    "PUT /v1/purse/refill": "Refill",
    "GET /v1/purse/refill": "SignedRefill",
    "POST /v1/purse/tokens": "BlindTokens",
    "POST /v1/purse/deposits": "DepositAddress",
    "GET /v1/purse/mail": "Mailbox",
    "GET /v1/purse/backup": "PurseBackup",
    "GET /v1/relay-key": "RelayKey",
    "GET /v1/liabilities": "LiabilitiesList",
    "GET /v1/liabilities/{day}": "Liabilities",
}
"""Which shape each address answers with, where it answers with JSON."""


def describe(path: str, method: str, operation: Schema) -> None:
    """Write the shape of an operation's successful answer into its description."""
    name = ANSWERS.get(f"{method.upper()} {path}")
    if name is None:
        return
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            answer["content"] = {"application/json": {"schema": _ref(name)}}
