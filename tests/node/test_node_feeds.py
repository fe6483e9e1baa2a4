"""Feeds and streams: every event once, in order, and on after a break."""

import asyncio
import json

import pytest
from tests.node.town import Client, Json, Reader, Town, eur

NUMBERS_AT_ONCE = 120


def events(client: Client, after: int = 0, limit: int = 100) -> list[Json]:
    return list(client.get(f"/v1/events?after={after}&limit={limit}").body["items"])


def test_each_side_is_told_of_each_thing_in_its_own_words(town: Town) -> None:
    customer, shop = town.customer(10_000), town.merchant()
    sold, held, dropped = shop.order(100), shop.order(200, capture="manual"), shop.order(1)
    paid = customer.pay_code(sold["code"], 100).body["id"]
    authorised = customer.pay_code(held["code"], 200).body["id"]
    shop.post(f"/v1/orders/{held['id']}/capture", {"amount": eur(150)})
    refund = shop.post(f"/v1/orders/{sold['id']}/refunds", {"amount": eur(40)}).body["id"]
    shop.post(f"/v1/orders/{dropped['id']}/cancel", {})
    customer.pay(shop.handle, 999_999)
    assert [
        (e["kind"], e["payment_id"], e["order_id"], e["amount"]["minor"]) for e in events(shop)
    ] == [
        ("order.paid", paid, sold["id"], "100"),
        ("order.authorised", authorised, held["id"], "200"),
        ("order.captured", authorised, held["id"], "150"),
        ("order.refunded", refund, sold["id"], "40"),
        ("order.cancelled", None, dropped["id"], "1"),
    ]
    assert [(e["kind"], e["amount"]["minor"]) for e in events(customer)] == [
        ("payment.received", "10000"),
        ("payment.paid", "100"),
        ("payment.authorised", "200"),
        ("payment.captured", "150"),
        ("payment.refunded", "40"),
        ("payment.refused", "999999"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_a_feed_read_in_pages_has_no_gap_and_no_repetition(town: Town, limit: int) -> None:
    customer, shop = town.customer(), town.merchant()
    for n in range(9):
        customer.pay(shop.handle, 10 + n)
    read: list[Json] = []
    while True:
        after = read[-1]["number"] if read else 0
        page = shop.get(f"/v1/events?after={after}&limit={limit}").body
        if not page["items"]:
            assert page["next"] == after
            break
        read += page["items"]
        assert page["next"] == read[-1]["number"]
    assert [event["number"] for event in read] == list(range(1, 10))
    assert shop.get(f"/v1/events?after={2**62}").body == {"items": [], "next": 2**62}


def test_a_stream_tells_what_happens_and_resumes_where_it_broke_off(town: Town) -> None:
    customer, shop = town.customer(), town.merchant()
    customer.pay(shop.handle, 1)

    async def follow() -> list[dict[str, str]]:
        pay = {"payee": shop.handle, "amount": eur(5)}
        live = Reader(town, shop.token)
        await live.open()
        await customer.send("POST", "/v1/payments", pay, key="one")
        told = [await live.next()]
        await live.close()
        for key in ("two", "three"):
            await customer.send("POST", "/v1/payments", pay, key=key)
        again = Reader(town, shop.token, last=told[-1]["id"])
        await again.open()
        told += [await again.next(), await again.next()]
        await customer.send("POST", "/v1/payments", pay, key="four")
        told.append(await again.next())
        assert again.is_drained
        await again.close()
        return told

    told = town.run(follow())
    assert [int(event["id"]) for event in told] == [2, 3, 4, 5]
    listed = events(shop, after=1)
    assert [json.loads(event["data"]) for event in told] == listed
    assert [event["event"] for event in told] == [event["kind"] for event in listed]


def test_many_payments_at_once_reach_every_stream_once_and_in_order(town: Town) -> None:
    shop, payers = town.merchant(), [town.customer() for _ in range(4)]

    async def follow() -> list[list[int]]:
        readers = [Reader(town, shop.token) for _ in range(3)]
        for reader in readers:
            await reader.open()
        body = {"payee": shop.handle, "amount": eur(1)}
        asked = [
            payers[n % 4].send("POST", "/v1/payments", body, key=f"s{n}")
            for n in range(NUMBERS_AT_ONCE)
        ]
        reading = [asyncio.ensure_future(read(reader)) for reader in readers]
        await asyncio.gather(*asked)
        told = [await numbers for numbers in reading]
        for reader in readers:
            assert reader.is_drained
            await reader.close()
        return told

    async def read(reader: Reader) -> list[int]:
        return [int((await reader.next())["id"]) for _ in range(NUMBERS_AT_ONCE)]

    assert town.run(follow()) == [list(range(1, NUMBERS_AT_ONCE + 1))] * 3


def test_streams_that_went_away_leave_nothing_behind(town: Town) -> None:
    shop = town.merchant()

    async def come_and_go() -> None:
        for _ in range(5):
            reader = Reader(town, shop.token)
            await reader.open()
            await reader.close()

    waiting = town.operator.feed._waiting
    before = sum(len(signals) for signals in waiting.values())
    town.run(come_and_go())
    assert sum(len(signals) for signals in waiting.values()) == before


def test_a_stream_ends_when_its_token_does(town: Town) -> None:
    customer, friend = town.customer(), town.customer()

    async def sign_out() -> None:
        reader = Reader(town, customer.token)
        await reader.open()
        await customer.send("POST", "/v1/sign-out")
        pay = {"payee": customer.handle, "amount": eur(5)}
        await friend.send("POST", "/v1/payments", pay, key="late")
        async with asyncio.timeout(20):
            await reader.ended()
        assert reader.is_drained, "nothing is told to a token that was ended"

    town.run(sign_out())


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "²", "9" * 19, "1 2"])
def test_a_position_that_is_no_number_is_refused(town: Town, last: str) -> None:
    headers = {"Last-Event-ID": last.encode()}
    answer = town.ask("GET", "/v1/events/stream", token=town.merchant().token, headers=headers)
    assert answer.slug == "malformed-request"


def test_the_operators_staff_has_no_feed(town: Town) -> None:
    for path in ("/v1/events", "/v1/events/stream"):
        assert town.staff.get(path).slug == "not-allowed"
