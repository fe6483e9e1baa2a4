"""Purchase-card transactions as Birmingham City Council publishes them, one CSV file a month.

What the files hold, and how each odd thing is read (eight months, December 2016 to July 2017):

- **Encoding.** ASCII, but for an en dash of Windows-1252 in two months. UTF-8 (with or without a
  byte order mark) is tried first, then Windows-1252.
- **Separator.** A semicolon. A comma or a tab is taken where the heading shows it.
- **Heading.** Column names in capitals; January has a blank before each. Names are compared
  without blanks at their ends and in any case; columns not used here may be missing.
- **Dates.** Day first, `22/12/16`, in every row. `22/12/2016`, `2016-12-22`, `-` or `.` for the
  stroke, and a midnight after it are taken too. A date that does not exist day first (12/22/16) is
  a fault: whether day and month were swapped cannot be known. Hundreds of rows a month fall outside
  the month of the file (the card network posts late): they are purchases like the others.
- **Amounts.** Pounds with two decimals and a comma every three digits: `-105,527.58`. A sign after
  the number, brackets for a negative one and a pound sign before it are taken too. A comma that
  does not part thousands is a fault (`12,50` might be a decimal comma), as is any amount that is
  no whole number of pence. Negative amounts are refunds, credits and repayments of the card.
- **Currency.** From January on, the amount billed stands beside the original one; what counts is
  the amount billed, in pounds always (another billing currency is a fault). **December** has only
  `ORIGINAL GROSS AMT` and no currency: it is read as pounds billed, without an original amount.
  A file with a currency but no billing columns is read the same way where that currency is GBP.
- **Merchants.** As the card network prints them, lower case, cut at some length; blanks inside are
  kept. `#N/D`, a spreadsheet's "not available", stands in May, in a column that is not read; in one
  that is read it is a fault, as an empty field is.
- **Cards.** `************1147`, masked but for the last four digits. A number that is not masked is
  a fault, and is not repeated: nobody should keep it.
- **Blank rows.** May ends with a row of nothing but separators; such rows are counted.
- **Totals.** There are none. A row with an amount and no date is a fault like any other, so a
  total below the purchases stops the file rather than being bought.

A file with one fault is not read at all; all its faults are told, by line and column.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from amana.kernel import CURRENCIES, Currency, Money, currency, parse_decimal

DATE: Final = "TRANS DATE"
ORIGINAL_AMOUNT: Final = "ORIGINAL GROSS AMT"
ORIGINAL_CURRENCY: Final = "ORIGINAL CUR"
BILLED_AMOUNT: Final = "BILLING GROSS AMT"
BILLED_CURRENCY: Final = "BILLING CUR CODE"
MERCHANT: Final = "MERCHANT NAME"
CARD: Final = "CARD NUMBER"

_ALWAYS: Final = (DATE, MERCHANT, CARD)
_BILLED: Final = (ORIGINAL_AMOUNT, ORIGINAL_CURRENCY, BILLED_AMOUNT, BILLED_CURRENCY)
_POUND: Final = currency("GBP")
# Currencies in which a card was used in these years, and which ISO 4217 has withdrawn since.
_WITHDRAWN: Final = {
    code: Currency(code, numeric, exponent)
    for code, numeric, exponent in (
        ("ANG", "532", 2),
        ("BGN", "975", 2),
        ("BYR", "974", 0),
        ("CUC", "931", 2),
        ("HRK", "191", 2),
        ("MRO", "478", 2),
        ("SLL", "694", 2),
        ("STD", "678", 2),
        ("VEF", "937", 2),
        ("ZWL", "932", 2),
    )
}
_SEPARATORS: Final = ";,\t"
_BYTES_MAX: Final = 64 * 1024 * 1024

_DATE: Final = re.compile(
    r"(?:(?P<d>[0-9]{1,2})(?P<s>[/.-])(?P<m>[0-9]{1,2})(?P=s)(?P<century>[0-9]{2})?(?P<y>[0-9]{2})"
    r"|(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}))(?:[ T]00:00(?::00)?)?",
    re.ASCII,
)
_AMOUNT: Final = re.compile(
    r"(?P<minus>-)?(?P<open>\()?(?P<sign>-)?£?(?P<number>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)"
    r"(?:\.[0-9]+)?)(?P<close>\))?(?P<after>-)?",
    re.ASCII,
)
_CARD: Final = re.compile(r"[*xX]{4,15}[0-9]{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Purchase:
    """One row: what was billed to a card. `line` counts from 1, the heading's line included."""

    line: int
    occurred_on: date
    amount_minor: int
    original: Money | None
    merchant: str
    card: str


@dataclass(frozen=True, slots=True)
class PurchaseFile:
    """A file that was read whole. Amounts are pence, negative for money given back."""

    name: str
    rows: tuple[Purchase, ...]
    blank_lines: int

    def total_minor(self) -> int:
        """Return the sum of all rows, in pence."""
        return sum(row.amount_minor for row in self.rows)


@dataclass(frozen=True, slots=True)
class RowFault:
    """One thing wrong with a file; `line` 0 and no column where it is the file as a whole."""

    file: str
    line: int
    column: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file of which nothing is taken, with every fault found in it."""

    faults: tuple[RowFault, ...]


_Cells = Mapping[str, str]
_Value = TypeVar("_Value")


class _Refused(Exception):  # noqa: N818 - a private signal within this file
    """A cell or a heading that cannot be read, and why."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


def read_purchases(name: str, data: bytes) -> PurchaseFile | Unreadable:
    """Read one month's file.

    Args:
        name: The file's name, to tell where a fault is.
        data: Its bytes, at most 64 MiB.
    Refuses:
        The whole file, with every fault, where one row or the heading cannot be read.
    """
    text = _decoded(data)
    if text is None:
        reason = "The file is empty, larger than 64 MiB, or no text in UTF-8 or Windows-1252."
        return Unreadable((RowFault(name, 0, None, reason),))
    try:
        separator, heading = _heading(io.StringIO(text, newline="").readline())
    except _Refused as refused:
        return Unreadable((RowFault(name, 1, refused.column, refused.reason),))
    rows: list[Purchase] = []
    faults: list[RowFault] = []
    blank_lines = 0
    try:
        for line, cells in _lines(text, separator):
            if not any(cell.strip() for cell in cells):
                blank_lines += 1
                continue
            row, found = _purchase(line, cells, heading)
            faults.extend(RowFault(name, line, column, reason) for column, reason in found)
            if row is not None:
                rows.append(row)
    except _BrokenLine as broken:
        faults.append(
            RowFault(
                name, broken.line, None, "Quotation marks do not match, or a field is endless."
            )
        )
    if not rows and not faults:
        faults.append(RowFault(name, 0, None, "The file holds no purchase."))
    return Unreadable(tuple(faults)) if faults else PurchaseFile(name, tuple(rows), blank_lines)


class _BrokenLine(Exception):  # noqa: N818 - a private signal within this file
    """A line that the CSV grammar does not allow."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def _decoded(data: bytes) -> str | None:
    if not data or len(data) > _BYTES_MAX or b"\0" in data:
        return None
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _heading(line: str) -> tuple[str, tuple[str, ...]]:
    for separator in _SEPARATORS:
        names = tuple(_column(cell) for cell in line.split(separator))
        if set(_ALWAYS) <= set(names):
            break
    else:
        raise _Refused("The heading lacks TRANS DATE, MERCHANT NAME or CARD NUMBER.")
    for column in (*_ALWAYS, *_BILLED):
        if names.count(column) > 1:
            raise _Refused("The column stands twice.", column)
    billing = [column for column in (BILLED_AMOUNT, BILLED_CURRENCY) if column in names]
    if len(billing) == 1:
        raise _Refused("An amount billed and its currency come together or not at all.", billing[0])
    if not billing and ORIGINAL_AMOUNT not in names:
        raise _Refused("The heading has no column of amounts.", ORIGINAL_AMOUNT)
    return separator, names


def _column(cell: str) -> str:
    return " ".join(cell.strip().strip('"').split()).upper()


def _lines(text: str, separator: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Give each row below the heading with the number of the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            raise _BrokenLine(line) from None
        if cells is None:
            return
        if line > 1:
            yield line, cells
        line = reader.line_num + 1


def _purchase(
    line: int, cells: Sequence[str], heading: tuple[str, ...]
) -> tuple[Purchase | None, list[tuple[str | None, str]]]:
    faults: list[tuple[str | None, str]] = []
    if len(cells) < len(heading) or any(cell.strip() for cell in cells[len(heading) :]):
        return None, [(None, f"The row has {len(cells)} fields, the heading {len(heading)}.")]
    row = {column: cell.strip() for column, cell in zip(heading, cells, strict=False)}
    occurred_on = _taken(_occurred_on, row, faults)
    amount_minor = _taken(_billed_minor, row, faults)
    original = _taken(_original, row, faults)
    merchant = _taken(_merchant, row, faults)
    card = _taken(_card, row, faults)
    if occurred_on is None or amount_minor is None or merchant is None or card is None or faults:
        return None, faults
    return Purchase(line, occurred_on, amount_minor, original, merchant, card), faults


def _taken(
    read: Callable[[_Cells], _Value], row: _Cells, faults: list[tuple[str | None, str]]
) -> _Value | None:
    try:
        return read(row)
    except _Refused as refused:
        faults.append((refused.column, refused.reason))
        return None


def _occurred_on(row: _Cells) -> date:
    match = _DATE.fullmatch(row[DATE])
    if match is None:
        raise _Refused("This is no date of the form dd/mm/yy.", DATE)
    try:
        if match["iso"]:
            return date.fromisoformat(match["iso"])
        year = int(match["century"] or "20") * 100 + int(match["y"])
        return date(year, int(match["m"]), int(match["d"]))
    except ValueError:
        raise _Refused("There is no such day, with the day before the month.", DATE) from None


def _billed_minor(row: _Cells) -> int:
    if BILLED_AMOUNT in row:
        if row[BILLED_CURRENCY] != _POUND.code:
            raise _Refused("The amount was not billed in GBP.", BILLED_CURRENCY)
        return _money(row, BILLED_AMOUNT, _POUND).minor
    if row.get(ORIGINAL_CURRENCY, _POUND.code) != _POUND.code:
        raise _Refused("Not in GBP, and no amount billed stands beside it.", ORIGINAL_CURRENCY)
    return _money(row, ORIGINAL_AMOUNT, _POUND).minor


def _original(row: _Cells) -> Money | None:
    if BILLED_AMOUNT not in row or not (ORIGINAL_AMOUNT in row and ORIGINAL_CURRENCY in row):
        return None
    code = row[ORIGINAL_CURRENCY]
    unit = CURRENCIES.get(code) or _WITHDRAWN.get(code)
    if unit is None:
        raise _Refused("This is no currency of ISO 4217.", ORIGINAL_CURRENCY)
    return _money(row, ORIGINAL_AMOUNT, unit)


def _money(row: _Cells, column: str, unit: Currency) -> Money:
    match = _AMOUNT.fullmatch(row[column])
    if match is None or (match["open"] is None) != (match["close"] is None):
        raise _Refused("This is no amount.", column)
    negative = [match[part] for part in ("minus", "open", "sign", "after") if match[part]]
    if len(negative) > 1:
        raise _Refused("The amount is negative in two ways.", column)
    amount = parse_decimal(unit, match["number"].replace(",", ""))
    if amount is None:
        raise _Refused(f"The amount is too large, or not exact in {unit.code}.", column)
    return Money(unit, -amount.minor if negative else amount.minor)


def _merchant(row: _Cells) -> str:
    if not row[MERCHANT] or row[MERCHANT].startswith("#N/"):
        raise _Refused("The merchant's name is missing.", MERCHANT)
    return row[MERCHANT]


def _card(row: _Cells) -> str:
    if _CARD.fullmatch(row[CARD]) is None:
        raise _Refused("This is no card number masked but for its last four digits.", CARD)
    return row[CARD]
