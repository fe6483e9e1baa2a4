"""Two browsers, a wallet and a till, and what can happen between them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import segno
from playwright.sync_api import BrowserContext, Page, Playwright, Route, expect
from tests.browser.conftest import CHROMIUM, FLAGS, Opener, Operator, Watched
from tests.browser.screens import Till, Wallet, film

pytestmark = pytest.mark.browser


def payments_of(operator: Operator, token: str, order: str) -> list[dict[str, object]]:
    page = operator.get("/v1/payments?limit=100", token)
    items = page["items"]
    assert isinstance(items, list)
    return [one for one in items if one["order_id"] == order and one["kind"] == "purchase"]


def sent_keys(watched: Watched) -> list[tuple[str | None, str | None]]:
    return [
        (request.headers.get("idempotency-key"), request.post_data)
        for request in watched.requests
        if request.method == "POST" and request.url.endswith("/v1/payments")
    ]


def test_a_code_of_the_till_is_paid_and_both_sides_hear_of_it(
    wallet: Wallet, till: Till, operator: Operator
) -> None:
    before = wallet.available()
    order, code = till.charge("1250", reference="Table 4")
    wallet.pay(code)
    till.expect_result("paid")
    expect(till.result).to_contain_text("€12.50")
    till.next_customer()
    till.open_today()
    expect(till.row(order)).to_contain_text("Table 4")
    expect(till.row(order)).to_contain_text("€12.48")
    wallet.finish()
    assert wallet.available() == before - 1250
    assert operator.get(f"/v1/orders/{order}", operator.merchant[1])["status"] == "paid"


def test_a_tip_is_asked_for_chosen_and_shown_to_both(wallet: Wallet, till: Till) -> None:
    _, code = till.charge("2000", tip=True)
    wallet.propose(code)
    wallet.page.locator("label:has(input[value='10'])").click()
    expect(wallet.pay_button).to_contain_text("€22.00")
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    till.expect_result("paid")
    expect(till.result).to_contain_text("€22.00")
    expect(till.result).to_contain_text("€2.00")


def test_what_was_bought_is_readable_on_the_payers_device_alone(
    wallet: Wallet, till: Till, operator: Operator, open_context: Opener
) -> None:
    order, code = till.charge("480", note="2 dates, قهوة")
    wallet.pay(code)
    till.expect_result("paid")
    expect(till.result.get_by_role("status")).not_to_be_empty()
    wallet.page.locator("[data-stage] a").click()
    expect(wallet.page.get_by_text("2 dates, قهوة")).to_be_visible()
    [payment] = payments_of(operator, operator.customer[1], order)
    stored = operator.get(f"/v1/payments/{payment['id']}", operator.customer[1])
    assert stored["receipt_note"]
    assert "dates" not in json.dumps(stored)
    elsewhere = Wallet.signed_in(open_context().new_page(), operator.customer[1])
    elsewhere.go(f"payment/{payment['id']}")
    expect(elsewhere.page.get_by_text("Sealed to another device")).to_be_visible()


def test_a_refund_comes_back_into_the_wallet_by_itself(wallet: Wallet, till: Till) -> None:
    before = wallet.available()
    order, code = till.charge("900")
    wallet.pay(code)
    wallet.finish()
    till.expect_result("paid")
    till.next_customer()
    till.open_today()
    till.refund(order, "4.00")
    expect(till.row(order)).to_have_attribute("data-standing", "part-refunded")
    expect(wallet.account.locator(".large")).to_have_text(
        re.compile(re.escape(f"{(before - 500) // 100}")), timeout=10_000
    )
    assert wallet.available() == before - 500
    wallet.go("history")
    first = wallet.page.locator("main li").first
    expect(first).to_contain_text("€9.00")
    expect(first).to_contain_text("+€4.00")
    till.refund(order)
    expect(till.row(order)).to_have_attribute("data-standing", "refunded")


def test_a_static_code_is_paid_with_a_typed_amount(
    wallet: Wallet, till: Till, operator: Operator
) -> None:
    till.page.locator("nav button").nth(2).click()
    code = till.page.locator("figure").get_attribute("data-code")
    assert code is not None
    wallet.propose(code)
    wallet.pay_button.click()
    expect(wallet.page.locator("#amount")).to_be_focused()
    wallet.page.locator("#amount").fill("3,20")
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    newest = operator.get("/v1/payments?limit=1", operator.customer[1])["items"]
    assert isinstance(newest, list)
    assert newest[0]["amount"] == {"currency": "EUR", "minor": "320"}


def test_a_message_to_a_person_is_readable_by_that_person_alone(
    wallet: Wallet, operator: Operator, open_context: Opener
) -> None:
    handle, token = operator.other_customer
    other = Wallet.signed_in(open_context().new_page(), token)
    other.read_messages_here()
    wallet.propose(handle)
    wallet.page.locator("#amount").fill("2.15")
    wallet.page.locator("#message").fill("For the tea, شكرا")
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    newest = operator.get("/v1/payments?limit=1", token)["items"]
    assert isinstance(newest, list)
    other.go(f"payment/{newest[0]['id']}")
    expect(other.page.get_by_text("For the tea, شكرا")).to_be_visible()
    wallet.page.locator("[data-stage] a").click()
    expect(wallet.page.get_by_text("Only the payee's device can read it")).to_be_visible()
    expect(wallet.page.get_by_text("For the tea")).to_have_count(0)


def lose(page: Page, watched: Watched, *, times: int, after_effect: bool) -> Callable[[], int]:
    """Lose the answers to the first payments, or the requests themselves."""
    watched.expect("net::ERR_FAILED")
    lost: list[int] = []

    def handle(route: Route) -> None:
        if route.request.method != "POST" or len(lost) >= times:
            route.continue_()
            return
        lost.append(1)
        if after_effect:
            route.fetch()
        route.abort()

    page.route("**/v1/payments", handle)
    return lambda: len(lost)


@pytest.mark.parametrize("after_effect", [True, False], ids=["answer lost", "request lost"])
def test_a_reload_in_the_middle_goes_on_with_the_same_payment(
    *, wallet: Wallet, till: Till, operator: Operator, watched: Watched, after_effect: bool
) -> None:
    order, code = till.charge("1100")
    wallet.propose(code)
    lost = lose(wallet.page, watched, times=2, after_effect=after_effect)
    wallet.pay_button.click()
    wallet.expect_stage("unknown")
    wallet.page.reload()
    wallet.expect_stage("concluded")
    assert lost() == 2
    [payment] = payments_of(operator, operator.customer[1], order)
    assert payment["status"] == "paid"
    sent = sent_keys(watched)
    assert len(sent) >= 3
    assert len(set(sent)) == 1
    wallet.finish()
    wallet.page.reload()
    expect(wallet.account).to_be_visible()
    assert len(sent_keys(watched)) == len(sent)


def test_doubt_is_told_as_doubt_and_ends_by_itself(
    wallet: Wallet, till: Till, operator: Operator, watched: Watched
) -> None:
    order, code = till.charge("700")
    wallet.propose(code)
    lose(wallet.page, watched, times=1, after_effect=True)
    wallet.pay_button.click()
    wallet.expect_stage("unknown")
    expect(wallet.page.get_by_role("heading")).to_have_text("Not known yet, asking again")
    wallet.expect_stage("concluded")
    assert len(payments_of(operator, operator.customer[1], order)) == 1


def test_a_double_tap_makes_one_payment(
    wallet: Wallet, till: Till, operator: Operator, watched: Watched
) -> None:
    order, code = till.charge("800")
    before = wallet.available()
    wallet.propose(code)
    wallet.pay_button.evaluate("button => { button.click(); button.click(); button.click(); }")
    wallet.expect_stage("concluded")
    wallet.finish()
    assert len(payments_of(operator, operator.customer[1], order)) == 1
    assert len({key for key, _ in sent_keys(watched)}) == 1
    assert wallet.available() == before - 800


def test_a_refusal_says_why_and_that_no_money_moved(
    wallet: Wallet, operator: Operator, watched: Watched
) -> None:
    watched.expect("422")
    before = wallet.available()
    wallet.propose(operator.merchant[0])
    wallet.page.locator("#amount").fill("99999999")
    wallet.pay_button.click()
    wallet.expect_stage("refused")
    expect(wallet.page.get_by_text("No money has moved.")).to_be_visible()
    wallet.finish()
    assert wallet.available() == before


def test_a_code_of_another_system_is_named_and_not_paid(wallet: Wallet, watched: Watched) -> None:
    watched.expect("422")
    wallet.go("pay")
    wallet.page.locator("#target").fill("not a payment code at all")
    wallet.page.locator("#target").press("Enter")
    expect(wallet.page.get_by_role("alert")).not_to_be_empty()
    expect(wallet.pay_button).to_have_count(0)


def test_a_cancelled_order_is_over_for_both(wallet: Wallet, till: Till, watched: Watched) -> None:
    watched.expect("409|422")
    _, code = till.charge("300")
    till.page.get_by_role("button", name="Cancel this order").click()
    till.expect_result("cancelled")
    wallet.go("pay")
    wallet.page.locator("#target").fill(code)
    wallet.page.locator("#target").press("Enter")
    refused = wallet.page.get_by_role("alert")
    expect(refused.or_(wallet.pay_button)).to_be_visible()
    if not refused.is_visible():
        wallet.pay_button.click()
        wallet.expect_stage("refused")
    expect(wallet.page.get_by_text("cancelled")).to_be_visible()


def test_a_till_that_is_reloaded_goes_on_waiting(wallet: Wallet, till: Till) -> None:
    order, code = till.charge("640")
    till.page.reload()
    assert till.shown_order() == (order, code)
    wallet.pay(code)
    till.expect_result("paid")


def test_a_code_is_scanned_and_paid_in_three_interactions_at_most(
    playwright: Playwright, till: Till, operator: Operator, open_context: Opener, tmp_path: Path
) -> None:
    order, code = till.charge("450")
    camera = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film(tmp_path, code)}",
    ]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *camera])
    context: BrowserContext = open_context(browser=browser, permissions=["camera"])
    wallet = Wallet.signed_in(context.new_page(), operator.customer[1])
    wallet.page.get_by_role("link", name="Scan to pay").click()
    expect(wallet.pay_button).to_be_visible(timeout=20_000)
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    assert len(payments_of(operator, operator.customer[1], order)) == 1
    till.expect_result("paid")


def test_a_code_is_read_from_a_picture(wallet: Wallet, till: Till, tmp_path: Path) -> None:
    _, code = till.charge("330")
    picture = tmp_path / "code.png"
    segno.make(code, error="m").save(str(picture), scale=6, border=4)
    wallet.go("pay")
    wallet.page.locator("input[type=file]").set_input_files(picture)
    expect(wallet.pay_button).to_contain_text("€3.30")
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
