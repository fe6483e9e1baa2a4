"""Serving an operator over HTTP until told to stop."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import uvicorn

from amana.node.checkout import create_checkout_app
from amana.node.feed import Feed
from amana.node.http.app import create_framework_app
from amana.node.http.connections import BoundedProtocol
from amana.node.http.hot import HotPayments
from amana.node.http.relaying import sealing_key
from amana.node.mint.operators import create_operator_mint
from amana.node.mint.serving import serving
from amana.node.operator import Operator
from amana.node.workers import keeper_of, run_workers
from amana.relay import Gateway

GRACE_S: Final = 2
_ALLOCATIONS_A_LOOK: Final = 10_000


@dataclass(frozen=True, slots=True)
class Listening:
    """The ports that were taken, one an origin."""

    operator: socket.socket
    mint: socket.socket
    checkout: socket.socket


async def serve(
    operator: Operator,
    listening: Listening,
    *,
    when_ready: Callable[[], Awaitable[None]],
) -> None:
    """Finish what was interrupted, then serve operator, mint and checkout until interrupted."""
    await operator.start()
    await operator.purse.start()
    try:
        await _serve(operator, listening, when_ready)
    finally:
        await operator.purse.stop()
        await keeper_of(operator).stop()


async def _serve(
    operator: Operator,
    listening: Listening,
    when_ready: Callable[[], Awaitable[None]],
) -> None:
    app = create_framework_app(operator)
    mint = create_operator_mint(operator, app.state.openid)
    mint_server = SideServer(serving(Gateway(mint, sealing_key(operator), operator.chance)))
    checkout_server = SideServer(_config(create_checkout_app(operator)))
    server = OperatorServer(_config(HotPayments(app)), operator.feed)
    _spare_the_collector()
    async with (
        _beside(run_workers(operator)),
        _beside(mint_server.serve(sockets=[listening.mint])),
        _beside(checkout_server.serve(sockets=[listening.checkout])),
        _beside(_tell([server, mint_server, checkout_server], when_ready)),
    ):
        await server.serve(sockets=[listening.operator])


def _spare_the_collector() -> None:
    """Let garbage be looked for seldom, and never among what is there at the start and stays.

    At the usual rate the looks took an eighth of the time of a payment from the purse.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_A_LOOK)


def _config(app: Any) -> uvicorn.Config:  # noqa: ANN401 - an ASGI application, as the server takes it
    """Say how an application is served; no log names an address or a request."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        log_config=None,
    )


class OperatorServer(uvicorn.Server):
    """The operator's listener: asked to end, by either signal, it lets all that is open end too."""

    def __init__(self, config: uvicorn.Config, feed: Feed | None = None) -> None:
        super().__init__(config)
        self._feed = feed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams of events first: they never end by themselves."""
        if self._feed is not None:
            self._feed.end()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear signals while serving; uvicorn raises them again when done, which cuts off the rest.

        What is put away after serving would be cancelled at its first wait.
        """
        before = {
            sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


class SideServer(uvicorn.Server):
    """A listener beside the operator's: it ends with that one, which hears the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the operator's server."""
        yield


@asynccontextmanager
async def _beside(work: Awaitable[None]) -> AsyncIterator[None]:
    """Run some work beside the body, and end it with the body."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _tell(
    servers: Sequence[uvicorn.Server], when_ready: Callable[[], Awaitable[None]]
) -> None:
    while not all(server.started for server in servers):  # noqa: ASYNC110 - uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    await when_ready()
