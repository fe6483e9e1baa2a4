"""Who gets in, and whether everybody can use it: keyboard, script, contrast, no network."""

import os
from collections.abc import Sequence
from typing import Final

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import PHONE, ROOT, Opener, Operator, Watched
from tests.browser.screens import Till, Wallet

pytestmark = pytest.mark.browser

AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
TABS_MAX: Final = 40
TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OF_COLOURS: Final = ("color-contrast", "link-in-text-block")
"""The rules that can find another fault where the colours are others."""


def add_authenticator(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_new_customer_signs_up_pays_and_comes_back_with_the_passkey(
    open_context: Opener, operator: Operator, till: Till
) -> None:
    page = open_context().new_page()
    page.goto("/wallet")
    add_authenticator(page)
    handle = f"salma-{os.urandom(3).hex()}"
    page.get_by_role("button", name="Create a wallet").click()
    page.get_by_label("Your name").fill("سلمى Karim")
    page.get_by_label("Handle").fill(handle)
    page.get_by_role("button", name="Create a wallet").click()
    wallet = Wallet(page)
    expect(wallet.account).to_contain_text("سلمى Karim")
    expect(page.get_by_text("no money in the account")).to_be_visible()
    opening = wallet.available()
    topup = {"customer": handle, "amount": {"currency": "EUR", "minor": "5000"}}
    operator.post("/v1/operator/topups", operator.operator_token, topup)
    _, code = till.charge("1500")
    wallet.pay(code)
    wallet.finish()
    assert wallet.available() == opening + 3500
    wallet.go("settings")
    page.once("dialog", lambda question: question.accept())
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(wallet.account).to_contain_text("سلمى Karim")


def test_what_failed_on_signing_in_is_not_told_of_creating_a_wallet(open_context: Opener) -> None:
    page = open_context().new_page()
    page.goto("/wallet")
    add_authenticator(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used.")
    page.get_by_role("button", name="Create a wallet").click()
    expect(page.get_by_label("Handle")).to_be_visible()
    expect(page.get_by_text("No passkey was used.")).to_have_count(0)


def test_a_handle_that_is_taken_is_refused_in_words(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    watched.expect("409")
    page = open_context().new_page()
    page.goto("/wallet")
    add_authenticator(page)
    page.get_by_role("button", name="Create a wallet").click()
    page.get_by_label("Your name").fill("Somebody")
    page.get_by_label("Handle").fill(operator.customer[0])
    page.get_by_role("button", name="Create a wallet").click()
    expect(page.get_by_role("alert")).to_have_text("This handle is taken.")


@pytest.mark.parametrize("page_name", ["wallet", "till"])
def test_a_token_leaves_the_address_and_a_wrong_one_opens_nothing(
    open_context: Opener, watched: Watched, page_name: str
) -> None:
    watched.expect("401")
    page = open_context().new_page()
    page.goto(f"/{page_name}#token=wrong")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "wrong" not in page.url
    expect(page.locator("form, .hero").first).to_be_visible()
    assert all("wrong" not in request.url for request in watched.requests[1:])


def assert_fits(page: Page, where: str) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE[0], f"{where} is {width} px wide"


def test_arabic_is_right_to_left_and_fits_a_small_phone(
    open_context: Opener, operator: Operator
) -> None:
    context = open_context(locale="ar-AE")
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert page.evaluate("document.documentElement.lang") == "ar"
    assert_fits(page, "the first page")
    till = Till.opened(context.new_page(), operator.merchant[1])
    order, code = till.charge("4321", reference="طاولة 4", note="قهوة", tip=True)
    assert_fits(till.page, "the code")
    wallet = Wallet.signed_in(page, operator.customer[1])
    for screen in ("home", "history", "settings", "pay"):
        wallet.go(screen)
        expect(page.get_by_role("heading", level=1)).to_be_attached()
        assert_fits(page, screen)
    wallet.propose(code)
    assert_fits(page, "the review")
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    assert_fits(page, "the result")
    page.locator("[data-stage] a").click()
    expect(page.locator("dl")).to_be_visible()
    assert_fits(page, "the payment")
    till.expect_result("paid")
    till.next_customer()
    till.open_today()
    expect(till.row(order)).to_be_visible()
    assert_fits(till.page, "today")
    till.page.locator("nav button").nth(2).click()
    assert_fits(till.page, "the code to print")


def test_the_language_is_switched_and_kept(wallet: Wallet) -> None:
    wallet.page.get_by_role("button", name="العربية").click()
    assert wallet.page.evaluate("document.documentElement.dir") == "rtl"
    expect(wallet.page.get_by_role("link", name="امسح لتدفع")).to_be_visible()
    wallet.page.reload()
    expect(wallet.page.get_by_role("link", name="امسح لتدفع")).to_be_visible()


def tab_to(page: Page, text: str) -> None:
    """Press Tab until what has the focus is named so, as somebody without a mouse would."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { const one = document.activeElement;"
            " return (one?.getAttribute('aria-label') ?? one?.labels?.[0]?.textContent"
            " ?? one?.textContent ?? '').trim(); }"
        )
        if text in focused:
            return
    pytest.fail(f"{text!r} is not reached by {TABS_MAX} presses of Tab")


def test_a_payment_is_made_with_the_keyboard_alone(wallet: Wallet, till: Till) -> None:
    till.page.keyboard.type("725")
    till.page.keyboard.press("Enter")
    _, code = till.shown_order()
    page = wallet.page
    tab_to(page, "Pay by handle or code")
    page.keyboard.press("Enter")
    tab_to(page, "Handle or code")
    page.keyboard.insert_text(code)
    page.keyboard.press("Enter")
    expect(wallet.pay_button).to_be_visible()
    tab_to(page, "€7.25")
    page.keyboard.press("Enter")
    wallet.expect_stage("concluded")
    expect(page.get_by_role("heading", name="Paid")).to_be_focused()
    till.expect_result("paid")
    expect(till.result.get_by_role("button")).to_be_focused()
    till.page.keyboard.press("Enter")
    expect(till.keypad).to_be_visible()


def faults(page: Page, where: str, rules: Sequence[str] = ()) -> list[str]:
    """What axe finds against WCAG 2.2 AA, contrast included, or by some rules alone."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS}
    asked = {"runOnly": only, "resultTypes": ["violations"]}
    found = page.evaluate("asked => axe.run(asked)", asked)
    return [
        f"{where}: {violation['id']}: {node['html'][:160]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def faults_by_day_and_night(page: Page, where: str) -> list[str]:
    """What axe finds on a screen in light colours, and what in dark ones goes by colours."""
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found = faults(page, f"{where}, dark", OF_COLOURS)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return found + faults(page, f"{where}, light")


def test_every_screen_is_accessible_and_has_contrast(
    open_context: Opener, operator: Operator
) -> None:
    context = open_context()
    page = context.new_page()
    found: list[str] = []
    for path in ("/", "/wallet", "/till"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        found += faults_by_day_and_night(page, path)
    till = Till.opened(context.new_page(), operator.merchant[1])
    found += faults_by_day_and_night(till.page, "keypad")
    order, code = till.charge("1990", reference="A", note="tea", tip=True)
    found += faults_by_day_and_night(till.page, "code")
    wallet = Wallet.signed_in(page, operator.customer[1])
    for screen in ("home", "pay", "settings"):
        wallet.go(screen)
        expect(page.get_by_role("heading", level=1)).to_be_attached()
        found += faults_by_day_and_night(page, screen)
    wallet.propose(code)
    found += faults_by_day_and_night(page, "review")
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    found += faults_by_day_and_night(page, "result")
    till.expect_result("paid")
    found += faults_by_day_and_night(till.page, "paid")
    till.next_customer()
    till.open_today()
    expect(till.row(order)).to_be_visible()
    found += faults_by_day_and_night(till.page, "today")
    till.row(order).get_by_role("button").click()
    found += faults_by_day_and_night(till.page, "refund")
    page.locator("[data-stage] a").click()
    expect(page.get_by_role("heading", name="Payment", exact=True)).to_be_visible()
    found += faults_by_day_and_night(page, "payment")
    wallet.go("history")
    found += faults_by_day_and_night(page, "history")
    assert not found, "\n".join(found)


def test_the_wallet_opens_without_a_network_and_remembers_no_money(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    watched.expect("ERR_INTERNET_DISCONNECTED|Failed to fetch|ERR_FAILED")
    context = open_context(has_service_worker=True)
    wallet = Wallet.signed_in(context.new_page(), operator.customer[1])
    wallet.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    context.set_offline(True)
    wallet.page.goto("/wallet")
    expect(wallet.page.get_by_text("You are offline.")).to_be_visible()
    kept = wallet.page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async (name) =>"
        " (await (await caches.open(name)).keys()).map((request) => request.url)))).flat()"
    )
    assert any(address.endswith("/wallet") for address in kept)
    assert not any("/v1/" in address for address in kept)
    context.set_offline(False)
    expect(wallet.account).to_be_visible(timeout=15_000)


def test_the_first_page_is_honest_about_what_is_there(open_context: Opener) -> None:
    page = open_context().new_page()
    page.goto("/")
    expect(page.get_by_text("Not there yet", exact=True)).to_have_count(4)
    expect(page.get_by_text("the operator does not see who pays")).to_be_visible()
    expect(page.get_by_text("Not a bank")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the wallet").click()
    expect(opened.value.get_by_role("heading", level=1)).to_be_visible()


def test_the_pages_declare_how_they_install(operator: Operator, open_context: Opener) -> None:
    page = open_context().new_page()
    for name in ("/wallet", "/till"):
        page.goto(name)
        link = page.locator("link[rel=manifest]").get_attribute("href")
        assert link is not None
        manifest = page.request.get(operator.url + link).json()
        assert manifest["start_url"] == name
        for icon in manifest["icons"]:
            assert page.request.get(operator.url + icon["src"]).ok, icon["src"]


def test_the_demonstrations_link_opens_wallet_and_till_from_the_first_page(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    page = open_context().new_page()
    handed = f"wallet={operator.customer[1]}&till={operator.merchant[1]}&online={operator.link}"
    page.goto(f"/#{handed}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("location.hash") == ""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the wallet").click()
    expect(Wallet(opened.value).account).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the till").click()
    expect(Till(opened.value).keypad).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Pay a bookshop's link").click()
    expect(opened.value.locator("main")).to_contain_text("Book Harbour")
    assert opened.value.url.startswith(f"{operator.checkout_url}/l/#")
    assert all(operator.link not in request.url for request in watched.requests)
    assert all(operator.customer[1] not in request.url for request in watched.requests[1:])
