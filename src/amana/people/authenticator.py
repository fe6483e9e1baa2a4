"""From a bearer token to whom it speaks for: in memory when warm, no trace of use anywhere."""

from collections.abc import Iterable
from typing import Final

from amana.kernel import AmanaId, Instant
from amana.people.directory import Directory
from amana.people.model import (
    PartyStatus,
    Principal,
    PrincipalKind,
    Scope,
    Staff,
    Token,
    TokenKind,
)
from amana.people.ports import PeopleReader
from amana.people.rules import ROLE_SCOPES
from amana.people.tokens import TOKEN_CHARACTERS_MAX, token_digest

PRINCIPALS_KEPT_MAX: Final = 131_072
"""Principals in memory; the one that came first leaves first. About 300 bytes each."""


class Authenticator:
    """Turns a bearer token into its principal."""

    def __init__(
        self,
        reader: PeopleReader,
        directory: Directory,
        *,
        kept_max: int = PRINCIPALS_KEPT_MAX,
    ) -> None:
        assert kept_max > 0, "at least one principal is kept"
        self._reader = reader
        self._directory = directory
        self._kept_max = kept_max
        self._principals: dict[bytes, Principal] = {}

    def principal(self, token: str, now: Instant) -> Principal | None:
        """Return whom a token speaks for; None where it is unknown, revoked or past its end."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            return None
        digest = token_digest(token)
        principal = self._principals.get(digest)
        if principal is None:
            principal = self._load(digest)
            if principal is None:
                return None
        if principal.expires_at is not None and now >= principal.expires_at:
            return None
        return principal

    def forget(self, token: AmanaId) -> None:
        """Drop a token from memory, once its row is gone."""
        self._drop([digest for digest, held in self._principals.items() if held.token == token])

    def forget_party(self, party: AmanaId) -> None:
        """Drop every token that speaks for a party, once it is closed or erased."""
        self._drop([digest for digest, held in self._principals.items() if held.party == party])

    def _drop(self, digests: Iterable[bytes]) -> None:
        for digest in digests:
            del self._principals[digest]

    def _load(self, digest: bytes) -> Principal | None:
        token = self._reader.token_by_digest(digest)
        principal = None if token is None else self._principal_of(token)
        if principal is None:
            return None
        if len(self._principals) >= self._kept_max:
            del self._principals[next(iter(self._principals))]
        self._principals[digest] = principal
        return principal

    def _principal_of(self, token: Token) -> Principal | None:
        if token.kind is TokenKind.OPERATOR:
            return self._of_operator(token)
        if token.kind is TokenKind.STAFF_SESSION:
            staff = self._reader.staff(token.holder)
            return None if staff is None else self._of_merchant(token, staff.merchant, staff)
        if token.kind is TokenKind.API_KEY:
            return self._of_merchant(token, token.holder, None)
        return self._of_customer(token)

    def _of_customer(self, token: Token) -> Principal | None:
        facts = self._directory.by_id(token.holder)
        if facts is None or facts.status is PartyStatus.ERASED:
            return None
        return Principal(
            token=token.token,
            kind=PrincipalKind.CUSTOMER,
            party=facts.party,
            ledger_account=facts.ledger_account,
            scopes=_NO_SCOPES,
            role=None,
            staff=None,
            tier=facts.tier,
            is_confirmation_exempt=token.is_confirmation_exempt,
            expires_at=token.expires_at,
        )

    def _of_merchant(
        self, token: Token, merchant: AmanaId, staff: Staff | None
    ) -> Principal | None:
        facts = self._directory.by_id(merchant)
        if facts is None:
            return None
        return Principal(
            token=token.token,
            kind=PrincipalKind.MERCHANT,
            party=facts.party,
            ledger_account=facts.ledger_account,
            scopes=token.scopes if staff is None else ROLE_SCOPES[staff.role],
            role=None if staff is None else staff.role,
            staff=None if staff is None else staff.staff,
            tier=facts.tier,
            is_confirmation_exempt=token.is_confirmation_exempt,
            expires_at=token.expires_at,
        )

    def _of_operator(self, token: Token) -> Principal | None:
        staff = self._reader.operator_staff(token.holder)
        if staff is None:
            return None
        return Principal(
            token=token.token,
            kind=PrincipalKind.OPERATOR,
            party=staff.staff,
            ledger_account=None,
            scopes=_NO_SCOPES,
            role=staff.role,
            staff=staff.staff,
            tier="",
            is_confirmation_exempt=token.is_confirmation_exempt,
            expires_at=token.expires_at,
        )


_NO_SCOPES: Final[frozenset[Scope]] = frozenset()
