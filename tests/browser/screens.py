"""The wallet's and the till's screens, as a person uses them."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import segno
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as Waited

_FRAMES_A_CODE: Final = 4
NUMBER = re.compile(r"[\d.,]+")


def minor_units(amount: str) -> int:
    """Minor units of a shown amount of a currency with two decimals."""
    found = NUMBER.search(amount)
    assert found is not None, f"no amount in {amount!r}"
    return int(found[0].replace(",", "").replace(".", ""))


_DIRECT: Final = """
if (location.protocol.startsWith("http") && localStorage.getItem("amana.relay") === null)
    localStorage.setItem("amana.relay", "off");
"""

TOLD: Final = "the operator told of the account"
_LISTEN: Final = f"""
const send = window.fetch;
window.fetch = async (...asked) => {{
    const answer = await send(...asked);
    if (asked[0] !== "/v1/events/stream" || answer.body === null) return answer;
    const [theirs, heard] = answer.body.tee();
    console.debug("{TOLD}");
    void (async () => {{
        const text = new TextDecoder();
        for await (const piece of heard)
            if (/^data:/m.test(text.decode(piece))) console.debug("{TOLD}");
    }})().catch(() => undefined);
    return new Response(theirs, answer);
}};
"""
"""Says on the console when the page is told: it joined, or an event came, and it will look."""


def film(folder: Path, *codes: str) -> Path:
    """Film what a false camera sees, as raw video: codes, each for some frames, over again."""
    width, height = 640, 480
    path = folder / "codes.y4m"
    frames = [_frame(code, width, height) * _FRAMES_A_CODE for code in codes]
    head = f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420\n".encode()
    path.write_bytes(head + b"".join(frames))
    return path


def _frame(code: str, width: int, height: int) -> bytes:
    matrix = [list(row) for row in segno.make(code, error="m").matrix_iter(scale=1, border=4)]
    scale = height // len(matrix)
    left, top = (width - scale * len(matrix)) // 2, (height - scale * len(matrix)) // 2
    light = bytearray(b"\xd8" * width * height)
    for y, row in enumerate(matrix):
        for x, dark in enumerate(row):
            for line in range(scale):
                at = (top + y * scale + line) * width + left + x * scale
                light[at : at + scale] = (b"\x18" if dark else b"\xf0") * scale
    return b"FRAME\n" + bytes(light) + b"\x80" * (width * height // 2)


class Wallet:
    """The wallet's pages."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.handle = ""

    @classmethod
    def signed_in(cls, page: Page, token: str, *, is_relayed: bool = False) -> Self:
        """Open the wallet by a link that carries its token.

        What goes through the relay is sealed. So that tests can read it, the wallet of a test goes
        without one, as a person may choose, unless it is `is_relayed`.
        """
        if not is_relayed:
            page.context.add_init_script(_DIRECT)
        page.context.add_init_script(_LISTEN)
        page.goto(f"/wallet#token={token}")
        wallet = cls(page)
        expect(wallet.account).to_be_visible()
        return wallet

    @property
    def account(self) -> Locator:
        """The card with the balance of the named account."""
        return self.page.locator("section.account")

    @property
    def purse(self) -> Locator:
        """The card with what the purse holds."""
        return self.page.locator("a.purse")

    @property
    def pay_button(self) -> Locator:
        """The button that pays."""
        return self.page.locator("form button[class~=tall]")

    def available(self) -> int:
        """The balance that is shown."""
        return minor_units(self.account.locator(".large").inner_text())

    def in_purse(self) -> int:
        """What the purse holds, as shown."""
        return minor_units(self.purse.locator(".large").inner_text())

    def go(self, screen: str) -> None:
        """Open a screen by its address."""
        self.page.goto(f"/wallet#/{screen}")

    def propose(self, typed: str) -> None:
        """Type a handle or a code and go on to the review."""
        self.go("pay")
        self.page.locator("#target").fill(typed)
        self.page.locator("#target").press("Enter")
        expect(self.pay_button).to_be_visible()

    def read_messages_here(self) -> None:
        """Make this the device that others seal messages to, if another one was before."""
        self.go("settings")
        here = self.page.get_by_text("This device reads messages sent to you.")
        take = self.page.get_by_role("button", name="Read messages on this device")
        expect(here.or_(take)).to_be_visible()
        if take.is_visible():
            # The wallet may have published its own key by itself in the meantime.
            with suppress(Waited):
                take.click(timeout=2_000)
        expect(here).to_be_visible()

    def expect_stage(self, stage: str) -> None:
        """Wait for the payment to be working, unknown, concluded or refused."""
        expect(self.page.locator(f"[data-stage={stage}]")).to_be_visible(timeout=15_000)

    def pay(self, typed: str) -> None:
        """Pay, and see it paid."""
        self.propose(typed)
        self.pay_button.click()
        self.expect_stage("concluded")

    def finish(self) -> None:
        """Go home from the result."""
        self.page.locator("[data-stage] button").click()
        # A wallet that was opened to pay does not ask for the account.
        expect(self.account.or_(self.purse).first).to_be_visible()


class Till:
    """The till's pages."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    def opened(cls, page: Page, api_key: str) -> Self:
        """Open the till by a link that carries its key."""
        page.goto(f"/till#token={api_key}")
        till = cls(page)
        expect(till.keypad).to_be_visible()
        return till

    @property
    def keypad(self) -> Locator:
        """The keys."""
        return self.page.locator(".keys")

    @property
    def result(self) -> Locator:
        """What fills the screen once an order has ended."""
        return self.page.locator("dialog[data-status]")

    def charge(
        self, digits: str, *, reference: str = "", note: str = "", tip: bool = False
    ) -> tuple[str, str]:
        """Key in an amount and show its code; return the order's id and code."""
        for digit in digits:
            self.keypad.get_by_role("button", name=digit, exact=True).click()
        if reference or note or tip:
            self.page.locator("details summary").click()
            self.page.locator("#reference").fill(reference)
            self.page.locator("#note").fill(note)
            self.page.get_by_role("checkbox").set_checked(tip)
        self.page.locator("form button[class~=tall]").click()
        return self.shown_order()

    def shown_order(self) -> tuple[str, str]:
        """The id and the code of the order on the screen."""
        shown = self.page.locator("section[data-order]")
        expect(shown).to_be_visible()
        order, code = shown.get_attribute("data-order"), shown.get_attribute("data-code")
        assert order is not None
        assert code is not None
        return order, code

    def expect_result(self, status: str) -> None:
        """Wait for the order to end so."""
        expect(self.page.locator(f"dialog[data-status={status}]")).to_be_visible(timeout=15_000)

    def next_customer(self) -> None:
        """Take the result away."""
        self.result.get_by_role("button").click()
        expect(self.result).to_have_count(0)

    def row(self, order: str) -> Locator:
        """An order in the list of today."""
        return self.page.locator(f"li[data-order={order}]")

    def open_today(self) -> None:
        """Show the orders of today."""
        self.page.locator("nav button").nth(1).click()

    def refund(self, order: str, amount: str | None = None) -> None:
        """Give back an amount, or all that is left."""
        self.row(order).get_by_role("button").click()
        dialog = self.page.locator("dialog")
        if amount is not None:
            dialog.locator("#refund-amount").fill(amount)
        dialog.locator("button:not([type=button])").click()
        done = dialog.get_by_role("button")
        expect(done).to_have_count(1)
        done.click()
