"""The large sizes: in full, or the slice that CI has time for; a full run is written down."""

import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from tests.long.sizes import Sizes

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reference" / "long-run.md"


def _said(*command: str) -> str:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture(scope="session")
def sizes(request: pytest.FixtureRequest) -> Iterator[Sizes]:
    """The sizes of this run; after a full run without a failure, its page is written."""
    found = Sizes()
    yield found
    if not found.is_full or request.session.testsfailed or not found.results:
        return
    # What the run itself writes is no change.
    is_changed = _said("git", "status", "--porcelain", "--", ".", ":!docs/reference")
    changed = " with local changes" if is_changed else ""
    rows = "\n".join(f"| {what} | {result} |" for what, result in sorted(found.results))
    PAGE.write_text(
        "<!-- Written by `make test-long`. -->\n\n# The last long run\n\n"
        f"Commit {_said('git', 'rev-parse', '--short=12', 'HEAD')}{changed}, "
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}.\n\n"
        f"| what | result |\n| --- | --- |\n{rows}\n",
        encoding="utf-8",
    )
