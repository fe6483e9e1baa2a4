"""What the screen says of the crowd, and what a device keeps that somebody could read."""

import json
import os
from typing import Any, Final

import pytest
from playwright.sync_api import Route, expect
from tests.browser.conftest import Opener, Operator
from tests.browser.recorder import Recorder, path
from tests.browser.screens import Till, Wallet
from tests.browser.test_browser_purse import fill, look_at, new_customer

from amana.purse.policy import shipped_policy

pytestmark = pytest.mark.browser

DUMP: Final = """async () => {
    const opened = indexedDB.open("amana-purse");
    await new Promise((resolve) => { opened.onsuccess = resolve; });
    const answered = (request) => new Promise((resolve) => {
        request.onsuccess = () => resolve(request.result);
    });
    const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
    const found = { stores: [...opened.result.objectStoreNames], names: [], values: [] };
    for (const name of found.stores) {
        const store = opened.result.transaction(name).objectStore(name);
        found.names.push(...(await answered(store.getAllKeys())));
        found.values.push(...(await answered(store.getAll())));
    }
    const keys = found.values.filter((one) => one instanceof CryptoKey);
    const records = found.values.filter((one) => !(one instanceof CryptoKey));
    const raw = await crypto.subtle.exportKey("raw", keys[0]).then(() => "told", () => "kept");
    opened.result.close();
    return {
        names: found.names,
        fields: records.map((one) => Object.keys(one).sort().join()),
        bytes: records.map((one) => hex(new Uint8Array(one.sealed)) + " " + hex(one.iv)),
        keys: keys.map((one) => one.extractable),
        raw,
    };
}"""
"""All that the purse's database holds, as whoever opens it in this browser reads it."""

BYTES_MIN: Final = 4_000
"""Less is no purse with a refill in it."""

WORDS: Final = 12
WORD_CHARACTERS_MIN: Final = 4
"""A shorter word stands among some thousand random bytes by chance now and then."""

FIELDS: Final = ("amount", "secret", "coins", "keyset", "refills", "isStarted", "lineage")


@pytest.fixture
def holder(operator: Operator) -> str:
    """The token of a customer of this test alone."""
    return new_customer(operator, f"kept-{os.urandom(4).hex()}")


@pytest.fixture
def wallet(open_context: Opener, holder: str) -> Wallet:
    """A wallet whose purse is about to be started."""
    return Wallet.signed_in(open_context().new_page(), holder)


def answers(sent: Recorder, of: str) -> list[Any]:
    """What the operator answered to each question after something."""
    asked = [one for one in sent.requests if path(one) == of and one.method == "GET"]
    return [answer.json() for one in asked if (answer := one.response()) and answer.ok]


def test_the_crowd_on_the_screen_is_the_operators_count(
    wallet: Wallet, operator: Operator, holder: str
) -> None:
    """Goal: what is shown is what the operator last answered; its count moves with all tests."""
    sent = Recorder.of(wallet.page.context, operator)
    fill(wallet)
    (*_, crowd) = [answer["crowd"] for answer in answers(sent, "/v1/purse")]
    assert operator.get("/v1/purse", holder)["crowd"] != 0, "the test itself filled a purse"
    assert crowd < 100, "the tests' operator has few"
    sees = wallet.page.locator("section[aria-labelledby=purse-sees]")
    expect(sees).to_contain_text(f"People with a purse here: \u2068{crowd}\u2069. Among so few")


@pytest.mark.parametrize(
    ("crowd", "said"),
    [
        (99, "People with a purse here: \u206899\u2069. Among so few, timing and sums"),
        (100, "People with a purse here: \u2068100\u2069."),
        (12_345, "People with a purse here: \u206812,345\u2069."),
    ],
)
def test_a_small_crowd_is_called_one(wallet: Wallet, till: Till, crowd: int, said: str) -> None:
    def handle(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "crowd": crowd})

    wallet.page.context.route("**/v1/purse", handle)
    fill(wallet)
    sees = wallet.page.locator("section[aria-labelledby=purse-sees]")
    expect(sees).to_contain_text(said)
    assert ("Among so few" in sees.inner_text()) is (crowd < 100)
    _, code = till.charge("310")
    look_at(wallet, code)
    expect(wallet.page.locator("form[data-from=purse]")).to_contain_text(said)


def test_nothing_of_the_purse_is_readable_in_the_browsers_database(
    wallet: Wallet, till: Till, operator: Operator
) -> None:
    """Goal: whoever copies the database has no coin, no sum and no word of the phrase.

    Method: the database is read before a payment; what the payment then shows of its coins, what
    the operator signed and the words on the screen are looked for in it, as text and as bytes.
    """
    sent = Recorder.of(wallet.page.context, operator)
    fill(wallet)
    signed = [one for answer in answers(sent, "/v1/purse/refill") for one in answer["signatures"]]
    assert len(signed) >= shipped_policy().refill.outputs
    words = wallet.page.locator("ol .word")
    expect(words).to_have_count(WORDS)
    phrase = words.all_inner_texts()
    wallet.page.get_by_role("button", name="I have written them down").click()
    expect(wallet.page.get_by_text("A sealed backup was left")).to_be_visible()
    kept = wallet.page.evaluate(DUMP)
    _, code = till.charge("1023")
    look_at(wallet, code)
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    (payment,) = sent.redemptions()
    inputs = json.loads(payment.post_data or "")["inputs"]
    secrets = [proof[name] for proof in inputs for name in ("secret", "C", "id")]
    secrets += [one["C_"] for one in signed]
    assert len(inputs) > 1
    assert kept["keys"] == [False], "the key cannot leave the browser"
    assert kept["raw"] == "kept"
    assert set(kept["fields"]) == {"iv,sealed"}
    bytes_kept = bytes.fromhex("".join("".join(kept["bytes"]).split()))
    assert len(bytes_kept) > BYTES_MIN
    assert any(str(name).startswith("purse ") for name in kept["names"])
    told = bytes_kept + json.dumps(kept["names"]).encode()
    for text in (*secrets, *FIELDS, *(one for one in phrase if len(one) >= WORD_CHARACTERS_MIN)):
        assert text.encode() not in told
    for secret in secrets:
        assert bytes.fromhex(secret) not in told
