"""Holds: made, posted, voided, expired, each once; accounts closed by them and opened again."""

# ruff: noqa: PLR2004 - expected values are literals, on purpose

import pytest

from amana.kernel import SECOND_NS, Instant
from amana.kernel.limits import BATCH_TRANSFERS_MAX
from amana.ledger import (
    AMOUNT_MAX_SENTINEL,
    Account,
    AccountFilter,
    AccountFlags,
    ChangeKind,
    StandaloneLedger,
    TransferFlags,
    TransferStatus,
)
from amana.testing.conformance import _ledger_world as world

_CREATED = TransferStatus.CREATED
_HOLD = 5_000
_END = 5_001


def _held(store: StandaloneLedger) -> tuple[int, int]:
    """Return what the two accounts of these tests have held and moved."""
    source, empty = store.lookup_accounts([world.SOURCE, world.EMPTY])
    assert source.debits_pending >= empty.credits_pending
    return empty.credits_pending, empty.credits_posted


class HoldCases:
    """Two-phase transfers."""

    @pytest.mark.parametrize(
        ("amount", "posted"), [(AMOUNT_MAX_SENTINEL, 100), (100, 100), (40, 40), (0, 0)]
    )
    def test_a_hold_is_posted_once_all_of_it_or_a_part(
        self, store: StandaloneLedger, amount: int, posted: int
    ) -> None:
        world.settle(store)
        batch = [world.hold(_HOLD, world.SOURCE, world.EMPTY)]
        assert store.create_transfers(batch, now=world.LATER)[0].status is _CREATED
        assert _held(store) == (100, 0)
        batch = [world.post(_END, _HOLD, amount)]
        assert store.create_transfers(batch, now=world.LATER)[0].status is _CREATED
        assert _held(store) == (0, posted)
        again = [world.post(_END + 1, _HOLD, amount), world.void(_END + 2, _HOLD)]
        results = store.create_transfers(again, now=world.LATER)
        already = TransferStatus.PENDING_TRANSFER_ALREADY_POSTED
        assert [result.status for result in results] == [already, already]
        assert store.lookup_transfers([_END])[0].amount == posted
        assert store.verify().is_sound

    def test_a_hold_is_voided_once(self, store: StandaloneLedger) -> None:
        world.settle(store)
        batch = [
            world.hold(_HOLD, world.SOURCE, world.EMPTY),
            world.void(_END, _HOLD),
            world.void(_END + 1, _HOLD),
            world.post(_END + 2, _HOLD, 1),
        ]
        results = store.create_transfers(batch, now=world.LATER)
        already = TransferStatus.PENDING_TRANSFER_ALREADY_VOIDED
        assert [result.status for result in results] == [_CREATED, _CREATED, already, already]
        assert _held(store) == (0, 0)
        assert store.lookup_transfers([_END])[0].amount == 100

    def test_a_hold_expires_at_its_instant_and_not_before(self, store: StandaloneLedger) -> None:
        world.settle(store)
        batch = [world.hold(_HOLD, world.SOURCE, world.EMPTY, timeout_s=10)]
        made = store.create_transfers(batch, now=world.LATER)[0].timestamp
        end = Instant(made + 10 * SECOND_NS)
        assert store.expire_due(now=Instant(end - 1)) == 0
        assert _held(store) == (100, 0)
        assert store.expire_due(now=end) == 1
        assert _held(store) == (0, 0)
        assert store.expire_due(now=Instant(end + SECOND_NS)) == 0
        late = store.create_transfers([world.post(_END, _HOLD, 1)], now=end)[0]
        assert late.status is TransferStatus.PENDING_TRANSFER_EXPIRED
        assert store.verify().is_sound

    def test_due_holds_expire_before_the_next_batch(self, store: StandaloneLedger) -> None:
        world.settle(store)
        funds = world.transfer(4_999, world.SOURCE, world.DEBITS_BOUND, 100)
        held = world.hold(_HOLD, world.DEBITS_BOUND, world.EMPTY, timeout_s=10)
        spend = world.transfer(_END, world.DEBITS_BOUND, world.EMPTY, 100)
        results = store.create_transfers([funds, held], now=world.LATER)
        assert [result.status for result in results] == [_CREATED, _CREATED]
        now = Instant(world.LATER + 10 * SECOND_NS)
        assert store.create_transfers([spend], now=now)[0].status is _CREATED
        ended = store.changes(world.LATER, 10)[0]
        assert (ended.kind, ended.transfer.id) == (ChangeKind.HOLD_EXPIRED, _HOLD)
        assert store.verify().is_sound

    def test_a_hold_that_comes_due_within_a_batch_is_not_posted(
        self, store: StandaloneLedger
    ) -> None:
        world.settle(store)
        batch = [world.hold(_HOLD, world.SOURCE, world.EMPTY, timeout_s=1)]
        made = store.create_transfers(batch, now=world.LATER)[0].timestamp
        filler = [
            world.transfer(6_000 + number, world.SOURCE, world.OTHER_EMPTY, 1)
            for number in range(10)
        ]
        # The clock stands just before the end, but time given to the batch passes it.
        almost = Instant(made + SECOND_NS - 1)
        store.create_transfers(filler, now=almost)
        result = store.create_transfers([world.post(_END, _HOLD, 1)], now=almost)[0]
        assert result.status is TransferStatus.PENDING_TRANSFER_EXPIRED
        assert _held(store) == (100, 0)
        assert store.expire_due(now=Instant(almost + 1)) == 1
        assert _held(store) == (0, 0)
        assert store.verify().is_sound

    def test_what_is_held_counts_as_spent(self, store: StandaloneLedger) -> None:
        world.settle(store)
        batch = [
            world.transfer(4_999, world.SOURCE, world.DEBITS_BOUND, 150),
            world.hold(_HOLD, world.DEBITS_BOUND, world.EMPTY),
            world.transfer(5_002, world.DEBITS_BOUND, world.EMPTY, 51),
            world.transfer(5_003, world.DEBITS_BOUND, world.EMPTY, 50),
        ]
        results = store.create_transfers(batch, now=world.LATER)
        assert [result.status for result in results] == [
            _CREATED,
            _CREATED,
            TransferStatus.EXCEEDS_CREDITS,
            _CREATED,
        ]

    def test_what_is_only_promised_cannot_be_spent(self, store: StandaloneLedger) -> None:
        world.settle(store)
        batch = [
            world.hold(_HOLD, world.SOURCE, world.DEBITS_BOUND),
            world.transfer(5_002, world.DEBITS_BOUND, world.EMPTY, 1),
        ]
        results = store.create_transfers(batch, now=world.LATER)
        assert results[1].status is TransferStatus.EXCEEDS_CREDITS

    def test_a_debtors_bound_is_kept_likewise(self, store: StandaloneLedger) -> None:
        world.settle(store)
        batch = [
            world.transfer(4_999, world.CREDITS_BOUND, world.SOURCE, 150),
            world.hold(_HOLD, world.SOURCE, world.CREDITS_BOUND),
            world.transfer(5_002, world.SOURCE, world.CREDITS_BOUND, 51),
            world.transfer(5_003, world.SOURCE, world.CREDITS_BOUND, 50),
        ]
        results = store.create_transfers(batch, now=world.LATER)
        assert [result.status for result in results] == [
            _CREATED,
            _CREATED,
            TransferStatus.EXCEEDS_DEBITS,
            _CREATED,
        ]

    def test_a_closing_hold_closes_and_its_voiding_opens_again(
        self, store: StandaloneLedger
    ) -> None:
        world.settle(store)
        both = int(TransferFlags.CLOSING_DEBIT | TransferFlags.CLOSING_CREDIT)
        closing = world.hold(_HOLD, world.SOURCE, world.EMPTY, flags=both)
        refused = world.transfer(5_010, world.SOURCE, world.OTHER_EMPTY, 1)
        taken = world.transfer(5_011, world.OTHER_EMPTY, world.EMPTY, 1)
        results = store.create_transfers(
            [closing, refused, taken, world.post(5_012, _HOLD, 1)], now=world.LATER
        )
        assert [result.status for result in results] == [
            _CREATED,
            TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED,
            TransferStatus.CREDIT_ACCOUNT_ALREADY_CLOSED,
            TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED,
        ]
        closed = store.lookup_accounts([world.SOURCE, world.EMPTY])
        assert all(account.flags & AccountFlags.CLOSED for account in closed)
        reopening = [
            world.void(_END, _HOLD),
            world.transfer(5_013, world.SOURCE, world.EMPTY, 1),
        ]
        results = store.create_transfers(reopening, now=world.LATER)
        assert [result.status for result in results] == [_CREATED, _CREATED]
        opened = store.lookup_accounts([world.SOURCE, world.EMPTY])
        assert not any(account.flags & AccountFlags.CLOSED for account in opened)
        assert store.verify().is_sound

    def test_a_closing_hold_that_expires_opens_again(self, store: StandaloneLedger) -> None:
        world.settle(store)
        both = int(TransferFlags.CLOSING_DEBIT | TransferFlags.CLOSING_CREDIT)
        closing = world.hold(_HOLD, world.SOURCE, world.EMPTY, flags=both, timeout_s=1)
        store.create_transfers([closing], now=world.LATER)
        opening = world.transfer(_END, world.SOURCE, world.EMPTY, 1)
        now = Instant(world.LATER + SECOND_NS)
        assert store.create_transfers([opening], now=now)[0].status is _CREATED
        assert store.verify().is_sound

    def test_many_holds_expire_a_batch_at_a_time(self, store: StandaloneLedger) -> None:
        world.settle(store)
        for first, count in ((10_000, BATCH_TRANSFERS_MAX), (20_000, 7)):
            batch = [
                world.hold(first + number, world.SOURCE, world.EMPTY, timeout_s=1)
                for number in range(count)
            ]
            store.create_transfers(batch, now=world.LATER)
        now = Instant(world.LATER + 2 * SECOND_NS)
        assert [store.expire_due(now=now) for _ in range(3)] == [BATCH_TRANSFERS_MAX, 7, 0]
        assert _held(store) == (0, 0)
        assert store.verify().is_sound

    def test_a_hold_made_and_due_within_one_commit_expires(self, store: StandaloneLedger) -> None:
        world.settle(store)

        def both() -> int:
            held = [world.hold(_HOLD, world.SOURCE, world.EMPTY, timeout_s=1)]
            store.engine.create_transfers(held, now=world.LATER)
            return store.engine.expire_due(now=Instant(world.LATER + SECOND_NS))

        assert store.run(both) == 1
        assert _held(store) == (0, 0)
        assert store.verify().is_sound

    def test_history_keeps_no_balance_for_an_expiry(self, store: StandaloneLedger) -> None:
        world.settle(store)
        store.create_accounts(
            [Account(20, world.EUR, 1, int(AccountFlags.HISTORY))], now=world.LATER
        )
        store.create_transfers([world.hold(_HOLD, world.SOURCE, 20, timeout_s=1)], now=world.LATER)
        assert store.expire_due(now=Instant(world.LATER + 2 * SECOND_NS)) == 1
        balances = store.account_balances(AccountFilter(20))
        assert [balance.credits_pending for balance in balances] == [100]
