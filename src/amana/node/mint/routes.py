"""What an address of the mint is: its path, who may use it, and what answers it."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from amana.purse.auth import Access, Admission, access_of
from amana.purse.model import Refusal

NOT_FOUND_DETAIL: Final = "there is no such address at this mint"


class Fault(msgspec.Struct, frozen=True):
    """An answer for which the specifications have no code: told with an HTTP status and code 0."""

    status: int
    detail: str


class Malformed(Exception):  # noqa: N818 - told to the caller
    """The request was not understood. The text says why, and repeats nothing of it."""


class Request(NamedTuple):
    """As much of a request as anything here reads.

    `tail` is the last part of the path where the route ends with `*`, else empty. `admission` is
    there where the address is not public.
    """

    body: bytes
    tail: str
    admission: Admission | None = None


Answer = bytes | Refusal | Fault


class Route(NamedTuple):
    """One address. A path that ends with `/*` stands for anything without a further slash.

    What it asks of a caller is decided in one place for all addresses, by `access_of`. `is_kept`
    says that a success is kept for a minute, to be repeated to the same request (NUT-19).
    `is_asking` says that a refusal too tells something, and so uses up what let the request in.
    """

    method: str
    path: str
    answer: Callable[[Request], Awaitable[Answer]]
    is_kept: bool = False
    is_asking: bool = False


class Table:
    """Finds the route of a path by look-up alone, and knows which of them anybody may use."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[tuple[str, str], Route] = {}
        for route in routes:
            key = (route.method, route.path)
            assert key not in self._routes, "an address has one meaning"
            self._routes[key] = route
        self._paths = {path for _, path in self._routes}
        self._public = {key for key in self._routes if access_of(*key) is Access.PUBLIC}

    def __iter__(self) -> Iterator[Route]:
        """Go through all routes."""
        return iter(self._routes.values())

    def is_public(self, route: Route) -> bool:
        """Say whether anybody may use an address without a token."""
        return (route.method, route.path) in self._public

    def find(self, method: str, path: str) -> tuple[Route, str] | Fault:
        """Return the route with the tail of the path, or why there is none."""
        head, _, tail = path.rpartition("/")
        if tail == "*":
            return Fault(404, NOT_FOUND_DETAIL)
        route = self._routes.get((method, path))
        if route is not None:
            return route, ""
        starred = f"{head}/*" if tail else ""
        route = self._routes.get((method, starred))
        if route is not None:
            return route, tail
        if path in self._paths or starred in self._paths:
            return Fault(405, "this address is asked in another way")
        return Fault(404, NOT_FOUND_DETAIL)
