"""`amana-merchant`: e-cash into an order of a merchant, or to a merchant without one.

The request is an order's id, or `@handle` together with an amount. Whoever pays stays unknown.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from amana.kernel import (
    AMOUNT_MINOR_MAX,
    MILLISECOND_NS,
    AmanaId,
    Clock,
    IdKind,
    Instant,
    format_id,
    parse_id,
)
from amana.kernel.limits import QUOTE_LIFE_MS
from amana.ledger import TransferStatus
from amana.payments import postings, rules
from amana.payments.model import (
    ECASH_ACCOUNT,
    Order,
    Party,
    PartyKind,
    Payment,
    PurseTaking,
    Reason,
    TipMode,
)
from amana.payments.ports import PaymentLedger
from amana.purse.methods.refund import refund_quote, refund_quote_id
from amana.purse.model import (
    Code,
    IssueQuote,
    RedeemAsk,
    RedeemQuote,
    RedeemState,
    Refusal,
)
from amana.purse.rules.refusals import EXCEEDED, plain

METHOD: Final = "amana-merchant"

_KEY: Final = re.compile(r"0[23][0-9a-f]{64}", re.ASCII)
_HANDLE_MARK: Final = "@"
_VOIDED: Final = frozenset(
    {
        TransferStatus.CREATED,
        TransferStatus.EXISTS,
        TransferStatus.LINKED_EVENT_FAILED,
        TransferStatus.PENDING_TRANSFER_NOT_FOUND,
        TransferStatus.PENDING_TRANSFER_ALREADY_VOIDED,
        TransferStatus.ID_ALREADY_FAILED,
    }
)

_SAYS: Final = {
    Reason.ORDER_ALREADY_PAID: Refusal(
        Code.ALREADY_PAID, "This order is paid already. Your e-cash was not spent."
    ),
    Reason.ORDER_IN_PROGRESS: Refusal(
        Code.QUOTE_PENDING, "Somebody is paying this order now. Your e-cash was not spent."
    ),
    Reason.ORDER_EXPIRED: Refusal(
        Code.QUOTE_EXPIRED, "The order has expired. Your e-cash was not spent; ask for a new one."
    ),
    Reason.ORDER_CANCELLED: Refusal(
        Code.QUOTE_EXPIRED, "The merchant cancelled the order. Your e-cash was not spent."
    ),
    Reason.PAYEE_CLOSED: Refusal(
        Code.PAYMENT_FAILED, "The merchant takes no more payments. Your e-cash was not spent."
    ),
    Reason.PURSE_CANNOT_HOLD: Refusal(
        Code.PAYMENT_FAILED,
        "This merchant takes the money later, which only an account can do. Your e-cash was not "
        "spent; pay from the account.",
    ),
}
_REFUSED: Final = Refusal(
    Code.PAYMENT_FAILED, "The payment was refused. Your e-cash was not spent."
)
_KEY_USED: Final = Refusal(
    Code.PAYMENT_FAILED,
    "This key for refunds was left with another payment. Your e-cash was not spent; leave a new "
    "key.",
)
_BUSY: Final = Refusal(
    Code.QUOTE_PENDING,
    "Many payments are under way. Your e-cash was not spent; ask again in a moment.",
)
_UNKNOWN: Final = Refusal(Code.PAYMENT_FAILED, "There is no such order. Nothing was spent.")


def say(reason: Reason) -> Refusal:
    """Write a refusal of the books in the mint's words."""
    return _SAYS.get(reason, _REFUSED)


class Target(msgspec.Struct, frozen=True, array_like=True):
    """What a quote keeps: the order, the merchant, the tip, the fee, and the refund's key."""

    order: bytes | None
    merchant: bytes
    tip: int
    fee: int
    basis_points: int
    refund_key: bytes | None


Receipting = Callable[[Payment, Order | None, Mapping[str, Any]], dict[str, str | None] | None]
"""Writes the receipt of a payment, of the order that the merchant made for it if there is one, and
of the merchant's public profile."""


def no_receipt(
    payment: Payment, order: Order | None, profile: Mapping[str, Any]
) -> dict[str, str | None] | None:
    """Write none: where nobody holds keys for merchants."""
    del payment, order, profile
    return None


_target: Final = msgspec.msgpack.Decoder(Target)


class Shops:
    """What this way of redeeming asks about merchants and orders."""

    def __init__(
        self,
        *,
        order: Callable[[AmanaId], Order | None],
        payment: Callable[[AmanaId], Payment | None],
        merchant: Callable[[AmanaId], Party | None],
        merchant_by_handle: Callable[[str], Party | None],
        profile: Callable[[AmanaId], dict[str, Any]],
    ) -> None:
        """Gather the questions; `profile` is a merchant's public profile, as answers show it."""
        self.order = order
        self.payment = payment
        self.merchant = merchant
        self.merchant_by_handle = merchant_by_handle
        self.profile = profile


class MerchantRedemption:
    """A RedeemMethod that pays merchants."""

    grace_s = 0

    def __init__(
        self,
        shops: Shops,
        *,
        take: Callable[[PurseTaking], Payment | Reason],
        put_refund: Callable[[IssueQuote], None],
        has_refund: Callable[[bytes], bool],
        is_point: Callable[[bytes], bool],
        ledger: PaymentLedger,
        balance: Callable[[int], int],
        ledger_number: int,
        unit: str,
        new_id: Callable[[], AmanaId],
        clock: Clock,
        receipt: Receipting = no_receipt,
    ) -> None:
        """Join the books.

        Args:
            shops: Merchants and orders.
            take: Records the purchase, within the commit that spends.
            put_refund: Keeps the quote by which a refund is asked for, within the same commit.
            has_refund: Says whether a quote with an id is kept, within the same commit.
            is_point: Says whether a key is a point of the curve, so that somebody can sign with it.
            ledger: Where money moves.
            balance: The posted balance of a ledger account, credits less debits, as of now.
            ledger_number: The ledger of the operator's currency.
            unit: The unit of its e-cash.
            new_id: Makes the id of a payment.
            clock: The time.
            receipt: Writes merchants' receipts.
        """
        self._shops = shops
        self._take = take
        self._put_refund = put_refund
        self._has_refund = has_refund
        self._is_point = is_point
        self._receipt = receipt
        self._ledger = ledger
        self._balance = balance
        self._ledger_number = ledger_number
        self._unit = unit
        self._new_id = new_id
        self._clock = clock

    async def quote(self, quote_id: bytes, ask: RedeemAsk) -> RedeemQuote | Refusal:
        """Price an order, or an amount for a merchant."""
        if ask.unit != self._unit:
            return Refusal(Code.UNIT_UNKNOWN, f"unit '{ask.unit}' is not supported")
        tip, refund_key = (
            _number(ask.fields.get("tip")),
            _key(ask.fields.get("refund_key"), self._is_point),
        )
        if tip is None:
            return Refusal(Code.AMOUNT_OUT_OF_RANGE, "the tip is no whole number")
        if self._is_used(refund_key):
            return _KEY_USED
        is_direct = ask.request.startswith(_HANDLE_MARK)
        found = self._merchant(ask) if is_direct else self._order(ask, tip)
        if isinstance(found, Refusal):
            return found
        order, party, amount = found
        total = amount + tip
        if not 0 < total <= AMOUNT_MINOR_MAX:
            return Refusal(Code.AMOUNT_OUT_OF_RANGE, "the amount is out of range")
        now = self._clock.now()
        ends = now + QUOTE_LIFE_MS * MILLISECOND_NS
        target = Target(
            order=None if order is None else order.id.to_bytes(16),
            merchant=party.id.to_bytes(16),
            tip=tip,
            fee=rules.fee_due(total, party.fee_basis_points),
            basis_points=party.fee_basis_points,
            refund_key=refund_key,
        )
        return RedeemQuote(
            id=quote_id,
            method=METHOD,
            request=ask.request,
            unit=self._unit,
            amount=total,
            fee_reserve=0,
            state=RedeemState.UNPAID,
            attempts=0,
            expires_at=Instant(ends if order is None else min(ends, order.expires_at)),
            payment_id=self._new_id(),
            target=msgspec.msgpack.encode(target),
        )

    def _merchant(self, ask: RedeemAsk) -> tuple[None, Party, int] | Refusal:
        party = self._shops.merchant_by_handle(ask.request.removeprefix(_HANDLE_MARK))
        if party is None or party.kind is not PartyKind.MERCHANT:
            return Refusal(Code.PAYMENT_FAILED, "There is no such merchant. Nothing was spent.")
        if not party.is_open:
            return say(Reason.PAYEE_CLOSED)
        if ask.amount is None:
            return plain(Code.AMOUNTLESS_INVOICE)
        if ask.amount <= 0:
            return Refusal(Code.AMOUNT_OUT_OF_RANGE, "the amount is out of range")
        return None, party, ask.amount

    def _order(self, ask: RedeemAsk, tip: int) -> tuple[Order, Party, int] | Refusal:
        order_id = parse_id(IdKind.ORDER, ask.request)
        order = None if order_id is None else self._shops.order(order_id)
        party = None if order is None else self._shops.merchant(order.merchant)
        if order is None or party is None:
            return _UNKNOWN
        if ask.amount is not None and ask.amount != order.amount:
            return plain(Code.AMOUNT_DIFFERS)
        paying = None if order.payment_id is None else self._shops.payment(order.payment_id)
        taking = PurseTaking(
            id=order.id,
            payee=party,
            order_id=order.id,
            total=order.amount + tip,
            tip=tip,
            fee=0,
            attempt=0,
            key=b"",
            now=self._clock.now(),
        )
        decided = rules.decide_purse(taking, order, paying)
        return say(decided) if isinstance(decided, Reason) else (order, party, order.amount)

    def cost(self, quote: RedeemQuote) -> int:
        """Return what is kept of the inputs: the amount; merchants bear the fee."""
        return quote.amount

    def _hold(self, quote: RedeemQuote) -> postings.PurseHold:
        target = _target.decode(quote.target)
        party = self._shops.merchant(AmanaId(int.from_bytes(target.merchant)))
        assert party is not None, "a merchant is never forgotten"
        return postings.PurseHold(
            quote.payment_id, quote.attempts, party.account, quote.amount, target.fee
        )

    async def hold(self, quote: RedeemQuote) -> Refusal | None:
        """Reserve what is out for the merchant and for the fee."""
        chain = postings.of_purse_hold(self._hold(quote), ledger=self._ledger_number)
        reason = rules.reason_of(await self._ledger.post(chain))
        if reason is Reason.INSUFFICIENT_FUNDS:
            # What others hold may be given back; what was posted is gone for good.
            is_held = self._balance(ECASH_ACCOUNT) >= quote.amount
            return _BUSY if is_held else EXCEEDED
        return None if reason is None else say(reason)

    def effect(self, quote: RedeemQuote, now: Instant) -> Refusal | None:
        """Record the purchase, and the quote by which its refunds are asked for."""
        target = _target.decode(quote.target)
        party = self._shops.merchant(AmanaId(int.from_bytes(target.merchant)))
        assert party is not None, "a merchant is never forgotten"
        if self._is_used(target.refund_key):
            return _KEY_USED
        taken = self._take(
            PurseTaking(
                id=quote.payment_id,
                # The fee is the one that was quoted.
                payee=msgspec.structs.replace(party, fee_basis_points=target.basis_points),
                order_id=None if target.order is None else AmanaId(int.from_bytes(target.order)),
                total=quote.amount,
                tip=target.tip,
                fee=target.fee,
                attempt=quote.attempts,
                key=quote.payment_id.to_bytes(16),
                now=now,
                refund_key=target.refund_key,
            )
        )
        if isinstance(taken, Reason):
            return say(taken)
        if target.refund_key is not None:
            self._put_refund(refund_quote(taken, target.refund_key, unit=self._unit, now=now))
        return None

    def _is_used(self, refund_key: bytes | None) -> bool:
        """Say whether a key was left before: two payments of one key would be one payer's."""
        return refund_key is not None and self._has_refund(refund_quote_id(refund_key))

    async def post(self, quote: RedeemQuote) -> None:
        """Move what was reserved."""
        chain = postings.of_purse_end(self._hold(quote), is_void=False)
        reason = rules.reason_of(await self._ledger.post(chain))
        assert reason is None, "what was reserved without a timeout can be posted"

    async def void(self, quote: RedeemQuote) -> None:
        """Give back what was reserved, if anything was."""
        chain = postings.of_purse_end(self._hold(quote), is_void=True)
        statuses = await self._ledger.post(chain)
        assert set(statuses) <= _VOIDED, "what was reserved, and is not spent, can be voided"

    def fields(self, quote: RedeemQuote) -> dict[str, Any]:
        """Say who is paid, and for which order; of what is paid, with the merchant's receipt."""
        target = _target.decode(quote.target)
        order = None if target.order is None else AmanaId(int.from_bytes(target.order))
        stored = None if order is None else self._shops.order(order)
        profile = self._shops.profile(AmanaId(int.from_bytes(target.merchant)))
        is_paid = quote.state is RedeemState.PAID
        paid = self._shops.payment(quote.payment_id) if is_paid else None
        return {
            "payee": profile,
            "receipt": None if paid is None else self._receipt(paid, stored, profile),
            "order": None if order is None else format_id(IdKind.ORDER, order),
            "reference": None if stored is None else stored.reference,
            "tip": target.tip,
            "tip_asked": stored is not None and stored.tip is TipMode.PROMPT,
        }


def _number(value: object) -> int | None:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= AMOUNT_MINOR_MAX else None


def _key(value: object, is_point: Callable[[bytes], bool]) -> bytes | None:
    """Read a compressed key from hex; anything else is no key, and no refund can be asked for."""
    if not isinstance(value, str) or _KEY.fullmatch(value) is None:
        return None
    key = bytes.fromhex(value)
    return key if is_point(key) else None
