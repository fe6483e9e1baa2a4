"""Backups: three archives for three places, and their restoration.

- *books*: the file of books, with sealed fields in it. May be kept as long as the books.
- *persons*: each person's wrapped keys. May be kept too, and is worthless once the wrapping key
  it lies under is destroyed.
- *signatory*: the operator's secrets and the two living wrapping keys. Only the newest is kept:
  making one destroys those before it, because a wrapping key in an old archive would open what was
  erased. Its place must allow nothing else: no versions, no snapshots.

Whoever holds one place alone reads nobody's data. The reasons are in docs/adr/0005-vault-keys.md.
"""

import json
import os
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

from amana.kernel import AmanaId, Instant, format_instant
from amana.storage import BOOKS_FILE, SETTINGS_FILE
from amana.trust._files import destroy_file, flush_folder, make_folder
from amana.trust._wrapping import WRAPPING_FOLDER
from amana.trust.keys import KEYS_FOLDER, PERSONS_FILE, KeyStore
from amana.trust.model import BackupReason, BackupRefused
from amana.trust.signatory import (
    RENEWABLE,
    SECRETS,
    SIGNATORY_FOLDER,
    SecretMissing,
    Signatory,
)

FORMAT: Final = "amana-backup-1"
MANIFEST_FILE: Final = "manifest.json"
ERASURES_FILE: Final = "erasures.json"
_DRAFT_SUFFIX: Final = ".draft"


@dataclass(frozen=True, slots=True)
class Places:
    """The three folders that archives go to; best on three media that three people keep."""

    books: Path
    persons: Path
    signatory: Path

    @classmethod
    def within(cls, folder: Path) -> "Places":
        """Name three folders in one, to be carried to their places afterwards."""
        return cls(folder / "books", folder / "persons", folder / "signatory")


@dataclass(frozen=True, slots=True)
class BackupMade:
    """Three archives of this name lie in their places."""

    name: str
    places: Places
    books_bytes: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A data folder was made from these archives.

    `erasures` persons were erased after the books archive was made; they are erased in the restored
    folder again, the rows with the first start.
    """

    books: str
    persons: str
    signatory: str
    erasures: int


def make_backup(data_folder: Path, places: Places, *, now: Instant) -> BackupMade | BackupRefused:
    """Write three archives, beside a running operator if need be.

    Raises:
        OSError: A place could not be written. Drafts are left out of later backups and restores.
        KeysDamaged: The key store cannot be opened.
    """
    refusal = _decide_backup(data_folder, places)
    if refusal is not None:
        return refusal
    name = format_instant(now).replace("-", "").replace(":", "").replace(".", "")
    keys = KeyStore(data_folder)
    try:
        folder_id = keys.folder_id.hex()
        books = _archive_books(data_folder, places.books / name, folder_id)
        generations = _archive_persons(keys, places.persons / name, folder_id)
        held = _archive_signatory(data_folder, keys, places.signatory / name, folder_id)
        assert set(generations) <= set(held), "the signatory archive opens the persons archive"
    finally:
        keys.close()
    for outdated in _archives(places.signatory)[:-1]:
        _destroy_archive(outdated)
    return BackupMade(name, places, books)


def restore_backup(
    places: Places, data_folder: Path, *, now: Instant, books: str = "", persons: str = ""
) -> Restored | BackupRefused:
    """Make a data folder from archives: the newest, or those named.

    An older books archive goes with the newest persons archive: who was erased since stays erased.

    Raises:
        OSError: The folder could not be written; what was begun lies beside it and is not used.
    """
    if data_folder.exists() and any(data_folder.iterdir()):
        return BackupRefused(
            BackupReason.FOLDER_NOT_EMPTY,
            f"{data_folder} is not empty, and a restore overwrites nothing. Name a new folder.",
        )
    chosen = (
        _choose(places.books, books),
        _choose(places.persons, persons),
        _choose(places.signatory, ""),
    )
    for archive in chosen:
        refusal = archive if isinstance(archive, BackupRefused) else _check(archive)
        if refusal is not None:
            return refusal
    archives = tuple(archive for archive in chosen if isinstance(archive, _Archive))
    refusal = _decide_restore(*archives)
    if refusal is not None:
        return refusal
    return _restore(archives, data_folder, now)


@dataclass(frozen=True, slots=True)
class _Archive:
    """An archive's folder and what its manifest says."""

    path: Path
    kind: str
    folder_id: str
    files: Mapping[str, str]
    generations: Sequence[int]


def _decide_backup(data_folder: Path, places: Places) -> BackupRefused | None:
    if not (data_folder / BOOKS_FILE).is_file():
        return BackupRefused(
            BackupReason.NOT_A_DATA_FOLDER,
            f"{data_folder} holds no books, so there is nothing to back up. Name a data folder.",
        )
    inside = data_folder.resolve()
    for place in (places.books, places.persons, places.signatory):
        if place.resolve().is_relative_to(inside):
            return BackupRefused(
                BackupReason.PLACE_INSIDE_FOLDER,
                f"{place} lies inside the data folder and would be lost with it. Name another.",
            )
    return _decide_secrets(data_folder, places)


def _decide_secrets(data_folder: Path, places: Places) -> BackupRefused | None:
    """Refuse a folder that lost a secret: its archive would replace the last one that holds it.

    Lost is what every folder has, and what this folder had when it was backed up last.
    """
    newest = _archives(places.signatory)[-1:]
    archived = {path.stem for archive in newest for path in archive.glob("*.secret")}
    try:
        for name in sorted(archived.difference(RENEWABLE).union(SECRETS)):
            Signatory(data_folder).secret(name)
    except SecretMissing as missing:
        return BackupRefused(BackupReason.SIGNATORY_INCOMPLETE, str(missing))
    listed = data_folder / SIGNATORY_FOLDER / _LIST
    if not listed.is_file() and any((archive / _LIST).is_file() for archive in newest):
        return BackupRefused(
            BackupReason.SIGNATORY_INCOMPLETE,
            f"The list {listed} is missing, and the last archive holds one: it would be destroyed. "
            "Restore it from there first, or make it again with `amana purse rebuild`.",
        )
    return None


def _archive_books(data_folder: Path, archive: Path, folder_id: str) -> int:
    draft = _begin(archive)
    size = _copy_database(data_folder / BOOKS_FILE, draft / BOOKS_FILE)
    if (data_folder / SETTINGS_FILE).is_file():
        shutil.copy2(data_folder / SETTINGS_FILE, draft / SETTINGS_FILE)
    _finish(archive, draft, kind="books", folder_id=folder_id)
    return size


def _archive_persons(keys: KeyStore, archive: Path, folder_id: str) -> tuple[int, ...]:
    draft = _begin(archive)
    _copy_database(keys.path, draft / PERSONS_FILE)
    copy = sqlite3.connect(draft / PERSONS_FILE)
    try:
        found = copy.execute(
            "SELECT generation FROM persons UNION SELECT max(generation) FROM generations "
            "ORDER BY generation"
        ).fetchall()
    finally:
        copy.close()
    generations = tuple(row[0] for row in found)
    _finish(archive, draft, kind="persons", folder_id=folder_id, generations=generations)
    return generations


_LIST: Final = "keysets.json"
_SIGNATORY_LISTS: Final = (_LIST, "counts.json")
"""What the mint's signatory keeps beside its seed."""


def _signatory_files(folder: Path) -> list[Path]:
    """Return the secrets, and what the mint's signatory keeps beside its own."""
    lists = [folder / name for name in _SIGNATORY_LISTS]
    return sorted(folder.glob("*.secret")) + [path for path in lists if path.is_file()]


def _archive_signatory(
    data_folder: Path, keys: KeyStore, archive: Path, folder_id: str
) -> tuple[int, ...]:
    draft = _begin(archive)
    for kept in _signatory_files(data_folder / SIGNATORY_FOLDER):
        shutil.copy2(kept, draft / kept.name)
    make_folder(draft / WRAPPING_FOLDER)
    generations = tuple(keys.wrapping.generations())
    for generation in generations:
        key = keys.wrapping.path(generation)
        shutil.copy2(key, draft / WRAPPING_FOLDER / key.name)
    erased = [person.to_bytes(16).hex() for person in keys.erasures()]
    (draft / ERASURES_FILE).write_text(json.dumps(erased), "utf-8")
    _finish(archive, draft, kind="signatory", folder_id=folder_id, generations=generations)
    return generations


def _copy_database(source: Path, target: Path) -> int:
    """Copy a database as it stands, compactly, and check the copy; return its bytes."""
    connection = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)
    try:
        connection.execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()
    assert _is_whole(target), "a copy that was just made is whole"
    return target.stat().st_size


def _is_whole(database: Path) -> bool:
    connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def _begin(archive: Path) -> Path:
    draft = archive.with_name(archive.name + _DRAFT_SUFFIX)
    if draft.exists():
        _destroy_archive(draft)
    make_folder(draft)
    return draft


def _finish(
    archive: Path, draft: Path, *, kind: str, folder_id: str, generations: Sequence[int] = ()
) -> None:
    """Write the manifest last, flush everything, and only then give the archive its name."""
    files = {str(path.relative_to(draft)): _flushed_digest(path) for path in _files(draft)}
    manifest = {
        "format": FORMAT,
        "kind": kind,
        "folder_id": folder_id,
        "generations": list(generations),
        "files": files,
    }
    (draft / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2), "utf-8")
    _flushed_digest(draft / MANIFEST_FILE)
    flush_folder(draft)
    draft.rename(archive)
    flush_folder(archive.parent)


def _flushed_digest(path: Path) -> str:
    path.chmod(0o600)
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        return file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _archives(place: Path) -> list[Path]:
    """List the finished archives of a place, oldest first."""
    return sorted(path.parent for path in place.glob(f"*/{MANIFEST_FILE}") if _is_finished(path))


def _is_finished(manifest: Path) -> bool:
    return not manifest.parent.name.endswith(_DRAFT_SUFFIX)


def _destroy_archive(archive: Path) -> None:
    for path in _files(archive):
        destroy_file(path)
    shutil.rmtree(archive)
    flush_folder(archive.parent)


def _choose(place: Path, name: str) -> _Archive | BackupRefused:
    found = [path for path in _archives(place) if name in {"", path.name}]
    if not found:
        wanted = f"named {name} " if name else ""
        return BackupRefused(
            BackupReason.ARCHIVE_MISSING,
            f"There is no archive {wanted}in {place}. Name the place that holds the folders books, "
            "persons and signatory, as amana backup made them.",
        )
    return _read_manifest(found[-1])


def _read_manifest(archive: Path) -> _Archive | BackupRefused:
    try:
        manifest: dict[str, Any] = json.loads((archive / MANIFEST_FILE).read_text("utf-8"))
        if manifest["format"] != FORMAT:
            raise KeyError("format")
        return _Archive(
            path=archive,
            kind=str(manifest["kind"]),
            folder_id=str(manifest["folder_id"]),
            files={str(name): str(digest) for name, digest in manifest["files"].items()},
            generations=[int(generation) for generation in manifest["generations"]],
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return BackupRefused(
            BackupReason.ARCHIVE_DAMAGED, f"{archive / MANIFEST_FILE} is no manifest of a backup."
        )


def _check(archive: _Archive) -> BackupRefused | None:
    """Compare each file of an archive with its manifest."""
    present = {str(path.relative_to(archive.path)) for path in _files(archive.path)}
    if present - {MANIFEST_FILE} != set(archive.files):
        return BackupRefused(
            BackupReason.ARCHIVE_DAMAGED, f"{archive.path} lacks files, or holds others."
        )
    for name, digest in archive.files.items():
        with (archive.path / name).open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != digest:
                return BackupRefused(
                    BackupReason.ARCHIVE_DAMAGED,
                    f"{archive.path / name} is not as it was written. Use another archive.",
                )
    return None


def _decide_restore(
    books: _Archive, persons: _Archive, signatory: _Archive
) -> BackupRefused | None:
    archives = (books, persons, signatory)
    if tuple(archive.kind for archive in archives) != ("books", "persons", "signatory"):
        return BackupRefused(
            BackupReason.ARCHIVES_DIFFER, "The archives are not in the places of their kinds."
        )
    if len({archive.folder_id for archive in archives}) != 1:
        return BackupRefused(
            BackupReason.ARCHIVES_DIFFER, "The archives are of different data folders."
        )
    missing = sorted(set(persons.generations) - set(signatory.generations))
    if missing:
        return BackupRefused(
            BackupReason.KEY_DESTROYED,
            f"The persons archive {persons.path.name} lies under wrapping key {missing[0]}, which "
            "the signatory archive does not hold: it was destroyed when its time was over. Use a "
            "newer persons archive; any books archive goes with it.",
        )
    return None


def _restore(
    archives: Sequence[_Archive], data_folder: Path, now: Instant
) -> Restored | BackupRefused:
    books, persons, signatory = archives
    draft = data_folder.with_name(data_folder.name + ".restoring")
    if draft.exists():
        _destroy_archive(draft)
    make_folder(draft / SIGNATORY_FOLDER)
    make_folder(draft / KEYS_FOLDER / WRAPPING_FOLDER)
    shutil.copy2(books.path / BOOKS_FILE, draft / BOOKS_FILE)
    if (books.path / SETTINGS_FILE).is_file():
        shutil.copy2(books.path / SETTINGS_FILE, draft / SETTINGS_FILE)
    shutil.copy2(persons.path / PERSONS_FILE, draft / KEYS_FOLDER / PERSONS_FILE)
    for path in _signatory_files(signatory.path):
        shutil.copy2(path, draft / SIGNATORY_FOLDER / path.name)
    for path in (signatory.path / WRAPPING_FOLDER).glob("*.key"):
        shutil.copy2(path, draft / KEYS_FOLDER / WRAPPING_FOLDER / path.name)
    if not _is_whole(draft / BOOKS_FILE):
        _destroy_archive(draft)
        return BackupRefused(
            BackupReason.ARCHIVE_DAMAGED, f"The books in {books.path} are not whole."
        )
    erasures = _erase_again(draft, signatory, now)
    for path in _files(draft):
        _flushed_digest(path)
    if data_folder.exists():
        data_folder.rmdir()
    draft.rename(data_folder)
    flush_folder(data_folder.parent)
    return Restored(books.path.name, persons.path.name, signatory.path.name, erasures)


def _erase_again(data_folder: Path, signatory: _Archive, now: Instant) -> int:
    """Destroy the keys of everybody erased until the newest signatory archive was made."""
    erased = json.loads((signatory.path / ERASURES_FILE).read_text("utf-8"))
    keys = KeyStore(data_folder)
    try:
        keys.destroy([AmanaId(int(person, 16)) for person in erased], now)
        keys.reopen_erasures()
        return len(keys.erasures())
    finally:
        keys.close()
