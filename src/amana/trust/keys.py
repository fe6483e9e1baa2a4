"""Each person's keys, in a file apart from the books, under a wrapping key that lives two weeks.

Layout under `keys/`:

- `persons.db`: one row a person: a Tink keyset (AES-256-GCM) that seals their fields, and a log key
  (32 bytes) under which their entries of the transparency log are told. Both are wrapped.
- `wrapping/000007.key`: the wrapping key of generation 7, a Tink keyset in the clear, mode 0600.

A wrapping key wraps keysets and is itself wrapped under nothing. Once a week a new generation
begins, all survivors are wrapped anew, and the generation before the last is destroyed. So whoever
holds an old copy of `persons.db` holds ciphertext without a key.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tink
from tink import aead, proto_keyset_format

from amana.kernel import AmanaId, Chance, Instant, day_number
from amana.trust._files import make_folder
from amana.trust._wrapping import (
    WRAPPING_FOLDER,
    KeysDamaged,
    WrappingKeys,
    new_keyset,
    primitive_of,
)
from amana.trust.rules import generations_to_keep, is_rewrap_due

KEYS_FOLDER: Final = "keys"
PERSONS_FILE: Final = "persons.db"

LOG_KEY_BYTES: Final = 32
REWRAP_BATCH_ROWS: Final = 200
"""Persons re-wrapped in one unit of work: about 10 ms, in which the loop serves nobody else."""

_APPLICATION_ID: Final = 0x616D6B31
"""`amk1` in ASCII: marks the file as ours, first form."""

_SCHEMA: Final = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS persons (
    person BLOB NOT NULL PRIMARY KEY CHECK (length(person) = 16),
    generation INTEGER NOT NULL CHECK (generation > 0),
    field_keyset BLOB NOT NULL,
    log_key BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS persons_by_generation ON persons (generation);
CREATE TABLE IF NOT EXISTS generations (
    generation INTEGER NOT NULL PRIMARY KEY CHECK (generation > 0),
    began_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS erasures (
    person BLOB NOT NULL PRIMARY KEY CHECK (length(person) = 16),
    day INTEGER NOT NULL,
    is_complete INTEGER NOT NULL CHECK (is_complete IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folder (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16)
) STRICT;
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """A person's keys, unwrapped. Held for one use and dropped."""

    fields: aead.Aead
    log_key: bytes


@dataclass(frozen=True, slots=True)
class RewrapStep:
    """Something a re-wrapping has made durable."""

    name: str
    generation: int
    persons_left: int


class KeyStore:
    """Persons' keys: made, opened, destroyed, re-wrapped. Every change is durable on return."""

    def __init__(self, data_folder: Path, *, batch_rows: int = REWRAP_BATCH_ROWS) -> None:
        """Open the key store of a data folder; re-wrap so many persons in one unit of work.

        Raises:
            KeysDamaged: It is not there, or not one of ours.
        """
        aead.register()
        folder = data_folder / KEYS_FOLDER
        self.wrapping = WrappingKeys(folder / WRAPPING_FOLDER)
        self.path = folder / PERSONS_FILE
        if not self.path.is_file():
            raise KeysDamaged(
                f"There is no key store at {self.path}. Restore it from the persons archive of the "
                "newest backup, or make a new data folder with amana init."
            )
        self._connection = _connect_to_ours(self.path)
        self._batch_rows = batch_rows
        self._opened: dict[int, aead.Aead] = {}
        self._tidy()

    @classmethod
    def make(cls, data_folder: Path, *, now: Instant, chance: Chance) -> "KeyStore":
        """Make the key store of a new data folder; open it where there is one."""
        folder = data_folder / KEYS_FOLDER
        make_folder(folder)
        connection = _connect(folder / PERSONS_FILE)
        try:
            _prepare(connection)
            connection.executescript(_SCHEMA)
            if connection.execute("SELECT max(generation) FROM generations").fetchone()[0] is None:
                aead.register()
                WrappingKeys(folder / WRAPPING_FOLDER).make(1)
                with _unit_of_work(connection):
                    connection.execute("INSERT INTO folder VALUES (?)", (chance.draw(16),))
                    connection.execute("INSERT INTO generations VALUES (1, ?)", (now,))
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        finally:
            connection.close()
        return cls(data_folder)

    def close(self) -> None:
        """Close the file and drop the wrapping keys from memory."""
        self._opened.clear()
        self._connection.close()

    @property
    def folder_id(self) -> bytes:
        """Sixteen random bytes that tell this data folder's archives from another's."""
        row = self._connection.execute("SELECT id FROM folder").fetchone()
        folder_id: bytes = row[0]
        return folder_id

    @property
    def generation(self) -> int:
        """The present generation of the wrapping key."""
        return self._present()[0]

    def is_rewrap_due(self, now: Instant) -> bool:
        """Say whether the present wrapping key has served its week, or a re-wrapping broke off."""
        generation, began_at = self._present()
        return is_rewrap_due(began_at, now) or self._rows_left(generation) > 0

    def make_keys(self, person: AmanaId, chance: Chance) -> PersonKeys | None:
        """Return a person's keys, making them at first; None for a person who was erased."""
        held = self.keys(person)
        if held is not None or self.is_erased(person):
            return held
        generation = self.generation
        wrapping = self._wrapping_key(generation)
        handle = new_keyset()
        log_key = chance.draw(LOG_KEY_BYTES)
        row = (
            person.to_bytes(16),
            generation,
            proto_keyset_format.serialize_encrypted(handle, wrapping, _field_label(person)),
            wrapping.encrypt(log_key, _log_label(person)),
        )
        with _unit_of_work(self._connection):
            self._connection.execute("INSERT INTO persons VALUES (?, ?, ?, ?)", row)
        return PersonKeys(primitive_of(handle), log_key)

    def keys(self, person: AmanaId) -> PersonKeys | None:
        """Unwrap a person's keys; None where there are none (any more).

        Raises:
            KeysDamaged: They are there and cannot be opened.
        """
        row = self._connection.execute(
            "SELECT generation, field_keyset, log_key FROM persons WHERE person = ?",
            (person.to_bytes(16),),
        ).fetchone()
        if row is None:
            return None
        generation, field_keyset, log_key = row
        handle, log_key = self._unwrap(person, generation, field_keyset, log_key)
        return PersonKeys(primitive_of(handle), log_key)

    def is_erased(self, person: AmanaId) -> bool:
        """Say whether a person's keys were destroyed."""
        found = self._connection.execute(
            "SELECT 1 FROM erasures WHERE person = ?", (person.to_bytes(16),)
        )
        return found.fetchone() is not None

    def destroy(self, persons: Iterable[AmanaId], now: Instant) -> None:
        """Destroy persons' keys for good, and remember that they are to be erased."""
        rows = [person.to_bytes(16) for person in persons]
        with _unit_of_work(self._connection):
            self._connection.executemany(
                "DELETE FROM persons WHERE person = ?", [(row,) for row in rows]
            )
            self._connection.executemany(
                "INSERT INTO erasures VALUES (?, ?, 0) ON CONFLICT (person) DO NOTHING",
                [(row, day_number(now)) for row in rows],
            )

    def complete(self, person: AmanaId) -> None:
        """Remember that an erased person's rows are gone from the books too."""
        with _unit_of_work(self._connection):
            self._connection.execute(
                "UPDATE erasures SET is_complete = 1 WHERE person = ?", (person.to_bytes(16),)
            )

    def erasures(self, *, only_incomplete: bool = False) -> tuple[AmanaId, ...]:
        """Return everybody whose keys were destroyed."""
        rows = self._connection.execute(
            "SELECT person FROM erasures WHERE is_complete <= ? ORDER BY person",
            (0 if only_incomplete else 1,),
        )
        return tuple(AmanaId(int.from_bytes(row[0])) for row in rows)

    def reopen_erasures(self) -> None:
        """Ask for every erasure's completion again: the books were replaced by older ones."""
        with _unit_of_work(self._connection):
            self._connection.execute("UPDATE erasures SET is_complete = 0")

    def rewrap(self, now: Instant) -> int:
        """Replace the wrapping key; return the new generation."""
        for _ in self.rewrap_steps(now):
            pass
        return self.generation

    def rewrap_steps(self, now: Instant) -> Iterator[RewrapStep]:
        """Replace the wrapping key step by step; broken off anywhere, the next call goes on.

        A key is used only after its generation is written down, and destroyed only after nothing
        lies under it, so a crash at any step leaves every survivor's keys openable.
        """
        present = self.generation
        if not self._rows_left(present):
            present += 1
            self.wrapping.make(present)
            yield self._step("key-made", present)
            with _unit_of_work(self._connection):
                self._connection.execute("INSERT INTO generations VALUES (?, ?)", (present, now))
            yield self._step("generation-begun", present)
        while self._rewrap_batch(present):
            yield self._step("batch-wrapped", present)
        self._tidy()
        yield self._step("old-key-destroyed", present)

    def _rewrap_batch(self, present: int) -> int:
        rows = self._connection.execute(
            "SELECT person, generation, field_keyset, log_key FROM persons "
            "WHERE generation < ? LIMIT ?",
            (present, self._batch_rows),
        ).fetchall()
        wrapping = self._wrapping_key(present)
        renewed = []
        for stored, generation, field_keyset, log_key in rows:
            person = AmanaId(int.from_bytes(stored))
            handle, key = self._unwrap(person, generation, field_keyset, log_key)
            wrapped = proto_keyset_format.serialize_encrypted(
                handle, wrapping, _field_label(person)
            )
            renewed.append((present, wrapped, wrapping.encrypt(key, _log_label(person)), stored))
        with _unit_of_work(self._connection):
            self._connection.executemany(
                "UPDATE persons SET generation = ?, field_keyset = ?, log_key = ? WHERE person = ?",
                renewed,
            )
        return len(renewed)

    def _unwrap(
        self, person: AmanaId, generation: int, field_keyset: bytes, log_key: bytes
    ) -> tuple[tink.KeysetHandle, bytes]:
        wrapping = self._wrapping_key(generation)
        try:
            handle = proto_keyset_format.parse_encrypted(
                field_keyset, wrapping, _field_label(person)
            )
            return handle, wrapping.decrypt(log_key, _log_label(person))
        except tink.TinkError as failure:
            raise KeysDamaged(
                f"A person's keys in {self.path} do not open under generation {generation}. "
                "Restore the persons and signatory archives of the newest backup."
            ) from failure

    def _wrapping_key(self, generation: int) -> aead.Aead:
        key = self._opened.get(generation)
        if key is None:
            key = self._opened[generation] = self.wrapping.read(generation)
        return key

    def _present(self) -> tuple[int, Instant]:
        row = self._connection.execute(
            "SELECT generation, began_at FROM generations ORDER BY generation DESC LIMIT 1"
        ).fetchone()
        return row[0], Instant(row[1])

    def _rows_left(self, present: int) -> int:
        """Count the persons who still lie under an older generation."""
        row = self._connection.execute(
            "SELECT count(*) FROM persons WHERE generation < ?", (present,)
        ).fetchone()
        left: int = row[0]
        return left

    def _tidy(self) -> None:
        """Destroy wrapping keys whose time is over, and one that a crash left unused."""
        present = self.generation
        if self._rows_left(present):
            kept = frozenset(range(1, present + 1))
        else:
            kept = generations_to_keep(present)
        self.wrapping.destroy_others(kept)
        for generation in set(self._opened) - kept:
            del self._opened[generation]
        with _unit_of_work(self._connection):
            self._connection.execute("DELETE FROM generations WHERE generation < ?", (min(kept),))

    def _step(self, name: str, generation: int) -> RewrapStep:
        return RewrapStep(name, generation, self._rows_left(generation))


class _unit_of_work:  # noqa: N801 - used as a function: `with _unit_of_work(connection):`
    """One durable change of the key store, or none."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    path.chmod(0o600)
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """See to it that deleted rows are overwritten and commits survive the loss of power."""
    connection.execute("PRAGMA busy_timeout = 2000")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA synchronous = EXTRA")


def _connect_to_ours(path: Path) -> sqlite3.Connection:
    """Open a key store; one that a crash left in the middle of a commit is mended by opening it."""
    connection = _connect(path)
    try:
        _prepare(connection)
        marked = connection.execute("PRAGMA application_id").fetchone()[0]
    except sqlite3.OperationalError:
        # The disk or another process is in the way, which says nothing about the file.
        connection.close()
        raise
    except sqlite3.DatabaseError:
        marked = 0
    if marked != _APPLICATION_ID:
        connection.close()
        raise KeysDamaged(f"The file {path} is not a key store of Amana.")
    return connection


def _field_label(person: AmanaId) -> bytes:
    return b"amana person field keyset" + person.to_bytes(16)


def _log_label(person: AmanaId) -> bytes:
    return b"amana person log key" + person.to_bytes(16)
