"""Finding accounts, transfers, past balances and changes."""

from collections.abc import Sequence
from typing import Any

import pytest

from amana.kernel import Instant
from amana.ledger import (
    LEDGER_EPOCH,
    Account,
    AccountBalance,
    AccountFilter,
    AccountFlags,
    Change,
    ChangeKind,
    StandaloneLedger,
    Transfer,
    TransferFilter,
)
from amana.testing.conformance import _ledger_world as world

_SHOP = 20
_PAYER = 21
_COUNT = 12


def _fill(store: StandaloneLedger) -> list[int]:
    """Make transfers in and out of one account with history; return their timestamps."""
    history = int(AccountFlags.HISTORY)
    store.create_accounts(
        [Account(_SHOP, world.EUR, 1, history), Account(_PAYER, world.EUR, 1)], now=world.NOW
    )
    stamps = []
    for number in range(_COUNT):
        sides = (_PAYER, _SHOP) if number % 3 else (_SHOP, _PAYER)
        made = world.transfer(
            100 + number,
            *sides,
            10 + number,
            code=1 + number % 2,
            user_data_128=number % 4,
            user_data_64=(number % 4) << 62,
            user_data_32=number % 5,
        )
        now = Instant(world.LATER + 1_000 * number)
        stamps.append(store.create_transfers([made], now=now)[0].timestamp)
    return stamps


def _numbers(found: Sequence[Transfer]) -> list[int]:
    return [row.id - 100 for row in found]


class LookupCases:
    """What can be asked."""

    def test_what_exists_is_found_in_the_order_asked(self, store: StandaloneLedger) -> None:
        _fill(store)
        found = store.lookup_accounts([_PAYER, 0, 5, _SHOP, 2**128 - 1, _PAYER])
        assert [account.id for account in found] == [_PAYER, _SHOP, _PAYER]
        rows = store.lookup_transfers([103, 9, 101, 0, 2**128 - 1, 103])
        assert [row.id for row in rows] == [103, 101, 103]
        assert store.lookup_accounts([]) == []
        assert store.lookup_transfers([]) == []

    @pytest.mark.parametrize(
        ("wanted", "numbers"),
        [
            ({}, list(range(_COUNT))),
            ({"limit": 3}, [0, 1, 2]),
            ({"limit": 3, "is_newest_first": True}, [11, 10, 9]),
            ({"includes_credits": False}, [0, 3, 6, 9]),
            ({"includes_debits": False}, [1, 2, 4, 5, 7, 8, 10, 11]),
            ({"includes_debits": False, "includes_credits": False}, []),
            ({"code": 2}, [1, 3, 5, 7, 9, 11]),
            ({"user_data_128": 3}, [3, 7, 11]),
            ({"user_data_64": 3 << 62}, [3, 7, 11]),
            ({"user_data_32": 4, "code": 1}, [4]),
        ],
    )
    def test_an_accounts_transfers_are_found_by_what_they_are(
        self, store: StandaloneLedger, wanted: dict[str, Any], numbers: list[int]
    ) -> None:
        _fill(store)
        assert _numbers(store.account_transfers(AccountFilter(_SHOP, **wanted))) == numbers
        balances = store.account_balances(AccountFilter(_SHOP, **wanted))
        stamps = [row.timestamp for row in store.account_transfers(AccountFilter(_SHOP, **wanted))]
        assert [balance.timestamp for balance in balances] == stamps

    def test_both_ends_of_a_time_range_are_included(self, store: StandaloneLedger) -> None:
        stamps = _fill(store)
        ends: dict[str, Any] = {"timestamp_min": stamps[3], "timestamp_max": stamps[6]}
        assert _numbers(store.account_transfers(AccountFilter(_SHOP, **ends))) == [3, 4, 5, 6]
        assert _numbers(store.query_transfers(TransferFilter(**ends))) == [3, 4, 5, 6]

    @pytest.mark.parametrize(
        ("wanted", "numbers"),
        [
            ({"limit": 4}, [0, 1, 2, 3]),
            ({"limit": 2, "is_newest_first": True}, [11, 10]),
            ({"code": 2, "user_data_32": 1}, [1, 11]),
            ({"user_data_128": 2, "user_data_64": 2 << 62}, [2, 6, 10]),
            ({"ledger": world.EUR, "limit": 1}, [0]),
            ({"ledger": world.JPY}, []),
        ],
    )
    def test_transfers_are_found_over_all_accounts(
        self, store: StandaloneLedger, wanted: dict[str, Any], numbers: list[int]
    ) -> None:
        _fill(store)
        assert _numbers(store.query_transfers(TransferFilter(**wanted))) == numbers

    def test_history_tells_the_balance_after_each_transfer(self, store: StandaloneLedger) -> None:
        stamps = _fill(store)
        debits = credits_ = 0
        expected = []
        for number, stamp in enumerate(stamps):
            if number % 3:
                credits_ += 10 + number
            else:
                debits += 10 + number
            expected.append(AccountBalance(stamp, 0, debits, 0, credits_))
        assert store.account_balances(AccountFilter(_SHOP)) == expected
        assert store.account_balances(AccountFilter(_PAYER)) == []
        latest = AccountFilter(_SHOP, timestamp_max=stamps[5], limit=1, is_newest_first=True)
        assert store.account_balances(latest) == [expected[5]]

    def test_the_change_feed_is_read_on_from_any_position(self, store: StandaloneLedger) -> None:
        world.settle(store)
        store.expire_due(now=world.LATER)
        whole = store.changes(LEDGER_EPOCH, 1_000)
        paged: list[Change] = []
        while page := store.changes(Instant(paged[-1].timestamp if paged else 0), 3):
            paged += page
        assert paged == whole
        assert [change.timestamp for change in whole] == sorted(
            {change.timestamp for change in whole}
        )
        assert {change.kind for change in whole} == set(ChangeKind)
        assert (whole[-1].kind, whole[-1].transfer.id) == (
            ChangeKind.HOLD_EXPIRED,
            world.EXPIRED_HOLD,
        )
