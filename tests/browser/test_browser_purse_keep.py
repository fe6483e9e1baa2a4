"""The purse outlives its device: a phrase, a sealed backup, and taking over; and the relay."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Route, expect
from tests.browser.conftest import Opener, Operator, Watched
from tests.browser.recorder import Recorder, path
from tests.browser.screens import Till, Wallet, minor_units
from tests.browser.test_browser_access import assert_fits, faults_by_day_and_night, tab_to
from tests.browser.test_browser_purse import (
    await_second_refill,
    fill,
    new_customer,
    payer,
    recorder,
)

from amana.purse.policy import shipped_policy

__all__ = ["payer", "recorder"]

pytestmark = pytest.mark.browser

WORDS = 12


@pytest.fixture
def holder(operator: Operator) -> str:
    """The token of a customer of this test alone."""
    return new_customer(operator, f"keeper-{os.urandom(4).hex()}")


@pytest.fixture
def keeper(open_context: Opener, holder: str) -> Wallet:
    """A wallet with a full purse, whose recovery phrase is on the screen."""
    wallet = Wallet.signed_in(open_context().new_page(), holder)
    fill(wallet)
    expect(wallet.page.locator("ol .word")).to_have_count(WORDS)
    return wallet


def write_down(wallet: Wallet) -> str:
    """Copy the words, say so, and wait for the backup; the words are gone after that."""
    words = wallet.page.locator("ol .word")
    lines = wallet.page.locator("ol li").all_inner_texts()
    assert [line.split()[0] for line in lines] == [f"{one}." for one in range(1, WORDS + 1)]
    phrase = " ".join(words.all_inner_texts())
    wallet.page.get_by_role("button", name="I have written them down").click()
    expect(wallet.page.get_by_text("A sealed backup was left")).to_be_visible()
    expect(words).to_have_count(0)
    return phrase


def take_over(wallet: Wallet, phrase: str) -> None:
    """Type a phrase on a device that has no purse yet."""
    wallet.go("purse")
    ways = wallet.page.locator("[data-begin] .button.tall")
    expect(ways).to_have_text(["Start the purse", "Take over a purse from another device"])
    new, words = (way.bounding_box() for way in ways.all())
    assert new is not None
    assert words is not None
    assert new["width"] == words["width"], "neither way is more the usual one than the other"
    wallet.page.get_by_text("Take over a purse from another device").click()
    wallet.page.get_by_label("Twelve words").fill(phrase)
    wallet.page.get_by_role("button", name="Take over").click()


def test_a_purse_is_taken_over_by_its_phrase_and_exchanged_before_it_is_spent(
    keeper: Wallet, holder: str, open_context: Opener, operator: Operator, till: Till
) -> None:
    sent = Recorder.of(keeper.page.context, operator)
    phrase = write_down(keeper)
    assert [path(one) for one in sent.requests].count("/v1/purse/backup") == 1
    assert sent.leaks() == []
    kept = operator.get("/v1/purse/backup", holder)
    assert len(str(kept["sealed"])) == -(-shipped_policy().backup.bytes * 4 // 3)
    other = Wallet.signed_in(open_context().new_page(), holder)
    heard = Recorder.of(other.page.context, operator)
    take_over(other, phrase)
    expect(other.page.get_by_role("button", name="Start the purse")).to_be_disabled()
    came = other.page.locator("[data-restored=restored]")
    expect(came).to_be_visible(timeout=60_000)
    expect(came).to_be_focused()
    expect(came).to_contain_text("any others, of this device or made later, no longer count")
    # A young purse's second refill waits at the operator, or was signed by now.
    tier = shipped_policy().refill.default_tier
    amount = minor_units(came.inner_text())
    assert amount in {tier, 2 * tier}
    expect(other.page.get_by_text("It is exchanged for fresh e-cash")).to_be_visible()
    expect(other.page.locator("[data-backup=yes]")).to_be_visible()
    held = other.page.locator("section .large").first
    assert minor_units(held.inner_text()) == amount
    states = [one for one in heard.to_mint() if path(one) == "/v1/checkstate"]
    sizes = [len(json.loads(one.post_data or "{}")["Ys"]) for one in states]
    assert sum(sizes) % shipped_policy().refill.outputs == 0 < sum(sizes)
    assert max(sizes) < sum(sizes) / 2
    _, code = till.charge("500")
    other.go("pay")
    other.page.locator("#target").fill(code)
    other.page.locator("#target").press("Enter")
    expect(other.page.get_by_role("alert")).to_contain_text("not enough in the purse")
    assert heard.leaks() == []


def test_a_payment_leaves_no_backup(
    keeper: Wallet, till: Till, operator: Operator, holder: str
) -> None:
    write_down(keeper)
    before = operator.get("/v1/purse/backup", holder)["sealed"]
    sent = Recorder.of(keeper.page.context, operator)
    _, code = till.charge("640")
    keeper.pay(code)
    keeper.finish()
    assert "/v1/purse/backup" not in [path(one) for one in sent.requests]
    assert operator.get("/v1/purse/backup", holder)["sealed"] == before


def test_wrong_words_are_told_from_other_words(
    keeper: Wallet, holder: str, open_context: Opener
) -> None:
    phrase = write_down(keeper)
    other = Wallet.signed_in(open_context().new_page(), holder)
    take_over(other, phrase.rsplit(" ", 1)[0])
    slip = other.page.locator("[data-restored=no-phrase]")
    expect(slip).to_contain_text("\u206811\u2069")
    field = other.page.get_by_label("Twelve words")
    words = phrase.split(" ")
    field.fill(" ".join([*words[:2], "thnak", *words[3:]]))
    other.page.get_by_role("button", name="Take over").click()
    expect(slip).to_contain_text("word \u20683\u2069 (“\u2068thnak")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("legal winner thank year wave sausage worth useful legal winner thank yellow")
    other.page.get_by_role("button", name="Take over").click()
    expect(other.page.locator("[data-restored=other-phrase]")).to_be_visible()


def test_whoever_skips_the_phrase_is_told_plainly_and_may_do_it_later(keeper: Wallet) -> None:
    keeper.page.get_by_role("button", name="Not now").click()
    expect(keeper.page.get_by_role("heading", name="If this device is lost")).to_be_focused()
    warning = keeper.page.get_by_text("There is no backup.")
    expect(warning).to_be_visible()
    keeper.page.reload()
    expect(warning).to_be_visible()
    keeper.page.get_by_role("button", name="Show a recovery phrase").click()
    write_down(keeper)


def test_a_code_without_an_amount_is_paid_from_the_purse(
    payer: Wallet, operator: Operator, recorder: Recorder
) -> None:
    shop: Any = operator.get("/v1/merchant", operator.merchant[1])
    code = shop["sites"][0]["tills"][0]["static_code"]
    await_second_refill(payer)
    expect(payer.purse).to_be_visible()
    before, begun = payer.in_purse(), len(recorder.requests)
    payer.go("pay")
    payer.page.locator("#target").fill(code)
    payer.page.locator("#target").press("Enter")
    payer.page.locator("#amount").fill("3.20")
    payer.page.locator("#amount").press("Enter")
    expect(payer.page.locator("form[data-from=purse]")).to_contain_text("the operator sees that")
    payer.pay_button.click()
    payer.expect_stage("concluded")
    payer.finish()
    assert recorder.named_since(begun) == []
    assert payer.in_purse() == before - 320
    assert recorder.leaks() == []


def through_relay(wallet: Wallet) -> None:
    """Choose the relay in the settings."""
    wallet.go("settings")
    wallet.page.get_by_role("checkbox", name="Reach the mint through the relay").check()
    expect(wallet.page.get_by_role("checkbox")).to_be_checked()


def test_from_the_scan_to_the_receipt_everything_goes_through_the_relay(
    payer: Wallet, till: Till, operator: Operator, recorder: Recorder
) -> None:
    through_relay(payer)
    payer.go("purse")
    expect(payer.page.get_by_text("goes through the relay")).to_be_visible()
    begun = len(recorder.requests)
    _, code = till.charge("410")
    payer.pay(code)
    payer.finish()
    asked = [one.url for one in recorder.requests[begun:]]
    assert not [url for url in asked if url.startswith(operator.mint_url + "/")]
    assert [url for url in asked if url.startswith(operator.relay_url + "/")]


def test_a_relay_that_is_gone_is_never_gone_around_in_silence(
    payer: Wallet, till: Till, operator: Operator, recorder: Recorder, watched: Watched
) -> None:
    watched.expect("net::ERR_FAILED|ERR_CONNECTION")
    through_relay(payer)

    def refuse(route: Route) -> None:
        route.abort()

    payer.page.context.route(f"{operator.relay_url}/**", refuse)
    begun = len(recorder.requests)
    _, code = till.charge("415")
    payer.go("pay")
    payer.page.locator("#target").fill(code)
    payer.page.locator("#target").press("Enter")
    expect(payer.page.get_by_role("alert")).to_contain_text("relay")
    mint = operator.mint_url + "/"
    assert not [one for one in recorder.requests[begun:] if one.url.startswith(mint)]
    payer.page.get_by_role("button", name="Go on without the relay").click()
    # Until the mint has answered, the large button is the account's.
    payer.page.get_by_role("button", name="4.15").click()
    payer.expect_stage("concluded")
    till.expect_result("paid")
    assert recorder.leaks() == []


def test_closing_moves_everything_back_after_a_warning(payer: Wallet) -> None:
    payer.go("purse")
    payer.page.get_by_text("Close the purse").click()
    button = payer.page.get_by_role("button", name="Move everything back")
    expect(button).to_be_disabled()
    expect(payer.page.get_by_text("can give away what you paid before")).to_be_visible()
    payer.page.get_by_role("checkbox", name="I understand that").check()
    button.click()
    expect(payer.page.locator("section .large").first).to_have_text("€0.00")
    expect(payer.page.get_by_role("button", name="Start the purse")).to_be_visible()


def each_screen(keeper: Wallet) -> Iterator[str]:
    """The words, and the forms to take over and to close."""
    yield "phrase"
    for summary in keeper.page.locator("details summary").all():
        summary.click()
    expect(keeper.page.locator("#phrase")).to_be_visible()
    yield "take over and close"


def test_phrase_and_take_over_are_accessible(keeper: Wallet) -> None:
    found = [
        fault
        for screen in each_screen(keeper)
        for fault in faults_by_day_and_night(keeper.page, screen)
    ]
    assert found == []


def test_phrase_and_take_over_fit_a_small_phone_in_arabic(keeper: Wallet) -> None:
    keeper.page.evaluate("localStorage.setItem('amana.language', 'ar')")
    keeper.page.reload()
    expect(keeper.page.locator("html")).to_have_attribute("dir", "rtl")
    keeper.page.locator("[data-backup=no] button").click()
    expect(keeper.page.locator("ol .word")).to_have_count(WORDS)
    for screen in each_screen(keeper):
        assert_fits(keeper.page, screen)


def test_a_phrase_is_kept_with_the_keyboard_alone(keeper: Wallet) -> None:
    keeper.page.locator("h1").first.focus()
    tab_to(keeper.page, "I have written them down")
    keeper.page.keyboard.press("Enter")
    expect(keeper.page.get_by_text("A sealed backup was left")).to_be_visible()
