"""Small files of purchases, written as the published ones are."""

from collections.abc import Sequence
from pathlib import Path

from amana.demo.replay import FileReport, Report, read_months, replay_into

HEADING = (
    "TRANS DATE;ORIGINAL GROSS AMT;ORIGINAL CUR;BILLING GROSS AMT;BILLING CUR CODE;"
    "MERCHANT NAME;CARD NUMBER"
)

Row = tuple[str, str, str, str]
"""Date, amount, merchant, the card's last four digits (or the whole masked number)."""


def write_file(folder: Path, name: str, rows: Sequence[Row | None]) -> Path:
    """Write a file; None is a blank row."""
    lines = [HEADING]
    for row in rows:
        if row is None:
            lines.append(";" * HEADING.count(";"))
            continue
        date, amount, merchant, card = row
        number = card if "*" in card else f"************{card}"
        lines.append(f"{date};{amount};GBP;{amount};GBP;{merchant};{number}")
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def replayed(data: Path, *files: Path) -> Report:
    return replay_into(data, read_months(files), lambda _name, _count: None)


def classes(file: FileReport) -> dict[str, tuple[int, int]]:
    """What became of a file's rows: count and pence by class; classes without rows left out."""
    return {
        kind.value: (part.count, part.minor) for kind, part in file.classes.items() if part.count
    }


def reasons(file: FileReport) -> dict[str, tuple[int, int]]:
    return {reason: (part.count, part.minor) for reason, part in file.reasons.items()}


def facts(file: FileReport) -> tuple[object, ...]:
    """All that must be the same however often, and in how many pieces, a file is replayed."""
    return (
        file.rows,
        file.read_minor,
        classes(file),
        reasons(file),
        file.fees_taken,
        file.fees_returned,
        (file.facility.count, file.facility.minor),
    )


def year_of_trade() -> list[Row]:
    """Some hundred rows: shops with one name's length, days out of order, much given back."""
    rows: list[Row] = []
    for number in range(240):
        day = f"{1 + number * 7 % 28:02}/03/17"
        shop, card = f"shop {number % 9}", f"{1_000 + number % 11}"
        rows.append((day, f"{5 + number % 40}.{number % 100:02}", shop, card))
        if number % 5 == 0:
            rows.append((day, f"-{3 + number % 17}.50", shop, card))
        if number % 7 == 0:
            rows.append(
                (day, f"-{1 + number % 60}.25", f"shop {number % 4}", f"{1_000 + number % 3}")
            )
    rows.append(("10/03/17", "-100.00", "direct debit payment than", "1000"))
    return rows
