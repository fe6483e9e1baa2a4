"""E-cash between people: by handle and by link, without a name, and nothing lost on the way."""

import json
import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Request, Route, expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.recorder import Recorder, path
from tests.browser.screens import Wallet, minor_units
from tests.browser.test_browser_access import assert_fits, faults_by_day_and_night, tab_to
from tests.browser.test_browser_purse import (
    LOOKS_MAX,
    await_second_refill,
    fill,
    new_customer,
    payer,
    recorder,
)

__all__ = ["payer", "recorder"]

pytestmark = pytest.mark.browser


@pytest.fixture
def payee_handle() -> str:
    """A handle of this test alone."""
    return f"payee-{os.urandom(4).hex()}"


@pytest.fixture
def payee(open_context: Opener, operator: Operator, payee_handle: str) -> Wallet:
    """Somebody who takes e-cash by handle: a wallet with a purse."""
    wallet = Wallet.signed_in(open_context().new_page(), new_customer(operator, payee_handle))
    fill(wallet)
    look_for_mail(wallet, "nothing")
    return wallet


@pytest.fixture(scope="module")
def addressee(shared_browser: Browser, operator: Operator) -> str:
    """The handle of somebody who takes e-cash by handle, whose device is off from then on."""
    handle = f"payee-{os.urandom(4).hex()}"
    context = shared_browser.new_context(base_url=operator.url, service_workers="block")
    wallet = Wallet.signed_in(context.new_page(), new_customer(operator, handle))
    fill(wallet)
    look_for_mail(wallet, "nothing")
    assert held(wallet) > 0
    context.close()
    return handle


def look_for_mail(wallet: Wallet, expected: str) -> None:
    """Ask for e-cash that was sent, on the purse's screen."""
    wallet.go("purse")
    wallet.page.get_by_role("button", name="Look for e-cash").click()
    expect(wallet.page.locator(f"[data-posted={expected}]")).to_be_attached()


def held(wallet: Wallet) -> int:
    """What the purse holds, on its own screen."""
    wallet.go("purse")
    shown = wallet.page.locator("section .large").first
    expect(shown).to_be_visible()
    return minor_units(shown.inner_text())


def review(wallet: Wallet, handle: str) -> Locator:
    """Look somebody up and come to the review."""
    wallet.go("pay")
    wallet.page.locator("#target").fill(f"@{handle}")
    wallet.page.locator("#target").press("Enter")
    form = wallet.page.locator("form[data-from=purse]")
    expect(form).to_be_visible()
    expect(form).to_have_attribute("data-seen", "person")
    return form


def send(wallet: Wallet, handle: str, amount: str) -> None:
    """Send e-cash, and see it delivered."""
    review(wallet, handle)
    wallet.page.locator("#amount").fill(amount)
    wallet.pay_button.click()
    done = wallet.page.locator("[data-sent=delivered]")
    expect(done).to_be_visible()
    done.get_by_role("button", name="Done").click()


def make_link(wallet: Wallet, amount: str) -> str:
    """Make a link, and return it."""
    wallet.go("give")
    wallet.page.locator("#amount").fill(amount)
    wallet.page.locator("form button[class~=tall]").click()
    expect(wallet.page.locator("[data-link=ready]")).to_be_visible()
    return wallet.page.locator("#token-link").input_value()


def swaps(recorder: Recorder) -> list[Request]:
    """Exchanges at the mint, each attempt."""
    return [one for one in recorder.to_mint() if path(one) == "/v1/swap"]


def test_a_handle_is_paid_from_the_purse_and_the_operator_is_asked_nothing(
    payer: Wallet, payee: Wallet, payee_handle: str, recorder: Recorder
) -> None:
    await_second_refill(payer)
    before = held(payer), held(payee)
    begun = len(recorder.requests)
    form = review(payer, payee_handle)
    expect(form).to_contain_text("Private: the operator sees that")
    expect(form).to_contain_text("€200.00")
    payer.page.locator("#amount").fill("12.50")
    payer.pay_button.click()
    expect(payer.page.locator("[data-sent=delivered]")).to_be_visible()
    assert recorder.named_since(begun) == []
    look_for_mail(payee, "arrived")
    expect(payee.page.locator("[data-arrival=mail]")).to_contain_text("€12.50")
    assert (held(payer), held(payee)) == (before[0] - 1250, before[1] + 1250)
    look_for_mail(payee, "nothing")
    assert len(swaps(recorder)) == 1
    assert recorder.leaks() == []


def test_what_is_sent_to_a_handle_is_locked_sealed_and_always_of_one_length(
    payer: Wallet, payee: Wallet, payee_handle: str, recorder: Recorder
) -> None:
    taken = Recorder.of(payee.page.context, recorder.operator)
    send(payer, payee_handle, "0.03")
    send(payer, payee_handle, "71.93")
    letters = [one for one in recorder.to_mint() if path(one) == f"/v1/mail/{payee_handle}"]
    bodies = [json.loads(one.post_data or "") for one in letters]
    assert [set(body) for body in bodies] == [{"id", "sealed"}] * 2
    assert len({len(body["sealed"]) for body in bodies}) == 1
    look_for_mail(payee, "arrived")
    expect(payee.page.locator("[data-arrival=mail]")).to_have_count(2)
    inputs = [proof for one in swaps(taken) for proof in json.loads(one.post_data or "")["inputs"]]
    assert inputs
    assert all(proof["secret"].startswith('["P2PK"') for proof in inputs)
    assert all(proof["witness"] for proof in inputs)
    assert taken.leaks() == []
    assert recorder.leaks() == []


def test_nobody_is_looked_up_by_name_where_a_handle_takes_no_e_cash(
    payer: Wallet, operator: Operator, recorder: Recorder, watched: Watched
) -> None:
    watched.expect("404")
    begun = len(recorder.requests)
    payer.go("pay")
    payer.page.locator("#target").fill(f"@{operator.customer[0]}")
    payer.page.locator("#target").press("Enter")
    expect(payer.page.get_by_role("alert")).to_contain_text("takes e-cash here")
    assert recorder.named_since(begun) == []
    payer.page.get_by_role("button", name="Pay from the account").click()
    expect(payer.page.get_by_text("This payment is named")).to_be_visible()


def test_a_link_is_taken_once_and_its_secret_is_in_no_request(
    payer: Wallet, payee: Wallet, recorder: Recorder, watched: Watched
) -> None:
    watched.expect("400")
    link = make_link(payer, "5.20")
    token = link.partition("#token=")[2]
    assert token.startswith("cashuB")
    before = held(payee)
    payee.page.goto(link)
    expect(payee.page.locator("[data-take=token]")).to_contain_text("€5.20")
    assert "cashu" not in payee.page.url
    payee.page.locator("[data-take=token] button.tall").click()
    expect(payee.page.locator("[data-take=taken]")).to_be_visible()
    assert held(payee) == before + 520
    payee.page.goto(link)
    payee.page.locator("[data-take=token] button.tall").click()
    expect(payee.page.get_by_role("alert")).to_contain_text("taken this already")
    expect(payee.page.locator("[data-take=token] button.tall")).to_have_text("Done")
    recorder.ask_after()
    payer.page.get_by_role("button", name="Has it been taken?").click()
    expect(payer.page.locator("[data-link=taken]")).to_be_visible()
    assert not [one for one in watched.requests if token in one.url]
    assert not [one for one in watched.requests if token in (one.post_data or "")]
    assert recorder.leaks() == []


def test_a_link_that_nobody_used_is_taken_back(payer: Wallet, recorder: Recorder) -> None:
    before = held(payer)
    make_link(payer, "33.00")
    payer.page.get_by_role("button", name="Take it back").click()
    expect(payer.page.locator("[data-link=back]")).to_be_visible()
    assert held(payer) == before
    assert recorder.leaks() == []


def test_e_cash_that_waits_for_its_payee_is_not_taken_back_before_its_time(
    payer: Wallet, addressee: str
) -> None:
    send(payer, addressee, "2.00")
    payer.go("purse")
    payer.page.locator("[data-handing=delivered] a").click()
    payer.page.get_by_role("button", name="Take it back").click()
    expect(payer.page.locator("[data-said]")).to_contain_text("30 days")


@pytest.mark.parametrize("lost", ["swap", "mail"])
def test_a_reload_in_the_middle_loses_nothing(
    payer: Wallet, payee: Wallet, payee_handle: str, watched: Watched, lost: str
) -> None:
    before = held(payer), held(payee)
    watched.expect("net::ERR_FAILED")
    seen: list[int] = []

    def silence(route: Route) -> None:
        if route.request.method != "POST" or seen:
            route.continue_()
        else:
            seen.append(1)

    payer.page.context.route(f"**/v1/{lost}*", silence)
    payer.page.context.route(f"**/v1/{lost}/*", silence)
    review(payer, payee_handle)
    payer.page.locator("#amount").fill("7.77")
    payer.pay_button.click()
    expect(payer.page.locator("form button[class~=tall]")).to_be_disabled()
    for _ in range(LOOKS_MAX):
        if seen:
            break
        payer.page.evaluate("0")
    payer.go("purse")
    payer.page.reload()
    expect(payer.page.locator("[data-handing=delivered]")).to_contain_text("€7.77")
    look_for_mail(payee, "arrived")
    assert (held(payer), held(payee)) == (before[0] - 777, before[1] + 777)


def each_screen(payer: Wallet, handle: str) -> Iterator[str]:
    """Go through the screens of paying people."""
    review(payer, handle)
    yield "review"
    payer.page.locator("#amount").fill("1.00")
    payer.pay_button.click()
    expect(payer.page.locator("[data-sent=delivered]")).to_be_visible()
    yield "sent"
    payer.go("give")
    expect(payer.page.locator("#amount")).to_be_visible()
    yield "give"
    link = make_link(payer, "3.10")
    yield "link"
    payer.page.goto(link)
    expect(payer.page.locator("[data-take=token]")).to_be_visible()
    yield "take"
    payer.go("purse")
    expect(payer.page.locator("[data-handing]").first).to_be_visible()
    yield "purse"


def test_the_screens_between_people_are_accessible_and_have_contrast(
    payer: Wallet, addressee: str
) -> None:
    found = [
        fault
        for screen in each_screen(payer, addressee)
        for fault in faults_by_day_and_night(payer.page, screen)
    ]
    assert found == []


def test_the_screens_between_people_in_arabic_fit_a_small_phone(
    payer: Wallet, addressee: str
) -> None:
    payer.page.evaluate("localStorage.setItem('amana.language', 'ar')")
    payer.page.reload()
    expect(payer.page.locator("html")).to_have_attribute("dir", "rtl")
    for screen in each_screen(payer, addressee):
        assert_fits(payer.page, screen)


def test_a_person_is_paid_with_the_keyboard_alone(payer: Wallet, addressee: str) -> None:
    payer.go("pay")
    payer.page.locator("#target").focus()
    payer.page.keyboard.type(f"@{addressee}")
    payer.page.keyboard.press("Enter")
    payer.page.locator("#amount").focus()
    payer.page.keyboard.type("2.75")
    tab_to(payer.page, "€2.75")
    payer.page.keyboard.press("Enter")
    expect(payer.page.locator("[data-sent=delivered]")).to_be_visible()
