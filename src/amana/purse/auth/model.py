"""The words of access to the mint: blind tokens, how many of them, and which address asks what."""

from enum import StrEnum
from typing import Final

import msgspec

from amana.purse.keysets import AUTH_UNIT

__all__ = [
    "AUTH_UNIT",
    "TOKENS_AT_ONCE_MAX",
    "Access",
    "Allowance",
    "BlindToken",
    "Endpoint",
]

TOKENS_AT_ONCE_MAX: Final = 100
"""Blind tokens in one request, whatever the operator allows: wallets ask for at most this many."""


class Access(StrEnum):
    """What an address of the mint asks of whoever calls it."""

    PUBLIC = "public"
    CLEAR = "clear"
    """A clear token: it names a customer, and is good for fetching blind tokens alone (NUT-21)."""
    BLIND = "blind"
    """A blind token, which is used up by success (NUT-22), where the operator rations so."""
    ALWAYS = "always"
    """A blind token, whatever the operator rations: what is asked here could be asked of all."""


class Endpoint(msgspec.Struct, frozen=True):
    """What is asked at an address; `path` is exact, or a beginning where it ends in `*`."""

    method: str
    path: str
    access: Access


class BlindToken(msgspec.Struct, frozen=True):
    """A blind token as it comes in a header: a proof of one unit of `auth`."""

    keyset_id: str
    secret: str
    point: bytes


class Allowance(msgspec.Struct, frozen=True):
    """How many blind tokens a customer may fetch: in one request, and in one day."""

    at_once: int = 100
    a_day: int = 500

    def __post_init__(self) -> None:
        """Hold that one request fits a day, and what wallets understand."""
        assert 0 < self.at_once <= TOKENS_AT_ONCE_MAX, "between 1 and 100 tokens at once"
        assert self.at_once <= self.a_day, "a day's tokens are at least one request's"
