"""Ports of this machine that nobody has: an operator takes several in a row."""

import random
import socket
from contextlib import ExitStack

_FIRST, _LAST = 20_000, 32_000
"""Below the ports that a machine gives to its own connections, which come and go at any time."""


def free_port(in_a_row: int = 4) -> int:
    """Return the first of several free ports in a row."""
    while True:
        first = random.SystemRandom().randrange(_FIRST, _LAST)
        with ExitStack() as taken:
            try:
                for port in range(first, first + in_a_row):
                    taken.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
