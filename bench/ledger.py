"""How fast the books are: the SQLite engine beside raw SQLite, in one run on one machine.

    python -m bench.ledger [--json] [--accounts N] [--seconds S]

Each figure is transfers a second, in process, every batch durable (WAL, synchronous FULL). The
ratios are what counts: they compare two things measured in turn within the same minute.
"""

import argparse
import json
import os
import platform
import random
import shutil
import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time_ns

from bench.baseline_sqlite import open_raw, run_raw
from rich.console import Console
from rich.table import Table

from amana.kernel import MILLISECOND_NS, Instant, new_id
from amana.ledger import (
    Account,
    AccountStatus,
    StandaloneLedger,
    Transfer,
    TransferStatus,
    open_sqlite_ledger,
)

EUR = 978
START = Instant(1_790_000_000_000_000_000)
SIZES = (8_189, 256)
HOT = 1


@dataclass(frozen=True)
class Figure:
    """Transfers a second in the median batch, and the spread of the batches' times."""

    name: str
    batch: int
    per_second: float
    spread: float


class Workload:
    """Accounts and batches, the same for every contestant."""

    def __init__(self, accounts: int, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._now = int(START)
        self._made = 0
        self.accounts = [
            Account(number, EUR, 10, timestamp=int(START) - 1_000_000_000 + number)
            for number in range(1, accounts + 1)
        ]

    def batch(self, size: int, *, is_hot: bool = False) -> list[Transfer]:
        """Make transfers between random accounts; hot ones all credit one account."""
        self._now += 10 * MILLISECOND_NS
        count = len(self.accounts)
        chances = self._random.randbytes(9 * size)
        ids = sorted(
            new_id(Instant(self._now - i * 1_000), chances[i * 9 : i * 9 + 9]) for i in range(size)
        )
        made = []
        for position, transfer_id in enumerate(ids):
            debit = self._random.randint(2, count)
            credit = HOT if is_hot else 1 + (debit + self._random.randint(0, count - 2)) % count
            made.append(
                Transfer(
                    transfer_id,
                    debit,
                    credit,
                    self._random.randint(1, 10_000),
                    ledger=EUR,
                    code=1 + position % 7,
                )
            )
        return made

    @property
    def now(self) -> Instant:
        """The instant of the latest batch."""
        return Instant(self._now)


def stamped(batch: Sequence[Transfer], now: int) -> list[Transfer]:
    """Give raw SQLite the timestamps that the ledger would give."""
    first = now - len(batch) + 1
    return [
        Transfer(
            row.id,
            row.debit_account_id,
            row.credit_account_id,
            row.amount,
            ledger=row.ledger,
            code=row.code,
            timestamp=first + position,
        )
        for position, row in enumerate(batch)
    ]


class RawContestant:
    """Raw SQLite in one of its forms."""

    def __init__(self, name: str, folder: Path, work: Workload) -> None:
        self.name = f"raw SQLite, {name}"
        self._form = name
        self._connection = open_raw(folder / f"raw-{name}.db", work.accounts)

    def run(self, batch: list[Transfer], now: int) -> float:
        """Write one batch; return its seconds."""
        return run_raw(self._connection, stamped(batch, now), form=self._form)


class LedgerContestant:
    """The SQLite engine."""

    def __init__(self, name: str, folder: Path, work: Workload) -> None:
        self.name = name
        self.ledger: StandaloneLedger = open_sqlite_ledger(folder / f"{name}.db")
        for start in range(0, len(work.accounts), 8_000):
            chunk = [
                Account(row.id, row.ledger, row.code)
                for row in work.accounts[start : start + 8_000]
            ]
            opened = self.ledger.create_accounts(chunk, now=Instant(int(START) - 500_000_000))
            assert all(result.status is AccountStatus.CREATED for result in opened)

    def run(self, batch: list[Transfer], now: int) -> float:
        """Make one batch; return its seconds."""
        started = perf_counter()
        results = self.ledger.create_transfers(batch, now=Instant(now))
        seconds = perf_counter() - started
        assert all(result.status is TransferStatus.CREATED for result in results)
        return seconds


Contest = dict[str, tuple[Callable[[list[Transfer], int], float], bool]]


def measure(work: Workload, size: int, seconds: float, folder: Path) -> Iterator[Figure]:
    """Let the contestants take turns, batch by batch, so that a noisy minute hits all of them."""
    raw = [RawContestant(form, folder, work) for form in ("insert", "three")]
    ledger = LedgerContestant("ledger", folder, work)
    hot = LedgerContestant("ledger, one hot account", folder, work)
    contest: Contest = {contestant.name: (contestant.run, False) for contestant in raw}
    contest |= {ledger.name: (ledger.run, False), hot.name: (hot.run, True)}
    times: dict[str, list[float]] = {name: [] for name in contest}
    deadline = perf_counter() + seconds
    while perf_counter() < deadline:
        batches = {is_hot: work.batch(size, is_hot=is_hot) for is_hot in (False, True)}
        for name, (run, is_hot) in contest.items():
            times[name].append(run(batches[is_hot], int(work.now)))
    for name, taken in times.items():
        kept = taken[len(taken) // 10 :]
        spread = statistics.pstdev(kept) / statistics.fmean(kept)
        yield Figure(name, size, size / statistics.median(kept), spread)


def machine() -> dict[str, str]:
    """Say what the figures were measured on."""
    with tempfile.NamedTemporaryFile() as probe:
        taken = []
        for _ in range(50):
            probe.write(b"x" * 4_096)
            probe.flush()
            started = perf_counter()
            os.fsync(probe.fileno())
            taken.append(perf_counter() - started)
    return {
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.platform(terse=True),
        "fsync": f"{statistics.median(taken) * 1e6:.0f} µs",
        "measured": f"{time_ns() // 1_000_000_000}",
    }


def ratios(figures: Sequence[Figure]) -> dict[str, float]:
    """Put the ledger beside raw SQLite, and hot beside uniform."""
    found = {}
    for size in SIZES:
        of = {figure.name: figure.per_second for figure in figures if figure.batch == size}
        found[f"ledger / raw three, {size}"] = of["ledger"] / of["raw SQLite, three"]
        found[f"ledger / raw insert, {size}"] = of["ledger"] / of["raw SQLite, insert"]
        found[f"hot / uniform, {size}"] = of["ledger, one hot account"] / of["ledger"]
    return found


def show(figures: Sequence[Figure], facts: dict[str, str]) -> None:
    """Print the tables."""
    console = Console()
    console.print(" · ".join(f"{name} {value}" for name, value in facts.items()))
    table = Table("contestant", "batch", "transfers/s", "spread")
    for figure in figures:
        table.add_row(
            figure.name, str(figure.batch), f"{figure.per_second:,.0f}", f"{figure.spread:.0%}"
        )
    console.print(table)
    goals = Table("ratio", "value", "goal")
    for name, value in ratios(figures).items():
        goal = {"hot": "0.90", "ledger / raw insert": ""}.get(name.split(" /")[0], "0.60")
        goals.add_row(name, f"{value:.2f}", "" if "insert" in name else goal)
    console.print(goals)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--accounts", type=int, default=20_000, help="accounts in the books")
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds for each batch size")
    options = parser.parse_args()
    figures: list[Figure] = []
    for size in SIZES:
        folder = Path(tempfile.mkdtemp(prefix="amana-bench-"))
        try:
            figures += measure(Workload(options.accounts), size, options.seconds, folder)
        finally:
            shutil.rmtree(folder)
    facts = machine()
    if options.json:
        rows = [vars(figure) for figure in figures]
        print(json.dumps({"machine": facts, "figures": rows, "ratios": ratios(figures)}, indent=2))
    else:
        show(figures, facts)


if __name__ == "__main__":
    main()
