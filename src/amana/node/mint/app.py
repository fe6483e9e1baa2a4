"""The mint as an ASGI application, without a framework.

Nothing is read of a request but its path, its body and, where an address asks for one, its token;
at the root alone also whether it asks for a page.
Nothing is logged of a request, not even of one that failed through a mistake of ours.
"""

import logging
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from amana.kernel import Clock, Unavailable
from amana.node.mint import front
from amana.node.mint.endpoints import Endpoints
from amana.node.mint.guard import Guard
from amana.node.mint.info import MintInfo
from amana.node.mint.retries import Retries
from amana.node.mint.routes import Answer, Fault, Malformed, Request, Route, Table
from amana.node.mint.subscriptions import Subscriptions
from amana.purse.auth.rules import WORKED_IN_VAIN
from amana.purse.limits import BODY_BYTES_MAX
from amana.purse.model import Change, Refusal
from amana.purse.service import Mint

SOCKET_PATH: Final = "/v1/ws"

_CLOSE: Final = (b"connection", b"close")
_QUOTES: Final = "/v1/melt/quote/"
_HEADERS: Final = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    # Wallets are pages of any origin. Nothing here goes by cookies, so there is nothing to lend.
    (b"access-control-allow-origin", b"*"),
]
_PREFLIGHT: Final = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"*, content-type, blind-auth, clear-auth"),
    (b"access-control-max-age", b"7200"),
    (b"cache-control", b"no-store"),
]
_TOKENS: Final = frozenset({b"blind-auth", b"clear-auth"})
_NOT_THERE: Final = "The mint cannot answer for the moment. Ask again with the same request."
_MISTAKE: Final = "The mint made a mistake. Nothing can be said of the request; ask again with it."
_log: Final = logging.getLogger("amana.mint")
_encode: Final = msgspec.json.Encoder().encode


def create_mint_app(
    mint: Mint, info: MintInfo, *, guard: Guard, clock: Clock, more: Iterable[Route] = ()
) -> "MintApp":
    """Make the application of a mint; `more` are addresses beside those of the mint itself."""
    table = Table([*Endpoints(mint, info).routes(), *more])
    page = front.write_front(info)
    return MintApp(table, guard, Retries(clock), Subscriptions(mint), page=page)


class MintApp:
    """Answers requests, and holds the sockets of those who wait for changes."""

    def __init__(
        self,
        table: Table,
        guard: Guard,
        retries: Retries,
        subscriptions: Subscriptions,
        *,
        page: bytes | None = None,
    ) -> None:
        """Put an application together; `page` is what a browser finds at the root, if anything."""
        self.table = table
        self._guard = guard
        self._retries = retries
        self._subscriptions = subscriptions
        self._page = page

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        """Answer one request, or talk over one socket until it closes."""
        if scope["type"] == "websocket":
            if scope["path"] == SOCKET_PATH:
                await self._subscriptions.talk(receive, send)
            else:
                await send({"type": "websocket.close", "code": 1000})
            return
        assert scope["type"] == "http", "the server runs without a lifespan"
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
            await send({"type": "http.response.body", "body": b""})
            return
        if self._page is not None and _is_visit(scope):
            status, body, headers = 200, self._page, [*front.HEADERS]
        else:
            status, body = _told(await self._answer(scope, receive))
            headers = [*_HEADERS]
        headers.append((b"content-length", b"%d" % len(body)))
        if _ends_here(scope):
            headers.append(_CLOSE)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Any, receive: Any) -> Answer:  # noqa: ANN401 - ASGI's own types
        found = self.table.find(scope["method"], scope["path"])
        if isinstance(found, Fault):
            return found
        route, tail = found
        body = await _body(scope, receive) if route.method == "POST" else b""
        if body is None:
            return Fault(413, f"a request takes at most {BODY_BYTES_MAX} bytes")
        try:
            if not route.is_kept:
                return await self._admitted(route, scope, Request(body, tail))
            return await self._retries.once(
                scope["path"], body, lambda: self._admitted(route, scope, Request(body, tail))
            )
        except Malformed as fault:
            return Fault(400, str(fault))
        except Unavailable:
            return Fault(503, _NOT_THERE)
        except Exception as mistake:  # noqa: BLE001 - the edge: a mistake ends one request, not the mint
            # No stack: its lines could show what was sent.
            _log.error("mint_mistake kind=%s path=%s", type(mistake).__name__, route.path)
            return Fault(500, _MISTAKE)

    async def _admitted(self, route: Route, scope: Any, request: Request) -> Answer:  # noqa: ANN401 - ASGI's own types
        """Answer if the guard lets the request in; a calm refusal gives back what let it in."""
        if self.table.is_public(route):
            return await route.answer(request)
        tokens = {
            name.decode(): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in _TOKENS
        }
        admission = await self._guard.admit(route.method, route.path, tokens)
        if isinstance(admission, Refusal):
            return admission
        try:
            answer = await route.answer(Request(request.body, request.tail, admission))
        except BaseException:
            admission.release()
            raise
        if not _uses_up(route, answer):
            admission.release()
            return answer
        try:
            await admission.commit()
        except Unavailable:
            # What was asked is done, and its answer must not be lost with the token's row; the
            # token stays set aside until the mint starts anew.
            _log.warning("mint_token_kept")
        return answer

    def tell(self, change: Change) -> None:
        """Tell subscribers of a change that the mint itself does not see: a quote was paid."""
        self._subscriptions.tell(change)


def _uses_up(route: Route, answer: Answer) -> bool:
    """Say whether an answer is worth its token: success, or work that the asker caused in vain."""
    if isinstance(answer, Refusal):
        return route.is_asking or answer.code in WORKED_IN_VAIN
    return route.is_asking or isinstance(answer, bytes)


def _is_visit(scope: Any) -> bool:  # noqa: ANN401 - ASGI's own types
    is_root = (scope["method"], scope["path"]) == ("GET", "/")
    return is_root and front.asks_for_page(scope["headers"])


def _ends_here(scope: Any) -> bool:  # noqa: ANN401 - ASGI's own types
    """Say whether the connection ends with this answer.

    A page cannot end its browser's connections, and one that served two payments would join them.
    So each ends after its answer, but for a quote's: its payment comes next.
    """
    is_page = any(name == b"origin" for name, _ in scope["headers"])
    return is_page and not scope["path"].startswith(_QUOTES)


def _told(answer: Answer) -> tuple[int, bytes]:
    if isinstance(answer, bytes):
        return 200, answer
    if isinstance(answer, Refusal):
        return 400, _encode({"detail": answer.detail, "code": int(answer.code)})
    return answer.status, _encode({"detail": answer.detail, "code": 0})


async def _body(scope: Any, receive: Any) -> bytes | None:  # noqa: ANN401 - ASGI's own types
    """Read the body; None where it is too long, or the caller went away."""
    for name, value in scope["headers"]:
        if name == b"content-length" and (
            len(value) > len(str(BODY_BYTES_MAX)) or int(value) > BODY_BYTES_MAX
        ):
            return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        # Where it grows: a body in a thousand pieces must not be copied a thousand times.
        body += message.get("body", b"")
        if len(body) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return bytes(body)
