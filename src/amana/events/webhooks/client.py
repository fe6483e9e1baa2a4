"""The sending of one message over HTTP, to addresses that are checked before each connection.

A merchant chooses where its messages go, so the operator must not be led into its own network:

- each name is looked up before each attempt, *every* address it has must be allowed, and the
  connection goes to an address that was checked, never to a second look-up of the name;
- with real money the address is public and the connection TLS, with the name in the certificate;
  only with play money may it be this machine, and then plain HTTP too;
- no proxy, certificate store or credential is taken from the environment; no redirection is
  followed, no cookie kept, no answer's body read, no connection used twice.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_address
from socket import SOCK_STREAM
from typing import Final, Self

import httpx

from amana.events.webhooks.model import Answered, NoAnswer, Outcome, Target
from amana.events.webhooks.rules import is_allowed, read_url

TIMEOUT_MS: Final = 15_000
"""Milliseconds one attempt may take, from the look-up of the name to the answer's headers."""

_ADDRESSES_TRIED_MAX: Final = 4
_CONNECTIONS_MAX: Final = 64
_NOT_KEPT: Final = httpx.Limits(max_connections=_CONNECTIONS_MAX, max_keepalive_connections=0)
_log: Final = logging.getLogger("amana.webhooks")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks up the addresses of a name; raises OSError where there are none."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """Look up a name as the machine does, in the resolver's own thread."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class HttpPoster:
    """Sends messages; enter it before the first and leave it after the last."""

    def __init__(
        self,
        *,
        is_play_money: bool,
        product: str = "Amana",
        resolve: Resolve = look_up,
        certificates: ssl.SSLContext | None = None,
        timeout_ms: int = TIMEOUT_MS,
    ) -> None:
        """Prepare to send; `certificates` replaces the certificates that are trusted."""
        self._is_play_money = is_play_money
        self._product = product
        self._resolve = resolve
        self._timeout_ms = timeout_ms
        # The transport itself, not a client: a client keeps cookies, which would wander between
        # merchants that share an address.
        self._transport = httpx.AsyncHTTPTransport(
            verify=certificates or True, trust_env=False, limits=_NOT_KEPT
        )

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send a message, once, and return what came of it."""
        target = read_url(url)
        assert target is not None, "an address was read before it was kept"
        try:
            async with asyncio.timeout(self._timeout_ms / 1_000):
                return await self._post(target, headers, body)
        except (TimeoutError, httpx.TimeoutException):
            return NoAnswer.TIMEOUT
        except (httpx.ProtocolError, httpx.InvalidURL, UnicodeError):
            return NoAnswer.NOT_UNDERSTOOD
        except (httpx.TransportError, OSError):
            return NoAnswer.CONNECTION_FAILED

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Outcome:
        addresses = [ip_address(text) for text in await self._resolve(target.host, target.port)]
        allowed = [
            is_allowed(address, target, is_play_money=self._is_play_money) for address in addresses
        ]
        if not all(allowed):
            return NoAnswer.ADDRESS_NOT_ALLOWED
        for address in dict.fromkeys(addresses[:_ADDRESSES_TRIED_MAX]):
            try:
                return await self._post_to(str(address), target, headers, body)
            except httpx.ConnectError as failure:
                _log.debug("webhook_connection_failed reason=%s", type(failure).__name__)
        return NoAnswer.CONNECTION_FAILED

    async def _post_to(
        self, address: str, target: Target, headers: Mapping[str, str], body: bytes
    ) -> Outcome:
        request = httpx.Request(
            "POST",
            httpx.URL(
                scheme="https" if target.is_secure else "http",
                host=address,
                port=target.port,
                raw_path=target.path.encode("ascii"),
            ),
            headers={
                **headers,
                "host": target.authority,
                "content-type": "application/json",
                "user-agent": self._product,
            },
            content=body,
            # The certificate must carry the merchant's name, though we connect to an address.
            extensions={"sni_hostname": target.host},
        )
        response = await self._transport.handle_async_request(request)
        try:
            return Answered(response.status_code)
        finally:
            await response.aclose()
