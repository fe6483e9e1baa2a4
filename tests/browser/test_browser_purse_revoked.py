"""An operator revokes a keyset: its e-cash waits for the word of whoever holds it."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, Route, expect
from tests.browser.conftest import AMANA, Opener, Operator, running
from tests.browser.recorder import Recorder, path
from tests.browser.screens import Till, Wallet, minor_units
from tests.browser.test_browser_access import assert_fits, faults
from tests.browser.test_browser_purse import fill, new_customer
from tests.ports import free_port

from amana.kernel import DAY_NS, SECOND_NS
from amana.purse.policy import shipped_policy

pytestmark = pytest.mark.browser

FULL = shipped_policy().refill.default_tier
DAYS = 4
"""More than the three days within which e-cash is issued anew."""


class OwnOperator:
    """An operator of one test alone, which can be stopped to revoke a keyset."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._life = ExitStack()
        self.now = self._life.enter_context(running(folder, self._port))

    def revoke_first(self) -> str:
        """Revoke the keyset that signs, and come back; return its id."""
        self.stop()
        command: list[str | Path] = [AMANA, "purse", "revoke", "0", "--data", self._folder / "data"]
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        self.now = self._life.enter_context(running(self._folder, self._port))
        return said.stdout.split()[-1]

    def stop(self) -> None:
        self._life.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnOperator]:
    """An operator of this test alone."""
    started = OwnOperator(tmp_path)
    yield started
    started.stop()


@pytest.fixture
def operator(own: OwnOperator) -> Operator:
    """The operator whose pages this test opens; its addresses stay."""
    return own.now


def days_later(page: Page) -> None:
    """Let the purse's own thread believe that days have passed; the page's clock goes on."""

    def shift(route: Route) -> None:
        milliseconds = DAYS * DAY_NS // SECOND_NS * 1000
        moved = f"const began = Date.now; Date.now = () => began() + {milliseconds};\n"
        answer = route.fetch()
        route.fulfill(response=answer, body=moved + answer.text())

    page.context.route("**/purse.worker-*.js", shift)


def is_anew(answer: Response) -> bool:
    return path(answer.request) == "/v1/reissue"


def shown_so_far(sent: Recorder) -> int:
    """How often the wallet showed the mint how a coin was issued."""
    return [path(one) for one in sent.to_mint()].count("/v1/reissue")


def assert_readable(page: Page) -> None:
    assert_fits(page, "a revocation")
    assert faults(page, "a revocation") == []
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert_fits(page, "a revocation in Arabic")
    page.get_by_role("button", name="English").click()


@pytest.fixture
def holder(operator: Operator, open_context: Opener) -> Wallet:
    """A wallet with a full purse, its page elsewhere."""
    # A script that a test has changed counts as a stranger's, which must ask to call this machine.
    page = open_context(permissions=["local-network-access"]).new_page()
    wallet = Wallet.signed_in(page, new_customer(operator, "holder"))
    fill(wallet)
    page.goto("about:blank")
    return wallet


def test_revoked_ecash_is_issued_anew_once_its_owner_says_so(
    own: OwnOperator, operator: Operator, holder: Wallet, open_context: Opener
) -> None:
    """Goal: the operator's word alone has no wallet show whose its e-cash is."""
    keyset, page = own.revoke_first(), holder.page
    till = Till.opened(open_context().new_page(), operator.merchant[1])
    holder.propose(till.charge("500")[1])
    holder.pay_button.click()
    holder.expect_stage("refused")
    holder.finish()
    order = {"amount": {"currency": "EUR", "minor": "500"}}
    holder.propose(str(operator.post("/v1/orders", operator.merchant[1], order)["code"]))
    why = page.get_by_role("link", name="waits for your word")
    expect(why).to_have_attribute("href", "#/purse")
    # Its coins are the same that are issued anew, and the screen says what that tells.
    sent = Recorder.of(page.context, operator)
    holder.go("home")
    expect(holder.purse).to_contain_text("waits for your word")
    holder.go("purse")
    told = page.locator("[data-revoked]")
    for shown in (keyset, f"{operator.url.removeprefix('http://')}/v1/liabilities"):
        expect(told).to_contain_text(shown)
    assert minor_units(told.locator("p").first.inner_text().split(".", 1)[1]) == FULL
    assert_readable(page)

    days_later(page)
    page.reload()
    # The purse is filled meanwhile, in the same look in which coins are exchanged.
    expect(page.locator("[data-filled=left]")).to_be_visible(timeout=60_000)
    page.context.unroute("**/purse.worker-*.js")
    page.reload()
    agree = told.get_by_role("button", name="Have it issued anew")
    agree.click()
    expect(told.locator("[data-coming]")).to_be_focused()
    expect(agree).to_have_count(0)
    assert shown_so_far(sent) == 0

    days_later(page)
    with page.expect_response(is_anew, timeout=60_000):
        page.reload()
    expect(agree).to_have_count(0)
    while told.is_visible():
        with page.expect_response(is_anew, timeout=60_000):
            page.reload()
        expect(page.locator("[data-filled]")).to_be_visible()
    # The last coin is on its way until its answer is looked at.
    expect(page.get_by_text("is on its way")).to_have_count(0)
    assert minor_units(page.locator("section .large").first.inner_text()) >= FULL
    assert shown_so_far(sent) >= shipped_policy().refill.outputs
    assert sent.leaks() == []
