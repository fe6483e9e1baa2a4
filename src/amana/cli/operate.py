"""`amana init`, `serve`, `recover`, `doctor`: an operator's life."""

import asyncio
import platform
import shutil
import sqlite3
from pathlib import Path
from typing import Annotated, Final

import msgspec
import uvloop
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from amana.cli.exits import FOUND, Failed
from amana.kernel import IdKind, format_id, format_instant
from amana.node.chance import SystemClock
from amana.node.http.pages import Pages
from amana.node.listening import listen
from amana.node.log_keeper import kept_since
from amana.node.operator import make_operator, open_operator
from amana.node.server import Listening
from amana.node.server import serve as serve_operator
from amana.node.settings import Settings, read_settings
from amana.people import OperatorRole, OperatorStaff, Refused
from amana.people.rules import is_name
from amana.storage import BOOKS_FILE, read_log
from amana.trust import (
    HANDLE_PEPPER,
    WEBHOOK_SIGNING,
    KeysDamaged,
    KeyStore,
    SecretMissing,
    Signatory,
)

_FREE_BYTES_MIN: Final = 1 << 30
_NAMES = IdKind.PAYMENT


def init(
    *,
    data: Path,
    name: str,
    currency: str = "EUR",
    host: str = "localhost",
    url: str = "http://localhost:8400",
    mint_url: str = "http://mint.localhost:8401",
    checkout_url: str = "http://pay.localhost:8402",
    officer: str = "First officer",
) -> None:
    """Make the data folder of a new operator, and its first officer's token.

    Args:
        data: The folder; made if it is not there.
        name: The operator's name, as wallets show it.
        currency: The one currency of the books (ISO 4217); never changed later.
        host: The name in payment codes, and the passkeys' domain.
        url: Where wallets and tills reach the operator.
        mint_url: Where wallets reach its mint: an origin of its own.
        checkout_url: Where payers reach its checkout: likewise.
        officer: The first member of staff.
    """
    if not is_name(officer):
        raise Failed(
            "The officer's name was refused: 1 to 60 visible characters. Nothing was made."
        )
    settings = Settings(
        name=name,
        currency=currency,
        host=host,
        url=url,
        mint_url=mint_url,
        checkout_url=checkout_url,
        blind_tokens=True,
    )
    make_operator(data, settings)
    token = asyncio.run(_new_officer(data, officer))
    console = Console(highlight=False)
    console.print(f"An operator was made in {data}.", markup=False)
    console.print("The first officer's token, shown this once:", markup=False)
    console.print(token, markup=False, soft_wrap=True)


def officer(*, data: Path, name: str) -> None:
    """Add an officer to the operator's staff, and show the token once.

    For whoever holds the data folder: the way back in where every officer's token is lost.

    Args:
        data: The operator's folder; nothing else may be using it.
        name: The new member of staff.
    """
    token = asyncio.run(_new_officer(data, name))
    console = Console(highlight=False)
    console.print("The officer's token, shown this once:", markup=False)
    console.print(token, markup=False, soft_wrap=True)


async def _new_officer(data: Path, officer: str) -> str:
    with open_operator(data) as operator:
        await operator.start()
        staff = await operator.people.add_operator_staff(officer, OperatorRole.OFFICER)
        if not isinstance(staff, OperatorStaff):
            raise Failed(f"The officer's name was refused: {staff.detail}")
        issued = await operator.people.issue_operator_token(staff.staff)
        assert not isinstance(issued, Refused), "an officer can have a token"
        return issued.text


def serve(
    *,
    data: Path,
    port: int = 8400,
    mint_port: int | None = None,
    checkout_port: int | None = None,
    address: str = "127.0.0.1",
) -> None:
    """Serve an operator and its mint until interrupted.

    Args:
        data: The operator's folder.
        port: Where to listen.
        mint_port: Where the mint listens; by default one above the operator's port.
        checkout_port: Where the checkout listens; by default two above the operator's port.
        address: On which of this machine's addresses; the default is this machine only.
    """
    operator_url = read_settings(data).url
    mint_port = port + 1 if mint_port is None else mint_port
    checkout_port = port + 2 if checkout_port is None else checkout_port
    listening = Listening(*[listen(address, each) for each in (port, mint_port, checkout_port)])
    console = Console(highlight=False)

    async def tell() -> None:
        console.print(f"Serving {data} on {address}:{port}. Stop with Ctrl-C.", markup=False)
        console.print(f"Wallets and tills reach it at {operator_url}.", markup=False)
        console.print(f"The mint listens on {address}:{mint_port}.", markup=False)
        console.print(f"The checkout listens on {address}:{checkout_port}.", markup=False)

    with open_operator(data) as operator:
        uvloop.run(serve_operator(operator, listening, when_ready=tell))


def recover(*, data: Path, json: Annotated[bool, Parameter(negative=())] = False) -> None:
    """Finish payments and redemptions that were interrupted; `serve` does so too when it starts.

    Args:
        data: The operator's folder.
        json: Print JSON.
    """
    finished, left = asyncio.run(_recover(data))
    console = Console(highlight=False)
    if json:
        print(msgspec.json.encode({"finished": finished, "unfinished": left}).decode())  # noqa: T201 - the command's output
        return
    console.print(f"{len(finished)} finished, {left} unfinished.")
    for identifier in finished:
        console.print(f"  {identifier}", markup=False)


async def _recover(data: Path) -> tuple[list[str], int]:
    with open_operator(data) as operator:
        await operator.open_own_accounts()
        finished = await operator.payments.recover()
        unfinished = await operator.purse.store.unfinished()
        await operator.purse.mint.recover()
        names = [format_id(_NAMES, payment.id) for payment in finished]
        names += [format_id(_NAMES, quote.payment_id) for quote in unfinished]
        left = len(operator.payments_read.unfinished()) + len(
            await operator.purse.store.unfinished()
        )
        return names, left


def doctor(*, data: Path, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Look over an operator's folder and machine, and say what to mend.

    Args:
        data: The operator's folder.
        json: Print JSON.
    """
    findings = _look_over(data)
    if json:
        print(msgspec.json.encode(findings).decode())  # noqa: T201 - the command's output
    else:
        table = Table("", "what", "found", title=f"amana doctor {data}")
        for finding in findings:
            table.add_row("✓" if finding["is_fine"] else "✗", *map(str, list(finding.values())[1:]))
        Console(highlight=False).print(table)
    return 0 if all(finding["is_fine"] for finding in findings) else FOUND


def _look_over(data: Path) -> list[dict[str, object]]:
    settings = read_settings(data)
    free = shutil.disk_usage(data).free
    mode = data.stat().st_mode & 0o077
    log = _look_at_log(data)
    integrity = _quick_check(data / BOOKS_FILE)
    return [
        _finding("settings", f"{settings.name}, {settings.currency}", is_fine=True),
        _finding(
            "folder", "private" if not mode else "others can read it: chmod 700", is_fine=not mode
        ),
        _finding("books", integrity, is_fine=integrity == "ok"),
        log,
        _look_at_secrets(data),
        _look_at_keys(data),
        _finding("free space", f"{free >> 20} MiB", is_fine=free >= _FREE_BYTES_MIN),
        _finding(
            "web part",
            "built" if Pages().is_built else "not built: make setup",
            is_fine=Pages().is_built,
        ),
        _finding("Python", platform.python_version(), is_fine=True),
        _finding("SQLite", sqlite3.sqlite_version, is_fine=sqlite3.sqlite_version_info >= (3, 37)),
    ]


def _finding(what: str, found: str, *, is_fine: bool) -> dict[str, object]:
    return {"is_fine": is_fine, "what": what, "found": found}


def _look_at_log(data: Path) -> dict[str, object]:
    log, now = read_log(data), SystemClock().now()
    since = kept_since(log, now)
    if since is not None:
        return _finding(
            "books' log",
            f"{log.bytes} bytes, not emptied since {format_instant(since)}: somebody reads the "
            "books for long, or the operator ended too early to empty it; until it is emptied it "
            "tells what was written together",
            is_fine=False,
        )
    at = "not yet" if log.emptied_at is None else format_instant(log.emptied_at)
    return _finding("books' log", f"{log.bytes} bytes, last emptied: {at}", is_fine=True)


def _look_at_secrets(data: Path) -> dict[str, object]:
    try:
        for name in (HANDLE_PEPPER, WEBHOOK_SIGNING):
            Signatory(data).secret(name)
    except SecretMissing as missing:
        return _finding("secrets", str(missing), is_fine=False)
    return _finding("secrets", "whole", is_fine=True)


def _look_at_keys(data: Path) -> dict[str, object]:
    try:
        keys = KeyStore(data)
    except KeysDamaged as damage:
        return _finding("persons' keys", str(damage), is_fine=False)
    generation, held = keys.generation, keys.wrapping.generations()
    keys.close()
    if generation not in held:
        lost = f"wrapping key {generation} is missing: restore the signatory archive"
        return _finding("persons' keys", lost, is_fine=False)
    return _finding("persons' keys", f"whole, generation {generation}", is_fine=True)


def _quick_check(path: Path) -> str:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as damage:
        return str(damage)
    finally:
        connection.close()
