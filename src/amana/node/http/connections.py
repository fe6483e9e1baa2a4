"""A connection's bounds: its request beside the body, the time that takes, and how many there are.

The server's own protocol has none of them. A stranger could fill the memory with one endless
header, hold connections for ever by never ending a request or never reading an answer, or hold so
many that the process could open none for anybody else.
"""

import asyncio
import resource
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

BESIDE_BODY_BYTES_MAX: Final = 65_536
"""Bytes of one request beside its body: request line, headers, and what chunks are framed with."""

REQUEST_S: Final = 20.0
"""Seconds from the first byte of a request, or from the connection, to the request's last byte."""


UNREAD_S: Final = 60.0
"""Seconds from the end of a connection on our side until what nobody read of it is thrown away."""

WAITING_MAX: Final = 2_048
"""Connections of a process that have no whole request yet, of all listeners together: each may hold
a body that is still to end, so they share the memory."""

FILES: Final = 65_536
"""Files that a process asks to be allowed to open. Half of them are for connections, of all
listeners together: most are streams of events, one for each page that is open somewhere."""

GOODBYE_S: Final = 1.0
"""Seconds that a socket which was closed on our side has to close on the other."""

PIECES_MAX: Final = 64
"""Pieces of one message over a socket. Clients send a message whole, or in a few pieces of some
thousand bytes each."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request is too long beside its body, or too long in coming."""

    request_s: ClassVar[float] = REQUEST_S
    unread_s: ClassVar[float] = UNREAD_S
    waiting_max: ClassVar[int] = WAITING_MAX
    _open: ClassVar[set["BoundedProtocol"]] = set()
    _idle: ClassVar[dict["BoundedProtocol", None]] = {}
    """Those that wait for a whole request, the longest wait first."""

    def __init__(self, *arguments: Any, **more: Any) -> None:  # noqa: ANN401 - the server's own
        super().__init__(*arguments, **more)
        self._is_awaited = True
        self._beside_body = 0
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        joining = _Joining(transport, self.loop, self.unread_s)
        super().connection_made(cast("asyncio.Transport", joining))
        self._too_late = self.loop.call_later(self.request_s, transport.close)
        self._open.add(self)
        self._wait()
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self.leave()
        self._stop_waiting()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to its socket; of those there is a bound of its own."""
        self.leave()
        super().handle_websocket_upgrade()

    @classmethod
    def connections_max(cls) -> int:
        """Return how many connections there may be at once."""
        return _connections_max()

    def _wait(self) -> None:
        """Wait for a whole request, behind those that wait already."""
        self._idle.pop(self, None)
        self._idle[self] = None

    def _make_room(self) -> None:
        """Where there are too many, let that go which waited longest.

        An honest request is whole within a moment of its beginning, so it is not the one to go.
        """
        if len(self._idle) > self.waiting_max or len(self._open) > self.connections_max():
            longest = next(iter(self._idle))
            longest.leave()
            longest.transport.abort()

    def leave(self) -> None:
        """Give the place up."""
        self._open.discard(self)
        self._idle.pop(self, None)

    def data_received(self, data: bytes) -> None:
        """Read on, and count what belongs to no body."""
        self._beside_body += len(data)
        super().data_received(data)
        if not self._is_awaited:
            self._stop_waiting()
        elif self._beside_body > BESIDE_BODY_BYTES_MAX:
            self.transport.close()
        elif self._too_late is None:
            self._too_late = self.loop.call_later(self.request_s, self.transport.close)

    def on_message_begin(self) -> None:
        """Wait for all of this request."""
        self._is_awaited = True
        if self in self._open:
            self._wait()
            self._make_room()
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Leave the body out of the count: the application bounds it."""
        self._beside_body -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count anew from the next request on."""
        self._is_awaited = False
        self._beside_body = 0
        self._idle.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self in self._open:
            self._wait()

    def _stop_waiting(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None


@cache
def _connections_max() -> int:
    """Ask for enough files, and leave half of those that the process may open to all else."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= files < FILES:
        files = FILES if most < 0 else min(FILES, most)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (FILES if files < 0 else files) // 2


class BoundedSocket(WebSocketsSansIOProtocol):
    """A socket that keeps nothing for whoever does not read, and no message of endless pieces.

    The server's own protocol answers every ping at once, read or not, and bounds the bytes of a
    message but not its pieces, which may be empty: either filled the memory.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:  # noqa: ANN401 - the server's own
        super().__init__(*arguments, **more)
        # Whoever is let go to make room must not hold a file for long by not saying goodbye.
        self.close_timeout = GOODBYE_S

    def handle_ping(self) -> None:
        """Answer, but leave out the answer where earlier ones are not read."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Take one more piece of a message, or end the connection where there are too many."""
        if len(self.frames) < PIECES_MAX:
            super().handle_cont(event)
        else:
            self.transport.abort()


class _Joining:
    """A transport that sends what one round of the loop wrote in one piece.

    The server writes head and body apart; each piece would cost a call into the kernel, a packet,
    and the other side a wake-up.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, unread_s: float
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._unread_s = unread_s
        self._pieces: list[bytes] = []
        # What is called for every request, found without a detour.
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send soon."""
        if not self._pieces:
            self._loop.call_soon(self._send)
        self._pieces.append(data)

    def close(self) -> None:
        """Send what is written, then close; what the other side does not read in time is lost."""
        self._send()
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._loop.call_later(self._unread_s, self._transport.abort)

    def _send(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces and not self._transport.is_closing():
            self._transport.write(b"".join(pieces))
