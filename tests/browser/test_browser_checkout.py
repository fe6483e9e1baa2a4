"""The checkout: what a payer sees without signing in, and how the wallet takes it from there."""

import os
import re
from collections.abc import Sequence
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import ROOT, Opener, Operator, Watched
from tests.browser.screens import Wallet
from tests.browser.test_browser_purse import fill, new_customer

pytestmark = pytest.mark.browser

AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
TABS_MAX: Final = 40


def make_order(operator: Operator, **more: object) -> dict[str, object]:
    asked = {"amount": {"currency": "EUR", "minor": "1250"}, "reference": "Basket 7", **more}
    return operator.post("/v1/orders", operator.merchant[1], asked)


def open_checkout(page: Page, operator: Operator, order: object) -> None:
    page.goto(f"{operator.checkout_url}/o/#{order}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def breaches(page: Page) -> Sequence[object]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[object] = page.evaluate(
        "async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html)])"
    )
    return found


def test_the_page_shows_the_order_opens_the_wallet_and_turns_to_paid(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    order = make_order(operator)
    context = open_context()
    page = context.new_page()
    open_checkout(page, operator, order["id"])
    expect(page.locator("main")).to_contain_text("Corner Bakery")
    expect(page.locator("main")).to_contain_text("€12.50")
    expect(page.locator("main")).to_contain_text("Basket 7")
    expect(page.get_by_role("timer")).to_contain_text(re.compile(r"\d+:\d\d"))
    expect(page.locator("[data-code]")).to_have_attribute("data-code", str(order["code"]))
    expect(page.locator("main")).to_contain_text("and not by whom")
    address = page.get_by_role("link", name="Pay with the wallet").get_attribute("href")
    assert address is not None
    token = new_customer(operator, f"payer-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(context.new_page(), token)
    fill(wallet)
    wallet.page.goto("about:blank")
    wallet.page.goto(address)
    expect(wallet.page.locator("form[data-from=purse]")).to_be_visible()
    expect(wallet.pay_button).to_contain_text("€12.50")
    assert "0002" not in wallet.page.url, "the code leaves the address"
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    expect(page.locator("[data-status=paid]")).to_contain_text("Paid")
    expect(page.locator("[data-status=paid]")).to_contain_text("€12.50")
    checked = [one for one in watched.requests if one.url.startswith(operator.checkout_url)]
    assert all(str(order["id"]) not in one.url for one in checked)
    assert all("cookie" not in one.headers for one in checked)
    assert not context.cookies()


def test_a_wallet_without_a_purse_pays_the_order_by_name(
    open_context: Opener, operator: Operator
) -> None:
    order = make_order(operator)
    wallet = Wallet.signed_in(open_context().new_page(), operator.customer[1])
    wallet.propose(str(order["code"]))
    expect(wallet.page.get_by_text("This payment is named")).to_be_visible()
    expect(wallet.page.locator("form[data-from=purse]")).to_have_count(0)


def test_an_order_that_is_taken_later_says_that_it_is_for_accounts_only(
    open_context: Opener, operator: Operator
) -> None:
    order = make_order(operator, capture="manual")
    page = open_context().new_page()
    open_checkout(page, operator, order["id"])
    expect(page.locator("main")).to_contain_text("From an account only")
    expect(page.get_by_text("Another Cashu wallet")).to_have_count(0)


def test_wallets_by_others_find_their_request_under_a_fold(
    open_context: Opener, operator: Operator
) -> None:
    order = make_order(operator)
    page = open_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    open_checkout(page, operator, order["id"])
    expect(page.locator("[data-request]")).not_to_be_visible()
    page.get_by_text("Another Cashu wallet").click()
    expect(page.locator("[data-request]")).to_have_attribute(
        "data-request", str(order["cashu_request"])
    )
    page.get_by_role("button", name="Copy the code").click()
    assert page.evaluate("navigator.clipboard.readText()") == order["cashu_request"]


def test_an_order_that_was_cancelled_is_over(open_context: Opener, operator: Operator) -> None:
    order = make_order(operator)
    page = open_context().new_page()
    open_checkout(page, operator, order["id"])
    operator.post(f"/v1/orders/{order['id']}/cancel", operator.merchant[1], {})
    expect(page.locator("[data-status=cancelled]")).to_contain_text("Ask")


def test_what_is_not_there_is_told_in_words(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    watched.expect("404")
    page = open_context().new_page()
    for place in ("/o/", "/o/#x", f"/o/#ord_{'1' * 26}", "/l/#short"):
        page.goto("about:blank")
        page.goto(operator.checkout_url + place)
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("There is nothing to pay here")


@pytest.mark.parametrize("locale", ["en-GB", "ar-AE"])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_everybody_can_use_the_checkout(
    open_context: Opener, operator: Operator, locale: str, color_scheme: str
) -> None:
    order = make_order(operator)
    page = open_context(
        locale=locale,
        color_scheme="dark" if color_scheme == "dark" else "light",
    ).new_page()
    open_checkout(page, operator, order["id"])
    page.locator("summary").click()
    assert page.evaluate("document.documentElement.dir") == ("rtl" if locale[:2] == "ar" else "ltr")
    assert breaches(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_keyboard_alone_reaches_the_wallet_and_the_fold(
    open_context: Opener, operator: Operator
) -> None:
    order = make_order(operator)
    page = open_context().new_page()
    open_checkout(page, operator, order["id"])
    reached = []
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.tagName"))
        if reached[-1] == "SUMMARY":
            break
    assert "A" in reached
    page.keyboard.press("Enter")
    expect(page.locator("[data-request]")).to_be_visible()


def test_no_other_page_may_frame_the_checkout(shared_browser: Browser, operator: Operator) -> None:
    page = shared_browser.new_page()
    answer = page.goto(f"{operator.checkout_url}/o/")
    assert answer is not None
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "connect-src 'self';" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers
    page.close()


def test_a_link_with_an_open_amount_asks_for_it_and_stays_with_its_order(
    open_context: Opener, operator: Operator
) -> None:
    link = operator.post("/v1/links", operator.merchant[1], {"reference": "Coffee club"})
    page = open_context().new_page()
    page.goto(str(link["url"]))
    expect(page.locator("main")).to_contain_text("Coffee club")
    assert breaches(page) == []
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#amount")).to_have_attribute("aria-invalid", "true")
    page.locator("#amount").fill("7,50")
    page.locator("#amount").press("Enter")
    expect(page.locator("[data-code]")).to_be_visible()
    expect(page.locator("main")).to_contain_text("€7.50")
    address = page.url
    page.reload()
    expect(page.locator("[data-code]")).to_be_visible()
    assert page.url == address, "a reload makes no other order"


def test_a_link_for_one_payment_says_that_it_is_used(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    watched.expect("409")
    asked = {"amount": {"currency": "EUR", "minor": "300"}, "single_use": True}
    link = operator.post("/v1/links", operator.merchant[1], asked)
    context = open_context()
    page = context.new_page()
    page.goto(str(link["url"]))
    page.get_by_role("button", name="Continue").click()
    code = page.locator("[data-code]").get_attribute("data-code")
    assert code is not None
    Wallet.signed_in(context.new_page(), operator.customer[1]).pay(code)
    expect(page.locator("[data-status=paid]")).to_be_visible()
    page.goto("about:blank")
    page.goto(str(link["url"]))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_have_text("This link was for one payment, and is paid.")


def test_whoever_comes_without_a_link_is_told_what_this_is_and_where_to_go(
    open_context: Opener, operator: Operator
) -> None:
    page = open_context().new_page()
    page.goto(operator.checkout_url)
    expect(page.locator("[data-front]")).to_contain_text("without one, there is nothing to pay")
    assert breaches(page) == []
    page.get_by_role("link", name="Open the wallet").click()
    expect(page).to_have_url(re.compile(re.escape(operator.url) + "/wallet"))
