"""The auditor of purses: what is out, what clients hold and what the ledger owes are one sum.

Works from stored rows and from what was told alone, in its own words: transfer ids, legs and sums
are worked out here once more.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, cast

from amana.kernel import IdKind, format_id
from amana.ledger import Account, TransferFlags
from amana.payments.model import Payment, PaymentKind, PaymentStatus
from amana.purse.model import (
    BlindSignature,
    Code,
    Proof,
    Redeemed,
    RedeemQuote,
    RedeemState,
    Refusal,
)
from amana.purse.standing import Refill, RefillState
from amana.testing.simulator._clients import Operation
from amana.testing.simulator._purse_node import PurseAsk, PurseRequest
from amana.testing.simulator._purse_rows import StoredPurse
from amana.testing.simulator._stores import Stored, Stores
from amana.testing.simulator._violation import Violation, broken
from amana.testing.standin import nullifier_of

_ECASH: Final = 3
_FEES: Final = 2
_HELD, _SPENT, _PAID = 2, 3, 4
_DEBITED: Final = 2
_ON_ITS_WAY: Final = 2
_MERCHANT: Final = "amana-merchant"

Moved = dict[int, tuple[int, int, int, int]]
"""Transfer id to debit account, credit account, amount and flags without LINKED."""


def expected_purse_transfers(
    stored: Stored, found: Mapping[int, tuple[int, int, int, int]]
) -> Moved:
    """Return what purchases from the purse moved, and the holds that were given back.

    An attempt that was refused or interrupted may never have reached the ledger; where its hold is
    there, so is its void.
    """
    expected: Moved = {}
    payments = stored.payments
    for quote in stored.purse.redemptions.values():
        if quote.method != _MERCHANT:
            continue
        paid = payments.get(quote.payment_id)
        for attempt in range(1, quote.attempts + 1):
            base = quote.payment_id + 16 * attempt
            is_paid = paid is not None and paid.steps == attempt
            for leg in (1, 2):
                held = found.get(base + leg)
                if is_paid and paid is not None:
                    expected |= _paid(base, leg, paid)
                elif held is not None:
                    expected[base + leg] = (_ECASH, *held[1:3], TransferFlags.PENDING)
                    void = (_ECASH, *held[1:3], TransferFlags.VOID_PENDING_TRANSFER)
                    expected[base + leg + 4] = void
    return expected


def _paid(base: int, leg: int, paid: Payment) -> Moved:
    amount = paid.total - paid.fee if leg == 1 else paid.fee
    if not amount:
        return {}
    credit = paid.payee_account if leg == 1 else _FEES
    return {
        base + leg: (_ECASH, credit, amount, TransferFlags.PENDING),
        base + leg + 2: (_ECASH, credit, amount, TransferFlags.POST_PENDING_TRANSFER),
    }


# At every moment


def audit_purse_now(stores: Stores) -> Iterator[Violation]:
    """Check, right after a crash, what must hold at every moment, in one commit or in two.

    A ledger apart may be ahead of the books by what is under way, and never by more: what is to be
    moved is durable before it moves, and what was spent is durable before its hold is posted.
    """
    stored = stores.stored()
    purse = stored.purse
    yield from _totals(purse)
    owed, balance = _owed(stored), _balance(stored)
    # What is under way may have moved already, or not yet: its outcome is recorded after.
    moving = sum(
        quote.amount
        for quote in purse.redemptions.values()
        if quote.state == _SPENT and quote.method == _MERCHANT
    )
    moving += sum(refill.amount for refill in purse.refills if refill.state == _DEBITED)
    moving += sum(amount for amount, state in purse.deposits.values() if state == _ON_ITS_WAY)
    moving += sum(
        payment.total
        for payment in stored.payments.values()
        if payment.status is PaymentStatus.PENDING and payment.payee_account == _ECASH
    )
    if not owed <= balance <= owed + moving:
        bounds = f"{owed} to {owed + moving}"
        yield broken("what is out is owed, at every moment", _ECASH, expected=bounds, found=balance)
    unended = sum(
        quote.amount
        for quote in purse.redemptions.values()
        if quote.state in {_HELD, _SPENT} and quote.method == _MERCHANT
    )
    held = _ecash(stored).debits_pending
    if held > unended:
        expected = f"at most {unended}"
        yield broken("what is held is for recovery to end", _ECASH, expected=expected, found=held)


def _owed(stored: Stored) -> int:
    """Return what is out, and what refunds promise."""
    refunded: Counter[str] = Counter()
    for payment in stored.payments.values():
        is_refund = payment.kind is PaymentKind.REFUND and payment.status is PaymentStatus.PAID
        if is_refund and payment.payee_account == _ECASH:
            assert payment.refund_of is not None, "a refund names its payment"
            refunded[format_id(IdKind.PAYMENT, payment.refund_of)] += payment.total
    claimed = sum(issued for _, issued in stored.purse.claims.values())
    return stored.purse.out + refunded.total() - claimed


def _balance(stored: Stored) -> int:
    account = _ecash(stored)
    return account.credits_posted - account.debits_posted


def _ecash(stored: Stored) -> Account:
    return next(each for each in stored.accounts if each.id == _ECASH)


# At the end


class Ending(NamedTuple):
    """What wallets are left with."""

    coins: list[Proof]
    """What they can still spend."""
    swaps: list[Operation]
    """Some of those coins, each swapped by itself in a calm world."""
    bad_signatures: list[bytes]
    """Points with a signature that no key made."""


def audit_purse(
    stored: Stored, operations: Iterable[Operation], ending: Ending
) -> Iterator[Violation]:
    """Check rows, sums, what was told, and that what is left can be spent."""
    purse = stored.purse
    yield from _totals(purse)
    yield from _sums(stored)
    for quote_id, quote in purse.redemptions.items():
        if quote.state in {_HELD, _SPENT}:
            yield broken("nothing is unfinished", quote_id.hex(), expected="an end", found=quote)
        yield from _redemption(stored, quote_id)
    for request, issued in purse.claims.values():
        yield from _claim(stored, request, issued)
    for point in ending.bad_signatures:
        yield broken("signatures are good", point.hex(), expected="the key's", found="another")
    held = sum(proof.amount for proof in ending.coins)
    if held != purse.out:
        yield broken("clients hold what is out", "all", expected=purse.out, found=held)
    for swap in ending.swaps:
        if not isinstance(swap.heard[-1], tuple):
            found = swap.heard[-1]
            yield broken("what is unspent can be spent", swap.number, expected="yes", found=found)
    asked = list(operations)
    yield from _told(purse, asked)
    yield from _looked(purse, asked)


def _totals(purse: StoredPurse) -> Iterator[Violation]:
    """The counts are those of the rows."""
    signed, spent = Counter(purse.signed.values()), Counter(purse.spent.values())
    for key in signed.keys() | spent.keys() | purse.totals.keys():
        found = purse.totals.get(key, (0, 0))
        if found != (signed[key], spent[key]):
            expected = (signed[key], spent[key])
            yield broken("counts of a denomination", str(key), expected=expected, found=found)
        if spent[key] > signed[key]:
            yield broken("spent was signed", str(key), expected=signed[key], found=spent[key])


def _sums(stored: Stored) -> Iterator[Violation]:
    purse = stored.purse
    debited = sum(refill.amount for refill in purse.refills if refill.state == _DEBITED)
    waiting = sum(amount for amount, state in purse.deposits.values() if state == _ON_ITS_WAY)
    owed, balance = _owed(stored) + debited + waiting, _balance(stored)
    if owed != balance:
        yield broken("what is out is owed", _ECASH, expected=owed, found=balance)


def _redemption(stored: Stored, quote_id: bytes) -> Iterator[Violation]:
    """A merchant's payment is there if its quote is paid, and only then."""
    quote = stored.purse.redemptions[quote_id]
    if quote.method != _MERCHANT:
        return
    payment = stored.payments.get(quote.payment_id)
    is_made = payment is not None and payment.status is PaymentStatus.PAID
    if is_made != (quote.state == _PAID):
        yield broken("a quote and its payment", quote_id.hex(), expected=quote, found=payment)
    elif payment is not None and (payment.total, payment.steps) != (quote.amount, quote.attempts):
        found = (payment.total, payment.steps)
        yield broken("a quote and its payment", quote_id.hex(), expected=quote, found=found)


def _claim(stored: Stored, request: str, issued: int) -> Iterator[Violation]:
    """Never more is issued for a purchase than was refunded of it."""
    refunded = sum(
        payment.total
        for payment in stored.payments.values()
        if payment.kind is PaymentKind.REFUND
        and payment.status is PaymentStatus.PAID
        and payment.refund_of is not None
        and format_id(IdKind.PAYMENT, payment.refund_of) == request
    )
    if issued > refunded:
        yield broken("claims of a refund", request, expected=f"at most {refunded}", found=issued)


# What was told


class _Spend(NamedTuple):
    """A swap or redemption, whatever became of it."""

    number: int
    request: PurseRequest
    heard: list[object]
    last: object

    @property
    def inputs(self) -> frozenset[bytes]:
        return frozenset(nullifier_of(proof) for proof in self.request.inputs)

    @property
    def total(self) -> int:
        return sum(proof.amount for proof in self.request.inputs)


def _told(purse: StoredPurse, operations: list[Operation]) -> Iterator[Violation]:
    """Every spent proof has one reason, and everybody was told the truth."""
    spends = [
        _Spend(
            operation.number,
            operation.request,
            cast("list[object]", operation.heard),
            operation.last,
        )
        for operation in operations
        if isinstance(operation.request, PurseRequest) and operation.request.inputs
    ]
    made = {spend.number for spend in spends if _was_swapped(purse, spend)}
    redeemed: defaultdict[bytes, list[_Spend]] = defaultdict(list)
    for spend in spends:
        if spend.request.ask is PurseAsk.REDEEM and spend.inputs <= purse.spent.keys():
            redeemed[spend.request.quote].append(spend)
    taken = Counter(key for spend in spends if spend.number in made for key in spend.inputs)
    for quote_id, winner in _winners(purse, redeemed, taken):
        if winner is None:
            yield broken("paid with proofs", quote_id.hex(), expected="proofs", found="none")
        else:
            made.add(winner.number)
    for key, times in taken.items():
        if times > 1:
            yield broken("a proof is spent once", key.hex(), expected=1, found=times)
    for key in purse.spent.keys() - taken.keys():
        yield broken("what is spent bought something", key.hex(), expected="a buy", found="none")
    for spend in spends:
        yield from _truth(purse, spend, was_made=spend.number in made)


def _looked(purse: StoredPurse, operations: list[Operation]) -> Iterator[Violation]:
    """A quote that was told as paid is paid, and refills told as signed are signed."""
    for operation in operations:
        for answer in operation.heard:
            if isinstance(answer, RedeemQuote) and answer.state is RedeemState.PAID:
                found = purse.redemptions[answer.id].state
                if found != _PAID:
                    yield broken("paid as told", operation.number, expected=_PAID, found=found)
            elif isinstance(operation.request, PurseRequest) and isinstance(answer, tuple):
                for part in answer:
                    yield from _signed_as_told(purse, operation.number, part)


def _signed_as_told(purse: StoredPurse, number: int, part: object) -> Iterator[Violation]:
    if isinstance(part, Refill) and part.state is RefillState.SIGNED:
        for blank in part.outputs:
            if blank.point not in purse.signed:
                yield broken("signed as told", number, expected="signed", found=blank)


def _was_swapped(purse: StoredPurse, spend: _Spend) -> bool:
    outputs = spend.request.outputs
    return spend.request.ask is PurseAsk.SWAP and all(out.point in purse.signed for out in outputs)


def _winners(
    purse: StoredPurse, redeemed: Mapping[bytes, list[_Spend]], taken: Counter[bytes]
) -> Iterator[tuple[bytes, _Spend | None]]:
    """Find for each paid quote whose proofs paid it, those first that leave the least choice."""
    paid = {key: quote.amount for key, quote in purse.redemptions.items() if quote.state == _PAID}
    while paid:
        fitting = {
            quote_id: [
                spend
                for spend in redeemed.get(quote_id, ())
                if not any(taken[key] for key in spend.inputs)
                and sum(_change(purse, spend)) == spend.total - amount
            ]
            for quote_id, amount in paid.items()
        }
        quote_id = min(fitting, key=lambda each: len({s.inputs for s in fitting[each]}))
        del paid[quote_id]
        # Without change every try with these proofs looks alike: who was refused was not the one.
        spends = sorted(
            fitting[quote_id], key=lambda each: (not _change(purse, each), _was_refused(each))
        )
        winner = spends[0] if spends else None
        if winner is not None:
            taken.update(winner.inputs)
        yield quote_id, winner


def _was_refused(spend: _Spend) -> bool:
    return any(_is_final(spend, answer) for answer in spend.heard)


def _is_final(spend: _Spend, answer: object) -> bool:
    """Whether the asker may go by a refusal: nothing that was asked before can go through."""
    if not isinstance(answer, Refusal):
        return False
    if spend.request.ask is PurseAsk.SWAP:
        return answer.code not in _SPENT_BEFORE
    return answer.code not in (_NOT_YET if answer is spend.last else _NOT_YET | _FOR_NOW)


def _change(purse: StoredPurse, spend: _Spend) -> list[int]:
    signed = (purse.signed.get(output.point) for output in spend.request.outputs)
    return [found[1] for found in signed if found is not None]


_NOT_YET: Final = frozenset(
    {Code.QUOTE_PENDING, Code.PROOFS_PENDING, Code.ALREADY_PAID, Code.ISSUE_DISABLED}
)
"""Told to who may succeed all the same."""
_FOR_NOW: Final = frozenset({Code.QUOTE_EXPIRED, Code.PAYMENT_FAILED})
"""Told to one sending, while another is judged before or after it: by a clock that is set back, of
a merchant who closes or opens."""
_SPENT_BEFORE: Final = frozenset(
    {Code.ALREADY_SPENT, Code.ALREADY_SIGNED, Code.KEYSET_INACTIVE, Code.ISSUE_DISABLED}
)
"""Told to a swap that comes again, or twice at once: its outputs are looked at before its proofs,
and the keys are asked before the commit."""


def _truth(purse: StoredPurse, spend: _Spend, *, was_made: bool) -> Iterator[Violation]:
    """Check what the asker of one spend was told."""
    name, is_swap = f"operation {spend.number}", spend.request.ask is PurseAsk.SWAP
    answers = {_sense(answer) for answer in spend.heard if not isinstance(answer, Refusal)}
    if len(answers) > 1:
        yield broken("an answer never changes", name, expected="one", found=answers)
    # Who comes to a paid quote with spent proofs, and nothing over, is told that it is paid.
    is_even = not is_swap and spend.total == purse.redemptions[spend.request.quote].amount
    if answers and not was_made and not is_even:
        yield broken("what was told was done", name, expected="done", found="not done")
    if was_made and not spend.inputs <= purse.spent.keys():
        yield broken("who has the outputs gave the inputs", name, expected="spent", found="not")
    change = _change(purse, spend)
    if not was_made and change:
        yield broken("change belongs to a payment", name, expected=0, found=sum(change))
    for answer in spend.heard:
        if isinstance(answer, Refusal):
            if was_made and _is_final(spend, answer):
                yield broken("who is refused keeps the proofs", name, expected="kept", found=answer)
            if answer.code is Code.ALREADY_SPENT and not spend.inputs & purse.spent.keys():
                yield broken("a refusal is durable", name, expected="spent", found=answer)
        elif isinstance(answer, Redeemed):
            told = answer.quote.amount + sum(one.amount for one in answer.change)
            if told != spend.total:
                yield broken("paid and change", name, expected=spend.total, found=told)


def _sense(answer: object) -> object:
    """Return what an answer says that must be the same each time."""
    if isinstance(answer, Redeemed):
        return answer.quote.id, tuple(one.point for one in answer.change)
    return tuple(one.point for one in cast("tuple[BlindSignature, ...]", answer))
