"""The disk is full, or takes nothing more: a clear answer, nothing lost, and on again by itself."""

import asyncio
import resource
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.faults.machine import Json, Machine, machine_in
from tests.node.town import Answer, Client, Town, eur, open_town, unique

from amana.audit import audit_folder

PROBLEM = "http://localhost:{}/docs/problems/storage-unavailable"
WAIT_S = 20


@asynccontextmanager
async def client_of(machine: Machine) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=machine.url, trust_env=False, timeout=20) as client:
        yield client


async def pay(client: httpx.AsyncClient, machine: Machine, key: str) -> httpx.Response:
    customer, shop = machine.world["customers"][0], machine.world["merchants"][0]
    headers = {"Authorization": f"Bearer {customer['token']}", "Idempotency-Key": key}
    body = {"payee": shop["handle"], "amount": eur(1)}
    return await client.post("/v1/payments", json=body, headers=headers)


def let_files_grow_to(machine: Machine, size: int) -> None:
    """Bound the size of every file that the running process writes."""
    assert machine.process is not None
    resource.prlimit(machine.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


async def live_through_a_full_disk(folder: Path) -> dict[str, Json]:
    told: dict[str, Json] = {}
    with machine_in(folder) as machine:
        await machine.start()
        async with client_of(machine) as client:
            for n in range(20):
                answer = await pay(client, machine, f"before-{n}")
                assert answer.status_code == 201
                told[f"before-{n}"] = answer.json()
            largest = max(path.stat().st_size for path in machine.folder.glob("books.db*"))
            let_files_grow_to(machine, largest)
            refused = await _pay_until_refused(client, machine, told)
            assert refused.json()["type"] == PROBLEM.format(machine.port)
            assert refused.json()["retry_with_same_id"] is True
            assert (await client.get("/health")).json()["status"] in {"ok", "refusing"}
            let_files_grow_to(machine, resource.RLIM_INFINITY)
            await _pay_until_taken(client, machine, told)
            for key, answer in told.items():
                assert (await pay(client, machine, key)).json() == answer
        machine.stop()
    return told


async def _pay_until_refused(
    client: httpx.AsyncClient, machine: Machine, told: dict[str, Json]
) -> httpx.Response:
    for n in range(100_000):
        answer = await pay(client, machine, f"full-{n}")
        if answer.status_code != 201:
            assert answer.status_code == 503, answer.text
            return answer
        told[f"full-{n}"] = answer.json()
    raise AssertionError("the files never grew")


async def _pay_until_taken(
    client: httpx.AsyncClient, machine: Machine, told: dict[str, Json]
) -> None:
    async with asyncio.timeout(WAIT_S):
        answer = await pay(client, machine, "after")
        while answer.status_code == 503:
            answer = await pay(client, machine, "after")
    assert answer.status_code == 201, answer.text
    told["after"] = answer.json()


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limit: not built here")
def test_a_full_disk_refuses_loses_nothing_and_goes_on_when_space_returns(tmp_path: Path) -> None:
    told = asyncio.run(live_through_a_full_disk(tmp_path))
    folder = tmp_path / "data"
    report = audit_folder(folder)
    assert report.is_sound, report.findings
    assert not report.unfinished
    with sqlite3.connect(folder / "books.db") as books:
        (made,) = books.execute("SELECT count(*) FROM payments_payments WHERE kind = 1").fetchone()
    books.close()
    assert made == len({answer["id"] for answer in told.values()}) == len(told)


def connection_of(town: Town) -> sqlite3.Connection:
    return town.operator.writer._core.connection


def test_books_that_cannot_be_written_answer_so_and_keep_everything(tmp_path: Path) -> None:
    with open_town(tmp_path / "town") as town:
        customer, shop = town.customer(), town.merchant()
        first = customer.pay(shop.handle, 100, "first")
        held = shop.order(200, capture="manual")
        assert customer.pay_code(held["code"], 200).status == 201
        connection_of(town).execute("PRAGMA query_only = ON")
        asked = _everything_that_writes(town, customer, shop, held["id"])
        for client, path, body in asked:
            refusal = client.post(path, body)
            assert refusal.slug == "storage-unavailable", refusal.content
            assert refusal.body["retry_with_same_id"] is True
        assert customer.available() == 49_700, "what is there can still be read"
        assert customer.get("/v1/payments").status == 200
        connection_of(town).execute("PRAGMA query_only = OFF")
        assert town.run(_until_taken(customer, shop.handle)).status == 201
        assert customer.pay(shop.handle, 100, "first").content == first.content
        assert shop.post(f"/v1/orders/{held['id']}/capture", {}).status == 200
        assert town.books()["balanced"]
        assert town.books()["unfinished"] == 0
        assert customer.available() == 49_600


def _everything_that_writes(
    town: Town, customer: Client, shop: Client, order: str
) -> list[tuple[Client, str, Json]]:
    customer_body = {"handle": unique("late"), "display_name": "L"}
    return [
        (customer, "/v1/payments", {"payee": shop.handle, "amount": eur(100)}),
        (shop, "/v1/orders", {"amount": eur(5)}),
        (shop, f"/v1/orders/{order}/capture", {}),
        (shop, f"/v1/orders/{order}/cancel", {}),
        (town.staff, "/v1/operator/customers", customer_body),
        (town.staff, "/v1/operator/topups", {"customer": customer.handle, "amount": eur(1)}),
    ]


async def _until_taken(client: Client, payee: str) -> Answer:
    body = {"payee": payee, "amount": eur(100)}
    async with asyncio.timeout(WAIT_S):
        while True:
            answer = await client.send("POST", "/v1/payments", body, key="taken")
            if answer.status != 503:
                return answer
            await asyncio.sleep(0)  # the writer's own pause runs on this loop


def test_a_full_file_refuses_the_payment_that_does_not_fit_and_goes_on(tmp_path: Path) -> None:
    with open_town(tmp_path / "town") as town:
        customer, shop = town.customer(), town.merchant()
        connection_of(town).execute("PRAGMA max_page_count = 1")
        answer = customer.pay(shop.handle, 1)
        taken = 0
        while answer.status == 201:
            taken += 1
            answer = customer.pay(shop.handle, 1)
        assert answer.slug == "storage-unavailable"
        connection_of(town).execute(f"PRAGMA max_page_count = {2**32 - 2}")
        assert town.run(_until_taken(customer, shop.handle)).status == 201
        assert customer.available() == 49_900 - taken
        assert town.books()["balanced"]


def test_a_clock_set_back_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with open_town(tmp_path / "town") as town:
        customer, shop = town.customer(), town.merchant()
        first = customer.pay(shop.handle, 100, "first")
        order = shop.order(300)
        town.clock.advance(-36 * 3_600 * 10**9)
        assert customer.pay(shop.handle, 100, "first").content == first.content
        assert customer.pay(shop.handle, 200).status == 201
        assert customer.pay_code(order["code"], 300).status == 201
        assert shop.post(f"/v1/orders/{order['id']}/refunds", {}).status == 201
        assert customer.available() == 49_700
        numbers = [event["number"] for event in shop.get("/v1/events").body["items"]]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(customer.get("/v1/payments").body["items"]) == 5
        assert town.books()["balanced"]
    report = audit_folder(tmp_path / "town")
    assert report.is_sound, report.findings
    with open_town(tmp_path / "town", town.clock) as again:
        assert again.books()["balanced"]
        assert again.books()["unfinished"] == 0
