"""`amana bench`: speed here, as ratios in one run."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from amana.cli.exits import Failed

_REPOSITORY: Final = Path(__file__).parents[3]


def bench(
    *,
    quick: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Measure ledger, payments, mint and wallet beside SQLite, pgbench and another mint.

    Takes about eight minutes and 3 GB of disk; everything stays on this machine and ends by itself.

    Args:
        quick: Shorter stretches, fewer customers, and no five million transfers.
        json: Print JSON.
    """
    if not (_REPOSITORY / "bench" / "__main__.py").is_file():
        raise Failed("The benches come with the repository: clone it and run `make bench` there.")
    options = [name for name, is_asked in (("--quick", quick), ("--json", json)) if is_asked]
    command = [sys.executable, "-m", "bench", *options]
    return subprocess.run(command, check=False, cwd=_REPOSITORY).returncode  # noqa: S603 - our own program
