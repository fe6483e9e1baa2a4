"""`POST /v1/payments` without the framework: the one address where a profile asked for it.

Only a payment that goes through is answered here, in the very bytes the framework's handler would
answer. Whatever else comes of a request is left to the framework, which is handed the same request
again: a payment meets itself by its key, so asking twice is safe.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Litestar

from amana.kernel.limits import REQUEST_BODY_BYTES_MAX
from amana.node.http.customers import make_payment
from amana.node.http.headers import headers_with_mint
from amana.node.shapes import PaymentBody

_PATH: Final = "/v1/payments"
_LENGTH_DIGITS_MAX: Final = 9
_decoder: Final = msgspec.json.Decoder(PaymentBody)
_encoder: Final = msgspec.json.Encoder()


class HotRequest:
    """As much of a request as the handler reads."""

    __slots__ = ("app", "headers")

    def __init__(self, app: Litestar, headers: Mapping[str, str]) -> None:
        self.app = app
        self.headers = headers


class HotPayments:
    """An application in front of the framework's."""

    def __init__(self, app: Litestar) -> None:
        self._app = app
        settings = app.state.operator.settings
        told = headers_with_mint(settings.mint_url, settings.relay_url)
        self._headers = [
            (b"content-type", b"application/json"),
            *((name.lower().encode(), value.encode()) for name, value in told.items()),
        ]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        """Answer a payment, or let the framework answer."""
        if scope.get("path") != _PATH or scope.get("method") != "POST":
            await self._app(scope, receive, send)
            return
        headers = _headers_of(scope)
        if headers is None:
            await self._app(scope, receive, send)
            return
        body, received = await _body(receive)
        answer = None if body is None else await self._answer(headers, body)
        if answer is None:
            await self._app(scope, _Again(received, receive), send)
            return
        length = (b"content-length", b"%d" % len(answer))
        await send(
            {"type": "http.response.start", "status": 201, "headers": [*self._headers, length]}
        )
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, headers: Mapping[str, str], body: bytes) -> bytes | None:
        """Return a successful payment's answer; None where the framework is to answer."""
        try:
            data = _decoder.decode(body)
            view = await make_payment(HotRequest(self._app, headers), data)
        except Exception:  # noqa: BLE001 - whatever it is, the framework meets it again and tells it
            return None
        return _encoder.encode(view)


def _headers_of(scope: Any) -> dict[str, str] | None:  # noqa: ANN401 - ASGI's own types
    """Return the headers of a plain request: JSON of a stated, allowed length, no header twice."""
    raw = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) != len(raw) or headers.get("content-type") != "application/json":
        return None
    length = headers.get("content-length", "")
    is_number = length.isascii() and length.isdigit() and len(length) <= _LENGTH_DIGITS_MAX
    if not is_number or int(length) > REQUEST_BODY_BYTES_MAX:
        return None
    return headers


async def _body(receive: Any) -> tuple[bytes | None, list[Any]]:  # noqa: ANN401 - ASGI's own types
    """Read the body; None where the client went away. With it, the messages that were read."""
    received = []
    body = b""
    while True:
        message = await receive()
        received.append(message)
        if message["type"] != "http.request":
            return None, received
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body, received


class _Again:
    """Tells messages that were read before, then what comes."""

    def __init__(self, received: list[Any], receive: Any) -> None:  # noqa: ANN401 - ASGI's own types
        self._received = received
        self._receive = receive

    async def __call__(self) -> Any:  # noqa: ANN401 - ASGI's own types
        """Return the next message."""
        return self._received.pop(0) if self._received else await self._receive()
