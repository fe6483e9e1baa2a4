"""cashu-ts, a library that others wrote, does at our mint what wallets do.

Each scenario is in `cashu_ts/scenarios.mjs`; its name says what it does.
"""

import re
from typing import Final

import pytest
from tests.interop.conftest import PROJECT

SCENARIOS: Final = (
    "issue",
    "swap",
    "send_and_receive",
    "other_unit",
    "lock_on_inputs",
    "lock_on_all",
    "multisig",
    "refund_before_the_time",
    "refund_after_the_time",
    "blinded_key",
    "hash_lock",
    "states",
    "subscriptions",
    "melt_subscription",
    "melt_with_change",
    "melt_within_the_mint",
    "restore",
    "required_dleq",
    "locked_quote",
    "unknown_quote",
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_cashu_ts_does_at_our_mint_what_wallets_do(scenario: str, outcomes: dict[str, str]) -> None:
    assert outcomes[scenario] == "passed"


def test_every_scenario_has_its_test() -> None:
    text = (PROJECT / "scenarios.mjs").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^  async (\w+)\(\)", text, re.MULTILINE)) == SCENARIOS
