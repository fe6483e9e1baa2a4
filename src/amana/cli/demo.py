"""`amana demo`: everything on loopback, with play money."""

import asyncio
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import segno
import uvloop
from cyclopts import Parameter
from rich.console import Console

from amana.cli.relay import relay_beside
from amana.demo import DemoWorld, prepare, trade
from amana.node.http.codes import code_of
from amana.node.http.pages import Pages
from amana.node.listening import listen
from amana.node.operator import Operator, make_operator, open_operator
from amana.node.server import Listening, serve
from amana.node.settings import Settings
from amana.storage import SETTINGS_FILE

_HOST: Final = "127.0.0.1"
_LISTENERS: Final = 4
"""The operator, its mint, its checkout, and the relay, on ports that follow each other."""
_PACE: Final = 3_600
"""The purse's hours pass in seconds here, so that nobody has to wait for tomorrow to try it."""


def demo(
    *,
    port: int = 8400,
    data: Path = Path("demo-data"),
    ready_file: Path | None = None,
    browser: Annotated[bool, Parameter(negative="--no-browser")] = True,
    traffic: Annotated[bool, Parameter(negative="--no-traffic")] = True,
) -> None:
    """Start everything here with play money.

    Needs no account, no key and no container, and writes only to the folder it names.

    Args:
        port: Where to listen, on this machine only.
        data: The folder of everything the demo keeps; made if it is not there.
        ready_file: Write addresses and tokens here as JSON when everything is ready.
        browser: Open the first page in a browser.
        traffic: Let simulated customers pay now and then, so that a till has something to show.
    """
    url, mint_url = f"http://localhost:{port}", f"http://mint.localhost:{port + 1}"
    checkout_url = f"http://pay.localhost:{port + 2}"
    relay_url = f"http://relay.localhost:{port + 3}"
    if not (data / SETTINGS_FILE).exists():
        settings = Settings(
            name="Demo operator",
            url=url,
            mint_url=mint_url,
            blind_tokens=True,
            is_play_money=True,
        )
        make_operator(data, settings)
    ports = [listen(_HOST, port + number) for number in range(_LISTENERS)]
    with open_operator(
        data,
        url=url,
        mint_url=mint_url,
        checkout_url=checkout_url,
        relay_url=relay_url,
        pace=_PACE,
    ) as operator:
        uvloop.run(_run(operator, ports, ready_file=ready_file, wishes=(browser, traffic)))


async def _run(
    operator: Operator,
    ports: Sequence[socket.socket],
    *,
    ready_file: Path | None,
    wishes: tuple[bool, bool],
) -> None:
    has_browser, has_traffic = wishes
    trading: list[asyncio.Task[None]] = []

    async def tell() -> None:
        world = await prepare(operator)
        if ready_file is not None:
            _write_whole(ready_file, msgspec.json.encode(world))
        _show(operator, world)
        if has_traffic:
            trading.append(asyncio.create_task(trade(operator, world)))
        if has_browser and sys.stdout.isatty():
            webbrowser.open(_first_page(world))

    listening = Listening(*ports[:3])
    async with relay_beside([operator.settings.mint_url], ports[3]):
        await serve(operator, listening, when_ready=tell)
    for task in trading:
        task.cancel()


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that whoever waits for it never reads half of it."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.chmod(0o600)
    part.replace(path)


def _show(operator: Operator, world: DemoWorld) -> None:
    console = Console(highlight=False)
    wallet, till = world.customers[0], world.merchants[0]
    lines = [
        f"First page   {_first_page(world)}",
        f"Wallet       {world.url}/wallet#token={wallet.token}",
        f"Till         {world.url}/till#token={till.api_key}",
        f"Mint         {world.mint.url}",
        f"Checkout     {world.checkout.url}",
        f"Relay        {world.relay.url}",
        f"Data         {operator.folder.resolve()}",
    ]
    if not Pages().is_built:
        lines.append("The web part is not built: run `make setup` for wallet and till.")
    console.rule("Amana demo: play money")
    console.print("\n".join(lines), soft_wrap=True, markup=False)
    if sys.stdout.isatty():
        console.print(f"The code of {till.handle}, to scan from the wallet:", markup=False)
        segno.make(_static_code(operator, till.handle), micro=False).terminal(compact=True)
    console.print("Stop with Ctrl-C.")


def _first_page(world: DemoWorld) -> str:
    """Return the first page's address; what stands after # stays in the browser."""
    wallet, till = world.customers[0], world.merchants[0]
    return f"{world.url}/#wallet={wallet.token}&till={till.api_key}&online={world.link}"


def _static_code(operator: Operator, handle: str) -> str:
    facts = operator.directory.by_handle(handle)
    assert facts is not None, "the demo's shops are there"
    return code_of(operator, facts)
