"""The question itself, at the size of CI: 500 people for 30 days, five towns together."""

from amana.vet.score import Score
from amana.vet.sight import DAY_SECONDS
from amana.vet.town import run_town
from amana.vet.who_paid import (
    CALLS,
    EXACT,
    FILES,
    FIRST_DAY,
    LOG,
    OPENINGS,
    ROUND,
    SENDER,
    SENDER_LOG,
    SHUFFLED,
    Report,
    Row,
)


def row(report: Report, name: str) -> Row:
    return next(one for one in report.rows if one.name == name)


def score(report: Report, name: str) -> Score:
    return row(report, name).score


def together(report: Report, name: str) -> Score:
    return next(one.score for one in report.pooled if one.name == name)


def test_the_files_add_little_to_guessing_by_volume(report: Report) -> None:
    found = together(report, FILES)
    assert found.named.trials > 2 * score(report, FILES).named.trials
    assert found.named.value <= 1.5 * found.by_volume.value
    assert found.top_ten.value <= 1.5 * found.by_volume_ten.value


def test_an_account_is_not_named_from_twenty_linked_payments(report: Report) -> None:
    found = together(report, FILES).linked
    assert [one.payments for one in found] == [4, 10, 20]
    # One of a small town's dozen people who paid twenty times is the heaviest payer, who is guessed
    # from volume alone: more than one in twenty.
    assert all(one.named.value <= max(0.05, one.by_volume) for one in found)
    assert found[0].named.trials >= 600
    # Too few to tell one in twenty from luck, if it were one town.
    assert found[-1].named.trials >= 60


def test_most_of_the_town_stays_in_the_crowd(report: Report) -> None:
    found = score(report, FILES)
    assert found.set_median >= 0.7 * report.people
    assert found.leaked_bits <= 1


def test_almost_nobody_has_to_pay_by_name_because_the_purse_is_empty(report: Report) -> None:
    assert report.by_account <= 0.0005
    assert report.by_account_value <= 0.002
    assert report.gifts_by_name <= 10


def test_payments_by_name_are_counted_from_the_first_day_on(report: Report) -> None:
    events = run_town(report.people, report.days, report.seed).events
    by_name = [event for event in events if event["kind"] in {"named", "named_gift"}]
    assert by_name[0]["at"] < FIRST_DAY * DAY_SECONDS
    assert report.by_name + report.gifts_by_name == len(by_name)


def test_the_write_ahead_log_adds_little_even_if_it_were_kept_for_ever(report: Report) -> None:
    found = together(report, LOG)
    assert found.named.value <= 1.5 * found.by_volume.value


def test_withdrawing_the_exact_sum_at_the_till_is_found_out(report: Report) -> None:
    assert score(report, EXACT).named.value >= 0.9


def test_withdrawing_round_sums_at_the_till_is_found_out(report: Report) -> None:
    assert score(report, ROUND).named.value >= 0.2


def test_with_shuffled_labels_nothing_is_found(report: Report) -> None:
    found = score(report, SHUFFLED)
    assert found.named.low <= found.by_volume.high
    assert all(one.named.low <= 0.01 for one in found.linked if one.named.trials >= 20)


def test_whoever_watches_the_sessions_finds_more_than_the_files_tell(report: Report) -> None:
    calls, openings = score(report, CALLS), score(report, OPENINGS)
    assert calls.named.low > score(report, FILES).named.high
    assert openings.named.low > calls.named.high


def test_the_sender_of_a_letter_is_not_named(report: Report) -> None:
    for name in (SENDER, SENDER_LOG):
        found = score(report, name)
        assert found.named.trials >= 100
        assert found.named.low <= 10 / report.people


def test_without_a_relay_an_address_would_name_every_payer(report: Report) -> None:
    assert report.same_address == 1


def test_few_payments_are_asked_after_by_another_device(report: Report) -> None:
    assert 0 < report.asked_after <= 0.02


def test_every_goal_is_met(report: Report) -> None:
    assert report.goals
    assert [goal for goal, is_met in report.goals.items() if not is_met] == []
