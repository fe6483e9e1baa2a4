"""`amana relay`: pass sealed requests on to mints, for whoever runs no operator."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Final

import uvicorn
import uvloop
from cyclopts import Parameter
from rich.console import Console

from amana.cli.exits import Failed
from amana.node.http.connections import BoundedProtocol
from amana.node.listening import listen
from amana.node.server import OperatorServer, SideServer
from amana.relay import RelayApp

_GRACE_S: Final = 2


def relay(
    *,
    mint: Annotated[list[str], Parameter(negative=())],
    port: int = 8403,
    address: str = "127.0.0.1",
) -> None:
    """Pass sealed requests of wallets on to mints, until interrupted.

    Whoever runs this learns from where requests come and their size to the nearest of a few, and
    keeps neither. The mint learns what is asked, and not from where. It needs no data folder.

    Args:
        mint: A mint to pass on to, by its address; may be given again for more.
        port: Where to listen.
        address: On which of this machine's addresses; the default is this machine only.
    """
    wrong = [each for each in mint if not each.startswith(("http://", "https://"))]
    if not mint or wrong:
        raise Failed("Name each mint by its address: --mint https://mint.example")
    console = Console(highlight=False)

    async def tell() -> None:
        names = ", ".join(mint)
        console.print(f"Relaying on {address}:{port} to {names}. Stop with Ctrl-C.", markup=False)

    uvloop.run(_serve(mint, listen(address, port), when_ready=tell))


async def _serve(
    mints: Sequence[str], listening: socket.socket, *, when_ready: Callable[[], Awaitable[None]]
) -> None:
    app = RelayApp(mints)
    server = OperatorServer(_config(app))
    telling = asyncio.ensure_future(_tell(server, when_ready))
    try:
        await server.serve(sockets=[listening])
    finally:
        telling.cancel()
        await app.close()


async def _tell(server: uvicorn.Server, when_ready: Callable[[], Awaitable[None]]) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    await when_ready()


@asynccontextmanager
async def relay_beside(mints: Sequence[str], listening: socket.socket) -> AsyncIterator[None]:
    """Run a relay beside the body, on the same loop: the demo's alone."""
    app = RelayApp(mints)
    server = SideServer(_config(app))
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
        await app.close()


def _config(app: RelayApp) -> uvicorn.Config:
    """Say how a relay is served; no log names an address or a request."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
        log_config=None,
    )
