"""The web part's own checks and tests, run by the same entry as everything else."""

import os
import re
import subprocess
import sys
from typing import Final

import pytest
from tests.browser.conftest import ROOT

pytestmark = pytest.mark.browser

WEB: Final = ROOT / "web"
VIEW_LINES_MAX: Final = 200


def run_script(what: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [WEB / "build.sh", what],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize("what", ["check", "test", "size"])
def test_the_web_part_passes_its_own(what: str) -> None:
    run = run_script(what)
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_view_is_long() -> None:
    views = list((WEB / "src").rglob("*.svelte"))
    assert views
    lines = {view.name: view.read_text(encoding="utf-8").count("\n") for view in views}
    assert {name: count for name, count in lines.items() if count > VIEW_LINES_MAX} == {}


def test_the_rules_are_free_of_the_page() -> None:
    of_the_page = re.compile(r"\b(document|window|localStorage|indexedDB|navigator|fetch)\b[.(]")
    for path in (WEB / "src" / "rules").glob("*.ts"):
        assert not of_the_page.search(path.read_text(encoding="utf-8")), path.name


def test_the_lock_file_names_no_place_to_fetch_from() -> None:
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity": "sha512-' in lock
