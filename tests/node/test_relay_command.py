"""`amana relay` as somebody else runs it: no data folder, and nothing written."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx
import pytest
from tests.ports import free_port

from amana.cli.exits import Failed
from amana.cli.relay import relay
from amana.node.listening import PortTaken

_ROOT: Final = Path(__file__).parents[2]
_STOP_S: Final = 20


def test_a_relay_runs_without_a_folder_and_writes_nothing(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "amana", "relay", "--mint", "http://127.0.0.1:9"]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(_ROOT / "src"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert f"Relaying on 127.0.0.1:{port}" in process.stdout.readline()
            door = f"http://127.0.0.1:{port}"
            headers = {"content-type": "message/ohttp-req", "user-agent": "a rare browser"}
            gone = httpx.post(f"{door}/127.0.0.1:9", content=b"x", headers=headers)
            assert gone.status_code == 502
            assert httpx.get(f"{door}/other.example").status_code == 404
            assert "server" not in gone.headers
        finally:
            process.terminate()
            process.wait(_STOP_S)
        assert "rare browser" not in process.stdout.read()
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mint", [[], ["mint.example"], ["https://mint.example", "ftp://x"]])
def test_what_is_no_mint_is_told(mint: list[str]) -> None:
    with pytest.raises(Failed, match="--mint https://"):
        relay(mint=mint)


@pytest.mark.parametrize("port", [-1, 65_536, 70_000])
def test_a_port_that_there_is_none_of_is_told(port: int) -> None:
    with pytest.raises(PortTaken, match="Nothing was started"):
        relay(mint=["https://mint.example"], port=port)
