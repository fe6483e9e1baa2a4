"""What stays of private payments: receipts and what proves them, refunds, and every tab in step."""

import json
import time
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.conftest import Operator
from tests.browser.recorder import Recorder, path
from tests.browser.screens import Till, Wallet, minor_units
from tests.browser.test_browser_access import assert_fits, faults
from tests.browser.test_browser_purse import payer, recorder

__all__ = ["payer", "recorder"]

pytestmark = pytest.mark.browser

HEX_OF_A_KEY: Final = 64
LONG_AGO: Final = 2 * 60 * 60
"""Seconds: longer than the wallet keeps quiet after a payment."""

CHANGE_STORED: Final = """async ([opening, from, to]) => {
    const answered = (request) => new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const database = await answered(indexedDB.open("amana-purse", 1));
    const reading = database.transaction(["keys", "records"], "readonly");
    const [key, names] = await Promise.all([
        answered(reading.objectStore("keys").get("key")),
        answered(reading.objectStore("records").getAllKeys()),
    ]);
    const name = names.find((one) => one.startsWith(opening));
    const record = await answered(
        database.transaction("records").objectStore("records").get(name),
    );
    const how = (iv) => {
        return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) };
    };
    const plain = await crypto.subtle.decrypt(how(record.iv), key, record.sealed);
    const text = new TextDecoder().decode(plain);
    const changed = text.replace(new RegExp(from), to);
    if (changed === text) throw new Error("there is nothing to change");
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt(how(iv), key, new TextEncoder().encode(changed));
    const work = database.transaction("records", "readwrite");
    await answered(work.objectStore("records").put({ iv, sealed }, name));
    database.close();
}"""
"""Writes other text into a record of the purse, sealed with this browser's own key."""


def pay_at(till: Till, payer: Wallet, digits: str, reference: str) -> tuple[str, Locator]:
    """Pay an order of the till from the purse; return its id and its row among the receipts."""
    order, code = till.charge(digits, reference=reference)
    payer.pay(code)
    payer.finish()
    payer.go("purse")
    row = payer.page.locator(f"[data-receipt={order}]")
    expect(row).to_be_visible()
    return order, row


def saved_file(row: Locator) -> dict[str, Any]:
    """Save a row's receipt; return what the file says, with no one-time key if none is in it."""
    save = row.get_by_role("button", name="Save as a file")
    if not save.is_visible():
        row.get_by_text("Number and file").click()
    with row.page.expect_download() as download:
        save.click()
    read = json.loads(download.value.path().read_text(encoding="utf-8"))
    return {"one_time_key": None, **read}


def open_again_as_if_idle(page: Page) -> None:
    """Reload as if the last payment and the opening were long ago: then receipts are judged."""
    page.evaluate(CHANGE_STORED, ["purse ", r'"spendings":\[[^\]]*\]', '"spendings":[]'])
    page.clock.install(time=time.time() - LONG_AGO)
    page.reload()


def test_a_receipt_says_whom_what_and_when_and_is_proven_by_the_merchants_key(
    payer: Wallet, till: Till, operator: Operator, recorder: Recorder
) -> None:
    order, row = pay_at(till, payer, "1250", "Table 4")
    expect(row).to_contain_text("Corner Bakery")
    expect(row).to_contain_text("€12.50")
    expect(row).to_contain_text("Reference \u2068Table 4")
    expect(row.locator("[data-verdict]")).to_have_count(0)
    assert saved_file(row)["one_time_key"] is None
    row.get_by_role("checkbox").check()
    assert (saved := saved_file(row))["receipt"]["order"] == order
    assert len(saved["one_time_key"]) == HEX_OF_A_KEY
    begun = len(recorder.requests)
    recorder.allow_uploads()
    open_again_as_if_idle(payer.page)
    expect(row.locator("[data-verdict=proven]")).to_have_text(
        "The receipt is signed with the merchant's key."
    )
    asked = [one for one in recorder.requests[begun:] if path(one).endswith("/receipt-key")]
    assert [path(one) for one in asked] == [f"/v1/merchants/{operator.merchant[0]}/receipt-key"]
    assert "authorization" not in asked[0].all_headers(), "nobody is named with a merchant"
    assert order not in asked[0].url
    assert recorder.leaks() == []


def test_a_receipt_that_was_changed_is_called_false(payer: Wallet, till: Till) -> None:
    _, row = pay_at(till, payer, "1250", "Table 4")
    payer.page.evaluate(CHANGE_STORED, ["receipt ", "Table 4", "Table 9"])
    open_again_as_if_idle(payer.page)
    expect(row).to_contain_text("Table 9")
    expect(row.locator("[data-verdict=false]")).to_have_text(
        "The receipt is not what the merchant's key has signed."
    )


def test_a_refund_stands_with_its_payment_and_is_not_called_change(
    payer: Wallet, till: Till, operator: Operator
) -> None:
    order, row = pay_at(till, payer, "900", "Table 5")
    expect(payer.page.get_by_text("It rests for some hours")).to_have_count(0)
    refund = {"amount": {"currency": "EUR", "minor": "400"}}
    operator.post(f"/v1/orders/{order}/refunds", operator.merchant[1], refund)
    row.get_by_role("button", name="Ask for a refund").click()
    expect(row.locator("[data-given-back]")).to_contain_text("€4.00")
    expect(payer.page.locator("[data-arrival=refund]")).to_contain_text("Refund of a payment")
    balance = payer.page.get_by_role("region", name="On this device")
    expect(balance).to_contain_text("€4.00\u2069 of it came in lately")


def test_the_number_of_people_with_a_purse_is_the_one_that_was_read_last(payer: Wallet) -> None:
    payer.page.evaluate(CHANGE_STORED, ["purse ", r'"crowd":\d+', '"crowd":4321'])
    payer.go("purse")
    payer.page.reload()
    sees = payer.page.get_by_role("region", name="What the operator sees")
    expect(sees).to_contain_text("4,321")
    payer.go("home")
    payer.page.get_by_role("button", name="Show my account").click()
    expect(payer.account).to_be_visible()
    payer.go("purse")
    expect(sees).to_contain_text("People with a purse here: ")
    expect(sees).not_to_contain_text("4,321")


def test_every_tab_shows_what_another_one_has_paid(payer: Wallet, till: Till) -> None:
    payer.go("purse")
    held = payer.page.locator("section .large").first
    before = minor_units(held.inner_text())
    expect(payer.page.locator("[data-receipt]")).to_have_count(0)
    other = Wallet(payer.page.context.new_page())
    other.page.goto("/wallet")
    expect(other.purse.locator(".large")).to_be_visible()
    order, row = pay_at(till, other, "1100", "Table 6")
    expect(row).to_be_visible()
    expect(payer.page.locator(f"[data-receipt={order}]")).to_contain_text("Table 6")
    assert minor_units(held.inner_text()) == before - 1100


def test_the_accounts_history_points_to_what_the_purse_has_paid(payer: Wallet, till: Till) -> None:
    payer.go("history")
    expect(payer.page.get_by_role("heading", level=1)).to_have_text("History")
    expect(payer.page.get_by_role("link", name="Show them")).to_have_count(0)
    order, _ = pay_at(till, payer, "700", "Table 7")
    payer.go("history")
    expect(payer.page.get_by_text("Table 7")).to_have_count(0)
    payer.page.get_by_role("link", name="Show them").click()
    expect(payer.page.locator(f"[data-receipt={order}]")).to_be_visible()


def test_the_till_shows_the_orders_request_to_wallets_by_others(
    till: Till, operator: Operator
) -> None:
    order, code = till.charge("425")
    stored: dict[str, Any] = operator.get(f"/v1/orders/{order}", operator.merchant[1])
    till.page.get_by_role("button", name="Code for other e-cash wallets").click()
    shown = till.page.locator("[data-request]")
    expect(shown).to_have_attribute("data-request", stored["cashu_request"])
    expect(till.page.get_by_role("img", name="Payment code")).to_have_count(1)
    assert faults(till.page, "the code for wallets by others") == []
    assert_fits(till.page, "the code for wallets by others")
    till.page.get_by_role("button", name="Back to the usual code").click()
    expect(shown).to_have_count(0)
    assert till.shown_order() == (order, code)
    assert json.dumps(stored["cashu_request"]).startswith('"CREQB')
