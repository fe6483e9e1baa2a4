"""A replay's report, for people as tables and for programs as JSON."""

from typing import Any, Final

from rich.table import Table

from amana.demo.replay.model import CURRENCY, FileReport, Report, RowClass, Sum
from amana.kernel import Money, currency

_UNIT: Final = currency(CURRENCY)
_NAMES: Final = {
    RowClass.PURCHASE: "purchases",
    RowClass.REFUND: "refunds of an earlier payment",
    RowClass.CREDIT: "credits without one",
    RowClass.REPAYMENT: "repayments of the card",
    RowClass.REFUSED: "refused",
}


def tables(report: Report) -> list[Table]:
    """Return a table for each file, and one for all of them where there are several."""
    made = [_file_table(file) for file in report.files]
    if len(report.files) > 1:
        made.append(_file_table(report.total))
    return [*made, _books_table(report)]


def _pounds(minor: int) -> str:
    sign, whole = ("-" if minor < 0 else ""), abs(minor)
    return f"{sign}{whole // 100:,}.{whole % 100:02}"


def _file_table(file: FileReport) -> Table:
    table = Table("", title=file.name, title_style="bold", title_justify="left")
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column(CURRENCY, justify="right", no_wrap=True)
    for kind, part in file.classes.items():
        _add_sum(table, _NAMES[kind], part)
    for reason, part in sorted(file.reasons.items()):
        _add_sum(table, f"  {reason}", part, style="dim")
    table.add_section()
    _add_sum(table, "sum of the classes", file.classed, style="bold")
    mark = "✓ equal" if file.is_equal else "✗ NOT EQUAL"
    style = "bold green" if file.is_equal else "bold red"
    _add_sum(table, f"read  {mark}", Sum(file.rows, file.read_minor), style=style)
    table.add_section()
    table.add_row("blank lines", f"{file.blank_lines:,}", "")
    outside = "no month in the name" if file.outside is None else f"{file.outside:,}"
    table.add_row("dated outside the file's month", outside, "")
    table.add_row("fees taken", "", _pounds(file.fees_taken))
    table.add_row("fees given back with refunds", "", _pounds(-file.fees_returned))
    _add_sum(table, "paid into cards by the facility", file.facility)
    table.add_row("payments made by this run", f"{file.new:,}", "")
    table.add_row("seconds", f"{file.milliseconds / 1_000:.2f}", "")
    speed = file.payments_per_s
    table.add_row("payments a second", "-" if speed is None else f"{speed:,}", "")
    return table


def _add_sum(table: Table, name: str, part: Sum, style: str | None = None) -> None:
    table.add_row(name, f"{part.count:,}", _pounds(part.minor), style=style)


def _books_table(report: Report) -> Table:
    books = report.books
    table = Table("the books", "", title_justify="left")
    table.columns[1].justify = "right"
    opened = f"{report.opened_customers:,} cards, {report.opened_merchants:,} merchants"
    table.add_row("opened by this run", opened)
    table.add_row("seconds for that", f"{report.opening_milliseconds / 1_000:.2f}")
    table.add_row("cards hold", _pounds(books.customers))
    table.add_row("merchants hold", _pounds(books.merchants))
    table.add_row("transfers", f"{books.transfers:,}")
    table.add_row("debits equal credits", _yes(is_so=books.is_balanced))
    table.add_row("balances moved as the payments say", _yes(is_so=books.moved_as_told))
    table.add_row("unfinished payments", f"{books.unfinished:,}")
    return table


def _yes(*, is_so: bool) -> str:
    return "✓ yes" if is_so else "✗ NO"


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON values: amounts as strings of pence, like everywhere."""
    books = report.books
    return {
        "is_right": report.is_right,
        "changed": bool(report.total.new or report.opened_customers or report.opened_merchants),
        "files": [_file_json(file) for file in report.files],
        "total": _file_json(report.total),
        "opened": {
            "customers": report.opened_customers,
            "merchants": report.opened_merchants,
            "milliseconds": report.opening_milliseconds,
        },
        "books": {
            "customers": _money(books.customers),
            "merchants": _money(books.merchants),
            "transfers": books.transfers,
            "balanced": books.is_balanced,
            "moved_as_told": books.moved_as_told,
            "unfinished": books.unfinished,
        },
    }


def _file_json(file: FileReport) -> dict[str, Any]:
    return {
        "name": file.name,
        "sha256": file.sha256 or None,
        "rows": file.rows,
        "blank_lines": file.blank_lines,
        "outside_month": file.outside,
        "read": _money(file.read_minor),
        "classes": {kind.value: _sum_json(part) for kind, part in file.classes.items()},
        "refused_by_reason": {
            reason: _sum_json(part) for reason, part in sorted(file.reasons.items())
        },
        "sum_of_classes": _money(file.classed.minor),
        "equal": file.is_equal,
        "fees_taken": _money(file.fees_taken),
        "fees_returned": _money(file.fees_returned),
        "facility": _sum_json(file.facility),
        "payments_made": file.new,
        "milliseconds": file.milliseconds,
        "payments_per_s": file.payments_per_s,
    }


def _sum_json(part: Sum) -> dict[str, Any]:
    return {"count": part.count, "sum": _money(part.minor)}


def _money(minor: int) -> dict[str, str]:
    amount = Money(_UNIT, minor)
    return {"currency": amount.currency.code, "minor": str(amount.minor)}
