"""The figures that a page tells are those of the run that it refers to."""

from pathlib import Path

import msgspec

from amana.cli.vet import _said
from amana.vet.who_paid import NAMED_MAX, Report

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "explanation" / "who-paid.md").read_text()
REPORT = msgspec.json.decode((DOCS / "reference" / "who-paid.json").read_bytes(), type=Report)


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


TABLES = [cells(line) for line in PAGE.splitlines() if line.startswith("| ")]


def test_each_attack_is_told_with_the_figures_of_the_last_run() -> None:
    told = [row[1:] for row in TABLES]
    for each in REPORT.rows:
        score = each.score
        crowd = f"{score.set_median:,.0f}, {score.set_low:,.0f}"
        figures = [_said(score.named), _said(score.top_ten), crowd]
        rows = [row for row in told if row[-1] == crowd]
        assert [
            row
            for row in rows
            if [row[0].split(" of ")[0], row[1], row[-1]] == figures
            and (
                not score.linked[-1].named.trials
                or row[2].startswith(_said(score.linked[-1].named))
            )
        ], (each.name, figures)


def test_the_towns_together_are_told_with_what_the_goals_are_about() -> None:
    for each in REPORT.pooled:
        score = each.score
        beside = f"{score.named.value / score.by_volume.value:.2f}"
        linked = score.linked[-1].named
        figures = [
            *(_said(share) for share in (score.named, score.by_volume)),
            beside,
            f"{_said(linked)} of {linked.trials}",
        ]
        assert figures in [row[1:] for row in TABLES], each.name
        assert score.named.value <= NAMED_MAX
    assert f"{REPORT.payments:,} payments of which {REPORT.tested:,} were guessed" in PAGE
    assert all(REPORT.goals.values())
