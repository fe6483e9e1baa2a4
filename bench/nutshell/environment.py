"""The reference mint's own environment: made once from the lock, used by benches and tests.

python -m bench.nutshell.environment [--lock]
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_LOCK = _HERE / "requirements.txt"
_LAST_WORDS = 600


def cache_folder() -> Path:
    """Return where things are kept that are costly to make and safe to delete."""
    told = os.environ.get("AMANA_CACHE")
    return Path(told) if told else Path.home() / ".cache" / "amana"


def nutshell_python() -> Path | None:
    """Return the interpreter that can import `cashu`; make its environment if need be.

    None where it cannot be made, and standard error says why. The folder's name is the lock's
    hash, so a new lock makes a new environment; whoever comes second waits for the first.
    """
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()[:16]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_folder() / f"nutshell-{digest}-py{version}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.exists():
        return python
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_name(f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not ready.exists():
                _make(folder, python)
                ready.touch()
    except OSError as problem:
        _say(f"The reference mint's environment cannot be made in {folder}: {problem}")
        return None
    except subprocess.CalledProcessError as problem:
        told = (problem.stderr or b"").decode(errors="replace").strip()[-_LAST_WORDS:]
        _say(f"The reference mint's environment cannot be made. Its installer says:\n{told}")
        return None
    return python


def _make(folder: Path, python: Path) -> None:
    _say(f"Making the reference mint's environment in {folder} (once, about a minute)")
    shutil.rmtree(folder, ignore_errors=True)
    _run(sys.executable, "-m", "venv", str(folder))
    _run(
        *(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--require-hashes", "--no-deps", "--requirement", str(_LOCK)),
    )
    _run(str(python), "-c", "import cashu.mint.ledger, cashu.wallet.wallet")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _lock_anew() -> None:
    """Resolve the requirements; the lock names versions and hashes, and no place."""
    compiler = Path(sys.executable).with_name("pip-compile")
    _run(
        *(str(compiler), "--quiet", "--upgrade", "--generate-hashes", "--strip-extras"),
        *("--allow-unsafe", "--no-header", "--no-annotate", "--no-emit-index-url"),
        *("--no-emit-find-links", "--no-emit-trusted-host", "--output-file", str(_LOCK)),
        str(_HERE / "requirements.in"),
    )
    kept = [
        line
        for line in _LOCK.read_text().splitlines(keepends=True)
        if not line.startswith("# The following packages")
    ]
    _LOCK.write_text("".join(kept))


def main() -> int:
    """Make the environment and print its interpreter, or lock anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lock", action="store_true")
    if parser.parse_args().lock:
        _lock_anew()
        return 0
    python = nutshell_python()
    if python is None:
        return 1
    print(python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
