"""Who may use an address of the mint, where its operator asks for no tokens."""

from collections.abc import Mapping
from typing import Protocol

from amana.kernel import AmanaId
from amana.purse.auth import Access, Admission, access_of
from amana.purse.model import Code, Refusal
from amana.purse.rules.refusals import plain


class Guard(Protocol):
    """Lets a request in, or says why not. Asked of every address that is not public."""

    async def admit(
        self, method: str, path: str, headers: Mapping[str, str]
    ) -> Admission | Refusal:
        """Check the tokens of a request to a route; names of headers are in lower case."""


class _Free:
    """Leave that nothing was given for."""

    @property
    def party(self) -> AmanaId | None:
        """Nobody is named."""
        return None

    async def commit(self) -> None:
        """Use up nothing."""

    def release(self) -> None:
        """Give back nothing."""


_FREE = _Free()


class OpenGuard:
    """Lets everybody in, but nobody to where a customer has to be named."""

    async def admit(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],  # noqa: ARG002 - the port's
    ) -> Admission | Refusal:
        """Let a request in."""
        if access_of(method, path) is Access.CLEAR:
            return plain(Code.CLEAR_AUTH_MISSING)
        return _FREE
