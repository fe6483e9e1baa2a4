"""Serving an operator over HTTP until told to stop."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import uvicorn

from amana.node.http.app import create_app
from amana.node.http.connections import BoundedProtocol
from amana.node.operator import Operator
from amana.node.workers import run_workers

GRACE_S: Final = 2


async def serve(
    operator: Operator, listening: socket.socket, *, when_ready: Callable[[], Awaitable[None]]
) -> None:
    """Finish what was interrupted, then serve until interrupted."""
    await operator.start()
    # What is there at the start stays: the collector need not walk over it again and again.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        create_app(operator),
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
    server = uvicorn.Server(config)
    async with _beside(run_workers(operator)), _beside(_tell(server, when_ready)):
        await server.serve(sockets=[listening])


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


async def _tell(server: uvicorn.Server, when_ready: Callable[[], Awaitable[None]]) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    await when_ready()
