"""The mint's requests and answers as JSON, to and from what the purse handles.

Unknown fields are ignored, as the specifications ask. Every length is bounded before any work.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from amana.kernel import SECOND_NS
from amana.node.mint.routes import Malformed
from amana.purse import limits
from amana.purse.model import (
    BlindedMessage,
    BlindSignature,
    Code,
    IssueAsk,
    IssueQuote,
    Keyset,
    Proof,
    ProofState,
    RedeemAsk,
    Redeemed,
    RedeemQuote,
    RedeemState,
    Refusal,
)

_POINT_BYTES: Final = limits.POINT_CHARACTERS // 2
_SIGNS: Final = (2, 3)
_SIGNATURE_CHARACTERS_MAX: Final = 256
_QUOTE: Final = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_STATES: Final = {
    RedeemState.UNPAID: "UNPAID",
    RedeemState.HELD: "PENDING",
    RedeemState.SPENT: "PENDING",
    RedeemState.PAID: "PAID",
}
_T = TypeVar("_T")
_encode: Final = msgspec.json.Encoder().encode


class OutputBody(msgspec.Struct):
    """A blinded message as sent (NUT-00)."""

    amount: int
    id: str
    B_: str


class InputBody(msgspec.Struct):
    """A proof as sent (NUT-00); what else wallets send with it is not read."""

    amount: int
    id: str
    secret: str
    C: str
    witness: str | None = None


class SwapBody(msgspec.Struct):
    """`POST /v1/swap`."""

    inputs: list[InputBody]
    outputs: list[OutputBody]


class IssueQuoteBody(msgspec.Struct):
    """`POST /v1/mint/quote/{method}`."""

    unit: str
    amount: int
    pubkey: str | None = None
    description: str | None = None


class IssueBody(msgspec.Struct):
    """`POST /v1/mint/{method}`."""

    quote: str
    outputs: list[OutputBody]
    signature: str | None = None


class RedeemBody(msgspec.Struct):
    """`POST /v1/melt/{method}`; every method answers at once, so `prefer_async` is not read."""

    quote: str
    inputs: list[InputBody]
    outputs: list[OutputBody] | None = None


class StatesBody(msgspec.Struct):
    """`POST /v1/checkstate`."""

    Ys: list[str]


class OutputsBody(msgspec.Struct):
    """`POST /v1/restore`, and wherever else outputs come alone."""

    outputs: list[OutputBody]


class Dleq(msgspec.Struct):
    """The proof that the announced key signed (NUT-12)."""

    e: str
    s: str


class SignatureView(msgspec.Struct):
    """A blind signature as answered."""

    id: str
    amount: int
    C_: str
    dleq: Dleq


class IssueQuoteView(msgspec.Struct):
    """A quote to issue as answered; `state` is the older way to say what is paid and issued."""

    quote: str
    request: str
    unit: str
    amount: int
    method: str
    state: str
    amount_paid: int
    amount_issued: int
    updated_at: int
    expiry: int | None
    pubkey: str | None


def read(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    """Read a request's body.

    Raises:
        Malformed: It is not JSON, or a field is missing or of another kind.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as fault:
        raise Malformed(str(fault)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("the body is not JSON") from None


def is_too_long(text: str, bytes_max: int) -> bool:
    """Say whether a text takes more bytes of UTF-8 than allowed."""
    return len(text) > bytes_max or (
        not text.isascii() and len(text.encode("utf-8", "surrogatepass")) > bytes_max
    )


def read_hex(text: str, length: int, what: str) -> bytes:
    """Read so many bytes of hex.

    Raises:
        Malformed: It is anything else.
    """
    if len(text) == 2 * length:  # white space, which Python passes over, leaves too few bytes
        try:
            read_bytes = bytes.fromhex(text)
        except ValueError:
            read_bytes = b""
        if len(read_bytes) == length:
            return read_bytes
    raise Malformed(f"{what} is not {length} bytes in hex")


def read_outputs(
    bodies: Sequence[OutputBody], most: int = limits.OUTPUTS_MAX
) -> tuple[BlindedMessage, ...] | Refusal:
    """Read blinded messages.

    Raises:
        Malformed: A point is not one, or an amount is out of all range.
    """
    if len(bodies) > most:
        return Refusal(Code.TOO_MANY_OUTPUTS, f"at most {most} outputs are taken at once")
    return tuple(
        BlindedMessage(
            _read_keyset_id(body.id),
            _read_amount(body.amount),
            read_hex(body.B_, _POINT_BYTES, "B_"),
        )
        for body in bodies
    )


def read_inputs(bodies: Sequence[InputBody]) -> tuple[Proof, ...] | Refusal:
    """Read proofs.

    Raises:
        Malformed: A point is not one, or a text is longer than allowed.
    """
    if len(bodies) > limits.INPUTS_MAX:
        return Refusal(
            Code.TOO_MANY_INPUTS, f"at most {limits.INPUTS_MAX} inputs are taken at once"
        )
    return tuple([_read_input(body) for body in bodies])


def _read_input(body: InputBody) -> Proof:
    if is_too_long(body.secret, limits.SECRET_BYTES_MAX):
        raise Malformed(f"a secret takes at most {limits.SECRET_BYTES_MAX} bytes")
    if body.witness is not None and is_too_long(body.witness, limits.WITNESS_BYTES_MAX):
        raise Malformed(f"a witness takes at most {limits.WITNESS_BYTES_MAX} bytes")
    return Proof(
        _read_keyset_id(body.id),
        _read_amount(body.amount),
        body.secret,
        read_hex(body.C, _POINT_BYTES, "C"),
        # Wallets send an empty witness where they have none.
        body.witness or None,
    )


def _read_amount(amount: int) -> int:
    if not 0 <= amount <= limits.AMOUNT_MAX:
        raise Malformed("an amount is negative or larger than any keyset's")
    return amount


def _read_keyset_id(text: str) -> str:
    if len(text) > limits.KEYSET_ID_CHARACTERS_MAX:
        raise Malformed(f"a keyset id has at most {limits.KEYSET_ID_CHARACTERS_MAX} characters")
    return text.lower()


def read_issue_ask(body: IssueQuoteBody) -> IssueAsk | Refusal:
    """Read what is to be issued.

    Raises:
        Malformed: A text is longer than allowed.
    """
    if is_too_long(body.unit, limits.UNIT_BYTES_MAX):
        raise Malformed(f"a unit takes at most {limits.UNIT_BYTES_MAX} bytes")
    if body.description is not None and is_too_long(body.description, limits.DESCRIPTION_BYTES_MAX):
        raise Malformed(f"a description takes at most {limits.DESCRIPTION_BYTES_MAX} bytes")
    pubkey = None
    if body.pubkey:
        try:
            pubkey = read_hex(body.pubkey, _POINT_BYTES, "pubkey")
        except Malformed as fault:
            return Refusal(Code.PUBKEY_MISSING, str(fault))
    return IssueAsk(body.unit, _read_amount(body.amount), pubkey, body.description)


def read_redeem_ask(body: bytes) -> RedeemAsk:
    """Read what is to be redeemed; fields that are not common to all ways are the method's.

    Raises:
        Malformed: A field is missing, of another kind, or longer than allowed.
    """
    fields = read(_any_object, body)
    request, unit, amount = (fields.pop(name, None) for name in ("request", "unit", "amount"))
    if not isinstance(request, str) or is_too_long(request, limits.REQUEST_BYTES_MAX):
        raise Malformed(f"`request` is a text of at most {limits.REQUEST_BYTES_MAX} bytes")
    if not isinstance(unit, str) or is_too_long(unit, limits.UNIT_BYTES_MAX):
        raise Malformed(f"`unit` is a text of at most {limits.UNIT_BYTES_MAX} bytes")
    if amount is None:
        return RedeemAsk(request, unit, None, fields)
    if type(amount) is not int:
        raise Malformed("`amount` is a whole number")
    return RedeemAsk(request, unit, _read_amount(amount), fields)


_any_object: Final = msgspec.json.Decoder(dict[str, Any])


def read_quote_id(text: str) -> bytes | None:
    """Read a quote's id; None where no quote can have it."""
    if _QUOTE.fullmatch(text) is None:
        return None
    return bytes.fromhex(text.replace("-", ""))


def write_quote_id(quote: bytes) -> str:
    """Write a quote's id."""
    text = quote.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def read_signature(text: str | None) -> bytes | None:
    """Read the signature for a quote; what is none is empty, which no key made."""
    if text is None:
        return None
    if len(text) > _SIGNATURE_CHARACTERS_MAX:
        raise Malformed("a signature is 64 bytes in hex")
    try:
        signature = bytes.fromhex(text)
    except ValueError:
        return b""
    # Python passes over white space in hex; a signature has one spelling.
    return signature if 2 * len(signature) == len(text) else b""


def signature_views(signatures: Iterable[BlindSignature]) -> list[SignatureView]:
    """Show signatures, in their order."""
    return [
        SignatureView(
            one.keyset_id, one.amount, one.point.hex(), Dleq(one.dleq_e.hex(), one.dleq_s.hex())
        )
        for one in signatures
    ]


def write_signatures(signatures: Iterable[BlindSignature]) -> bytes:
    """Write the answer to whoever had outputs signed."""
    return _encode({"signatures": signature_views(signatures)})


def write_restored(pairs: Iterable[tuple[BlindedMessage, BlindSignature]]) -> bytes:
    """Write the outputs that were signed before, and their signatures in the same order."""
    found = list(pairs)
    return _encode(
        {
            "outputs": [
                OutputBody(output.amount, output.keyset_id, output.point.hex())
                for output, _ in found
            ],
            "signatures": signature_views(signature for _, signature in found),
        }
    )


def issue_quote_view(quote: IssueQuote) -> IssueQuoteView:
    """Show a quote to issue."""
    state = "ISSUED" if quote.issued >= quote.paid else "PAID"
    return IssueQuoteView(
        write_quote_id(quote.id),
        quote.request,
        quote.unit,
        quote.amount,
        quote.method,
        state if quote.paid else "UNPAID",
        quote.paid,
        quote.issued,
        quote.updated_at // SECOND_NS,
        None if quote.expires_at is None else quote.expires_at // SECOND_NS,
        None if quote.pubkey is None else quote.pubkey.hex(),
    )


def redeem_quote_view(quote: RedeemQuote) -> dict[str, Any]:
    """Show a quote to redeem."""
    return {
        "quote": write_quote_id(quote.id),
        "request": quote.request,
        "amount": quote.amount,
        "unit": quote.unit,
        "method": quote.method,
        "fee_reserve": quote.fee_reserve,
        "state": _STATES[quote.state],
        "expiry": quote.expires_at // SECOND_NS,
        "payment_preimage": None,
    }


def redeemed_view(redeemed: Redeemed) -> dict[str, Any]:
    """Show what a redemption came to."""
    view: dict[str, Any] = redeem_quote_view(redeemed.quote) | redeemed.fields
    if redeemed.change:
        view["change"] = signature_views(redeemed.change)
    return view


def read_point(text: str) -> bytes:
    """Read the point Y of a secret.

    Raises:
        Malformed: It is no compressed point.
    """
    point = read_hex(text, _POINT_BYTES, "Y")
    if point[0] not in _SIGNS:
        raise Malformed("Y is not a compressed point")
    return point


def state_view(point: bytes, state: tuple[ProofState, str | None]) -> dict[str, str | None]:
    """Show where a proof stands. The points of secrets begin with 2; of others nothing is known."""
    told, witness = state if point[0] == _SIGNS[0] else (ProofState.UNSPENT, None)
    return {"Y": point.hex(), "state": told.value, "witness": witness}


def write_keys(keysets: Iterable[Keyset]) -> bytes:
    """Write keysets with their keys (NUT-01)."""
    return _encode(
        {
            "keysets": [
                {
                    **_keyset_view(keyset),
                    "keys": {
                        str(amount): keyset.keys[amount].hex() for amount in sorted(keyset.keys)
                    },
                }
                for keyset in keysets
            ]
        }
    )


def write_keysets(keysets: Iterable[Keyset]) -> bytes:
    """Write the list of keysets (NUT-02)."""
    return _encode({"keysets": [_keyset_view(keyset) for keyset in keysets]})


def _keyset_view(keyset: Keyset) -> dict[str, Any]:
    view = {
        "id": keyset.id,
        "unit": keyset.unit,
        "active": keyset.is_active,
        "input_fee_ppk": keyset.input_fee_ppk,
        "final_expiry": keyset.final_expiry,
    }
    # No member of the specifications; a wallet that knows it asks for fresh e-cash by itself.
    return {**view, "revoked": True} if keyset.is_revoked else view


def write(view: object) -> bytes:
    """Write an answer."""
    return _encode(view)
