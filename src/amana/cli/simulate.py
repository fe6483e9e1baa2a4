"""`amana simulate`: worlds with faults, each from one seed."""

from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from amana.cli.exits import FOUND, Failed
from amana.testing.simulator import Report, run_world, run_worlds

_Json = Annotated[bool, Parameter(negative=())]
_Trace = Annotated[bool, Parameter(negative=())]


def simulate(*, seed: int = 1, worlds: int = 1, trace: _Trace = False, json: _Json = False) -> int:
    """Run simulated worlds: clients, nodes, crashes, lost calls, full disks, clocks that jump.

    Exits with 1 where a promise was broken, and names the seed that shows it.

    Args:
        seed: The first world's seed; the same seed is the same world.
        worlds: How many worlds, each with the next seed.
        trace: Print everything that happens; with one world.
        json: Print JSON.
    """
    if worlds < 1:
        raise Failed("--worlds is at least 1.")
    if trace:
        if worlds != 1:
            raise Failed("--trace shows one world: leave --worlds out.")
        world = run_world(seed, trace=print)
        return FOUND if world.violations else 0
    report = run_worlds(seed, worlds) if json else _with_progress(seed, worlds)
    if json:
        print(msgspec.json.encode(report).decode())  # noqa: T201 - the command's output
    else:
        _show(report)
    return 0 if report.is_clean else FOUND


def _with_progress(seed: int, worlds: int) -> Report:
    columns = (TextColumn("worlds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("worlds", total=worlds)
        return run_worlds(seed, worlds, progress=lambda done: progress.update(task, completed=done))


def _show(report: Report) -> None:
    console = Console(highlight=False)
    table = Table("what happened", "how often", title=f"{report.worlds:,} worlds")
    table.columns[1].justify = "right"
    for name, count in sorted(report.counts.items()):
        table.add_row(name, f"{count:,}")
    console.print(table)
    for failure in report.failures:
        for violation in failure.violations:
            console.print(f"✗ {violation}", style="red", markup=False, soft_wrap=True)
        console.print(f"amana simulate --seed {failure.seed} --trace", style="bold red")
    if report.is_clean:
        console.print("No promise was broken.", style="bold green")
