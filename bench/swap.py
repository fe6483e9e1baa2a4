"""Swaps over HTTP: how many a second, how late, and how that compares with the reference mint.

    python -m bench.swap [--seconds S] [--rounds N] [--connections N] [--json]

Two proofs in and two out, 16 connections, every swap with coins of its own that were issued
beforehand over the same API. Both mints keep their books in SQLite with synchronous FULL, both are
served as they come, and they take turns under load on the same cores, so that only the ratio needs
to be believed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from bench.generator import Sample, load, post
from bench.ledger import machine
from bench.nutshell.serving import serve_nutshell
from bench.wallet import Wallet
from rich.console import Console
from rich.table import Table

UNIT = "eur"
AMOUNTS = (4, 8)
CONNECTIONS = 16
OUR_PORT, THEIR_PORT = 8497, 8498
OUR_RATE_MAX, THEIR_RATE_MAX = 4_000, 120
"""Swaps a second that coins are made ready for; a mint that is faster runs out and is told so."""

WARM_UP_SECONDS = 1.0
_START_SECONDS = 30


@contextmanager
def serve_ours(port: int) -> Iterator[tuple[str, int]]:
    """Serve our mint with quotes that pay themselves; give its address and process."""
    with tempfile.TemporaryDirectory(prefix="amana-bench-") as folder:
        command = [sys.executable, "-m", "amana.testing.mint", "--port", str(port)]
        options = ["--units", UNIT, "--input-fee-ppk", "0", "--data", folder]
        process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/v1/keys", process)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Return when a server answers."""
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            httpx.get(url, timeout=5).raise_for_status()
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def processor_seconds(root: int) -> float:
    """Return what a process and those it started have used of the processors so far."""
    used: dict[int, float] = {}
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(fields[1])
            used[int(entry.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    family = {root}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(used[pid] for pid in family if pid in used)


class Contestant:
    """One mint, and the swaps that are ready for it."""

    def __init__(self, url: str, *, swaps: int, at_once: int) -> None:
        self.url = url
        wallet = Wallet(url, UNIT)
        coins = wallet.withdraw(AMOUNTS * swaps, at_once=at_once)
        self.requests = iter([post(url, "/v1/swap", body) for body in wallet.swaps(coins)])
        self.sample = Sample()

    def warm_up(self, connections: int) -> None:
        """Swap for a moment, and forget it."""
        load(self.url, self.requests, connections=connections, seconds=WARM_UP_SECONDS)

    def run(self, connections: int, seconds: float) -> None:
        """Swap for a while."""
        sample = load(self.url, self.requests, connections=connections, seconds=seconds)
        self.sample.add(sample)


def measure(*, seconds: float, rounds: int = 2, connections: int = CONNECTIONS) -> dict[str, Any]:
    """Let both mints take turns; return figures and their ratio."""
    with serve_ours(OUR_PORT) as (url, pid), serve_nutshell(THEIR_PORT) as their_url:
        span = seconds * rounds + WARM_UP_SECONDS
        ours = Contestant(url, swaps=int(OUR_RATE_MAX * span), at_once=500)
        theirs = None
        if their_url is not None:
            theirs = Contestant(their_url, swaps=int(THEIR_RATE_MAX * span), at_once=500)
        contest = [ours] if theirs is None else [ours, theirs]
        for contestant in contest:
            contestant.warm_up(connections)
        spent = 0.0
        for _ in range(rounds):
            before = processor_seconds(pid)
            ours.run(connections, seconds)
            spent += processor_seconds(pid) - before
            if theirs is not None:
                theirs.run(connections, seconds)
        found: dict[str, Any] = {
            "connections": connections,
            "amana": ours.sample.view(),
            "server_us_per_swap": round(spent * 1e6 / max(1, ours.sample.statuses[200])),
            "load_average": round(os.getloadavg()[0], 1),
        }
        if theirs is not None:
            found["nutshell"] = theirs.sample.view()
            found["of_nutshell"] = round(ours.sample.rate / theirs.sample.rate, 1)
        return found


def show(found: dict[str, Any]) -> None:
    """Print the figures."""
    table = Table("swaps, 2 in 2 out", "swaps/s", "p50 ms", "p99 ms", "answered", "refused")
    for name in ("amana", "nutshell"):
        if name in found:
            row = found[name]
            table.add_row(
                name,
                *(f"{row[key]:,}" for key in ("per_s", "p50_ms", "p99_ms")),
                *(f"{row[key]:,}" for key in ("answered", "refused")),
            )
    console = Console(highlight=False)
    console.print(table)
    told = found.get("of_nutshell", "not measured: the reference mint is not here")
    console.print(f"of the reference mint (aim 30, and 1,000 swaps/s): {told}")
    console.print(f"server's processor time a swap: {found['server_us_per_swap']} µs")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(seconds=asked.seconds, rounds=asked.rounds, connections=asked.connections)
    if asked.json:
        print(json.dumps({"machine": machine(), "swap": found}, indent=2))
        return
    print(" · ".join(f"{name} {value}" for name, value in machine().items()))
    show(found)


if __name__ == "__main__":
    main()
