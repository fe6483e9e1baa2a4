"""Three archives for three places, and an erased person gone from every one of them."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import tink
from tests.trust.vault_world import COLUMNS, EMAIL, NAME, Vault, open_vault
from tink import proto_keyset_format

from amana.kernel import DAY_NS, AmanaId
from amana.storage import BOOKS_FILE, SETTINGS_FILE
from amana.testing.rooms import HandClock
from amana.trust import (
    HANDLE_PEPPER,
    OPENID_SIGNING,
    WEBHOOK_SIGNING,
    BackupReason,
    BackupRefused,
    DoorRefused,
    KeysDamaged,
)
from amana.trust._wrapping import WrappingKeys, primitive_of
from amana.trust.backup import BackupMade, Places, Restored, make_backup, restore_backup
from amana.trust.rules import associated_data

WEEK_NS = 7 * DAY_NS
GONE, STAYS, LATER = AmanaId(501), AmanaId(502), AmanaId(503)


def canaries(person: AmanaId) -> dict[object, str]:
    return {NAME: f"CANARY-NAME-{person} ليلى", EMAIL: f"canary-{person}@example.org"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def vault(tmp_path: Path, clock: HandClock) -> Iterator[Vault]:
    with open_vault(tmp_path / "data", clock=clock) as opened:
        for person in (GONE, STAYS):
            opened.keep(person, canaries(person))  # type: ignore[arg-type]
        yield opened


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places.within(tmp_path / "backups")


def back_up(vault: Vault, places: Places) -> str:
    made = make_backup(vault.folder, places, now=vault.clock.now())
    assert isinstance(made, BackupMade), made
    vault.clock.advance(DAY_NS)
    return made.name


def restore(
    places: Places, folder: Path, *, books: str = "", persons: str = ""
) -> Restored | BackupRefused:
    return restore_backup(places, folder, now=HandClock().now(), books=books, persons=persons)


def told(outcome: object) -> BackupReason:
    assert isinstance(outcome, BackupRefused), outcome
    assert outcome.detail
    return outcome.reason


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_restored_folder_reads_as_the_old_one(
    vault: Vault, places: Places, tmp_path: Path
) -> None:
    """The positive control: before an erasure, a backup brings everybody back."""
    name = back_up(vault, places)
    restored = restore(places, tmp_path / "new")
    assert restored == Restored(name, name, name, 0)
    with open_vault(tmp_path / "new", seed=2) as new:
        assert new.own_fields(GONE) == canaries(GONE)
        assert new.own_fields(STAYS) == canaries(STAYS)
    assert contents(tmp_path / "data" / "signatory") == contents(tmp_path / "new" / "signatory")


def test_the_operators_settings_go_with_the_books(
    vault: Vault, places: Places, tmp_path: Path
) -> None:
    (vault.folder / SETTINGS_FILE).write_text("an operator's settings")
    back_up(vault, places)
    assert isinstance(restore(places, tmp_path / "new"), Restored)
    assert (tmp_path / "new" / SETTINGS_FILE).read_text() == "an operator's settings"


def test_no_archive_holds_a_readable_value(vault: Vault, places: Places, tmp_path: Path) -> None:
    back_up(vault, places)
    held = contents(tmp_path)
    for person in (GONE, STAYS):
        for value in canaries(person).values():
            assert value.encode() not in held


def test_the_persons_place_and_the_books_place_together_open_nothing(
    vault: Vault, places: Places
) -> None:
    back_up(vault, places)
    held = contents(places.books) + contents(places.persons)
    for generation in vault.keys.wrapping.generations():
        assert vault.keys.wrapping.path(generation).read_bytes() not in held
    assert not list(places.books.rglob("*.key")) + list(places.persons.rglob("*.key"))


def test_an_erased_person_is_gone_from_every_old_backup_after_two_re_wrappings(
    vault: Vault, places: Places, tmp_path: Path
) -> None:
    """Plant, back up, erase, re-wrap twice; then restore every old backup and attack it.

    Method: every books archive is restored with every persons archive. Persons archives from
    before the second re-wrapping are refused, for their wrapping key is destroyed; from the others
    everybody opens but the erased person, whose sealed fields are then tried with every key there
    is anywhere, and whose old wrapped keys are tried with every wrapping key there is.
    """
    backups = [back_up(vault, places)]
    vault.books.run(vault.erasure.erase(GONE))
    vault.keep(LATER, canaries(LATER))  # type: ignore[arg-type]
    backups.append(back_up(vault, places))
    for _ in range(2):
        vault.clock.advance(WEEK_NS)
        vault.keys.rewrap(vault.clock.now())
        backups.append(back_up(vault, places))
    outcomes = {}
    for books in backups:
        for persons in backups:
            folder = tmp_path / f"{books}-{persons}"
            outcome = restore(places, folder, books=books, persons=persons)
            outcomes[backups.index(books), backups.index(persons)] = outcome
            if isinstance(outcome, Restored):
                assert outcome.erasures == 1
                everybody_but_the_erased_opens(folder, has_later=books != backups[0])
    for (_, persons_index), outcome in outcomes.items():
        if persons_index < 2:
            assert told(outcome) is BackupReason.KEY_DESTROYED
        else:
            assert isinstance(outcome, Restored)
    assert attack(tmp_path, GONE) == 0
    assert attack(tmp_path, STAYS) > 0
    for value in canaries(GONE).values():
        assert value.encode() not in contents(tmp_path)


def everybody_but_the_erased_opens(folder: Path, *, has_later: bool) -> None:
    with open_vault(folder, seed=3) as restored:
        assert isinstance(restored.read_own(GONE), DoorRefused)
        assert restored.own_fields(STAYS) == canaries(STAYS)
        assert restored.own_fields(LATER) == (canaries(LATER) if has_later else {})
        assert restored.books.run(restored.erasure.complete()) == 1
        assert restored.rows.fields(GONE) == {}
        assert restored.other.erased == {GONE}


def attack(everything: Path, person: AmanaId) -> int:
    """Count the sealed fields of a person that open with any key found in any file."""
    wrapping = [
        WrappingKeys(path.parent).read(int(path.stem)) for path in everything.rglob("*.key")
    ]
    keysets = set()
    for path in everything.rglob("persons.db"):
        keysets |= rows(path, "SELECT person, field_keyset FROM persons")
    fields = []
    for owner, wrapped in keysets:
        for key in wrapping:
            try:
                handle = proto_keyset_format.parse_encrypted(
                    wrapped, key, b"amana person field keyset" + owner
                )
            except tink.TinkError:
                continue
            fields.append(primitive_of(handle))
    assert fields, "the attack has keys to try"
    sealed = set()
    for path in everything.rglob("books.db"):
        sealed |= rows(path, "SELECT person, sealed FROM trust_fields")
    tried = [value for owner, value in sealed if owner == person.to_bytes(16)]
    assert tried, "old books hold the person's sealed fields"
    return sum(opens(key, value, person) for key in fields for value in tried)


def opens(key: object, value: bytes, person: AmanaId) -> bool:
    for column in COLUMNS:
        try:
            key.decrypt(value[1:], associated_data(person, column))  # type: ignore[attr-defined]
        except tink.TinkError:
            continue
        return True
    return False


def rows(path: Path, statement: str) -> set[tuple[bytes, bytes]]:
    connection = sqlite3.connect(path)
    try:
        return set(connection.execute(statement).fetchall())
    finally:
        connection.close()


def test_an_old_persons_archive_does_not_bring_the_erased_back_even_before_re_wrapping(
    vault: Vault, places: Places, tmp_path: Path
) -> None:
    before = back_up(vault, places)
    vault.books.run(vault.erasure.erase(GONE))
    back_up(vault, places)
    restored = restore(places, tmp_path / "new", books=before, persons=before)
    assert isinstance(restored, Restored)
    with open_vault(tmp_path / "new", seed=3) as new:
        assert isinstance(new.read_own(GONE), DoorRefused)
        assert new.keys.keys(GONE) is None
        assert new.own_fields(STAYS) == canaries(STAYS)


def test_only_the_newest_signatory_archive_is_kept(vault: Vault, places: Places) -> None:
    first, second = back_up(vault, places), back_up(vault, places)
    assert [path.name for path in places.signatory.iterdir()] == [second]
    assert sorted(path.name for path in places.books.iterdir()) == [first, second]


def test_a_backup_is_made_beside_a_running_operator(vault: Vault, places: Places) -> None:
    vault.books.connection.execute("BEGIN IMMEDIATE")
    vault.books.connection.execute("DELETE FROM trust_fields")
    name = back_up(vault, places)
    vault.books.connection.execute("ROLLBACK")
    assert len(rows(places.books / name / "books.db", "SELECT person, name FROM trust_fields")) == 4


def test_an_interrupted_backup_is_neither_restored_nor_in_the_way(
    vault: Vault, places: Places, tmp_path: Path
) -> None:
    name = back_up(vault, places)
    draft = places.books / "29990101T000000000Z.draft"
    shutil.copytree(places.books / name, draft)
    assert restore(places, tmp_path / "new") == Restored(name, name, name, 0)
    made = make_backup(vault.folder, places, now=vault.clock.now())
    assert isinstance(made, BackupMade)
    (places.books / made.name).rename(places.books / f"{made.name}.draft")
    again = make_backup(
        vault.folder, Places(places.books, tmp_path / "p", tmp_path / "s"), now=vault.clock.now()
    )
    assert isinstance(again, BackupMade)
    assert again.name == made.name


def test_a_restore_overwrites_nothing(vault: Vault, places: Places) -> None:
    back_up(vault, places)
    before = contents(vault.folder)
    assert told(restore(places, vault.folder)) is BackupReason.FOLDER_NOT_EMPTY
    assert contents(vault.folder) == before


def test_a_restore_fills_an_empty_folder(vault: Vault, places: Places, tmp_path: Path) -> None:
    back_up(vault, places)
    (tmp_path / "new").mkdir()
    (tmp_path / "new.restoring").mkdir()
    (tmp_path / "new.restoring" / "left over").write_text("by a crash")
    assert isinstance(restore(places, tmp_path / "new"), Restored)
    assert not (tmp_path / "new" / "left over").exists()


def test_a_missing_archive_is_told_by_its_place(
    vault: Vault, places: Places, tmp_path: Path
) -> None:
    assert told(restore(places, tmp_path / "new")) is BackupReason.ARCHIVE_MISSING
    back_up(vault, places)
    named = restore(places, tmp_path / "new", books="20000101T000000000Z")
    assert told(named) is BackupReason.ARCHIVE_MISSING


def alter_books(archive: Path) -> None:
    path = archive / "books.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def add_a_file(archive: Path) -> None:
    (archive / "extra").write_text("not ours")


def lose_a_file(archive: Path) -> None:
    (archive / "books.db").unlink()


def garble_the_manifest(archive: Path) -> None:
    (archive / "manifest.json").write_text("[1, 2")


def shorten_the_manifest(archive: Path) -> None:
    (archive / "manifest.json").write_text('{"format": "amana-backup-1", "kind": "books"}')


def change_the_format(archive: Path) -> None:
    path = archive / "manifest.json"
    path.write_text(path.read_text().replace("amana-backup-1", "amana-backup-9"))


def list_instead_of_files(archive: Path) -> None:
    path = archive / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "files": ["books.db"]}))


def books_that_are_no_database(archive: Path) -> None:
    content = b"no database" * 1_000
    (archive / "books.db").write_bytes(content)
    path = archive / "manifest.json"
    files = {"books.db": sha256(content).hexdigest()}
    path.write_text(json.dumps({**json.loads(path.read_text()), "files": files}))


@pytest.mark.parametrize(
    "damage",
    [
        alter_books,
        add_a_file,
        lose_a_file,
        garble_the_manifest,
        shorten_the_manifest,
        change_the_format,
        list_instead_of_files,
        books_that_are_no_database,
    ],
)
def test_a_damaged_archive_is_refused_and_nothing_written(
    vault: Vault, places: Places, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    damage(places.books / back_up(vault, places))
    assert told(restore(places, tmp_path / "new")) is BackupReason.ARCHIVE_DAMAGED
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "new.restoring").exists()


def test_archives_of_two_folders_do_not_mix(
    vault: Vault, places: Places, tmp_path: Path, clock: HandClock
) -> None:
    back_up(vault, places)
    others = Places.within(tmp_path / "others")
    with open_vault(tmp_path / "other", clock=clock, seed=9) as other:
        back_up(other, others)
    mixed = Places(places.books, others.persons, places.signatory)
    assert told(restore(mixed, tmp_path / "new")) is BackupReason.ARCHIVES_DIFFER


def test_archives_in_each_others_places_are_refused(
    vault: Vault, places: Places, tmp_path: Path
) -> None:
    back_up(vault, places)
    swapped = Places(places.persons, places.books, places.signatory)
    assert told(restore(swapped, tmp_path / "new")) is BackupReason.ARCHIVES_DIFFER


def test_a_folder_without_books_is_not_backed_up(places: Places, tmp_path: Path) -> None:
    outcome = make_backup(tmp_path, places, now=HandClock().now())
    assert told(outcome) is BackupReason.NOT_A_DATA_FOLDER


def test_a_backup_into_the_data_folder_itself_is_refused(vault: Vault) -> None:
    outcome = make_backup(
        vault.folder, Places.within(vault.folder / "backups"), now=vault.clock.now()
    )
    assert told(outcome) is BackupReason.PLACE_INSIDE_FOLDER


def test_a_folder_that_lost_a_secret_does_not_replace_the_archive_that_holds_it(
    vault: Vault, places: Places
) -> None:
    back_up(vault, places)
    kept = contents(places.signatory)
    (vault.folder / "signatory" / f"{HANDLE_PEPPER}.secret").unlink()
    outcome = make_backup(vault.folder, places, now=vault.clock.now())
    assert told(outcome) is BackupReason.SIGNATORY_INCOMPLETE
    assert contents(places.signatory) == kept


def test_a_secret_that_only_the_newest_archive_holds_is_not_lost_with_it(
    vault: Vault, places: Places
) -> None:
    """Secrets that came later are in no list of what every folder has; the archive is the list."""
    later = vault.folder / "signatory" / "mint-seed.secret"
    later.write_bytes(bytes(32))
    back_up(vault, places)
    later.unlink()
    outcome = make_backup(vault.folder, places, now=vault.clock.now())
    assert told(outcome) is BackupReason.SIGNATORY_INCOMPLETE
    assert any(path.name == later.name for path in places.signatory.rglob("*.secret"))


def test_a_secret_that_is_made_anew_does_not_hinder_a_backup(vault: Vault, places: Places) -> None:
    renewable = vault.folder / "signatory" / f"{OPENID_SIGNING}.secret"
    renewable.write_bytes(bytes(32))
    back_up(vault, places)
    renewable.unlink()
    back_up(vault, places)


def test_books_without_a_key_store_are_not_backed_up_as_if_whole(
    places: Places, tmp_path: Path
) -> None:
    (tmp_path / "data" / "signatory").mkdir(parents=True)
    (tmp_path / "data" / "books.db").touch()
    for name in (HANDLE_PEPPER, WEBHOOK_SIGNING):
        (tmp_path / "data" / "signatory" / f"{name}.secret").write_bytes(bytes(32))
    with pytest.raises(KeysDamaged):
        make_backup(tmp_path / "data", places, now=HandClock().now())


def test_a_copy_of_the_books_tells_no_order_and_nothing_that_was_deleted(
    vault: Vault, tmp_path: Path
) -> None:
    """Goal: of two folders with the same rows nobody tells from the copies how the rows came.

    Method: one has its rows one after another by their keys; the other in another order, with some
    among them that were deleted again, by a connection that leaves their bytes lying.
    """
    keys = [sha256(bytes((number >> 8, number & 255))).digest() for number in range(3_000)]
    gone = [b"GONE" + sha256(key).digest() for key in keys[:1_000]]
    straight, tangled = tmp_path / "straight", tmp_path / "tangled"
    for folder in (straight, tangled):
        shutil.copytree(vault.folder, folder)
    put_rows(straight, sorted(keys), [])
    mixed = [key for pair in zip(keys[:1_500], keys[:1_499:-1], strict=True) for key in pair]
    put_rows(tangled, mixed, gone)
    left = contents_of_books(tangled)
    assert any(each in left for each in gone), "before, the file tells what was deleted"
    assert left != contents_of_books(straight)
    copies = [
        copied_books(folder, tmp_path / "copies" / folder.name) for folder in (straight, tangled)
    ]
    assert not any(each[4:] in copies[1] for each in gone)
    assert copies[0][HEADER_BYTES:] == copies[1][HEADER_BYTES:]


HEADER_BYTES = 100
"""SQLite's header, which counts changes of the schema and versions."""


def put_rows(folder: Path, keys: list[bytes], gone: list[bytes]) -> None:
    """Put rows into the books, and others that go again."""
    connection = sqlite3.connect(folder / BOOKS_FILE, isolation_level=None)
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("CREATE TABLE kept (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID")
    connection.execute("BEGIN")
    for place, key in enumerate(keys):
        more = gone[place : place + 1]
        connection.executemany(
            "INSERT INTO kept (key) VALUES (?)", [(each,) for each in [key, *more]]
        )
    connection.executemany("DELETE FROM kept WHERE key = ?", [(each,) for each in gone])
    connection.execute("COMMIT")
    connection.close()


def contents_of_books(folder: Path) -> bytes:
    connection = sqlite3.connect(folder / BOOKS_FILE)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return (folder / BOOKS_FILE).read_bytes()


def copied_books(folder: Path, to: Path) -> bytes:
    places = Places.within(to)
    made = make_backup(folder, places, now=HandClock().now())
    assert isinstance(made, BackupMade), made
    return (places.books / made.name / BOOKS_FILE).read_bytes()
