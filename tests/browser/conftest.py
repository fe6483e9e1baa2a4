"""A running operator, Chromium, and pages that are watched while a test drives them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)
from tests.browser.screens import Till, Wallet
from tests.ports import free_port

ROOT: Final = Path(__file__).parents[2]
AMANA: Final = Path(sys.executable).with_name("amana")
RESULTS: Final = ROOT / "test-results"
_SHELL: Final = Path("/usr/bin/chromium-headless-shell")
CHROMIUM: Final = Path(
    # The same engine without a window's machinery takes a third of the processor time.
    os.environ.get("AMANA_CHROMIUM", _SHELL if _SHELL.is_file() else "/usr/bin/chromium")
)
READY_SECONDS_MAX: Final = 60
LOOKS_PER_SECOND: Final = 20
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE: Final = (360, 740)

# Both cores are busy while tests run side by side; what is there at once is not waited for longer.
expect.set_options(timeout=15_000)


# Playwright's own warning where a test leaves the service worker out.
BLOCKED: Final = re.compile("Service Worker registration blocked by Playwright")


@dataclass(frozen=True)
class Operator:
    """A demonstration's operator and the keys to it."""

    url: str
    mint_url: str
    checkout_url: str
    relay_url: str
    operator_token: str
    customers: dict[str, str]
    merchants: dict[str, str]
    link: str

    @property
    def customer(self) -> tuple[str, str]:
        """The first customer's handle and token."""
        return next(iter(self.customers.items()))

    @property
    def other_customer(self) -> tuple[str, str]:
        """The second customer's handle and token."""
        return list(self.customers.items())[1]

    @property
    def merchant(self) -> tuple[str, str]:
        """The first merchant's handle and API key."""
        return next(iter(self.merchants.items()))

    def get(self, path: str, token: str) -> dict[str, object]:
        """Ask the API beside the page, so that a test believes no screen."""
        answer = httpx.get(self.url + path, headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        asked: dict[str, object] = answer.json()
        return asked

    def post(self, path: str, token: str, body: object) -> dict[str, object]:
        """Act through the API, each call under a key of its own."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": os.urandom(8).hex()}
        answer = httpx.post(self.url + path, headers=headers, json=body)
        answer.raise_for_status()
        done: dict[str, object] = answer.json()
        return done


@dataclass
class Watched:
    """What a browser's pages asked for and complained of."""

    origin: str
    mint_origin: str
    other_origins: tuple[str, ...] = ()
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=lambda: [BLOCKED])

    def expect(self, pattern: str) -> None:
        """Name a complaint that the test brings about on purpose."""
        self.expected.append(re.compile(pattern))

    def asked(self, request: Request) -> None:
        """Note a request that a page made."""
        self.requests.append(request)

    def heard(self, message: ConsoleMessage) -> None:
        """Note what the browser warns of; among it every breach of the security policy."""
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def strangers(self) -> list[str]:
        """Requests to anybody but the operator, its mint, its checkout and its relay."""
        origins = (self.origin, self.mint_origin, *self.other_origins)
        own = (*(f"{origin}/" for origin in origins), "blob:" + self.origin, "data:")
        return [request.url for request in self.requests if not request.url.startswith(own)]

    def unexpected(self) -> list[str]:
        """Complaints that no test asked for."""
        return [
            complaint
            for complaint in self.complaints
            if not any(pattern.search(complaint) for pattern in self.expected)
        ]


def await_file(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Return once the file is there; fail if the process ends or takes too long."""
    for _ in range(READY_SECONDS_MAX * LOOKS_PER_SECOND):
        if path.is_file():
            return
        try:
            code = process.wait(1 / LOOKS_PER_SECOND)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"amana demo ended with {code} before it was ready")
    pytest.fail(f"amana demo was not ready in {READY_SECONDS_MAX} s")


def read_ready(path: Path) -> Operator:
    """Read what `amana demo --ready-file` wrote."""
    ready = json.loads(path.read_text(encoding="utf-8"))
    return Operator(
        url=ready["url"],
        mint_url=ready["mint"]["url"],
        checkout_url=ready["checkout"]["url"],
        relay_url=ready["relay"]["url"],
        operator_token=ready["operator"]["token"],
        customers={one["handle"]: one["token"] for one in ready["customers"]},
        merchants={one["handle"]: one["api_key"] for one in ready["merchants"]},
        link=ready["link"],
    )


@contextmanager
def running(folder: Path, port: int) -> Iterator[Operator]:
    """Run a demonstration whose data is in a folder; what it kept there before is there again."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command: list[str | Path] = [AMANA, "demo", "--no-traffic", "--no-browser"]
    command += ["--port", str(port), "--data", folder / "data", "--ready-file", ready]
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            await_file(ready, process)
            yield read_ready(ready)
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator of this test run; `AMANA_READY_FILE` names one that already runs."""
    elsewhere = os.environ.get("AMANA_READY_FILE")
    if elsewhere is not None:
        yield read_ready(Path(elsewhere))
        return
    with running(tmp_path_factory.mktemp("operator"), free_port()) as started:
        yield started


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """The driver of browsers, for one file: while it lives, no other event loop can run here."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def shared_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium as Debian packs it."""
    if not CHROMIUM.is_file():
        pytest.skip(f"no Chromium at {CHROMIUM} (set AMANA_CHROMIUM)")
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
    yield browser
    browser.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember on the test whether it failed, for the fixture that keeps the evidence."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED: Final = pytest.StashKey[bool]()


class Opener(Protocol):
    """Opens an isolated browser that is watched."""

    def __call__(
        self,
        *,
        locale: str = "en-GB",
        color_scheme: Literal["light", "dark"] = "light",
        has_service_worker: bool = False,
        permissions: Sequence[str] = (),
        browser: Browser | None = None,
    ) -> BrowserContext:
        """Open one, by default in Chromium as the other tests share it."""
        ...


@pytest.fixture
def watched(operator: Operator) -> Watched:
    """What all pages of this test asked for and complained of."""
    others = (operator.checkout_url, operator.relay_url)
    return Watched(operator.url, operator.mint_url, others)


@pytest.fixture
def open_context(
    shared_browser: Browser, operator: Operator, watched: Watched, request: pytest.FixtureRequest
) -> Iterator[Opener]:
    """Open isolated browsers; at the end nothing may have gone elsewhere or broken the policy."""
    opened: list[BrowserContext] = []

    def open_one(
        *,
        locale: str = "en-GB",
        color_scheme: Literal["light", "dark"] = "light",
        has_service_worker: bool = False,
        permissions: Sequence[str] = (),
        browser: Browser | None = None,
    ) -> BrowserContext:
        context = (browser or shared_browser).new_context(
            base_url=operator.url,
            viewport={"width": PHONE[0], "height": PHONE[1]},
            locale=locale,
            color_scheme=color_scheme,
            permissions=permissions,
            reduced_motion="reduce",
            service_workers="allow" if has_service_worker else "block",
        )
        context.tracing.start(snapshots=True)
        context.on("request", watched.asked)
        context.on("console", watched.heard)
        context.on("weberror", lambda error: watched.complaints.append(str(error.error)))
        opened.append(context)
        return context

    yield open_one
    failed = request.node.stash.get(FAILED, True)
    for number, context in enumerate(opened):
        close(context, RESULTS / f"{request.node.name}-{number}" if failed else None)
    if not failed:
        assert not watched.strangers()
        assert not watched.unexpected()


def close(context: BrowserContext, evidence: Path | None) -> None:
    """Close a browser, keeping its trace and the last look of each page if there is a reason."""
    if evidence is None:
        context.tracing.stop()
    else:
        for number, page in enumerate(context.pages):
            photograph(page, evidence / f"page-{number}.png")
        context.tracing.stop(path=evidence / "trace.zip")
    context.close()


def photograph(page: Page, path: Path) -> None:
    """Keep a screenshot; a page that cannot be drawn any more must not hide why the test failed."""
    try:
        page.screenshot(path=path)
    except Error as error:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".txt").write_text(str(error), encoding="utf-8")


@pytest.fixture
def wallet(open_context: Opener, operator: Operator) -> Wallet:
    """The first customer's wallet, signed in."""
    return Wallet.signed_in(open_context().new_page(), operator.customer[1])


@pytest.fixture
def till(open_context: Opener, operator: Operator) -> Till:
    """The first merchant's till, open."""
    return Till.opened(open_context().new_page(), operator.merchant[1])
