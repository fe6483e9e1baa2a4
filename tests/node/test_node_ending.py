"""How an operator's process ends when it is told to."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.ports import free_port

from amana.node.operator import make_operator
from amana.node.settings import Settings
from amana.storage import BOOKS_FILE

ENDS_WITHIN_S = 30


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_an_operator_empties_its_log_and_leaves_no_process_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "operator"
    make_operator(folder, Settings())
    ports = ["--port", str(free_port()), "--mint-port", str(free_port())]
    process = subprocess.Popen(
        [sys.executable, "-m", "amana", "serve", "--data", str(folder), *ports],
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert b"Serving" in process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert children, "the signatory runs in processes of its own"
        process.send_signal(number)
        process.wait(ENDS_WITHIN_S)
    finally:
        process.kill()
        process.communicate()

    assert process.returncode == 0
    assert not folder.joinpath(f"{BOOKS_FILE}-wal").exists()
    assert not [child for child in children if Path(f"/proc/{child}").exists()]


def test_told_to_end_an_operator_ends_open_streams_and_complains_of_none(tmp_path: Path) -> None:
    folder, port = str(tmp_path / "operator"), free_port()
    amana = (sys.executable, "-m", "amana")
    named = ("--name", "City", "--currency", "EUR")
    made = subprocess.check_output([*amana, "init", "--data", folder, *named], text=True)
    officer = re.search(r"amo_\S+", made)
    assert officer is not None
    ports = ["--port", str(port), "--mint-port", str(free_port())]
    process = subprocess.Popen(
        [*amana, "serve", "--data", folder, *ports], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert b"Serving" in process.stdout.readline()
        url = f"http://127.0.0.1:{port}/v1"
        asked = {"handle": "lina", "display_name": "Lina", "language": "en"}
        token = httpx.post(f"{url}/operator/customers", json=asked, headers=_by(officer[0]))
        with httpx.stream(
            "GET", f"{url}/events/stream", headers=_by(token.json()["token"]), timeout=ENDS_WITHIN_S
        ) as stream:
            told = stream.iter_raw()
            assert next(told) == b": connected\n\n"
            process.send_signal(signal.SIGINT)
            assert list(told) == []
        _, complaints = process.communicate(timeout=ENDS_WITHIN_S)
    finally:
        process.kill()
        process.communicate()

    assert process.returncode == 0
    assert complaints == b""


def _by(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
