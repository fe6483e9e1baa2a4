"""What a replay works on and what it tells: rows with their identity, classes, sums."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from amana.wire.csv_purchases import Purchase

CURRENCY: Final = "GBP"
"""The files are billed in pounds, so the books are too."""

_Name = TypeVar("_Name")


class RowClass(StrEnum):
    """What became of a row; each row is exactly one of these."""

    PURCHASE = "purchase"
    REFUND = "refund"
    CREDIT = "credit"
    REPAYMENT = "repayment"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row to be replayed.

    `place` counts the rows of a run in the order of replay. `key` is the row's identity (its
    file's content and its line), `body` a hash of what it says. `merchant` is the folded name.
    """

    place: int
    row: Purchase
    merchant: str
    key: bytes
    body: bytes

    @property
    def card(self) -> str:
        """The masked card number."""
        return self.row.card

    @property
    def amount_minor(self) -> int:
        """What was billed, pence; negative for money given back."""
        return self.row.amount_minor


@dataclass(frozen=True, slots=True)
class Month:
    """A file in the order of its replay. `outside` is None where no month is in its name."""

    name: str
    digest: bytes
    entries: tuple[Entry, ...]
    blank_lines: int
    outside: int | None
    read_minor: int


@dataclass(frozen=True, slots=True)
class Paid:
    """An earlier purchase of a card at a merchant, of which enough is left for a refund."""

    payment: int
    key: bytes
    total: int
    created_at: int


@dataclass(slots=True)
class Sum:
    """A number of rows or payments, and what they add up to in pence."""

    count: int = 0
    minor: int = 0

    def add(self, minor: int, count: int = 1) -> None:
        """Count one more, or a whole sum more."""
        self.count += count
        self.minor += minor


@dataclass(slots=True)
class FileReport:
    """What became of a file, as the books hold it.

    Classes are signed as the file is: purchases positive, what comes back negative. `facility`
    is what the operator paid into cards before the purchases, and is no row. `new` counts the
    payments this run made; all others were there already.
    """

    name: str
    sha256: str = ""
    rows: int = 0
    blank_lines: int = 0
    outside: int | None = None
    read_minor: int = 0
    classes: dict[RowClass, Sum] = field(default_factory=lambda: {kind: Sum() for kind in RowClass})
    reasons: dict[str, Sum] = field(default_factory=dict)
    fees_taken: int = 0
    fees_returned: int = 0
    facility: Sum = field(default_factory=Sum)
    new: int = 0
    milliseconds: int = 0

    @property
    def classed(self) -> Sum:
        """The sum over all classes."""
        whole = Sum()
        for part in self.classes.values():
            whole.add(part.minor, part.count)
        return whole

    @property
    def is_equal(self) -> bool:
        """Whether what was read equals the sum of the classes, in rows and to the penny."""
        return self.classed == Sum(self.rows, self.read_minor)

    @property
    def payments_per_s(self) -> int | None:
        """Payments made a second; None where none was made."""
        return self.new * 1_000 // max(1, self.milliseconds) if self.new else None


@dataclass(frozen=True, slots=True)
class BooksReport:
    """The books after the run. `moved_as_told` compares balances with the payments made."""

    customers: int
    merchants: int
    transfers: int
    is_balanced: bool
    unfinished: int
    moved_as_told: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    files: tuple[FileReport, ...]
    books: BooksReport
    opened_customers: int
    opened_merchants: int
    opening_milliseconds: int

    @property
    def total(self) -> FileReport:
        """All files as one."""
        return summed(self.files)

    @property
    def is_right(self) -> bool:
        """Whether every file and the books add up."""
        books = self.books
        fine = books.is_balanced and not books.unfinished and books.moved_as_told
        return fine and all(file.is_equal for file in self.files)


def summed(files: tuple[FileReport, ...]) -> FileReport:
    """Add up the reports of several files."""
    whole = FileReport("all files")
    known = [file.outside for file in files if file.outside is not None]
    whole.outside = sum(known) if known else None
    for file in files:
        whole.rows += file.rows
        whole.blank_lines += file.blank_lines
        whole.read_minor += file.read_minor
        whole.fees_taken += file.fees_taken
        whole.fees_returned += file.fees_returned
        whole.new += file.new
        whole.milliseconds += file.milliseconds
        whole.facility.add(file.facility.minor, file.facility.count)
        _add_all(whole.classes, file.classes)
        _add_all(whole.reasons, file.reasons)
    return whole


def _add_all(into: dict[_Name, Sum], parts: Mapping[_Name, Sum]) -> None:
    for name, part in parts.items():
        into.setdefault(name, Sum()).add(part.minor, part.count)
