"""Paying merchants from the purse: how many a second, how late, and what it takes on disk.

    python -m bench.redeem [--seconds S] [--spent N] [--connections C] [--json]

A payment is `POST /v1/melt/amana-merchant`: three proofs into an order of a merchant, two coins of
change signed in the same call. Every payment has an order, a quote and coins of its own. The
quotes are made beforehand over the same API, and their rate is told beside. A whole operator is
served by `amana serve` with full durability; the generator shares its cores.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
from bench.generator import Sample, load, post
from bench.ledger import machine
from bench.purse_operator import UNIT, Ready, prepare, processor_seconds, serve
from bench.purse_past import fill_spent, used_bytes
from rich.console import Console
from rich.table import Table

from amana.purse.policy import shipped_policy

INPUTS = (64, 128, 512)
ORDER_MINOR = 692
"""7.04 is paid with, so 0.12 comes back, as 4 and 8."""

BLANKS = shipped_policy().spend.blanks
"""As many as the wallet sends with each payment."""

CONNECTIONS = 32
"""Half of those in `bench/payments.py`: with fewer the commits are smaller."""

PORT, PORTS_EACH = 8491, 4
RATE_MAX = 2_000
WARM_UP_SECONDS = 1.0
_METHOD = "amana-merchant"


class _Quote(msgspec.Struct):
    quote: str


def quote_requests(url: str, ready: Ready) -> Iterator[bytes]:
    """Ask for a quote for each order, with a token of its own where the mint asks for one."""
    for order, token in zip_longest(ready.orders, ready.tokens[: len(ready.orders)]):
        body = msgspec.json.encode({"request": order, "unit": UNIT})
        yield post(url, f"/v1/melt/quote/{_METHOD}", body, token=token)


def payment_requests(url: str, ready: Ready, quotes: Sequence[str]) -> list[bytes]:
    """Pay each quote with coins of its own, and a second token of the payment."""
    wallet, size, tokens = ready.wallet, len(INPUTS), ready.tokens[len(ready.orders) :]
    requests = []
    for number, quote in enumerate(quotes):
        coins = ready.coins[number * size : (number + 1) * size]
        blanks = [wallet.message(wallet.output(0)) for _ in range(BLANKS)]
        inputs = [wallet.proof(coin) for coin in coins]
        body = msgspec.json.encode({"quote": quote, "inputs": inputs, "outputs": blanks})
        token = tokens[number] if tokens else None
        requests.append(post(url, f"/v1/melt/{_METHOD}", body, token=token))
    return requests


class Side:
    """One operator that is served, with quotes for all its orders and coins to pay them."""

    def __init__(
        self,
        folder: Path,
        ready: Ready,
        *,
        url: str,
        process: int,
        connections: int = CONNECTIONS,
    ) -> None:
        self._folder = folder
        self._connections = connections
        self._url = url
        self._process = process
        bytes_bare = used_bytes(folder)
        self.asked = load(
            url,
            quote_requests(url, ready),
            connections=connections,
            seconds=3_600,
            keeps_bodies=True,
        )
        assert set(self.asked.statuses) == {200}, self.asked.first_refusal
        bodies = self.asked.bodies or []
        quotes = [msgspec.json.decode(body, type=_Quote).quote for body in bodies]
        self._requests = iter(payment_requests(url, ready, quotes))
        self._bytes_asked = used_bytes(folder)
        self._bytes_per_quote = round((self._bytes_asked - bytes_bare) / len(quotes))
        self._warm = load(url, self._requests, connections=connections, seconds=WARM_UP_SECONDS)
        self._used = 0.0
        self.paid = Sample()

    def run(self, seconds: float) -> None:
        """Pay for a while."""
        before = processor_seconds(self._process)
        self.paid.add(
            load(self._url, self._requests, connections=self._connections, seconds=seconds)
        )
        self._used += processor_seconds(self._process) - before

    def view(self) -> dict[str, Any]:
        """Return the figures."""
        paid = self.paid.statuses[200]
        grown = used_bytes(self._folder) - self._bytes_asked
        return {
            "payments": self.paid.view(),
            "server_us_per_payment": round(self._used * 1e6 / max(1, paid)),
            "quotes": self.asked.view(),
            "quote_and_payment_per_s": together(self.asked, self.paid),
            "bytes_per_payment": round(grown / max(1, paid + self._warm.statuses[200])),
            "bytes_per_quote": self._bytes_per_quote,
            "load_average": round(os.getloadavg()[0], 1),
        }


def together(asked: Sample, paid: Sample) -> float:
    """Return how many could ask for a quote and pay it in a second."""
    return round(1 / (1 / asked.rate + 1 / paid.rate), 1) if asked.rate and paid.rate else 0.0


def measure(
    *, seconds: float, spent: int, rounds: int = 3, connections: int = CONNECTIONS
) -> dict[str, Any]:
    """Measure with an empty past, with blind tokens and, if asked, with a past, in turns."""
    count = int(RATE_MAX * (seconds + WARM_UP_SECONDS))
    pasts = {"empty": 0, "tokens": 0, **({"full": spent} if spent else {})}
    sides: dict[str, Side] = {}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="amana-bench-")))
        for number, (name, past) in enumerate(pasts.items()):
            folder = place / name
            ready = prepare(
                folder,
                INPUTS * count,
                orders=count,
                order_minor=ORDER_MINOR,
                tokens=2 * count if name == "tokens" else 0,
            )
            if past:
                fill_spent(folder, past)
            url, process = stack.enter_context(serve(folder, PORT + number * PORTS_EACH))
            sides[name] = Side(folder, ready, url=url, process=process, connections=connections)
        # What the filling left to be written is no part of what is measured.
        os.sync()
        for _ in range(rounds):
            for side in sides.values():
                side.run(seconds / rounds)
        found: dict[str, Any] = {"connections": connections}
        for name, side in sides.items():
            found[name] = {"spent_proofs": pasts[name], **side.view()}
    found["tokens_ratio"] = round(sides["tokens"].paid.rate / sides["empty"].paid.rate, 2)
    if spent:
        found["full_ratio"] = round(sides["full"].paid.rate / sides["empty"].paid.rate, 2)
    return found


def show(found: dict[str, Any]) -> None:
    """Print the figures."""
    table = Table(
        f"3 proofs into an order, {found['connections']} connections",
        "a second",
        "p50 ms",
        "p99 ms",
        "answered",
        "refused",
    )
    for name, more in (("empty", ""), ("tokens", ", with blind tokens"), ("full", "")):
        if name not in found:
            continue
        for kind in ("quotes", "payments"):
            row = found[name][kind]
            cells = (row[key] for key in ("per_s", "p50_ms", "p99_ms", "answered", "refused"))
            label = f"{kind}, {found[name]['spent_proofs']:,} spent{more}"
            table.add_row(label, *(f"{cell:,}" for cell in cells))
    console = Console(highlight=False)
    console.print(table)
    empty = found["empty"]
    told = {
        "full of empty (aim 0.8)": found.get("full_ratio", "not measured"),
        "with blind tokens of without": found["tokens_ratio"],
        "quote and payment together, a second": empty["quote_and_payment_per_s"],
        "server's processor time a payment, µs": empty["server_us_per_payment"],
        "bytes on disk a payment": empty["bytes_per_payment"],
        "bytes on disk a quote, until it is forgotten": empty["bytes_per_quote"],
    }
    for name, value in told.items():
        console.print(f"{name}: {value}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--spent", type=int, default=5_000_000)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(seconds=asked.seconds, spent=asked.spent, connections=asked.connections)
    if asked.json:
        print(json.dumps({"machine": machine(), "redemption": found}, indent=2))
        return
    print(" · ".join(f"{name} {value}" for name, value in machine().items()))
    show(found)


if __name__ == "__main__":
    main()
