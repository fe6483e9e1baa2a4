"""`amana purse`: what it lists, rotates, revokes and adds up, in an operator's folder."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.faults.holder import Wallet
from tests.node.purse_town import purse_town

from amana.cli import app
from amana.cli.exits import Failed
from amana.cli.purse import keysets, liabilities, limit, revoke, rotate
from amana.node.settings import SettingsRefused
from amana.storage import lock_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An operator with e-cash out, which nobody serves at the moment."""
    folder = tmp_path_factory.mktemp("operator") / "town"
    with purse_town(folder) as town:
        wallet = town.filled()
        shop = town.merchant()
        town.pay(town.quote(shop.order(300)["id"]), wallet, wallet.pick(300))
    return folder


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """Keysets of money as the command lists them."""
    capsys.readouterr()
    keysets(data=folder, json=True)
    return [one for one in printed(capsys) if one["unit"] == "eur"]


def test_keysets_are_listed_rotated_and_revoked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (first,) = listed(folder, capsys)
    assert (first["status"], first["outstanding"]) == ("active", "1700")
    rotate(data=folder)
    assert [one["status"] for one in listed(folder, capsys)] == ["retired", "active"]
    revoke(first["id"][:16].upper(), data=folder)
    assert [one["status"] for one in listed(folder, capsys)] == ["revoked", "active"]
    second = listed(folder, capsys)[-1]
    revoke(str(second["number"]), data=folder)
    statuses = [one["status"] for one in listed(folder, capsys)]
    assert statuses == ["revoked", "revoked", "active"], "one that signs is there again"
    assert listed(folder, capsys)[0]["outstanding"] == "1700"


def test_a_narrow_terminal_shows_whole_ids(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told in public is copied from here."""
    monkeypatch.setenv("COLUMNS", "80")
    ids = [one["id"] for one in listed(folder, capsys)]
    keysets(data=folder)
    rows = [line.split("│") for line in capsys.readouterr().out.splitlines() if "│" in line]
    shown = "".join(row[2].strip() for row in rows)
    assert all(one in shown for one in ids)


@pytest.mark.parametrize("look", [keysets, liabilities])
def test_a_folder_without_an_operator_is_called_so(
    look: Callable[..., None], tmp_path: Path
) -> None:
    with pytest.raises(SettingsRefused, match="holds no operator"):
        look(data=tmp_path)


@pytest.mark.parametrize("name", ["7", "01", "no keyset", "-1"])
def test_what_names_no_keyset_revokes_none(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = listed(folder, capsys)
    with pytest.raises(Failed, match="Nothing was changed"):
        revoke(name, data=folder)
    assert listed(folder, capsys) == before


def test_the_keyset_of_blind_tokens_is_not_revoked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    keysets(data=folder, json=True)
    (number,) = [one["number"] for one in printed(capsys) if one["unit"] == "auth"]
    with pytest.raises(Failed, match="hold no money"):
        revoke(str(number), data=folder)


def test_a_keyset_that_met_its_limit_signs_no_more_until_it_is_raised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "town"

    def swapped(wallet: Wallet) -> int:
        with purse_town(place) as town:
            return town.swap(wallet, wallet.proofs[:1]).status

    with purse_town(place) as town:
        wallet = town.filled()
    signed = listed(place, capsys)[0]
    assert 1 < signed["signed_most"] < 1_000
    assert signed["limit"] == 10_000_000
    limit("0", 1, data=place)
    assert "Limit of keyset 0: 1 signatures" in capsys.readouterr().out
    assert listed(place, capsys)[0]["limit"] == 1
    assert swapped(wallet) == 400
    limit(signed["id"][:16], 10_000, data=place)
    assert swapped(wallet) == 200


@pytest.mark.parametrize("signatures", ["0", "-1", "1000000000001", "100000000000000000000"])
def test_a_limit_that_no_keyset_can_have_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], signatures: str
) -> None:
    """Goal: a number beyond what is written of it was waited for without end."""
    before = listed(folder, capsys)
    with pytest.raises(SystemExit) as refused:
        app(["purse", "limit", "--data", str(folder), "--", "0", signatures])
    assert refused.value.code == 2
    assert "Must be" in capsys.readouterr().err
    assert listed(folder, capsys) == before


def test_what_is_owed_stands_beside_what_the_ledger_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    liabilities(data=folder, json=True)
    assert printed(capsys) == {
        "outstanding": "1700",
        "promised": "0",
        "returning": "0",
        "to_post": "0",
        "ledger_balance": "1700",
        "even": True,
    }
    liabilities(data=folder)
    shown = capsys.readouterr().out
    assert "17.00" in shown
    assert "even ✓" in shown


def test_beside_a_running_operator_it_looks_but_does_not_touch(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lock_folder(folder):
        before = listed(folder, capsys)
        command = [sys.executable, "-m", "amana", "purse", "rotate", "--data", str(folder)]
        refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert refused.returncode == 2
        assert "Nothing was changed" in refused.stderr
        assert listed(folder, capsys) == before
