"""A past for a mint: spent proofs by the million, as random keys leave them on disk.

Keys come in several sorted passes over the whole range: quick to insert, and the pages end up split
and partly filled, as under the random keys of real proofs.
"""

import os
import random
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from amana.storage import BOOKS_FILE, open_writer_connection

_PASSES = 8
_WHOLE = 2**64
_KEYSET = 0
_AMOUNT = 4
_SEED = 5


def fill_spent(folder: Path, spent: int) -> None:
    """Put spent proofs into a data folder that nobody else has open."""
    connection = open_writer_connection(folder / BOOKS_FILE)
    connection.execute("PRAGMA synchronous = OFF")
    chance = random.Random(_SEED)
    for number in range(_PASSES):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO purse_spent (nullifier, keyset, amount) VALUES (?, ?, ?)",
            ((key, _KEYSET, _AMOUNT) for key in _keys(spent // _PASSES, chance)),
        )
        connection.execute("COMMIT")
        done = spent // _PASSES * (number + 1)
        print(f"\rfilling the purse: {done:,} spent proofs", end="", file=sys.stderr)
    print(file=sys.stderr)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _keys(count: int, chance: random.Random) -> Iterator[bytes]:
    """Make ascending keys, one in each of so many equal stretches of the range."""
    step = _WHOLE // count
    for place in range(count):
        yield (place * step + chance.randrange(step)).to_bytes(8) + os.urandom(24)


def used_bytes(folder: Path) -> int:
    """Return what the books take on disk, without their log and without free pages."""
    connection = sqlite3.connect(folder / BOOKS_FILE)
    try:
        pages, free, size = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size
    finally:
        connection.close()
