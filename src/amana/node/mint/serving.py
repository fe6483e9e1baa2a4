"""How the mint's origin is served: as the operator's, and with sockets."""

from typing import Any, Final

import uvicorn

from amana.node.http.connections import BoundedProtocol, BoundedSocket

SOCKET_MESSAGE_BYTES_MAX: Final = 131_072
"""Bytes of one command over a socket: one with all the filters a socket may have takes 70,000."""

_PING_S: Final = 20.0
_IDLE_S: Final = 30
"""Seconds a connection may be idle. Clients drop theirs after four; one that is busy with its
e-cash notices later, and must not meet a connection that was closed under its request."""

_GRACE_S: Final = 2


def serving(app: Any) -> uvicorn.Config:  # noqa: ANN401 - an ASGI application, as the server takes it
    """Say how a mint's application is served; no log names an address or a request."""
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws=BoundedSocket,
        ws_max_size=SOCKET_MESSAGE_BYTES_MAX,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        ws_per_message_deflate=False,
        timeout_keep_alive=_IDLE_S,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
        log_config=None,
    )
