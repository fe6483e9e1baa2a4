"""The command: a table for people, JSON for programs, a sentence for what is missing."""

import json
from pathlib import Path

import pytest

from amana.cli.exits import Failed
from amana.cli.vet import show, who_paid
from amana.vet.who_paid import Report


def test_it_prints_everything_as_json_and_keeps_the_data_where_asked(
    room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = room / "asked"
    code = who_paid(people=100, days=17, folder=place, json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["seed"] == 7
    assert {row["name"] for row in told["rows"]} >= {"data folder", "control: labels shuffled"}
    assert code == (0 if all(told["goals"].values()) else 1)
    assert (place / "operator" / "books.db").is_file()


def test_it_prints_a_table_with_controls_and_goals(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    show(report)
    told = capsys.readouterr().out
    assert "volume alone" in told
    assert "exact sums" in told
    assert "payer named" in told
    assert "letters" in told
    assert "Without a relay" in told
    assert "another device" in told


def test_a_town_too_small_to_hide_in_is_refused() -> None:
    with pytest.raises(Failed, match="100 people"):
        who_paid(people=99)
    with pytest.raises(Failed, match="two weeks"):
        who_paid(days=14)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(Failed, match="not empty"):
        who_paid(folder=tmp_path)
