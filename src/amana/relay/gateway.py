"""The mint's side of a relay: opens what was sealed to it, asks the mint in this process, seals.

Around the mint's application, on the mint's own listener. Nothing is logged of a request. A request
that a relay sends twice meets itself at the mint: e-cash and tokens are spent once (RFC 9458,
section 6.5).
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from amana.kernel import Chance
from amana.relay.bodies import Answer, answer_with, header, read_body
from amana.relay.sealing import (
    KEYS_TYPE,
    REQUEST_TYPE,
    RESPONSE_TYPE,
    SEALED_BYTES_MAX,
    SIZES,
    KeyUnknown,
    SealBroken,
    SealingKey,
)
from amana.wire.binary_http import BinaryRequest, BinaryResponse, padded, read_request
from amana.wire.binary_http import write_response as write_binary
from amana.wire.faults import Malformed

GATEWAY_PATH: Final = "/relay"

_PASSED: Final = frozenset({b"accept", b"blind-auth", b"clear-auth", b"content-type"})
"""Headers that the mint reads; whatever else was sealed is dropped."""
_METHODS: Final = frozenset({b"GET", b"POST"})
_KEY_PROBLEM: Final = "https://iana.org/assignments/http-problem-types#ohttp-key"
_PROBLEM_TYPE: Final = "application/problem+json"

App = Callable[[Any, Any, Any], Any]


class Gateway:
    """An application around the mint's, with one more address."""

    def __init__(self, app: App, key: SealingKey, chance: Chance) -> None:
        self._app = app
        self._key = key
        self._chance = chance

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        """Answer what a relay brings; leave all else to the mint."""
        if scope["type"] != "http" or scope["path"] != GATEWAY_PATH:
            await self._app(scope, receive, send)
            return
        await answer_with(send, await self._answer(scope, receive))

    async def _answer(self, scope: Any, receive: Any) -> Answer:  # noqa: ANN401 - ASGI's own types
        if scope["method"] == "GET":
            return Answer(200, KEYS_TYPE, self._key.config)
        if scope["method"] != "POST":
            return Answer(405)
        if header(scope, b"content-type") != REQUEST_TYPE.encode():
            return Answer(415)
        sealed = await read_body(scope, receive, SEALED_BYTES_MAX)
        if sealed is None:
            return Answer(413)
        try:
            message, seals = self._key.open(sealed)
        except KeyUnknown:
            # So that a wallet knows to fetch the key anew (RFC 9458, section 5.3).
            problem = {"type": _KEY_PROBLEM, "title": "the request was sealed to another key"}
            return Answer(400, _PROBLEM_TYPE, msgspec.json.encode(problem))
        except SealBroken:
            return Answer(400)
        told = padded(write_binary(await self._asked(message)), SIZES)
        return Answer(200, RESPONSE_TYPE, seals.seal(told, self._chance))

    async def _asked(self, message: bytes) -> BinaryResponse:
        """Ask the mint; what is wrong with the sealed request is told under the seal."""
        request = read_request(message)
        if isinstance(request, Malformed) or request.method not in _METHODS:
            return BinaryResponse(400)
        path, question, _ = request.path.partition(b"?")
        if question or not path.isascii():
            return BinaryResponse(400)
        return await _ask(self._app, request, path.decode())


async def _ask(app: App, request: BinaryRequest, path: str) -> BinaryResponse:
    """Ask an application in this process, as its server would."""
    waiting: list[dict[str, Any]] = [
        {"type": "http.request", "body": request.content, "more_body": False}
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(part: dict[str, Any]) -> None:
        sent.append(part)

    headers = [(name, value) for name, value in request.fields if name in _PASSED]
    scope = {
        "type": "http",
        "method": request.method.decode(),
        "path": path,
        "headers": [*headers, (b"content-length", b"%d" % len(request.content))],
    }
    await app(scope, receive, send)
    start, *parts = sent
    kept = tuple((name, value) for name, value in start["headers"] if name == b"content-type")
    return BinaryResponse(start["status"], kept, b"".join(part["body"] for part in parts))
