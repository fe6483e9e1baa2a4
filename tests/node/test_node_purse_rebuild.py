"""`amana purse rebuild`: a lost list of keysets, made again from the secret and public copies."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.node.purse_town import SEED, purse_town

from amana.cli.exits import Failed
from amana.cli.purse import rebuild, revoke, rotate
from amana.kernel import DAY_NS, Instant
from amana.node.workers import publish_liabilities
from amana.purse.signatory import (
    LIST_FILE,
    SEED_FILE,
    FolderStore,
    KeysetStatus,
    SignatoryDamaged,
)
from amana.testing.rooms import HandClock
from amana.trust import SIGNATORY_FOLDER, BackupReason, BackupRefused, Places, make_backup


class Lost:
    """An operator with e-cash out of two keysets, one of them revoked, and copies of its list."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder / "town", HandClock()
        self.copies = folder / "copies"
        self.copies.mkdir()
        with purse_town(self.folder, self.clock) as town:
            self.revoked = town.filled()
        rotate(data=self.folder)
        revoke("0", data=self.folder)
        with purse_town(self.folder, self.clock) as town:
            self.wallet = town.filled()
            self.save(town, "money", "/v1/keysets")
            self.save(town, "keys", "/v1/keys")
            self.save(town, "tokens", "/v1/auth/blind/keysets")
        self.list = self.folder / SIGNATORY_FOLDER / LIST_FILE
        self.kept = self.list.read_bytes()
        self.before = FolderStore(self.list.parent).entries()

    def save(self, town: Any, name: str, path: str) -> None:
        (self.copies / name).write_bytes(town.at_mint("GET", path).body)

    def named(self, *names: str) -> list[Path]:
        return [self.copies / name for name in names]

    def entries(self) -> Any:
        return FolderStore(self.list.parent).entries()


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[Lost]:
    lost = Lost(tmp_path)
    lost.list.unlink()
    yield lost
    assert (lost.list.parent / SEED_FILE).read_bytes() == SEED


def test_the_list_is_made_again_and_the_mint_takes_and_signs_as_before(
    lost: Lost, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SignatoryDamaged, match="amana purse rebuild"), purse_town(lost.folder):
        pytest.fail("it opens without its list")
    rebuild(*lost.named("tokens", "money"), data=lost.folder)
    assert "revoked" in capsys.readouterr().out
    assert lost.entries() == lost.before
    with purse_town(lost.folder, lost.clock) as town:
        proofs = lost.wallet.pick(100)
        total = lost.wallet.total
        assert town.swap(lost.wallet, proofs).status == 200
        assert lost.wallet.total == total + sum(proof.amount for proof in proofs)
        assert town.swap(lost.revoked, lost.revoked.pick(100)).status == 400
        assert town.at_mint("GET", "/v1/keysets").body == (lost.copies / "money").read_bytes()
        assert town.filled().total == 2_000


def test_the_books_statement_and_an_older_archive_serve_as_copies(lost: Lost) -> None:
    lost.list.write_bytes(lost.kept)
    with purse_town(lost.folder, lost.clock) as town:
        town.run(publish_liabilities(town.operator))
    older = [each | {"status": "active"} for each in json.loads(lost.kept)[:2]]
    (lost.copies / "archive").write_text(json.dumps(older))
    lost.list.write_text("[{")
    rebuild(*lost.named("archive"), data=lost.folder)
    assert lost.entries() == lost.before, "the archive knows of no revocation; the statement does"


def test_an_older_copy_does_not_wake_what_a_newer_one_says_is_retired_or_revoked(
    lost: Lost,
) -> None:
    old = json.loads((lost.copies / "money").read_bytes())
    for each in old["keysets"]:
        each["active"] = True
        each.pop("revoked", None)
    (lost.copies / "old").write_text(json.dumps(old))
    rebuild(*lost.named("old", "keys", "money", "tokens"), data=lost.folder)
    assert [entry.status for entry in lost.entries()] == [
        KeysetStatus.REVOKED,
        KeysetStatus.ACTIVE,
        KeysetStatus.ACTIVE,
    ]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ((), "No copy holds a keyset of unit auth, eur"),
        (("money",), "missing"),
        (("keys", "tokens"), "missing"),
        (("tokens",), "missing"),
        (("none",), "holds no keysets"),
        (("other", "tokens"), "does not come of this seed"),
    ],
)
def test_copies_that_lack_or_change_a_keyset_write_nothing(
    lost: Lost, names: tuple[str, ...], reason: str
) -> None:
    (lost.copies / "none").write_text("{}")
    other = (lost.copies / "money").read_text().replace('"input_fee_ppk":0', '"input_fee_ppk":1')
    (lost.copies / "other").write_text(other)
    with pytest.raises(Failed, match=reason) as told:
        rebuild(*lost.named(*names), data=lost.folder)
    assert "Nothing was changed" in str(told.value)
    assert SEED.hex() not in str(told.value)
    assert not lost.list.exists()


def test_a_copy_that_ends_before_what_the_books_have_is_refused(tmp_path: Path) -> None:
    """Goal: a keyset that has signed is not forgotten, though nothing after it is missing."""
    folder = tmp_path / "town"
    with purse_town(folder) as town:
        money = town.at_mint("GET", "/v1/keysets").body
        tokens = town.at_mint("GET", "/v1/auth/blind/keysets").body
    rotate(data=folder)
    with purse_town(folder) as town:
        town.filled()
    copies = [tmp_path / "money", tmp_path / "tokens"]
    for path, text in zip(copies, (money, tokens), strict=True):
        path.write_bytes(text)
    (folder / SIGNATORY_FOLDER / LIST_FILE).unlink()
    with pytest.raises(Failed, match="e-cash of keyset 2, which is in no copy"):
        rebuild(*copies, data=folder)


def test_a_list_that_can_be_read_is_left_alone(lost: Lost) -> None:
    lost.list.write_bytes(lost.kept)
    with pytest.raises(Failed, match="Nothing was changed"):
        rebuild(*lost.named("money", "tokens"), data=lost.folder)
    assert lost.list.read_bytes() == lost.kept


def test_a_backup_without_the_list_does_not_take_the_place_of_one_with_it(
    lost: Lost, tmp_path: Path
) -> None:
    places = Places.within(tmp_path / "archives")
    lost.list.write_bytes(lost.kept)
    now = lost.clock.now()
    make_backup(lost.folder, places, now=now)
    lost.list.unlink()
    refused = make_backup(lost.folder, places, now=Instant(now + DAY_NS))
    assert isinstance(refused, BackupRefused)
    assert refused.reason is BackupReason.SIGNATORY_INCOMPLETE
    (archived,) = places.signatory.rglob(LIST_FILE)
    assert archived.read_bytes() == lost.kept
