"""A mint in this process, with a clock that stands still, asked as a server would ask it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvicorn
from coincurve import PrivateKey

from amana.kernel import SECOND_NS
from amana.node.http.connections import BoundedProtocol
from amana.node.mint import MintApp, serving
from amana.purse.curve import hash_to_curve
from amana.purse.model import BlindSignature, Keyset, Proof
from amana.purse.service import Mint
from amana.testing.ecash import Blinded, BlindingWallet
from amana.testing.mint import MintSettings, open_mint
from amana.testing.mint.invoices import write_invoice
from amana.testing.rooms import START, HandClock, SeededChance

STRANGER: Final = PrivateKey(b"\x07" * 32)
PAID_NS: Final = 2 * SECOND_NS
WAIT_S: Final = 20
_TALK_S: Final = 60


Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(app: Asgi, method: str, path: str, body: object = None, **headers: str) -> Reply:
    """Ask an application once; bytes are sent as they are, all else as JSON."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    sent: list[dict[str, Any]] = []
    received = [{"type": "http.request", "body": raw, "more_body": False}]

    async def receive() -> Any:
        return received.pop(0) if received else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    names = {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in names.items()],
    }
    await app(scope, receive, send)
    start, end = sent
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], told, end["body"])


class Socket:
    """One WebSocket to an application."""

    def __init__(self, app: MintApp, path: str = "/v1/ws") -> None:
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.is_reading = asyncio.Event()
        self.is_reading.set()
        self._to_app.put_nowait({"type": "websocket.connect"})
        scope = {"type": "websocket", "path": path, "headers": []}
        self.task = asyncio.ensure_future(app(scope, self._to_app.get, self._take))

    async def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await self.is_reading.wait()
        await self._from_app.put(message)

    async def heard(self) -> dict[str, Any]:
        """Return the next message as the server would see it."""
        return await asyncio.wait_for(self._from_app.get(), WAIT_S)

    async def told(self) -> Any:
        """Return what the mint says next."""
        message = await self.heard()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    def say(self, text: str) -> None:
        """Send a message."""
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def command(self, method: str, *, number: Any = 1, **params: Any) -> Any:
        """Send a command, and return what is told next."""
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": number}
        self.say(json.dumps(request))
        return await self.told()

    def nothing_waits(self) -> bool:
        """Say whether nothing was told that nobody has read."""
        return self._from_app.empty()

    async def close(self) -> None:
        """Go away."""
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self.task, WAIT_S)


class MintTown:
    """A mint, its clock, and somebody with a wallet for `sat`."""

    def __init__(self, mint: Mint, app: MintApp, clock: HandClock) -> None:
        self.mint = mint
        self.app = app
        self.clock = clock
        self.chance = SeededChance(7)
        self.wallet = BlindingWallet(self.keyset("sat"), self.chance.draw)

    def keyset(self, unit: str) -> Keyset:
        return next(one for one in self.mint.keysets() if one.unit == unit and one.is_active)

    async def get(self, path: str) -> Reply:
        return await ask(self.app, "GET", path)

    async def post(self, path: str, body: object, **headers: str) -> Reply:
        return await ask(self.app, "POST", path, body, **headers)

    async def quote(self, amount: int, **more: object) -> str:
        """Return the id of a quote."""
        answer = await self.post("/v1/mint/quote/bolt11", {"unit": "sat", "amount": amount, **more})
        assert answer.status == 200, answer.body
        return str(answer.json["quote"])

    async def melt_quote(self, amount: int) -> Any:
        """Return a quote for paying an invoice of a stranger."""
        invoice = write_invoice(
            amount * 1_000,
            payment_secret=self.chance.draw(32),
            key=STRANGER,
            description="",
            at_s=START // SECOND_NS,
        )
        asked = {"unit": "sat", "request": invoice, "options": {}}
        answer = await self.post("/v1/melt/quote/bolt11", asked)
        assert answer.status == 200, answer.body
        return answer.json

    async def issued(self, amount: int) -> list[Proof]:
        """Return proofs of an amount, with nothing spent."""
        quote = await self.quote(amount)
        self.clock.advance(PAID_NS)
        blinded = self.wallet.outputs(amount)
        answer = await self.post("/v1/mint/bolt11", {"quote": quote, "outputs": shown(blinded)})
        return self.proofs(blinded, answer)

    def proofs(self, blinded: list[Blinded], answer: Reply) -> list[Proof]:
        assert answer.status == 200, answer.body
        return list(self.wallet.proofs(blinded, read_signatures(answer.json["signatures"])))

    async def state(self, proof: Proof) -> str:
        answer = await self.post("/v1/checkstate", {"Ys": [y_of(proof)]})
        return str(answer.json["states"][0]["state"])


def read_signatures(views: list[Any]) -> list[BlindSignature]:
    return [
        BlindSignature(
            view["id"],
            view["amount"],
            bytes.fromhex(view["C_"]),
            bytes.fromhex(view["dleq"]["e"]),
            bytes.fromhex(view["dleq"]["s"]),
        )
        for view in views
    ]


def y_of(proof: Proof) -> str:
    """Return the point of a proof's secret, as a state is asked for."""
    return hash_to_curve(proof.secret.encode()).hex()


def shown(blinded: list[Blinded]) -> list[dict[str, object]]:
    """Show outputs as they are sent."""
    return [
        {
            "amount": one.message.amount,
            "id": one.message.keyset_id,
            "B_": one.message.point.hex(),
        }
        for one in blinded
    ]


def spent(proofs: list[Proof]) -> list[dict[str, object]]:
    """Show proofs as they are sent, with what wallets send beside."""
    return [
        {
            "amount": proof.amount,
            "id": proof.keyset_id,
            "secret": proof.secret,
            "C": proof.point.hex(),
            "witness": proof.witness,
            "dleq": None,
            "p2pk_e": "of no interest to a mint",
        }
        for proof in proofs
    ]


@asynccontextmanager
async def mint_town(folder: Path) -> AsyncIterator[MintTown]:
    """Open a mint in a folder."""
    clock = HandClock()
    settings = MintSettings(folder, "http://mint.localhost", ("sat", "eur"))
    async with open_mint(settings, clock=clock, chance=SeededChance(1)) as opened:
        yield MintTown(opened.mint, opened.app, clock)


Talk = Callable[[MintTown], Awaitable[None]]
Meet = Callable[[Talk], None]
"""Lets a talk happen with a mint."""


@contextmanager
def meeting(folder: Path) -> Iterator[Meet]:
    """Open a mint for talks, one after another."""
    with asyncio.Runner() as runner, ExitStack() as stack:
        context = mint_town(folder)
        town = runner.run(context.__aenter__())
        stack.callback(lambda: runner.run(context.__aexit__(None, None, None)))

        def meet(talk: Talk) -> None:
            runner.run(asyncio.wait_for(_awaited(talk, town), _TALK_S))

        yield meet


async def _awaited(talk: Talk, town: MintTown) -> None:
    await talk(town)


async def opened(town: MintTown) -> Socket:
    """Open a socket that asked for nothing yet."""
    socket = Socket(town.app)
    assert (await socket.heard())["type"] == "websocket.accept"
    return socket


@asynccontextmanager
async def served(
    town: MintTown, protocol: type[BoundedProtocol] = BoundedProtocol
) -> AsyncIterator[str]:
    """Serve a mint as an operator's is served; the value is where."""
    config = serving(town.app)
    config.load()
    state = uvicorn.Server(config).server_state
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
