"""A demo for the documents' commands: the same one that `make demo` starts."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.docs.transcripts import Shell
from tests.ports import free_port

ROOT: Final = Path(__file__).parents[2]
AMANA: Final = Path(sys.executable).parent / "amana"
LAST_LINE: Final = "Stop with Ctrl-C."


@dataclass(frozen=True)
class Demo:
    """A running demo, what it printed, and a folder that looks like a fresh clone beside it."""

    printed: str
    folder: Path


@contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """Start a demo as `make demo` does, and stop it as Ctrl-C does."""
    for name in ("examples", "docs"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv").symlink_to(AMANA.parent.parent)
    process = subprocess.Popen(
        [
            *(str(AMANA), "demo", "--port", str(free_port()), "--no-browser", "--no-traffic"),
            *("--ready-file", "demo-data/ready.json"),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if LAST_LINE in line:
            break
    try:
        assert process.poll() is None, "".join(printed)
        yield Demo("".join(printed), folder)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo that several tests share."""
    with running_demo(tmp_path_factory.mktemp("clone")) as started:
        yield started


@pytest.fixture
def shell(demo: Demo, tmp_path: Path) -> Shell:
    """A shell in the clone; what one command exports, the next one sees."""
    _need_curl()
    return Shell(demo.folder, tmp_path / "exported")


@pytest.fixture
def fresh_shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell beside a demo that nobody has used."""
    _need_curl()
    folder = tmp_path / "clone"
    folder.mkdir()
    with running_demo(folder):
        yield Shell(folder, tmp_path / "exported")


def _need_curl() -> None:
    if shutil.which("curl") is None:
        pytest.skip("NOT RUN: curl is not there (on Debian: apt install curl)")
