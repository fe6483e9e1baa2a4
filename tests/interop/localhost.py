"""Runs a Python program on a machine whose resolver may not know names under localhost.

Usage: python localhost.py program [arguments]
"""

import runpy
import socket
import sys
from typing import Any

_resolve = socket.getaddrinfo


def resolve(host: Any, *rest: Any, **options: Any) -> Any:
    """Find an address; a name under localhost is this machine (RFC 6761)."""
    name = host.decode() if isinstance(host, bytes) else host
    is_here = isinstance(name, str) and name.endswith(".localhost")
    return _resolve("127.0.0.1" if is_here else host, *rest, **options)


if __name__ == "__main__":
    socket.getaddrinfo = resolve
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
