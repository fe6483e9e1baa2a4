"""Live updates of the mint over WebSocket: the present state first, then what changes."""

import asyncio
import json
import logging
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.node.mint_world import (
    Meet,
    MintTown,
    Socket,
    meeting,
    opened,
    served,
    shown,
    spent,
    y_of,
)
from tests.node.purse_town import PurseTown, purse_town
from tests.node.town import eur
from websockets.asyncio.client import connect

from amana.kernel import SECOND_NS, Unavailable
from amana.node.http.connections import BoundedProtocol
from amana.node.mint import subscriptions
from amana.purse.model import Change, ChangeKind


@pytest.fixture(scope="module")
def mint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meet]:
    with meeting(tmp_path_factory.mktemp("mint")) as meet:
        yield meet


def watched(town: MintTown) -> int:
    return len(town.app._subscriptions._watchers)


def state_of(told: Any) -> object:
    assert told["method"] == "subscribe", told
    return told["params"]["payload"]["state"]


def wrong(told: Any, code: int) -> str:
    assert told["error"]["code"] == code, told
    return str(told["error"]["message"])


def test_a_proof_is_watched_until_it_is_spent(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        (proof,) = await town.issued(8)
        socket = await opened(town)
        accepted = await socket.command(
            "subscribe", number=7, kind="proof_state", subId="one", filters=[y_of(proof)]
        )
        assert accepted == {
            "jsonrpc": "2.0",
            "result": {"status": "OK", "subId": "one"},
            "id": 7,
        }
        present = await socket.told()
        assert present["params"]["subId"] == "one"
        assert present["params"]["payload"] == {
            "Y": y_of(proof),
            "state": "UNSPENT",
            "witness": None,
        }
        body = {"inputs": spent([proof]), "outputs": shown(town.wallet.outputs(8))}
        assert (await town.post("/v1/swap", body)).status == 200
        assert state_of(await socket.told()) == "SPENT"
        await socket.close()
        assert watched(town) == 0, "whoever goes leaves nothing behind"

    mint(talk)


def test_quotes_are_watched_through_their_states(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        quote = await town.quote(4)
        socket = await opened(town)
        await socket.command("subscribe", kind="bolt11_mint_quote", subId="q", filters=[quote])
        assert state_of(await socket.told()) == "UNPAID"
        town.clock.advance(2 * SECOND_NS)
        town.app.tell(Change(ChangeKind.ISSUE_QUOTE, uuid.UUID(quote).bytes))
        assert state_of(await socket.told()) == "PAID"
        body = {"quote": quote, "outputs": shown(town.wallet.outputs(4))}
        assert (await town.post("/v1/mint/bolt11", body)).status == 200
        assert state_of(await socket.told()) == "ISSUED"
        await socket.close()

    mint(talk)


def test_redemptions_are_watched_through_their_states(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        proofs = await town.issued(16)
        quote = (await town.melt_quote(10))["quote"]
        socket = await opened(town)
        await socket.command("subscribe", kind="bolt11_melt_quote", subId="q", filters=[quote])
        assert state_of(await socket.told()) == "UNPAID"
        blank = shown(town.wallet.outputs(7))
        body = {"quote": quote, "inputs": spent(proofs), "outputs": blank}
        assert (await town.post("/v1/melt/bolt11", body)).status == 200
        assert state_of(await socket.told()) == "PAID"
        await socket.close()

    mint(talk)


def test_a_quote_is_told_as_its_address_answers(tmp_path: Path) -> None:
    async def talk(town: PurseTown, order: str) -> None:
        asked = {"request": order, "unit": "eur"}
        made = (await town.asked("POST", "/v1/melt/quote/amana-merchant", asked)).json
        socket = Socket(town.mint)
        await socket.heard()
        kind, filters = "amana-merchant_melt_quote", [made["quote"]]
        await socket.command("subscribe", kind=kind, subId="q", filters=filters)
        told = (await socket.told())["params"]["payload"]
        path = f"/v1/melt/quote/amana-merchant/{made['quote']}"
        assert told == (await town.asked("GET", path)).json
        assert told["payee"]["kind"] == "merchant"
        await socket.close()

    with purse_town(tmp_path / "town") as town:
        order = town.merchant().post("/v1/orders", {"amount": eur(500)}).body["id"]
        town.run(talk(town, order))


def test_whoever_unsubscribes_is_told_no_more(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        (proof,) = await town.issued(1)
        socket = await opened(town)
        names = {"subId": "one"}
        await socket.command("subscribe", kind="proof_state", filters=[y_of(proof)], **names)
        await socket.told()
        assert (await socket.command("unsubscribe", **names))["result"]["status"] == "OK"
        assert watched(town) == 0
        assert wrong(await socket.command("unsubscribe", **names), -32602)
        assert socket.nothing_waits()
        await socket.close()

    mint(talk)


def test_a_subscription_that_ended_before_it_was_told_anything_is_told_nothing(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        socket = await opened(town)
        points = [f"02{number:064x}" for number in range(100)]
        params = {"kind": "proof_state", "subId": "s", "filters": points}
        socket.is_reading.clear()
        for _ in range(5):
            socket.say(json.dumps({"method": "subscribe", "params": params}))
            socket.say(json.dumps({"method": "unsubscribe", "params": params}))
        socket.is_reading.set()
        told = [await socket.told() for _ in range(10)]
        assert [one["result"]["status"] for one in told] == ["OK"] * 10
        assert wrong(await socket.command("unsubscribe", **params), -32602)
        await socket.close()

    mint(talk)


def test_two_who_wait_for_one_thing_are_told_each(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        quote = await town.quote(4)
        sockets = [await opened(town), await opened(town)]
        for socket in sockets:
            await socket.command("subscribe", kind="bolt11_mint_quote", subId="q", filters=[quote])
            assert state_of(await socket.told()) == "UNPAID"
        town.clock.advance(2 * SECOND_NS)
        await sockets[0].close()
        town.app.tell(Change(ChangeKind.ISSUE_QUOTE, uuid.UUID(quote).bytes))
        assert state_of(await sockets[1].told()) == "PAID"
        await sockets[1].close()

    mint(talk)


def test_so_many_may_wait_for_one_thing_and_no_more(
    mint: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: one change has few look-ups, however many sockets and filters a stranger has."""
    monkeypatch.setattr(subscriptions, "WATCHERS_MAX", 2)

    async def talk(town: MintTown) -> None:
        quote = await town.quote(4)
        asked = {"kind": "bolt11_mint_quote", "filters": [quote, quote.upper(), quote]}
        sockets = [await opened(town) for _ in range(3)]
        for socket in sockets[:2]:
            assert "result" in await socket.command("subscribe", subId="q", **asked)
            assert state_of(await socket.told()) == "UNPAID"
            assert socket.nothing_waits()
        assert wrong(await sockets[2].command("subscribe", subId="q", **asked), -32602)
        town.app.tell(Change(ChangeKind.ISSUE_QUOTE, uuid.UUID(quote).bytes))
        for socket in sockets[:2]:
            assert state_of(await socket.told()) == "UNPAID"
            assert socket.nothing_waits()
        await sockets[0].close()
        assert "result" in await sockets[2].command("subscribe", subId="q", **asked)
        await sockets[1].close()
        await sockets[2].close()

    mint(talk)


def test_a_quote_that_is_not_there_is_watched_in_silence(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        socket = await opened(town)
        for number, kind in enumerate(("bolt11_mint_quote", "bolt11_melt_quote")):
            filters = [str(uuid.uuid4()), "no id at all"]
            await socket.command("subscribe", kind=kind, subId=str(number), filters=filters)
        # What comes next is the answer to this, so the two before had no more to say.
        told = await socket.command("subscribe", kind="weather", subId="w")
        assert "not supported" in wrong(told, -32602)
        await socket.close()

    mint(talk)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", -32700),
        ("{", -32700),
        ('{"x":' + "[" * 100_000, -32700),
        ("{}", -32600),
        ('{"method": "subscribe", "id": 1, "params": {"subId": 5}}', -32600),
        ('{"method": "sing", "id": 1, "params": {"subId": "s"}}', -32601),
        ('{"method": "subscribe", "id": 1, "params": {"subId": "s"}}', -32602),
        ('{"method": "subscribe", "params": {"subId": "s", "kind": "_mint_quote"}}', -32602),
        (f'{{"method": "subscribe", "params": {{"subId": "{"s" * 257}"}}}}', -32602),
    ],
)
def test_what_is_not_understood_is_told_with_the_codes_of_json_rpc(
    text: str, code: int, mint: Meet
) -> None:
    async def talk(town: MintTown) -> None:
        socket = await opened(town)
        socket.say(text)
        assert len(wrong(await socket.told(), code)) < 200
        await socket.close()

    mint(talk)


def test_a_subscription_is_all_or_nothing(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        socket = await opened(town)
        good = "02" + "11" * 32
        asked = {"kind": "proof_state", "subId": "s"}
        assert wrong(await socket.command("subscribe", filters=[good, "04"], **asked), -32602)
        assert watched(town) == 0
        assert "result" in await socket.command("subscribe", filters=[good], **asked)
        await socket.told()
        assert wrong(await socket.command("subscribe", filters=[good], **asked), -32602)
        await socket.close()

    mint(talk)


def test_a_socket_has_bounded_subscriptions_and_filters(
    mint: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "SUBSCRIPTIONS_MAX", 2)
    monkeypatch.setattr(subscriptions, "FILTERS_MAX", 3)

    async def talk(town: MintTown) -> None:
        socket = await opened(town)
        points = [f"02{number:064x}" for number in range(4)]
        asked = {"kind": "proof_state"}
        assert wrong(await socket.command("subscribe", subId="a", filters=points, **asked), -32602)
        for name in ("a", "b"):
            told = await socket.command("subscribe", subId=name, filters=points[:1], **asked)
            assert "result" in told
            await socket.told()
        assert wrong(await socket.command("subscribe", subId="c", filters=[], **asked), -32602)
        await socket.close()

    mint(talk)


def test_many_proofs_are_asked_after_in_several_reads(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        socket = await opened(town)
        points = [f"02{number:064x}" for number in range(501)]
        await socket.command("subscribe", kind="proof_state", subId="many", filters=points)
        told = [(await socket.told())["params"]["payload"]["Y"] for _ in points]
        assert told == points
        await socket.close()

    mint(talk)


def test_whoever_does_not_read_is_let_go(mint: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "WAITING_MAX", 3)

    async def talk(town: MintTown) -> None:
        socket = await opened(town)
        socket.is_reading.clear()
        for _ in range(6):
            socket.say("{")
        assert await socket.heard() == {"type": "websocket.close", "code": 1008}
        await asyncio.wait_for(socket.task, 10)

    mint(talk)


def test_a_state_that_cannot_be_looked_up_is_told_at_the_next_change(
    mint: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(town: MintTown) -> None:
        async def gone(*_: object) -> None:
            raise Unavailable("the signatory is gone")

        quote = await town.quote(4)
        socket = await opened(town)
        with monkeypatch.context() as patched:
            patched.setattr(town.mint, "find_issue_quote", gone)
            await socket.command("subscribe", kind="bolt11_mint_quote", subId="q", filters=[quote])
            assert wrong(
                await socket.command("subscribe", kind="", subId="w", filters=["x"]), -32602
            )
        town.app.tell(Change(ChangeKind.ISSUE_QUOTE, uuid.UUID(quote).bytes))
        assert state_of(await socket.told()) == "UNPAID"
        await socket.close()

    mint(talk)


def test_there_is_one_address_for_sockets(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        socket = Socket(town.app, "/v1/swap")
        assert await socket.heard() == {"type": "websocket.close", "code": 1000}
        await socket.task

    mint(talk)


class Remembered(BoundedProtocol):
    """A server's side of a connection, for a test to look at."""

    last: BoundedProtocol

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        Remembered.last = self


def test_a_socket_outlives_the_time_that_a_request_may_take(mint: Meet) -> None:
    async def talk(town: MintTown) -> None:
        async with served(town, Remembered) as place, connect(f"ws://{place}/v1/ws") as socket:
            await socket.send("{")
            assert "-32700" in str(await socket.recv())
            assert Remembered.last._too_late is None, "nothing is going to close it"

    mint(talk)


def test_no_log_and_no_answer_says_who_asked(mint: Meet, caplog: pytest.LogCaptureFixture) -> None:
    async def talk(town: MintTown) -> None:
        quote = await town.quote(4)
        async with served(town, Remembered) as place:
            async with connect(f"ws://{place}/v1/ws", user_agent_header="planted") as socket:
                params = {"kind": "bolt11_mint_quote", "subId": "q", "filters": [quote]}
                await socket.send(json.dumps({"method": "subscribe", "params": params}))
                assert "OK" in str(await socket.recv())
            async with httpx.AsyncClient() as client:
                headers = {"user-agent": "planted", "x-forwarded-for": "192.0.2.7"}
                answer = await client.post(f"http://{place}/v1/swap", content="{", headers=headers)
        assert answer.status_code == 400
        assert "server" not in answer.headers
        assert "set-cookie" not in answer.headers
        clients = ("httpx", "httpcore", "websockets.client")
        said = [one.getMessage() for one in caplog.records if not one.name.startswith(clients)]
        for planted in ("planted", "127.0.0.1", "192.0.2.7", quote):
            assert not [line for line in said if planted in line]

    with caplog.at_level(logging.DEBUG):
        mint(talk)
