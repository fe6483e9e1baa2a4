"""Sockets of live updates that are too many: whoever comes is let in, and the idlest goes."""

import asyncio
from collections.abc import Iterator

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
from websockets.asyncio.client import connect

from amana.node.mint import subscriptions

GONE = {"type": "websocket.close", "code": 1013}


@pytest.fixture(scope="module")
def mint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meet]:
    with meeting(tmp_path_factory.mktemp("mint")) as meet:
        yield meet


async def watching(town: MintTown) -> Socket:
    """Open a socket that waits for a proof nobody spends."""
    socket = await opened(town)
    point = f"02{1:064x}"
    await socket.command("subscribe", kind="proof_state", subId="s", filters=[point])
    await socket.told()
    return socket


def test_sockets_that_watch_nothing_keep_nobody_out(
    mint: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "SOCKETS_MAX", 3)

    async def talk(town: MintTown) -> None:
        first = await watching(town)
        idle = [await opened(town) for _ in range(2)]
        idle[0].say("{")
        await idle[0].told()
        newcomers = []
        for number in (1, 0):
            newcomers.append(await watching(town))
            assert await idle[number].heard() == GONE, "the longest without a word goes first"
            await asyncio.wait_for(idle[number].task, 10)
        assert first.nothing_waits(), "it watches"
        for socket in (first, *newcomers):
            await socket.close()

    mint(talk)


def test_of_sockets_that_watch_that_goes_which_has_had_nothing_to_say_the_longest(
    mint: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "SOCKETS_MAX", 2)

    async def talk(town: MintTown) -> None:
        (proof,) = await town.issued(8)
        told = await opened(town)
        await told.command("subscribe", kind="proof_state", subId="s", filters=[y_of(proof)])
        await told.told()
        quiet = await watching(town)
        body = {"inputs": spent([proof]), "outputs": shown(town.wallet.outputs(8))}
        assert (await town.post("/v1/swap", body)).status == 200
        assert (await told.told())["params"]["payload"]["state"] == "SPENT"
        newcomer = await opened(town)
        assert await quiet.heard() == GONE
        await asyncio.wait_for(quiet.task, 10)
        assert len(town.app._subscriptions._watchers) == 1, "nothing is noted for who is gone"
        await told.close()
        await newcomer.close()

    mint(talk)


def test_whoever_has_to_go_and_says_no_goodbye_is_hung_up_on(
    mint: Meet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: what is let go holds no file, so strangers cannot use them up by coming anew."""
    monkeypatch.setattr(subscriptions, "SOCKETS_MAX", 1)

    async def talk(town: MintTown) -> None:
        async with served(town) as place:
            host, port = place.split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                b"GET /v1/ws HTTP/1.1\r\nHost: m\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            assert b"101" in await reader.readuntil(b"\r\n\r\n")
            async with connect(f"ws://{place}/v1/ws") as newcomer:
                await newcomer.send("{")
                assert "-32700" in str(await newcomer.recv())
                assert await asyncio.wait_for(reader.read(), 5) == b"\x88\x02\x03\xf5"
            writer.close()

    mint(talk)
