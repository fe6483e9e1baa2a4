"""An operator with a mint, coins in a wallet, and orders to be paid; and its serving.

Coins are issued in process: the books are the operator's own, and what pays for the coins is one
top-up of the account of all e-cash.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvloop
from bench.wallet import OUTPUTS_AT_ONCE, Coin, Wallet

from amana.kernel import DAY_NS, IdKind, Instant, format_id
from amana.node.operator import Operator, make_operator, open_operator
from amana.node.purse import PURSE
from amana.node.settings import Settings
from amana.payments.model import (
    CaptureMode,
    Intent,
    Order,
    Payment,
    PaymentKind,
    PaymentStatus,
    TipMode,
)
from amana.people import Merchant
from amana.purse.curve import verify_schnorr
from amana.purse.model import BlindedMessage, IssueAsk, IssueQuote, Refusal
from amana.purse.ports import Blank
from amana.purse.service import Mint

UNIT = "eur"
_METHOD = "prepaid"
_START_SECONDS = 30
_ORDERS_AT_ONCE = 2_000
_KEY_BYTES = 16


@dataclass
class Ready:
    """What the load needs to know: a wallet with coins, and ids of orders."""

    wallet: Wallet
    coins: list[Coin]
    orders: list[str]
    tokens: list[str]
    """Blind tokens, each for one request; none where the mint asks for none."""


class _Prepaid:
    """A way to pay for coins: they are paid for already."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    async def quote(self, quote_id: bytes, ask: IssueAsk) -> IssueQuote | Refusal:
        """Make a quote that is paid."""
        now = self._operator.clock.now()
        return IssueQuote(
            id=quote_id,
            method=_METHOD,
            request="",
            unit=ask.unit,
            amount=ask.amount,
            paid=ask.amount,
            issued=0,
            pubkey=None,
            expires_at=None,
            updated_at=now,
        )

    def paid(self, quote: IssueQuote) -> int:
        """Return the whole amount."""
        return quote.amount


def prepare(
    folder: Path,
    amounts: Sequence[int],
    *,
    orders: int = 0,
    order_minor: int = 0,
    tokens: int = 0,
) -> Ready:
    """Make an operator with coins of these amounts, and orders of one amount each.

    With `tokens` its mint asks for blind tokens, as shipped, and so many are ready.
    """
    make_operator(folder, Settings(is_play_money=True, blind_tokens=tokens > 0))

    async def work() -> Ready:
        with open_operator(folder) as operator:
            await operator.start()
            await operator.purse.start()
            try:
                await _top_up(operator, sum(amounts))
                wallet, coins = await _issue(operator, amounts)
                made = await _orders(operator, orders, order_minor)
                return Ready(wallet, coins, made, await _tokens(operator, tokens))
            finally:
                await operator.purse.stop()
                await operator.writer.carry_over()

    return uvloop.run(work())


async def _top_up(operator: Operator, total: int) -> None:
    identifier = operator.new_id()
    key = identifier.to_bytes(_KEY_BYTES)
    paid = await operator.payments.pay(
        Intent(
            id=identifier,
            kind=PaymentKind.TOPUP,
            initiator=operator.own_party.id,
            key=key,
            body=key,
            payer=operator.own_party,
            payee=PURSE,
            amount=total,
            created_at=operator.clock.now(),
        )
    )
    assert isinstance(paid, Payment), paid
    assert paid.status is PaymentStatus.PAID, paid


async def _issue(operator: Operator, amounts: Sequence[int]) -> tuple[Wallet, list[Coin]]:
    mint = Mint(
        operator.purse.store,
        operator.purse.signatory,
        issue_methods={_METHOD: _Prepaid(operator)},
        redeem_methods={},
        verifier=verify_schnorr,
        ids=lambda: os.urandom(_KEY_BYTES),
        clock=operator.clock,
    )
    keyset = next(one for one in mint.keysets() if one.unit == UNIT and one.is_active)
    wallet, coins = Wallet(keyset.id, keyset.keys), []
    for start in range(0, len(amounts), OUTPUTS_AT_ONCE):
        outputs = [wallet.output(amount) for amount in amounts[start : start + OUTPUTS_AT_ONCE]]
        asked = IssueAsk(UNIT, sum(output.amount for output in outputs), None, None)
        quote = await mint.issue_quote(_METHOD, asked)
        assert isinstance(quote, IssueQuote), quote
        blank = [
            BlindedMessage(keyset.id, output.amount, bytes.fromhex(output.point))
            for output in outputs
        ]
        signed = await mint.issue(_METHOD, quote.id, blank, quote_text="", signature=None)
        assert not isinstance(signed, Refusal), signed
        coins += [
            wallet.coin(output, one.point) for output, one in zip(outputs, signed, strict=True)
        ]
    return wallet, coins


async def _tokens(operator: Operator, count: int) -> list[str]:
    """Have blind tokens signed, past the ration of a day."""
    (keyset,) = operator.purse.auth.keysets()
    wallet, tokens = Wallet(keyset.id, keyset.keys), []
    for start in range(0, count, OUTPUTS_AT_ONCE):
        outputs = [wallet.output(1) for _ in range(min(OUTPUTS_AT_ONCE, count - start))]
        blanks = [Blank(keyset.number, 1, bytes.fromhex(one.point)) for one in outputs]
        for output, signed in zip(
            outputs, await operator.purse.signatory.sign(blanks), strict=True
        ):
            assert signed is not None, "the outputs are points of the curve"
            tokens.append(wallet.token(wallet.coin(output, signed.point)))
    return tokens


async def _orders(operator: Operator, count: int, amount: int) -> list[str]:
    if not count:
        return []
    made = operator.people.new_merchant(
        "shop", "Shop", category="5411", country="DE", city="Berlin"
    )
    merchant = await operator.people.open_merchant(made)
    assert isinstance(merchant, Merchant), merchant
    facts = operator.directory.by_handle("shop")
    assert facts is not None, "the merchant was opened"
    orders = [_order(operator, facts.party, amount) for _ in range(count)]
    for start in range(0, count, _ORDERS_AT_ONCE):
        some = orders[start : start + _ORDERS_AT_ONCE]
        await asyncio.gather(*(operator.payments.create_order(order) for order in some))
    return [format_id(IdKind.ORDER, order.id) for order in orders]


def _order(operator: Operator, merchant: int, amount: int) -> Order:
    identifier, now = operator.new_id(), operator.clock.now()
    key = identifier.to_bytes(_KEY_BYTES)
    return Order(
        id=identifier,
        merchant=type(identifier)(merchant),
        till_id=None,
        amount=amount,
        reference=None,
        basket_hash=None,
        capture=CaptureMode.AUTOMATIC,
        tip=TipMode.NONE,
        key=key,
        body=key,
        created_at=now,
        expires_at=Instant(now + DAY_NS),
    )


@contextmanager
def serve(folder: Path, port: int) -> Iterator[tuple[str, int]]:
    """Serve an operator; give its mint's address and its process."""
    command = [sys.executable, "-m", "amana", "serve", "--data", str(folder)]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port + 1}"
        _wait(f"{url}/v1/keys", process)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            httpx.get(url, timeout=5).raise_for_status()
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def processor_seconds(root: int) -> float:
    """Return what a process and those it started have used of the processors so far."""
    used: dict[int, float] = {}
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(fields[1])
            used[int(entry.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    family = {root}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(used[pid] for pid in family if pid in used)
