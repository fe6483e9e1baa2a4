"""E-cash by hand: codes that follow each other, one's own code, and taking without a network."""

import os
import re
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Playwright, expect
from tests.browser.conftest import CHROMIUM, FLAGS, Opener, Operator, Watched
from tests.browser.recorder import Recorder
from tests.browser.screens import Wallet, film
from tests.browser.test_browser_access import assert_fits, faults
from tests.browser.test_browser_purse import fill, new_customer, payer, recorder
from tests.browser.test_browser_purse_people import (
    addressee,
    held,
    look_for_mail,
    make_link,
    review,
)

from amana.kernel import currency
from amana.wire.emv import AmanaAccount, Initiation, MerchantCode, write_code

__all__ = ["addressee", "payer", "recorder"]

pytestmark = pytest.mark.browser

_CODES_OF = """(wanted) => new Promise((resolve) => {
  const shown = document.querySelector("[data-code]");
  const codes = new Set([shown.dataset.code]);
  const seen = new MutationObserver(() => {
    codes.add(shown.dataset.code);
    if (codes.size < wanted) return;
    seen.disconnect();
    resolve([...codes]);
  });
  seen.observe(shown, { attributes: true });
})"""


@pytest.fixture
def payee_handle() -> str:
    """A handle of this test alone."""
    return f"payee-{os.urandom(4).hex()}"


@pytest.fixture
def payee(open_context: Opener, operator: Operator, payee_handle: str) -> Wallet:
    """Somebody who is paid by hand: a wallet with a purse that opens without a network."""
    context = open_context(has_service_worker=True)
    wallet = Wallet.signed_in(context.new_page(), new_customer(operator, payee_handle))
    fill(wallet)
    look_for_mail(wallet, "nothing")
    return wallet


def hand_over(wallet: Wallet, handle: str, amount: str) -> None:
    """Lock e-cash to somebody, and come to the codes that show it."""
    review(wallet, handle)
    wallet.page.get_by_label("Hand it over as a code").check()
    wallet.page.locator("#amount").fill(amount)
    wallet.pay_button.click()
    expect(wallet.page.locator("[data-codes]")).to_be_visible()


def shown_codes(wallet: Wallet, wanted: int) -> list[str]:
    """So many of the codes that follow each other, as they come."""
    codes: list[str] = wallet.page.evaluate(_CODES_OF, wanted)
    return codes


def film_of_codes(wallet: Wallet, folder: Path) -> Path:
    """A film of a screen that shows e-cash, begun in the middle of it."""
    count = int(wallet.page.locator("[data-codes]").get_attribute("data-codes") or 0)
    assert count > 1
    codes = shown_codes(wallet, count * 2 // 3)
    return film(folder, *codes[1:], codes[0])


def scanning(playwright: Playwright, opener: Opener, picture: Path, token: str) -> Wallet:
    """A wallet whose camera sees a film."""
    camera = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={picture}",
    ]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *camera])
    context = opener(browser=browser, permissions=["camera"])
    return Wallet.signed_in(context.new_page(), token)


def test_a_link_that_is_too_long_for_one_code_is_scanned_from_several(
    playwright: Playwright,
    open_context: Opener,
    operator: Operator,
    payer: Wallet,
    recorder: Recorder,
    payee_handle: str,
    tmp_path: Path,
) -> None:
    make_link(payer, "81.91")
    picture = film_of_codes(payer, tmp_path)
    payee = scanning(playwright, open_context, picture, new_customer(operator, payee_handle))
    payee.page.get_by_role("link", name="Scan to pay").click()
    expect(payee.page.locator("[data-take=token]")).to_contain_text("€81.91", timeout=60_000)
    payee.page.locator("[data-take=token] button.tall").click()
    expect(payee.page.locator("[data-take=taken]")).to_be_visible()
    assert held(payee) == 8191
    assert recorder.leaks() == []


def test_a_link_is_pasted_into_the_field_for_paying(payer: Wallet, payee: Wallet) -> None:
    link = make_link(payer, "4.20")
    before = held(payee)
    payee.go("pay")
    payee.page.locator("#target").fill(link)
    payee.page.locator("#target").press("Enter")
    payee.page.locator("[data-take=token] button.tall").click()
    expect(payee.page.locator("[data-take=taken]")).to_be_visible()
    assert held(payee) == before + 420


def test_ones_own_code_is_scanned_and_leads_to_the_review(
    playwright: Playwright,
    open_context: Opener,
    operator: Operator,
    payee: Wallet,
    payee_handle: str,
    tmp_path: Path,
) -> None:
    payee.go("purse")
    payee.page.get_by_text("My code").click()
    expect(payee.page.get_by_role("img", name="My code for being paid")).to_be_visible()
    picture = film(tmp_path, f"{operator.url}/wallet#pay=@{payee_handle}")
    token = new_customer(operator, f"payer-{os.urandom(4).hex()}")
    wallet = scanning(playwright, open_context, picture, token)
    fill(wallet)
    wallet.go("scan")
    form = wallet.page.locator("form[data-from=purse][data-seen=person]")
    expect(form).to_contain_text(payee_handle.title(), timeout=20_000)


def test_a_printed_code_of_a_person_leads_to_the_review_with_its_amount(
    payer: Wallet, addressee: str, watched: Watched
) -> None:
    watched.expect("400")
    account = AmanaAccount(operator="localhost", payee=addressee)
    code = write_code(
        MerchantCode(
            currency=currency("EUR"),
            country="XX",
            name=addressee,
            city="-",
            initiation=Initiation.STATIC,
            amana=(account,),
        )
    )
    assert isinstance(code, str)
    payer.go("pay")
    payer.page.locator("#target").fill(code)
    payer.page.locator("#target").press("Enter")
    payer.page.locator("#amount").fill("3.40")
    payer.page.locator("form[data-static] button.tall").click()
    expect(payer.page.locator("form[data-seen=person]")).to_contain_text(addressee)
    expect(payer.page.locator("#amount")).to_have_value("3.40")


def read_pictures(wallet: Wallet, folder: Path, codes: list[str]) -> None:
    """Read codes from pictures, one after the other, in the order given."""
    wallet.go("pay")
    for number, code in enumerate(codes):
        picture = folder / f"{number}.png"
        segno.make(code, error="m").save(str(picture), scale=4, border=4)
        wallet.page.locator("input[type=file]").set_input_files(picture)
        share = 100 * (number + 1) // len(codes)
        read = wallet.page.get_by_text(re.compile(rf"^\W?{share}%\W? read"))
        expect(read.or_(wallet.page.locator("[data-take]"))).to_be_visible()


def test_e_cash_is_taken_without_a_network_and_counted_with_one(
    payer: Wallet,
    payee: Wallet,
    payee_handle: str,
    recorder: Recorder,
    watched: Watched,
    tmp_path: Path,
) -> None:
    watched.expect("ERR_INTERNET_DISCONNECTED|Failed to fetch|ERR_FAILED")
    before = held(payee)
    hand_over(payer, payee_handle, "12.50")
    count = int(payer.page.locator("[data-codes]").get_attribute("data-codes") or 0) // 3
    # Five proofs make so few codes, and not as many as the sixteen of a letter.
    assert 1 < count < 25
    codes = shown_codes(payer, count)[::-1]
    payee.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    network = payee.page.context
    network.set_offline(True)
    read_pictures(payee, tmp_path, codes)
    offer = payee.page.locator("[data-take=held]")
    expect(offer).to_contain_text("€50.00")
    expect(offer.locator("button.tall")).to_contain_text("€12.50")
    offer.locator("button.tall").click()
    expect(payee.page.locator("[data-take=kept]")).to_contain_text("not counted yet")
    read_pictures(payee, tmp_path, codes)
    expect(payee.page.get_by_role("alert")).to_contain_text("shown to this device before")
    payee.go("purse")
    expect(payee.page.locator("[data-held=held]")).to_contain_text("€12.50")
    assert held(payee) == before
    network.set_offline(False)
    look_for_mail(payee, "arrived")
    expect(payee.page.locator("[data-arrival=hand]")).to_contain_text("€12.50")
    assert held(payee) == before + 1250
    recorder.ask_after()
    payer.page.get_by_role("button", name="Has it been taken?").click()
    expect(payer.page.locator("[data-link=taken]")).to_be_visible()
    assert recorder.leaks() == []


def test_what_was_prepared_is_not_taken_back_before_its_time(payer: Wallet, addressee: str) -> None:
    hand_over(payer, addressee, "0.03")
    code = payer.page.locator("[data-code]").first
    expect(code).to_have_attribute("data-code", re.compile("^UR:BYTES/"))
    payer.page.get_by_role("button", name="Take it back").click()
    expect(payer.page.locator("[data-said]")).to_contain_text("30 days")


def test_the_screens_of_handing_over_are_accessible_in_arabic_too(
    payer: Wallet, addressee: str
) -> None:
    hand_over(payer, addressee, "7.31")
    payer.page.get_by_role("button", name="Hold the code still").click()
    found = faults(payer.page, "hand")
    assert_fits(payer.page, "hand")
    payer.page.evaluate("localStorage.setItem('amana.language', 'ar')")
    payer.page.reload()
    expect(payer.page.locator("[data-codes]")).to_be_visible()
    assert_fits(payer.page, "hand in Arabic")
    payer.go("purse")
    payer.page.locator("summary", has_text="رمزي").click()
    assert_fits(payer.page, "own code")
    found += faults(payer.page, "own code")
    assert found == []


def reopen_offline(wallet: Wallet) -> None:
    """Close the wallet and open it again where there is no network."""
    wallet.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    wallet.page.context.set_offline(True)
    wallet.page.reload()
    expect(wallet.page.locator("[data-recalled]")).to_contain_text("No network: what you see is")


def test_a_wallet_opened_without_a_network_takes_e_cash_and_comes_back_by_itself(
    payer: Wallet, payee: Wallet, payee_handle: str, watched: Watched, tmp_path: Path
) -> None:
    watched.expect("ERR_INTERNET_DISCONNECTED|Failed to fetch|ERR_FAILED")
    before = held(payee)
    hand_over(payer, payee_handle, "6.25")
    count = int(payer.page.locator("[data-codes]").get_attribute("data-codes") or 0) // 3
    codes = shown_codes(payer, count)
    payee.go("home")
    reopen_offline(payee)
    assert payee.in_purse() == before
    expect(payee.page.get_by_text("not kept on this device")).to_be_visible()
    expect(payee.account).to_have_count(0)
    read_pictures(payee, tmp_path, codes)
    payee.page.locator("[data-take=held] button.tall").click()
    expect(payee.page.locator("[data-take=kept]")).to_contain_text("not counted yet")
    payee.page.reload()
    payee.go("purse")
    expect(payee.page.locator("[data-held=held]")).to_contain_text("€6.25")
    payee.page.get_by_text("My code").click()
    expect(payee.page.get_by_role("img", name="My code for being paid")).to_be_visible()
    payee.go("home")
    payee.page.context.set_offline(False)
    expect(payee.account).to_be_visible()
    expect(payee.page.locator("[data-recalled]")).to_have_count(0)
    payee.go("purse")
    payee.page.get_by_role("button", name="Look for e-cash sent to you").click()
    arrived = payee.page.locator("[data-arrival=hand]")
    expect(arrived).to_contain_text("€6.25", timeout=30_000)
    assert held(payee) == before + 625


def test_what_was_made_before_is_shown_without_a_network_and_the_rest_says_so(
    payee: Wallet, watched: Watched
) -> None:
    watched.expect("ERR_INTERNET_DISCONNECTED|Failed to fetch|ERR_FAILED")
    make_link(payee, "1.10")
    reopen_offline(payee)
    expect(payee.page.locator("[data-link=ready]")).to_contain_text("€1.10")
    expect(payee.page.get_by_role("img", name="The link as a code")).to_be_visible()
    assert faults(payee.page, "without a network") == []
    payee.go("give")
    payee.page.locator("#amount").fill("1.00")
    payee.page.get_by_role("button", name="Make the link").click()
    expect(payee.page.get_by_role("alert")).to_contain_text("cannot be reached")
    for screen in ("home", "history", "settings"):
        payee.go(screen)
        expect(payee.page.get_by_text("not kept on this device")).to_be_visible()
    payee.page.evaluate("localStorage.setItem('amana.language', 'ar')")
    payee.go("home")
    payee.page.reload()
    expect(payee.page.locator("[data-recalled]")).to_contain_text("لا توجد شبكة")
    assert_fits(payee.page, "without a network, in Arabic")


def test_a_session_of_somebody_else_recalls_nothing_of_the_one_before(
    payee: Wallet, watched: Watched
) -> None:
    watched.expect("ERR_INTERNET_DISCONNECTED|Failed to fetch|ERR_FAILED")
    payee.go("home")
    reopen_offline(payee)
    payee.page.goto("about:blank")
    payee.page.goto("/wallet#token=" + "A" * 43)
    expect(payee.page.get_by_text("Loading")).to_be_visible()
    expect(payee.purse).to_have_count(0)
    assert payee.page.evaluate("localStorage.getItem('amana.known')") is None
