"""The ways to the purse's screens and away from them, and what they say of what is missing."""

import os
import re
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.recorder import Recorder
from tests.browser.screens import Till, Wallet
from tests.browser.test_browser_purse import fill, new_customer, payer, recorder
from tests.browser.test_browser_purse_people import make_link

from amana.wire.cashu import Token, read_token

__all__ = ["payer", "recorder"]

pytestmark = pytest.mark.browser

ON_ITS_WAY = re.compile("\u2068€[24]00[.]00\u2069 is on its way to your account")
"""One refill, or two: a young purse's second one may have come in before the purse was closed."""


@pytest.fixture
def relayed(open_context: Opener, operator: Operator, watched: Watched) -> Wallet:
    """A wallet with a full purse that has lost its relay."""
    watched.expect("net::ERR_FAILED|ERR_CONNECTION|ERR_INTERNET")
    token = new_customer(operator, f"relayed-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token, is_relayed=True)
    fill(wallet)
    wallet.page.context.route(f"{operator.relay_url}/**", lambda route: route.abort())
    return wallet


def to_mint(watched: Watched, operator: Operator) -> list[str]:
    """What went to the mint without the relay."""
    return [one.url for one in watched.requests if one.url.startswith(operator.mint_url)]


def test_a_person_is_paid_without_a_relay_that_is_gone_only_after_a_choice(
    relayed: Wallet, operator: Operator, watched: Watched
) -> None:
    payee = f"payee-{os.urandom(4).hex()}"
    new_customer(operator, payee)
    relayed.go("pay")
    relayed.page.locator("#target").fill(f"@{payee}")
    relayed.page.locator("#target").press("Enter")
    gone = relayed.page.locator("[data-relay=gone]")
    expect(gone).to_contain_text("cannot be used just now")
    expect(relayed.page.get_by_text("The mint cannot be reached")).to_have_count(0)
    assert to_mint(watched, operator) == []
    gone.get_by_role("button").click()
    expect(relayed.page.locator("form[data-seen]:not([data-seen=lost])")).to_be_visible()
    assert to_mint(watched, operator) != []


def test_the_purse_says_that_the_address_is_seen_once_the_relay_is_left_out(
    relayed: Wallet,
) -> None:
    address = relayed.page.locator("[data-address]")
    expect(address).to_have_attribute("data-address", "hidden")
    relayed.go("pay")
    relayed.page.locator("#target").fill("@somebody")
    relayed.page.locator("#target").press("Enter")
    gone = relayed.page.locator("[data-relay=gone]")
    expect(gone).to_be_visible()
    relayed.go("purse")
    gone.get_by_role("button").click()
    expect(gone).to_have_count(0)
    expect(address).to_have_attribute("data-address", "seen")
    expect(address).to_contain_text("this time")


def test_a_device_without_a_network_does_not_blame_the_relay(relayed: Wallet) -> None:
    relayed.page.context.set_offline(True)
    relayed.go("pay")
    relayed.page.locator("#target").fill("@somebody")
    relayed.page.locator("#target").press("Enter")
    expect(relayed.page.get_by_role("alert")).to_contain_text("The mint cannot be reached")
    expect(relayed.page.get_by_role("button", name="without the relay")).to_have_count(0)
    relayed.go("purse")
    expect(relayed.page.locator("[data-address]")).to_be_visible()
    expect(relayed.page.locator("[data-relay=gone]")).to_have_count(0)


def test_a_link_to_pay_is_followed_in_a_wallet_that_stands_open(
    payer: Wallet, till: Till, operator: Operator
) -> None:
    payee = f"payee-{os.urandom(4).hex()}"
    new_customer(operator, payee)
    _, code = till.charge("700")
    payer.go("home")
    expect(payer.purse).to_be_visible()
    payer.page.evaluate("(hash) => { location.hash = hash }", f"pay=@{payee}")
    expect(payer.page.locator("h1")).to_contain_text(f"@{payee}")
    # The next one is followed where the screen for paying is open already.
    payer.page.evaluate("(hash) => { location.hash = hash }", f"pay={quote(code)}")
    expect(payer.page.locator("h1")).to_contain_text("Corner Bakery")
    assert "pay=" not in payer.page.url
    payer.pay_button.click()
    payer.expect_stage("concluded")


def test_what_was_paid_leads_to_its_receipt_and_gives_way_to_another_screen(
    payer: Wallet, till: Till, recorder: Recorder
) -> None:
    order, code = till.charge("600", note="2 dates")
    payer.pay(code)
    expect(till.page.get_by_role("status").last).to_contain_text("none was sent")
    payer.page.get_by_role("link", name="Show the receipt").click()
    row = payer.page.locator(f"[data-receipt={order}]")
    expect(row).to_be_focused()
    expect(row).to_be_in_viewport(ratio=1)
    assert order not in payer.page.url
    till.next_customer()
    _, code = till.charge("500")
    payer.pay(code)
    payer.go("history")
    expect(payer.page.locator("[data-stage]")).to_have_count(0)
    expect(payer.page.locator("nav [aria-current=page]")).to_contain_text("History")
    assert recorder.leaks() == []


def test_a_purse_that_is_closed_says_what_is_on_its_way(payer: Wallet) -> None:
    payer.go("purse")
    payer.page.get_by_text("Close the purse").click()
    payer.page.get_by_role("checkbox", name="I understand that").check()
    payer.page.get_by_role("button", name="Move everything back").click()
    closed = payer.page.locator("[data-closed]").first
    expect(closed).to_contain_text(ON_ITS_WAY)
    payer.go("home")
    payer.go("purse")
    expect(closed).to_contain_text(ON_ITS_WAY)
    moved = payer.page.get_by_role("region", name="Moved back to the account")
    expect(moved.locator("li")).to_contain_text(re.compile(r"€[24]00\.00"))
    expect(payer.page.get_by_text("Paid from the purse")).to_have_count(0)


def pay_as_others_do(operator: Operator, order: str, token: str) -> None:
    """Pay an order by its request, as a wallet does that knows nothing of refunds."""
    port = httpx.URL(operator.mint_url).port
    mint = f"http://localhost:{port}"
    keysets = [one["id"] for one in httpx.get(f"{mint}/v1/keysets").json()["keysets"]]
    read = read_token(token)
    assert isinstance(read, Token)
    proofs = [
        {
            "amount": one.amount,
            "id": next(full for full in keysets if full.startswith(one.keyset_id)),
            "secret": one.secret,
            "C": one.point.hex(),
        }
        for one in read.proofs
    ]
    body = {"mint": operator.mint_url, "unit": "eur", "proofs": proofs}
    httpx.post(f"{mint}/v1/pay/{order}", json=body).raise_for_status()


def test_the_till_says_before_a_refund_is_tried_that_there_is_no_way_back(
    payer: Wallet, till: Till, operator: Operator
) -> None:
    link = make_link(payer, "4.20")
    order, _ = till.charge("420")
    pay_as_others_do(operator, order, link.partition("#token=")[2])
    till.expect_result("paid")
    till.next_customer()
    till.open_today()
    row = till.row(order)
    expect(row).to_contain_text("No way back")
    expect(row.get_by_role("button")).to_have_count(0)
