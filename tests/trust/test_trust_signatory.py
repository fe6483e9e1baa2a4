"""The signatory folder: secrets made once, never replaced, readable by their owner alone."""

from pathlib import Path

import pytest

from amana.testing.rooms import SeededChance
from amana.trust import (
    HANDLE_PEPPER,
    RECEIPT_SIGNING,
    WEBHOOK_SIGNING,
    SecretMissing,
    Signatory,
)


def test_each_secret_is_made_once_and_differs_from_the_others(tmp_path: Path) -> None:
    signatory = Signatory(tmp_path)
    signatory.make(SeededChance(1))
    before = [signatory.secret(name) for name in (HANDLE_PEPPER, WEBHOOK_SIGNING)]
    signatory.make(SeededChance(2))
    assert [signatory.secret(name) for name in (HANDLE_PEPPER, WEBHOOK_SIGNING)] == before
    assert len({*before}) == 2


def test_only_their_owner_can_read_the_secrets(tmp_path: Path) -> None:
    Signatory(tmp_path).make(SeededChance())
    folder = tmp_path / "signatory"
    assert folder.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("content", [None, b"", b"too short"])
def test_a_missing_or_damaged_secret_is_told_and_never_replaced(
    tmp_path: Path, content: bytes | None
) -> None:
    signatory = Signatory(tmp_path)
    signatory.make(SeededChance())
    path = tmp_path / "signatory" / "handle-pepper.secret"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SecretMissing, match="signatory archive"):
        signatory.secret(HANDLE_PEPPER)
    assert path.exists() == (content is not None)


def test_a_secret_that_came_later_is_added_once_and_no_older_one_is(tmp_path: Path) -> None:
    signatory = Signatory(tmp_path)
    signatory.make(SeededChance(1))
    (tmp_path / "signatory" / f"{RECEIPT_SIGNING}.secret").unlink()
    signatory.add(RECEIPT_SIGNING, SeededChance(2))
    added = signatory.secret(RECEIPT_SIGNING)
    signatory.add(RECEIPT_SIGNING, SeededChance(3))
    assert signatory.secret(RECEIPT_SIGNING) == added
    with pytest.raises(AssertionError, match="as old as the folder"):
        signatory.add(HANDLE_PEPPER, SeededChance(4))
