"""`POST /v1/pay/{order}`: where wallets by others deliver what an order's payment request asks for.

The request is the order's `cashu_request` (NUT-18, NUT-26). What comes is redeemed straight into
the order, all or nothing; there is no change, so the sum must be the order's. It leaves no key for
refunds: the format has no place for one.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from amana.kernel import SECOND_NS, AmanaId, Clock, IdKind, parse_id
from amana.node.mint import shapes
from amana.node.mint.routes import Answer, Request, Route
from amana.payments.model import Order
from amana.purse.curve import verify_schnorr
from amana.purse.methods.merchant import METHOD
from amana.purse.model import Code, Proof, RedeemAsk, RedeemQuote, RedeemState, Refusal
from amana.purse.ports import PurseStore, Signatory
from amana.purse.rules import conditions
from amana.purse.rules.operations import Inputs, read_inputs
from amana.purse.rules.refusals import FALSE
from amana.purse.service import Mint

PAY_PATH: Final = "/v1/pay"

_ROUNDS_MAX: Final = 100
"""An order lives a day at most, and a quote a quarter of an hour."""

_TAG: Final = b"amana-pay-v1"
_ID_BYTES: Final = 16
_SHORT_ID_CHARACTERS: Final = 16
"""How much of a keyset's id a token has (NUT-02)."""

_UNKNOWN: Final = Refusal(Code.PAYMENT_FAILED, "There is no such order. Nothing was spent.")
_OTHER: Final = Refusal(
    Code.PAYMENT_FAILED, "The payment's id is another order's. Nothing was spent."
)
_PENDING: Final = Refusal(
    Code.QUOTE_PENDING, "These proofs are being taken. Ask again with the same payment."
)


class PayBody(msgspec.Struct):
    """A payment as NUT-18 writes it.

    `mint` is not read: proofs say by their keysets whose they are, and one mint has many addresses.
    Nor are `memo`, which no merchant could be shown without keeping it, and the proofs' `dleq`,
    whose factor would tell who was issued them.
    """

    unit: str
    proofs: list[shapes.InputBody]
    id: str | None = None


_decoder: Final = msgspec.json.Decoder(PayBody)


def order_routes(
    mint: Mint,
    store: PurseStore,
    signatory: Signatory,
    *,
    unit: str,
    find: Callable[[AmanaId], Order | None],
    clock: Clock,
) -> tuple[Route, ...]:
    """Return the address; `find` returns an order, and `unit` is that of the operator's e-cash."""
    paying = _Paying(mint, store, signatory, unit=unit, find=find, clock=clock)
    return (Route("POST", f"{PAY_PATH}/*", paying.post_payment, is_kept=True),)


class _Paying:
    """Takes payments of orders by payment request."""

    def __init__(
        self,
        mint: Mint,
        store: PurseStore,
        signatory: Signatory,
        *,
        unit: str,
        find: Callable[[AmanaId], Order | None],
        clock: Clock,
    ) -> None:
        self._mint = mint
        self._store = store
        self._signatory = signatory
        self._unit = unit
        self._find = find
        self._clock = clock
        self._under_way: set[bytes] = set()

    async def post_payment(self, request: Request) -> Answer:
        """Answer `POST /v1/pay/{order}` (NUT-18)."""
        body = shapes.read(_decoder, request.body)
        order_id = parse_id(IdKind.ORDER, request.tail)
        order = None if order_id is None else self._find(order_id)
        if order is None:
            return _UNKNOWN
        if body.id is not None and parse_id(IdKind.ORDER, body.id) != order.id:
            return _OTHER
        proofs = shapes.read_inputs(body.proofs)
        if isinstance(proofs, Refusal):
            return proofs
        proofs = self._with_whole_ids(proofs)
        going_in = self._inputs(body.unit, proofs, order)
        if isinstance(going_in, Refusal):
            return going_in
        # Nobody needs a token here. Redeeming checks them again, in its turn as every payment.
        nullifiers = await self._signatory.verify_later(going_in.claims)
        known = [nullifier for nullifier in nullifiers if nullifier is not None]
        if len(known) < len(nullifiers):
            return FALSE
        return await self._once(request.tail, order, _Paid(proofs, known))

    def _with_whole_ids(self, proofs: Sequence[Proof]) -> tuple[Proof, ...]:
        """Name each proof's keyset in whole.

        The reference wallet posts proofs as they stand in its tokens, with the beginning alone.
        """
        whole = {keyset.id[:_SHORT_ID_CHARACTERS]: keyset.id for keyset in self._mint.keysets()}
        return tuple(
            [
                msgspec.structs.replace(
                    proof, keyset_id=whole.get(proof.keyset_id, proof.keyset_id)
                )
                for proof in proofs
            ]
        )

    def _inputs(self, unit: str, proofs: Sequence[Proof], order: Order) -> Inputs | Refusal:
        """Hold proofs to the order's unit and amount."""
        keysets = {keyset.id: keyset for keyset in self._mint.keysets()}
        now_s = self._clock.now() // SECOND_NS
        going_in = read_inputs(proofs, keysets, now_s=now_s)
        if isinstance(going_in, Refusal):
            return going_in
        if unit != self._unit or going_in.unit != self._unit:
            return Refusal(
                Code.UNITS_DIFFER, f"This order takes the unit '{self._unit}'. Nothing was spent."
            )
        wanted = order.amount + going_in.fee
        if going_in.total != wanted:
            return Refusal(
                Code.NOT_BALANCED,
                f"This order takes exactly {wanted}, without change, and the proofs are "
                f"{going_in.total}. Nothing was spent.",
            )
        return going_in

    async def _once(self, text: str, order: Order, paid: "_Paid") -> Answer:
        """Redeem; the same proofs meet the same quote, however often they come."""
        name = _name(order, paid.proofs)
        if name in self._under_way:
            return _PENDING
        self._under_way.add(name)
        try:
            quote = await self._quote(text, name, paid)
            if isinstance(quote, Refusal):
                return quote
            redeemed = await self._mint.redeem(
                METHOD, quote.id, paid.proofs, outputs=(), quote_text=_text_of(quote.id)
            )
        finally:
            self._under_way.discard(name)
        if isinstance(redeemed, Refusal):
            return redeemed
        told = {name: redeemed.fields[name] for name in ("order", "reference", "payee", "receipt")}
        return shapes.write(
            {"status": "paid", "amount": redeemed.quote.amount, "unit": self._unit, **told}
        )

    async def _quote(self, text: str, name: bytes, paid: "_Paid") -> RedeemQuote | Refusal:
        """Return the quote that these proofs met before, or a new one where it is over."""
        for number in range(_ROUNDS_MAX):
            quote_id = hashlib.sha256(name + bytes([number])).digest()[:_ID_BYTES]
            quote = await self._mint.find_redeem_quote(METHOD, quote_id)
            if quote is None:
                return await self._new_quote(text, quote_id, paid)
            if quote.state is not RedeemState.UNPAID or self._clock.now() < quote.expires_at:
                return quote
        return _UNKNOWN

    async def _new_quote(self, text: str, quote_id: bytes, paid: "_Paid") -> RedeemQuote | Refusal:
        """Make a quote whose id is not random, but as secret as the proofs."""
        way = self._mint.redeem_methods[METHOD]
        quote = await way.quote(quote_id, RedeemAsk(text, self._unit))
        if isinstance(quote, Refusal):
            return quote
        # Before anything is kept: nobody needs a token here, and whoever has no e-cash that would
        # pay leaves no row. Of spent proofs, or locked ones, anybody can show ever other ones.
        refusal = await self._store.known(paid.nullifiers, ()) or conditions.meets_conditions(
            paid.proofs,
            (),
            quote=_text_of(quote_id),
            now_s=self._clock.now() // SECOND_NS,
            verify=verify_schnorr,
        )
        if refusal is not None:
            return refusal
        await self._store.put_redeem_quote(quote)
        return quote


class _Paid(NamedTuple):
    """Proofs whose signatures are good, and by what they are known when they are spent."""

    proofs: Sequence[Proof]
    nullifiers: Sequence[bytes]


def _text_of(quote_id: bytes) -> str:
    return shapes.write_quote_id(quote_id)


def _name(order: Order, proofs: Sequence[Proof]) -> bytes:
    """Return what is the same for the same proofs; only who has their secrets can know it."""
    secrets = sorted(proof.secret.encode() for proof in proofs)
    parts = (len(secret).to_bytes(4) + secret for secret in secrets)
    return hashlib.sha256(_TAG + order.id.to_bytes(_ID_BYTES) + b"".join(parts)).digest()
