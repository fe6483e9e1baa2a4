"""The data folder of an operator: whose it is, where it is, and what an interruption leaves."""

import os
from pathlib import Path

import pytest

from amana.cli.exits import Failed
from amana.cli.operate import init
from amana.node.operator import make_operator, open_operator
from amana.node.settings import Settings, write_settings


def test_the_books_are_their_owners_alone_even_in_a_folder_that_others_read(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    make_operator(folder, Settings())
    with open_operator(folder):
        modes = {path.name: path.stat().st_mode & 0o077 for path in folder.glob("books.db*")}
    assert modes == dict.fromkeys(["books.db", "books.db-shm", "books.db-wal"], 0)


@pytest.mark.parametrize("name", ["a?b=c", "100%20 #x", "ü 'n\"", "file:x?mode=ro"])
def test_a_folder_of_any_name_holds_all_of_its_operator(tmp_path: Path, name: str) -> None:
    make_operator(tmp_path / name, Settings())
    with open_operator(tmp_path / name) as operator:
        assert operator.settings == Settings()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_settings_half_written_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make_operator(tmp_path, Settings(name="A longer name than the second"))
    make_operator(tmp_path, Settings(name="Second"))
    with open_operator(tmp_path) as operator:
        assert operator.settings.name == "Second"
    assert not list(tmp_path.glob("*.part"))


def test_settings_are_never_written_over(tmp_path: Path) -> None:
    write_settings(tmp_path, Settings(name="First"))
    with pytest.raises(FileExistsError):
        write_settings(tmp_path, Settings(name="Second"))


def test_an_officer_without_a_name_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(Failed):
        init(data=tmp_path / "new", name="Bank", officer=" ")
    assert not list(tmp_path.iterdir())
