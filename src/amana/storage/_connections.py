"""Connections to the one file of books, and the lock on its folder."""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Final

BOOKS_FILE: Final = "books.db"
SETTINGS_FILE: Final = "amana.toml"
"""The two files that make a folder an operator's, beside its keys."""

_BUSY_MS: Final = 2_000
_CACHE_KIB: Final = 65_536
_CHECKPOINT_PAGES: Final = 4_096
"""Pages of the log that are carried into the file at once: fewer cost payments a second, more make
the payments behind a checkpoint wait; measured with `bench/payments.py`. No other connection may
carry the log while this one is open: until SQLite 3.51.3 it may lose commits (ADR 16).
"""


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
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open a connection that sees what is committed, and cannot write."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return connection
