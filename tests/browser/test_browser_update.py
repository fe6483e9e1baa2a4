"""A new release reaches a wallet that is open, when the person says so."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.conftest import ROOT

pytestmark = pytest.mark.browser

BUILT: Final = ROOT / "src" / "amana" / "node" / "static"
WORKER: Final = "service-worker.js"


class _Pages(SimpleHTTPRequestHandler):
    """The built pages at the addresses at which an operator serves them."""

    def translate_path(self, path: str) -> str:
        named = path if "." in path else f"{path}.html"
        return super().translate_path(named)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the parent's name)
        """Say nothing: the test tells what matters."""


@pytest.fixture
def release(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A copy of the built pages that a test may replace by a newer one, and where it is served."""
    folder = tmp_path / "static"
    folder.mkdir()
    for path in BUILT.rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(BUILT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, directory=folder))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}", folder
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_update_is_announced_and_waits_for_the_button(
    shared_browser: Browser, release: tuple[str, Path]
) -> None:
    url, folder = release
    context = shared_browser.new_context(base_url=url, locale="en-GB")
    page = context.new_page()
    page.goto("/wallet")
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    expect(page.get_by_text("A new version is ready.")).to_have_count(0)
    worker = folder / WORKER
    worker.write_text(worker.read_text(encoding="utf-8") + "// newer\n", encoding="utf-8")
    page.reload()
    update = page.get_by_role("button", name="Update now")
    expect(update).to_be_visible(timeout=15_000)
    with page.expect_navigation():
        update.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(update).to_have_count(0)
    context.close()
