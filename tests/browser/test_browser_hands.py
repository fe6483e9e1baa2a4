"""A device that changes hands: what is of one person stays of that one."""

import os
from typing import Final

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.screens import TOLD, Till, Wallet
from tests.browser.test_browser_payments import payments_of, sent_keys
from tests.browser.test_browser_purse import new_customer, top_up

pytestmark = pytest.mark.browser

_SIGN_IN_BESIDE: Final = """(token) => {
    localStorage.removeItem("amana.known");
    localStorage.setItem("amana.token", token);
}"""
_STORED: Final = "localStorage.getItem('amana.token')"


class Person:
    """Somebody of this test alone."""

    def __init__(self, operator: Operator, name: str) -> None:
        self._operator = operator
        self.handle = f"{name}-{os.urandom(4).hex()}"
        self.token = new_customer(operator, self.handle)

    def end_session(self, page: Page) -> None:
        """Let a page hear that its session is over, the next time that it looks."""
        told = httpx.get(f"{self._operator.url}/v1/account")
        page.route(
            "**/v1/account",
            lambda route: route.fulfill(
                status=told.status_code, headers=dict(told.headers), body=told.text
            ),
        )
        top_up(self._operator, self.handle, "100")
        expect(page.get_by_role("button", name="Create a wallet")).to_be_visible()
        page.unroute("**/v1/account")


def signed_in(page: Page, person: Person) -> Wallet:
    """Open a wallet that is told from here on."""
    with page.expect_console_message(lambda said: said.text == TOLD):
        return Wallet.signed_in(page, person.token)


def sign_in_beside(page: Page, token: str) -> None:
    """Sign somebody in from another tab of the same browser."""
    other = page.context.new_page()
    other.goto("/")
    other.evaluate(_SIGN_IN_BESIDE, token)
    other.close()


def test_a_payment_on_its_way_is_never_made_by_who_signs_in_next(
    open_context: Opener, till: Till, operator: Operator, watched: Watched
) -> None:
    watched.expect("401|net::ERR_FAILED")
    first, second = Person(operator, "first"), Person(operator, "second")
    wallet = signed_in(open_context().new_page(), first)
    order, code = till.charge("440")
    wallet.propose(code)
    wallet.page.route("**/v1/payments", lambda route: route.abort())
    wallet.pay_button.click()
    wallet.expect_stage("unknown")
    first.end_session(wallet.page)
    sign_in_beside(wallet.page, second.token)
    expect(wallet.page.locator("#target")).to_be_visible()
    expect(wallet.page.locator("[data-stage]")).to_have_count(0)
    with wallet.page.expect_response("**/v1/payments") as answered:
        wallet.page.unroute("**/v1/payments")
    assert answered.value.ok
    wallet.page.get_by_role("button", name="Back").click()
    expect(wallet.page.get_by_text(f"@{second.handle}")).to_be_visible()
    assert payments_of(operator, second.token, order) == []
    assert len(payments_of(operator, first.token, order)) == 1
    assert len(set(sent_keys(watched))) == 1


def test_a_tab_whose_session_ends_signs_nobody_else_out(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    """It may have slept while somebody signed in in another one."""
    watched.expect("401")
    first = Person(operator, "first")
    page = signed_in(open_context().new_page(), first).page
    page.evaluate(_SIGN_IN_BESIDE, "somebody else's")
    first.end_session(page)
    assert page.evaluate(_STORED) == "somebody else's"
