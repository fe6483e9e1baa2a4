"""Connections over loopback: an endless request is ended, an ordinary one is not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Final

import pytest
import uvicorn

from amana.node.http.connections import BESIDE_BODY_BYTES_MAX, BoundedProtocol

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
BODY: Final = b"x" * 300_000


class Impatient(BoundedProtocol):
    """Waits for a request as long as a test may take."""

    request_s = 0.2


async def told(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the number of bytes of the body, or at length."""
    if scope["path"] == "/long":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(30_000_000)})
        return
    count, message = 0, {"more_body": scope["type"] == "http"}
    while message.get("more_body"):
        message = await receive()
        count += len(message.get("body", b""))
    body = b"%d" % count
    head = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


def over(protocol: type[BoundedProtocol], talk: Callable[[Streams], Awaitable[bytes]]) -> bytes:
    """Return what a talk over one connection ends with."""

    async def run() -> bytes:
        config = uvicorn.Config(told, http=protocol, lifespan="off", log_config=None)
        config.load()
        state = uvicorn.Server(config).server_state
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        streams = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(10):
                return await talk(streams)
        finally:
            streams[1].close()
            server.close()

    return asyncio.run(run())


async def end_of(streams: Streams) -> bytes:
    """Return everything until the other side closes; nothing where it broke off."""
    try:
        return await streams[0].read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "start", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\nHost: x\r\nX-1: 1\r\n"]
)
def test_a_request_without_end_is_closed_before_it_fills_the_memory(start: bytes) -> None:
    async def talk(streams: Streams) -> bytes:
        streams[1].write(start)
        for _ in range(BESIDE_BODY_BYTES_MAX // 1_024 * 4):
            streams[1].write(b"a" * 1_024)
        return await end_of(streams)

    assert b"200 OK" not in over(BoundedProtocol, talk)


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_a_request_that_never_ends_is_closed_in_time(sent: bytes) -> None:
    async def talk(streams: Streams) -> bytes:
        streams[1].write(sent)
        return await end_of(streams)

    assert over(Impatient, talk) == b""


class Unread(BoundedProtocol):
    """Gives up at once on an answer that is not read; says when the connection is gone."""

    unread_s = 0.1
    gone: ClassVar[asyncio.Event]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.gone.set()


def test_an_answer_that_nobody_reads_holds_no_connection() -> None:
    async def talk(streams: Streams) -> bytes:
        Unread.gone = asyncio.Event()
        streams[1].write(b"GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await Unread.gone.wait()
        return await end_of(streams)

    assert len(over(Unread, talk)) < 30_000_000


def test_a_large_body_and_many_requests_are_not_in_the_way() -> None:
    async def talk(streams: Streams) -> bytes:
        for _ in range(3):
            streams[1].write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
            assert (await streams[0].readuntil(b"\r\n\r\n300000")).startswith(b"HTTP/1.1 200")
        answer = b""
        for _ in range(200):
            streams[1].write(b"GET / HTTP/1.1\r\nX: %s\r\n\r\n" % (b"a" * 1_000))
            answer = await streams[0].readuntil(b"\r\n\r\n0")
        return answer

    assert b"200 OK" in over(BoundedProtocol, talk)


class Counted(BoundedProtocol):
    """Counts what is handed to the transport."""

    pieces: ClassVar[list[bytes]] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        send = transport.write

        def write(data: bytes) -> None:
            self.pieces.append(data)
            send(data)

        transport.write = write  # type: ignore[assignment,method-assign]
        super().connection_made(transport)


@pytest.mark.parametrize("after", [b"", b"Connection: close\r\n"])
def test_an_answer_goes_out_in_one_piece(after: bytes) -> None:
    Counted.pieces.clear()

    async def talk(streams: Streams) -> bytes:
        streams[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n" + after + b"\r\n")
        return await streams[0].readuntil(b"\r\n\r\n") + await streams[0].readexactly(1)

    answer = over(Counted, talk)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert Counted.pieces == [answer]
