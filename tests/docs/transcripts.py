"""Transcripts in documents: `$ command` and below it what was printed; `…` stands for anything."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BLOCK: Final = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A command, and what it prints."""

    command: str
    expected: str


def steps_of(page: Path) -> Iterator[Step]:
    """Yield every command of a page in order."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block[1], flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            count = 1
            while lines[count - 1].endswith("\\"):
                count += 1
            yield Step("\n".join(lines[:count]), "\n".join(lines[count:]))


def is_as_expected(expected: str, printed: str) -> bool:
    """Compare what was printed with a transcript; space at the ends of lines does not count."""
    pattern = ".*?".join(re.escape(part) for part in _plain(expected).split("…"))
    return re.fullmatch(pattern, _plain(printed), re.DOTALL) is not None


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


class Shell:
    """Runs the commands of one page, one after another."""

    def __init__(self, folder: Path, exported: Path) -> None:
        self._folder = folder
        self._exported = exported
        exported.touch()

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; return how it ended and what it printed."""
        keep = f"status=$?\nexport -p > {self._exported}\nexit $status"
        script = f"set -a\n. {self._exported}\n{command}\n{keep}"
        run = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env={**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100"},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        return run.returncode, run.stdout + run.stderr
