"""Linked items stand or fall together."""

# ruff: noqa: PLR2004 - expected values are literals, on purpose

import msgspec

from amana.kernel import Instant
from amana.ledger import (
    Account,
    AccountFilter,
    AccountFlags,
    AccountStatus,
    StandaloneLedger,
    Transfer,
    TransferFlags,
    TransferStatus,
)
from amana.testing.conformance import _ledger_world as world

_LINKED = int(TransferFlags.LINKED)
_CREATED = TransferStatus.CREATED
_FAILED = TransferStatus.LINKED_EVENT_FAILED


class ChainCases:
    """Chains within a batch."""

    def test_a_chain_falls_together_and_its_neighbours_stand(self, store: StandaloneLedger) -> None:
        world.settle(store)
        before = store.lookup_accounts([world.SOURCE, world.EMPTY])
        batch = [
            world.transfer(1, world.SOURCE, world.EMPTY, 5),
            world.transfer(2, world.SOURCE, world.EMPTY, 7, flags=_LINKED),
            world.transfer(3, world.DEBITS_BOUND, world.EMPTY, 1, flags=_LINKED),
            world.transfer(4, world.SOURCE, world.EMPTY, 9),
            world.transfer(5, world.SOURCE, world.EMPTY, 11, flags=_LINKED),
            world.transfer(6, world.SOURCE, world.EMPTY, 13),
        ]
        results = store.create_transfers(batch, now=world.LATER)
        assert [result.status for result in results] == [
            _CREATED,
            _FAILED,
            TransferStatus.EXCEEDS_CREDITS,
            _FAILED,
            _CREATED,
            _CREATED,
        ]
        stamps = [result.timestamp for result in results]
        assert stamps == [world.LATER - 5 + position for position in range(6)]
        after = store.lookup_accounts([world.SOURCE, world.EMPTY])
        assert after[1].credits_posted - before[1].credits_posted == 5 + 11 + 13
        assert [row.id for row in store.lookup_transfers(range(1, 7))] == [1, 5, 6]
        assert store.verify().is_sound

    def test_only_the_id_that_broke_the_chain_is_burnt(self, store: StandaloneLedger) -> None:
        world.settle(store)
        chain = [
            world.transfer(1, world.SOURCE, world.EMPTY, 7, flags=_LINKED),
            world.transfer(2, world.DEBITS_BOUND, world.EMPTY, 1),
        ]
        store.create_transfers(chain, now=world.LATER)
        again = [world.transfer(number, world.SOURCE, world.EMPTY, 7) for number in (1, 2)]
        results = store.create_transfers(again, now=world.LATER)
        assert [result.status for result in results] == [_CREATED, TransferStatus.ID_ALREADY_FAILED]

    def test_the_last_item_of_a_batch_may_not_be_linked(self, store: StandaloneLedger) -> None:
        world.settle(store)
        whole = [
            world.transfer(1, world.SOURCE, world.EMPTY, 7, flags=_LINKED),
            world.transfer(2, world.SOURCE, world.EMPTY, 7, flags=_LINKED),
        ]
        broken = [
            world.transfer(3, world.SOURCE, world.EMPTY, 7, code=0, flags=_LINKED),
            world.transfer(4, world.SOURCE, world.EMPTY, 7, flags=_LINKED),
            world.transfer(5, world.SOURCE, world.EMPTY, 7, flags=_LINKED),
        ]
        results = store.create_transfers(whole, now=world.LATER)
        assert [result.status for result in results] == [
            _FAILED,
            TransferStatus.LINKED_EVENT_CHAIN_OPEN,
        ]
        results = store.create_transfers(broken, now=world.LATER)
        assert [result.status for result in results] == [
            TransferStatus.CODE_MUST_NOT_BE_ZERO,
            _FAILED,
            TransferStatus.LINKED_EVENT_CHAIN_OPEN,
        ]
        assert store.lookup_transfers(range(1, 6)) == []

    def test_within_a_chain_each_item_sees_those_before_it(self, store: StandaloneLedger) -> None:
        world.settle(store)
        chain = [
            world.transfer(1, world.SOURCE, world.DEBITS_BOUND, 7, flags=_LINKED),
            world.transfer(2, world.DEBITS_BOUND, world.EMPTY, 7, flags=_LINKED),
            world.transfer(1, world.SOURCE, world.DEBITS_BOUND, 7, flags=_LINKED),
        ]
        retried = store.create_transfers(chain, now=world.LATER)
        assert retried[2].status is TransferStatus.LINKED_EVENT_CHAIN_OPEN
        chain[2] = world.transfer(3, world.SOURCE, world.EMPTY, 1)
        results = store.create_transfers(chain, now=world.LATER)
        assert [result.status for result in results] == [_CREATED] * 3

    def test_a_retry_of_a_chain_fails_as_a_chain_and_names_what_exists(
        self, store: StandaloneLedger
    ) -> None:
        world.settle(store)
        chain = [
            world.transfer(1, world.SOURCE, world.EMPTY, 7, flags=_LINKED),
            world.transfer(2, world.SOURCE, world.EMPTY, 8),
        ]
        store.create_transfers(chain, now=world.LATER)
        results = store.create_transfers(chain, now=world.LATER)
        assert [result.status for result in results] == [TransferStatus.EXISTS, _FAILED]

    def test_every_kind_of_transfer_is_undone_with_its_chain(self, store: StandaloneLedger) -> None:
        world.settle(store)
        store.create_accounts(
            [Account(20, world.EUR, 1, int(AccountFlags.HISTORY))], now=world.LATER
        )
        closing_both = int(TransferFlags.CLOSING_DEBIT | TransferFlags.CLOSING_CREDIT)
        holds = [
            world.hold(10, world.SOURCE, 20),
            world.hold(11, world.SOURCE, 20),
            world.hold(12, world.DEBIT_POSTED, world.CREDIT_POSTED, flags=closing_both),
        ]
        store.create_transfers(holds, now=world.LATER)
        touched = [world.SOURCE, 20, world.DEBIT_POSTED, world.CREDIT_POSTED]
        before = store.lookup_accounts(touched)
        chain = [
            world.post(21, 10, 60, user_data_128=1),
            world.void(22, 11),
            world.void(23, 12),
            world.transfer(24, world.SOURCE, 20, 3),
            world.hold(25, world.SOURCE, 20, timeout_s=5, flags=closing_both),
            world.transfer(26, world.SOURCE, 20, 1),
        ]
        linked = [_link(item) for item in chain]
        results = store.create_transfers([*linked[:-1], chain[-1]], now=Instant(world.LATER + 9))
        assert results[-1].status is TransferStatus.DEBIT_ACCOUNT_ALREADY_CLOSED
        assert {result.status for result in results[:-1]} == {_FAILED}
        assert store.lookup_accounts(touched) == before
        assert len(store.account_balances(AccountFilter(20))) == 2
        single = store.create_transfers(
            [world.post(31, 10, 60), world.void(32, 11)], now=world.LATER
        )
        assert [result.status for result in single] == [_CREATED, _CREATED]
        assert store.verify().is_sound

    def test_a_chain_of_accounts_falls_together(self, store: StandaloneLedger) -> None:
        batch = [
            Account(1, world.EUR, 1, int(AccountFlags.LINKED)),
            Account(2, world.EUR, 0),
            Account(3, world.EUR, 1),
            Account(4, world.EUR, 1, int(AccountFlags.LINKED)),
        ]
        results = store.create_accounts(batch, now=world.NOW)
        assert [result.status for result in results] == [
            AccountStatus.LINKED_EVENT_FAILED,
            AccountStatus.CODE_MUST_NOT_BE_ZERO,
            AccountStatus.CREATED,
            AccountStatus.LINKED_EVENT_CHAIN_OPEN,
        ]
        assert [account.id for account in store.lookup_accounts([1, 2, 3, 4])] == [3]
        assert store.verify().is_sound


def _link(item: Transfer) -> Transfer:
    return msgspec.structs.replace(item, flags=item.flags | _LINKED)
