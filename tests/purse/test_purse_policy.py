"""The policy's vectors, which the wallet's tests read too."""

from importlib.resources import files
from typing import Any

import msgspec
import pytest

from amana.kernel import CURRENCIES, currency
from amana.purse.policy import (
    Span,
    deposit_delay_minutes,
    deposit_tiers,
    drawn,
    refill_outputs,
    refill_tiers,
    shipped_policy,
    signing_delay_minutes,
)

POLICY = shipped_policy()
VECTORS = msgspec.json.decode(
    files("amana.purse.policy").joinpath("vectors.json").read_bytes(), type=dict[str, Any]
)


def test_the_vectors_are_of_this_version_of_the_policy() -> None:
    assert VECTORS["version"] == POLICY.version


@pytest.mark.parametrize("row", VECTORS["tiers"], ids=lambda row: row["currency"])
def test_tiers_follow_the_currencys_digits(row: dict[str, Any]) -> None:
    unit = currency(row["currency"])
    assert list(refill_tiers(POLICY, unit)) == row["refill"]
    assert list(deposit_tiers(POLICY, unit)) == row["deposit"]


@pytest.mark.parametrize("row", VECTORS["outputs"], ids=lambda row: row["amount"])
def test_every_refill_of_a_tier_has_the_same_outputs(row: dict[str, Any]) -> None:
    outputs = refill_outputs(POLICY, row["amount"])
    assert list(outputs) == row["outputs"]
    assert sum(outputs) == row["amount"]


def test_every_refill_in_every_currency_has_as_many_outputs() -> None:
    counts = {
        len(refill_outputs(POLICY, amount))
        for unit in CURRENCIES.values()
        if str(unit.exponent) in POLICY.scale
        for amount in refill_tiers(POLICY, unit)
    }
    assert counts == {POLICY.refill.outputs}


def test_no_denomination_stands_above_the_cap() -> None:
    largest = 1 << POLICY.denomination_exponent_max
    assert all(max(refill_outputs(POLICY, tier)) <= largest for tier in POLICY.refill.tiers)
    assert sum(1 << bit for bit in range(POLICY.spend.blanks)) >= largest


@pytest.mark.parametrize("row", VECTORS["delays"], ids=lambda row: row["draw"])
def test_delays_come_from_eight_random_bytes_alone(row: dict[str, Any]) -> None:
    random = bytes.fromhex(row["draw"])
    assert signing_delay_minutes(POLICY, random) == row["signing_minutes"]
    assert deposit_delay_minutes(POLICY, random) == row["deposit_minutes"]


def test_a_purse_that_was_never_filled_is_filled_at_once() -> None:
    assert signing_delay_minutes(POLICY, bytes(8), is_first=True) == 0


def test_every_number_of_a_span_is_drawn_as_often() -> None:
    span = Span(3, 6)
    quarters = [drawn(span, (part << 62).to_bytes(8, "big")) for part in range(4)]
    assert quarters == [3, 4, 5, 6]
    assert drawn(span, b"\xff" * 8) == span.last
