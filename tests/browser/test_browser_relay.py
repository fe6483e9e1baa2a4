"""A wallet that reaches the mint through a relay reaches it in no other way."""

import os
from urllib.parse import quote

import pytest
from playwright.sync_api import Route, expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.screens import Wallet
from tests.browser.test_browser_purse import fill, new_customer

pytestmark = pytest.mark.browser


def review(wallet: Wallet, operator: Operator, minor: int) -> str:
    """Open an order as the checkout's link does, from nothing; return its id."""
    amount = {"currency": "EUR", "minor": str(minor)}
    order = operator.post("/v1/orders", operator.merchant[1], {"amount": amount})
    wallet.page.goto("about:blank")
    wallet.page.goto(f"/wallet#pay={quote(str(order['code']))}")
    expect(wallet.page.locator("form[data-from=purse]")).to_be_visible()
    return str(order["id"])


def lost_after_tap(wallet: Wallet, operator: Operator) -> None:
    """Pay, lose what is sent to the relay, and close the page; after that the relay is back."""
    lost: list[Route] = []

    def keep_silent(route: Route) -> None:
        lost.append(route)

    wallet.page.context.route(f"{operator.relay_url}/**", keep_silent)
    wallet.pay_button.click()
    expect(wallet.page.locator("[data-stage=working]")).to_be_visible()
    while not lost:
        wallet.page.evaluate("0")
    wallet.page.goto("about:blank")
    wallet.page.context.unroute(f"{operator.relay_url}/**")


def to_mint(watched: Watched, operator: Operator) -> list[str]:
    """What went to the mint without the relay."""
    return [one.url for one in watched.requests if one.url.startswith(operator.mint_url)]


def test_a_payment_that_a_reload_interrupts_is_carried_on_through_the_relay(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    token = new_customer(operator, f"resumed-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token, is_relayed=True)
    fill(wallet)
    order = review(wallet, operator, 800)
    lost_after_tap(wallet, operator)
    wallet.page.goto("/wallet#/purse")
    expect(wallet.page.locator(f"[data-receipt={order}]")).to_be_visible()
    paid = operator.get(f"/v1/orders/{order}", operator.merchant[1])
    assert (paid["status"], paid["paid_from"]) == ("paid", "purse")
    assert to_mint(watched, operator) == []


def test_where_the_relay_is_gone_a_payment_waits_until_the_person_chooses(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    watched.expect("net::ERR_FAILED|ERR_CONNECTION")
    token = new_customer(operator, f"waiting-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token, is_relayed=True)
    fill(wallet)
    order = review(wallet, operator, 850)
    lost_after_tap(wallet, operator)
    wallet.page.context.route(f"{operator.relay_url}/**", lambda route: route.abort())
    wallet.page.goto("/wallet#/purse")
    gone = wallet.page.locator("[data-relay=gone]")
    expect(gone).to_contain_text("does not answer")
    assert to_mint(watched, operator) == []
    gone.get_by_role("button").click()
    expect(wallet.page.locator(f"[data-receipt={order}]")).to_be_visible()
    expect(gone).to_have_count(0)
    assert to_mint(watched, operator) != []


def test_a_payment_from_the_purse_goes_through_the_relay_alone(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    token = new_customer(operator, f"behind-{os.urandom(4).hex()}")
    # Nobody has chosen anything: the operator names a relay, so it is used from the first request.
    wallet = Wallet.signed_in(open_context().new_page(), token, is_relayed=True)
    wallet.go("settings")
    expect(wallet.page.get_by_label("Reach the mint through the relay")).to_be_checked()
    wallet.go("home")
    fill(wallet)
    order = review(wallet, operator, 700)
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    paid = operator.get(f"/v1/orders/{order}", operator.merchant[1])
    assert (paid["status"], paid["paid_from"]) == ("paid", "purse")
    assert to_mint(watched, operator) == []
    assert not [one.url for one in watched.requests if one.url.endswith("/v1/codes")]
    sent = [one for one in watched.requests if one.url.startswith(operator.relay_url)]
    posted = [one for one in sent if one.method == "POST"]
    assert posted
    for one in sent:
        told = {name: one.headers.get(name, "") for name in ("cookie", "authorization", "referer")}
        assert set(told.values()) == {""}
        assert one.headers["accept-language"] == "en"
    for one in posted:
        # Header, key, and a padded message with its tag.
        assert len(one.post_data_buffer or b"") - 7 - 32 - 16 in {2_048, 8_192, 32_768}
        assert b"secret" not in (one.post_data_buffer or b"")
