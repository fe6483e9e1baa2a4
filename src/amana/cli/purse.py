"""`amana purse`: keysets, their rotation and revocation, and what is owed to holders of e-cash."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.table import Column, Table

from amana.cli.exits import Failed
from amana.kernel import SECOND_NS, Instant, Money, format_instant
from amana.node.chance import SystemClock
from amana.node.operator import Operator, open_operator
from amana.node.purse import final_expiry, keyset_plan, token_plan
from amana.node.settings import read_settings
from amana.purse.keysets import AUTH_UNIT
from amana.purse.liabilities import Facts, read_facts
from amana.purse.model import Keyset
from amana.purse.reissue import RevokingSignatory
from amana.purse.signatory import FolderStore, SignatoryPool, read_copy, rebuild_entries
from amana.storage import BOOKS_FILE, lock_folder, open_reader
from amana.trust import SIGNATORY_FOLDER

_Json = Annotated[bool, Parameter(negative=())]
_SHORT: Final = 16
_LAST_STATEMENT: Final = "SELECT statement FROM purse_statements ORDER BY day DESC LIMIT 1"
_LIMIT_MAX: Final = 1_000_000_000_000
"""More signatures than any mint makes, and few enough for every number that is written of them."""

_NEWEST_KEYSET: Final = """
    SELECT max(keyset) FROM (SELECT keyset FROM purse_totals UNION SELECT keyset FROM purse_ended)
"""


def keysets(*, data: Path, json: _Json = False) -> None:
    """List every keyset there ever was, with what of it is out and how near it is to its limit.

    `signed_most` is how often the denomination has signed that did so most; at `limit` it stops.

    Args:
        data: The operator's folder; it may be in use.
        json: Print JSON.
    """
    facts, store = _facts(data), FolderStore(data / SIGNATORY_FOLDER)
    signed = store.counts()
    rows = []
    for number, entry in enumerate(store.entries()):
        counts = [each for each in facts.counts if each.keyset == number]
        expiry = entry.plan.final_expiry
        rows.append(
            {
                "number": number,
                "id": entry.id,
                "unit": entry.plan.unit,
                "status": entry.status.value,
                "expires_at": None
                if expiry is None
                else format_instant(Instant(expiry * SECOND_NS)),
                "outstanding": str(sum((c.signed - c.spent) * c.amount for c in counts)),
                "signed_most": max(
                    signed.get(f"{number}:{amount}", 0) for amount in entry.plan.amounts
                ),
                "limit": entry.plan.signatures_max,
            }
        )
    _print(rows, "Keysets", is_json=json)


def liabilities(*, data: Path, json: _Json = False) -> None:
    """Show what is owed to holders of e-cash at this moment, beside what the ledger says.

    Args:
        data: The operator's folder; it may be in use.
        json: Print JSON.
    """
    facts, unit = _facts(data), read_settings(data).unit
    out = sum((count.signed - count.spent) * count.amount for count in facts.counts)
    amounts = {
        "outstanding": out,
        "promised": facts.promised,
        "returning": facts.returning,
        "to_post": facts.to_post,
        "ledger_balance": facts.balance,
    }
    is_even = out + facts.promised + facts.returning == facts.balance - facts.to_post
    if json:
        told = {name: str(minor) for name, minor in amounts.items()} | {"even": is_even}
        print(msgspec.json.encode(told).decode())  # noqa: T201 - the command's output
        return
    table = Table("what", unit.code, title="Owed to holders of e-cash")
    table.columns[1].justify = "right"
    for name, minor in amounts.items():
        table.add_row(name.replace("_", " "), Money(unit, minor).decimal())
    console = Console(highlight=False)
    console.print(table)
    console.print("even ✓" if is_even else "NOT EVEN: run `amana audit`")


def rotate(*, data: Path) -> None:
    """Begin a new keyset; the one before signs no more, and what it signed stays good.

    A running operator does so by itself every 90 days.

    Args:
        data: The operator's folder; nothing else may be using it.
    """

    async def work(operator: Operator) -> str:
        new = await operator.purse.signatory.rotate(
            operator.purse.unit, final_expiry=final_expiry(operator.clock)
        )
        return f"Keyset {new.number} signs from now on: {new.id}"

    _run(data, work)


def revoke(keyset: str, /, *, data: Path) -> None:
    """Revoke a keyset whose key may be in other hands: its e-cash neither swaps nor pays.

    Holders exchange it by showing how it was issued, which tells the operator which refill it came
    from. Where the keyset was the one that signs, a new one begins. There is no way back.

    Args:
        keyset: Its number, or its id or the beginning of it, as `amana purse keysets` lists it.
        data: The operator's folder; nothing else may be using it.
    """

    async def work(operator: Operator) -> str:
        purse = operator.purse
        assert isinstance(purse.signatory, RevokingSignatory), "an operator's own keys"
        found = _find(keyset, purse.signatory.keysets())
        if found.unit == AUTH_UNIT:
            raise Failed(
                "Blind tokens hold no money; their keyset is not revoked. Nothing changed."
            )
        if found.is_active:
            await purse.signatory.rotate(found.unit, final_expiry=final_expiry(operator.clock))
        await purse.signatory.revoke(found.number)
        return f"Keyset {found.number} is revoked: {found.id}"

    _run(data, work)


def limit(
    keyset: str,
    signatures: Annotated[int, Parameter(validator=Number(gte=1, lte=_LIMIT_MAX))],
    /,
    *,
    data: Path,
) -> None:
    """Set how often each denomination of a keyset may sign before it stops.

    Args:
        keyset: Its number, or its id or the beginning of it, as `amana purse keysets` lists it.
        signatures: How often, in all; what was signed already counts.
        data: The operator's folder; nothing else may be using it.
    """

    async def work(operator: Operator) -> str:
        signatory = operator.purse.signatory
        assert isinstance(signatory, SignatoryPool), "an operator's own keys"
        found = _find(keyset, signatory.keysets())
        await signatory.set_limit(found.number, signatures)
        return f"Limit of keyset {found.number}: {signatures:,} signatures of each denomination"

    _run(data, work)


def rebuild(*copies: Path, data: Path) -> None:
    """Make a lost list of keysets again, from the mint's secret and public copies of the list.

    A copy is a file with an answer of the mint (`/v1/keysets`, `/v1/keys`,
    `/v1/auth/blind/keysets`), a published statement, or an older `keysets.json` of the signatory
    archive. The last statement in the books is read by itself. All copies together must hold every
    keyset there was; what they say is tried, and nothing is written unless every id agrees.

    Args:
        copies: Files with copies, in any order.
        data: The operator's folder; nothing else may be using it.
    """
    store = FolderStore(data / SIGNATORY_FOLDER)
    settings = read_settings(data)
    amounts = {
        settings.currency.lower(): keyset_plan(settings.currency, SystemClock()).amounts,
        AUTH_UNIT: token_plan(SystemClock()).amounts,
    }
    with lock_folder(data):
        if store.is_listed():
            raise Failed("The list of keysets is there and can be read. Nothing was changed.")
        held, numbers = _in_books(data)
        try:
            found = [each for text in held for each in read_copy(text)]
            found += [each for path in copies for each in read_copy(path.read_bytes())]
            entries = rebuild_entries(store.seed(), found, lambda unit: amounts.get(unit, ()))
        except ValueError as reason:
            raise Failed(f"The list was not made again: {reason}. Nothing was changed.") from None
        missing = amounts.keys() - {entry.plan.unit for entry in entries}
        if missing:
            raise Failed(
                f"No copy holds a keyset of unit {', '.join(sorted(missing))}, and every mint has "
                "one. Name a copy of that list too. Nothing was changed."
            )
        if numbers > len(entries):
            raise Failed(
                f"The books have e-cash of keyset {numbers - 1}, which is in no copy. Name a newer "
                "copy too. Nothing was changed."
            )
        store.put_entries(entries)
    keysets(data=data)


def _in_books(data: Path) -> tuple[list[bytes], int]:
    """Return the last statement, if there is one, and how many keysets e-cash was signed of."""
    with closing(open_reader((data / BOOKS_FILE).resolve())) as connection:
        statements = connection.execute(_LAST_STATEMENT).fetchall()
        ((newest,),) = connection.execute(_NEWEST_KEYSET).fetchall()
    return [row[0] for row in statements], 0 if newest is None else newest + 1


def _find(text: str, listed: tuple[Keyset, ...]) -> Keyset:
    named = [
        each
        for each in listed
        if text == str(each.number) or (len(text) >= _SHORT and each.id.startswith(text.lower()))
    ]
    if len(named) != 1:
        raise Failed(
            f"'{text}' names no keyset: its number, or at least {_SHORT} characters of its id. "
            "Nothing was changed."
        )
    return named[0]


def _run(data: Path, work: Callable[[Operator], Awaitable[str]]) -> None:
    async def run(operator: Operator) -> str:
        await operator.purse.start()
        try:
            return await work(operator)
        finally:
            await operator.purse.stop()

    with open_operator(data) as operator:
        told = asyncio.run(run(operator))
    Console(highlight=False).print(told, markup=False, soft_wrap=True)


def _facts(data: Path) -> Facts:
    read_settings(data)  # Refuses a folder that holds no operator.
    with closing(open_reader((data / BOOKS_FILE).resolve())) as connection:
        return read_facts(connection)


def _print(rows: list[dict[str, Any]], title: str, *, is_json: bool) -> None:
    if is_json:
        print(msgspec.json.encode(rows).decode())  # noqa: T201 - the command's output
        return
    # In a narrow terminal a cell takes more lines: half an id is no id.
    table = Table(*(Column(name, overflow="fold") for name in rows[0]), title=title)
    for row in rows:
        table.add_row(*["-" if value is None else str(value) for value in row.values()])
    Console(highlight=False).print(table)
