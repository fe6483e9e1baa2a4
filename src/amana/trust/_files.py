"""Small secret files: written whole or not at all, readable by their owner alone."""

import os
from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, durably."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    flush_folder(folder.parent)


def write_secret(path: Path, secret: bytes) -> None:
    """Write a file so that after a crash it is there whole or not there.

    Replaces a file of the same name.
    """
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    flush_folder(path.parent)


def destroy_file(path: Path) -> None:
    """Overwrite a file with zeros and remove it, durably.

    Storage that writes elsewhere on each write (flash, copy-on-write file systems) may keep the
    old blocks for a while; nothing in a program can prevent that.
    """
    if not path.exists():
        return
    with path.open("r+b") as file:
        file.write(b"\0" * path.stat().st_size)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
