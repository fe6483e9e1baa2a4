"""A wallet that is opened where the operator does not answer, or nothing does."""

import os
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.screens import Wallet
from tests.browser.test_browser_access import assert_fits, faults
from tests.browser.test_browser_purse import fill, new_customer

pytestmark = pytest.mark.browser

PATIENCE_MS: Final = 4_000
"""After so long without an answer the wallet shows what its device keeps."""

NOT_ANSWERED: Final = "Your operator does not answer"
PROXY_PAGE: Final = "<!doctype html><title>502</title><h1>Bad gateway</h1>"


@pytest.fixture
def known(open_context: Opener, operator: Operator) -> Wallet:
    """A wallet without a purse, signed in before, whose page is closed."""
    token = new_customer(operator, f"known-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token)
    wallet.page.goto("about:blank")
    return wallet


def keep_silent(route: Route) -> None:
    """Answer nothing, as a network that hangs does."""
    del route


def told(page: Page) -> None:
    """See the operator's silence told, once, and no network blamed for it."""
    expect(page.locator("[data-recalled]")).to_contain_text(NOT_ANSWERED)
    expect(page.get_by_text("No network")).to_have_count(0)
    expect(page.get_by_text("The operator cannot be reached")).to_have_count(0)


@pytest.mark.parametrize("status", [200, 401, 403, 502, 503])
def test_a_proxys_page_is_told_as_an_operator_that_does_not_answer(
    known: Wallet, watched: Watched, status: int
) -> None:
    """Not as a session that ended either, whatever status the page has."""
    watched.expect(str(status))
    page = known.page
    page.context.route(
        "**/v1/**",
        lambda route: route.fulfill(status=status, content_type="text/html", body=PROXY_PAGE),
    )
    known.go("home")
    told(page)
    expect(page.get_by_text("not kept on this device")).to_be_visible()
    page.context.unroute("**/v1/**")
    expect(known.account).to_be_visible(timeout=15_000)
    expect(page.locator("[data-recalled]")).to_have_count(0)


def test_a_network_that_hangs_is_waited_for_only_so_long(known: Wallet) -> None:
    page = known.page
    page.context.route("**/v1/**", keep_silent)
    page.clock.install()
    known.go("home")
    expect(page.get_by_text("Loading")).to_be_visible()
    page.clock.run_for(PATIENCE_MS - 1_000)
    expect(page.get_by_text("Loading")).to_be_visible()
    expect(page.locator("[data-recalled]")).to_have_count(0)
    page.clock.run_for(1_000)
    told(page)
    page.context.unroute("**/v1/**", keep_silent)


def answer_with(page: Page, operator: Operator, status: int) -> None:
    """Answer everything with a page of a proxy, as one does that lets nothing through."""
    page.context.unroute(f"{operator.url}/**")
    page.context.route(
        f"{operator.url}/**",
        lambda route: route.fulfill(status=status, content_type="text/html", body=PROXY_PAGE),
    )


@pytest.mark.parametrize("fault", ["a proxy's page", "silence"])
def test_the_page_itself_opens_from_the_device_where_its_server_fails(
    open_context: Opener, operator: Operator, watched: Watched, fault: str
) -> None:
    """The purse shows what it holds, though neither page nor account came."""
    watched.expect("403|502|ERR_FAILED")
    token = new_customer(operator, f"shell-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context(has_service_worker=True).new_page(), token)
    fill(wallet)
    page = wallet.page
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.reload()
    page.goto("about:blank")
    if fault == "silence":
        page.context.route(f"{operator.url}/**", keep_silent)
    else:
        answer_with(page, operator, 502)
    wallet.go("home")
    expect(wallet.purse).to_be_visible(timeout=15_000)
    assert wallet.in_purse() > 0
    page.get_by_role("button", name="Show my account").click()
    told(page)
    assert faults(page, "an operator that does not answer") == []
    page.evaluate("localStorage.setItem('amana.language', 'ar')")
    wallet.go("settings")
    if fault != "silence":
        answer_with(page, operator, 403)
    page.reload()
    expect(page.locator("[data-recalled], .card").first).to_be_visible(timeout=15_000)
    assert_fits(page, "an operator that does not answer, in Arabic")
    page.context.unroute_all(behavior="ignoreErrors")
