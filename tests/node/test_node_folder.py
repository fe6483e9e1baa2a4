"""The data folder of an operator: whose it is, where it is, and what an interruption leaves."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from amana.cli.exits import Failed
from amana.cli.operate import doctor, init, officer
from amana.kernel import HOUR_NS, Instant, format_instant
from amana.node.chance import SystemClock
from amana.node.operator import make_operator, open_operator
from amana.node.settings import Settings, SettingsRefused, check_settings, write_settings
from amana.node.workers import keeper_of
from amana.people import Customer
from amana.storage import mark_log_emptied, read_log


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


@pytest.mark.parametrize("end", ["/", "/mint", "?m", "#m", " ", "\n"])
def test_a_mints_address_that_wallets_would_not_take_is_refused(end: str) -> None:
    for address in ("http://mint.localhost:8401", "https://mint.example"):
        assert check_settings(Settings(mint_url=address)).mint_url == address
        with pytest.raises(SettingsRefused, match="mint_url"):
            check_settings(Settings(mint_url=address + end))
    with pytest.raises(SettingsRefused, match="mint_url"):
        check_settings(Settings(mint_url="https://me@mint.example"))


def test_settings_are_never_written_over(tmp_path: Path) -> None:
    write_settings(tmp_path, Settings(name="First"))
    with pytest.raises(FileExistsError):
        write_settings(tmp_path, Settings(name="Second"))


def test_an_officer_without_a_name_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(Failed):
        init(data=tmp_path / "new", name="Bank", officer=" ")
    assert not list(tmp_path.iterdir())


def test_an_operator_whose_tokens_are_lost_gets_an_officer_by_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(data=tmp_path / "city", name="City")
    officer(data=tmp_path / "city", name="Olga")
    tokens = [line for line in capsys.readouterr().out.splitlines() if line.startswith("amo_")]
    assert len(set(tokens)) == 2
    with open_operator(tmp_path / "city") as operator:
        now = operator.clock.now()
        assert all(operator.authenticator.principal(token, now) for token in tokens)


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_who_is_erased_stands_in_no_file_of_the_folder_any_more(tmp_path: Path) -> None:
    make_operator(tmp_path, Settings())

    async def work() -> bytes:
        with open_operator(tmp_path) as operator:
            await operator.start()
            made = operator.people.new_customer("gone-soon", "Nevermore Name")
            opened = await operator.people.open_customer(made)
            assert isinstance(opened, Customer)
            assert await operator.people.close(opened.customer) is None
            assert await operator.erase(opened.customer) is None
            return everything_in(tmp_path)

    left = asyncio.run(work())
    assert b"Nevermore" not in left
    assert b"gone-soon" not in left


def test_the_doctor_says_since_when_the_log_was_not_emptied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_operator(tmp_path, Settings())
    now = SystemClock().now()

    def found() -> tuple[bool, str]:
        doctor(data=tmp_path, json=True)
        told = {one["what"]: one for one in json.loads(capsys.readouterr().out)}["books' log"]
        return told["is_fine"], told["found"]

    assert found() == (True, "0 bytes, last emptied: not yet")
    with open_operator(tmp_path) as operator:
        asyncio.run(operator.start())
        held = read_log(tmp_path).bytes
        assert held > 0
        assert found()[0]
        since = Instant(now - HOUR_NS)
        mark_log_emptied(tmp_path, since)
        is_fine, said = found()
        assert not is_fine
        assert said.startswith(f"{held} bytes, not emptied since {format_instant(since)}: ")
        asyncio.run(keeper_of(operator).turn())
        assert found()[0]
    assert found()[0]


@pytest.mark.parametrize(
    ("lost", "named"),
    [
        ("keys/persons.db", "persons' keys"),
        ("keys/wrapping", "persons' keys"),
        ("signatory", "secrets"),
    ],
)
def test_the_doctor_names_what_of_the_keys_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lost: str, named: str
) -> None:
    make_operator(tmp_path, Settings())
    doctor(data=tmp_path, json=True)
    whole = {found["what"]: found["is_fine"] for found in json.loads(capsys.readouterr().out)}
    assert whole[named]
    if (tmp_path / lost).is_dir():
        shutil.rmtree(tmp_path / lost)
    else:
        (tmp_path / lost).unlink()
    assert doctor(data=tmp_path, json=True) == 1
    ailing = {found["what"]: found["is_fine"] for found in json.loads(capsys.readouterr().out)}
    assert not ailing[named]
