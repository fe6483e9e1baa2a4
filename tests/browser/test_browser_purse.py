"""The private purse: filled ahead, spent at the till without a name, never losing a coin."""

import json
import os
import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.recorder import Recorder, path
from tests.browser.screens import TOLD, Till, Wallet, minor_units
from tests.browser.test_browser_access import assert_fits, faults_by_day_and_night, tab_to

pytestmark = pytest.mark.browser

LOOKS_MAX = 2_000
"""Looks after a refill, which comes within half a minute of the demonstration's hours."""

SECOND_REFILL_MS = 60_000


def top_up(operator: Operator, handle: str, minor: str) -> None:
    """Put money into a customer's account."""
    body = {"customer": handle, "amount": {"currency": "EUR", "minor": minor}}
    operator.post("/v1/operator/topups", operator.operator_token, body)


def new_customer(operator: Operator, handle: str) -> str:
    """A customer of this test alone, with money in the account."""
    made = operator.post(
        "/v1/operator/customers",
        operator.operator_token,
        {"handle": handle, "display_name": handle.title(), "language": "en"},
    )
    top_up(operator, handle, "60000")
    token = made["token"]
    assert isinstance(token, str)
    return token


def fill(wallet: Wallet) -> None:
    """Start the purse and look for the refill until it is there."""
    wallet.go("purse")
    wallet.page.get_by_role("button", name="Start the purse").click()
    # Once nothing is waited for the button is folded away, perhaps just now.
    look = wallet.page.get_by_role("button", name="Look for the refill now", include_hidden=True)
    held = wallet.page.locator("section .large")
    for _ in range(LOOKS_MAX):
        expect(look).to_be_enabled()
        if minor_units(held.inner_text()) > 0:
            return
        look.dispatch_event("click")
    pytest.fail("the refill did not come")


def await_second_refill(wallet: Wallet) -> None:
    """Wait until a young purse's second refill left the account: the page is told, and asks."""
    wallet.go("home")
    expect(wallet.account.locator(".large")).to_contain_text("200.00", timeout=SECOND_REFILL_MS)


@pytest.fixture
def recorder(payer: Wallet, operator: Operator) -> Recorder:
    """Everything the payer's browser sends once its purse is full; it must not tell anything."""
    return Recorder.of(payer.page.context, operator)


@pytest.fixture
def payer(open_context: Opener, operator: Operator) -> Wallet:
    """A wallet with a full purse."""
    handle = f"payer-{os.urandom(4).hex()}"
    wallet = Wallet.signed_in(open_context().new_page(), new_customer(operator, handle))
    wallet.handle = handle
    fill(wallet)
    return wallet


def look_at(wallet: Wallet, code: str) -> None:
    """Go to the review of a payment from the purse."""
    wallet.propose(code)
    expect(wallet.page.locator("form[data-from=purse]")).to_be_visible()


def test_a_till_is_paid_from_the_purse_and_the_operator_is_asked_nothing(
    payer: Wallet, till: Till, operator: Operator, recorder: Recorder
) -> None:
    order, code = till.charge("1250", reference="Table 4")
    await_second_refill(payer)
    expect(payer.purse).to_be_visible()
    before, account = payer.in_purse(), payer.available()
    begun = len(recorder.requests)
    look_at(payer, code)
    expect(payer.page.locator("form")).to_contain_text("the operator sees that")
    expect(payer.page.locator("form")).to_contain_text("Table 4")
    payer.pay_button.click()
    payer.expect_stage("concluded")
    till.expect_result("paid")
    payer.finish()
    assert recorder.named_since(begun) == []
    assert payer.in_purse() == before - 1250
    assert payer.available() == account
    assert len(recorder.redemptions()) == 1
    assert recorder.leaks() == []
    stored = json.dumps(operator.get(f"/v1/orders/{order}", operator.merchant[1]))
    assert '"paid"' in stored
    assert "payer-" not in stored


FORGE = """async ([mint, body]) => {
    const headers = { Authorization: "Bearer x" };
    const init = { method: "POST", body, headers };
    await fetch(mint + "/v1/melt/amana-merchant?who=me", init).catch(() => 0);
    const plain = { method: "POST", body, credentials: "include", referrerPolicy: "unsafe-url" };
    await fetch(mint + "/v1/melt/amana-account", plain).catch(() => 0);
    await fetch(mint + "/v1/swap", { method: "POST", body }).catch(() => 0);
    await fetch("/v1/telemetry", { method: "POST", body }).catch(() => 0);
    const socket = new WebSocket("/v1/ws?paid=first");
    await new Promise((resolve) => (socket.onerror = resolve));
}"""


def test_what_the_recorder_looks_for_is_found_in_a_browser(
    recorder: Recorder, payer: Wallet, watched: Watched
) -> None:
    """What only a browser adds; each other clause is tried on messages alone."""
    watched.expect("400|403|404|405|WebSocket|Access-Control|ERR_FAILED|CORS")
    mint = recorder.operator.mint_url
    payer.page.context.add_cookies(
        [
            {
                "name": "session",
                "value": "x",
                "domain": "mint.localhost",
                "path": "/",
                "secure": True,
                "sameSite": "None",
            }
        ]
    )
    # An answer that does not end its connection, as the mint's own always do.
    payer.page.context.route(
        f"{mint}/v1/swap", lambda route: route.fulfill(status=400, headers={"x": "y"}, body="{}")
    )
    proof = {"amount": 8, "id": "0", "secret": "s", "C": "c", "dleq": {"r": "1"}}
    leaky = {"quote": "q", "inputs": [proof], "outputs": []}
    payer.page.evaluate(FORGE, [mint, json.dumps(leaky)])
    found = "\n".join(recorder.leaks())
    for leak in ("authorization", "cookie", "referer", "address", "dleq", "s was sent before"):
        assert leak in found
    assert "POST /v1/telemetry: nothing that a wallet asks the operator" in found
    assert "/v1/ws?paid=first: a socket" in found
    assert "POST /v1/swap: its connection stays open" in found
    assert "POST /v1/melt/amana-merchant: its connection stays open" not in found


def test_the_recorder_hears_what_the_operator_tells_a_page(
    wallet: Wallet, operator: Operator
) -> None:
    """Goal: a look that the operator brought about is told from one that a payment did."""
    recorder, handle = Recorder.of(wallet.page.context, operator), operator.customer[0]
    paid_in = {"customer": handle, "amount": {"currency": "EUR", "minor": "100"}}
    with wallet.page.expect_console_message(lambda said: said.text == TOLD):
        wallet.page.reload()
    with wallet.page.expect_console_message(lambda said: said.text == TOLD):
        operator.post("/v1/operator/topups", operator.operator_token, paid_in)
    assert recorder.told


def lose(page: Page, watched: Watched, *, after_effect: bool) -> Callable[[], int]:
    """Lose the first answer of the mint to a payment, or the request itself."""
    watched.expect("net::ERR_FAILED")
    lost: list[int] = []

    def handle(route: Route) -> None:
        if route.request.method != "POST" or lost:
            route.continue_()
            return
        lost.append(1)
        if after_effect:
            # The driver's own resolver does not know names below localhost, as browsers do.
            address = route.request.url.replace("://mint.localhost", "://localhost")
            headers = {"Blind-auth": route.request.headers.get("blind-auth", "")}
            body = route.request.post_data or ""
            httpx.post(address, content=body, headers=headers).raise_for_status()
        # The page goes away before it hears: nothing answers any more.

    page.context.route("**/v1/melt/amana-merchant", handle)
    return lambda: len(lost)


@pytest.mark.parametrize("after_effect", [True, False], ids=["answer lost", "request lost"])
def test_a_reload_in_the_middle_loses_no_coin(
    *,
    payer: Wallet,
    till: Till,
    watched: Watched,
    recorder: Recorder,
    after_effect: bool,
) -> None:
    _, code = till.charge("1100")
    payer.go("home")
    before = payer.in_purse()
    lost = lose(payer.page, watched, after_effect=after_effect)
    look_at(payer, code)
    payer.pay_button.click()
    expect(payer.page.locator("[data-stage=working]")).to_be_visible()
    while lost() == 0:
        payer.page.evaluate("0")
    payer.page.goto("/wallet#/purse")
    payer.page.reload()
    till.expect_result("paid")
    expect(payer.page.locator("[data-receipt]")).to_have_count(1)
    payer.go("home")
    expect(payer.purse).to_be_visible()
    assert payer.in_purse() == before - 1100
    assert recorder.leaks() == []


def test_a_purse_that_is_too_small_offers_the_account_and_withdraws_nothing(
    payer: Wallet, till: Till, operator: Operator, recorder: Recorder
) -> None:
    # A young purse's second refill may come in meanwhile: more than both, less than the account.
    top_up(operator, payer.handle, "30000")
    _, code = till.charge("45000")
    begun = len(recorder.requests)
    payer.go("pay")
    payer.page.locator("#target").fill(code)
    payer.page.locator("#target").press("Enter")
    expect(payer.page.get_by_role("alert")).to_contain_text("not enough in the purse")
    assert recorder.named_since(begun) == []
    payer.page.get_by_role("button", name="Pay from the account").click()
    expect(payer.page.get_by_text("This payment is named")).to_be_visible()
    payer.pay_button.click()
    payer.expect_stage("concluded")
    till.expect_result("paid")
    assert recorder.redemptions() == []
    assert not [one for one in recorder.requests if path(one) == "/v1/purse/refill"]


def test_money_goes_back_to_the_account_in_a_tier(payer: Wallet, recorder: Recorder) -> None:
    payer.go("purse")
    # The sums of refills, which have such a label too, come before those that go back.
    payer.page.locator("label", has_text="€50.00").last.click()
    payer.page.get_by_role("button", name="Move back").click()
    expect(payer.page.locator("[data-ended=paid]")).to_be_visible()
    # A young purse's second refill may have come in meanwhile.
    held = re.compile(r"^€(150|350)\.00$")
    expect(payer.page.locator("section .large").first).to_have_text(held)
    assert recorder.leaks() == []


def test_a_refund_comes_back_as_e_cash_for_the_payments_own_key(
    payer: Wallet, till: Till, operator: Operator, recorder: Recorder
) -> None:
    order, code = till.charge("900")
    look_at(payer, code)
    payer.pay_button.click()
    payer.expect_stage("concluded")
    payer.finish()
    refund = {"amount": {"currency": "EUR", "minor": "400"}}
    payer.go("purse")
    row = payer.page.locator(f"[data-receipt={order}]")
    held = payer.page.locator("section .large").first
    before = minor_units(held.inner_text())
    row.get_by_role("button").click()
    expect(row.locator("[data-refunded=none]")).to_be_visible()
    operator.post(f"/v1/orders/{order}/refunds", operator.merchant[1], refund)
    row.get_by_role("button").click()
    expect(row.locator("[data-refunded=arrived]")).to_be_visible()
    assert minor_units(held.inner_text()) == before + 400
    assert recorder.leaks() == []


def each_screen(payer: Wallet, code: str) -> Iterator[str]:
    """Go through the screens of the purse, as far as one payment comes."""
    for screen in ("home", "purse"):
        payer.go(screen)
        expect(payer.page.locator("main h1")).to_be_attached()
        expect(payer.page.locator(".large").first).to_be_visible()
        yield screen
    look_at(payer, code)
    yield "review"
    payer.pay_button.click()
    payer.expect_stage("concluded")
    yield "paid"


def test_the_purse_is_accessible_and_has_contrast(payer: Wallet, till: Till) -> None:
    _, code = till.charge("310", tip=True)
    found = [
        fault
        for screen in each_screen(payer, code)
        for fault in faults_by_day_and_night(payer.page, screen)
    ]
    assert found == []


def test_the_purse_in_arabic_is_right_to_left_and_fits_a_small_phone(
    payer: Wallet, till: Till
) -> None:
    payer.page.evaluate("localStorage.setItem('amana.language', 'ar')")
    payer.page.reload()
    expect(payer.page.locator("html")).to_have_attribute("dir", "rtl")
    _, code = till.charge("310")
    for screen in each_screen(payer, code):
        assert_fits(payer.page, screen)


def test_a_private_payment_is_made_with_the_keyboard_alone(payer: Wallet, till: Till) -> None:
    _, code = till.charge("275")
    payer.go("pay")
    payer.page.locator("#target").focus()
    payer.page.keyboard.type(code)
    payer.page.keyboard.press("Enter")
    expect(payer.page.locator("form[data-from=purse]")).to_be_visible()
    tab_to(payer.page, "€2.75")
    payer.page.keyboard.press("Enter")
    payer.expect_stage("concluded")
    till.expect_result("paid")


def test_a_wallet_that_is_opened_to_pay_does_not_tell_the_operator_who_is_there(
    payer: Wallet, till: Till, recorder: Recorder
) -> None:
    _, code = till.charge("1250", reference="Table 5")
    payer.page.goto("about:blank")
    begun = len(recorder.requests)
    payer.go("home")
    show = payer.page.get_by_role("button", name="Show my account")
    expect(show).to_be_visible()
    look_at(payer, code)
    payer.pay_button.click()
    payer.expect_stage("concluded")
    payer.finish()
    expect(show).to_be_visible()
    assert recorder.named_since(begun) == []
    show.click()
    expect(payer.account).to_be_visible()
