"""Webhooks and API keys as a merchant meets them, with a shop's server that verifies what comes."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
import standardwebhooks
from tests.node.town import Client, Town, open_town

from amana.kernel import Instant
from amana.node.webhook_sender import send_webhooks
from amana.testing.rooms import HandClock
from amana.wire.standard_webhooks import VerifiedMessage, VerifyingKey, read_verifying_key, verify

CANARIES = ("Planted Name", "planted-canary", "c2VhbGVkLWNhbmFyeQ")


class Shop:
    """A merchant's server on loopback: it keeps what it got, and answers as told."""

    def __init__(self) -> None:
        self.got: Queue[tuple[dict[str, str], bytes]] = Queue()
        self.answers: list[int] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(shop.answers.pop(0) if shop.answers else 204)
                self.end_headers()
                shop.got.put((dict(self.headers), body))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://localhost:{self._server.server_port}/hook"

    def close(self) -> None:
        """Close the shop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    opened = Shop()
    yield opened
    opened.close()


@pytest.fixture
def today(tmp_path: Path) -> Iterator[Town]:
    """A town at the real time, which the other library compares signatures with."""
    with open_town(tmp_path / "town", HandClock(Instant(time.time_ns()))) as opened:
        yield opened


def delivered(town: Town, shop: Shop, count: int) -> list[tuple[dict[str, str], bytes]]:
    """Run the town's sender until the shop got so many messages and they are written down."""

    async def work() -> list[tuple[dict[str, str], bytes]]:
        committed = asyncio.Event()
        town.operator.writer.on_commit(committed.set)
        task = asyncio.create_task(send_webhooks(town.operator))
        got = [await asyncio.to_thread(shop.got.get, timeout=20) for _ in range(count)]
        while not _is_written(town):
            committed.clear()
            await committed.wait()
        task.cancel()
        await asyncio.wait([task])
        return got

    return town.run(work())


def _is_written(town: Town) -> bool:
    rows = town.operator.read_connection.execute(
        "SELECT w.handled_number, (SELECT max(number) FROM events_events e "
        "WHERE e.stream = w.merchant) FROM events_webhooks w"
    ).fetchall()
    waiting = town.operator.read_connection.execute(
        "SELECT count(*) FROM events_deliveries WHERE status = 'waiting'"
    ).fetchone()[0]
    return waiting > 0 or all(handled == newest for handled, newest in rows)


def add(merchant: Client, url: str, *kinds: str) -> dict[str, Any]:
    answer = merchant.post("/v1/webhooks", {"url": url, "kinds": list(kinds)})
    assert answer.status == 201, answer.content
    made: dict[str, Any] = answer.body
    return made


def remove(client: Client, path: str) -> int:
    return client.town.run(client.send("DELETE", path)).status


def test_another_library_verifies_what_the_merchant_is_sent(today: Town, shop: Shop) -> None:
    merchant, customer = today.merchant(), today.customer()
    hook = add(merchant, shop.url)
    for amount in (100, 250):
        assert customer.pay(merchant.handle, amount).status == 201
    got = delivered(today, shop, 2)
    feed = merchant.get("/v1/events").body["items"]
    key = read_verifying_key(hook["public_key"])
    assert isinstance(key, VerifyingKey)
    for (headers, body), event in zip(got, feed, strict=True):
        message = standardwebhooks.Webhook(hook["secret"]).verify(body, headers)
        assert message["type"] == event["kind"] == "order.paid"
        assert message["timestamp"] == event["occurred_at"]
        names = ("number", "payment_id", "order_id", "amount")
        assert message["data"] == {name: event[name] for name in names}
        assert headers["webhook-id"] == f"{hook['id']}_{event['number']}"
        now = today.clock.now()
        assert isinstance(verify(headers, body, now=now, keys=[key]), VerifiedMessage)


def test_a_message_and_the_log_hold_nothing_about_the_payer(
    today: Town, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    name, _, note = CANARIES
    merchant, customer = today.merchant(), today.customer(name=name)
    hook = add(merchant, shop.url)
    order = merchant.order(500, reference="planted-canary")
    body = {"code": order["code"], "amount": order["amount"], "sealed_note": note}
    shop.answers = [500]
    with caplog.at_level(logging.DEBUG):
        assert customer.post("/v1/payments", body).status == 201
        ((headers, sent),) = delivered(today, shop, 1)
    planted = (*CANARIES, customer.handle, customer.token, hook["secret"])
    for text in (sent.decode(), json.dumps(headers)):
        assert not [canary for canary in planted if canary in text]
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("amana")]
    assert not [canary for canary in (*planted, shop.url) if canary in " ".join(ours)]


def test_a_merchant_sees_what_became_of_each_event_and_replays(today: Town, shop: Shop) -> None:
    merchant, customer = today.merchant(), today.customer()
    hook = add(merchant, shop.url, "order.paid", "order.refunded")
    assert hook["kinds"] == ["order.paid", "order.refunded"]
    for amount in (100, 200, 300):
        customer.pay(merchant.handle, amount)
    first = delivered(today, shop, 3)
    path = f"/v1/webhooks/{hook['id']}"
    page = merchant.get(f"{path}/deliveries?limit=2").body
    assert page["items"] == [
        {
            "number": number,
            "kind": "order.paid",
            "status": "delivered",
            "attempts": 1,
            "next_attempt_at": None,
            "last_error": None,
        }
        for number in (3, 2)
    ]
    rest = merchant.get(f"{path}/deliveries?limit=2&cursor={page['next']}").body
    assert [item["number"] for item in rest["items"]] == [1]
    assert rest["next"] is None
    assert merchant.get("/v1/webhooks").body["items"][0]["handled_number"] == 3
    answer = merchant.post(f"{path}/replay", {"after": 1})
    assert (answer.status, answer.body) == (200, {"queued": 2})
    again = delivered(today, shop, 2)
    for old, new in zip(first[1:], again, strict=True):
        assert (old[0]["webhook-id"], old[1]) == (new[0]["webhook-id"], new[1])


def test_a_failed_delivery_says_why_and_when_it_is_made_again(today: Town, shop: Shop) -> None:
    merchant, customer = today.merchant(), today.customer()
    hook = add(merchant, shop.url)
    customer.pay(merchant.handle, 100)
    shop.answers = [503]
    delivered(today, shop, 1)
    (item,) = merchant.get(f"/v1/webhooks/{hook['id']}/deliveries").body["items"]
    assert (item["status"], item["last_error"]) == ("waiting", "status-503")
    assert item["next_attempt_at"].endswith("Z")


def test_the_secret_is_shown_once(town: Town) -> None:
    merchant = town.merchant()
    hook = add(merchant, "http://localhost:9/")
    assert hook["secret"].startswith("whsec_")
    (listed,) = merchant.get("/v1/webhooks").body["items"]
    assert listed == {name: value for name, value in hook.items() if name != "secret"}


def test_a_deleted_webhook_is_not_there(town: Town) -> None:
    merchant = town.merchant()
    path = f"/v1/webhooks/{add(merchant, 'http://localhost:9/')['id']}"
    assert remove(merchant, path) == 204
    assert remove(merchant, path) == 404
    assert merchant.get(f"{path}/deliveries").slug == "not-found"
    assert merchant.post(f"{path}/replay", {"after": 0}).slug == "not-found"
    assert merchant.get("/v1/webhooks").body["items"] == []


def test_another_merchants_webhook_is_not_there(town: Town) -> None:
    owner, other = town.merchant(), town.merchant()
    path = f"/v1/webhooks/{add(owner, 'http://localhost:9/')['id']}"
    assert remove(other, path) == 404
    assert other.get(f"{path}/deliveries").slug == "not-found"
    assert other.post(f"{path}/replay", {"after": 0}).slug == "not-found"
    assert other.get("/v1/webhooks").body["items"] == []
    assert owner.get(f"{path}/deliveries").status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://shop.example/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "https://user@shop.example/"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://shop.example/", "kinds": ["order"]}, "kinds"),
    ],
)
def test_a_webhook_that_cannot_be_is_refused_by_field(
    town: Town, body: dict[str, Any], field: str
) -> None:
    merchant = town.merchant()
    answer = merchant.post("/v1/webhooks", body)
    assert (answer.status, answer.slug) == (400, "malformed-request")
    assert [fault["field"] for fault in answer.body["errors"]] == [field]
    assert merchant.get("/v1/webhooks").body["items"] == []


def test_the_ninth_webhook_is_refused(town: Town) -> None:
    merchant = town.merchant()
    for _ in range(8):
        add(merchant, "http://localhost:9/")
    assert merchant.post("/v1/webhooks", {"url": "http://localhost:9/"}).slug == "not-allowed"


@pytest.mark.parametrize("path", ["whk_1", "whk_" + "z" * 26, "pay_" + "0" * 26, "%00", "'--"])
def test_what_is_no_id_is_not_there(town: Town, path: str) -> None:
    merchant = town.merchant()
    assert remove(merchant, f"/v1/webhooks/{path}") == 404
    assert remove(merchant, f"/v1/api-keys/{path}") == 404


def key_with(merchant: Client, *scopes: str) -> Client:
    answer = merchant.post("/v1/api-keys", {"scopes": list(scopes)})
    assert answer.status == 201, answer.content
    return Client(merchant.town, merchant.handle, answer.body["api_key"])


def test_webhooks_need_the_scope_for_events(town: Town) -> None:
    merchant = town.merchant()
    reader = key_with(merchant, "read", "orders", "refunds")
    assert reader.get("/v1/webhooks").slug == "not-allowed"
    assert reader.post("/v1/webhooks", {"url": "http://localhost:9/"}).slug == "not-allowed"
    assert key_with(merchant, "events").get("/v1/webhooks").status == 200
    assert town.customer(0).get("/v1/webhooks").slug == "not-allowed"


def test_a_key_is_shown_once_and_listed_by_its_scopes(town: Town) -> None:
    merchant = town.merchant()
    made = merchant.post("/v1/api-keys", {"scopes": ["read", "events"]}).body
    assert made["api_key"].startswith("amk_")
    listed = key_with(merchant, "read").get("/v1/api-keys").body["items"]
    assert len(listed) == 3
    assert {name: made[name] for name in ("id", "scopes", "created_at")} in listed
    assert made["api_key"] not in json.dumps(listed)


def test_a_key_makes_no_key_that_may_do_more(town: Town) -> None:
    reader = key_with(town.merchant(), "read")
    assert reader.post("/v1/api-keys", {"scopes": ["read", "refunds"]}).slug == "not-allowed"
    assert reader.post("/v1/api-keys", {"scopes": []}).slug == "not-allowed"
    assert reader.post("/v1/api-keys", {"scopes": ["all"]}).slug == "malformed-request"
    assert reader.post("/v1/api-keys", {"scopes": ["read"]}).status == 201


def test_a_revoked_key_opens_nothing_from_then_on(town: Town) -> None:
    merchant = town.merchant()
    made = merchant.post("/v1/api-keys", {"scopes": ["read"]}).body
    key = Client(town, merchant.handle, made["api_key"])
    assert key.get("/v1/api-keys").status == 200
    assert remove(merchant, f"/v1/api-keys/{made['id']}") == 204
    assert key.get("/v1/api-keys").slug == "not-signed-in"
    assert remove(merchant, f"/v1/api-keys/{made['id']}") == 404


def test_a_key_revokes_only_what_it_could_have_made(town: Town) -> None:
    merchant, other = town.merchant(), town.merchant()
    (first,) = merchant.get("/v1/api-keys").body["items"]
    path = f"/v1/api-keys/{first['id']}"
    assert remove(key_with(merchant, "read"), path) == 403
    assert remove(other, path) == 404
    assert merchant.get("/v1/api-keys").status == 200
