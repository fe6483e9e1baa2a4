"""Persons' keys: made, destroyed, wrapped anew every week, whole after a crash at any step."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tink
from tink import proto_keyset_format

from amana.kernel import DAY_NS, AmanaId
from amana.testing.rooms import START, HandClock, SeededChance
from amana.trust import KeysDamaged, KeyStore
from amana.trust._files import destroy_file, write_secret

PERSONS = [AmanaId(number) for number in range(1, 6)]
LABEL = b"a binding"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def keys(tmp_path: Path, clock: HandClock) -> Iterator[KeyStore]:
    store = KeyStore.make(tmp_path, now=clock.now(), chance=SeededChance())
    yield store
    store.close()


def seal_for_all(keys: KeyStore) -> dict[AmanaId, tuple[bytes, bytes]]:
    """Seal a text for each person; return ciphertext and log key."""
    sealed = {}
    for person in PERSONS:
        made = keys.make_keys(person, SeededChance(int(person)))
        assert made is not None
        sealed[person] = made.fields.encrypt(b"text of %d" % person, LABEL), made.log_key
    return sealed


def opens(keys: KeyStore, sealed: dict[AmanaId, tuple[bytes, bytes]]) -> bool:
    for person, (ciphertext, log_key) in sealed.items():
        held = keys.keys(person)
        if held is None or held.log_key != log_key:
            return False
        if held.fields.decrypt(ciphertext, LABEL) != b"text of %d" % person:
            return False
    return True


def wrapped_rows(path: Path) -> list[tuple[bytes, int, bytes, bytes]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT * FROM persons ORDER BY person").fetchall()
    connection.close()
    return rows


def test_a_persons_keys_are_made_once(keys: KeyStore) -> None:
    sealed = seal_for_all(keys)
    assert opens(keys, sealed)
    seal_for_all(keys)
    assert opens(keys, sealed)


def test_nobody_has_keys_before_they_are_made(keys: KeyStore) -> None:
    assert keys.keys(PERSONS[0]) is None
    assert not keys.is_erased(PERSONS[0])


def test_keys_are_there_after_closing_and_opening(keys: KeyStore, tmp_path: Path) -> None:
    sealed = seal_for_all(keys)
    keys.close()
    again = KeyStore(tmp_path)
    assert opens(again, sealed)
    again.close()


def test_making_a_store_that_is_there_changes_nothing(
    keys: KeyStore, tmp_path: Path, clock: HandClock
) -> None:
    sealed, folder_id = seal_for_all(keys), keys.folder_id
    again = KeyStore.make(tmp_path, now=clock.now(), chance=SeededChance(99))
    assert again.folder_id == folder_id
    assert opens(again, sealed)
    again.close()


def test_only_the_owner_of_the_files_can_read_them(keys: KeyStore) -> None:
    for path in (keys.path, keys.wrapping.path(1)):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o077 == 0


def test_destroyed_keys_stay_destroyed(keys: KeyStore, clock: HandClock) -> None:
    sealed = seal_for_all(keys)
    keys.destroy([PERSONS[0], PERSONS[0]], clock.now())
    assert keys.keys(PERSONS[0]) is None
    assert keys.make_keys(PERSONS[0], SeededChance()) is None
    del sealed[PERSONS[0]]
    assert opens(keys, sealed)


def test_a_destroyed_row_is_overwritten_in_the_file(keys: KeyStore, clock: HandClock) -> None:
    seal_for_all(keys)
    _, _, keyset, log_key = wrapped_rows(keys.path)[0]
    assert keyset in keys.path.read_bytes()
    keys.destroy([PERSONS[0]], clock.now())
    left = b"".join(path.read_bytes() for path in keys.path.parent.rglob("*") if path.is_file())
    assert keyset not in left
    assert log_key not in left


def test_re_wrapping_keeps_every_survivors_keys(keys: KeyStore, clock: HandClock) -> None:
    sealed = seal_for_all(keys)
    before = wrapped_rows(keys.path)
    assert keys.rewrap(clock.now()) == 2
    assert opens(keys, sealed)
    for old, new in zip(before, wrapped_rows(keys.path), strict=True):
        assert new[1] == 2
        assert {*old[2:]}.isdisjoint(new[2:])


def test_two_generations_of_the_wrapping_key_are_kept(keys: KeyStore, clock: HandClock) -> None:
    sealed = seal_for_all(keys)
    assert keys.wrapping.generations() == [1]
    for present in (2, 3, 4):
        keys.rewrap(clock.now())
        assert keys.wrapping.generations() == [present - 1, present]
        assert opens(keys, sealed)


def test_no_living_key_opens_an_old_copy_after_two_re_wrappings(
    keys: KeyStore, clock: HandClock, tmp_path: Path
) -> None:
    seal_for_all(keys)
    stolen = tmp_path / "stolen.db"
    shutil.copy(keys.path, stolen)
    keys.rewrap(clock.now())
    assert opened_by(keys, stolen) == len(PERSONS)
    keys.rewrap(clock.now())
    assert opened_by(keys, stolen) == 0


def opened_by(keys: KeyStore, copy: Path) -> int:
    """Count the persons of a copied store whom any living wrapping key opens."""
    opened = 0
    for person, _, keyset, _ in wrapped_rows(copy):
        for generation in keys.wrapping.generations():
            try:
                proto_keyset_format.parse_encrypted(
                    keyset, keys.wrapping.read(generation), b"amana person field keyset" + person
                )
            except tink.TinkError:
                continue
            opened += 1
    return opened


def test_one_persons_wrapped_keys_do_not_open_as_anothers(keys: KeyStore) -> None:
    seal_for_all(keys)
    with sqlite3.connect(keys.path) as connection:
        connection.execute(
            "UPDATE persons SET field_keyset = (SELECT field_keyset FROM persons WHERE person = ?)"
            " WHERE person = ?",
            (PERSONS[0].to_bytes(16), PERSONS[1].to_bytes(16)),
        )
    connection.close()
    with pytest.raises(KeysDamaged, match="do not open under generation 1"):
        keys.keys(PERSONS[1])


def test_a_re_wrapping_broken_off_at_any_step_loses_nobody(
    keys: KeyStore, tmp_path: Path, clock: HandClock
) -> None:
    """What a crash would leave is a copy of the folder, taken after each durable step."""
    sealed = seal_for_all(keys)
    keys.close()
    keys = KeyStore(tmp_path, batch_rows=2)
    copies = tmp_path.parent / "copies"
    names = []
    for number, step in enumerate(keys.rewrap_steps(clock.now())):
        shutil.copytree(tmp_path, copies / str(number))
        names.append((step.name, step.persons_left))
    keys.close()
    assert names == [
        ("key-made", 5),
        ("generation-begun", 5),
        ("batch-wrapped", 3),
        ("batch-wrapped", 1),
        ("batch-wrapped", 0),
        ("old-key-destroyed", 0),
    ]
    for number, (name, left) in enumerate(names):
        crashed = KeyStore(copies / str(number), batch_rows=2)
        assert opens(crashed, sealed)
        assert crashed.is_rewrap_due(clock.now()) == (left > 0 and name != "key-made")
        present = crashed.rewrap(clock.now())
        # One that had begun is finished under its own key; otherwise the next one is made.
        is_finished = name == "old-key-destroyed" or (name == "batch-wrapped" and not left)
        assert present == (3 if is_finished else 2)
        assert opens(crashed, sealed)
        assert crashed.wrapping.generations() == [present - 1, present]
        crashed.close()


CHILD = """
import sys
from pathlib import Path
from amana.kernel import Instant
from amana.trust import KeyStore
keys = KeyStore(Path(sys.argv[1]), batch_rows=1)
while True:
    for step in keys.rewrap_steps(Instant(int(sys.argv[2]))):
        print(step.name, flush=True)
"""


def test_a_process_killed_while_re_wrapping_loses_nobody(keys: KeyStore, tmp_path: Path) -> None:
    sealed = seal_for_all(keys)
    keys.close()
    for steps in (1, 2, 4, 8):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), str(START)],
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            for _ in range(steps):
                assert child.stdout.readline()
            child.kill()
        again = KeyStore(tmp_path)
        assert opens(again, sealed), f"killed after {steps} steps"
        assert len(again.wrapping.generations()) <= 3
        again.close()
    keys = KeyStore(tmp_path)
    keys.rewrap(START)
    assert len(keys.wrapping.generations()) == 2
    keys.close()


def test_a_person_who_joins_during_a_re_wrapping_is_kept(keys: KeyStore, clock: HandClock) -> None:
    sealed = seal_for_all(keys)
    newcomer = AmanaId(90)
    steps = keys.rewrap_steps(clock.now())
    while next(steps).name != "generation-begun":
        pass
    made = keys.make_keys(newcomer, SeededChance(3))
    assert made is not None
    sealed[newcomer] = made.fields.encrypt(b"text of 90", LABEL), made.log_key
    list(steps)
    assert opens(keys, sealed)
    assert {row[1] for row in wrapped_rows(keys.path)} == {2}


def test_a_week_makes_re_wrapping_due(keys: KeyStore, clock: HandClock) -> None:
    assert not keys.is_rewrap_due(clock.now())
    clock.advance(7 * DAY_NS)
    assert keys.is_rewrap_due(clock.now())
    keys.rewrap(clock.now())
    assert not keys.is_rewrap_due(clock.now())


def test_drafts_and_unused_keys_left_by_a_crash_are_destroyed_at_opening(
    keys: KeyStore, tmp_path: Path
) -> None:
    keys.wrapping.make(2)
    draft = keys.wrapping.folder / "000003.key.draft"
    draft.write_bytes(b"half a key")
    keys.close()
    again = KeyStore(tmp_path)
    assert again.wrapping.generations() == [1]
    assert not draft.exists()
    again.close()


def test_a_store_half_made_is_made_by_the_next_attempt(tmp_path: Path, clock: HandClock) -> None:
    (tmp_path / "keys").mkdir()
    sqlite3.connect(tmp_path / "keys" / "persons.db").close()
    keys = KeyStore.make(tmp_path, now=clock.now(), chance=SeededChance())
    assert opens(keys, seal_for_all(keys))
    keys.close()


def test_a_missing_store_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(KeysDamaged, match="no key store"):
        KeyStore(tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"not a database at all", b""])
def test_a_file_that_is_no_key_store_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "persons.db").write_bytes(content * 100)
    with pytest.raises(KeysDamaged, match="not a key store"):
        KeyStore(tmp_path)


def test_a_store_that_cannot_be_read_just_now_is_not_called_damaged(
    keys: KeyStore, tmp_path: Path
) -> None:
    keys.close()
    journal = keys.path.with_name("persons.db-journal")
    journal.mkdir()
    with pytest.raises(sqlite3.OperationalError):
        KeyStore(tmp_path)
    journal.rmdir()
    KeyStore(tmp_path).close()


def test_a_store_left_in_the_middle_of_a_commit_is_mended_by_opening_it(
    keys: KeyStore, tmp_path: Path
) -> None:
    """A crash within a commit leaves a journal that a connection for reading cannot undo."""
    sealed = seal_for_all(keys)
    crashed = tmp_path.parent / "crashed"
    connection = sqlite3.connect(keys.path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("PRAGMA cache_spill = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE persons SET log_key = zeroblob(200000)")
    shutil.copytree(tmp_path, crashed)
    connection.execute("ROLLBACK")
    connection.close()
    assert (crashed / "keys" / "persons.db-journal").stat().st_size > 0
    again = KeyStore(crashed)
    assert opens(again, sealed)
    again.close()


@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_a_missing_or_damaged_wrapping_key_is_told(
    keys: KeyStore, tmp_path: Path, content: bytes | None
) -> None:
    seal_for_all(keys)
    keys.close()
    path = keys.wrapping.path(1)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    again = KeyStore(tmp_path)
    with pytest.raises(KeysDamaged, match="wrapping key"):
        again.keys(PERSONS[0])
    again.close()


def test_a_secret_file_is_written_whole_over_an_old_draft(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.with_name("secret.draft").write_bytes(b"left over")
    write_secret(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_destroying_a_file_that_is_gone_does_nothing(tmp_path: Path) -> None:
    destroy_file(tmp_path / "gone")
    assert not any(tmp_path.iterdir())
