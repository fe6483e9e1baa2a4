"""The log beside the books, as anybody sees it who may look into the folder.

What stands in the log is in the order of its coming. When it was last emptied is kept as the time
of an empty file beside it, since the log itself says nothing of that.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from amana.kernel import Instant
from amana.storage._connections import BOOKS_FILE

_LOG_FILE: Final = f"{BOOKS_FILE}-wal"
_MARK_FILE: Final = f"{BOOKS_FILE}-emptied"


class BooksLog(NamedTuple):
    """What is in the log, bytes, and when it was last emptied; None where that was not kept."""

    bytes: int
    emptied_at: Instant | None


def read_log(folder: Path) -> BooksLog:
    """Look at the log of a folder, which may be in use."""
    held, emptied_at = 0, None
    with suppress(FileNotFoundError):
        held = (folder / _LOG_FILE).stat().st_size
    with suppress(FileNotFoundError):
        emptied_at = Instant((folder / _MARK_FILE).stat().st_mtime_ns)
    return BooksLog(held, emptied_at)


def mark_log_emptied(folder: Path, at: Instant) -> None:
    """Write down that the log is empty at this moment."""
    path = folder / _MARK_FILE
    path.touch(mode=0o600)
    os.utime(path, ns=(at, at))
