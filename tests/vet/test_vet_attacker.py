"""The attacker finds a leak that was planted, and nothing where there is none."""

from dataclasses import replace

import numpy as np

from amana.vet.attacker import learn
from amana.vet.score import score
from amana.vet.sight import DAY_SECONDS, TOKENS, Sight, Truth, marks, payments

PEOPLE, COUNT, DAYS = 60, 1_800, 30
SPAN = 3
SPANS = DAYS // SPAN


def town(gap: int | None) -> tuple[Sight, Truth]:
    """Payments at random; a refill `gap` seconds before each, or at random where it is None."""
    random = np.random.default_rng(1)
    at = np.sort(random.integers(DAY_SECONDS, DAYS * DAY_SECONDS, COUNT))
    payer = random.integers(0, PEOPLE, COUNT)
    drawn = at - gap if gap is not None else random.integers(0, DAYS * DAY_SECONDS, COUNT)
    rows = [(int(time), int(who), 2_000, -1) for time, who in zip(drawn, payer, strict=True)]
    sight = Sight(
        accounts=PEOPLE,
        payments=payments([(int(time), 0, int(random.integers(100, 3_000))) for time in at]),
        refills=marks(rows),
        named=marks([]),
    )
    return sight, Truth(payer, 0, DAYS * DAY_SECONDS)


def named(sight: Sight, known: Truth) -> float:
    places = np.arange(COUNT)
    attacker = learn(sight, places[::3], known.payer[::3])
    return score(attacker, sight, known, places[1::3], seed=1).named.value


def test_a_refill_just_before_each_payment_names_the_payer() -> None:
    assert named(*town(gap=600)) > 0.8


def test_refills_that_know_nothing_of_payments_name_nobody() -> None:
    assert named(*town(gap=None)) < 4 / PEOPLE


def test_paying_a_shop_by_name_once_names_the_other_payments_there() -> None:
    sight, known = town(gap=None)
    shop = known.payer % 7 + 7 * (known.payer // 7)
    told = payments(
        [
            (int(at), int(where), int(amount))
            for at, where, amount in zip(
                sight.payments.at, shop, sight.payments.amount, strict=True
            )
        ]
    )
    once = marks([(100 + who, who, 500, who) for who in range(PEOPLE)])
    seen = Sight(PEOPLE, told, sight.refills, once)
    assert named(seen, known) > 0.8


def busy_spans() -> tuple[Sight, Truth]:
    """Everybody pays within three days only, a tenth of the people in each three."""
    sight, known = town(gap=None)
    span = sight.payments.at // DAY_SECONDS // SPAN
    payer = known.payer // SPANS * SPANS + span
    return sight, Truth(payer, 0, known.seconds)


def fetching(sight: Sight, fetches: list[tuple[int, int, int]]) -> Sight:
    """Add fetches of blind tokens: the day, who, and how many."""
    rows = [(day * DAY_SECONDS, who, count, -1) for day, who, count in fetches]
    return replace(sight, days={TOKENS: marks(rows)})


def test_a_fetch_of_blind_tokens_on_each_day_of_a_payment_names_payers() -> None:
    sight, known = busy_spans()
    paid = zip(sight.payments.at // DAY_SECONDS, known.payer, strict=True)
    days = sorted({(int(day), int(who)) for day, who in paid})
    assert named(fetching(sight, [(day, who, 2) for day, who in days]), known) > 6 / PEOPLE


def test_how_many_blind_tokens_were_fetched_names_who_used_many_just_then() -> None:
    """All fetch on the same days; only how many says whose busy days came before."""
    sight, known = busy_spans()
    ends = range(SPAN - 1, DAYS, SPAN)
    told = [
        (day, who, 100 if day // SPAN == who % SPANS else 2)
        for day in ends
        for who in range(PEOPLE)
    ]
    assert named(fetching(sight, told), known) > 6 / PEOPLE
    silent = [(day, who, 50) for day, who, _ in told]
    assert named(fetching(sight, silent), known) < 4 / PEOPLE


def test_change_names_more_payers_where_it_follows_how_much_somebody_refills() -> None:
    sight, known = town(gap=None)
    classes = np.arange(PEOPLE) // (PEOPLE // 6)
    often = [(60 * who, who, 10_000 * (1 + int(classes[who])), -1) for who in range(PEOPLE)]
    sight = replace(sight, refills=marks(often), sees_denominations=True)
    same = replace(sight.payments, change=np.full(COUNT, 64))
    own = replace(sight.payments, change=2 ** classes[known.payer])
    told, silent = replace(sight, payments=own), replace(sight, payments=same)
    assert named(told, known) > 2 * named(silent, known)
