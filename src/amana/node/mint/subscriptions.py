"""Live updates over WebSocket (NUT-17): JSON-RPC to subscribe, then the state and its changes.

A subscriber costs memory alone: what changed is noted, and the present state is looked up when it
is sent. Everything is bounded: sockets, subscriptions and filters of each, and what waits to be
sent to somebody who does not read. Whoever comes is let in; where there are too many, that socket
goes which is of least use, and nothing is known of it but what it watches and since when.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from amana.kernel import Unavailable
from amana.node.mint import shapes
from amana.node.mint.routes import Malformed
from amana.purse.limits import STATES_MAX
from amana.purse.model import Change, ChangeKind, Refusal
from amana.purse.service import Mint

SOCKETS_MAX: Final = 200
"""Sockets at once. One more, and that goes which watches nothing, or was told and told nothing, for
the longest time: sockets that do nothing cost a stranger nothing, and must keep nobody out."""

SUBSCRIPTIONS_MAX: Final = 100
"""Subscriptions of one socket."""

FILTERS_MAX: Final = 1_000
"""Filters of one socket, over all its subscriptions."""

WAITING_MAX: Final = 2_000
"""Messages that wait for a subscriber who does not read; one more closes the socket."""

WATCHERS_MAX: Final = 16
"""Who may wait for one thing, over all sockets. A change is looked up and sent for each of them,
20 µs, before anything else is answered; so 500 proofs that are spent at once cost 0.2 s at most."""

_NAME_CHARACTERS_MAX: Final = 256
_TRY_AGAIN_LATER: Final = 1013
_TOO_SLOW: Final = 1008
_MISTAKE: Final = 1011
_CLOSE_S: Final = 1.0

_PARSE_ERROR: Final = -32700
_INVALID_REQUEST: Final = -32600
_METHOD_NOT_FOUND: Final = -32601
_INVALID_PARAMS: Final = -32602
_UNAVAILABLE: Final = -32000

_ISSUE: Final = "_mint_quote"
_REDEEM: Final = "_melt_quote"


class _Params(msgspec.Struct):
    subId: str  # noqa: N815 - the specification's
    kind: str = ""
    filters: list[str] = []


class _Command(msgspec.Struct):
    method: str
    params: _Params
    id: int = 0


class _Topic(NamedTuple):
    """One thing that is watched: a proof by its nullifier, or a quote by its id and method."""

    kind: ChangeKind
    key: bytes
    method: str = ""


_Named = tuple[_Topic, str]
"""A topic, and how its subscriber named it."""


class _Note(NamedTuple):
    """What to look up and send, under a subscription's name."""

    name: str
    topics: Sequence[_Named]


class _Wrong(Exception):  # noqa: N818 - told to the subscriber
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


_decoder: Final = msgspec.json.Decoder(_Command)
_encode: Final = msgspec.json.Encoder().encode


class Subscriptions:
    """Who waits for what."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._sockets: dict[_Socket, None] = {}
        self._watchers: defaultdict[tuple[ChangeKind, bytes], list[_Watch]] = defaultdict(list)
        mint.subscribe(self.tell)

    def tell(self, change: Change) -> None:
        """Note a change for everybody who waits for it."""
        for watch in self._watchers.get((change.kind, change.key), ()):
            watch.note()

    async def talk(self, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        """Talk over one socket until either side ends it."""
        await receive()
        socket = _Socket(self, self._mint)
        self._sockets[socket] = None
        if len(self._sockets) > SOCKETS_MAX:
            self._make_room()
        try:
            await send({"type": "websocket.accept"})
            await socket.talk(receive, send)
        finally:
            self._sockets.pop(socket, None)
            socket.forget_all()

    def stir(self, socket: "_Socket") -> None:
        """Note that a socket was of use: of those that are alike it is the last to go."""
        if socket in self._sockets:
            del self._sockets[socket]
            self._sockets[socket] = None

    def _make_room(self) -> None:
        *others, _ = self._sockets
        idle = next((one for one in others if not one.is_watching), others[0])
        del self._sockets[idle]
        idle.leave(_TRY_AGAIN_LATER)

    def is_crowded(self, topic: "_Topic") -> bool:
        """Say whether as many as may wait for a topic already."""
        return len(self._watchers.get((topic.kind, topic.key), ())) >= WATCHERS_MAX

    def watch(self, watch: "_Watch") -> None:
        """Begin to tell of a topic."""
        self._watchers[watch.topic.kind, watch.topic.key].append(watch)

    def unwatch(self, watch: "_Watch") -> None:
        """Tell no more."""
        key = (watch.topic.kind, watch.topic.key)
        self._watchers[key].remove(watch)
        if not self._watchers[key]:
            del self._watchers[key]


class _Watch(NamedTuple):
    topic: _Topic
    note: Callable[[], None]


class _Subscription(NamedTuple):
    topics: list[_Named]
    watches: list[_Watch]


class _Socket:
    """One socket's subscriptions, and what waits to be sent over it."""

    def __init__(self, subscriptions: Subscriptions, mint: Mint) -> None:
        self._all = subscriptions
        self._mint = mint
        self._begun: dict[str, _Subscription] = {}
        self._waiting: asyncio.Queue[bytes | _Note] = asyncio.Queue(WAITING_MAX)
        self._leaving: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def is_watching(self) -> bool:
        """Say whether it has a subscription."""
        return bool(self._begun)

    def leave(self, code: int) -> None:
        """Close it, with this code, from our side."""
        if not self._leaving.done():
            self._leaving.set_result(code)

    async def talk(self, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        """Take commands, and send answers and changes."""
        hearing = asyncio.ensure_future(self._hear(receive))
        sending = asyncio.ensure_future(self._send(send))
        tasks = (hearing, sending, self._leaving)
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if hearing not in done:
                # Watching ends at once, however long the other side takes to hear of it.
                self.forget_all()
                code = self._leaving.result() if self._leaving in done else _MISTAKE
                # The other side may be gone already, or never read.
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(_CLOSE_S):
                        await send({"type": "websocket.close", "code": code})
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def forget_all(self) -> None:
        """End every subscription."""
        for name in list(self._begun):
            self._forget(name)

    async def _hear(self, receive: Any) -> None:  # noqa: ANN401 - ASGI's own types
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            self._all.stir(self)
            self._put(self._answer(message.get("text") or message.get("bytes") or ""))

    async def _send(self, send: Any) -> None:  # noqa: ANN401 - ASGI's own types
        while True:
            waiting = await self._waiting.get()
            if isinstance(waiting, bytes):
                await send({"type": "websocket.send", "text": waiting.decode()})
                continue
            try:
                payloads = await self._payloads(waiting.topics)
            except Unavailable:
                continue  # the next change is told again; a subscription promises no delivery
            for payload in payloads:
                message = {
                    "jsonrpc": "2.0",
                    "method": "subscribe",
                    "params": {"subId": waiting.name, "payload": payload},
                }
                await send({"type": "websocket.send", "text": _encode(message).decode()})
            self._all.stir(self)

    def _put(self, waiting: bytes | _Note) -> None:
        try:
            self._waiting.put_nowait(waiting)
        except asyncio.QueueFull:
            self.leave(_TOO_SLOW)

    # Commands

    def _answer(self, text: str | bytes) -> bytes:
        number = 0
        try:
            command = _decoder.decode(text)
            number = command.id
            self._carry_out(command)
        except msgspec.ValidationError as fault:
            return _error(number, _INVALID_REQUEST, str(fault))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return _error(number, _PARSE_ERROR, "this is not JSON")
        except _Wrong as wrong:
            return _error(number, wrong.code, str(wrong))
        result = {"status": "OK", "subId": command.params.subId}
        return _encode({"jsonrpc": "2.0", "result": result, "id": number})

    def _carry_out(self, command: _Command) -> None:
        params = command.params
        if len(params.subId) > _NAME_CHARACTERS_MAX:
            raise _Wrong(_INVALID_PARAMS, "a subId has at most 256 characters")
        if command.method == "subscribe":
            self._begin(params)
        elif command.method == "unsubscribe":
            if params.subId not in self._begun:
                raise _Wrong(_INVALID_PARAMS, "subscription not found")
            self._forget(params.subId)
        else:
            raise _Wrong(_METHOD_NOT_FOUND, "the methods are subscribe and unsubscribe")

    def _begin(self, params: _Params) -> None:
        if params.subId in self._begun:
            raise _Wrong(_INVALID_PARAMS, "this subId is in use")
        if len(self._begun) >= SUBSCRIPTIONS_MAX:
            raise _Wrong(_INVALID_PARAMS, f"a socket has at most {SUBSCRIPTIONS_MAX} subscriptions")
        watched = sum(len(each.topics) for each in self._begun.values())
        if watched + len(params.filters) > FILTERS_MAX:
            raise _Wrong(_INVALID_PARAMS, f"a socket has at most {FILTERS_MAX} filters")
        name = params.subId
        of, method = self._read_kind(params.kind)
        # Each once, however often and in whichever case it is named.
        named = {text.lower(): text for text in params.filters}.values()
        read = [(_read_topic(of, method, text), text) for text in named]
        topics = [(topic, text) for topic, text in read if topic is not None]
        if any(self._all.is_crowded(topic) for topic, _ in topics):
            raise _Wrong(_INVALID_PARAMS, f"one thing is watched by at most {WATCHERS_MAX}")
        watches = [_Watch(topic, self._noting(name, topic, text)) for topic, text in topics]
        self._begun[name] = _Subscription(topics, watches)
        for watch in watches:
            self._all.watch(watch)
        # Later, so that the answer to the command goes first. The list is the subscription's own:
        # it is empty when that ends, so that what waits to be sent holds nothing of it.
        asyncio.get_running_loop().call_soon(self._put, _Note(name, topics))

    def _read_kind(self, kind: str) -> tuple[ChangeKind, str]:
        if kind == ChangeKind.PROOF:
            return ChangeKind.PROOF, ""
        for ending, of, methods in (
            (_ISSUE, ChangeKind.ISSUE_QUOTE, self._mint.issue_methods),
            (_REDEEM, ChangeKind.REDEEM_QUOTE, self._mint.redeem_methods),
        ):
            method = kind.removesuffix(ending)
            if method != kind and method in methods:
                return of, method
        raise _Wrong(_INVALID_PARAMS, "this kind of subscription is not supported")

    def _noting(self, name: str, topic: _Topic, text: str) -> Callable[[], None]:
        note = _Note(name, ((topic, text),))
        return lambda: self._put(note)

    def _forget(self, name: str) -> None:
        ended = self._begun.pop(name)
        for watch in ended.watches:
            self._all.unwatch(watch)
        ended.topics.clear()

    # States

    async def _payloads(self, topics: Sequence[_Named]) -> list[Any]:
        proofs = [pair for pair in topics if pair[0].kind is ChangeKind.PROOF]
        payloads: list[Any] = []
        for start in range(0, len(proofs), STATES_MAX):
            some = proofs[start : start + STATES_MAX]
            states = await self._mint.states([topic.key for topic, _ in some])
            assert not isinstance(states, Refusal), "no more are asked after than allowed"
            payloads += [
                shapes.state_view(bytes.fromhex(text), state)
                for (_, text), state in zip(some, states, strict=True)
            ]
        for topic, _ in topics:
            payload = await self._quote(topic)
            if payload is not None:
                payloads.append(payload)
        return payloads

    async def _quote(self, topic: _Topic) -> object | None:
        if topic.kind is ChangeKind.ISSUE_QUOTE:
            issue = await self._mint.find_issue_quote(topic.method, topic.key)
            return None if issue is None else shapes.issue_quote_view(issue)
        if topic.kind is ChangeKind.REDEEM_QUOTE:
            redeem = await self._mint.find_redeem_quote(topic.method, topic.key)
            if redeem is not None:
                return shapes.redeem_quote_view(redeem) | self._mint.fields(redeem)
        return None


def _read_topic(of: ChangeKind, method: str, text: str) -> _Topic | None:
    """Read what is to be watched; None where no quote can have such an id."""
    if of is ChangeKind.PROOF:
        try:
            return _Topic(of, shapes.read_point(text)[1:])
        except Malformed as fault:
            raise _Wrong(_INVALID_PARAMS, str(fault)) from None
    quote_id = shapes.read_quote_id(text)
    return None if quote_id is None else _Topic(of, quote_id, method)


def _error(number: int, code: int, message: str) -> bytes:
    error: dict[Literal["code", "message"], object] = {"code": code, "message": message}
    return _encode({"jsonrpc": "2.0", "error": error, "id": number})
