"""The command-line wallet of the reference implementation, each command a process of its own."""

import os
import re
import subprocess
from collections.abc import Callable
from typing import Final

import httpx
import pytest
from bench.nutshell.environment import nutshell_python

Run = Callable[..., str]
_RUN_S: Final = 60
_TOKEN: Final = re.compile(r"cashuB[\w=-]+")
_LOCK: Final = re.compile(r"P2PK:[0-9a-f]{66}")


@pytest.fixture(scope="module")
def wallet(free_mint: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run one command of somebody's wallet; the value is all that it says."""
    python = nutshell_python()
    if python is None:
        pytest.skip("the reference wallet's environment cannot be made; standard error says why")
    folder = tmp_path_factory.mktemp("nutshell")
    environment = {**os.environ, "TOR": "FALSE", "MINT_URL": free_mint}

    def run(who: str, *command: str) -> str:
        # A folder each: tokens are received into the wallet named `wallet`, whatever was asked for.
        program = [str(python.with_name("cashu")), "-h", free_mint, "-y", *command]
        done = subprocess.run(
            program,
            cwd=folder,
            env=environment | {"CASHU_DIR": str(folder / who)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
        return done.stdout

    assert "Balance: 64 sat" in run("payer", "invoice", "64")
    return run


def found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    assert match is not None, text
    return match[0]


def balance(run: Run, who: str, *options: str) -> str:
    return run(who, *options, "balance").strip().splitlines()[-1]


def test_the_reference_wallet_is_issued_sends_receives_locks_and_pays(
    wallet: Run, fee_mint: str
) -> None:
    token = found(_TOKEN, wallet("payer", "send", "10"))
    assert "Received 10 sat" in wallet("payee", "receive", token)
    assert "11001" in wallet("payee", "receive", token), "a token is received once"

    lock = found(_LOCK, wallet("payee", "lock", "p2pk"))
    locked = found(_TOKEN, wallet("payer", "send", "8", "--lock", lock))
    assert "20008" in wallet("payer", "receive", locked), "nobody else opens the lock"
    assert "Received 8 sat" in wallet("payee", "receive", locked)

    quote = httpx.post(f"{fee_mint}/v1/mint/quote/bolt11", json={"unit": "sat", "amount": 20})
    paid = wallet("payer", "pay", quote.json()["request"])
    assert "Invoice paid. (Preimage: " in paid, paid
    assert balance(wallet, "payee") == "Balance: 18 sat"
    # 64 less 10, 8, 20 and the one unit that paying costs; the rest of the reserve came back.
    assert balance(wallet, "payer") == "Balance: 25 sat"


def test_the_reference_wallet_holds_another_currency(wallet: Run) -> None:
    assert "Balance: 5.00 EUR" in wallet("payer", "-u", "eur", "invoice", "5")
    assert balance(wallet, "payer", "-u", "eur") == "Balance: 5.00 EUR"
