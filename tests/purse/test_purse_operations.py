"""What goes in and what comes out, as rows: what is given, and the code of the refusal."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.kernel import AmanaId, Instant
from amana.purse.limits import INPUTS_MAX, OUTPUTS_MAX, SECRET_BYTES_MAX, WITNESS_BYTES_MAX
from amana.purse.model import (
    BlindedMessage,
    Code,
    IssueQuote,
    Keyset,
    Proof,
    RedeemQuote,
    RedeemState,
    Refusal,
)
from amana.purse.ports import Blank
from amana.purse.rules import operations
from amana.purse.rules.operations import Exchange, Inputs, Outputs

POINT = b"\x02" + bytes(32)
POWERS = {1 << exponent: POINT for exponent in range(8)}
NOW_S = 1_000


def keyset(number: int, unit: str = "eur", **differing: object) -> Keyset:
    usual = Keyset(number, f"01{number:064x}", unit, True, 0, 2_000, POWERS)  # noqa: FBT003 - as the wire has it
    return msgspec.structs.replace(usual, **differing)


EUR, OLD, USD, AUTH, ENDED, DEAR = (
    keyset(0),
    keyset(1, is_active=False),
    keyset(2, "usd"),
    keyset(3, "auth"),
    keyset(4, final_expiry=NOW_S),
    keyset(5, input_fee_ppk=600, final_expiry=None),
)
KEYSETS = {each.id: each for each in (EUR, OLD, USD, AUTH, ENDED, DEAR)}


def proof(amount: int = 4, of: Keyset = EUR, **differing: object) -> Proof:
    usual = Proof(of.id, amount, f"secret {amount} {of.number}", POINT)
    return msgspec.structs.replace(usual, **differing)


def output(amount: int = 4, of: Keyset = EUR, point: bytes | None = None) -> BlindedMessage:
    filler = bytes([amount % 251, of.number]) * 16
    return BlindedMessage(of.id, amount, b"\x03" + filler if point is None else point)


NOWHERE = msgspec.structs.replace(EUR, id="01" + "ff" * 32)


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ([], Code.PROOF_INVALID),
        ([proof(secret=str(n)) for n in range(INPUTS_MAX + 1)], Code.TOO_MANY_INPUTS),
        ([proof(4), proof(4)], Code.DUPLICATE_INPUTS),
        ([proof(of=NOWHERE)], Code.KEYSET_UNKNOWN),
        ([proof(of=AUTH)], Code.KEYSET_UNKNOWN),
        ([proof(), proof(of=USD)], Code.MANY_UNITS),
        ([proof(secret="")], Code.PROOF_INVALID),
        ([proof(secret="s" * (SECRET_BYTES_MAX + 1))], Code.PROOF_INVALID),
        ([proof(witness="w" * (WITNESS_BYTES_MAX + 1))], Code.PROOF_INVALID),
        ([proof(3)], Code.PROOF_INVALID),
        ([proof(point=POINT[:-1])], Code.PROOF_INVALID),
        ([proof(point=b"\x04" + bytes(32))], Code.PROOF_INVALID),
        ([proof(of=ENDED)], Code.KEYSET_EXPIRED),
    ],
)
def test_proofs_that_cannot_be_spent_are_refused(inputs: list[Proof], code: Code) -> None:
    read = operations.read_inputs(inputs, KEYSETS, now_s=NOW_S)
    assert isinstance(read, Refusal)
    assert read.code is code


def test_proofs_are_added_up_and_pay_one_fee_rounded_up_once() -> None:
    read = operations.read_inputs(
        [proof(4, DEAR), proof(2, DEAR), proof(1), proof(8, OLD, witness="{}")],
        KEYSETS,
        now_s=NOW_S,
    )
    assert isinstance(read, Inputs)
    assert (read.total, read.fee, read.unit) == (15, 2, "eur")
    assert [claim.keyset for claim in read.claims] == [5, 5, 0, 1]


def test_an_expired_keyset_is_taken_within_its_grace() -> None:
    read = operations.read_inputs([proof(of=ENDED)], KEYSETS, now_s=NOW_S, grace_s=1)
    assert isinstance(read, Inputs)
    over = operations.read_inputs([proof(of=ENDED)], KEYSETS, now_s=NOW_S + 1, grace_s=1)
    assert isinstance(over, Refusal)


@pytest.mark.parametrize(
    ("outputs", "code"),
    [
        ([output()] * (OUTPUTS_MAX + 1), Code.TOO_MANY_OUTPUTS),
        ([output(), output()], Code.DUPLICATE_OUTPUTS),
        ([output(of=NOWHERE)], Code.KEYSET_UNKNOWN),
        ([output(of=AUTH)], Code.KEYSET_UNKNOWN),
        ([output(of=OLD)], Code.KEYSET_INACTIVE),
        ([output(), output(of=USD)], Code.MANY_UNITS),
        ([output(3)], Code.AMOUNT_OUT_OF_RANGE),
        ([output(point=POINT[:-1])], Code.PROOF_INVALID),
    ],
)
def test_outputs_that_cannot_be_signed_are_refused(
    outputs: list[BlindedMessage], code: Code
) -> None:
    read = operations.read_outputs(outputs, KEYSETS)
    assert isinstance(read, Refusal)
    assert read.code is code


def test_blank_outputs_have_no_amount_yet() -> None:
    read = operations.read_outputs([output(3), output(0)], KEYSETS, are_blank=True)
    assert isinstance(read, Outputs)
    assert read.total == 0


@pytest.mark.parametrize(
    ("inputs", "outputs", "code"),
    [
        ([], [output()], Code.PROOF_INVALID),
        ([proof()], [], Code.NOT_BALANCED),
        ([proof()], [output(of=OLD)], Code.KEYSET_INACTIVE),
        ([proof()], [output(of=USD)], Code.UNITS_DIFFER),
        ([proof()], [output(2)], Code.NOT_BALANCED),
        ([proof()], [output(8)], Code.NOT_BALANCED),
        ([proof(of=DEAR)], [output(4)], Code.NOT_BALANCED),
    ],
)
def test_a_swap_that_does_not_balance_is_refused(
    inputs: list[Proof], outputs: list[BlindedMessage], code: Code
) -> None:
    decided = operations.decide_swap(inputs, outputs, KEYSETS, now_s=NOW_S)
    assert isinstance(decided, Refusal)
    assert decided.code is code


def test_a_swap_keeps_the_fee_and_nothing_else() -> None:
    decided = operations.decide_swap([proof(of=DEAR)], [output(1), output(2)], KEYSETS, now_s=NOW_S)
    assert isinstance(decided, Exchange)
    assert [blank.amount for blank in decided.blanks] == [1, 2]


def issue_quote(issued: int = 0, unit: str = "eur") -> IssueQuote:
    return IssueQuote(bytes(16), "till", "", unit, 8, 8, issued, None, None, Instant(0))


@pytest.mark.parametrize(
    ("quote", "outputs", "paid", "code"),
    [
        (issue_quote(), [], 8, Code.NOT_BALANCED),
        (issue_quote(), [output(8, OLD)], 8, Code.KEYSET_INACTIVE),
        (issue_quote(), [output(8)], 0, Code.QUOTE_NOT_PAID),
        (issue_quote(issued=8), [output(8)], 8, Code.ALREADY_ISSUED),
        (issue_quote(), [output(8, USD)], 8, Code.UNITS_DIFFER),
        (issue_quote(), [output(4)], 8, Code.NOT_BALANCED),
        (issue_quote(issued=4), [output(8)], 8, Code.NOT_BALANCED),
    ],
)
def test_an_issue_that_is_not_paid_as_asked_is_refused(
    quote: IssueQuote, outputs: list[BlindedMessage], paid: int, code: Code
) -> None:
    decided = operations.decide_issue(quote, outputs, KEYSETS, paid=paid)
    assert isinstance(decided, Refusal)
    assert decided.code is code


def test_an_issue_signs_all_that_is_open() -> None:
    decided = operations.decide_issue(issue_quote(issued=4), [output(4)], KEYSETS, paid=8)
    assert decided == [Blank(0, 4, output(4).point)]


def redeem_quote(amount: int, reserve: int = 0, unit: str = "eur") -> RedeemQuote:
    return RedeemQuote(
        id=bytes(16),
        method="till",
        request="",
        unit=unit,
        amount=amount,
        fee_reserve=reserve,
        state=RedeemState.UNPAID,
        attempts=0,
        expires_at=Instant(0),
        payment_id=AmanaId(1),
        target=b"",
    )


def blanks(count: int, of: Keyset = EUR) -> list[BlindedMessage]:
    return [output(0, of, b"\x02" + bytes([of.number, n]) * 16) for n in range(count)]


def going_in(total: int, fee: int = 0) -> Inputs:
    return Inputs([], "eur", total, fee)


@pytest.mark.parametrize(
    ("quote", "inputs", "outputs", "code"),
    [
        (redeem_quote(4), going_in(4), blanks(1, OLD), Code.KEYSET_INACTIVE),
        (redeem_quote(4, unit="usd"), going_in(4), [], Code.UNITS_DIFFER),
        (redeem_quote(4), going_in(4), blanks(1, USD), Code.UNITS_DIFFER),
        (redeem_quote(4), going_in(3), [], Code.NOT_BALANCED),
        (redeem_quote(4), going_in(4, fee=1), [], Code.NOT_BALANCED),
        (redeem_quote(4, reserve=1), going_in(4), [], Code.NOT_BALANCED),
        (redeem_quote(4), going_in(11), blanks(2), Code.NOT_BALANCED),
        (redeem_quote(4), going_in(5), [], Code.NOT_BALANCED),
    ],
)
def test_a_redemption_that_would_lose_money_is_refused(
    quote: RedeemQuote, inputs: Inputs, outputs: list[BlindedMessage], code: Code
) -> None:
    decided = operations.decide_redemption(
        quote, inputs, outputs, cost=quote.amount, keysets=KEYSETS
    )
    assert isinstance(decided, Refusal)
    assert decided.code is code


@given(
    amount=st.integers(1, 200),
    over=st.integers(0, 200),
    fee=st.integers(0, 3),
    count=st.integers(0, 14),
)
def test_change_is_never_more_than_what_is_over(
    amount: int, over: int, fee: int, count: int
) -> None:
    inputs = going_in(amount + over + fee, fee)
    decided = operations.decide_redemption(
        redeem_quote(amount), inputs, blanks(count), cost=amount, keysets=KEYSETS
    )
    if isinstance(decided, Refusal):
        assert len(operations.split_amount(over, POWERS)) > count
    else:
        assert sum(blank.amount for blank in decided) == over


def test_of_a_reserve_that_few_blanks_cannot_hold_the_largest_parts_come_back() -> None:
    decided = operations.decide_redemption(
        redeem_quote(4, reserve=7), going_in(11), blanks(2), cost=4, keysets=KEYSETS
    )
    assert isinstance(decided, list)
    assert [blank.amount for blank in decided] == [2, 4]


@given(st.integers(0, 5_000))
def test_a_sum_is_split_into_few_parts_ascending(total: int) -> None:
    parts = operations.split_amount(total, POWERS)
    assert sum(parts) == total
    assert parts == sorted(parts)
    assert len([part for part in parts if part < 128]) == (total % 128).bit_count()


def test_outputs_that_were_signed_keep_their_order_and_the_amount_of_then() -> None:
    first, second, third = output(1), output(2), output(0)
    signed = {third.point: (4, 64), first.point: (0, 1)}
    kept = operations.read_signed([first, second, third], signed)
    assert kept == [(first, Blank(0, 1, first.point)), (third, Blank(4, 64, third.point))]
