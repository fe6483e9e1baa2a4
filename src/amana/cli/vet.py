"""`amana vet`: attacks on what the operator holds."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from amana.cli.exits import FOUND, Failed

if TYPE_CHECKING:
    from amana.vet.score import Share
    from amana.vet.who_paid import Report

_Json = Annotated[bool, Parameter(negative=())]

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_PERCENT: Final = 100
_LEAST: Final = 100
"""People below which there is no crowd to hide in, and nothing to measure."""


def who_paid(
    *,
    people: int = 500,
    days: int = 30,
    seed: int = 7,
    guesses: int = 20_000,
    more: int = 4,
    folder: Path | None = None,
    json: _Json = False,
) -> int:
    """Let a town live with the shipped policy, and guess from the operator's files who paid.

    Exits with 1 where a goal was missed. Needs a clone of the repository with its test tools.

    Args:
        people: How many live in the town; the goals are stated for 2,000.
        days: For how long; the first two weeks are not scored.
        seed: The same seed is the same town, and the same numbers.
        guesses: The most payments to guess.
        more: So many towns of the next seeds are attacked as well; the goals are about all of them.
        folder: Keep the operator's data here, in an empty folder, to look at.
        json: Print JSON, with everything that was measured.
    """
    if find_spec("numpy") is None:
        raise Failed("The attacker needs NumPy: pip install 'amana[test]', or make setup.")
    from amana.vet.town import TownMissing  # noqa: PLC0415 - needs NumPy beside it
    from amana.vet.who_paid import Ask, who_paid  # noqa: PLC0415 - needs NumPy

    if people < _LEAST or days <= 2 * 7:
        raise Failed(f"A town has at least {_LEAST} people, and lives for more than two weeks.")
    errors = Console(stderr=True, highlight=False)
    with _room(folder) as place, errors.status("the town") as status:
        try:
            report = who_paid(Ask(people, days, seed, guesses, more), place, watch=status.update)
        except TownMissing as missing:
            raise Failed(str(missing)) from missing
    if json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())  # noqa: T201 - the output
    else:
        show(report)
    return 0 if all(report.goals.values()) else FOUND


@contextmanager
def _room(folder: Path | None) -> Iterator[Path]:
    """Give the asked folder, or one that is gone afterwards: in memory where there is such."""
    if folder is not None:
        if folder.exists() and any(folder.iterdir()):
            raise Failed(f"{folder} is not empty.")
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    made = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def show(report: "Report") -> None:
    """Print what was measured, as a table and sentences."""
    console = Console(highlight=False)
    table = Table(
        "who attacks",
        "payer named",
        "in first ten",
        "20 linked",
        "crowd: median, worst 5 %",
        title=f"Who paid? {report.people:,} people, {report.days} days, seed {report.seed}, "
        f"{report.tested:,} payments guessed",
    )
    first = report.rows[0].score
    table.add_row("chance", f"{_PERCENT * first.chance:.2f} %", "", "", f"{report.people:,}")
    table.add_row("volume alone", _said(first.by_volume), _said(first.by_volume_ten), "", "")
    for row in report.rows:
        result = row.score
        table.add_row(
            row.name,
            _said(result.named),
            _said(result.top_ten),
            _said(result.linked[-1].named),
            f"{result.set_median:,.0f}, {result.set_low:,.0f}",
        )
    for row in report.pooled:
        result = row.score
        volume = _said(result.by_volume)
        table.add_row(
            f"{row.name}, {1 + report.more} towns; volume alone {volume}",
            _said(result.named),
            _said(result.top_ten),
            _said(result.linked[-1].named),
            f"{result.set_median:,.0f}, {result.set_low:,.0f}",
        )
    table.add_row("the account's ledger, by definition", "100 %", "100 %", "100 %", "1, 1")
    console.print(table)
    console.print(
        f"Paid by name because the purse could not, from the first day on: {report.by_name} "
        f"({_PERCENT * report.by_account:.3f} % of payments, "
        f"{_PERCENT * report.by_account_value:.3f} % of value); {report.gifts_by_name} to people."
    )
    console.print(
        "Without a relay, an operator who logs addresses names "
        f"{_PERCENT * report.same_address:.0f} %: whoever was at the named side that day."
    )
    console.print(
        f"Made after the last backup of a purse that went to another device: "
        f"{_PERCENT * report.asked_after:.2f} %; an operator who logs both sides names them."
    )
    for goal, is_met in report.goals.items():
        console.print(f"{'✓' if is_met else '✗'} {goal}", style="green" if is_met else "bold red")


def _said(share: "Share") -> str:
    if not share.trials:
        return "nobody paid so often"
    low, high = _PERCENT * share.low, _PERCENT * share.high
    return f"{_PERCENT * share.value:.2f} % ({low:.2f}-{high:.2f})"
