"""The eight published months, which are kept outside the repository, through a whole operator.

Rows and sums were taken once by a script that shares no code with the reader.
"""

import os
from pathlib import Path

import pytest
from tests.demo.purchases import classes, replayed

SHARED = Path(os.environ.get("AMANA_SHARED", Path(__file__).parents[3] / "shared"))
FOLDER = SHARED / "data" / "birmingham-purchase-cards"
ROWS, PENCE = 34_827, 5_613_120_63

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not FOLDER.is_dir(),
        reason="NOT RUN: the purchase files are absent (set AMANA_SHARED to where they are kept)",
    ),
]


def test_eight_real_months_go_through_the_network_to_the_penny(tmp_path: Path) -> None:
    files = sorted(FOLDER.glob("*.csv"))
    report = replayed(tmp_path / "data", *files)
    total = report.total
    assert len(report.files) == 8
    assert all(file.is_equal for file in report.files)
    assert (total.rows, total.read_minor) == (ROWS, PENCE)
    assert (total.classed.count, total.classed.minor) == (ROWS, PENCE)
    assert (total.blank_lines, total.outside) == (1, 1_434)
    assert classes(total) == {
        "purchase": (33_534, 6_611_952_99),
        "refund": (1_066, -318_220_88),
        "credit": (64, -13_881_23),
        "repayment": (36, -656_253_89),
        "refused": (127, -10_476_36),
    }
    assert set(total.reasons) == {"insufficient-funds"}
    assert report.books.is_balanced
    assert report.books.moved_as_told
    assert report.books.unfinished == 0
    moved = total.facility.minor - (PENCE - total.classes["refused"].minor)  # type: ignore[index] # a class is its word
    assert report.books.customers == moved
    assert report.books.merchants == (
        6_611_952_99 - 318_220_88 - 13_881_23 - total.fees_taken + total.fees_returned
    )
    second = replayed(tmp_path / "data", *files)
    assert second.total.new == 0
    assert classes(second.total) == classes(total)
