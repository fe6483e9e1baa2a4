"""Paying merchants from the purse: how many a second, how late, and what it takes on disk.

    python -m bench.redeem [--seconds S] [--spent N] [--json]

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
from pathlib import Path
from typing import Any

import msgspec
from bench.generator import Sample, load, post
from bench.ledger import machine
from bench.purse_operator import UNIT, Ready, prepare, processor_seconds, serve
from bench.purse_past import fill_spent, used_bytes
from rich.console import Console
from rich.table import Table

INPUTS = (64, 128, 512)
ORDER_MINOR = 692
"""7.04 is paid with, so 0.12 comes back, as 4 and 8."""

BLANKS = 4
CONNECTIONS = 16
PORT = 8493
RATE_MAX = 2_000
WARM_UP_SECONDS = 1.0
_METHOD = "amana-merchant"


class _Quote(msgspec.Struct):
    quote: str


def quote_requests(url: str, orders: Sequence[str]) -> Iterator[bytes]:
    """Ask for a quote for each order."""
    for order in orders:
        body = msgspec.json.encode({"request": order, "unit": UNIT})
        yield post(url, f"/v1/melt/quote/{_METHOD}", body)


def payment_requests(url: str, ready: Ready, quotes: Sequence[str]) -> list[bytes]:
    """Pay each quote with coins of its own."""
    wallet, size = ready.wallet, len(INPUTS)
    requests = []
    for number, quote in enumerate(quotes):
        coins = ready.coins[number * size : (number + 1) * size]
        blanks = [wallet.message(wallet.output(0)) for _ in range(BLANKS)]
        inputs = [wallet.proof(coin) for coin in coins]
        body = msgspec.json.encode({"quote": quote, "inputs": inputs, "outputs": blanks})
        requests.append(post(url, f"/v1/melt/{_METHOD}", body))
    return requests


def stretch(folder: Path, ready: Ready, *, seconds: float) -> dict[str, Any]:
    """Serve one folder: quotes for all orders, then as many payments as there is time for."""
    with serve(folder, PORT) as (url, pid):
        bytes_bare = used_bytes(folder)
        asked = load(
            url,
            quote_requests(url, ready.orders),
            connections=CONNECTIONS,
            seconds=3_600,
            keeps_bodies=True,
        )
        assert set(asked.statuses) == {200}, asked.first_refusal
        quotes = [msgspec.json.decode(body, type=_Quote).quote for body in asked.bodies or ()]
        requests = iter(payment_requests(url, ready, quotes))
        bytes_asked = used_bytes(folder)
        warm = load(url, requests, connections=CONNECTIONS, seconds=WARM_UP_SECONDS)
        used = processor_seconds(pid)
        paid = load(url, requests, connections=CONNECTIONS, seconds=seconds)
        used = processor_seconds(pid) - used
        bytes_paid = used_bytes(folder)
    payments = max(1, warm.statuses[200] + paid.statuses[200])
    return {
        "payments": paid.view(),
        "server_us_per_payment": round(used * 1e6 / max(1, paid.statuses[200])),
        "quotes": asked.view(),
        "quote_and_payment_per_s": together(asked, paid),
        "bytes_per_payment": round((bytes_paid - bytes_asked) / payments),
        "bytes_per_quote": round((bytes_asked - bytes_bare) / len(quotes)),
        "load_average": round(os.getloadavg()[0], 1),
    }


def together(asked: Sample, paid: Sample) -> float:
    """Return how many could ask for a quote and pay it in a second."""
    return round(1 / (1 / asked.rate + 1 / paid.rate), 1) if asked.rate and paid.rate else 0.0


def measure(*, seconds: float, spent: int) -> dict[str, Any]:
    """Measure with an empty purse and, if asked, with so many spent proofs in the books."""
    count = int(RATE_MAX * (seconds + WARM_UP_SECONDS))
    found: dict[str, Any] = {"connections": CONNECTIONS}
    for name, past in [("empty", 0)] + ([("full", spent)] if spent else []):
        with tempfile.TemporaryDirectory(prefix="amana-bench-") as place:
            folder = Path(place) / "operator"
            ready = prepare(folder, INPUTS * count, orders=count, order_minor=ORDER_MINOR)
            if past:
                fill_spent(folder, past)
            found[name] = {"spent_proofs": past, **stretch(folder, ready, seconds=seconds)}
    if spent:
        rates = [found[name]["payments"]["per_s"] for name in ("full", "empty")]
        found["full_ratio"] = round(rates[0] / rates[1], 2)
    return found


def show(found: dict[str, Any]) -> None:
    """Print the figures."""
    table = Table("3 proofs into an order", "a second", "p50 ms", "p99 ms", "answered", "refused")
    for name in ("empty", "full"):
        if name not in found:
            continue
        for kind in ("quotes", "payments"):
            row = found[name][kind]
            cells = (row[key] for key in ("per_s", "p50_ms", "p99_ms", "answered", "refused"))
            label = f"{kind}, {found[name]['spent_proofs']:,} spent proofs"
            table.add_row(label, *(f"{cell:,}" for cell in cells))
    console = Console(highlight=False)
    console.print(table)
    empty = found["empty"]
    told = {
        "full of empty (aim 0.8)": found.get("full_ratio", "not measured"),
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
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(seconds=asked.seconds, spent=asked.spent)
    if asked.json:
        print(json.dumps({"machine": machine(), "redemption": found}, indent=2))
        return
    print(" · ".join(f"{name} {value}" for name, value in machine().items()))
    show(found)


if __name__ == "__main__":
    main()
