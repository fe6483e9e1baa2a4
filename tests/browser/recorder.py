"""Everything a wallet sends, and what should not be in it."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request
from tests.browser.conftest import Operator
from tests.browser.leaks import MERCHANT, Sent, leaks_in
from tests.browser.screens import TOLD


@dataclass
class Recorder:
    """Listens to a browser; `leaks` says what it should not have sent."""

    operator: Operator
    requests: list[Request] = field(default_factory=list)
    allowed: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)
    sockets: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: BrowserContext, operator: Operator) -> "Recorder":
        """Begin to record."""
        recorder = cls(operator)
        context.on("request", recorder.asked)
        context.on("console", recorder.heard)
        context.on("page", recorder.opened)
        for page in context.pages:
            recorder.opened(page)
        return recorder

    def asked(self, request: Request) -> None:
        """Note a request, from a page or from its workers."""
        self.requests.append(request)

    def opened(self, page: Page) -> None:
        """Watch a page for what is no request; a wallet opens no socket to anybody."""
        page.on("websocket", lambda socket: self.sockets.append(socket.url))

    def heard(self, message: ConsoleMessage) -> None:
        """Note that the operator told a page of the account."""
        if message.text == TOLD:
            self.told.add(len(self.requests))

    def ask_after(self) -> None:
        """Note that the person asks after something they handed over."""
        self.after.add(len(self.requests))

    def allow_uploads(self) -> None:
        """Note that the person asks for the named side, or that a payment is long enough ago."""
        self.allowed.add(len(self.requests))

    def to_mint(self) -> list[Request]:
        """What went to the mint's own origin."""
        return [one for one in self.requests if one.url.startswith(self.operator.mint_url + "/")]

    def redemptions(self) -> list[Request]:
        """Payments from the purse, each attempt."""
        return [one for one in self.to_mint() if path(one) == MERCHANT and one.method == "POST"]

    def named_since(self, number: int) -> list[str]:
        """What went to the operator's API since so many requests."""
        opening = self.operator.url + "/v1/"
        return [
            f"{one.method} {path(one)}"
            for one in self.requests[number:]
            if one.url.startswith(opening)
        ]

    def leaks(self) -> list[str]:
        """What is wrong with what was sent, in words."""
        sockets = [f"{url}: a socket" for url in self.sockets]
        return sockets + leaks_in(
            [self._read(one) for one in self.requests],
            operator=self.operator.url,
            mint=self.operator.mint_url,
            allowed=self.allowed,
            told=self.told,
            asked_after=self.after,
        )

    def _read(self, request: Request) -> Sent:
        """Read a request as it left the browser; of the answer only what the mint's tells."""
        if request.url.startswith(self.operator.url + "/v1/purse"):
            return Sent(request.method, request.url, {}, request.post_data or "")
        if not request.url.startswith(self.operator.mint_url + "/"):
            return Sent(request.method, request.url, request.headers)
        answer = request.response()
        return Sent(
            request.method,
            request.url,
            request.all_headers(),
            request.post_data or "",
            None if answer is None else answer.all_headers(),
        )


def path(request: Request) -> str:
    """A request's path."""
    return urlsplit(request.url).path
