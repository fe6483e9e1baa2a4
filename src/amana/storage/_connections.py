"""Connections to the one file of books, and the lock on its folder."""

import fcntl
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

BOOKS_FILE: Final = "books.db"
SETTINGS_FILE: Final = "amana.toml"
"""The two files that make a folder an operator's, beside its keys."""

_BUSY_MS: Final = 2_000
_CACHE_KIB: Final = 65_536
_LOG_PAGES_MAX: Final = 16_384
"""Pages of the log after which a commit carries it into the file by itself, and whoever writes
waits: only where `carry_log` does not keep up."""

CARRY: Final = "PRAGMA wal_checkpoint(PASSIVE)"
"""Carries what nobody reads any more from the log into the file; waits for nobody."""


class FolderLocked(Exception):  # noqa: N818 - a state of the folder, told to the person at the keyboard
    """Another process is working in the data folder."""


class lock_folder:  # noqa: N801 - used as a function: `with lock_folder(path):`
    """Hold a data folder for this process; the lock falls with the process.

    Raises:
        FolderLocked: Another process holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "lock"
        self._descriptor = -1

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise FolderLocked(
                f"Another Amana process is working in {self._path.parent}. Nothing was changed. "
                "Stop that process, or name another folder."
            ) from None

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def open_writer_connection(path: Path) -> sqlite3.Connection:
    """Open the one connection that writes: WAL, synchronous FULL, explicit units of work."""
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES_MAX}")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that sees what is committed, and cannot write."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection


def path_of(connection: sqlite3.Connection) -> Path:
    """Return the file that a connection works on."""
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])


def carry_log(path: Path) -> None:
    """Carry the log into the file over a connection of its own, beside whoever writes.

    What cannot be carried stays in the log, and is carried by whoever asks next. The second time
    takes what came during the first, so that little is left.
    """
    with suppress(sqlite3.Error):
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None)
        with closing(connection):
            # A connection that has read nothing knows of no log.
            connection.execute("PRAGMA schema_version").fetchone()
            for _ in range(2):
                connection.execute(CARRY).fetchone()
