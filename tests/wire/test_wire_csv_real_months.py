"""The published months themselves, which are kept outside the repository.

Counts and sums were taken once by a script that shares no code with the reader (split at each
semicolon, commas dropped, decimals added).
"""

import os
from pathlib import Path

import pytest

from amana.wire.csv_purchases import PurchaseFile, read_purchases

SHARED = Path(os.environ.get("AMANA_SHARED", Path(__file__).parents[3] / "shared"))
FOLDER = SHARED / "data" / "birmingham-purchase-cards"

# Month: rows, pence, rows of money given back, blank rows.
MONTHS = {
    "201612": (3002, 50367076, 132, 0),
    "201701": (5227, 58889069, 168, 0),
    "201702": (3836, 74103541, 94, 0),
    "201703": (4261, 86249592, 185, 0),
    "201704": (3163, 62203465, 95, 0),
    "201705": (5255, 27454122, 230, 1),
    "201706": (4942, 87631300, 183, 0),
    "201707": (5141, 114413898, 206, 0),
}

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not FOLDER.is_dir(),
        reason="NOT RUN: the purchase files are absent (set AMANA_SHARED to where they are kept)",
    ),
]


def month(name: str) -> PurchaseFile:
    path = FOLDER / f"purchase-card-transactions-{name}.csv"
    file = read_purchases(path.name, path.read_bytes())
    assert isinstance(file, PurchaseFile), file.faults[:5]
    return file


@pytest.mark.parametrize("name", MONTHS)
def test_a_published_month_is_read_to_the_penny(name: str) -> None:
    file = month(name)
    refunds = sum(row.amount_minor < 0 for row in file.rows)
    assert (len(file.rows), file.total_minor(), refunds, file.blank_lines) == MONTHS[name]


def test_original_amounts_are_kept_from_january_on() -> None:
    assert all(row.original is None for row in month("201612").rows)
    foreign = [
        row for row in month("201703").rows if row.original and row.original.currency.code != "GBP"
    ]
    assert len(foreign) == 31
    assert {row.original.currency.code for row in foreign if row.original} == {
        "EUR",
        "HRK",
        "NOK",
        "USD",
    }
