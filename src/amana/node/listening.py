"""Taking a port, apart from what is served there."""

import socket
from typing import Final

_BACKLOG: Final = 1_024
_PORT_MAX: Final = 65_535


class PortTaken(Exception):  # noqa: N818 - told to the person at the keyboard
    """Another program listens on the port, or there is no such port."""


def listen(host: str, port: int) -> socket.socket:
    """Take a port.

    Raises:
        PortTaken: Somebody else has it, or there is no such port.
    """
    if not 0 <= port <= _PORT_MAX:
        raise PortTaken(
            f"Port {port} is none: they go from 0 to {_PORT_MAX}. Nothing was started. "
            "Choose another one with --port."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError as refusal:
        taken.close()
        raise PortTaken(
            f"Port {port} of {host} cannot be taken: {refusal.strerror}. Nothing was started. "
            "Stop the other program, or choose another port with --port."
        ) from None
    taken.listen(_BACKLOG)
    return taken
