"""What the wallet tells somebody who is new, whom a link brought, or whose network was away."""

import os
from typing import Final

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.screens import Till, Wallet
from tests.browser.test_browser_access import add_authenticator
from tests.browser.test_browser_purse import fill, new_customer, payer, top_up
from tests.browser.test_browser_purse_people import make_link

__all__ = ["payer"]

pytestmark = pytest.mark.browser


def test_a_second_link_that_is_opened_takes_the_place_of_the_first(
    payer: Wallet, open_context: Opener, operator: Operator
) -> None:
    links = [make_link(payer, amount) for amount in ("1.10", "2.20")]
    token = new_customer(operator, f"taker-{os.urandom(4).hex()}")
    page = Wallet.signed_in(open_context().new_page(), token).page
    page.goto(links[0])
    expect(page.locator("[data-take=token]")).to_contain_text("€1.10")
    page.goto(links[1])
    expect(page.locator("[data-take=token]")).to_contain_text("€2.20")
    page.locator("[data-take=token] button.tall").click()
    expect(page.locator("[data-take=taken]")).to_contain_text("€2.20")
    page.goto(links[0])
    page.locator("[data-take=token] button.tall").click()
    expect(page.locator("[data-take=taken]")).to_contain_text("€1.10")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("What you have taken is in your purse")


def test_whom_a_link_brings_without_a_wallet_is_told_what_waits(
    payer: Wallet, open_context: Opener
) -> None:
    page = open_context().new_page()
    add_authenticator(page)
    page.goto(make_link(payer, "3.30"))
    expect(page.get_by_text("E-cash waits behind this link")).to_be_visible()
    page.get_by_role("button", name="Create a wallet").click()
    page.get_by_label("Your name").fill("Noor")
    page.get_by_label("Handle").fill(f"noor-{os.urandom(3).hex()}")
    page.get_by_role("button", name="Create a wallet").click()
    expect(page.locator("[data-take=token]")).to_contain_text("€3.30")


def test_whom_a_code_brings_without_a_wallet_is_told_that_it_comes_next(
    open_context: Opener, till: Till
) -> None:
    _, code = till.charge("250")
    page = open_context().new_page()
    page.goto(f"/wallet#pay={code}")
    expect(page.get_by_text("The payment is shown once you are signed in")).to_be_visible()
    expect(page.get_by_text("Play money.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("The payment is shown once you are signed in")).to_be_visible()


_CHANGE_HANDS: Final = """(token) => {
    const before = localStorage.getItem("amana.token");
    localStorage.removeItem("amana.known");
    localStorage.setItem("amana.token", token);
    return before;
}"""


def change_hands(page: Page, token: str) -> str:
    """Somebody signs out and somebody else signs in, both in another tab; return whose it was."""
    page.evaluate("window.isBefore = true")
    other = page.context.new_page()
    other.goto("/")
    before = str(other.evaluate(_CHANGE_HANDS, token))
    other.close()
    page.wait_for_function("window.isBefore === undefined")
    return before


def test_a_payment_that_a_link_asks_for_outlives_a_reload_until_it_is_paid_or_left(
    wallet: Wallet, till: Till, operator: Operator
) -> None:
    """Nor does whoever signs in next in the same tab find it."""
    _, code = till.charge("260")
    page = wallet.page
    page.goto(f"/wallet#pay={code}")
    expect(wallet.pay_button).to_contain_text("€2.60")
    mine = change_hands(page, new_customer(operator, f"next-{os.urandom(4).hex()}"))
    expect(page.locator("#target")).to_have_value("")
    expect(wallet.pay_button).to_have_count(0)
    change_hands(page, mine)
    expect(page.locator("#target")).to_be_visible()
    for is_paid in (False, True):
        page.goto(f"/wallet#pay={code}")
        expect(wallet.pay_button).to_contain_text("€2.60")
        page.reload()
        expect(wallet.pay_button).to_contain_text("€2.60")
        assert page.url.endswith("/wallet#/pay"), "what is asked for is in no address"
        if is_paid:
            wallet.pay_button.click()
            wallet.expect_stage("concluded")
        else:
            page.get_by_role("button", name="Back").click()
        page.reload()
        expect(page.locator("#target")).to_have_value("")
        expect(wallet.pay_button).to_have_count(0)


def test_each_tab_goes_with_the_one_in_which_somebody_signs_in_or_out(
    open_context: Opener, operator: Operator
) -> None:
    first, second = (f"{name}-{os.urandom(4).hex()}" for name in ("first", "second"))
    tab = open_context().new_page()
    tab.goto("/wallet")
    sign_up = tab.get_by_role("button", name="Create a wallet")
    expect(sign_up).to_be_visible()
    wallet = Wallet.signed_in(tab.context.new_page(), new_customer(operator, first))
    expect(tab.get_by_text(f"@{first}")).to_be_visible()
    change_hands(tab, new_customer(operator, second))
    for page in (tab, wallet.page):
        expect(page.get_by_text(f"@{second}")).to_be_visible()
    wallet.go("settings")
    wallet.page.once("dialog", lambda dialog: dialog.accept())
    wallet.page.get_by_role("button", name="Sign out").click()
    expect(sign_up).to_be_visible()


def test_a_tab_that_missed_a_change_of_hands_writes_nothing_over_what_is_remembered(
    wallet: Wallet, operator: Operator
) -> None:
    held = wallet.account.locator(".large")
    before = held.inner_text()
    wallet.page.evaluate(_CHANGE_HANDS, "somebody else's")
    top_up(operator, operator.customer[0], "100")
    expect(held).not_to_have_text(before)
    assert wallet.page.evaluate("localStorage.getItem('amana.known')") is None


def test_a_refill_that_the_account_cannot_pay_gives_way_to_a_smaller_one(
    open_context: Opener, operator: Operator
) -> None:
    handle = f"broke-{os.urandom(4).hex()}"
    asked = {"handle": handle, "display_name": "Broke", "language": "en"}
    made = operator.post("/v1/operator/customers", operator.operator_token, asked)
    wallet = Wallet.signed_in(open_context().new_page(), str(made["token"]))
    wallet.go("purse")
    wallet.page.get_by_role("button", name="Start the purse").click()
    short = wallet.page.locator("[data-short]")
    expect(short).to_contain_text("more than your account holds")
    expect(short.get_by_role("radio")).to_have_count(0)
    wallet.page.get_by_role("button", name="Look for the refill now").click()
    expect(wallet.page.get_by_role("status").filter(has_text="still waits")).to_be_visible()
    amount = {"currency": "EUR", "minor": "6000"}
    topup = {"customer": handle, "amount": amount}
    operator.post("/v1/operator/topups", operator.operator_token, topup)
    expect(short.get_by_role("radio")).to_have_count(2)
    short.get_by_role("radio", name="€50.00").check()
    short.get_by_role("button", name="Choose this sum").click()
    expect(short).to_have_count(0)
    expect(wallet.page.locator("[data-filled]")).to_contain_text("€50.00")


def test_a_relay_is_not_blamed_for_a_network_that_was_away(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    watched.expect("ERR_INTERNET_DISCONNECTED")
    token = new_customer(operator, f"tunnel-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token, is_relayed=True)
    fill(wallet)
    wallet.page.context.set_offline(True)
    wallet.page.get_by_role("button", name="Look for e-cash").click()
    expect(wallet.page.get_by_text("Not known just now.")).to_be_visible()
    wallet.page.context.set_offline(False)
    expect(wallet.page.get_by_text("You are offline.")).to_have_count(0)
    expect(wallet.page.locator("[data-relay=gone]")).to_have_count(0)


def test_play_money_is_called_so_where_the_operator_is_not_asked(
    payer: Wallet, till: Till, watched: Watched
) -> None:
    _, code = till.charge("450")
    begun = len(watched.requests)
    page = payer.page.context.new_page()
    page.goto(f"/wallet#pay={code}")
    expect(Wallet(page).pay_button).to_be_visible()
    expect(page.get_by_text("Play money.")).to_be_visible()
    assert not [one for one in watched.requests[begun:] if one.url.endswith("/health")]


@pytest.mark.parametrize("way", ["payer", "wallet"])
def test_a_payment_that_was_confirmed_without_a_network_goes_on_as_the_banner_says(
    way: str, request: pytest.FixtureRequest, till: Till, watched: Watched
) -> None:
    watched.expect("ERR_INTERNET_DISCONNECTED")
    wallet: Wallet = request.getfixturevalue(way)
    banner = wallet.page.get_by_role("complementary", name="Notices")
    _, code = till.charge("150")
    wallet.propose(code)
    wallet.page.context.set_offline(True)
    expect(banner).to_contain_text("goes on by itself once you are online")
    is_kept = wallet.page.locator("form[data-from=purse]").count() == 1
    assert ("E-cash that you made ready" in banner.inner_text()) is is_kept is (way == "payer")
    wallet.pay_button.click()
    wallet.expect_stage("unknown")
    wallet.page.context.set_offline(False)
    wallet.expect_stage("concluded")
