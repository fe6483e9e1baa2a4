"""A whole mint in one folder, with the look-alike of Lightning as its only way in and out."""

import sqlite3
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final, NamedTuple

from coincurve import PrivateKey

from amana.kernel import DAY_NS, SECOND_NS, Chance, Clock
from amana.node.mint import MethodInfo, MintApp, MintInfo, OpenGuard, create_mint_app
from amana.purse.books import PurseBooks
from amana.purse.curve import verify_schnorr
from amana.purse.keysets import SEED_BYTES, KeysetPlan, powers_of_two
from amana.purse.ports import Signatory
from amana.purse.service import Mint
from amana.purse.signatory import (
    FolderStore,
    InProcessSignatory,
    make_signatory,
    open_signatory,
)
from amana.purse.store import WrittenPurse
from amana.storage import (
    BOOKS_FILE,
    Writer,
    lock_folder,
    open_writer_connection,
    upgrade,
)
from amana.testing.mint.bolt11 import AMOUNT_MAX, METHOD, Bolt11Issue, Bolt11Redeem

AMOUNTS: Final = powers_of_two(32)
_EXPIRY_DAYS: Final = 3_650
_SIGNATORY_FOLDER: Final = "signatory"
_KEY_BYTES: Final = 32
_QUOTE_BYTES: Final = 16


class MintSettings(NamedTuple):
    """What a test mint is like.

    `fee_ppk` is the input fee in thousandths of a unit a proof; `processes` is how many processes
    hold the keys, as an operator's do, or 0 for none beside this one.
    """

    folder: Path
    url: str
    units: tuple[str, ...] = ("sat",)
    fee_ppk: int = 0
    processes: int = 0


class OpenMint(NamedTuple):
    """A mint that works, and its application."""

    mint: Mint
    app: MintApp


@asynccontextmanager
async def open_mint(
    settings: MintSettings, *, clock: Clock, chance: Chance
) -> AsyncIterator[OpenMint]:
    """Open a test mint, making it where there is none; finish what was interrupted."""
    folder = settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    with lock_folder(folder):
        _make_keysets(settings, clock=clock, chance=chance)
        upgrade(folder / BOOKS_FILE)
        async with _signatory(settings, clock) as signatory:
            with closing(open_writer_connection(folder / BOOKS_FILE)) as connection:
                writer = Writer(connection)
                opened = _put_together(
                    _Floor(settings, clock, chance), writer, connection, signatory=signatory
                )
                await opened.mint.recover()
                yield opened
                await writer.durable()


class _Floor(NamedTuple):
    settings: MintSettings
    clock: Clock
    chance: Chance


@asynccontextmanager
async def _signatory(settings: MintSettings, clock: Clock) -> AsyncIterator[Signatory]:
    folder = settings.folder / _SIGNATORY_FOLDER
    if settings.processes:
        async with open_signatory(folder, processes=settings.processes) as pool:
            yield pool
    else:
        yield InProcessSignatory(FolderStore(folder), clock)


def _put_together(
    floor: _Floor, writer: Writer, connection: sqlite3.Connection, *, signatory: Signatory
) -> OpenMint:
    settings, clock, chance = floor
    books = PurseBooks(connection)
    writer.join(books)
    key = PrivateKey(chance.draw(_KEY_BYTES))
    issue = Bolt11Issue(settings.units, clock=clock, key=key)
    redeem = Bolt11Redeem(
        settings.units, clock=clock, chance=chance, books=connection, write_out=books.before_commit
    )
    mint = Mint(
        WrittenPurse(writer, books, clock),
        signatory,
        issue_methods={METHOD: issue},
        redeem_methods={METHOD: redeem},
        verifier=verify_schnorr,
        ids=lambda: uuid.UUID(bytes=chance.draw(_QUOTE_BYTES), version=4).bytes,
        clock=clock,
    )
    app = create_mint_app(mint, _info(settings), guard=OpenGuard(), clock=clock)
    issue.tell = app.tell
    return OpenMint(mint, app)


def _make_keysets(settings: MintSettings, *, clock: Clock, chance: Chance) -> None:
    final_expiry = (clock.now() + _EXPIRY_DAYS * DAY_NS) // SECOND_NS
    plans = [
        KeysetPlan(unit, AMOUNTS, input_fee_ppk=settings.fee_ppk, final_expiry=final_expiry)
        for unit in settings.units
    ]
    make_signatory(
        settings.folder / _SIGNATORY_FOLDER, plans, seed=chance.draw(SEED_BYTES), clock=clock
    )


def _info(settings: MintSettings) -> MintInfo:
    def method(unit: str, option: str) -> MethodInfo:
        return MethodInfo(METHOD, unit, 1, AMOUNT_MAX, {option: True})

    return MintInfo(
        name="Amana test mint",
        description="Play money: quotes pay themselves, any invoice is paid once.",
        urls=(settings.url,),
        issue=tuple(method(unit, "description") for unit in settings.units),
        redeem=tuple(method(unit, "amountless") for unit in settings.units),
    )
