"""The mint's door: each request is admitted, or refused, before anything is done for it."""

from collections.abc import Mapping
from typing import Protocol

from amana.kernel import AmanaId, Clock
from amana.purse.auth.model import Access
from amana.purse.auth.ports import ClearTokens
from amana.purse.auth.rules import access_of
from amana.purse.auth.service import BlindAuth, SpentToken
from amana.purse.model import Code, Refusal
from amana.purse.rules.refusals import plain

_HEADER_CHARACTERS_MAX = 4_096


class Admission(Protocol):
    """Leave for one request; ended by exactly one of `commit` and `release`."""

    @property
    def party(self) -> AmanaId | None:
        """The customer whom a clear token named; None at every other address."""

    async def commit(self) -> None:
        """The request succeeded, or cost as much: what it was admitted by is used up."""

    def release(self) -> None:
        """The request changed and cost nothing: what it was admitted by is as good as before."""


class _Open:
    """Leave that nothing was given for."""

    def __init__(self, party: AmanaId | None = None) -> None:
        self.party = party

    async def commit(self) -> None:
        """Nothing is used up."""

    def release(self) -> None:
        """Nothing is given back."""


class _Paid:
    """Leave for which a blind token was set aside."""

    party = None

    def __init__(self, token: SpentToken) -> None:
        self._token = token

    async def commit(self) -> None:
        """Use the token up."""
        await self._token.commit()

    def release(self) -> None:
        """Give the token back."""
        self._token.release()


_OPEN = _Open()


class MintGuard:
    """Asks of each request what its address is listed with."""

    def __init__(
        self, *, auth: BlindAuth, clear: ClearTokens, clock: Clock, asks_blind: bool
    ) -> None:
        """Join the parts.

        Args:
            auth: Gives and takes blind tokens.
            clear: Reads clear tokens.
            clock: Tells when.
            asks_blind: Whether the operator rations swaps and redemptions by blind tokens.
        """
        self._auth = auth
        self._clear = clear
        self._clock = clock
        self._asks_blind = asks_blind

    async def admit(
        self, method: str, path: str, headers: Mapping[str, str]
    ) -> Admission | Refusal:
        """Admit a request, or refuse it.

        Args:
            method: In capitals.
            path: Of the route, which may end with `/*`.
            headers: Those that bear tokens, by lower-case name.
        Raises:
            Unavailable: The signatory is gone.
        """
        access = access_of(method, path)
        if access is Access.CLEAR:
            return self._named(headers.get("clear-auth", ""))
        is_free = access is Access.BLIND and not self._asks_blind
        if access is Access.PUBLIC or is_free:
            return _OPEN
        token = await self._auth.admit(headers.get("blind-auth"))
        return token if isinstance(token, Refusal) else _Paid(token)

    def _named(self, token: str) -> Admission | Refusal:
        if not token:
            return plain(Code.CLEAR_AUTH_MISSING)
        is_long = len(token) > _HEADER_CHARACTERS_MAX
        party = None if is_long else self._clear.party_of(token, self._clock.now())
        if party is None:
            return plain(Code.CLEAR_AUTH_FAILED)
        return _Open(party)
