"""One connection's bounds: how much of a request is not its body, and how long it may take to come.

The server's own protocol has neither, so that a stranger could fill the memory with one endless
header, or hold connections for ever by never ending a request, or by never reading an answer.
"""

import asyncio
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

PIECES_MAX: Final = 64
"""Pieces of one message over a socket. Clients send a message whole, or in a few pieces of some
thousand bytes each."""


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request is too long beside its body, or too long in coming."""

    request_s: ClassVar[float] = REQUEST_S
    unread_s: ClassVar[float] = UNREAD_S

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

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

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
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        """Leave the body out of the count: the application bounds it."""
        self._beside_body -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Count anew from the next request on."""
        self._is_awaited = False
        self._beside_body = 0
        super().on_message_complete()

    def _stop_waiting(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None


class BoundedSocket(WebSocketsSansIOProtocol):
    """A socket that keeps nothing for whoever does not read, and no message of endless pieces.

    The server's own protocol answers every ping at once, read or not, and bounds the bytes of a
    message but not its pieces, which may be empty: either filled the memory.
    """

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
