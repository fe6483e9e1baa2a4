"""A wallet that reaches the mint through a relay reaches it in no other way."""

import os
import time
from typing import Final
from urllib.parse import quote

import pytest
from playwright.sync_api import Route, expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.screens import Wallet
from tests.browser.test_browser_purse import fill, new_customer

pytestmark = pytest.mark.browser

LONG_AGO: Final = 3_600
"""Seconds for which a page believes to stand open: longer than a glance at the balance."""


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


def interrupted(
    wallet: Wallet, operator: Operator, watched: Watched, minor: int
) -> tuple[str, int]:
    """Fill the purse and lose a payment from it; return its order, and where its requests begin."""
    fill(wallet)
    begun = len(watched.requests)
    order = review(wallet, operator, minor)
    lost_after_tap(wallet, operator)
    return order, begun


def to_mint(watched: Watched, operator: Operator) -> list[str]:
    """What went to the mint without the relay."""
    return [one.url for one in watched.requests if one.url.startswith(operator.mint_url)]


def relay_questions(watched: Watched, begun: int) -> list[str]:
    """Questions for the relay at the operator's own origin, which sees from where they come."""
    urls = [one.url for one in watched.requests[begun:]]
    return [url for url in urls if url.endswith("/v1/relay-key")]


def test_a_payment_that_a_reload_interrupts_is_carried_on_through_the_relay(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    token = new_customer(operator, f"resumed-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token, is_relayed=True)
    order, begun = interrupted(wallet, operator, watched, 800)
    wallet.page.goto("/wallet#/purse")
    expect(wallet.page.locator(f"[data-receipt={order}]")).to_be_visible()
    paid = operator.get(f"/v1/orders/{order}", operator.merchant[1])
    assert (paid["status"], paid["paid_from"]) == ("paid", "purse")
    assert to_mint(watched, operator) == []
    assert relay_questions(watched, begun) == []


def test_where_the_relay_is_gone_a_payment_waits_until_the_person_chooses(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    watched.expect("net::ERR_FAILED|ERR_CONNECTION")
    token = new_customer(operator, f"waiting-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token, is_relayed=True)
    order, begun = interrupted(wallet, operator, watched, 850)
    wallet.page.context.route(f"{operator.relay_url}/**", lambda route: route.abort())
    wallet.page.goto("/wallet#/purse")
    gone = wallet.page.locator("[data-relay=gone]")
    expect(gone).to_contain_text("cannot be used just now")
    assert to_mint(watched, operator) == []
    gone.get_by_role("button").click()
    expect(wallet.page.locator(f"[data-receipt={order}]")).to_be_visible()
    assert relay_questions(watched, begun) == []
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
    begun = len(watched.requests)
    order = review(wallet, operator, 700)
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    paid = operator.get(f"/v1/orders/{order}", operator.merchant[1])
    assert (paid["status"], paid["paid_from"]) == ("paid", "purse")
    assert to_mint(watched, operator) == []
    assert not [one.url for one in watched.requests if one.url.endswith("/v1/codes")]
    assert relay_questions(watched, begun) == []
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


def test_another_relay_is_used_only_if_the_person_agrees(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    token = new_customer(operator, f"pinned-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token, is_relayed=True)
    page = wallet.page
    fill(wallet)
    told = operator.get("/v1/relay-key", operator.merchant[1])
    own = {**told, "relay": "https://relay-of-one.example"}
    page.context.route("**/v1/relay-key", lambda route: route.fulfill(json=own))
    wallet.go("settings")
    question = page.locator("[data-relay=offered]")
    expect(page.get_by_role("button", name="Ask your operator now")).to_be_visible()
    expect(question).to_have_count(0)
    page.get_by_role("button", name="Ask your operator now").click()
    expect(question).to_contain_text("relay-of-one.example")
    review(wallet, operator, 600)
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    page.goto("about:blank")
    wallet.go("home")
    expect(question).to_contain_text("now names")
    question.get_by_role("button", name="Keep").click()
    expect(question).to_have_count(0)
    page.goto("about:blank")
    wallet.go("settings")
    expect(page.locator("#relay-text")).to_contain_text("relay.localhost")
    expect(question).to_have_count(0)
    assert to_mint(watched, operator) == []
    assert watched.strangers() == []


def test_a_wallet_that_knows_no_relay_asks_in_an_idle_opening_alone(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    token = new_customer(operator, f"forgot-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token, is_relayed=True)
    wallet.go("purse")
    wallet.page.get_by_role("button", name="Start the purse").click()
    look = wallet.page.get_by_role("button", name="Look for the refill now", include_hidden=True)
    expect(look).to_be_enabled()
    wallet.page.evaluate("localStorage.removeItem('amana.relay.known')")
    wallet.page.goto("about:blank")
    begun = len(watched.requests)
    wallet.go("settings")
    text = wallet.page.locator("#relay-text")
    expect(text).to_contain_text("not known here yet")
    assert relay_questions(watched, begun) == []
    wallet.page.goto("about:blank")
    idle = Wallet(wallet.page.context.new_page())
    idle.page.clock.install(time=time.time() - LONG_AGO)
    idle.go("settings")
    expect(idle.page.locator("#relay-text")).to_contain_text("relay.localhost")
    assert len(relay_questions(watched, begun)) == 1
    assert to_mint(watched, operator) == []
