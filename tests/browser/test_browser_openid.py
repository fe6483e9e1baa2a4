"""A customer answers wallets of other makes: on a page of ours, with the session of their own."""

import json
from typing import Final, Literal
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from tests.browser.conftest import ROOT, Opener, Operator, Watched
from tests.browser.screens import Wallet

from amana.people.openid import CLIENT_ID, DEVICE_GRANT, REDIRECTS

pytestmark = pytest.mark.browser

AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
QUERY: Final = urlencode(
    {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECTS[0],
        "state": "of-the-other-wallet",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
)


def signed_in(context: BrowserContext, operator: Operator) -> Page:
    page = context.new_page()
    Wallet.signed_in(page, operator.customer[1])
    return page


def other_wallet(context: BrowserContext, watched: Watched) -> None:
    """Stand in for the other wallet's page, to which the customer is sent back."""

    def answer(route: Route) -> None:
        watched.requests.remove(route.request)
        route.fulfill(body="back", content_type="text/plain")

    context.route(f"{REDIRECTS[0]}**", answer)


def begun(operator: Operator) -> dict[str, str]:
    """Begin at a device that has no browser."""
    answer = httpx.post(f"{operator.url}/v1/openid/device", data={"client_id": CLIENT_ID})
    told: dict[str, str] = answer.json()
    return told


def polled(operator: Operator, device_code: str) -> dict[str, str]:
    """Ask as the device does."""
    asked = {"grant_type": DEVICE_GRANT, "device_code": device_code, "client_id": CLIENT_ID}
    told: dict[str, str] = httpx.post(f"{operator.url}/v1/openid/token", data=asked).json()
    return told


@pytest.mark.parametrize(
    ("language", "answer", "told"),
    [("en-GB", "Yes, let it", "code="), ("ar-AE", "لا", "error=access_denied")],
)
def test_a_customer_answers_another_wallet_and_is_sent_back_to_it(
    open_context: Opener,
    operator: Operator,
    watched: Watched,
    *,
    language: str,
    answer: str,
    told: str,
) -> None:
    context = open_context(locale=language)
    page = signed_in(context, operator)
    other_wallet(context, watched)
    page.goto(f"/openid/approve?{QUERY}")
    expect(page.get_by_text("localhost:33388")).to_be_visible()
    assert page.evaluate("document.documentElement.dir") == ("rtl" if "ar" in language else "ltr")
    page.get_by_role("button", name=answer, exact=True).click()
    page.wait_for_url(f"{REDIRECTS[0]}**")
    assert told in page.url
    assert "state=of-the-other-wallet" in page.url
    assert operator.customer[1] not in page.url


def test_a_customer_types_a_devices_code(open_context: Opener, operator: Operator) -> None:
    page, device = signed_in(open_context(), operator), begun(operator)
    page.goto("/openid/device")
    page.get_by_label("Code").fill(device["user_code"].lower())
    page.get_by_role("button", name="Yes, let it").click()
    expect(page.get_by_role("status")).to_contain_text("Done")
    assert "access_token" in polled(operator, device["device_code"])


def test_a_code_that_no_device_shows_is_told_in_words(
    open_context: Opener, operator: Operator, watched: Watched
) -> None:
    watched.expect("404")
    page = signed_in(open_context(), operator)
    page.goto("/openid/device?user_code=BCDF-GHJK")
    expect(page.get_by_label("Code")).to_have_value("BCDF-GHJK")
    page.get_by_role("button", name="Yes, let it").click()
    expect(page.get_by_role("status")).to_contain_text("No device waits")
    expect(page.get_by_role("button", name="Yes, let it")).to_be_enabled()


def test_who_is_not_signed_in_is_led_to_the_wallet_first(open_context: Opener) -> None:
    page = open_context().new_page()
    page.goto(f"/openid/approve?{QUERY}")
    expect(page.get_by_role("button", name="Yes, let it")).to_be_disabled()
    expect(page.get_by_role("link", name="Open the wallet")).to_have_attribute("href", "/wallet")


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_pages_can_be_read_and_used_by_everybody(
    open_context: Opener, operator: Operator, color_scheme: Literal["light", "dark"]
) -> None:
    page = signed_in(open_context(color_scheme=color_scheme), operator)
    for path in (f"/openid/approve?{QUERY}", "/openid/device"):
        page.goto(path)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run().then(({violations}) => violations)")
        assert not found, json.dumps([one["id"] for one in found])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
