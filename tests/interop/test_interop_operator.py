"""cashu-ts at an operator's own mint: clear and blind tokens, a refill, a shop, the way back.

Each scenario is in `cashu_ts/operator.mjs`; its name says what it does. They run in order.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from tests.interop.conftest import PROJECT
from tests.interop.mints import ROOT
from tests.ports import free_port

from amana.node.operator import make_operator
from amana.node.settings import Settings
from amana.purse.policy import refill_outputs, refill_tiers, shipped_policy

SCENARIOS: Final = (
    "clear_token",
    "clear_token_for_a_device",
    "blind_tokens",
    "refill",
    "swap",
    "swap_without_a_token",
    "a_token_is_used_once",
    "pay_a_merchant",
    "pay_by_request",
    "back_into_the_account",
)
_HOST: Final = "127.0.0.1"
_START_S: Final = 60
_RUN_S: Final = 120


@contextmanager
def running_operator(folder: Path) -> Iterator[Any]:
    """Serve an operator that asks for blind tokens; the value is what its ready file holds."""
    port, ready = free_port(), folder / "ready.json"
    url, data = f"http://localhost:{port}", folder / "data"
    settings = Settings(
        name="Rationed operator",
        url=url,
        mint_url=f"http://mint.localhost:{port + 1}",
        is_play_money=True,
        blind_tokens=True,
    )
    make_operator(data, settings)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "amana", "demo", "--port", str(port), "--data", str(data)),
            *("--ready-file", str(ready), "--no-browser", "--no-traffic"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + _START_S
        while not ready.exists():
            assert process.poll() is None, "the operator starts"
            assert time.monotonic() < end, "the operator is ready in time"
            time.sleep(0.05)
        facts = json.loads(ready.read_bytes())
        # Not every machine's resolver knows names under localhost.
        facts["mint"]["url"] = f"http://{_HOST}:{port + 1}"
        yield facts
    finally:
        process.terminate()
        process.wait(_START_S)


@pytest.fixture(scope="module")
def outcomes(node: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What became of each scenario."""
    folder, policy = tmp_path_factory.mktemp("operator"), shipped_policy()
    tier = refill_tiers(policy, Settings().unit)[1]
    with running_operator(folder) as facts:
        told = folder / "facts.json"
        told.write_text(json.dumps({**facts, "refill": refill_outputs(policy, tier)}))
        done = subprocess.run(
            [str(node / "bin" / "node"), "operator.mjs", str(told)],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2_000:]
    outcomes: dict[str, str] = json.loads(done.stdout)
    return outcomes


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_cashu_ts_uses_an_operators_mint(scenario: str, outcomes: dict[str, str]) -> None:
    assert outcomes[scenario] == "passed"


def test_every_scenario_of_an_operator_has_its_test() -> None:
    text = (PROJECT / "operator.mjs").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^  async (\w+)\(\)", text, re.MULTILINE)) == SCENARIOS
