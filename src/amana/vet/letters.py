"""The other question: who sent it? Of the letters that wait in the mailboxes at the mint.

A letter has neither sender nor sum, and one length. What the operator's files show of it is whose
mailbox it lay in, on which nights; with the log, when it came and went, and what was swapped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from amana.vet.sight import (
    DAY_SECONDS,
    TO_PERSON,
    Marks,
    Payments,
    Sight,
    Truth,
    at_night,
    by_day,
    marks,
)

_NOON: Final = DAY_SECONDS // 2


def letters_by_night(
    sight: Sight, events: Sequence[Mapping[str, Any]], first_day: int
) -> tuple[Sight, Truth]:
    """Return what nightly copies show of letters, beside all that `sight` shows; and the senders.

    Args:
        sight: What is seen besides, from the same files.
        events: The town's.
        first_day: From which day on is scored.
    """
    copies = events[-1]["at"] // DAY_SECONDS
    seen = [event for event, _ in at_night(events, copies)]
    unseen = np.zeros(len(seen), dtype=np.int64)
    noons = np.array([by_day(event["at"]) + _NOON for event in seen], dtype=np.int64)
    return _asked(sight, seen, Payments(noons, _payees(seen), *[unseen] * 4), first_day)


def letters_in_the_log(
    sight: Sight, events: Sequence[Mapping[str, Any]], first_day: int
) -> tuple[Sight, Truth]:
    """Return what a log kept for ever shows: each letter to the second, with what was swapped."""
    seen = [event for event in events if event["kind"] == "give" and event["way"] == "handle"]
    inputs = [event["inputs"] for event in seen]
    swapped = Payments(
        np.array([event["at"] for event in seen], dtype=np.int64),
        _payees(seen),
        np.array([sum(one) for one in inputs], dtype=np.int64),
        np.array([max(one) for one in inputs], dtype=np.int64),
        np.array([len(one) for one in inputs], dtype=np.int64),
        # What stays with the sender and what goes look alike.
        np.zeros(len(seen), dtype=np.int64),
    )
    return _asked(replace(sight, sees_denominations=True), seen, swapped, first_day)


def _asked(
    sight: Sight, seen: Sequence[Mapping[str, Any]], letters: Payments, first_day: int
) -> tuple[Sight, Truth]:
    sender = np.array([event["person"] for event in seen], dtype=np.int64)
    named = _both_ways(sight.moments[TO_PERSON])
    asked = replace(sight, payments=letters, named=named, among_accounts=True)
    return asked, Truth(sender, first_day, 0)


def _payees(seen: Sequence[Mapping[str, Any]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([event["to"] for event in seen], dtype=np.int64)


def _both_ways(named: Marks) -> Marks:
    """Whoever was paid by name is as likely to pay back as the payer is to pay again."""
    rows = list(zip(named.at, named.account, named.amount, named.merchant, strict=True))
    there = [(int(at), int(who), int(sum_), int(whom)) for at, who, sum_, whom in rows]
    return marks([*there, *((at, whom, sum_, who) for at, who, sum_, whom in there)])
