"""The reference wallet pays a merchant's order by the order's own payment request (NUT-26).

Goal: what an order shows to wallets by others is enough for one of them to pay it.

Method: the wallet's holder has signed in by a device's code, which its command does not offer. It
has no way to fill itself from an account, so it is handed e-cash that a standing order signed, as a
token. Then it gets nothing but the request.
"""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from bench.nutshell.environment import nutshell_python
from tests.faults.holder import Wallet, read_keyset
from tests.interop.test_interop_nutshell_auth import PROGRAM as SIGN_IN
from tests.interop.test_interop_operator import running_operator

from amana.node.settings import Settings
from amana.purse.policy import refill_tiers, shipped_policy
from amana.wire.cashu import Token, TokenProof, write_token

LOCALHOST: Final = Path(__file__).with_name("localhost.py")
_RUN_S: Final = 60
_FILL_S: Final = 60


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What an operator's ready file holds."""
    with running_operator(tmp_path_factory.mktemp("operator")) as facts:
        yield facts


def named(facts: Any) -> str:
    """The mint as the operator names it."""
    return str(facts["mint"]["url"]).replace("127.0.0.1", "mint.localhost")


def filled(facts: Any) -> str:
    """E-cash of a customer's first refill, as a token."""
    with httpx.Client(trust_env=False) as client:
        (view,) = client.get(f"{facts['mint']['url']}/v1/keys").json()["keysets"]
        wallet = Wallet(read_keyset(view))
        tier = refill_tiers(shipped_policy(), Settings().unit)[0]
        outputs = wallet.refill(tier)
        body = {
            "tier": {"currency": "EUR", "minor": str(tier)},
            "keyset_id": view["id"],
            "outputs": [
                {"amount": one.message.amount, "B_": one.message.point.hex()} for one in outputs
            ],
        }
        path = f"{facts['url']}/v1/purse/refill"
        headers = {"Authorization": f"Bearer {facts['customers'][0]['token']}"}
        refill = client.put(path, json=body, headers=headers).raise_for_status().json()
        end = time.monotonic() + _FILL_S
        while refill["state"] != "signed":
            assert time.monotonic() < end, "the refill is signed in time"
            time.sleep(0.1)
            refill = client.get(path, headers=headers).json()
    proofs = [
        TokenProof(proof.keyset_id, proof.amount, proof.secret, proof.point)
        for proof in wallet.receive(outputs, refill["signatures"])
    ]
    return write_token(Token(named(facts), view["unit"], tuple(proofs)))


def asked(facts: Any, method: str, path: str, body: Any = None) -> Any:
    """What the first merchant is answered."""
    key = facts["merchants"][0]["api_key"]
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one-order"}
    answer = httpx.request(method, facts["url"] + path, json=body, headers=headers)
    return answer.raise_for_status().json()


def test_the_reference_wallet_pays_an_order_by_its_request(facts: Any, tmp_path: Path) -> None:
    python = nutshell_python()
    if python is None:
        pytest.skip("the reference wallet's environment cannot be made; standard error says why")
    # By the name that the request has: a wallet pays only at the mint that it knows.
    mint = named(facts)
    told = tmp_path / "facts.json"
    told.write_text(json.dumps({**facts, "mint": {"url": mint}}), encoding="utf-8")

    def run(program: Path, *arguments: str) -> str:
        done = subprocess.run(
            [str(python), str(LOCALHOST), str(program), *arguments],
            cwd=tmp_path,
            env={**os.environ, "TOR": "FALSE", "MINT_URL": mint, "CASHU_DIR": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
        return done.stdout

    def wallet(*command: str) -> str:
        return run(python.with_name("cashu"), "-h", mint, "-u", "eur", "-y", *command)

    signed_in = run(SIGN_IN, str(told), str(tmp_path / "wallet"))
    assert '"is_asked": true' in signed_in, signed_in
    received = wallet("receive", filled(facts))
    assert "Received 20.00 EUR" in received, received
    body = {"amount": {"currency": "EUR", "minor": "1234"}, "reference": "table 4"}
    order = asked(facts, "POST", "/v1/orders", body)
    paid = wallet("pay", order["cashu_request"])
    assert "Payment Request: table 4" in paid, paid
    assert "Done (Status: 200)" in paid, paid
    assert asked(facts, "GET", f"/v1/orders/{order['id']}")["status"] == "paid"
    assert "7.66 EUR" in wallet("balance")
