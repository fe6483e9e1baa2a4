"""`amana replay`: months of published card purchases through the network, to the penny."""

from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from amana.cli.exits import FOUND, Failed
from amana.demo.replay import (
    OPENING,
    Month,
    ReplayRefused,
    Report,
    as_json,
    read_months,
    replay_into,
    tables,
)
from amana.demo.replay.rules import cards_of, merchants_of


def replay(
    files: list[Path],
    /,
    *,
    data: Path,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Run published card purchases through the network: each row once, to the penny.

    Every file is read before anything is imported; one that cannot be read stops the run, told by
    file, line and reason. What was replayed before is met and not repeated, so a run that was
    interrupted goes on when it is started again. Ends with 1 where anything does not add up.

    Args:
        files: The months as published, oldest first.
        data: The operator's folder; one in GBP with play money is made if it is not there.
        json: Print JSON.
    """
    try:
        months = read_months(files)
        report = _with_progress(months, data, is_shown=not json)
    except ReplayRefused as refusal:
        raise Failed(str(refusal)) from None
    if json:
        print(msgspec.json.encode(as_json(report)).decode())  # noqa: T201 - the command's output
    else:
        _show(report)
    return 0 if report.is_right else FOUND


def _with_progress(months: tuple[Month, ...], data: Path, *, is_shown: bool) -> Report:
    """Replay with a bar for each part, on standard error, where somebody looks."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not (is_shown and console.is_terminal)) as bar:
        parties = len(cards_of(months)) + len(merchants_of(months))
        tasks = {OPENING: bar.add_task(OPENING, total=parties)}
        for month in months:
            tasks[month.name] = bar.add_task(month.name, total=len(month.entries), start=False)

        def watch(name: str, count: int) -> None:
            bar.start_task(tasks[name])
            bar.advance(tasks[name], count)

        return replay_into(data, months, watch)


def _show(report: Report) -> None:
    console = Console(highlight=False)
    for table in tables(report):
        console.print(table)
        console.print()
    if not as_json(report)["changed"]:
        console.print("Nothing was changed: every row was replayed before.")
    if report.is_right:
        console.print("Every file equals the sum of its classes, to the penny.", style="green")
    else:
        errors = Console(stderr=True, highlight=False)
        errors.print("SOMETHING DOES NOT ADD UP: see the marks ✗ above.", style="bold red")
