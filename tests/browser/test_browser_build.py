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
BUILT: Final = ROOT / "src" / "amana" / "node" / "static"
PAGES: Final = ("index.html", "wallet.html", "till.html", "checkout.html")
VIEW_LINES_MAX: Final = 200

CASHU_TS: Final = "Secp256k1_HashToCurve_Cashu_"
"""What points are hashed with (NUT-00): text of cashu-ts that no build can shorten.

Whatever is imported of it, the whole library comes along, this with it.
"""


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


def loaded_by(page: str) -> set[str]:
    """All scripts that a page may load into its own thread, at once or later."""
    scripts = {path.name for path in (BUILT / "assets").glob("*.js")}
    found, waiting = set[str](), [BUILT / page]
    while waiting:
        named = set(re.findall(r"[\w.-]+\.js\b", waiting.pop().read_text(encoding="utf-8")))
        fresh = {one for one in named & scripts - found if not one.startswith("purse.worker-")}
        found |= fresh
        waiting += [BUILT / "assets" / one for one in fresh]
    return found


@pytest.mark.parametrize("page", PAGES)
def test_the_arithmetic_of_e_cash_is_never_done_in_a_pages_own_thread(page: str) -> None:
    loaded = loaded_by(page)
    assert any(one.startswith(page.removesuffix(".html")) for one in loaded)
    texts = {one: (BUILT / "assets" / one).read_text(encoding="utf-8") for one in loaded}
    assert [one for one, text in texts.items() if CASHU_TS in text] == []


def test_the_arithmetic_of_e_cash_is_in_the_purses_worker() -> None:
    scripts = [*BUILT.glob("*.js"), *(BUILT / "assets").glob("*.js")]
    (worker,) = [one for one in scripts if CASHU_TS in one.read_text(encoding="utf-8")]
    assert worker.name.startswith("purse.worker-")
    opener = [BUILT / "assets" / one for one in loaded_by("wallet.html")]
    assert any(worker.name in one.read_text(encoding="utf-8") for one in opener)


def test_the_lock_file_names_no_place_to_fetch_from() -> None:
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity": "sha512-' in lock
