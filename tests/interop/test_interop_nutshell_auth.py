"""The reference wallet signs in by a device's code, and its blind tokens open the mint."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from bench.nutshell.environment import nutshell_python
from tests.interop.test_interop_operator import running_operator

PROGRAM: Final = Path(__file__).with_name("nutshell_auth.py")
_RUN_S: Final = 60


def order_of(facts: Any) -> str:
    made = httpx.post(
        f"{facts['url']}/v1/orders",
        json={"amount": {"currency": "EUR", "minor": "100"}},
        headers={
            "Authorization": f"Bearer {facts['merchants'][0]['api_key']}",
            "Idempotency-Key": "an-order",
        },
    )
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def test_the_reference_wallet_fetches_blind_tokens_that_open_the_mint(tmp_path: Path) -> None:
    python = nutshell_python()
    if python is None:
        pytest.skip("the reference wallet's environment cannot be made; standard error says why")
    with running_operator(tmp_path) as facts:
        told_facts = tmp_path / "facts.json"
        told_facts.write_text(json.dumps(facts), encoding="utf-8")
        done = subprocess.run(
            [str(python), str(PROGRAM), str(told_facts), str(tmp_path / "wallet")],
            cwd=tmp_path,
            env={**os.environ, "TOR": "FALSE", "MINT_URL": facts["mint"]["url"]},
            capture_output=True,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2_000:]
        told = json.loads(done.stdout.splitlines()[-1])
        info = httpx.get(f"{facts['mint']['url']}/v1/info").json()
        assert told["is_asked"]
        assert told["is_refreshed"]
        assert told["count"] == info["nuts"]["22"]["bat_max_mint"]

        asked = {"request": order_of(facts), "unit": "eur"}

        def quote(token: str) -> dict[str, Any]:
            address = f"{facts['mint']['url']}/v1/melt/quote/amana-merchant"
            answer: dict[str, Any] = httpx.post(
                address, json=asked, headers={"Blind-auth": token}
            ).json()
            return answer

        first, second = told["headers"][:2]
        assert quote(first)["amount"] == 100
        assert quote(first)["code"] == 31_002, "a token is used once"
        assert quote(second)["amount"] == 100
