"""The relay itself: takes sealed requests, brings them to the mints it was started for.

`POST /HOST` forwards to the mint at that host, `GET /HOST` tells the mint's key as it is told to
everybody. Nothing of the asker goes along: no address, no header. Nothing is stored or logged.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from amana.relay.bodies import Answer, answer_with, header, read_body
from amana.relay.gateway import GATEWAY_PATH
from amana.relay.sealing import KEYS_TYPE, REQUEST_TYPE, RESPONSE_TYPE, SEALED_BYTES_MAX

AT_ONCE_MAX: Final = 64
"""Requests under way; one more is told to come again."""
ANSWER_S: Final = 20.0
"""Seconds that a mint has to answer."""
KEYS_KEPT_S: Final = 300.0
"""Seconds for which a mint's key is told to everybody alike, however often the mint changes it."""

_KEYS_BYTES_MAX: Final = 4_096
_TOLD_TYPES: Final = frozenset({RESPONSE_TYPE, "application/problem+json"})
_STATUS_OK: Final = 200
_PREFLIGHT: Final = (
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"content-type"),
    (b"access-control-max-age", b"7200"),
)
_AGAIN: Final = Answer(503, more=((b"retry-after", b"1"),))


class RelayApp:
    """An ASGI application; `close` when it is not served any more."""

    def __init__(
        self, mints: Sequence[str], *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Begin.

        Args:
            mints: Addresses of the mints to forward to, and to no others.
            transport: Another way to them than the network.
        """
        self._mints = {urlsplit(mint).netloc: _gateway_of(mint) for mint in mints}
        self._under_way = 0
        self._keys: dict[str, tuple[float, bytes]] = {}
        self._asking = {host: asyncio.Lock() for host in self._mints}
        self._client = httpx.AsyncClient(
            transport=transport,
            # The headers are the relay's own, the same for everybody.
            headers={"user-agent": "amana-relay", "accept-encoding": "identity"},
            timeout=ANSWER_S,
            limits=httpx.Limits(max_connections=AT_ONCE_MAX),
            follow_redirects=False,
            trust_env=False,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        """Answer one request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        await answer_with(send, await self._answer(scope, receive))

    async def close(self) -> None:
        """End the connections to the mints."""
        await self._client.aclose()

    async def _answer(self, scope: Any, receive: Any) -> Answer:  # noqa: ANN401 - ASGI's own types
        host = scope["path"].removeprefix("/")
        mint = self._mints.get(host)
        if mint is None:
            return Answer(404)
        if scope["method"] == "OPTIONS":
            return Answer(204, more=_PREFLIGHT)
        sealed: bytes | None = b""
        if scope["method"] == "POST":
            # Read before a place is taken: who sends slowly holds up nobody but itself.
            try:
                async with asyncio.timeout(ANSWER_S):
                    sealed = await read_body(scope, receive, SEALED_BYTES_MAX)
            except TimeoutError:
                return Answer(408)
        if sealed is None:
            return Answer(413)
        if self._under_way >= AT_ONCE_MAX:
            return _AGAIN
        self._under_way += 1
        try:
            async with asyncio.timeout(ANSWER_S):
                if scope["method"] == "GET":
                    return await self._key(host, mint)
                if scope["method"] == "POST":
                    return await self._forwarded(host, scope, sealed)
        except TimeoutError:
            return Answer(504)
        except httpx.HTTPError:
            return Answer(502)
        finally:
            self._under_way -= 1
        return Answer(405)

    async def _key(self, host: str, mint: str) -> Answer:
        """Tell a mint's key, the same to everybody for a while.

        One at a time asks the mint: keys told to several at once could be told apart afterwards.
        """
        async with self._asking[host]:
            until, kept = self._keys.get(host, (0.0, b""))
            now = asyncio.get_running_loop().time()
            if now >= until:
                ask = self._client.build_request("GET", mint, headers={"host": host})
                told, key = await self._told(ask, _KEYS_BYTES_MAX)
                if key is None or told.status_code != _STATUS_OK or _media_type(told) != KEYS_TYPE:
                    return Answer(502)
                kept = key
                self._keys[host] = now + KEYS_KEPT_S, kept
        return Answer(200, KEYS_TYPE, kept)

    async def _forwarded(self, host: str, scope: Any, sealed: bytes) -> Answer:  # noqa: ANN401 - ASGI's own types
        if header(scope, b"content-type") != REQUEST_TYPE.encode():
            return Answer(415)
        ask = self._client.build_request(
            "POST",
            self._mints[host],
            content=sealed,
            headers={"host": host, "content-type": REQUEST_TYPE},
        )
        told, body = await self._told(ask, SEALED_BYTES_MAX)
        media_type = _media_type(told)
        if body is None or media_type not in _TOLD_TYPES:
            return Answer(told.status_code if told.is_error else 502)
        return Answer(told.status_code, media_type, body)

    async def _told(
        self, ask: httpx.Request, bytes_max: int
    ) -> tuple[httpx.Response, bytes | None]:
        """Ask a mint; the body is None where it is longer than allowed."""
        told = await self._client.send(ask, stream=True)
        try:
            return told, await _bounded(told, bytes_max)
        finally:
            await told.aclose()


def _gateway_of(mint: str) -> str:
    """Return the address of a mint's gateway.

    Names that end with `.localhost` are this machine (RFC 6761, section 6.3), which not every
    system's resolver knows.
    """
    parts = urlsplit(mint)
    if (parts.hostname or "").endswith(".localhost"):
        port = "" if parts.port is None else f":{parts.port}"
        return f"{parts.scheme}://127.0.0.1{port}{GATEWAY_PATH}"
    return mint.rstrip("/") + GATEWAY_PATH


def _media_type(told: httpx.Response) -> str:
    return str(told.headers.get("content-type", ""))


async def _bounded(told: httpx.Response, bytes_max: int) -> bytes | None:
    """Read an answer; None where it is longer than allowed."""
    body = b""
    async for part in told.aiter_bytes():
        body += part
        if len(body) > bytes_max:
            return None
    return body
