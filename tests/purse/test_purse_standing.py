"""Refills and deposits: carried out once each, whatever is withdrawn, refused or gone meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.purse.shop import CUSTOMER, Shop, open_shop

from amana.kernel import DAY_NS, SECOND_NS, AmanaId, Unavailable
from amana.payments.model import ECASH_ACCOUNT
from amana.purse.methods import account
from amana.purse.model import Code, ProofState, RedeemAsk, Redeemed, RedeemQuote, Refusal
from amana.purse.standing import Deposit, DepositState, Refill, RefillState
from amana.purse.standing.model import StandingReason, StandingRefused
from amana.testing.standin import nullifier_of


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "books") as shop:
        shop.move(1, int(CUSTOMER), 5_000)
        yield shop


def leave(shop: Shop, amount: int = 100) -> Refill:
    outputs = shop.refill_outputs(amount)
    left = shop.run(shop.standing.leave_refill(CUSTOMER, amount, outputs))
    assert isinstance(left, Refill)
    return left


def carry_out(shop: Shop) -> int:
    shop.clock.advance(2 * DAY_NS)
    made: int = shop.run(shop.standing.carry_out())
    return made


def stored(shop: Shop) -> Refill | None:
    found: Refill | None = shop.run(shop.standing.refill(CUSTOMER))
    return found


def out(shop: Shop) -> int:
    return shop.ledger.balance(ECASH_ACCOUNT)


# Refills


def test_a_refill_is_debited_and_signed_at_its_hour(shop: Shop) -> None:
    leave(shop)
    assert shop.run(shop.standing.carry_out()) == 1, "a first refill fills the purse at once"
    outputs = shop.refill_outputs(100)
    left = shop.run(shop.standing.leave_refill(CUSTOMER, 100, outputs))
    assert shop.run(shop.standing.signatures(left)) == ()
    assert shop.run(shop.standing.carry_out()) == 0
    assert carry_out(shop) == 1
    refill = stored(shop)
    assert refill is not None
    assert refill.state is RefillState.SIGNED
    proofs = shop.proofs(outputs, shop.run(shop.standing.signatures(refill)))
    assert sum(proof.amount for proof in proofs if shop.wallet.is_good(proof)) == 100
    assert (shop.ledger.balance(int(CUSTOMER)), out(shop)) == (4_800, 200)
    assert carry_out(shop) == 0


def test_what_is_not_like_everybodys_is_refused(shop: Shop) -> None:
    outputs = shop.refill_outputs(100)
    dollars = [msgspec.structs.replace(each, keyset_id="00") for each in outputs]
    mixed = [*outputs[:-1], msgspec.structs.replace(outputs[-1], keyset_id="00")]
    twice = [*outputs[:-1], msgspec.structs.replace(outputs[-1], point=outputs[0].point)]
    refused = [
        (99, outputs, StandingReason.NOT_A_TIER),
        (500, outputs, StandingReason.OUTPUTS_DIFFER),
        (100, (), StandingReason.KEYSET_INACTIVE),
        (100, dollars, StandingReason.KEYSET_INACTIVE),
        (100, mixed, StandingReason.OUTPUTS_DIFFER),
        (100, twice, StandingReason.OUTPUTS_DIFFER),
    ]
    for amount, left, reason in refused:
        answer = shop.run(shop.standing.leave_refill(CUSTOMER, amount, left))
        assert answer == StandingRefused(reason)
    assert stored(shop) is None


def test_a_refill_left_again_is_left_once_and_its_outputs_are_used_up(shop: Shop) -> None:
    outputs = shop.refill_outputs(100)
    first = shop.run(shop.standing.leave_refill(CUSTOMER, 100, outputs))
    assert shop.run(shop.standing.leave_refill(CUSTOMER, 100, outputs)) == first
    carry_out(shop)
    again = shop.run(shop.standing.leave_refill(CUSTOMER, 100, outputs))
    assert (again.id, again.state) == (first.id, RefillState.SIGNED)
    leave(shop)
    used = shop.run(shop.standing.leave_refill(CUSTOMER, 100, outputs))
    assert used == StandingRefused(StandingReason.OUTPUTS_USED)


def test_a_newer_refill_takes_the_place_of_one_that_waits(shop: Shop) -> None:
    leave(shop, 100)
    newer = leave(shop, 500)
    assert stored(shop) == newer
    assert carry_out(shop) == 1
    assert out(shop) == 500


def test_a_withdrawn_refill_is_neither_debited_nor_signed(shop: Shop) -> None:
    leave(shop)
    assert shop.run(shop.standing.withdraw_refill(CUSTOMER))
    assert not shop.run(shop.standing.withdraw_refill(CUSTOMER))
    assert carry_out(shop) == 0
    assert out(shop) == 0


def test_a_refill_withdrawn_while_it_is_taken_up_is_not_debited(shop: Shop) -> None:
    """Found by the simulator: what was read as due may be gone when it is begun."""
    refill = leave(shop)
    shop.run(shop.standing.withdraw_refill(CUSTOMER))
    assert not shop.run(shop.standing._carry_out_refill(refill))
    assert out(shop) == 0
    assert stored(shop) is None


def test_a_refill_replaced_while_it_is_taken_up_is_not_debited(shop: Shop) -> None:
    refill = leave(shop)
    newer = leave(shop, 500)
    assert not shop.run(shop.standing._carry_out_refill(refill))
    assert stored(shop) == newer
    assert out(shop) == 0


def test_a_late_round_does_not_take_what_was_debited_for_waiting(shop: Shop) -> None:
    """Found by the simulator: two rounds met, and a debit was forgotten with its refill."""
    read = leave(shop)
    taken_up = debited_from(shop)
    rotate(shop)
    assert not shop.run(shop.standing._carry_out_refill(read))
    assert stored(shop) == taken_up
    assert not shop.run(shop.standing.withdraw_refill(CUSTOMER))


def test_an_empty_account_is_asked_again_later_under_another_id(shop: Shop) -> None:
    shop.move(int(CUSTOMER), 1, 4_950)
    leave(shop)
    assert carry_out(shop) == 0
    waiting = stored(shop)
    assert waiting is not None
    assert (waiting.state, waiting.attempts) == (RefillState.WAITING, 1)
    shop.move(1, int(CUSTOMER), 4_950)
    assert carry_out(shop) == 1
    assert out(shop) == 100


def debited(shop: Shop) -> Refill:
    """A refill that is paid for and could not be signed."""
    leave(shop)
    return debited_from(shop)


def debited_from(shop: Shop) -> Refill:
    shop.signatory.is_stopped = True
    assert carry_out(shop) == 0
    refill = stored(shop)
    assert refill is not None
    assert refill.state is RefillState.DEBITED
    assert out(shop) == 100
    shop.signatory.is_stopped = False
    return refill


def test_what_was_debited_and_not_signed_is_signed_later_and_paid_once(shop: Shop) -> None:
    debited(shop)
    assert not shop.run(shop.standing.withdraw_refill(CUSTOMER))
    assert carry_out(shop) == 1
    assert out(shop) == 100


def test_a_debited_refill_takes_other_outputs_of_the_same_sum(shop: Shop) -> None:
    before = debited(shop)
    other = shop.run(shop.standing.leave_refill(CUSTOMER, 500, shop.refill_outputs(500)))
    assert other == StandingRefused(StandingReason.DEBITED_DIFFERS)
    newer = leave(shop)
    assert (newer.id, newer.state) == (before.id, RefillState.DEBITED)
    # A round that began before meets the newer outputs, and leaves them to the next.
    assert not shop.run(shop.standing._carry_out_refill(before))
    assert carry_out(shop) == 1
    signed = stored(shop)
    assert signed is not None
    assert (signed.outputs, signed.state) == (newer.outputs, RefillState.SIGNED)
    assert out(shop) == 100


def test_a_signatory_that_is_gone_leaves_the_refill_for_the_next_round(shop: Shop) -> None:
    leave(shop)
    shop.signatory.is_gone = True
    with pytest.raises(Unavailable):
        carry_out(shop)
    shop.signatory.is_gone = False
    assert carry_out(shop) == 1
    assert out(shop) == 100


def rotate(shop: Shop) -> None:
    shop.run(shop.signatory.rotate("eur", final_expiry=shop.clock.now() // SECOND_NS + 10**8))


def test_a_refill_for_a_retired_keyset_waits_for_other_outputs(shop: Shop) -> None:
    leave(shop)
    rotate(shop)
    assert carry_out(shop) == 0
    assert out(shop) == 0
    leave(shop)
    assert carry_out(shop) == 1


def test_a_retired_keyset_does_not_keep_others_from_their_refills(shop: Shop) -> None:
    """Found by the simulator: one debited refill that nobody can sign stopped every round."""
    debited(shop)
    rotate(shop)
    neighbour = AmanaId(0x300)
    shop.parties[neighbour] = msgspec.structs.replace(shop.parties[CUSTOMER], id=neighbour)
    outputs = shop.refill_outputs(500)
    shop.run(shop.standing.leave_refill(neighbour, 500, outputs))
    assert carry_out(shop) == 1
    leave(shop)
    assert carry_out(shop) == 1


def test_signatures_are_told_only_when_they_are_durable(shop: Shop) -> None:
    """Found by the simulator: a refill was told as signed in a group that was lost."""
    leave(shop)
    shop.clock.advance(2 * DAY_NS)

    async def scene() -> bool:
        await shop.standing.carry_out()
        # Somebody else's group is open while the refill is asked for.
        await shop.books.writer.submit(lambda items: items, None)
        await shop.standing.refill(CUSTOMER)
        return shop.books.connection.in_transaction

    assert not shop.run(scene())


# Deposits


def address(shop: Shop, *, is_closing: bool = False) -> Deposit:
    deposit: Deposit = shop.run(shop.standing.open_deposit(CUSTOMER, is_closing=is_closing))
    return deposit


def quote(shop: Shop, deposit: Deposit, amount: int | None = 100, unit: str = "eur") -> object:
    asked = RedeemAsk(account.ADDRESS_MARK + deposit.id.hex(), unit, amount)
    return shop.run(shop.mint.redeem_quote(account.METHOD, asked))


def deposit_of(shop: Shop, amount: int = 100) -> Deposit:
    """E-cash on its way into the account."""
    deposit = address(shop)
    priced = quote(shop, deposit, amount)
    assert isinstance(priced, RedeemQuote)
    coins = shop.coins(64, 32, 4)
    paid = shop.redeem(priced, coins)
    assert isinstance(paid, Redeemed)
    assert paid.fields == {}
    states = shop.run(shop.mint.states([nullifier_of(coin) for coin in coins]))
    assert {state for state, _ in states} == {ProofState.SPENT}
    return deposit


def test_a_deposit_reaches_the_account_at_its_hour_and_once(shop: Shop) -> None:
    deposit_of(shop)
    assert shop.run(shop.standing.carry_out()) == 0
    assert (shop.ledger.balance(int(CUSTOMER)), out(shop)) == (5_000, 100)
    assert carry_out(shop) == 1
    assert (shop.ledger.balance(int(CUSTOMER)), out(shop)) == (5_100, 0)
    assert carry_out(shop) == 0


def test_an_address_is_used_once(shop: Shop) -> None:
    deposit = address(shop)
    first, second = quote(shop, deposit), quote(shop, deposit)
    assert isinstance(first, RedeemQuote)
    assert isinstance(second, RedeemQuote)
    assert isinstance(shop.redeem(first, shop.coins(64, 32, 4)), Redeemed)
    coins = shop.coins(64, 32, 4)
    refused = shop.redeem(second, coins)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.PAYMENT_FAILED
    assert shop.run(shop.mint.states([nullifier_of(coins[0])]))[0][0] is ProofState.UNSPENT
    assert isinstance(quote(shop, deposit), Refusal)


def test_a_deposit_is_a_tier_unless_the_account_is_closing(shop: Shop) -> None:
    refused = quote(shop, address(shop), 99)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.AMOUNT_OUT_OF_RANGE
    closing = address(shop, is_closing=True)
    assert closing.state is DepositState.CLOSING
    assert isinstance(quote(shop, closing, 99), RedeemQuote)
    assert isinstance(quote(shop, closing, None), Refusal)
    assert isinstance(quote(shop, address(shop), unit="usd"), Refusal)
    for request in ("elsewhere", account.ADDRESS_MARK + "zz", account.ADDRESS_MARK + "00"):
        asked = RedeemAsk(request, "eur", 100)
        assert isinstance(shop.run(shop.mint.redeem_quote(account.METHOD, asked)), Refusal)


def test_an_address_of_a_deposit_has_one_spelling(shop: Shop) -> None:
    given = account.ADDRESS_MARK + address(shop).id.hex()
    asked = [RedeemAsk(spelt, "eur", 100) for spelt in (given, *other_spellings(given))]
    found = [shop.run(shop.mint.redeem_quote(account.METHOD, ask)) for ask in asked]
    assert isinstance(found[0], RedeemQuote)
    assert all(isinstance(one, Refusal) for one in found[1:])


def other_spellings(address: str) -> tuple[str, ...]:
    """What a lenient reader of hex would take for the same."""
    mark, digits = account.ADDRESS_MARK, address.removeprefix(account.ADDRESS_MARK)
    spaced = " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    return (mark + spaced, f"{mark} {digits}", address + "\n", mark + digits.upper())


def test_a_deposit_refused_by_the_books_is_tried_again_later(shop: Shop) -> None:
    """Found on the way: a refusal stays under its key, so each postponement has one of its own."""
    deposit_of(shop)
    closed = msgspec.structs.replace(shop.parties[CUSTOMER], is_open=False)
    open_again, shop.parties[CUSTOMER] = shop.parties[CUSTOMER], closed
    assert carry_out(shop) == 0
    assert out(shop) == 100
    shop.parties[CUSTOMER] = open_again
    assert carry_out(shop) == 1
    assert (shop.ledger.balance(int(CUSTOMER)), out(shop)) == (5_100, 0)


def test_a_deposit_met_by_two_rounds_is_paid_once(shop: Shop) -> None:
    deposit_of(shop)
    shop.clock.advance(2 * DAY_NS)
    (due,) = shop.standing_rows.deposits_due(shop.clock.now())
    assert shop.run(shop.standing._carry_out_deposit(due))
    assert shop.run(shop.standing._carry_out_deposit(due))
    assert (shop.ledger.balance(int(CUSTOMER)), out(shop)) == (5_100, 0)
