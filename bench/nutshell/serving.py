"""Serving the reference mint on loopback, with play invoices that pay themselves."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from bench.nutshell.environment import nutshell_python

_START_SECONDS = 60
_SETTINGS = {
    "MINT_PRIVATE_KEY": "a key for play money only",
    "MINT_DERIVATION_PATH": "m/0'/3'/0'",
    "MINT_BACKEND_BOLT11_EUR": "FakeWallet",
    "MINT_INPUT_FEE_PPK": "0",
    "MINT_RATE_LIMIT": "FALSE",
    "FAKEWALLET_DELAY_INCOMING_PAYMENT": "0.05",
    "FAKEWALLET_DELAY_OUTGOING_PAYMENT": "0",
    "LOG_LEVEL": "WARNING",
    "TOR": "FALSE",
}


def nutshell_environment(folder: Path) -> dict[str, str]:
    """Return the variables for a program of the reference mint that keeps all in one folder."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("MINT_")},
        **_SETTINGS,
        "HOME": str(folder),
        "CASHU_DIR": str(folder),
        "MINT_DATABASE": str(folder / "mint"),
        "MINT_AUTH_DATABASE": str(folder / "auth"),
    }


@contextmanager
def serve_nutshell(port: int, settings: Mapping[str, str] | None = None) -> Iterator[str | None]:
    """Serve the reference mint for eur as it comes, on SQLite; give its address.

    Its log is down to warnings and its rate limits are off. None where its environment cannot be
    made, or it does not start; standard error says why.
    """
    python = nutshell_python()
    if python is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="amana-nutshell-") as name:
        folder = Path(name)
        log = folder / "log"
        with log.open("w") as sink:
            process = subprocess.Popen(
                [str(python), "-m", "cashu.mint", "--port", str(port), "--access-log=0"],
                cwd=folder,
                env=nutshell_environment(folder) | dict(settings or {}),
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        try:
            url = f"http://127.0.0.1:{port}"
            if _answers(process, url):
                yield url
            else:
                print(f"The reference mint does not start:\n{log.read_text()}", file=sys.stderr)
                yield None
        finally:
            process.terminate()
            process.wait(20)


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            return httpx.get(f"{url}/v1/keys", timeout=5).is_success
        except httpx.TransportError:
            time.sleep(0.1)
    return False
