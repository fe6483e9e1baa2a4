"""What an audit answers."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

FINDINGS_A_CHECK_MAX: Final = 100
"""Findings told of one check; the rest are counted."""


class BooksUnreadable(Exception):  # noqa: N818 - a state of the folder, told to the person at the keyboard
    """There are no books in the folder, or they cannot be read."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the books are not what they should be.

    `loss_minor` is the money at stake in minor units, 0 where it is not about an amount. Several
    findings may show one loss from several sides, so losses are not to be added up.
    """

    check: str
    table: str
    id: str
    expected: str
    found: str
    loss_minor: int = 0

    def __str__(self) -> str:
        """Say it in one line."""
        loss = f" (loss {self.loss_minor})" if self.loss_minor else ""
        place = f"{self.table} {self.id}"
        return f"{self.check}: {place}: expected {self.expected}, found {self.found}{loss}"


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """Both sides of one ledger number, minor units."""

    ledger: int
    debits_posted: int
    credits_posted: int
    debits_pending: int
    credits_pending: int


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What recomputing the books found."""

    findings: tuple[Finding, ...]
    left_out: int
    """Findings that were counted and not told."""
    checked: tuple[str, ...]
    """Which parts of the books are there and were recomputed."""
    totals: tuple[LedgerTotals, ...]
    counts: dict[str, int]
    """Rows of each kind, pruned batches among them."""
    unfinished: tuple[str, ...]
    """Payments whose outcome is not known yet; `recover` finishes them."""

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def loss_minor_max(self) -> int:
        """The largest loss of a finding, minor units."""
        return max((finding.loss_minor for finding in self.findings), default=0)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values; amounts as strings of digits."""
        findings = [
            {**asdict(finding), "loss_minor": str(finding.loss_minor)} for finding in self.findings
        ]
        totals = [
            {name: value if name == "ledger" else str(value) for name, value in asdict(row).items()}
            for row in self.totals
        ]
        return {
            "is_sound": self.is_sound,
            "checked": list(self.checked),
            "counts": self.counts,
            "totals": totals,
            "findings": findings,
            "findings_left_out": self.left_out,
            "loss_minor_max": str(self.loss_minor_max),
            "unfinished": list(self.unfinished),
        }

    def as_json(self) -> str:
        """Return the report for a program to read."""
        return json.dumps(self.as_dict(), indent=2)


@dataclass(slots=True)
class Findings:
    """Findings as they are gathered, bounded for each check."""

    told: list[Finding] = field(default_factory=list)
    left_out: int = 0
    _by_check: dict[str, int] = field(default_factory=dict)

    def add(
        self,
        check: str,
        table: str,
        place: str,
        *,
        expected: object,
        found: object,
        loss_minor: int = 0,
    ) -> None:
        """Take a finding down."""
        number = self._by_check[check] = self._by_check.get(check, 0) + 1
        if number > FINDINGS_A_CHECK_MAX:
            self.left_out += 1
            return
        self.told.append(Finding(check, table, place, str(expected), str(found), abs(loss_minor)))
