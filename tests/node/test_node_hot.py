"""The hot address answers what the framework would: the same request, both ways, byte for byte."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.node.town import Client, Json, Town, eur, unique

from amana.node.http.app import create_framework_app

Way = httpx.AsyncClient
HeaderList = list[tuple[str, str]]


@pytest.fixture
def ways(town: Town) -> Iterator[tuple[Way, Way]]:
    """The hot way and the framework's way to the same operator."""
    cold = create_framework_app(town.operator)
    hot_way = httpx.AsyncClient(
        transport=httpx.ASGITransport(town.app), base_url="http://localhost:8400"
    )
    cold_way = httpx.AsyncClient(
        transport=httpx.ASGITransport(cold),  # type: ignore[arg-type]
        base_url="http://localhost:8400",
    )
    yield hot_way, cold_way
    town.run(hot_way.aclose())
    town.run(cold_way.aclose())


def answer_of(town: Town, way: Way, headers: HeaderList, content: bytes) -> tuple[Any, ...]:
    response = town.run(way.post("/v1/payments", headers=headers, content=content))
    return response.status_code, response.content, sorted(response.headers.items())


def plain(customer: Client, key: str, media_type: str = "application/json") -> HeaderList:
    return [
        ("Authorization", f"Bearer {customer.token}"),
        ("Content-Type", media_type),
        ("Idempotency-Key", key),
    ]


def body(payee: str, **more: Json) -> bytes:
    return httpx.Request(
        "POST", "http://x", json={"payee": payee, "amount": eur(125), **more}
    ).content


@pytest.mark.parametrize("is_hot_first", [True, False])
def test_a_payment_is_answered_the_same_both_ways(
    town: Town, ways: tuple[Way, Way], *, is_hot_first: bool
) -> None:
    customer, shop = town.customer(), town.merchant()
    headers, content = plain(customer, unique("key")), body(shop.handle, tip=eur(5))
    order = ways if is_hot_first else (ways[1], ways[0])
    first, second = (answer_of(town, way, headers, content) for way in order)
    assert first == second
    assert first[0] == 201


def odd_requests(customer: Client, shop: Client) -> dict[str, tuple[HeaderList, bytes]]:
    good = body(shop.handle)

    def fresh() -> HeaderList:
        return plain(customer, unique("key"))

    return {
        "too little money": (fresh(), body(shop.handle, amount=eur(99_000))),
        "no such payee": (fresh(), body("nobody-here")),
        "unknown field": (fresh(), body(shop.handle, more=1)),
        "not JSON": (fresh(), b"{"),
        "empty": (fresh(), b""),
        "bad UTF-8": (fresh(), b'{"payee":"\xff"}'),
        "deep": (fresh(), b"[" * 5_000),
        "a key twice in the body": (fresh(), good[:-1] + b',"payee":"x"}'),
        "no key": (fresh()[:2], good),
        "a key of control characters": (plain(customer, "a\tb"), good),
        "a key twice in the headers": ([*fresh(), ("Idempotency-Key", "other")], good),
        "no token": (fresh()[1:], good),
        "two tokens": ([*fresh(), ("Authorization", "Bearer x")], good),
        "a merchant's token": ([("Authorization", f"Bearer {shop.token}"), *fresh()[1:]], good),
        "another media type": (plain(customer, unique("key"), "text/plain"), good),
        "a media type with a charset": (
            plain(customer, unique("key"), "application/json; charset=utf-8"),
            good,
        ),
        "no media type": ([fresh()[0], fresh()[2]], good),
        "too large": (fresh(), b" " * 70_000 + good),
    }


NAMES = list(odd_requests(Client(None, "a", "b"), Client(None, "c", "d")))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_request_is_answered_the_same_both_ways(
    town: Town, ways: tuple[Way, Way], name: str
) -> None:
    customer, shop = town.customer(), town.merchant()
    headers, content = odd_requests(customer, shop)[name]
    hot = answer_of(town, ways[0], headers, content)
    cold = answer_of(town, ways[1], headers, content)
    assert hot == cold


def test_a_double_tap_on_both_ways_at_once_is_one_payment(
    town: Town, ways: tuple[Way, Way]
) -> None:
    customer, shop = town.customer(), town.merchant()
    headers, content = plain(customer, unique("key")), body(shop.handle)
    before = customer.available()

    async def both() -> list[httpx.Response]:
        return await asyncio.gather(
            *(way.post("/v1/payments", headers=headers, content=content) for way in ways * 3)
        )

    answers = {(answer.status_code, answer.content) for answer in town.run(both())}
    assert len(answers) == 1
    assert before - customer.available() == 125
