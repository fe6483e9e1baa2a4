"""A wallet that reaches the mint through a relay reaches it in no other way."""

import os
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.screens import Wallet
from tests.browser.test_browser_purse import fill, new_customer

pytestmark = pytest.mark.browser


def test_a_payment_from_the_purse_goes_through_the_relay_alone(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    token = new_customer(operator, f"behind-{os.urandom(4).hex()}")
    wallet = Wallet.signed_in(open_context().new_page(), token)
    wallet.go("settings")
    choice = wallet.page.get_by_label("Reach the mint through the relay")
    choice.click()
    expect(choice).to_be_checked()
    wallet.go("home")
    fill(wallet)
    order = operator.post(
        "/v1/orders", operator.merchant[1], {"amount": {"currency": "EUR", "minor": "700"}}
    )
    # As the checkout's link opens it: from nothing, with the code after #.
    wallet.page.goto("about:blank")
    wallet.page.goto(f"/wallet#pay={quote(str(order['code']))}")
    expect(wallet.page.locator("form[data-from=purse]")).to_be_visible()
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    paid = operator.get(f"/v1/orders/{order['id']}", operator.merchant[1])
    assert (paid["status"], paid["paid_from"]) == ("paid", "purse")
    assert not [one.url for one in watched.requests if one.url.startswith(operator.mint_url)]
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
