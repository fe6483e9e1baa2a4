"""What somebody sees who holds the operator's data: the attacker knows this and nothing else.

Accounts and merchants are small whole numbers, times are seconds since the town began, amounts are
minor units. Who paid stands beside it in `Truth`, which only the examiner reads.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]

DAY_SECONDS: Final = 86_400
NEVER: Final = 2**40
TO_PERSON: Final = "payment by name to a person"
TOKENS: Final = "blind tokens fetched"


@dataclass(frozen=True, slots=True)
class Marks:
    """Things that happened to accounts: when, to whom, how much; in order of time."""

    at: Whole
    account: Whole
    amount: Whole
    merchant: Whole

    def times_of(self, accounts: int) -> list[Whole]:
        """Return the times of each account, ascending."""
        return self._apart(self.at, accounts)

    def sums_of(self, accounts: int) -> list[Whole]:
        """Return the running sums of each account's amounts: before the first, after it, and on."""
        return [np.concatenate(([0], np.cumsum(own))) for own in self._apart(self.amount, accounts)]

    def _apart(self, column: Whole, accounts: int) -> list[Whole]:
        order = np.lexsort((self.at, self.account))
        bounds = np.searchsorted(self.account[order], np.arange(accounts + 1))
        sorted_column = column[order]
        return [sorted_column[bounds[one] : bounds[one + 1]] for one in range(accounts)]


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments out of purses as the books show them: no payer.

    `highest` is the largest denomination that went in, `inputs` how many proofs did, and `change`
    what came back: seen by a watcher of the running mint, and for a minute in the write-ahead log.
    """

    at: Whole
    merchant: Whole
    amount: Whole
    highest: Whole
    inputs: Whole
    change: Whole

    def __len__(self) -> int:
        return len(self.at)


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything that one attacker knows.

    `days` are marks of which a day is all that is kept: their time is the day's first second.
    `moments` are seen to the second. `among_accounts` says that payees are accounts themselves.
    """

    accounts: int
    payments: Payments
    refills: Marks
    named: Marks
    days: Mapping[str, Marks] = field(default_factory=dict)
    moments: Mapping[str, Marks] = field(default_factory=dict)
    sees_denominations: bool = False
    among_accounts: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """Who paid, payment by payment in the order of `Sight.payments`."""

    payer: Whole
    first_day: int
    seconds: int


def marks(rows: Iterable[tuple[int, int, int, int]]) -> Marks:
    """Make marks of rows of time, account, amount and merchant."""
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4)
    return Marks(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def payments(rows: Sequence[tuple[int, int, int]]) -> Payments:
    """Make payments of rows of time, merchant and amount, in given order; no proofs are seen."""
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    unseen = np.zeros(len(table), dtype=np.int64)
    return Payments(table[:, 0], table[:, 1], table[:, 2], unseen, unseen, unseen)


def by_day(at: int) -> int:
    """Return the first second of the day."""
    return at - at % DAY_SECONDS


def project(town: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Sight:
    """Return what a data folder would show if the town's events were played into it.

    This is the stated claim of what is at rest; `played.py` reads it out of real files instead.
    """
    paid = [event for event in events if event["kind"] == "pay"]
    copies = events[-1]["at"] // DAY_SECONDS if events else 0
    nights = at_night(events, copies)
    return Sight(
        accounts=town["people"],
        payments=payments([(e["at"], e["shop"], e["amount"]) for e in paid]),
        refills=_marks_of(events, "sign"),
        named=_marks_of(events, "named"),
        days={
            # Nightly copies of the database show since which day a refill or a backup lies there.
            "refill left": _last_of_each_day(events, copies),
            TOKENS: _tokens(events, copies),
            "backup written": _once_a_day(events, "backup", copies),
            "device changed": _once_a_day(events, "restore", copies),
            "letter waited": marks((by_day(e["at"]), e["to"], 0, -1) for e, _ in nights),
            "letter fetched": marks(
                (by_day(taken), e["to"], 0, -1)
                for e, taken in nights
                if taken < copies * DAY_SECONDS
            ),
        },
        moments={
            "deposit": marks(_deposits(events, town["days"] * DAY_SECONDS)),
            TO_PERSON: marks(
                (e["at"], e["person"], e["amount"], e["to"])
                for e in events
                if e["kind"] == "named_gift"
            ),
        },
    )


def at_night(
    events: Sequence[Mapping[str, Any]], copies: int
) -> list[tuple[Mapping[str, Any], int]]:
    """Return the letters that lay in a mailbox when one of the nightly copies was made.

    Args:
        events: The town's.
        copies: How many copies were made, one at the end of each day.
    Returns:
        Each letter's event, and when it was fetched: far away where it never was.
    """
    taken = {e["letter"]: e["at"] for e in events if e["kind"] == "take"}
    left = [e for e in events if e["kind"] == "give" and e["way"] == "handle"]
    waited = [(e, taken.get(e["letter"], NEVER)) for e in left]
    return [
        (e, until)
        for e, until in waited
        if e["at"] // DAY_SECONDS < min(until // DAY_SECONDS, copies)
    ]


def with_days(sight: Sight, events: Sequence[Mapping[str, Any]]) -> Sight:
    """Add days that a wallet in use would leave behind and the town's wallets do not write.

    The days on which somebody's own readings are counted: at most those on which the purse speaks
    to the named side.
    """
    calls = (event for event in events if event["kind"] == "contact")
    spoken = marks((by_day(call["at"]), call["person"], 0, -1) for call in calls)
    return replace(sight, days={**sight.days, "session counted": spoken})


def with_log(sight: Sight, events: Sequence[Mapping[str, Any]]) -> Sight:
    """Add what the write-ahead log shows of its last minute, for every payment there ever was.

    That is the denominations that went in and came back, and when a letter came into a mailbox and
    left it.
    """
    by_handle = [e for e in events if e["kind"] == "give" and e["way"] == "handle"]
    letters = {e["letter"] for e in by_handle}
    moments = {
        **sight.moments,
        "letter left": marks((e["at"], e["to"], 0, -1) for e in by_handle),
        "letter banked": marks(
            (e["at"], e["person"], 0, -1)
            for e in events
            if e["kind"] == "take" and e["letter"] in letters
        ),
    }
    paid = [event for event in events if event["kind"] == "pay"]
    seen = replace(
        sight.payments,
        highest=np.array([max(event["inputs"]) for event in paid], dtype=np.int64),
        inputs=np.array([len(event["inputs"]) for event in paid], dtype=np.int64),
        change=np.array([sum(event["change"]) for event in paid], dtype=np.int64),
    )
    return replace(sight, payments=seen, moments=moments, sees_denominations=True)


def with_sessions(
    sight: Sight, events: Sequence[Mapping[str, Any]], kinds: Sequence[str] = ("contact",)
) -> Sight:
    """Add what an operator sees who logs the named side to the second, against its own rules.

    Args:
        sight: What it sees otherwise.
        events: The town's.
        kinds: `contact` is a call of the purse; `open` any opening of the wallet's page.
    """
    spoken = [(e["at"], e["person"], 0, -1) for e in events if e["kind"] in kinds]
    return replace(sight, moments={**sight.moments, "session": marks(spoken)})


def truth(town: Mapping[str, Any], events: Sequence[Mapping[str, Any]], first_day: int) -> Truth:
    """Return who paid."""
    payer = [event["person"] for event in events if event["kind"] == "pay"]
    return Truth(np.array(payer, dtype=np.int64), first_day, town["days"] * DAY_SECONDS)


def _marks_of(events: Sequence[Mapping[str, Any]], kind: str) -> Marks:
    return marks(
        (
            event["at"],
            event["person"],
            event.get("amount", 0),
            event.get("shop", -1),
        )
        for event in events
        if event["kind"] == kind
    )


def _last_of_each_day(events: Sequence[Mapping[str, Any]], copies: int) -> Marks:
    """Return the days on which a refill was left: of two on one day a copy has the second alone."""
    seen = {(by_day(e["at"]), e["person"]): e["amount"] for e in events if e["kind"] == "leave"}
    return marks(
        (day, who, amount, -1) for (day, who), amount in seen.items() if day < copies * DAY_SECONDS
    )


def _once_a_day(events: Sequence[Mapping[str, Any]], kind: str, copies: int) -> Marks:
    """Return the days on which something was replaced, as copies at their ends show them."""
    seen = {(by_day(e["at"]), e["person"]) for e in events if e["kind"] == kind}
    return marks((day, who, 0, -1) for day, who in seen if day < copies * DAY_SECONDS)


def _tokens(events: Sequence[Mapping[str, Any]], copies: int) -> Marks:
    """Return how many blind tokens everybody fetched on each day, as they are counted."""
    seen: Counter[tuple[int, int]] = Counter()
    for event in events:
        if event["kind"] == "tokens" and event["at"] < copies * DAY_SECONDS:
            seen[by_day(event["at"]), event["person"]] += event["count"]
    return marks((day, who, count, -1) for (day, who), count in seen.items())


def _deposits(
    events: Sequence[Mapping[str, Any]], ends: int
) -> Iterable[tuple[int, int, int, int]]:
    for event in events:
        if event["kind"] == "deposit" and event["due"] < ends:
            yield event["due"], event["person"], event["amount"], -1
