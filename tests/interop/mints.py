"""A test mint in a process of its own, as others start it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_STOP_S: Final = 20


@contextmanager
def running_mint(folder: Path, *options: str) -> Iterator[str]:
    """Serve a mint from a folder on a free port; the value is its URL."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "amana.testing.mint"),
            *("--port", "0", "--data", str(folder), *options),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            told = process.stdout.readline()
            assert told.startswith("mint: http://"), "the mint says where it is"
            yield told.removeprefix("mint: ").strip()
        finally:
            process.terminate()
            process.wait(_STOP_S)
