"""All benches in one run: `make bench`, `amana bench`.

Speed is measured here and asserted nowhere. Each line says what was aimed at; the ratios compare
things measured within minutes on one machine.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from bench import ledger, payments, redeem, swap, tap
from rich.console import Console
from rich.table import Table


def ledger_figures(seconds: float) -> tuple[list[ledger.Figure], dict[str, Any]]:
    """Measure the ledger in process."""
    figures: list[ledger.Figure] = []
    for size in ledger.SIZES:
        folder = Path(tempfile.mkdtemp(prefix="amana-bench-"))
        try:
            figures += ledger.measure(ledger.Workload(20_000), size, seconds, folder)
        finally:
            shutil.rmtree(folder)
    return figures, dict(ledger.ratios(figures))


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures, ratios = ledger_figures(3.0 if asked.quick else 10.0)
    http = payments.measure(
        seconds=4 if asked.quick else 10,
        customers=2_000 if asked.quick else 100_000,
        transfers=0 if asked.quick else 5_000_000,
        with_pgbench=True,
    )
    swaps = swap.measure(seconds=3 if asked.quick else 8)
    redemptions = redeem.measure(
        seconds=4 if asked.quick else 10, spent=0 if asked.quick else 5_000_000
    )
    taps = tap.measure()
    facts = ledger.machine()
    if asked.json:
        found = {
            "machine": facts,
            "ledger": [vars(figure) for figure in figures],
            "ledger_ratios": ratios,
            "payments": http,
            "swaps": swaps,
            "redemptions": redemptions,
            "taps": taps,
        }
        print(json.dumps(found, indent=2))
        return
    ledger.show(figures, facts)
    show(http)
    swap.show(swaps)
    redeem.show(redemptions)
    tap.show(taps)


def show(http: dict[str, Any]) -> None:
    """Print the figures of payments over HTTP."""
    table = Table("payments over HTTP", "payments/s", "p50 ms", "p99 ms", "refused")
    for name in ("empty", "full"):
        for kind in ("uniform", "hot"):
            row = http.get(name, {}).get(kind)
            if row:
                table.add_row(f"{name} books, {kind} payees", *map(str, row.values()))
    console = Console(highlight=False)
    console.print(table)
    told = {
        "hot of uniform (aim 0.9)": http["empty"]["hot_ratio"],
        "full of empty (aim 0.8)": http.get("full_ratio", "not measured"),
        "pgbench TPC-B, 64 clients, transactions/s": http["pgbench_tps"] or "pgbench is not here",
        "of pgbench (aim 1.0)": http.get("of_pgbench", "not measured"),
        f"memory in MiB with {http['empty']['customers']:,} customers (aim 300)": http["empty"][
            "memory_mib"
        ],
    }
    for name, value in told.items():
        console.print(f"{name}: {value}")


if __name__ == "__main__":
    main()
