"""A world in which people hold e-cash too."""

from collections.abc import Callable, Iterator
from typing import ClassVar, Final

import msgspec

from amana.kernel import DAY_NS, SECOND_NS, Unavailable
from amana.payments.model import PURSE_PARTY, PartyKind
from amana.purse.model import Proof
from amana.testing.simulator._clients import Operation
from amana.testing.simulator._faults import NO_PURSE_FAULTS, draw_purse_faults
from amana.testing.simulator._node import PurseStores
from amana.testing.simulator._purse_auditor import Ending, audit_purse, audit_purse_now
from amana.testing.simulator._purse_clients import PurseClients
from amana.testing.simulator._purse_node import PACE, PURSE, UNIT, SimSignatory
from amana.testing.simulator._stores import Form, Stored
from amana.testing.simulator._violation import Violation
from amana.testing.simulator._world import BEGINS_AT, World
from amana.testing.standin import StandInSignatory

_KEYSET_LIFE_S: Final = 400 * DAY_NS // SECOND_NS
_SEED_BYTES: Final = 16
_UNLIMITED: Final = 0.7
"""Chance that a customer has no limit of the day, so that refills go on."""
_ROUNDS: Final = 3
"""Rounds of standing orders until all that can be done is done."""
_TRIED: Final = 4
"""Coins that are tried at the end of a world; all of them are counted."""


class PurseWorld(World):
    """A world with a mint, its keys, and wallets; the keys outlive every node."""

    operations: ClassVar[tuple[int, int]] = (30, 110)

    def _draw_clients(self) -> PurseClients:
        self.parties[PURSE_PARTY] = PURSE
        for party in list(self.parties.values()):
            if party.day_limit is not None and self._chance.random() < _UNLIMITED:
                self.parties[party.id] = msgspec.structs.replace(party, day_limit=None)
        self._purse_faults = draw_purse_faults(self._chance)
        seed = self._chance.randbytes(_SEED_BYTES)
        ends_at = BEGINS_AT // SECOND_NS + _KEYSET_LIFE_S
        self._keys = StandInSignatory(seed, UNIT, final_expiry=ends_at)
        self._signatory = SimSignatory(self._keys, self._signatory_gate)
        self._last_coins: list[Proof] = []
        self._last_swaps: list[Operation] = []
        self._wallets = PurseClients(self._chance, self.parties, self.faults, signatory=self._keys)
        return self._wallets

    def _purse_stores(self) -> PurseStores:
        return PurseStores(self.stores.purse, self.stores.refunds_of, self._signatory)

    def _signatory_gate(self) -> None:
        """Lose a request to the signatory before it arrives."""
        assert self._current is not None, "only a task calls a port"
        if self._chance.random() < self.faults.lost_before:
            self._note("lost_before", f"#{self._current.operation.number}")
            raise Unavailable("the request was lost")

    def _more_options(self) -> list[Callable[[], None]]:
        return [self._signatory.answer] * 2 if self._signatory.can_answer else []

    def _more_misfortune(self, draw: float) -> None:
        """Let something happen to the mint's keys, or to a merchant."""
        faults, keys = self._purse_faults, self._keys
        if draw < faults.rotation:
            self._note("rotation")
            keys.begin(UNIT, self.clock.latest // SECOND_NS + _KEYSET_LIFE_S)
            return
        draw -= faults.rotation
        if draw < faults.signatory_gone:
            keys.is_gone = not keys.is_gone
            self._note("signatory_gone" if keys.is_gone else "signatory_back")
            return
        draw -= faults.signatory_gone
        if draw < faults.signing_stops:
            keys.is_stopped = not keys.is_stopped
            self._note("signing_stops" if keys.is_stopped else "signing_goes_on")
        elif draw - faults.signing_stops < faults.merchant_closes:
            merchants = [p for p in self.parties.values() if p.kind is PartyKind.MERCHANT]
            party = self._chance.choice(merchants)
            self._note("merchant_closes" if party.is_open else "merchant_opens")
            self.parties[party.id] = msgspec.structs.replace(party, is_open=not party.is_open)

    def _look_at_wreck(self) -> list[Violation]:
        found = super()._look_at_wreck()
        # In a file the whole audit has looked already.
        return found if self.form is Form.SQLITE else [*found, *audit_purse_now(self.stores)]

    def _calm_more(self) -> None:
        self._purse_faults = NO_PURSE_FAULTS
        self._keys.is_gone = self._keys.is_stopped = False

    def _settle_more(self) -> None:
        """Carry out what is due, mend what cannot be signed, and try coins that are left."""
        wallets = self._wallets
        self._carry_out()
        for request in wallets.fetching():
            mending = wallets.mended(self._asked(request).heard[-1])
            if mending is not None:
                self._asked(mending)
        self._carry_out()
        stored = self.stores.stored().purse
        for restoring in wallets.restorations():
            self._last_coins += wallets.unspent(self._asked(restoring).heard[-1], stored)
        tried = self._last_coins[:_TRIED]
        self._last_swaps = [self._asked(wallets.swap([coin])) for coin in tried]

    def _carry_out(self) -> None:
        for _ in range(_ROUNDS):
            self._asked(self._wallets.carry_out())
            self.clock.pass_by(DAY_NS // PACE)

    def audit_more(self, stored: Stored) -> Iterator[Violation]:
        """Judge the purses."""
        wallets = self._wallets
        ending = Ending(self._last_coins, self._last_swaps, wallets.bad_signatures)
        yield from audit_purse(stored, wallets.operations, ending)
        for operation in wallets.operations:
            self.counts.update(wallets.outcomes(operation))
