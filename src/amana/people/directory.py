"""Facts about parties, held in memory for the payment path, read from storage when first asked."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from amana.kernel import AmanaId
from amana.people.model import (
    Customer,
    Merchant,
    PartyFacts,
    PartyKind,
    PartyStatus,
)
from amana.people.ports import PeopleReader
from amana.people.rules import UNLIMITED
from amana.people.tiers import Tiers

PARTIES_KEPT_MAX: Final = 131_072
"""Parties in memory; the one that came first leaves first. About 500 bytes each."""

MERCHANT_TIER: Final = "merchant"

_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})
"""One for all customers: they have one name, in whatever script."""


class Directory:
    """Who is behind a handle, an id or a ledger account.

    Answers from memory when warm. Whoever writes a party's row calls `forget` once the row is
    durable, so that the next question reads it anew.
    """

    def __init__(
        self, reader: PeopleReader, tiers: Tiers, *, kept_max: int = PARTIES_KEPT_MAX
    ) -> None:
        assert kept_max > 0, "at least one party is kept"
        self._reader = reader
        self._tiers = tiers
        self._kept_max = kept_max
        self._facts: dict[AmanaId, PartyFacts] = {}
        self._by_handle: dict[str, PartyFacts] = {}
        self._by_account: dict[AmanaId, PartyFacts] = {}

    def by_handle(self, handle: str) -> PartyFacts | None:
        """Return the party who has this handle."""
        facts = self._by_handle.get(handle)
        if facts is None:
            reader = self._reader
            facts = self._keep(
                lambda: reader.customer_by_handle(handle) or reader.merchant_by_handle(handle)
            )
        return facts

    def by_id(self, party: AmanaId) -> PartyFacts | None:
        """Return the customer or merchant with this id."""
        facts = self._facts.get(party)
        if facts is None:
            reader = self._reader
            facts = self._keep(lambda: reader.customer(party) or reader.merchant(party))
        return facts

    def by_ledger_account(self, ledger_account: AmanaId) -> PartyFacts | None:
        """Return the party whose money this ledger account holds."""
        facts = self._by_account.get(ledger_account)
        if facts is None:
            reader = self._reader
            facts = self._keep(
                lambda: (
                    reader.customer_by_account(ledger_account)
                    or reader.merchant_by_account(ledger_account)
                )
            )
        return facts

    def forget(self, party: AmanaId) -> None:
        """Drop what is held about a party."""
        facts = self._facts.pop(party, None)
        if facts is not None:
            self._by_account.pop(facts.ledger_account, None)
            self._by_handle.pop(facts.handle, None)

    def _keep(self, load: Callable[[], Customer | Merchant | None]) -> PartyFacts | None:
        row = load()
        if row is None:
            return None
        facts = self.facts_of(row)
        if facts.party not in self._facts and len(self._facts) >= self._kept_max:
            self.forget(next(iter(self._facts)))
        self._facts[facts.party] = facts
        self._by_account[facts.ledger_account] = facts
        if facts.status is not PartyStatus.ERASED:
            self._by_handle[facts.handle] = facts
        return facts

    def facts_of(self, row: Customer | Merchant) -> PartyFacts:
        """Turn a row into the facts a payment needs."""
        if isinstance(row, Merchant):
            return _facts_of_merchant(row)
        return PartyFacts(
            party=row.customer,
            kind=PartyKind.PERSON,
            ledger_account=row.ledger_account,
            status=row.status,
            handle=row.handle,
            name=row.display_name,
            names=_NO_NAMES,
            tier=row.tier,
            limits=row.limits_override or self._tiers.limits[row.tier],
            language=row.language,
            note_key=row.note_key,
            fee_basis_points=None,
            category=None,
            country=None,
            city=None,
        )


def _facts_of_merchant(row: Merchant) -> PartyFacts:
    return PartyFacts(
        party=row.merchant,
        kind=PartyKind.MERCHANT,
        ledger_account=row.ledger_account,
        status=row.status,
        handle=row.handle,
        name=row.name,
        names=row.names,
        tier=MERCHANT_TIER,
        limits=UNLIMITED,
        language=None,
        note_key=None,
        fee_basis_points=row.fee_basis_points,
        category=row.category,
        country=row.country,
        city=row.city,
    )
