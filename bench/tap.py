"""From the tap to "paid" in Chromium: the wallet's own pages pay a till from the purse.

    python -m bench.tap [--payments N] [--json]

The demo runs as it is, with blind tokens. Customers fill a purse each and pay a till's order by the
wallet's button. Between the tap and the end ten proofs are stored as on their way, sent, spent at
the mint in one commit, and a receipt is sealed on the device. The page's own clock measures it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.ledger import machine
from playwright.sync_api import Browser, Page, Request, sync_playwright
from rich.console import Console
from tests.browser.conftest import CHROMIUM, FLAGS, Operator, await_file, read_ready
from tests.browser.screens import Till, Wallet
from tests.browser.test_browser_purse import fill, look_at, new_customer

from amana.node.http.pages import Pages

AMOUNT: Final = "1023"
"""One of each of the ten smallest coins of a purse that was just filled."""

PORT: Final = 8470
PROOFS: Final = 10

WATCH: Final = """() => {
    window.tap = { at: null, ms: null };
    const button = document.querySelector("form button[class~=tall]");
    const begin = () => { window.tap.at = performance.now(); };
    button.addEventListener("click", begin, { capture: true });
    const look = () => {
        if (window.tap.ms === null && document.querySelector("[data-stage=concluded]"))
            window.tap.ms = performance.now() - window.tap.at;
    };
    new MutationObserver(look).observe(document.body, {
        subtree: true, childList: true, attributes: true,
    });
}"""
"""Notes when the button is pressed, before the page hears of it, and when the end is shown."""


@contextmanager
def demo() -> Iterator[Operator]:
    """Run the demonstration, by itself and in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="amana-bench-") as name:
        folder = Path(name)
        ready = folder / "ready.json"
        command = [sys.executable, "-m", "amana", "demo", "--no-traffic", "--no-browser"]
        command += ["--port", str(PORT), "--data", str(folder / "data")]
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready)], stdout=subprocess.DEVNULL
        )
        try:
            await_file(ready, process)
            yield read_ready(ready)
        finally:
            process.terminate()
            process.wait(30)


def taps(browser: Browser, operator: Operator, payments: int) -> list[float]:
    """Pay so many orders, each by a customer with a purse that was just filled."""
    till = Till.opened(page_of(browser, operator), operator.merchant[1])
    found = []
    for number in range(payments):
        token = new_customer(operator, f"tap-{number}")
        wallet = Wallet.signed_in(page_of(browser, operator), token)
        fill(wallet)
        _, code = till.charge(AMOUNT)
        found.append(tap(wallet, code))
        till.expect_result("paid")
        till.next_customer()
        wallet.page.context.close()
    return found


def tap(wallet: Wallet, code: str) -> float:
    """Pay by a code; return how many milliseconds lay between the tap and the end."""
    sent: list[Request] = []

    def note(request: Request) -> None:
        sent.append(request)

    wallet.page.context.on("request", note)
    look_at(wallet, code)
    wallet.page.evaluate(WATCH)
    wallet.pay_button.click()
    wallet.expect_stage("concluded")
    (payment,) = [one for one in sent if one.url.endswith("/v1/melt/amana-merchant")]
    inputs = json.loads(payment.post_data or "")["inputs"]
    assert len(inputs) == PROOFS, f"{len(inputs)} proofs"
    return float(wallet.page.evaluate("window.tap.ms"))


def page_of(browser: Browser, operator: Operator) -> Page:
    """Open a page that shares nothing with the others."""
    return browser.new_context(base_url=operator.url, service_workers="block").new_page()


def measure(*, payments: int = 5) -> dict[str, Any]:
    """Measure, or say why not."""
    if not CHROMIUM.is_file():
        return {"not_measured": f"no Chromium at {CHROMIUM}"}
    if not Pages().is_built:
        return {"not_measured": "the web part is not built"}
    with demo() as operator, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        found = taps(browser, operator, payments)
        browser.close()
    return {
        "proofs": PROOFS,
        "payments": payments,
        "median_ms": round(median(found)),
        "slowest_ms": round(max(found)),
        "load_average": round(os.getloadavg()[0], 1),
    }


def show(found: dict[str, Any]) -> None:
    """Print the figures."""
    console = Console(highlight=False)
    if "not_measured" in found:
        console.print(f"tap to paid in Chromium: not measured, {found['not_measured']}")
        return
    console.print(
        f"tap to paid in Chromium, {found['proofs']} proofs (aim 1,000 ms): "
        f"{found['median_ms']} ms, the slowest of {found['payments']} {found['slowest_ms']} ms"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(payments=asked.payments)
    if asked.json:
        print(json.dumps({"machine": machine(), "tap": found}, indent=2))
        return
    print(" · ".join(f"{name} {value}" for name, value in machine().items()))
    show(found)


if __name__ == "__main__":
    main()
