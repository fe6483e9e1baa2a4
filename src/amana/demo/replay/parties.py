"""Who takes part in a replay: a customer for each card, a merchant for each name."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from amana.demo.replay import rules
from amana.kernel import AMOUNT_MINOR_MAX
from amana.node.operator import Operator
from amana.payments.model import Party
from amana.people import (
    CORPORATE_TIER,
    Customer,
    Limits,
    Merchant,
    PartyFacts,
    PartyKind,
    RefusalReason,
    Refused,
    load_tiers,
)

OPENED_AT_ONCE: Final = 512
_CATEGORY: Final = "0000"
_COUNTRY: Final = "GB"
_CITY: Final = "unknown"

_Opened = TypeVar("_Opened")


@dataclass(frozen=True, slots=True)
class Parties:
    """The cards by their masked numbers, the merchants by their folded names.

    A name that the network does not take stands with the reason instead of a party.
    """

    cards: dict[str, Party]
    merchants: dict[str, Party | str]
    opened_customers: int
    opened_merchants: int


class Opening:
    """Finds the parties that are there, and opens the others."""

    def __init__(self, operator: Operator, watch: Callable[[int], None]) -> None:
        self._operator = operator
        self._watch = watch
        self._taken: set[str] = set()
        self._opened = 0
        corporate = load_tiers(operator.settings.unit).limits[CORPORATE_TIER]
        # Months are replayed within minutes, so a day of the books holds what was spent in many:
        # only the limit of one payment can hold what a corporate limit is for.
        self._limits = Limits(corporate.payment_minor_max, AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX)

    async def all(self, cards: Sequence[str], merchants: Sequence[str]) -> Parties:
        """Find or open every card and merchant."""
        found_cards = dict(zip(cards, await self._each(self._card, cards), strict=True))
        opened_customers, self._opened = self._opened, 0
        found_merchants = dict(
            zip(merchants, await self._each(self._merchant, merchants), strict=True)
        )
        return Parties(found_cards, found_merchants, opened_customers, self._opened)

    async def _each(
        self, find: Callable[[str], Coroutine[Any, Any, _Opened]], names: Sequence[str]
    ) -> list[_Opened]:
        found: list[_Opened] = []
        for start in range(0, len(names), OPENED_AT_ONCE):
            some = names[start : start + OPENED_AT_ONCE]
            found += await asyncio.gather(*[find(name) for name in some])
            self._watch(len(some))
        return found

    async def _card(self, card: str) -> Party:
        people = self._operator.people
        handles = rules.card_handles(card)
        met = self._met(handles, PartyKind.PERSON, card)
        if met is not None:
            return met
        for handle in self._free(handles):
            customer = people.new_customer(
                handle, card, tier=CORPORATE_TIER, limits_override=self._limits
            )
            opened = await people.open_customer(customer)
            if not isinstance(opened, Refused):
                return self._party(opened)
            assert opened.reason is RefusalReason.HANDLE_TAKEN, f"a card opens: {opened.reason}"
        raise AssertionError("one of a card's handles is free")

    async def _merchant(self, name: str) -> Party | str:
        people = self._operator.people
        handles = rules.merchant_handles(name)
        met = self._met(handles, PartyKind.MERCHANT, name)
        if met is not None:
            return met
        reason = RefusalReason.HANDLE_TAKEN
        for handle in self._free(handles):
            merchant = people.new_merchant(
                handle, name, category=_CATEGORY, country=_COUNTRY, city=_CITY
            )
            opened = await people.open_merchant(merchant)
            if not isinstance(opened, Refused):
                return self._party(opened)
            reason = opened.reason
            if reason is not RefusalReason.HANDLE_TAKEN:
                break
        return reason.value

    def _met(self, handles: Sequence[str], kind: PartyKind, name: str) -> Party | None:
        """Return the party that is looked for, if an earlier run opened it."""
        for handle in handles:
            facts = self._operator.directory.by_handle(handle)
            if facts is not None and facts.kind is kind and _name_of(facts) == name:
                return self._operator.party(facts)
        return None

    def _free(self, handles: Sequence[str]) -> Iterator[str]:
        """Give the handles nobody has; what is given out here is not given out twice."""
        for handle in handles:
            if handle not in self._taken and self._operator.directory.by_handle(handle) is None:
                self._taken.add(handle)
                yield handle

    def _party(self, opened: Customer | Merchant) -> Party:
        self._opened += 1
        return self._operator.party(self._operator.directory.facts_of(opened))


def _name_of(facts: PartyFacts) -> str:
    return facts.name if facts.kind is PartyKind.PERSON else rules.fold_name(facts.name)
