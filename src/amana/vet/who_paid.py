"""`Who paid?`: a town lives with the shipped policy, and an attacker with the operator's files."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from amana.vet.attacker import learn
from amana.vet.folder import Nights, read_sight
from amana.vet.letters import letters_by_night, letters_in_the_log
from amana.vet.play import play
from amana.vet.pool import pooled
from amana.vet.score import Score, score
from amana.vet.sight import (
    DAY_SECONDS,
    Sight,
    Truth,
    Whole,
    by_day,
    project,
    truth,
    with_days,
    with_log,
    with_sessions,
)
from amana.vet.town import Town, run_town

KNOWN_MAX: Final = 4_000
KNOWN_PART: Final = 3
CONTROL_GUESSES: Final = 1_500
FIRST_DAY: Final = 14

FILES: Final = "data folder"
LOG: Final = "and its log, kept for ever"
CALLS: Final = "and a watcher of the purse's calls"
OPENINGS: Final = "control: a wallet that asks at each opening"
SENDER: Final = "letters: data folder"
SENDER_LOG: Final = "letters: and its log, kept for ever"
SHUFFLED: Final = "control: labels shuffled"
ROUND: Final = "control: round sums at the till"
EXACT: Final = "control: exact sums at the till"

NAMED_MAX: Final = 0.005
NAMED_PEOPLE: Final = 2_000
"""The goals in percent are for 2,000 people. In a smaller town naming the heaviest payer alone is
right as often, and one of a dozen people who paid twenty times is the heaviest: there the goals are
what volume gives."""

LETTERS_MIN: Final = 20
"""Known letters from which senders can be learnt; a town with fewer is not asked."""

TIMES_CHANCE: Final = 10
OVER_VOLUME_MAX: Final = 1.5
LINKED_MAX: Final = 0.05
CONTROL_MIN: Final = 0.9


class Row(msgspec.Struct, frozen=True):
    """One attacker and its result."""

    name: str
    assumes: str
    score: Score


class Report(msgspec.Struct, frozen=True):
    """What was measured, with all that is needed to measure it again.

    `by_account` and `by_account_value` are the shares of payments, and of value, that were made by
    name because the purse could not pay them, from the first day on; they are named whatever the
    attacker does; `by_name` and `gifts_by_name` count those to shops and to people. `pooled` are
    the attackers over this town and `more` of the next seeds, which the goals are about.
    `same_address` is the share whose payer was at the named side on the day of the payment: without
    a relay, an operator who logs addresses names them. `asked_after` is the share that was made
    between the last backup and the taking over by another device: an operator who logs what is
    asked of both sides names them. `letters` were sent by handle after the first days.
    """

    people: int
    days: int
    seed: int
    payments: int
    tested: int
    known: int
    by_name: int
    gifts_by_name: int
    by_account: float
    by_account_value: float
    same_address: float
    asked_after: float
    letters: int
    rows: tuple[Row, ...]
    more: int
    pooled: tuple[Row, ...]
    goals: dict[str, bool]


class Ask(msgspec.Struct, frozen=True):
    """The size of a run.

    `tested_max` bounds the payments that are guessed. `more` towns, of the next seeds, are attacked
    as well, on the rows that files are tested to hold: one small town is mostly luck.
    """

    people: int = 500
    days: int = 30
    seed: int = 7
    tested_max: int = 20_000
    more: int = 4


def who_paid(
    ask: Ask, folder: Path | None, *, watch: Callable[[str], None] = lambda _: None
) -> Report:
    """Run the town, the operator, the attackers and the controls.

    Args:
        ask: The size.
        folder: An empty folder for the operator's data; memory is faster than disk. Without one
            there is no operator, and the rows are those that files are tested to hold.
        watch: Told of each stage.
    Raises:
        Disagreed: The mint answered otherwise than the policy foresaw.
    """
    watch("the town lives")
    town = run_town(ask.people, ask.days, ask.seed)
    watch("the operator does its part")
    sight = with_days(project(*town) if folder is None else _played(town, folder), town.events)
    watch("the attackers learn and guess")
    known = truth(town.facts, town.events, FIRST_DAY)
    rows = _attacks(ask, sight, known, town)
    watch("more towns live, and are attacked")
    together = _pooled(ask, rows)
    late = [event for event in town.events if event["at"] >= FIRST_DAY * DAY_SECONDS]
    return Report(
        people=ask.people,
        days=ask.days,
        seed=ask.seed,
        payments=len(sight.payments),
        tested=rows[0].score.named.trials,
        known=len(_split(sight, known, ask)[0]),
        by_name=sum(event["kind"] == "named" for event in town.events),
        gifts_by_name=sum(event["kind"] == "named_gift" for event in town.events),
        by_account=_share_named(town.events, lambda _: 1),
        by_account_value=_share_named(town.events, lambda event: int(event["amount"])),
        same_address=_same_address(late),
        asked_after=_asked_after(late),
        letters=sum(event["kind"] == "give" and event["way"] == "handle" for event in late),
        rows=rows,
        more=ask.more,
        pooled=together,
        goals=_goals(ask, rows, together),
    )


def _played(town: Town, folder: Path) -> Sight:
    nights = Nights()
    cast = asyncio.run(play(town.facts, town.events, folder, nightly=nights.look))
    return read_sight(folder / "operator", cast, nights)


def _attacks(ask: Ask, sight: Sight, known: Truth, town: Town) -> tuple[Row, ...]:
    logged = with_log(sight, town.events)
    return (
        Row(
            FILES,
            "the books and every nightly copy, the counts of blind tokens too",
            _attack(ask, sight, known),
        ),
        Row(
            LOG,
            "which denominations went in, and when each letter came and went, for every payment: "
            "the log keeps a minute of that",
            _attack(ask, logged, known),
        ),
        Row(
            CALLS,
            "every call of the purse to the named side, to the second; a relay hides addresses",
            _attack(ask, with_sessions(logged, town.events), known),
        ),
        Row(
            OPENINGS,
            "every opening of the wallet, to the second: as if it asked for the account each time",
            _attack(ask, with_sessions(logged, town.events, ("contact", "open")), known),
        ),
        *_letters(ask, sight, logged, town),
        *_controls(ask, sight, known),
    )


def _pooled(ask: Ask, rows: Sequence[Row]) -> tuple[Row, ...]:
    """Take the attackers with the files, and with the log, together with those of more towns."""
    found = {row.name: [row] for row in rows if row.name in {FILES, LOG}}
    for seed in range(ask.seed + 1, ask.seed + 1 + ask.more):
        next_ask = msgspec.structs.replace(ask, seed=seed)
        town = run_town(ask.people, ask.days, seed)
        sight = with_days(project(*town), town.events)
        known = truth(town.facts, town.events, FIRST_DAY)
        for name, seen in ((FILES, sight), (LOG, with_log(sight, town.events))):
            score_there = _attack(next_ask, seen, known)
            found[name].append(Row(name, found[name][0].assumes, score_there))
    return tuple(
        Row(name, several[0].assumes, pooled([row.score for row in several]))
        for name, several in found.items()
    )


def _letters(ask: Ask, sight: Sight, logged: Sight, town: Town) -> Iterator[Row]:
    by_night = letters_by_night(sight, town.events, FIRST_DAY)
    in_log = letters_in_the_log(logged, town.events, FIRST_DAY)
    if len(_split(*by_night, ask)[0]) < LETTERS_MIN:
        return
    yield Row(
        SENDER,
        "who sent the letters that lay in a mailbox at night",
        _attack(ask, *by_night),
    )
    yield Row(
        SENDER_LOG,
        "who sent each letter, its second and its swap known",
        _attack(ask, *in_log),
    )


def _controls(ask: Ask, sight: Sight, known: Truth) -> Iterator[Row]:
    small = msgspec.structs.replace(ask, tested_max=CONTROL_GUESSES)
    yield Row(
        SHUFFLED,
        "the data folder, with payers exchanged at random",
        _attack(small, sight, _shuffled(known, ask.seed)),
    )
    for name, assumes, habit in (
        (ROUND, "wallets that withdraw what they lack in twenties", "till"),
        (EXACT, "wallets that withdraw the price half a minute before they pay", "exact"),
    ):
        town = run_town(ask.people, ask.days, ask.seed, habit=habit)
        yield Row(name, assumes, _attack(small, project(*town), truth(*town, FIRST_DAY)))


def _attack(ask: Ask, sight: Sight, known: Truth) -> Score:
    learnt_from, tested = _split(sight, known, ask)
    attacker = learn(sight, learnt_from, known.payer[learnt_from])
    return score(attacker, sight, known, tested, seed=ask.seed)


def _split(sight: Sight, known: Truth, ask: Ask) -> tuple[Whole, Whole]:
    """Divide the payments after the first days into those known to the attacker, and the tested."""
    late = np.flatnonzero(sight.payments.at >= known.first_day * DAY_SECONDS)
    np.random.default_rng(ask.seed).shuffle(late)
    count = min(KNOWN_MAX, len(late) // KNOWN_PART)
    return np.sort(late[:count]), np.sort(late[count : count + ask.tested_max])


def _shuffled(known: Truth, seed: int) -> Truth:
    payer = known.payer.copy()
    np.random.default_rng(seed).shuffle(payer)
    return Truth(payer, known.first_day, known.seconds)


def _share_named(events: Sequence[dict[str, Any]], size: Callable[[dict[str, Any]], int]) -> float:
    named = sum(size(event) for event in events if event["kind"] == "named")
    paid = sum(size(event) for event in events if event["kind"] == "pay")
    return named / max(named + paid, 1)


def _same_address(events: Sequence[dict[str, Any]]) -> float:
    seen = {(e["person"], by_day(e["at"])) for e in events if e["kind"] in {"contact", "open"}}
    paid = [e for e in events if e["kind"] == "pay"]
    return sum((e["person"], by_day(e["at"])) in seen for e in paid) / max(len(paid), 1)


def _asked_after(events: Sequence[dict[str, Any]]) -> float:
    back = [(e["person"], e["since"], e["at"]) for e in events if e["kind"] == "restore"]
    spans = {person: (since, until) for person, since, until in back}
    nobody = (0, -1)
    paid = [e for e in events if e["kind"] == "pay"]
    asked = 0
    for event in paid:
        since, until = spans.get(event["person"], nobody)
        asked += since <= event["at"] <= until
    return asked / max(len(paid), 1)


def _goals(ask: Ask, rows: Sequence[Row], together: Sequence[Row]) -> dict[str, bool]:
    """Compare with the goals: plain values over all towns; what was not measured is no goal.

    Of the letters, which are few, and of the shuffled labels the end of the interval is compared.
    """
    scores = {row.name: row.score for row in rows}
    found = {row.name: row.score for row in together}
    shuffled, exact = scores[SHUFFLED], scores[EXACT]
    goals = {
        "exact sums are found out": exact.named.value >= CONTROL_MIN,
        "shuffled labels are not": shuffled.named.low <= shuffled.by_volume.high,
    }
    for name, what in ((FILES, ""), (LOG, ", with the log")):
        one = found[name]
        if ask.people >= NAMED_PEOPLE:
            goals[f"payer named{what}"] = one.named.value <= NAMED_MAX
        goals[f"beside volume{what}"] = one.named.value <= OVER_VOLUME_MAX * one.by_volume.value
        twenty = one.linked[-1]
        if twenty.named.trials:
            by_volume = 0 if ask.people >= NAMED_PEOPLE else twenty.by_volume
            goals[f"twenty linked{what}"] = twenty.named.value <= max(LINKED_MAX, by_volume)
    for name in scores.keys() & {SENDER, SENDER_LOG}:
        asked = scores[name]
        goals[name] = asked.named.low <= max(NAMED_MAX, TIMES_CHANCE * asked.chance)
    return goals
