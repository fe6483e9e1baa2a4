"""`amana-account`: e-cash into one's own account, in the tiers of the policy and after its delay.

The request is a one-use address that the account holder asked for on the named side. The proofs
are spent at once; the money comes at a random hour, so that the account's books do not say when.
Nor does the quote, which leads to the account: it ends with a day, and no id in it has a time.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from amana.kernel import DAY_NS, MILLISECOND_NS, AmanaId, Clock, Instant, day_number
from amana.kernel.limits import QUOTE_LIFE_MS
from amana.purse.model import Code, RedeemAsk, RedeemQuote, RedeemState, Refusal
from amana.purse.standing.model import Deposit, DepositState

METHOD: Final = "amana-account"
ADDRESS_MARK: Final = "amana-deposit:"

_ID_BYTES: Final = 16
_ADDRESS: Final = re.compile(rf"{ADDRESS_MARK}([0-9a-f]{{{2 * _ID_BYTES}}})", re.ASCII)
_TAG: Final = b"amana-account"
_UNKNOWN: Final = Refusal(
    Code.PAYMENT_FAILED,
    "This address is not known or was used before. Your e-cash was not spent; ask for a new "
    "address.",
)


class AccountRedemption:
    """A RedeemMethod that pays the account holder who asked for the address."""

    def __init__(
        self,
        *,
        find: Callable[[bytes], Deposit | None],
        fill: Callable[[bytes, int, Instant], bool],
        due_at: Callable[[Instant], Instant],
        tiers: tuple[int, ...],
        grace_s: int,
        unit: str,
        clock: Clock,
    ) -> None:
        """Join the standing orders.

        Args:
            find: Returns a deposit by its id.
            fill: Records its sum and when it is due, unless it has one; says whether it did.
            due_at: Draws when a deposit is due whose e-cash is spent now.
            tiers: The sums that a deposit may have, in minor units.
            grace_s: Seconds after a keyset's expiry in which its proofs are taken.
            unit: The unit of the operator's e-cash.
            clock: The time.
        """
        self._find = find
        self._fill = fill
        self._due_at = due_at
        self._tiers = tiers
        self.grace_s = grace_s
        self._unit = unit
        self._clock = clock

    async def quote(self, quote_id: bytes, ask: RedeemAsk) -> RedeemQuote | Refusal:
        """Price a deposit: one of the tiers, or for an account that is closing any sum."""
        if ask.unit != self._unit:
            return Refusal(Code.UNIT_UNKNOWN, f"unit '{ask.unit}' is not supported")
        deposit = self._find(_deposit_id(ask.request))
        if deposit is None or not deposit.is_open:
            return _UNKNOWN
        amount = ask.amount or 0
        is_closing = deposit.state is DepositState.CLOSING
        if amount not in self._tiers and not (is_closing and amount > 0):
            offered = ", ".join(str(tier) for tier in self._tiers)
            return Refusal(Code.AMOUNT_OUT_OF_RANGE, f"A deposit is one of {offered}.")
        return RedeemQuote(
            id=quote_id,
            method=METHOD,
            request=ask.request,
            unit=self._unit,
            amount=amount,
            fee_reserve=0,
            state=RedeemState.UNPAID,
            attempts=0,
            expires_at=_day_end(Instant(self._clock.now() + QUOTE_LIFE_MS * MILLISECOND_NS)),
            payment_id=_no_payment(quote_id),
            target=deposit.id,
        )

    def cost(self, quote: RedeemQuote) -> int:
        """Return what is kept of the inputs."""
        return quote.amount

    async def hold(self, quote: RedeemQuote) -> Refusal | None:
        """Reserve nothing: the ledger moves when the deposit is due."""

    def effect(self, quote: RedeemQuote, now: Instant) -> Refusal | None:
        """Record what is due, and when."""
        filled = self._fill(quote.target, quote.amount, self._due_at(now))
        return None if filled else _UNKNOWN

    async def post(self, quote: RedeemQuote) -> None:
        """Move nothing yet."""

    async def void(self, quote: RedeemQuote) -> None:
        """Give back nothing: nothing was reserved."""

    def fields(self, quote: RedeemQuote) -> dict[str, Any]:
        """Add nothing to the answer."""
        del quote
        return {}


def _day_end(instant: Instant) -> Instant:
    return Instant((day_number(instant) + 1) * DAY_NS)


def _no_payment(quote_id: bytes) -> AmanaId:
    """Return an id that no payment has: the money comes in a payment of its own, later."""
    return AmanaId(int.from_bytes(sha256(_TAG + quote_id).digest()[:_ID_BYTES]))


def _deposit_id(request: str) -> bytes:
    """Return the id in an address as it was given out; nothing for any other spelling of it."""
    match = _ADDRESS.fullmatch(request)
    return b"" if match is None else bytes.fromhex(match[1])
