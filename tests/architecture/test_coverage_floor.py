"""Every branch of the shared words, the formats, the models, rules and services is run.

It runs after the slices that run the core in this process; `make test` traces them.
"""

import io

import coverage
from tests.architecture.sources import core


def test_no_branch_of_the_core_is_left_unrun(traced: coverage.Coverage) -> None:
    assert set(core()) <= traced.get_data().measured_files()
    table = io.StringIO()
    percent = traced.report(morfs=core(), show_missing=True, skip_covered=True, file=table)
    assert percent == 100, table.getvalue()
