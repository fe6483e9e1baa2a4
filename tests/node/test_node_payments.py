"""Paying over HTTP: once whatever is repeated, and never more than there is."""

import pytest
from tests.node.town import Answer, Client, Json, Town, eur, unique

DAY_NS = 86_400 * 10**9


def refused(answer: Answer, slug: str) -> None:
    assert answer.slug == slug, (answer.status, answer.content)


def status_of(shop: Client, order: str) -> str:
    return str(shop.get(f"/v1/orders/{order}").body["status"])


def test_a_payment_by_handle_moves_the_money_and_takes_the_fee(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    paid = customer.pay("@" + shop.handle.upper(), 1_250)
    assert paid.status == 201
    assert paid.body["status"] == "paid"
    assert paid.body["fee"] == eur(2)
    assert customer.available() == 8_750
    assert shop.balance() == 1_248
    seen = customer.get(f"/v1/payments/{paid.body['id']}").body
    assert (seen["kind"], seen["direction"], seen["status"]) == ("purchase", "out", "paid")
    (listed,) = [e for e in customer.get("/v1/payments").body["items"] if e["kind"] == "purchase"]
    assert listed == seen
    (order,) = shop.get("/v1/orders").body["items"]
    assert order["id"] == "ord_" + paid.body["id"].partition("_")[2]
    assert (order["status"], order["paid"], order["net"]) == ("paid", eur(1_250), eur(1_248))
    assert shop.get(f"/v1/orders/{order['id']}").body == order


def test_a_person_pays_a_person_without_a_fee(town: Town) -> None:
    amal, badr = town.customer(1_000, name="Amal"), town.customer(0, name="Badr")
    paid = amal.pay(badr.handle, 400)
    assert (paid.body["kind"], paid.body["fee"]) == ("person", eur(0))
    assert (amal.available(), badr.available()) == (600, 400)
    received = badr.get(f"/v1/payments/{paid.body['id']}").body
    assert (received["direction"], received["payer"]["name"]) == ("in", "Amal")


def test_the_same_key_and_body_give_the_same_bytes_for_ever(town: Town) -> None:
    customer, shop = town.customer(), town.merchant()
    held, sold = shop.order(1_000, capture="manual"), shop.order(500)
    refunds, capture = f"/v1/orders/{sold['id']}/refunds", f"/v1/orders/{held['id']}/capture"
    pay = "/v1/payments"
    steps: list[tuple[Client, str, Json]] = [
        (customer, pay, {"code": held["code"], "amount": eur(1_000)}),
        (customer, pay, {"code": sold["code"], "amount": eur(500)}),
        (shop, capture, {"amount": eur(600)}),
        (shop, refunds, {"amount": eur(100)}),
        (shop, refunds, {"amount": eur(999)}),
        (customer, pay, {"payee": shop.handle, "amount": eur(99_000)}),
        (shop, refunds, {}),
    ]
    first = [who.post(path, body, f"step-{n}") for n, (who, path, body) in enumerate(steps)]
    assert [answer.status for answer in first] == [201, 201, 200, 201, 422, 422, 201]
    town.top_up(customer.handle, 100_000)
    before = (customer.available(), shop.balance())
    for n, ((who, path, body), answer) in enumerate(zip(steps, first, strict=True)):
        again = who.post(path, body, f"step-{n}")
        assert (again.status, again.content) == (answer.status, answer.content)
    assert (customer.available(), shop.balance()) == before


def test_a_payment_is_answered_alike_by_either_door(town: Town) -> None:
    """A plain request is answered without the framework, one with a charset by it."""
    customer, shop = town.customer(1_000), town.merchant()
    first = customer.pay(shop.handle, 100, "k")
    body = {"payee": shop.handle, "amount": eur(100)}
    headers = {"Content-Type": "application/json; charset=utf-8"}
    again = customer.post("/v1/payments", body, "k", headers=headers)
    assert (again.status, again.content) == (first.status, first.content)
    assert sorted(again.headers.multi_items()) == sorted(first.headers.multi_items())


def test_an_order_asked_twice_is_one_order(town: Town) -> None:
    customer, shop = town.customer(), town.merchant()
    body = {"amount": eur(700), "reference": "T7", "till": None}
    first = shop.post("/v1/orders", body, "o")
    customer.pay_code(first.body["code"], 700)
    again = shop.post("/v1/orders", {"reference": "T7", "amount": eur(700)}, "o")
    assert (again.status, again.content) == (first.status, first.content)
    assert len(shop.get("/v1/orders").body["items"]) == 1


def test_a_top_up_asked_twice_is_one(town: Town) -> None:
    customer = town.customer(0)
    body = {"customer": customer.handle, "amount": eur(700)}
    key = unique("topup")
    answers = [town.staff.post("/v1/operator/topups", body, key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert customer.available() == 700
    refused(
        town.staff.post("/v1/operator/topups", {**body, "amount": eur(7)}, key),
        "idempotency-key-reused",
    )


def test_the_same_key_with_another_body_is_refused(town: Town) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    assert customer.pay(shop.handle, 100, "k").status == 201
    others = [
        {"payee": shop.handle, "amount": eur(101)},
        {"payee": town.merchant().handle, "amount": eur(100)},
        {"payee": shop.handle, "amount": eur(100), "tip": eur(1)},
        {"payee": shop.handle, "amount": eur(100), "sealed_note": "abcd"},
    ]
    for body in others:
        refused(customer.post("/v1/payments", body, "k"), "idempotency-key-reused")
    assert customer.available() == 900
    shop.post("/v1/orders", {"amount": eur(5)}, "k")
    refused(shop.post("/v1/orders", {"amount": eur(6)}, "k"), "idempotency-key-reused")


def test_a_key_belongs_to_who_sent_it(town: Town) -> None:
    amal, badr, shop = town.customer(1_000), town.customer(1_000), town.merchant()
    paid = [client.pay(shop.handle, 100, "mine") for client in (amal, badr)]
    assert [answer.status for answer in paid] == [201, 201]
    assert paid[0].body["id"] != paid[1].body["id"]
    assert (amal.available(), badr.available()) == (900, 900)


def test_a_double_tap_pays_once(town: Town) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    body = {"payee": shop.handle, "amount": eur(300)}
    taps = [customer.send("POST", "/v1/payments", body, key="tap") for _ in range(8)]
    answers = town.together(*taps)
    assert {answer.status for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert customer.available() == 700


def test_one_key_for_two_bodies_at_once_pays_one_of_them(town: Town) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    asked = [
        customer.send("POST", "/v1/payments", {"payee": shop.handle, "amount": eur(minor)}, key="x")
        for minor in (100, 200)
    ]
    answers = town.together(*asked)
    assert sorted(answer.status for answer in answers) == [201, 422]
    assert customer.available() in {900, 800}


def test_many_payments_at_once_never_spend_what_is_not_there(town: Town) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    body = {"payee": shop.handle, "amount": eur(300)}
    asked = [customer.send("POST", "/v1/payments", body, key=f"many-{n}") for n in range(10)]
    answers = town.together(*asked)
    assert sorted(answer.status for answer in answers) == [201] * 3 + [422] * 7
    assert {answer.slug for answer in answers} == {"", "insufficient-funds"}
    assert customer.available() == 100


def test_two_payers_of_one_order_one_pays(town: Town) -> None:
    shop = town.merchant()
    payers = [town.customer(1_000) for _ in range(6)]
    order = shop.order(400)
    body = {"code": order["code"], "amount": eur(400)}
    answers = town.together(*[p.send("POST", "/v1/payments", body, key="same") for p in payers])
    assert sorted(answer.status for answer in answers) == [201] + [409] * 5
    assert {a.slug for a in answers} <= {"", "order-in-progress", "order-already-paid"}
    assert sorted(payer.available() for payer in payers) == [600] + [1_000] * 5
    refused(payers[0].pay_code(order["code"], 400), "order-already-paid")


@pytest.mark.parametrize("capture", ["automatic", "manual"])
def test_cancelling_and_paying_at_once_end_in_one_of_the_two(town: Town, capture: str) -> None:
    for _ in range(5):
        customer, shop = town.customer(1_000), town.merchant()
        order = shop.order(400, capture=capture)
        body = {"code": order["code"], "amount": eur(400)}
        paid, cancelled = town.together(
            customer.send("POST", "/v1/payments", body, key="p"),
            shop.send("POST", f"/v1/orders/{order['id']}/cancel", {}, key="c"),
        )
        seen = status_of(shop, order["id"])
        if paid.status == 201 and cancelled.status != 200:
            assert cancelled.slug in {"order-in-progress", "order-already-paid"}
            assert seen in {"paid", "authorised"}
            assert customer.available() == 600
        else:
            assert cancelled.body["status"] == seen
            assert seen in {"cancelled", "voided"}
            assert customer.available() == 1_000


def test_an_order_takes_its_own_amount_only(town: Town) -> None:
    customer, shop = town.customer(), town.merchant()
    order = shop.order(400)
    for minor in (399, 401):
        refused(customer.pay_code(order["code"], minor), "amount-mismatch")
    refused(customer.pay_code(order["code"], 400, tip=eur(10)), "tip-not-asked")
    assert status_of(shop, order["id"]) == "open"


def test_a_tip_goes_to_the_merchant_beside_the_amount(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    order = shop.order(1_000, tip="prompt")
    scanned = customer.post("/v1/codes", {"code": order["code"]}).body
    assert (scanned["tip"], scanned["amount"]) == ("prompt", eur(1_000))
    paid = customer.pay_code(order["code"], 1_000, tip=eur(150))
    assert (paid.body["amount"], paid.body["tip"]) == (eur(1_000), eur(150))
    seen = shop.get(f"/v1/orders/{order['id']}").body
    assert (seen["paid"], seen["tip_paid"]) == (eur(1_150), eur(150))
    assert customer.available() == 8_850


@pytest.mark.parametrize("tip", ["-1", "-5", str(2**63), "9" * 39])
def test_a_strange_tip_is_refused_and_disturbs_nobody(town: Town, tip: str) -> None:
    customer, shop, other = town.customer(1_000), town.merchant(), town.customer(1_000)
    strange = {"payee": shop.handle, "amount": eur(5), "tip": eur(tip)}
    plain = {"payee": shop.handle, "amount": eur(5)}
    answers = town.together(
        customer.send("POST", "/v1/payments", strange, key="t"),
        other.send("POST", "/v1/payments", plain, key="t"),
    )
    assert answers[0].slug in {"amount-not-positive", "amount-too-large"}
    assert answers[1].status == 201, answers[1].content
    assert customer.available() == 1_000


@pytest.mark.parametrize(
    ("minor", "slug"),
    [
        ("0", "amount-not-positive"),
        ("-0", "amount-not-positive"),
        ("-100", "amount-not-positive"),
        (str(2**63 - 1), "exceeds-payment-limit"),
        (str(2**63), "amount-too-large"),
        ("9" * 39, "amount-too-large"),
    ],
)
def test_impossible_amounts_are_refused_and_remembered(town: Town, minor: str, slug: str) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    first = customer.pay(shop.handle, minor, "i")
    refused(first, slug)
    assert customer.get(f"/v1/payments/{first.body['payment_id']}").body["status"] == "refused"
    assert customer.pay(shop.handle, minor, "i").content == first.content
    assert customer.available() == 1_000


def test_another_currency_is_refused(town: Town) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    for currency in ("USD", "XXX", "ZZZ"):
        amount = {"currency": currency, "minor": "5"}
        body = {"payee": shop.handle, "amount": amount}
        refused(customer.post("/v1/payments", body), "wrong-currency")
        refused(
            customer.post("/v1/payments", {"payee": shop.handle, "amount": eur(5), "tip": amount}),
            "wrong-currency",
        )
        refused(shop.post("/v1/orders", {"amount": amount}), "wrong-currency")


def test_parties_that_cannot_be_paid_are_refused(town: Town) -> None:
    customer, closed = town.customer(1_000), town.customer(0)
    refused(customer.pay("nobody-here", 5), "payee-not-found")
    refused(customer.pay("'; DROP TABLE x;--", 5), "payee-not-found")
    refused(customer.pay(customer.handle, 5), "payee-is-payer")
    facts = town.operator.directory.by_handle(closed.handle)
    assert facts is not None
    assert town.run(town.operator.people.close(facts.party)) is None
    refused(customer.pay(closed.handle, 5), "payee-closed")
    refused(closed.pay(customer.handle, 5), "not-signed-in")
    shop = town.merchant()
    refused(town.top_up(shop.handle, 5), "payee-not-found")
    refused(town.top_up("nobody-here", 5), "payee-not-found")


def test_limits_hold_to_the_last_minor_unit(own_town: Town) -> None:
    """The play tier: 1,000 at once, 2,500 a day, 5,000 held, in euro."""
    town = own_town
    customer, shop, friend = town.customer(500_000), town.merchant(), town.customer(499_999)
    refused(customer.pay(shop.handle, 100_001), "exceeds-payment-limit")
    refused(customer.pay(friend.handle, 2), "exceeds-holding-limit")
    assert customer.pay(friend.handle, 1).status == 201
    refused(town.top_up(friend.handle, 1), "exceeds-holding-limit")
    for _ in range(2):
        assert customer.pay(shop.handle, 100_000).status == 201
    left = customer.get("/v1/account").body["limits"]["day_left"]
    assert left == eur(49_999)
    refused(customer.pay(shop.handle, 50_000), "exceeds-day-limit")
    assert customer.pay(shop.handle, 49_999).status == 201
    refused(customer.pay(shop.handle, 1), "exceeds-day-limit")
    town.clock.advance(DAY_NS)
    assert customer.pay(shop.handle, 1).status == 201


def test_concurrent_payments_keep_to_the_day_and_the_holding_limit(own_town: Town) -> None:
    town = own_town
    shop = town.merchant()
    customer, friend = town.customer(500_000), town.customer(450_000)
    body = {"payee": shop.handle, "amount": eur(90_000)}
    answers = town.together(
        *[customer.send("POST", "/v1/payments", body, key=f"d{n}") for n in range(6)]
    )
    assert sorted(answer.status for answer in answers) == [201] * 2 + [422] * 4
    giver = town.customer(200_000)
    gift = {"payee": friend.handle, "amount": eur(20_000)}
    gifts = town.together(
        *[giver.send("POST", "/v1/payments", gift, key=f"h{n}") for n in range(5)]
    )
    assert sorted(answer.status for answer in gifts) == [201] * 2 + [422] * 3
    assert friend.available() == 490_000


def test_what_was_voided_or_released_is_given_back_to_the_days_limit(own_town: Town) -> None:
    town = own_town
    customer, shop = town.customer(500_000), town.merchant()

    def day_left() -> int:
        return int(customer.get("/v1/account").body["limits"]["day_left"]["minor"])

    voided, part = (shop.order(100_000, capture="manual") for _ in range(2))
    for order in (voided, part):
        assert customer.pay_code(order["code"], 100_000).body["status"] == "authorised"
    assert day_left() == 50_000
    shop.post(f"/v1/orders/{voided['id']}/cancel", {})
    assert day_left() == 150_000
    shop.post(f"/v1/orders/{part['id']}/capture", {"amount": eur(30_000)})
    assert day_left() == 220_000


def test_a_static_code_takes_any_amount_and_names_its_till(town: Town) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    (till,) = shop.get("/v1/merchant").body["sites"][0]["tills"]
    scanned = customer.post("/v1/codes", {"code": till["static_code"]}).body
    assert (scanned["kind"], scanned["amount"], scanned["till"]) == ("static", None, till["id"])
    assert scanned["payee"]["names"] == {"ar": "مخبز"}
    paid = customer.pay_code(till["static_code"], 250)
    assert paid.status == 201
    (order,) = shop.get("/v1/orders").body["items"]
    assert (order["till"], order["paid"]) == (till["id"], eur(250))
    refund = shop.post(f"/v1/orders/{order['id']}/refunds", {})
    assert refund.body["order_id"] == order["id"]
    assert customer.available() == 1_000


def test_foreign_and_damaged_codes_pay_nobody(town: Town) -> None:
    customer, shop = town.customer(1_000), town.merchant()
    code = shop.order(100)["code"]
    damaged = code[:-1] + ("0" if code[-1] != "0" else "1")
    refused(customer.pay_code(damaged, 100), "code-unreadable")
    pix = (
        "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-426655440000"
        "5204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D"
    )
    answer = customer.pay_code(pix, 100)
    refused(answer, "code-not-ours")
    assert "scheme" in answer.body
    assert customer.post("/v1/codes", {"code": pix}).body["kind"] == "foreign"
    assert customer.available() == 1_000


def test_a_code_of_another_operator_is_said_to_be_so(town: Town) -> None:
    from amana.wire.emv import ReadCode, recognise  # noqa: PLC0415 - the checksum must be written anew

    customer, shop = town.customer(1_000), town.merchant()
    code = shop.get("/v1/merchant").body["sites"][0]["tills"][0]["static_code"]
    body = code[:-4].replace("0109localhost", "0109otherhost")
    from binascii import crc_hqx  # noqa: PLC0415

    foreign = f"{body}{crc_hqx(body.encode(), 0xFFFF):04X}"
    assert isinstance(recognise(foreign), ReadCode)
    refused(customer.pay_code(foreign, 100), "code-not-ours")


def test_history_pages_are_whole_and_without_repetition(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    orders = [shop.order(100 + n, capture="manual") for n in range(3)]
    for n, order in enumerate(orders):
        customer.pay_code(order["code"], 100 + n)
        shop.post(f"/v1/orders/{order['id']}/{('capture', 'cancel')[n % 2]}", {})
    for n in range(7):
        customer.pay(shop.handle, 10 + n)
    for client, path in ((customer, "/v1/payments"), (shop, "/v1/orders")):
        whole = [item["id"] for item in client.get(f"{path}?limit=100").body["items"]]
        assert len(whole) == len(set(whole)) == 10 + (client is customer)
        for limit in (1, 3, 10, 11):
            ids, following = [], ""
            while True:
                page = client.get(f"{path}?limit={limit}{following}").body
                ids += [item["id"] for item in page["items"]]
                if page["next"] is None:
                    break
                following = f"&cursor={page['next']}"
            assert ids == whole
