"""Orders over HTTP: holds, captures, expiry, refunds; never more given back than was taken."""

from hashlib import blake2b

import pytest
from tests.node.town import Answer, Client, Town, eur, unique

from amana.kernel import MILLISECOND_NS
from amana.kernel.limits import HOLD_LIFE_MS, STEPS_PER_PAYMENT_MAX
from amana.payments.model import Intent, Payment, PaymentKind


def refused(answer: Answer, slug: str) -> None:
    assert answer.slug == slug, (answer.status, answer.content)


def status_of(shop: Client, order: str) -> str:
    return str(shop.get(f"/v1/orders/{order}").body["status"])


def test_a_hold_is_captured_in_part_and_the_rest_goes_back(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    order = shop.order(1_000, capture="manual")
    held = customer.pay_code(order["code"], 1_000)
    assert held.body["status"] == "authorised"
    assert held.body["fee"] is None
    account = customer.get("/v1/account").body
    assert (account["available"], account["held"]) == (eur(9_000), eur(1_000))
    assert shop.get("/v1/merchant").body["held"] == eur(1_000)
    for minor, slug in (
        ("1001", "exceeds-hold"),
        ("0", "amount-not-positive"),
        ("-5", "amount-not-positive"),
        (str(2**63), "exceeds-hold"),
        ("9" * 39, "exceeds-hold"),
    ):
        refused(shop.post(f"/v1/orders/{order['id']}/capture", {"amount": eur(minor)}), slug)
    captured = shop.post(f"/v1/orders/{order['id']}/capture", {"amount": eur(600)})
    assert captured.body == {
        "id": order["id"],
        "status": "paid",
        "captured": eur(600),
        "released": eur(400),
        "fee": eur(1),
    }
    assert customer.available() == 9_400
    assert shop.balance() == 599
    refused(shop.post(f"/v1/orders/{order['id']}/capture", {}), "order-not-authorised")
    refused(shop.post(f"/v1/orders/{order['id']}/cancel", {}), "order-already-paid")
    seen = customer.get(f"/v1/payments/{held.body['id']}").body
    assert (seen["status"], seen["captured"]) == ("paid", eur(600))


def test_a_hold_that_is_voided_gives_everything_back(town: Town) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    order = shop.order(1_000, capture="manual")
    customer.pay_code(order["code"], 1_000)
    for key in ("v", "v", "w"):
        voided = shop.post(f"/v1/orders/{order['id']}/cancel", {}, key)
        assert voided.body == {"id": order["id"], "status": "voided"}
    assert customer.available() == 1_000
    refused(customer.pay_code(order["code"], 1_000), "order-already-paid")
    refused(shop.post(f"/v1/orders/{order['id']}/refunds", {}), "order-not-paid")


def test_capturing_and_voiding_at_once_end_in_one_of_the_two(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    for _ in range(4):
        order = shop.order(1_000, capture="manual")
        customer.pay_code(order["code"], 1_000)
        before = customer.get("/v1/account").body["balance"]
        path = f"/v1/orders/{order['id']}"
        answers = town.together(
            shop.send("POST", f"{path}/capture", {}, key=unique("c")),
            shop.send("POST", f"{path}/cancel", {}, key=unique("v")),
            shop.send("POST", f"{path}/capture", {"amount": eur(5)}, key=unique("c")),
        )
        assert [answer.status for answer in answers].count(200) == 1, answers
        taken = {"paid": 1_000, "voided": 0}[status_of(shop, order["id"])]
        after = customer.get("/v1/account").body["balance"]
        moved = int(before["minor"]) - int(after["minor"])
        assert moved == (taken if answers[2].status != 200 else 5)


def test_a_void_refused_beside_a_capture_is_answered_the_same_for_ever(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    order = shop.order(1_000, capture="manual")
    customer.pay_code(order["code"], 1_000)
    path = f"/v1/orders/{order['id']}"
    captured, voided = town.together(
        shop.send("POST", f"{path}/capture", {}, key=unique("c")),
        shop.send("POST", f"{path}/cancel", {}, key="v"),
    )
    assert (captured.status, voided.slug) == (200, "order-in-progress")
    assert shop.post(f"{path}/cancel", {}, "v").content == voided.content
    refused(shop.post(f"{path}/cancel", {}, unique("v")), "order-already-paid")


def test_a_refund_asked_before_the_payment_stays_refused_after_it(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    order = shop.order(1_000)
    path = f"/v1/orders/{order['id']}/refunds"
    early = shop.post(path, {}, "early")
    refused(early, "order-not-paid")
    assert customer.pay_code(order["code"], 1_000).status == 201
    assert shop.post(path, {}, "early").content == early.content
    assert customer.available() == 9_000
    assert shop.post(path, {}, unique("late")).status == 201


def test_a_hold_expires_by_itself_and_cannot_be_captured_then(own_town: Town) -> None:
    town = own_town
    customer, shop = town.customer(1_000), town.merchant()
    order = shop.order(600, capture="manual")
    customer.pay_code(order["code"], 600)
    path = f"/v1/orders/{order['id']}/capture"
    town.clock.advance(HOLD_LIFE_MS * MILLISECOND_NS)
    refused(shop.post(path, {}, "late"), "hold-expired")
    expired = town.run(town.operator.payments.expire_holds(town.clock.now()))
    assert len(expired) == 1
    assert status_of(shop, order["id"]) == "expired"
    assert customer.available() == 1_000
    refused(shop.post(path, {}, "late"), "hold-expired")
    refused(shop.post(path, {}), "order-not-authorised")
    assert town.run(town.operator.payments.expire_holds(town.clock.now())) == []


def test_a_hold_takes_so_many_attempts_and_stays_whole(town: Town) -> None:
    """A capture that the merchant cannot pay the fee of does not exist; attempts are counted."""
    customer, shop = town.customer(1_000), town.merchant()
    order = shop.order(600, capture="manual")
    customer.pay_code(order["code"], 600)
    path = f"/v1/orders/{order['id']}/capture"
    for _ in range(STEPS_PER_PAYMENT_MAX + 5):
        refused(shop.post(path, {"amount": eur(601)}), "exceeds-hold")
    assert shop.post(path, {}).status == 200


def test_an_order_expires(own_town: Town) -> None:
    town = own_town
    customer, shop = town.customer(1_000), town.merchant()
    order = shop.order(400, expires_in_s=30)
    town.clock.advance(30 * 10**9 - 1)
    assert status_of(shop, order["id"]) == "open"
    town.clock.advance(1)
    assert status_of(shop, order["id"]) == "expired"
    refused(customer.pay_code(order["code"], 400, "e"), "order-expired")
    town.clock.advance(-(10**9))
    refused(customer.pay_code(order["code"], 400, "e"), "order-expired")
    assert customer.pay_code(order["code"], 400).status == 201


@pytest.mark.parametrize("seconds", [0, 29, 86_401, -1, 2**70])
def test_an_orders_life_has_bounds(town: Town, seconds: int) -> None:
    shop = town.merchant()
    refused(
        shop.post("/v1/orders", {"amount": eur(5), "expires_in_s": seconds}), "malformed-request"
    )


def test_a_cancelled_order_cannot_be_paid(town: Town) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    order = shop.order(400)
    for key in ("c", "c", "d"):
        answer = shop.post(f"/v1/orders/{order['id']}/cancel", {}, key)
        assert answer.body == {"id": order["id"], "status": "cancelled"}
    refused(customer.pay_code(order["code"], 400), "order-cancelled")
    refund = shop.post(f"/v1/orders/{order['id']}/refunds", {})
    refused(refund, "order-not-paid")
    assert "Nothing was given back. Read the order's status" in refund.body["detail"]
    refused(shop.post(f"/v1/orders/{order['id']}/capture", {}), "order-not-authorised")


def test_refunds_give_back_the_money_and_the_whole_fee(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    order = shop.order(5_555)
    customer.pay_code(order["code"], 5_555)
    fees = town.money_of("fees")
    path = f"/v1/orders/{order['id']}/refunds"
    given = [shop.post(path, {"amount": eur(minor)}).body for minor in (1, 999, 3_000)]
    more = shop.post(path, {"amount": eur(1_556)})
    refused(more, "exceeds-paid")
    assert "ask for at most the rest, with a new Idempotency-Key" in more.body["detail"]
    given.append(shop.post(path, {}).body)
    assert sum(int(refund["amount"]["minor"]) for refund in given) == 5_555
    assert sum(int(refund["fee_returned"]["minor"]) for refund in given) == 11
    assert town.money_of("fees") == fees - 11
    assert (customer.available(), shop.balance()) == (10_000, 0)
    refused(shop.post(path, {}), "exceeds-paid")
    refused(shop.post(path, {"amount": eur(1)}), "exceeds-paid")
    refused(shop.post(path, {"amount": eur(0)}), "amount-not-positive")
    seen = shop.get(f"/v1/orders/{order['id']}").body
    assert (seen["refunded"], seen["net"], len(seen["refunds"])) == (eur(5_555), eur(0), 4)
    back = customer.get(f"/v1/payments/{given[0]['id']}").body
    assert (back["kind"], back["direction"], back["fee"]) == ("refund", "in", eur(0))


def test_concurrent_refunds_never_give_back_more_than_was_paid(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    customer.pay(shop.handle, 3_000)
    order = shop.order(1_000)
    customer.pay_code(order["code"], 1_000)
    path = f"/v1/orders/{order['id']}/refunds"
    asked = [shop.send("POST", path, {"amount": eur(300)}, key=unique("r")) for _ in range(6)]
    asked += [shop.send("POST", path, {}, key=unique("r")) for _ in range(2)]
    answers = town.together(*asked)
    given = sum(int(a.body["amount"]["minor"]) for a in answers if a.status == 201)
    assert given <= 1_000
    assert customer.available() == 6_000 + given


def test_a_refund_of_what_the_merchant_no_longer_has_is_refused_and_can_be_tried_again(
    town: Town,
) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    first, second = shop.order(1_000), shop.order(1_000)
    for order in (first, second):
        customer.pay_code(order["code"], 1_000)
    facts = town.operator.directory.by_handle(shop.handle)
    assert facts is not None
    drain(town, shop, customer, minor=1_500)
    path = f"/v1/orders/{first['id']}/refunds"
    refused(shop.post(path, {}), "insufficient-funds")
    assert shop.get(f"/v1/orders/{first['id']}").body["refunded"] == eur(0)
    assert shop.post(path, {"amount": eur(400)}).status == 201


def drain(town: Town, shop: Client, customer: Client, *, minor: int) -> None:
    """Let a merchant give money away without an order, as a replay of credits does."""
    directory, operator = town.operator.directory, town.operator
    payer, payee = directory.by_handle(shop.handle), directory.by_handle(customer.handle)
    assert payer is not None
    assert payee is not None
    key = blake2b(unique("credit").encode(), digest_size=16).digest()
    made = town.run(
        operator.payments.pay(
            Intent(
                id=operator.new_id(),
                kind=PaymentKind.CREDIT,
                initiator=payer.party,
                key=key,
                body=key,
                payer=operator.party(payer),
                payee=operator.party(payee),
                amount=minor,
                created_at=town.clock.now(),
            )
        )
    )
    assert isinstance(made, Payment)
