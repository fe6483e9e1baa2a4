"""Swaps over HTTP: how many a second, how late, and how that compares with the reference mint.

    python -m bench.swap [--seconds S] [--rounds N] [--connections N] [--json]

Two proofs in and two out, 16 connections, every swap with coins of its own that were issued
beforehand. Ours is the mint of a whole operator, as `amana serve` serves it: once as shipped, with
a blind token for each swap, and once without, because the reference mint has none. All mints keep
their books in SQLite with synchronous FULL, and they take turns under load on the same cores, so
that only the ratios need to be believed.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from bench.generator import Sample, load, post
from bench.ledger import machine
from bench.nutshell.serving import serve_nutshell
from bench.purse_operator import UNIT, prepare, processor_seconds, serve
from bench.wallet import Coin, Wallet, withdraw
from rich.console import Console
from rich.table import Table

AMOUNTS = (4, 8)
CONNECTIONS = 16
OUR_PORT, TOKENS_PORT, THEIR_PORT = 8480, 8484, 8498
OUR_RATE_MAX, TOKENS_RATE_MAX, THEIR_RATE_MAX = 4_000, 2_500, 120
"""Swaps a second that coins are made ready for; a mint that is faster runs out and is told so."""

WARM_UP_SECONDS = 1.0


class Contestant:
    """One mint, and the swaps that are ready for it, each with a token where it asks for one."""

    def __init__(
        self,
        server: tuple[str, int | None],
        wallet: Wallet,
        coins: Sequence[Coin],
        tokens: Sequence[str] = (),
    ) -> None:
        url, self._process = server
        self.url = url
        self.requests = iter(
            [
                post(url, "/v1/swap", body, token=token)
                for body, token in zip_longest(wallet.swaps(coins), tokens)
            ]
        )
        self.sample = Sample()
        self._used = 0.0

    def warm_up(self, connections: int) -> None:
        """Swap for a moment, and forget it."""
        load(self.url, self.requests, connections=connections, seconds=WARM_UP_SECONDS)

    def run(self, connections: int, seconds: float) -> None:
        """Swap for a while."""
        before = self._processor_seconds()
        sample = load(self.url, self.requests, connections=connections, seconds=seconds)
        self._used += self._processor_seconds() - before
        self.sample.add(sample)

    def _processor_seconds(self) -> float:
        return 0.0 if self._process is None else processor_seconds(self._process)

    def server_us(self) -> int:
        """Return the server's processor time for a swap, in microseconds."""
        return round(self._used * 1e6 / max(1, self.sample.statuses[200]))


def measure(*, seconds: float, rounds: int = 2, connections: int = CONNECTIONS) -> dict[str, Any]:
    """Let the mints take turns, ours with blind tokens and without; return figures and ratios."""
    span = seconds * rounds + WARM_UP_SECONDS
    with tempfile.TemporaryDirectory(prefix="amana-bench-") as name:
        folder, rationed = Path(name) / "operator", Path(name) / "rationed"
        ready = prepare(folder, AMOUNTS * int(OUR_RATE_MAX * span))
        swaps = int(TOKENS_RATE_MAX * span)
        more = prepare(rationed, AMOUNTS * swaps, tokens=swaps)
        with (
            serve(folder, OUR_PORT) as plain,
            serve(rationed, TOKENS_PORT) as asking,
            serve_nutshell(THEIR_PORT) as their_url,
        ):
            ours = Contestant(plain, ready.wallet, ready.coins)
            with_tokens = Contestant(asking, more.wallet, more.coins, more.tokens)
            contest = [ours, with_tokens]
            if their_url is not None:
                contest.append(reference(their_url, int(THEIR_RATE_MAX * span)))
            for contestant in contest:
                contestant.warm_up(connections)
            for _ in range(rounds):
                for contestant in contest:
                    contestant.run(connections, seconds)
    found: dict[str, Any] = {
        "connections": connections,
        "amana": ours.sample.view(),
        "amana with blind tokens": with_tokens.sample.view(),
        "tokens_ratio": round(with_tokens.sample.rate / ours.sample.rate, 2),
        "server_us_per_swap": ours.server_us(),
        "server_us_per_swap_with_token": with_tokens.server_us(),
        "load_average": round(os.getloadavg()[0], 1),
    }
    for theirs in contest[2:]:
        found["nutshell"] = theirs.sample.view()
        found["of_nutshell"] = round(ours.sample.rate / theirs.sample.rate, 1)
    return found


def reference(url: str, swaps: int) -> Contestant:
    """Return the reference mint with coins that it issued over its API."""
    return Contestant((url, None), *withdraw(url, UNIT, AMOUNTS * swaps))


def show(found: dict[str, Any]) -> None:
    """Print the figures."""
    table = Table("swaps, 2 in 2 out", "swaps/s", "p50 ms", "p99 ms", "answered", "refused")
    for name in ("amana", "amana with blind tokens", "nutshell"):
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
    console.print(f"with blind tokens of without: {found['tokens_ratio']}")
    console.print(f"of the reference mint (aim 30, and 1,000 swaps/s): {told}")
    console.print(f"server's processor time a swap: {found['server_us_per_swap']} µs")
    console.print(f"the same with a blind token: {found['server_us_per_swap_with_token']} µs")


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
