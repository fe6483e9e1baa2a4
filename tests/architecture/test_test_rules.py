"""The rules for the tests themselves: no network, no silent skip, slices in order."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_a_test_cannot_reach_another_machine() -> None:
    with socket.socket() as plain, pytest.raises(RuntimeError, match="this machine only"):
        plain.connect(("192.0.2.1", 80))


def test_a_test_cannot_ask_for_another_machines_address() -> None:
    with pytest.raises(RuntimeError, match="this machine only"):
        socket.getaddrinfo("amana.example", 443)


def test_a_test_can_reach_this_machine() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


def run_pytest(folder: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "tests").mkdir()
    (folder / "tests" / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (folder / "tests" / "test_sample.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", "tests"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


SKIPPED = 'import pytest\ndef test_it() -> None:\n    pytest.skip("{}")\n'


def test_a_skip_fails_the_run_in_ci(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, SKIPPED.format("no browser"), CI="true")
    assert run.returncode == 1, run.stdout
    assert "SKIPPED IN CI, SO THIS RUN FAILS" in run.stdout


def test_a_skip_passes_elsewhere(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, SKIPPED.format("no browser")).returncode == 0


def test_an_engine_that_is_not_built_may_be_skipped_in_ci(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, SKIPPED.format("postgresql: not built"), CI="true")
    assert run.returncode == 0, run.stdout
