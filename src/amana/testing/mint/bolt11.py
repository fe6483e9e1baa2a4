"""A look-alike of paying over Lightning, for other people's clients and suites. No money moves.

Quotes to issue pay themselves after a second. Any invoice is paid, once, and costs one unit more
than its amount: less than the reserve, so that change comes back. An invoice of this very mint
needs no reserve and costs its amount. Units that are not satoshis are exchanged at a made-up rate
that never changes.
"""

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, Final

from coincurve import PrivateKey

from amana.kernel import HOUR_NS, SECOND_NS, Chance, Clock, Instant, new_id
from amana.purse.model import (
    Change,
    ChangeKind,
    Code,
    IssueAsk,
    IssueQuote,
    RedeemAsk,
    RedeemQuote,
    RedeemState,
    Refusal,
)
from amana.testing.mint.invoices import Invoice, preimage_of, read_invoice, write_invoice

METHOD: Final = "bolt11"
AMOUNT_MAX: Final = 2**40
"""Minor units in one quote; far above what suites ask for."""

MSAT_A_UNIT: Final = {"msat": 1, "sat": 1_000}
MSAT_A_MINOR_UNIT: Final = 10_000
"""Thousandths of a satoshi that a unit is exchanged for; the second, of every currency."""

PAYS_ITSELF_S: Final = 1
_TOLD_AFTER_S: Final = 1.02
_QUOTE_NS: Final = HOUR_NS
_FEE_MIN: Final = 2
_COST: Final = 1
_ID_CHANCE_BYTES: Final = 9
_UNIT_UNKNOWN: Final = Refusal(Code.UNIT_UNKNOWN, "unit is not supported")
_OUT_OF_RANGE: Final = Refusal(Code.AMOUNT_OUT_OF_RANGE, "amount is outside of the limits")


class Bolt11Issue:
    """Quotes that pay themselves."""

    def __init__(self, units: tuple[str, ...], *, clock: Clock, key: PrivateKey) -> None:
        self._units = units
        self._clock = clock
        self._key = key
        self.tell: Callable[[Change], None] = lambda _: None

    async def quote(self, quote_id: bytes, ask: IssueAsk) -> IssueQuote | Refusal:
        """Make a quote, and tell of its payment when it has paid itself."""
        if ask.unit not in self._units:
            return _UNIT_UNKNOWN
        if not 0 < ask.amount <= AMOUNT_MAX:
            return _OUT_OF_RANGE
        now = self._clock.now()
        invoice = write_invoice(
            ask.amount * MSAT_A_UNIT.get(ask.unit, MSAT_A_MINOR_UNIT),
            payment_secret=hashlib.sha256(quote_id).digest(),
            key=self._key,
            description=ask.description or "",
            at_s=now // SECOND_NS,
        )
        asyncio.get_running_loop().call_later(
            _TOLD_AFTER_S, lambda: self.tell(Change(ChangeKind.ISSUE_QUOTE, quote_id))
        )
        return IssueQuote(
            id=quote_id,
            method=METHOD,
            request=invoice,
            unit=ask.unit,
            amount=ask.amount,
            paid=0,
            issued=0,
            pubkey=ask.pubkey,
            expires_at=Instant(now + _QUOTE_NS),
            updated_at=now,
        )

    def paid(self, quote: IssueQuote) -> int:
        """Return all of it a second after the quote was made, nothing before."""
        is_paid = self._clock.now() >= quote.updated_at + PAYS_ITSELF_S * SECOND_NS
        return quote.amount if quote.paid or is_paid else 0


class Bolt11Redeem:
    """Invoices that are always paid."""

    grace_s = 0

    def __init__(
        self,
        units: tuple[str, ...],
        *,
        clock: Clock,
        chance: Chance,
        books: sqlite3.Connection,
        write_out: Callable[[], None],
    ) -> None:
        """Join what the books hold; `write_out` writes what they hold back until the commit."""
        self._units = units
        self._clock = clock
        self._chance = chance
        self._books = books
        self._write_out = write_out

    async def quote(self, quote_id: bytes, ask: RedeemAsk) -> RedeemQuote | Refusal:
        """Make a quote for an invoice of any network."""
        if ask.unit not in self._units:
            return _UNIT_UNKNOWN
        invoice = read_invoice(ask.request)
        if invoice is None:
            return Refusal(Code.PAYMENT_FAILED, "this is no Lightning invoice")
        msat = _amount_msat(invoice, ask.fields)
        if isinstance(msat, Refusal):
            return msat
        # Rounded up: what is paid out is never more than what is taken in.
        amount = -(-msat // MSAT_A_UNIT.get(ask.unit, MSAT_A_MINOR_UNIT))
        if not 0 < amount <= AMOUNT_MAX:
            return _OUT_OF_RANGE
        if self._is_paid(ask.request, quote_id):
            return Refusal(Code.ALREADY_PAID, "invoice already paid")
        now = self._clock.now()
        return RedeemQuote(
            id=quote_id,
            method=METHOD,
            request=ask.request,
            unit=ask.unit,
            amount=amount,
            fee_reserve=0 if self._is_own(ask.request) else max(_FEE_MIN, -(-amount // 100)),
            state=RedeemState.UNPAID,
            attempts=0,
            expires_at=Instant(now + _QUOTE_NS),
            payment_id=new_id(now, self._chance.draw(_ID_CHANCE_BYTES)),
            target=b"",
        )

    def cost(self, quote: RedeemQuote) -> int:
        """Return the amount and, of an invoice of others, a fee of one unit."""
        return quote.amount + min(_COST, quote.fee_reserve)

    async def hold(self, quote: RedeemQuote) -> Refusal | None:
        """Hold nothing: there is no money."""

    def effect(self, quote: RedeemQuote, now: Instant) -> Refusal | None:  # noqa: ARG002 - the port's
        """Refuse to pay an invoice a second time, under whatever quote."""
        self._write_out()
        if self._is_paid(quote.request, quote.id):
            return Refusal(Code.ALREADY_PAID, "invoice already paid")
        return None

    async def post(self, quote: RedeemQuote) -> None:
        """Move nothing."""

    async def void(self, quote: RedeemQuote) -> None:
        """Give back nothing."""

    def fields(self, quote: RedeemQuote) -> dict[str, Any]:
        """Return the preimage of a test mint's invoice; of others one as made up as the payment."""
        if quote.state is not RedeemState.PAID:
            return {}
        invoice = read_invoice(quote.request)
        secret = None if invoice is None else invoice.payment_secret
        return {"payment_preimage": preimage_of(secret or quote.id).hex()}

    def _is_own(self, request: str) -> bool:
        """Say whether an invoice was written by this mint."""
        row = self._books.execute(
            "SELECT 1 FROM purse_issue_quotes WHERE request = ?", (request,)
        ).fetchone()
        return row is not None

    def _is_paid(self, request: str, quote_id: bytes) -> bool:
        row = self._books.execute(
            "SELECT 1 FROM purse_redeem_quotes WHERE request = ? AND state >= ? AND id <> ?",
            (request, int(RedeemState.SPENT), quote_id),
        ).fetchone()
        return row is not None


def _amount_msat(invoice: Invoice, fields: Mapping[str, Any]) -> int | Refusal:
    """Return what is to be paid: the invoice says, or where it does not, whoever pays."""
    options = fields.get("options")
    amountless = options.get("amountless") if isinstance(options, dict) else None
    asked = amountless.get("amount_msat") if isinstance(amountless, dict) else None
    if invoice.amount_msat is None:
        if type(asked) is not int:
            return Refusal(Code.AMOUNTLESS_INVOICE, "the invoice has no amount, and none is given")
        return asked
    if asked is not None and asked != invoice.amount_msat:
        return Refusal(Code.AMOUNT_DIFFERS, "the amount is not that of the invoice")
    return invoice.amount_msat
