"""An operator in process with its HTTP face, driven on one loop by a clock that stands still."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import jsonschema_rs

from amana.node.http.answers import ANSWERS, SCHEMAS
from amana.node.http.app import create_app
from amana.node.operator import Operator, make_operator, open_operator
from amana.node.settings import Settings
from amana.people import OperatorRole, OperatorStaff
from amana.testing.rooms import HandClock

PROBLEM: Final = "application/problem+json"
Json = Any
"""What a test takes from a body, or puts into one."""

NO_BODY: Final[Json] = object()
SETTINGS: Final = Settings(name="Test town", is_play_money=True)

_T = TypeVar("_T")
_numbers: Final = count(1)

Message = MutableMapping[str, Json]


def unique(word: str) -> str:
    """Return a word that no other test uses."""
    return f"{word}-{next(_numbers)}"


def eur(minor: int | str) -> dict[str, str]:
    """Write an amount of euro."""
    return {"currency": "EUR", "minor": str(minor)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def body(self) -> Json:
        """The JSON of the answer."""
        return json.loads(self.content)

    @property
    def slug(self) -> str:
        """The last part of a problem's type; empty where the answer is no problem."""
        is_problem = self.headers.get("content-type", "").partition(";")[0] == PROBLEM
        return str(self.body["type"]).rpartition("/")[2] if is_problem else ""


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody with a token."""

    town: "Town"
    handle: str
    token: str

    def send(self, method: str, path: str, body: Json = NO_BODY, **more: Json) -> Awaitable[Answer]:
        """Ask; to be awaited beside others."""
        return self.town.send(method, path, body, token=self.token, **more)

    def get(self, path: str, **more: Json) -> Answer:
        """Ask for something that is there."""
        return self.town.run(self.town.send("GET", path, token=self.token, **more))

    def post(self, path: str, body: Json = NO_BODY, key: str | None = None, **more: Json) -> Answer:
        """Ask for something to be done, with a key of its own unless one is given."""
        key = unique("key") if key is None else key
        return self.town.run(self.town.send("POST", path, body, token=self.token, key=key, **more))

    def put(self, path: str, body: Json) -> Answer:
        """Replace something."""
        return self.town.run(self.town.send("PUT", path, body, token=self.token))

    def available(self) -> int:
        """What a customer can spend, minor units."""
        return int(self.get("/v1/account").body["available"]["minor"])

    def balance(self) -> int:
        """What a merchant has, minor units."""
        return int(self.get("/v1/merchant").body["balance"]["minor"])

    def pay(self, payee: str, minor: int | str, key: str | None = None) -> Answer:
        """Pay a handle."""
        return self.post("/v1/payments", {"payee": payee, "amount": eur(minor)}, key)

    def pay_code(self, code: str, minor: int | str, key: str | None = None, **more: Json) -> Answer:
        """Pay by a scanned code."""
        return self.post("/v1/payments", {"code": code, "amount": eur(minor), **more}, key)

    def order(self, minor: int, **more: Json) -> Json:
        """Ask, as a merchant, to be paid."""
        answer = self.post("/v1/orders", {"amount": eur(minor), **more})
        assert answer.status == 201, answer.content
        return answer.body


def check_shape(method: str, response: httpx.Response) -> None:
    """Hold a successful answer to what the OpenAPI document says of it."""
    is_json = response.headers.get("content-type", "").startswith("application/json")
    if response.is_success and is_json:
        stem = response.request.url.path
        found = [name for pattern, name in SHAPES if pattern.fullmatch(f"{method} {stem}")]
        assert found, f"{method} {stem} answers what the document does not describe"
        VALIDATORS[found[0]].validate(response.json())


SHAPES: Final = [
    (re.compile(re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(name))), shape)
    for name, shape in sorted(ANSWERS.items())
]
VALIDATORS: Final = {
    name: jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": f"#/components/schemas/{name}",
            "components": {
                "schemas": {
                    **SCHEMAS,
                    "MoneyShape": {
                        "type": "object",
                        "properties": {"currency": {"const": "EUR"}, "minor": {"type": "string"}},
                        "required": ["currency", "minor"],
                        "additionalProperties": False,
                    },
                }
            },
        }
    )
    for name in SCHEMAS
}


class Town:
    """The operator, its application, and those who use it."""

    def __init__(self, operator: Operator, runner: asyncio.Runner, clock: HandClock) -> None:
        self.operator = operator
        self.clock = clock
        self.runner = runner
        self.app = create_app(operator)
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://localhost:8400"
        )
        self.run(operator.start())
        staff = self.run(operator.people.add_operator_staff("Olga", OperatorRole.OFFICER))
        assert isinstance(staff, OperatorStaff)
        issued = self.run(operator.people.issue_operator_token(staff.staff))
        self.staff = Client(self, "", issued.text)  # type: ignore[union-attr]

    def run(self, work: Awaitable[_T]) -> _T:
        """Run something to its end on the town's loop."""
        return self.runner.run(_awaited(work))

    def together(self, *works: Awaitable[_T]) -> list[_T]:
        """Run several things at once."""
        return self.runner.run(_gathered(*works))

    async def send(
        self,
        method: str,
        path: str,
        body: Json = NO_BODY,
        *,
        token: str | None = None,
        key: str | None = None,
        headers: dict[str, Json] | None = None,
        content: Json = None,
    ) -> Answer:
        """Send one request."""
        sent: dict[str, Json] = {}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if key is not None:
            sent["Idempotency-Key"] = key
        if content is not None or body is not NO_BODY:
            sent["Content-Type"] = "application/json"
            content = json.dumps(body).encode() if content is None else content
        response = await self._http.request(
            method, path, headers={**sent, **(headers or {})}, content=content
        )
        check_shape(method, response)
        return Answer(response.status_code, response.headers, response.content)

    def ask(self, method: str, path: str, body: Json = NO_BODY, **more: Json) -> Answer:
        """Send one request and wait for its answer."""
        return self.run(self.send(method, path, body, **more))

    def customer(self, minor: int = 50_000, *, name: str = "Amal") -> Client:
        """Open a customer with some money."""
        handle = unique("customer")
        made = self.staff.post("/v1/operator/customers", {"handle": handle, "display_name": name})
        assert made.status == 201, made.content
        client = Client(self, handle, made.body["token"])
        if minor:
            self.top_up(handle, minor)
        return client

    def top_up(self, handle: str, minor: int) -> Answer:
        """Give a customer money."""
        return self.staff.post("/v1/operator/topups", {"customer": handle, "amount": eur(minor)})

    def merchant(self, **more: Json) -> Client:
        """Open a merchant."""
        handle = unique("shop")
        asked = {
            "handle": handle,
            "name": "Corner Bakery",
            "names": {"ar": "مخبز"},
            "category": "5462",
            "country": "AE",
            "city": "Dubai",
            **more,
        }
        made = self.staff.post("/v1/operator/merchants", asked)
        assert made.status == 201, made.content
        return Client(self, handle, made.body["api_key"])

    def books(self) -> Json:
        """The books at a glance."""
        return self.staff.get("/v1/operator/books").body

    def money_of(self, name: str) -> int:
        """The balance of one kind of account, minor units."""
        (row,) = [row for row in self.books()["accounts"] if row["name"] == name]
        return int(row["balance"])


async def _awaited(work: Awaitable[_T]) -> _T:
    return await work


async def _gathered(*works: Awaitable[_T]) -> list[_T]:
    return list(await asyncio.gather(*works))


class Reader:
    """Reads a stream as it comes, without a socket; the client's end is this object."""

    def __init__(self, town: Town, token: str, last: str | None = None) -> None:
        headers = [(b"authorization", f"Bearer {token}".encode()), (b"host", b"localhost")]
        if last is not None:
            headers.append((b"last-event-id", last.encode()))
        self._scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/v1/events/stream",
            "raw_path": b"/v1/events/stream",
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 8400),
        }
        self._app = town.app
        self._gone = asyncio.Event()
        self._text = ""
        self._told: asyncio.Queue[str] = asyncio.Queue()
        self.status = 0
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and wait for the greeting."""
        app: Callable[..., Coroutine[Json, Json, None]] = self._app
        self._task = asyncio.ensure_future(app(self._scope, self._receive, self._send))
        assert (await self._told.get()).startswith(":"), "a stream begins with a comment"

    async def next(self) -> dict[str, str]:
        """Wait for the next event: its id, kind and data."""
        block = await self._told.get()
        return dict(line.split(": ", 1) for line in block.splitlines())

    @property
    def is_drained(self) -> bool:
        """Whether everything that came was read."""
        return self._told.empty()

    async def ended(self) -> None:
        """Wait until the server ends the stream."""
        assert self._task is not None, "the stream was opened"
        await self._task

    async def close(self) -> None:
        """Go away."""
        self._gone.set()
        assert self._task is not None, "the stream was opened"
        await self._task

    async def _receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if not message.get("more_body", False):
            self._gone.set()  # as a server does once the answer is whole
        self._text += message.get("body", b"").decode()
        while "\n\n" in self._text:
            block, self._text = self._text.split("\n\n", 1)
            self._told.put_nowait(block)


@contextmanager
def open_town(folder: Path, clock: HandClock | None = None) -> Iterator[Town]:
    """Make (once) and open the operator of a folder, on a loop of its own."""
    clock = clock or HandClock()
    if not (folder / "amana.toml").exists():
        make_operator(folder, SETTINGS, clock=clock)
    with asyncio.Runner() as runner, open_operator(folder, clock=clock) as operator:
        yield Town(operator, runner, clock)
