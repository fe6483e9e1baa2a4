"""`python -m amana.testing.mint` serves a test mint until interrupted."""

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path

import uvicorn

from amana.node.chance import SystemChance, SystemClock
from amana.node.listening import PortTaken, listen
from amana.node.mint import serving
from amana.purse.signatory import default_processes
from amana.storage import FolderLocked
from amana.testing.mint.world import MintSettings, open_mint

_UNIT_CHARACTERS_MAX = 16
_FEE_PPK_MAX = 10_000


def main() -> None:
    """Read the command line, and serve."""
    arguments = _parser().parse_args()
    settings = MintSettings(
        folder=arguments.data,
        url=f"http://{arguments.host}:{arguments.port}",
        units=tuple(dict.fromkeys(arguments.units)),
        fee_ppk=arguments.input_fee_ppk,
        processes=default_processes(),
    )
    try:
        asyncio.run(_serve(settings, host=arguments.host, port=arguments.port))
    except (PortTaken, FolderLocked) as told:
        sys.exit(str(told))
    except KeyboardInterrupt:
        pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m amana.testing.mint",
        description="Serve a Cashu mint with play money: its quotes pay themselves after a second.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=3338, help="port; 0 takes a free one")
    parser.add_argument("--units", type=_units, default=["sat"], help="for example sat,usd,eur")
    parser.add_argument(
        "--input-fee-ppk", type=_fee, default=0, help="thousandths of a unit a proof costs"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of keys and books")
    return parser


def _units(text: str) -> list[str]:
    units = text.split(",")
    for unit in units:
        if not (unit.isascii() and unit.isalnum() and unit == unit.lower()):
            raise argparse.ArgumentTypeError("units are words in lower case, with commas between")
        if len(unit) > _UNIT_CHARACTERS_MAX or unit == "auth":
            raise argparse.ArgumentTypeError(f"{unit} cannot be a unit of money")
    return units


def _fee(text: str) -> int:
    fee = int(text)
    if not 0 <= fee <= _FEE_PPK_MAX:
        raise argparse.ArgumentTypeError(f"a fee lies between 0 and {_FEE_PPK_MAX}")
    return fee


async def _serve(settings: MintSettings, *, host: str, port: int) -> None:
    with listen(host, port) as listening:
        url = f"http://{host}:{listening.getsockname()[1]}"
        settings = settings._replace(url=url)
        async with open_mint(settings, clock=SystemClock(), chance=SystemChance()) as opened:
            server = uvicorn.Server(serving(opened.app))
            telling = asyncio.ensure_future(_tell(server, url))
            await server.serve(sockets=[listening])
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling


async def _tell(server: uvicorn.Server, url: str) -> None:
    """Say where the mint is, once it answers there."""
    while not server.started:  # noqa: ASYNC110 - uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    sys.stdout.write(f"mint: {url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
