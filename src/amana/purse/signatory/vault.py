"""The signatory's work, without process or protocol: it holds the keys, checks, signs, counts."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from amana.kernel import SECOND_NS, Clock
from amana.purse.curve import Curve, MintKey, curve_of
from amana.purse.keysets import KeysetPlan, derive_keys, describe
from amana.purse.model import Keyset
from amana.purse.ports import Blank, Claim, Exchanged, Signed, SigningStopped
from amana.purse.signatory.counts import Counts, Denomination
from amana.purse.signatory.store import Entry, KeysetStatus, SignatoryDamaged, Store


class KeysetRetired(Exception):  # noqa: N818 - a state of the list, told as "ask again"
    """The keyset signs no more: another took its place, it expired, or it was revoked."""


class KeyUnknown(Exception):  # noqa: N818 - the caller's mistake, told back to it
    """There is no such keyset, or it has no key for this amount."""


class _Held(NamedTuple):
    """A keyset with its private keys."""

    entry: Entry
    public: Keyset
    curve: Curve
    keys: dict[int, MintKey]


class Vault:
    """Every keyset of a mint with its private keys. Single-threaded."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._counts = Counts(store)
        self._seed = store.seed()
        self._held: list[_Held] = []
        self._listed: tuple[Keyset, ...] = ()
        self.reload()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._held)} keysets)"

    def keysets(self) -> tuple[Keyset, ...]:
        """Return the list, oldest first: the same tuple for as long as the list stands."""
        return self._listed

    def reload(self) -> None:
        """Read the list again: another process may have added to it.

        Raises:
            SignatoryDamaged: A keyset does not come of this seed, or the list was rewritten.
        """
        self._hold(self._store.entries())

    def check(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; answer each with its nullifier, or None where it is false.

        Proofs of a revoked keyset are none, since its key may be in other hands.
        """
        return [self._check(claim, is_revoked=False) for claim in claims]

    def check_revoked(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs of revoked keysets, for exchanging those whose issue their holder shows."""
        return [self._check(claim, is_revoked=True) for claim in claims]

    def exchange(self, claims: Sequence[Claim], blanks: Sequence[Blank]) -> Exchanged:
        """Check proofs, and sign outputs for them if every one is good.

        Raises:
            SigningStopped: The count of a denomination stands at its limit.
            KeysetRetired: A keyset signs no more.
            KeyUnknown: There is no key for this.
        """
        nullifiers = self.check(claims)
        return Exchanged(nullifiers, [] if None in nullifiers else self.sign(blanks))

    def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs, all or none: where one is not on the curve, every answer is None.

        Raises:
            SigningStopped: The count of a denomination stands at its limit.
            KeysetRetired: A keyset signs no more.
            KeyUnknown: There is no key for this.
        """
        for number in {blank.keyset for blank in blanks}:
            self._must_be_active(number)
        pairs = [self._understand(blank) for blank in blanks]
        if any(parsed is None for _, parsed in pairs):
            return [None] * len(blanks)
        wanted = _denominations(blanks)
        limits = {each: self._held[each.keyset].entry.plan.signatures_max for each in wanted}
        if not self._counts.take(wanted, limits):
            raise SigningStopped("a denomination was signed as often as its limit allows")
        return [key.sign(parsed) for key, parsed in pairs]

    def give_back(self, blanks: Sequence[Blank]) -> None:
        """Count signatures no more that were made and never told to anybody."""
        self._counts.untake(_denominations(blanks))

    def sign_again(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Repeat signatures, without counting; retired keysets too.

        What was signed before is known to the mint's books alone; the signatory trusts them here.

        Raises:
            KeyUnknown: There is no key for this.
        """
        pairs = [self._understand(blank) for blank in blanks]
        return [None if parsed is None else key.sign(parsed) for key, parsed in pairs]

    def begin(self, plan: KeysetPlan) -> Keyset:
        """Add a keyset to the list; the active one of the same unit retires."""
        assert plan.final_expiry is None or self._is_ahead(plan.final_expiry), "expiry lies ahead"

        def add(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
            number = len(entries)
            public = describe(plan, number, derive_keys(self._seed, plan, number), is_active=True)
            older = tuple(_retire(each, plan.unit) for each in entries)
            return (*older, Entry(public.id, plan, KeysetStatus.ACTIVE))

        self._hold(self._store.change_entries(add))
        return next(each for each in reversed(self.keysets()) if each.unit == plan.unit)

    def rotate(self, unit: str, final_expiry: int) -> Keyset:
        """Begin a keyset like the newest one of a unit.

        Raises:
            KeyUnknown: There is no keyset of this unit.
        """
        plans = [held.entry.plan for held in self._held if held.entry.plan.unit == unit]
        if not plans:
            raise KeyUnknown(f"there is no keyset of unit {unit}")
        return self.begin(msgspec.structs.replace(plans[-1], final_expiry=final_expiry))

    def revoke(self, number: int) -> None:
        """Let a keyset whose key may be in other hands check and sign no more."""
        self._change(
            number, lambda entry: msgspec.structs.replace(entry, status=KeysetStatus.REVOKED)
        )

    def set_limit(self, number: int, signatures_max: int) -> None:
        """Let a keyset sign more, or less, of each denomination."""

        def limit(entry: Entry) -> Entry:
            plan = msgspec.structs.replace(entry.plan, signatures_max=signatures_max)
            return msgspec.structs.replace(entry, plan=plan)

        self._change(number, limit)

    def close(self) -> None:
        """Give back what was counted ahead."""
        self._counts.give_back()

    def _change(self, number: int, change: Callable[[Entry], Entry]) -> None:
        self._find(number)
        self._hold(
            self._store.change_entries(
                lambda entries: tuple(
                    change(entry) if place == number else entry
                    for place, entry in enumerate(entries)
                )
            )
        )

    def _check(self, claim: Claim, *, is_revoked: bool) -> bytes | None:
        held = self._find(claim.keyset)
        if (held.entry.status is KeysetStatus.REVOKED) is not is_revoked:
            return None
        key = held.keys.get(claim.amount)
        return None if key is None else key.check(claim.secret, claim.point)

    def _understand(self, blank: Blank) -> tuple[MintKey, object | None]:
        held = self._find(blank.keyset)
        key = held.keys.get(blank.amount)
        if key is None:
            raise KeyUnknown(f"keyset {blank.keyset} has no key for {blank.amount}")
        return key, held.curve.parse(blank.point)

    def _must_be_active(self, number: int) -> None:
        held = self._find(number)
        expiry = held.entry.plan.final_expiry
        is_over = expiry is not None and not self._is_ahead(expiry)
        if held.entry.status is not KeysetStatus.ACTIVE or is_over:
            raise KeysetRetired(f"keyset {number} signs no more")

    def _is_ahead(self, second: int) -> bool:
        return self._clock.now() < second * SECOND_NS

    def _find(self, number: int) -> _Held:
        if number >= len(self._held):
            self.reload()
        if not 0 <= number < len(self._held):
            raise KeyUnknown(f"there is no keyset {number}")
        return self._held[number]

    def _hold(self, entries: tuple[Entry, ...]) -> None:
        if len(entries) < len(self._held):
            raise SignatoryDamaged("The list of keysets became shorter; it only ever grows.")
        kept = [self._keep(held, entry) for held, entry in zip(self._held, entries, strict=False)]
        added = [
            self._open(number, entry)
            for number, entry in enumerate(entries[len(kept) :], start=len(kept))
        ]
        self._held = kept + added
        self._listed = tuple(held.public for held in self._held)

    @staticmethod
    def _keep(held: _Held, entry: Entry) -> _Held:
        if entry.id != held.entry.id:
            raise SignatoryDamaged("A keyset in the list was replaced; the list only ever grows.")
        return held._replace(entry=entry, public=_with_status(held.public, entry.status))

    def _open(self, number: int, entry: Entry) -> _Held:
        curve = curve_of(entry.id)
        if curve is None:
            raise SignatoryDamaged(f"Keyset {number} is of a version that is not known here.")
        keys = derive_keys(self._seed, entry.plan, number)
        described = describe(entry.plan, number, keys, is_active=False)
        public = _with_status(described, entry.status)
        if public.id != entry.id:
            raise SignatoryDamaged(f"Keyset {number} of the list does not come of this seed.")
        return _Held(entry, public, curve, keys)


def _with_status(keyset: Keyset, status: KeysetStatus) -> Keyset:
    return msgspec.structs.replace(
        keyset,
        is_active=status is KeysetStatus.ACTIVE,
        is_revoked=status is KeysetStatus.REVOKED,
    )


def _denominations(blanks: Sequence[Blank]) -> dict[Denomination, int]:
    counted: dict[Denomination, int] = {}
    for blank in blanks:
        each = Denomination(blank.keyset, blank.amount)
        counted[each] = counted.get(each, 0) + 1
    return counted


def _retire(entry: Entry, unit: str) -> Entry:
    if entry.plan.unit != unit or entry.status is not KeysetStatus.ACTIVE:
        return entry
    return msgspec.structs.replace(entry, status=KeysetStatus.RETIRED)
