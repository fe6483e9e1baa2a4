"""What goes in and what comes out of swap, issue and redemption: sums, keysets, repetitions.

Checks come in the order in which they stand. Nothing here knows a signature from a false one: that
is the signatory's, and comes after.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from amana.purse.limits import INPUTS_MAX, OUTPUTS_MAX, SECRET_BYTES_MAX, WITNESS_BYTES_MAX
from amana.purse.model import (
    BlindedMessage,
    Code,
    IssueQuote,
    Keyset,
    Proof,
    RedeemQuote,
    Refusal,
)
from amana.purse.ports import Blank, Claim
from amana.purse.rules.refusals import plain

Keysets = Mapping[str, Keyset]
"""Every keyset of the list, by its id."""

AUTH_UNIT: Final = "auth"
"""The unit of blind authentication tokens, which are spent by admission only (NUT-22)."""

_POINT_BYTES: Final = 33
_COMPRESSED: Final = frozenset({2, 3})
_PPK: Final = 1_000


class Inputs(NamedTuple):
    """Proofs that may be spent together, if their signatures are good."""

    claims: list[Claim]
    unit: str
    total: int
    fee: int


class Outputs(NamedTuple):
    """What is to be signed together."""

    blanks: list[Blank]
    unit: str
    total: int


class Exchange(NamedTuple):
    """Inputs and outputs that balance."""

    claims: list[Claim]
    blanks: list[Blank]


def read_inputs(
    inputs: Sequence[Proof], keysets: Keysets, *, now_s: int, grace_s: int = 0
) -> Inputs | Refusal:
    """Check proofs for themselves.

    Args:
        inputs: The proofs to spend.
        keysets: Every keyset of the list.
        now_s: Seconds since 1970.
        grace_s: Seconds for which proofs of a keyset that has expired are still taken.
    """
    if not inputs:
        return Refusal(Code.PROOF_INVALID, "no proofs provided")
    if len(inputs) > INPUTS_MAX:
        return Refusal(Code.TOO_MANY_INPUTS, f"at most {INPUTS_MAX} inputs")
    if len({proof.secret for proof in inputs}) != len(inputs):
        return plain(Code.DUPLICATE_INPUTS)
    claims, total, fee_ppk, unit = [], 0, 0, ""
    for proof in inputs:
        keyset = keysets.get(proof.keyset_id)
        refusal = _refuse_input(proof, keyset, unit)
        if refusal is not None:
            return refusal
        assert keyset is not None, "a proof of an unknown keyset was refused"
        if keyset.final_expiry is not None and now_s >= keyset.final_expiry + grace_s:
            return plain(Code.KEYSET_EXPIRED)
        unit = keyset.unit
        total += proof.amount
        fee_ppk += keyset.input_fee_ppk
        claims.append(Claim(keyset.number, proof.amount, proof.secret.encode(), proof.point))
    return Inputs(claims, unit, total, -(-fee_ppk // _PPK))


def _refuse_input(proof: Proof, keyset: Keyset | None, unit: str) -> Refusal | None:
    if keyset is None or keyset.unit == AUTH_UNIT:
        return plain(Code.KEYSET_UNKNOWN)
    if unit and keyset.unit != unit:
        return Refusal(Code.MANY_UNITS, "inputs have different units")
    if not proof.secret:
        return Refusal(Code.PROOF_INVALID, "no secret in proofs")
    if len(proof.secret.encode()) > SECRET_BYTES_MAX:
        return Refusal(Code.PROOF_INVALID, f"secret too long: at most {SECRET_BYTES_MAX} bytes")
    if proof.witness is not None and len(proof.witness.encode()) > WITNESS_BYTES_MAX:
        return Refusal(Code.PROOF_INVALID, f"witness too long: at most {WITNESS_BYTES_MAX} bytes")
    if proof.amount not in keyset.keys or not _is_compressed(proof.point):
        return plain(Code.PROOF_INVALID)
    return None


def _is_compressed(point: bytes) -> bool:
    """Say whether bytes have the form of a compressed point; the signatory knows the curve."""
    return len(point) == _POINT_BYTES and point[0] in _COMPRESSED


def read_outputs(
    outputs: Sequence[BlindedMessage], keysets: Keysets, *, are_blank: bool = False
) -> Outputs | Refusal:
    """Check outputs for themselves; blank ones have no amount yet (NUT-08)."""
    if len(outputs) > OUTPUTS_MAX:
        return Refusal(Code.TOO_MANY_OUTPUTS, f"at most {OUTPUTS_MAX} outputs")
    if len({output.point for output in outputs}) != len(outputs):
        return plain(Code.DUPLICATE_OUTPUTS)
    blanks, total, unit = [], 0, ""
    for output in outputs:
        keyset = keysets.get(output.keyset_id)
        if keyset is None or keyset.unit == AUTH_UNIT:
            return plain(Code.KEYSET_UNKNOWN)
        if not keyset.is_active:
            return plain(Code.KEYSET_INACTIVE)
        if unit and keyset.unit != unit:
            return Refusal(Code.MANY_UNITS, "outputs have different units")
        if not are_blank and output.amount not in keyset.keys:
            return Refusal(Code.AMOUNT_OUT_OF_RANGE, "invalid amount for output")
        if not _is_compressed(output.point):
            return Refusal(Code.PROOF_INVALID, "an output is no point of the curve")
        unit = keyset.unit
        total += 0 if are_blank else output.amount
        blanks.append(Blank(keyset.number, output.amount, output.point))
    return Outputs(blanks, unit, total)


def decide_swap(
    inputs: Sequence[Proof], outputs: Sequence[BlindedMessage], keysets: Keysets, *, now_s: int
) -> Exchange | Refusal:
    """Decide whether proofs may be exchanged for these outputs (NUT-03)."""
    going_in = read_inputs(inputs, keysets, now_s=now_s)
    if isinstance(going_in, Refusal):
        return going_in
    if not outputs:
        return Refusal(Code.NOT_BALANCED, "no outputs provided")
    coming_out = read_outputs(outputs, keysets)
    if isinstance(coming_out, Refusal):
        return coming_out
    if going_in.unit != coming_out.unit:
        return plain(Code.UNITS_DIFFER)
    if going_in.total - going_in.fee != coming_out.total:
        return Refusal(
            Code.NOT_BALANCED,
            f"inputs ({going_in.total}) - fees ({going_in.fee}) vs outputs ({coming_out.total}) "
            "are not balanced",
        )
    return Exchange(going_in.claims, coming_out.blanks)


def decide_issue(
    quote: IssueQuote, outputs: Sequence[BlindedMessage], keysets: Keysets, *, paid: int
) -> list[Blank] | Refusal:
    """Decide whether a quote's outputs may be signed (NUT-04); all that is open, and at once.

    The quote's end is no limit here: who has paid may have the signatures at any time.
    """
    if not outputs:
        return Refusal(Code.NOT_BALANCED, "no outputs provided")
    coming_out = read_outputs(outputs, keysets)
    if isinstance(coming_out, Refusal):
        return coming_out
    if not paid:
        return plain(Code.QUOTE_NOT_PAID)
    if quote.issued >= paid:
        return plain(Code.ALREADY_ISSUED)
    if coming_out.unit != quote.unit:
        return Refusal(Code.UNITS_DIFFER, "quote unit does not match output unit")
    if coming_out.total != paid - quote.issued:
        return Refusal(Code.NOT_BALANCED, "amount to mint does not match quote amount")
    return coming_out.blanks


def decide_redemption(
    quote: RedeemQuote,
    going_in: Inputs,
    outputs: Sequence[BlindedMessage],
    *,
    cost: int,
    keysets: Keysets,
) -> list[Blank] | Refusal:
    """Decide whether proofs pay a quote; return what is signed as change (NUT-05, NUT-08).

    Args:
        quote: What is redeemed.
        going_in: The proofs, checked for themselves.
        outputs: Blank outputs for the change; their amounts are ignored.
        cost: What is kept of the inputs, input fees aside: from the amount to amount and reserve.
        keysets: Every keyset of the list.
    """
    coming_out = read_outputs(outputs, keysets, are_blank=True)
    if isinstance(coming_out, Refusal):
        return coming_out
    if going_in.unit != quote.unit:
        return Refusal(Code.UNITS_DIFFER, "Inputs and quote not of same unit")
    if outputs and coming_out.unit != quote.unit:
        return plain(Code.UNITS_DIFFER)
    asked = quote.amount + quote.fee_reserve + going_in.fee
    if going_in.total < asked:
        return Refusal(
            Code.NOT_BALANCED,
            f"not enough inputs provided for melt. Provided: {going_in.total}, needed: {asked}",
        )
    over = going_in.total - going_in.fee - cost
    assert over >= 0, "a redemption costs at most its amount and its reserve"
    change = _change(over, coming_out.blanks, keysets, outputs)
    if sum(blank.amount for blank in change) != over and over > quote.fee_reserve:
        return Refusal(
            Code.NOT_BALANCED,
            f"{over} would come back as change, and the outputs cannot hold it: send more blank "
            "outputs, or inputs that fit",
        )
    return change


def _change(
    over: int, blanks: Sequence[Blank], keysets: Keysets, outputs: Sequence[BlindedMessage]
) -> list[Blank]:
    """Lay change on the first blank outputs, smallest amount first."""
    if not outputs:
        return []
    amounts = split_amount(over, keysets[outputs[0].keyset_id].keys)
    fitting = amounts[-len(blanks) :]
    return [blank._replace(amount=amount) for blank, amount in zip(blanks, fitting, strict=False)]


def split_amount(total: int, denominations: Mapping[int, bytes]) -> list[int]:
    """Split a sum into as few denominations as there can be, ascending; rest that fits none aside.

    Denominations are powers of two from 1 on, so nothing is left but where there are none.
    """
    amounts: list[int] = []
    for denomination in sorted(denominations, reverse=True):
        count, total = divmod(total, denomination)
        amounts += [denomination] * count
    return amounts[::-1]


def read_signed(
    outputs: Sequence[BlindedMessage], signed: Mapping[bytes, tuple[int, int]]
) -> list[tuple[BlindedMessage, Blank]]:
    """Keep the outputs that were signed, in the order asked, with the keyset and amount of then.

    Source: NUT-09; the same serves a redemption that is asked for again.
    """
    kept = []
    for output in outputs:
        found = signed.get(output.point)
        if found is not None:
            kept.append((output, Blank(*found, output.point)))
    return kept


def claims_again(
    inputs: Sequence[Proof],
    outputs: Sequence[BlindedMessage],
    signed: Mapping[bytes, tuple[int, int]],
    keysets: Keysets,
) -> list[Claim] | None:
    """Return the claims of a swap that may have been made before; None where it was not.

    Every output must have been signed, and for the amount that is asked now.
    """
    numbers = {keyset.number: keyset.id for keyset in keysets.values()}
    asked = [(output.keyset_id, output.amount) for output in outputs]
    given = [signed.get(output.point) for output in outputs]
    told = [None if one is None else (numbers.get(one[0]), one[1]) for one in given]
    if not outputs or asked != told or len(inputs) > INPUTS_MAX:
        return None
    claims = []
    for proof in inputs:
        keyset = keysets.get(proof.keyset_id)
        if keyset is None or proof.amount not in keyset.keys or not _is_compressed(proof.point):
            return None
        claims.append(Claim(keyset.number, proof.amount, proof.secret.encode(), proof.point))
    return claims
