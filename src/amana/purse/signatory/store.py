"""Where a signatory keeps its list of keysets and its counts: in a folder, or in memory.

In the folder lie

- `mint-seed.secret`: the 32 bytes from which every private key is derived;
- `keysets.json`: the public list, to which keysets are only ever added; see
  `amana.purse.keysets.derivation` for how it is rebuilt from the seed and any copy of the list;
- `counts.json`: how many signatures of each denomination may have been given;
- `signatory.lock`: held while one of the two changes, because several processes share them.

Files are written as `amana.trust` writes its secrets, with a few lines of their own, because the
signatory's process loads no room that brings a database along.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

import msgspec

from amana.purse.keysets import SEED_BYTES, KeysetPlan

SEED_FILE: Final = "mint-seed.secret"
LIST_FILE: Final = "keysets.json"
COUNTS_FILE: Final = "counts.json"
LOCK_FILE: Final = "signatory.lock"

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600


class KeysetStatus(StrEnum):
    """What a keyset may do: sign and check; check; nothing but be exchanged by who can show why."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


class Entry(msgspec.Struct, frozen=True):
    """A line of the list: its place is its number."""

    id: str
    plan: KeysetPlan
    status: KeysetStatus


class SignatoryDamaged(Exception):  # noqa: N818 - a state of the folder, told to a person
    """The seed or the list of keysets is missing, or one does not belong to the other."""


class Store(Protocol):
    """Keeps the list and the counts; a change is durable when the call returns."""

    def seed(self) -> bytes:
        """Return the secret of 32 bytes."""

    def entries(self) -> tuple[Entry, ...]:
        """Return the list as it stands."""

    def change_entries(
        self, change: Callable[[tuple[Entry, ...]], tuple[Entry, ...]]
    ) -> tuple[Entry, ...]:
        """Change the list while nobody else does, and return it."""

    def counts(self) -> dict[str, int]:
        """Return the counts as they stand."""

    def change_counts(self, change: Callable[[dict[str, int]], dict[str, int]]) -> None:
        """Change the counts while nobody else does."""


class MemoryStore:
    """A store for tests and simulated worlds: it lasts as long as the object."""

    def __init__(self, seed: bytes) -> None:
        assert len(seed) == SEED_BYTES, "a seed has 32 bytes"
        self._seed = seed
        self._entries: tuple[Entry, ...] = ()
        self._counts: dict[str, int] = {}

    def seed(self) -> bytes:
        """Return the secret of 32 bytes."""
        return self._seed

    def entries(self) -> tuple[Entry, ...]:
        """Return the list as it stands."""
        return self._entries

    def change_entries(
        self, change: Callable[[tuple[Entry, ...]], tuple[Entry, ...]]
    ) -> tuple[Entry, ...]:
        """Change the list, and return it."""
        self._entries = change(self._entries)
        return self._entries

    def counts(self) -> dict[str, int]:
        """Return the counts as they stand."""
        return dict(self._counts)

    def change_counts(self, change: Callable[[dict[str, int]], dict[str, int]]) -> None:
        """Change the counts."""
        self._counts = change(self.counts())


class FolderStore:
    """The store of a real mint; see the module's text for its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_made(self) -> bool:
        """Say whether there is a mint here, whole or damaged."""
        return any((self.folder / name).exists() for name in (SEED_FILE, LIST_FILE, COUNTS_FILE))

    def make(self, seed: bytes) -> None:
        """Begin a mint with an empty list in a folder that holds none."""
        assert len(seed) == SEED_BYTES, "a seed has 32 bytes"
        self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        with self._alone():
            assert not self.is_made(), "a mint is not made twice"
            self._write(LIST_FILE, msgspec.json.encode(()))
            self._write(SEED_FILE, seed)

    def seed(self) -> bytes:
        """Return the secret of 32 bytes.

        Raises:
            SignatoryDamaged: It is not there. It is never made anew in its place, because nothing
                that was signed would be good any more.
        """
        secret = self._read(SEED_FILE)
        if len(secret) != SEED_BYTES:
            raise self._damaged(SEED_FILE)
        return secret

    def entries(self) -> tuple[Entry, ...]:
        """Return the list as it stands."""
        try:
            return msgspec.json.decode(self._read(LIST_FILE), type=tuple[Entry, ...])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._damaged(LIST_FILE) from None

    def change_entries(
        self, change: Callable[[tuple[Entry, ...]], tuple[Entry, ...]]
    ) -> tuple[Entry, ...]:
        """Change the list while nobody else does, and return it."""
        with self._alone():
            entries = change(self.entries())
            self._write(LIST_FILE, msgspec.json.format(msgspec.json.encode(entries)))
        return entries

    def put_entries(self, entries: tuple[Entry, ...]) -> None:
        """Put a list in the place of one that was lost."""
        with self._alone():
            assert not self.is_listed(), "a list that can be read is not replaced"
            self._write(LIST_FILE, msgspec.json.format(msgspec.json.encode(entries)))

    def is_listed(self) -> bool:
        """Say whether the list is there and can be read."""
        try:
            self.entries()
        except SignatoryDamaged:
            return False
        return True

    def counts(self) -> dict[str, int]:
        """Return the counts as they stand."""
        if not (self.folder / COUNTS_FILE).exists():
            return {}
        try:
            return msgspec.json.decode(self._read(COUNTS_FILE), type=dict[str, int])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._damaged(COUNTS_FILE) from None

    def change_counts(self, change: Callable[[dict[str, int]], dict[str, int]]) -> None:
        """Change the counts while nobody else does."""
        with self._alone():
            self._write(COUNTS_FILE, msgspec.json.encode(change(self.counts())))

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise self._damaged(name) from None

    def _damaged(self, name: str) -> SignatoryDamaged:
        path = self.folder / name
        if name == LIST_FILE:
            return SignatoryDamaged(
                f"The list {path} is missing or damaged. If no keyset began or was revoked since "
                "the last backup, restore it from the signatory archive. Else make it again from "
                "public copies: `amana purse rebuild`."
            )
        return SignatoryDamaged(
            f"The file {path} is missing or damaged, and nothing can take its place. "
            "Restore it from the signatory archive of a backup."
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = os.open(self.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, _FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, name: str, content: bytes) -> None:
        """Write a file so that after a crash it is there whole, as it was or as it is now."""
        draft = self.folder / f"{name}.draft"
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
