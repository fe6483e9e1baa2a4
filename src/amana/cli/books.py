"""`amana audit` and `amana ledger show`: looking into the books without touching them."""

import sqlite3
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from amana.audit import AuditReport, audit_folder
from amana.cli.exits import FOUND, Failed
from amana.kernel import IdKind as Kind
from amana.kernel import Instant, Money, currency_by_numeric, format_instant, parse_id
from amana.ledger import LedgerReader, Transfer, TransferFlags
from amana.node.books import books_of
from amana.node.settings import Settings, read_settings
from amana.storage import BOOKS_FILE, open_reader

_Json = Annotated[bool, Parameter(negative=())]
_LEGS: Final = 255


def audit(*, data: Path, json: _Json = False) -> int:
    """Recompute the books from their rows, by code that shares nothing with what wrote them.

    Exits with 1 where anything is not what it should be.

    Args:
        data: The operator's folder; it may be in use.
        json: Print JSON.
    """
    console = Console(stderr=True, highlight=False)
    if json:
        report = audit_folder(data)
        print(report.as_json())  # noqa: T201 - the command's output
    else:
        with console.status("Reading the books …") as status:
            report = audit_folder(
                data, progress=lambda what, count: status.update(f"{what}: {count:,}")
            )
        _show_audit(report)
    return 0 if report.is_sound else FOUND


def _show_audit(report: AuditReport) -> None:
    console = Console(highlight=False)
    counts = Table("what", "rows", title="Recomputed")
    counts.columns[1].justify = "right"
    for name, count in report.counts.items():
        counts.add_row(name, f"{count:,}")
    console.print(counts)
    for total in report.totals:
        is_even = total.debits_posted == total.credits_posted
        unit = currency_by_numeric(f"{total.ledger:03}")
        debited, credited = (
            f"{minor:,} minor units" if unit is None else Money(unit, minor).decimal()
            for minor in (total.debits_posted, total.credits_posted)
        )
        name = f"ledger {total.ledger}" if unit is None else unit.code
        console.print(f"{name}: debits {debited}, credits {credited} {'✓' if is_even else '✗'}")
    for finding in report.findings:
        console.print(f"✗ {finding}", style="red", markup=False, soft_wrap=True)
    if report.left_out:
        console.print(f"… and {report.left_out:,} more", style="red")
    for unfinished in report.unfinished:
        console.print(f"unfinished: {unfinished}", style="yellow", markup=False)
    if report.is_sound:
        console.print("The books are sound.", style="bold green")
    else:
        console.print(f"{len(report.findings):,} findings.", style="bold red")


def show(payment: str | None = None, /, *, data: Path, json: _Json = False) -> None:
    """Show the books, or the transfers of one payment.

    Args:
        payment: A payment, refund or direct order (pay_…, ref_…, ord_…); without one, the books.
        data: The operator's folder; it may be in use.
        json: Print JSON.
    """
    settings = read_settings(data)
    connection = open_reader((data / BOOKS_FILE).resolve())
    try:
        if payment is None:
            _show_books(connection, settings, is_json=json)
        else:
            _show_payment(connection, settings, payment, is_json=json)
    finally:
        connection.close()


def _show_books(connection: sqlite3.Connection, settings: Settings, *, is_json: bool) -> None:
    view = books_of(connection, settings.currency)
    if is_json:
        print(msgspec.json.encode(view).decode())  # noqa: T201 - the command's output
        return
    table = Table("accounts", "how many", "debits", "credits", "held", "balance", title="Books")
    for column in table.columns[1:]:
        column.justify = "right"
    unit = settings.unit
    for row in view["accounts"]:
        debits, credits_ = int(row["debits_posted"]), int(row["credits_posted"])
        held = int(row["debits_pending"])
        amounts = [Money(unit, minor).decimal() for minor in (debits, credits_, held)]
        balance = Money(unit, credits_ - debits).decimal()
        table.add_row(row["name"], f"{row['count']:,}", *amounts, balance)
    console = Console(highlight=False)
    console.print(table)
    balance_told = "balanced ✓" if view["balanced"] else "NOT BALANCED"
    console.print(f"{view['transfers']:,} transfers, {settings.currency}, {balance_told}")


def _show_payment(
    connection: sqlite3.Connection, settings: Settings, text: str, *, is_json: bool
) -> None:
    kinds = (Kind.PAYMENT, Kind.REFUND, Kind.ORDER)
    identifier = next((found for kind in kinds if (found := parse_id(kind, text))), None)
    if identifier is None:
        raise Failed(f"'{text}' is no payment's id: pay_…, ref_… or ord_…")
    legs = [identifier | leg for leg in range(1, _LEGS + 1)]
    transfers = LedgerReader(connection).lookup_transfers(legs)
    if not transfers:
        raise Failed(f"The books hold no transfer of {text}.")
    if is_json:
        print(msgspec.json.encode([_transfer(row) for row in transfers]).decode())  # noqa: T201 - the command's output
        return
    table = Table("transfer", "debit", "credit", "amount", "flags", "at", title=text)
    for row in transfers:
        view = _transfer(row)
        amount = Money(settings.unit, row.amount).decimal()
        table.add_row(view["id"], view["debit"], view["credit"], amount, view["flags"], view["at"])
    Console(highlight=False).print(table)


_OWN: Final = {1: "settlement", 2: "fees"}


def _transfer(row: Transfer) -> dict[str, str]:
    return {
        "id": f"{row.id:032x}",
        "debit": _OWN.get(row.debit_account_id, f"{row.debit_account_id:032x}"),
        "credit": _OWN.get(row.credit_account_id, f"{row.credit_account_id:032x}"),
        "amount": str(row.amount),
        "flags": ", ".join(flag.name.lower() for flag in TransferFlags(row.flags) if flag.name)
        or "-",
        "at": format_instant(Instant(row.timestamp)),
    }
