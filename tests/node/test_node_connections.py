"""Connections over loopback: an endless request is ended, an ordinary one is not."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar, Final

import pytest
import uvicorn

from amana.node.http.connections import (
    BESIDE_BODY_BYTES_MAX,
    PIECES_MAX,
    BoundedProtocol,
    BoundedSocket,
)

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


def over(
    protocol: type[BoundedProtocol],
    talk: Callable[[Streams], Awaitable[bytes]],
    app: Callable[..., Awaitable[None]] = told,
) -> bytes:
    """Return what a talk over one connection ends with."""

    async def run() -> bytes:
        config = uvicorn.Config(
            app, http=protocol, ws=BoundedSocket, lifespan="off", log_config=None
        )
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


async def echoed(scope: Any, receive: Any, send: Any) -> None:
    """Say back what is said over a socket."""
    assert (await receive())["type"] == "websocket.connect", scope
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def over_socket(talk: Callable[[Streams], Awaitable[bytes]]) -> bytes:
    """Return what a talk over a socket, frame by frame, ends with."""

    async def begun(streams: Streams) -> bytes:
        key = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        asked = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        streams[1].write(asked + key)
        assert b" 101 " in await streams[0].readuntil(b"\r\n\r\n")
        return await talk(streams)

    return over(BoundedProtocol, begun, app=echoed)


def frame(opcode: int, data: bytes = b"", *, is_last: bool = True) -> bytes:
    """Write a client's frame, masked with zeros, so as it is."""
    return bytes([0x80 * is_last | opcode, 0x80 | len(data)]) + bytes(4) + data


def test_answers_to_pings_that_nobody_reads_are_not_kept() -> None:
    """More pings than any kernel keeps answers for, and a word at the end that is answered."""
    ping, word = frame(9, b"p" * 125), b"the word at the end"
    count = 2**25 // len(ping)

    async def talk(streams: Streams) -> bytes:
        # What the kernel keeps for a reader would otherwise grow with what comes.
        kernel = streams[1].get_extra_info("socket")
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        for _ in range(count // 1_000):
            streams[1].write(ping * 1_000)
            await streams[1].drain()
        streams[1].write(frame(1, word))
        told = b""
        while word not in told[-1_000:]:
            told += await streams[0].read(2**16)
        return told

    assert len(over_socket(talk)) < count * len(ping) // 2


@pytest.mark.parametrize(("pieces", "told"), [(PIECES_MAX - 2, b"\x81\x01x"), (PIECES_MAX, b"")])
def test_a_message_comes_in_few_pieces(pieces: int, told: bytes) -> None:
    async def talk(streams: Streams) -> bytes:
        streams[1].write(frame(1, b"x", is_last=False) + frame(0, is_last=False) * pieces)
        streams[1].write(frame(0))
        if told:
            return await streams[0].readexactly(len(told))
        return await end_of(streams)

    assert over_socket(talk) == told


class Crowded(BoundedProtocol):
    """Has room for three."""

    _open: ClassVar[set[BoundedProtocol]] = set()
    _idle: ClassVar[dict[BoundedProtocol, None]] = {}

    @classmethod
    def connections_max(cls) -> int:
        return 3


async def asked(streams: Streams, path: bytes = b"/") -> bytes:
    """Return the body of an answer: how long the request's was."""
    streams[1].write(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    await streams[0].readuntil(b"\r\n\r\n")
    return await streams[0].readexactly(1)


async def more(first: Streams, count: int) -> list[Streams]:
    """Open more connections to where one leads."""
    place = first[1].get_extra_info("peername")
    return [await asyncio.open_connection(*place) for _ in range(count)]


async def closed(all_streams: Sequence[Streams]) -> None:
    for _, writer in all_streams:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


class Slow:
    """Answers what is asked at `/held` once it is let."""

    def __init__(self) -> None:
        self.release, self.arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/held":
            self.arrived.release()
            await self.release.wait()
        await told(scope, receive, send)

    async def ask(self, streams: Streams) -> asyncio.Task[bytes]:
        """Ask for what is answered later; come back once it is asked."""
        asking = asyncio.create_task(asked(streams, b"/held"))
        await self.arrived.acquire()
        return asking


def test_whoever_waited_longest_without_a_request_makes_room() -> None:
    async def talk(first: Streams) -> bytes:
        second, third = await more(first, 2)
        assert await asked(first) == b"0"
        (fourth,) = await more(first, 1)
        assert await end_of(second) == b"", "the first was heard after it"
        answers = [await asked(streams) for streams in (first, third, fourth)]
        await closed((second, third, fourth))
        return b"".join(answers)

    assert over(Crowded, talk) == b"000"


def test_whoever_is_being_answered_does_not_count_as_waiting() -> None:
    class Impatient(Crowded):
        waiting_max = 1

        @classmethod
        def connections_max(cls) -> int:
            return 99

    async def talk(first: Streams) -> bytes:
        answers = []
        held = [first]
        for _ in range(3):
            answers.append(await slow.ask(held[-1]))
            held += await more(first, 1)
        (late,) = await more(first, 1)
        assert await end_of(held[-1]) == b"", "it waited longest, and alone"
        slow.release.set()
        # Answered, they wait as well: for the last of them the others go.
        told_all = await asyncio.gather(*answers)
        await closed([late, *held[1:]])
        return b"".join(told_all)

    slow = Slow()
    assert over(Impatient, talk, slow) == b"000"


def test_where_everybody_is_being_answered_the_newcomer_goes() -> None:
    async def talk(first: Streams) -> bytes:
        held = [first, *await more(first, 2)]
        answers = [await slow.ask(streams) for streams in held]
        (late,) = await more(first, 1)
        assert await end_of(late) == b""
        slow.release.set()
        told_all = await asyncio.gather(*answers)
        await closed([late, *held[1:]])
        return b"".join(told_all)

    slow = Slow()
    assert over(Crowded, talk, slow) == b"000"


def test_a_process_asks_for_files_and_keeps_half_of_them_for_all_else() -> None:
    script = (
        "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (256, {}));"
        "from amana.node.http.connections import BoundedProtocol as bounded;"
        "print(bounded.connections_max(), r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script.format(600)], capture_output=True, check=True, text=True
    )
    assert told.stdout == "300 600\n"
