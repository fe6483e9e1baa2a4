"""Thousands of worlds, each from one seed: no promise is broken in any of them."""

from pathlib import Path

import pytest

from amana.payments.model import Reason
from amana.testing.simulator import Form, Report, run_world, run_worlds

pytestmark = pytest.mark.simulation

SEEDS = Path(__file__).with_name("seeds.txt")
WORLDS = 2_000


def known_seeds() -> list[int]:
    lines = SEEDS.read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def describe(report: Report) -> str:
    """Say how to see each failure again."""
    return "\n".join(
        f"amana simulate --seed {failure.seed} --trace\n    {failure.violations[0]}"
        for failure in report.failures
    )


@pytest.fixture(scope="module")
def many() -> Report:
    return run_worlds(0, WORLDS)


def test_no_promise_is_broken_in_two_thousand_worlds(many: Report) -> None:
    assert many.is_clean, describe(many)
    assert many.worlds == WORLDS


def test_every_fault_happens(many: Report) -> None:
    faults = {
        "lost_before",
        "lost_after",
        "request_lost",
        "reply_lost",
        "hang_up",
        "crash",
        "crash_at_commit",
        "turn_fails",
        "commit_fails",
        "ledger_fails",
        "clock_jumps",
        "clock_set_back",
        "double_tap",
        "key_shared",
    }
    of_purses = {"rotation", "signatory_gone", "signing_stops", "merchant_closes"}
    assert not {name for name in of_purses if many.counts.get(name, 0) < WORLDS // 40}
    rare = {name for name in faults if many.counts.get(name, 0) < WORLDS // 20}
    assert not rare


def test_every_outcome_happens(many: Report) -> None:
    outcomes = {
        "purchase paid",
        "purchase voided",
        "purchase expired",
        "person paid",
        "topup paid",
        "credit paid",
        "refund paid",
        "capture done",
        "void done",
        "expire done",
    }
    of_purses = {
        "refill paid",
        "deposit paid",
        "purse paid",
        "swap done",
        "swap already_spent",
        "redeem done",
        "redeem already_spent",
        "redeem quote_pending",
        "redeem payment_failed",
        "redeem issue_disabled",
        "claim done",
    }
    assert not {name for name in of_purses if not many.counts.get(name)}
    never = {name for name in outcomes if many.counts.get(name, 0) < WORLDS // 20}
    assert not never


def test_every_reason_to_refuse_a_payment_or_a_step_happens(many: Report) -> None:
    told = {name.split()[1] for name in many.counts if " " in name}
    unheard = {reason.value for reason in Reason} - told
    # An order that is not there is refused by whoever serves the request; a hold's time and the
    # number of its steps are refused to nobody who asks through the service in order.
    # What purses are refused for, the mint says in its own words.
    of_purses = {"purse-cannot-hold"}
    assert unheard <= {"order-not-found", "hold-not-expired", "too-many-steps"} | of_purses


@pytest.mark.parametrize("seed", known_seeds())
def test_a_world_that_once_broke_a_promise_keeps_it(seed: int) -> None:
    report = run_world(seed)
    assert not report.violations, str(report.violations[0])


def test_worlds_on_the_real_stores_break_no_promise() -> None:
    report = run_worlds(0, 60, form=Form.SQLITE)
    assert report.is_clean, describe(report)
    assert report.counts["crash"] > 60


@pytest.mark.parametrize("form", list(Form))
def test_a_seed_makes_the_same_world_again(form: Form) -> None:
    first: list[str] = []
    second: list[str] = []
    run_world(7, form=form, trace=first.append)
    run_world(7, form=form, trace=second.append)
    assert first == second
    assert len(first) > 40


def test_seeds_make_different_worlds() -> None:
    assert run_world(1).counts != run_world(2).counts


def test_progress_counts_the_worlds() -> None:
    seen: list[int] = []
    run_worlds(10, 3, progress=seen.append)
    assert seen == [1, 2, 3]
