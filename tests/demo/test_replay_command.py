"""`amana replay` as people and programs meet it."""

from pathlib import Path

import msgspec
import pytest
from tests.demo.purchases import write_file, year_of_trade

from amana.cli import app
from amana.cli.exits import told


def amana(*arguments: object) -> int:
    return told(
        lambda: app([str(argument) for argument in arguments], result_action="return_value")
    )


def test_the_command_ends_with_a_table_a_file_and_says_that_it_adds_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = year_of_trade()
    files = [write_file(tmp_path, "a.csv", rows[:50]), write_file(tmp_path, "b.csv", rows[50:])]
    assert amana("replay", *files, "--data", tmp_path / "data") == 0
    text = capsys.readouterr().out
    assert all(title in text for title in ("a.csv", "b.csv", "all files", "✓ equal"))
    assert "Every file equals the sum of its classes" in text
    assert amana("replay", *files, "--data", tmp_path / "data") == 0
    assert "Nothing was changed" in capsys.readouterr().out


def test_json_tells_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_file(tmp_path, "a.csv", [("01/03/17", "12.34", "baker", "1111")])
    assert amana("replay", file, "--data", tmp_path / "data", "--json") == 0
    told_once = msgspec.json.decode(capsys.readouterr().out)
    assert told_once["changed"] is True
    assert told_once["total"]["equal"] is True
    assert told_once["total"]["read"] == {"currency": "GBP", "minor": "1234"}
    assert told_once["total"]["classes"]["purchase"] == {
        "count": 1,
        "sum": {"currency": "GBP", "minor": "1234"},
    }
    assert told_once["total"]["fees_taken"]["minor"] == "2"
    assert amana("replay", file, "--data", tmp_path / "data", "--json") == 0
    assert msgspec.json.decode(capsys.readouterr().out)["changed"] is False


def test_an_unreadable_file_is_told_by_file_line_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_file(tmp_path, "a.csv", [("01/03/17", "12,34", "baker", "1111")])
    assert amana("replay", file, "--data", tmp_path / "data") == 2
    outputs = capsys.readouterr()
    assert "a.csv:2: BILLING GROSS AMT: This is no amount." in outputs.err
    assert "Nothing was imported." in outputs.err
    assert not outputs.out
    assert not (tmp_path / "data").exists()


def test_no_card_number_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_file(tmp_path, "a.csv", [("01/03/17", "1.00", "baker", "4929123412341234*")])
    assert amana("replay", file, "--data", tmp_path / "data") == 2
    assert "4929123412341234" not in capsys.readouterr().err


def test_what_does_not_add_up_ends_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("amana.demo.replay.model.FileReport.is_equal", False)
    file = write_file(tmp_path, "a.csv", [("01/03/17", "1.00", "baker", "1111")])
    assert amana("replay", file, "--data", tmp_path / "data") == 1
    assert "DOES NOT ADD UP" in capsys.readouterr().err
