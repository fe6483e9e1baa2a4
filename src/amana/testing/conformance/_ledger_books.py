"""The books as a whole: amounts, bounds, commit groups, seals, and the books made again."""

# ruff: noqa: PLR2004 - expected values are literals, on purpose

import pytest

from amana.kernel import AMOUNT_MINOR_MAX, SECOND_NS, Instant
from amana.ledger import (
    AMOUNT_MAX_SENTINEL,
    LEDGER_EPOCH,
    Account,
    AccountFlags,
    ChangeKind,
    StandaloneLedger,
    Transfer,
    TransferFlags,
    TransferStatus,
    open_memory_ledger,
)
from amana.testing.conformance import _ledger_world as world

_CREATED = TransferStatus.CREATED
_ALL_ACCOUNTS = range(1, 21)


def replayed(store: StandaloneLedger) -> StandaloneLedger:
    """Make the books again, in memory, from nothing but the accounts and the change feed."""
    copy = open_memory_ledger()
    accounts = store.lookup_accounts(_ALL_ACCOUNTS)
    for account in sorted(accounts, key=lambda account: account.timestamp):
        opened = Account(account.id, account.ledger, account.code, _as_opened(account))
        copy.create_accounts([opened], now=Instant(account.timestamp))
    for change in store.changes(LEDGER_EPOCH, 100_000):
        now = Instant(change.timestamp)
        if change.kind is ChangeKind.HOLD_EXPIRED:
            assert copy.expire_due(now=now) == 1
            continue
        asked = {name: getattr(change.transfer, name) for name in change.transfer.__struct_fields__}
        again = Transfer(**{**asked, "timestamp": 0})
        assert copy.create_transfers([again], now=now)[0].status is _CREATED
    return copy


def _as_opened(account: Account) -> int:
    """Return the flags an account of this suite was opened with."""
    was_closed = account.id in {world.CLOSED, world.OTHER_CLOSED, world.FOREIGN_CLOSED}
    return account.flags if was_closed else account.flags & ~AccountFlags.CLOSED


class BooksCases:
    """Invariants of the whole."""

    def test_no_money_is_a_transfer_too(self, store: StandaloneLedger) -> None:
        world.settle(store)
        nothing = world.transfer(1, world.DEBITS_BOUND, world.EMPTY, 0)
        assert store.create_transfers([nothing], now=world.LATER)[0].status is _CREATED

    @pytest.mark.parametrize(
        ("amount", "status"),
        [
            (AMOUNT_MINOR_MAX, _CREATED),
            (AMOUNT_MINOR_MAX + 1, TransferStatus.OVERFLOWS_DEBITS_POSTED),
            (AMOUNT_MAX_SENTINEL, TransferStatus.OVERFLOWS_DEBITS_POSTED),
        ],
    )
    def test_the_largest_amount_is_the_largest_counter(
        self, store: StandaloneLedger, amount: int, status: TransferStatus
    ) -> None:
        world.settle(store)
        payment = world.transfer(1, world.EMPTY, world.OTHER_EMPTY, amount)
        assert store.create_transfers([payment], now=world.LATER)[0].status is status

    @pytest.mark.parametrize(
        ("flags", "sides", "moved"),
        [
            (TransferFlags.BALANCING_DEBIT, (world.DEBITS_BOUND, world.EMPTY), 70),
            (TransferFlags.BALANCING_CREDIT, (world.EMPTY, world.CREDITS_BOUND), 30),
            (
                TransferFlags.BALANCING_DEBIT | TransferFlags.BALANCING_CREDIT,
                (world.DEBITS_BOUND, world.CREDITS_BOUND),
                30,
            ),
            (TransferFlags.BALANCING_DEBIT, (world.DEBIT_POSTED, world.EMPTY), 0),
            (TransferFlags.BALANCING_CREDIT, (world.EMPTY, world.CREDIT_POSTED), 0),
        ],
    )
    def test_a_balancing_transfer_moves_as_much_as_there_is(
        self, store: StandaloneLedger, flags: TransferFlags, sides: tuple[int, int], moved: int
    ) -> None:
        world.settle(store)
        batch = [
            world.transfer(1, world.SOURCE, world.DEBITS_BOUND, 70),
            world.transfer(2, world.CREDITS_BOUND, world.SOURCE, 30),
            world.transfer(3, *sides, AMOUNT_MAX_SENTINEL, flags=int(flags)),
        ]
        results = store.create_transfers(batch, now=world.LATER)
        assert [result.status for result in results] == [_CREATED] * 3
        assert store.lookup_transfers([3])[0].amount == moved
        assert store.verify().is_sound

    def test_what_is_held_is_not_there_to_be_balanced(self, store: StandaloneLedger) -> None:
        world.settle(store)
        batch = [
            world.transfer(1, world.SOURCE, world.EMPTY, 150),
            world.hold(2, world.EMPTY, world.SOURCE),
            world.transfer(
                3,
                world.EMPTY,
                world.SOURCE,
                AMOUNT_MAX_SENTINEL,
                flags=int(TransferFlags.BALANCING_DEBIT),
            ),
            world.transfer(4, world.OTHER_EMPTY, world.SOURCE, 150),
            world.hold(5, world.SOURCE, world.OTHER_EMPTY),
            world.transfer(
                6,
                world.SOURCE,
                world.OTHER_EMPTY,
                AMOUNT_MAX_SENTINEL,
                flags=int(TransferFlags.BALANCING_CREDIT),
            ),
        ]
        results = store.create_transfers(batch, now=world.LATER)
        assert {result.status for result in results} == {_CREATED}
        assert [row.amount for row in store.lookup_transfers([3, 6])] == [50, 50]

    def test_what_is_applied_is_seen_before_it_is_committed(self, store: StandaloneLedger) -> None:
        world.settle(store)
        payment = world.transfer(1, world.SOURCE, world.EMPTY, 25)

        def work() -> None:
            engine = store.engine
            engine.create_accounts([Account(20, world.EUR, 1)], now=world.LATER)
            engine.create_transfers([payment], now=world.LATER)
            again = engine.create_transfers([payment], now=world.LATER)[0]
            assert again.status is TransferStatus.EXISTS
            assert engine.lookup_accounts([world.EMPTY])[0].credits_posted == 25
            assert [row.id for row in engine.lookup_transfers([1])] == [1]
            assert engine.lookup_accounts([20])[0].id == 20

        store.run(work)
        assert store.verify().is_sound

    def test_a_group_that_is_rolled_back_leaves_nothing(self, store: StandaloneLedger) -> None:
        world.settle(store)
        before = store.lookup_accounts(_ALL_ACCOUNTS)
        seals = store.verify().seals
        closing = int(TransferFlags.CLOSING_CREDIT)

        def work() -> None:
            engine = store.engine
            engine.create_accounts([Account(20, world.EUR, 1)], now=world.LATER)
            batch = [
                world.post(1, world.OPEN_HOLD, 30),
                world.transfer(2, world.UNKNOWN, world.EMPTY, 1),
                world.hold(3, world.SOURCE, world.EMPTY, flags=closing, timeout_s=1),
                world.transfer(4, world.SOURCE, 20, 1),
            ]
            engine.create_transfers(batch, now=world.LATER)
            # The closing hold expires, so that this is accepted, and a new one closes again.
            late = [
                world.transfer(5, world.SOURCE, world.EMPTY, 1),
                world.hold(6, world.SOURCE, world.EMPTY, flags=closing),
            ]
            results = engine.create_transfers(late, now=Instant(world.LATER + 2 * SECOND_NS))
            assert [result.status for result in results] == [_CREATED, _CREATED]
            engine.before_commit()
            raise RuntimeError

        with pytest.raises(RuntimeError):
            store.run(work)
        assert store.lookup_accounts(_ALL_ACCOUNTS) == before
        assert store.lookup_transfers(range(1, 7)) == []
        assert store.verify().is_sound
        assert store.verify().seals == seals
        batch = [
            world.transfer(2, world.SOURCE, world.EMPTY, 1),
            world.post(7, world.OPEN_HOLD, 30),
        ]
        results = store.create_transfers(batch, now=world.LATER)
        assert [result.status for result in results] == [_CREATED, _CREATED]
        assert store.verify().is_sound

    def test_each_commit_is_one_seal_and_an_empty_one_is_none(
        self, store: StandaloneLedger
    ) -> None:
        world.settle(store)
        store.expire_due(now=world.LATER)
        before = store.verify().seals
        store.create_transfers([], now=world.LATER)
        store.create_transfers([world.transfer(1, 1, 1, 1)], now=world.LATER)
        assert store.verify().seals == before

        def work() -> None:
            for number in range(3):
                payment = world.transfer(10 + number, world.SOURCE, world.EMPTY, 1)
                store.engine.create_transfers([payment], now=world.LATER)

        store.run(work)
        assert store.verify().seals == before + 1

    def test_a_burnt_id_is_sealed_too(self, store: StandaloneLedger) -> None:
        world.settle(store)
        before = store.verify().seals
        store.create_transfers([world.transfer(1, world.UNKNOWN, 1, 1)], now=world.LATER)
        assert store.verify().seals == before + 1

    def test_the_books_can_be_made_again_from_the_change_feed(
        self, store: StandaloneLedger
    ) -> None:
        world.settle(store)
        store.expire_due(now=world.LATER)
        accounts = store.lookup_accounts(_ALL_ACCOUNTS)
        copy = replayed(store)
        for account in accounts:
            twin = copy.lookup_accounts([account.id])[0]
            assert twin == account
        assert copy.verify().is_sound

    def test_both_sides_of_the_books_are_equal(self, store: StandaloneLedger) -> None:
        world.settle(store)
        report = store.verify()
        assert report.is_sound
        assert report.debits_posted == report.credits_posted > 0
        assert report.debits_pending == report.credits_pending > 0
        assert report.accounts == 18
        assert report.pruned_batches == 0
