"""Each status of a batch's items, in its order of precedence."""

# ruff: noqa: PLR2004 - expected values are literals, on purpose

from typing import Final

import msgspec
import pytest

from amana.kernel import Instant
from amana.kernel.limits import BATCH_TRANSFERS_MAX
from amana.ledger import (
    Account,
    AccountStatus,
    StandaloneLedger,
    Transfer,
    TransferFlags,
    TransferStatus,
)
from amana.testing.conformance import _ledger_world as world
from amana.testing.conformance._ledger_ladders import (
    ACCOUNT_LADDERS,
    FRESH,
    TRANSFER_LADDERS,
    Ladder,
)

_FRESH_FROM: Final = 50_000


def _climb(ladder: Ladder) -> list[tuple[Account | Transfer, AccountStatus | TransferStatus]]:
    """Return each rung's item with the status due."""
    worst = ladder.worst
    statuses = type(ladder.rungs[0][0])
    item = worst
    climbed = []
    for number, (status, mend) in enumerate(ladder.rungs):
        climbed.append((_freshened(item, number), status))
        item = msgspec.structs.replace(item, **mend)
    if ladder.rungs[-1][0] is not statuses.EXISTS:
        climbed.append((_freshened(item, len(ladder.rungs)), statuses.CREATED))
    return climbed


def _freshened(item: Account | Transfer, number: int) -> Account | Transfer:
    fresh = {
        field: _FRESH_FROM + number
        for field in ("id", "pending_id")
        if getattr(item, field, None) == FRESH
    }
    return msgspec.structs.replace(item, **fresh)


def _names(ladders: tuple[Ladder, ...]) -> list[str]:
    return [ladder.name for ladder in ladders]


class StatusCases:
    """What is answered, and what is answered first."""

    @pytest.mark.parametrize("ladder", TRANSFER_LADDERS, ids=_names(TRANSFER_LADDERS))
    def test_a_transfer_is_refused_for_the_first_thing_against_it(
        self, store: StandaloneLedger, ladder: Ladder
    ) -> None:
        world.settle(store)
        climbed = _climb(ladder)
        for position, (item, status) in enumerate(climbed):
            assert isinstance(item, Transfer)
            result = store.create_transfers([item], now=Instant(world.LATER + position))[0]
            assert result.status is status, item
        assert store.verify().is_sound

    @pytest.mark.parametrize("ladder", ACCOUNT_LADDERS, ids=_names(ACCOUNT_LADDERS))
    def test_an_account_is_refused_for_the_first_thing_against_it(
        self, store: StandaloneLedger, ladder: Ladder
    ) -> None:
        world.settle(store)
        for item, status in _climb(ladder):
            assert isinstance(item, Account)
            result = store.create_accounts([item], now=world.LATER)[0]
            assert result.status is status, item
        assert store.verify().is_sound

    @pytest.mark.parametrize("ladder", TRANSFER_LADDERS, ids=_names(TRANSFER_LADDERS))
    def test_one_batch_is_answered_like_many(self, store: StandaloneLedger, ladder: Ladder) -> None:
        world.settle(store)
        climbed = _climb(ladder)
        batch = [item for item, _ in climbed if isinstance(item, Transfer)]
        results = store.create_transfers(batch, now=world.LATER)
        assert [result.status for result in results] == [status for _, status in climbed]

    @pytest.mark.parametrize(
        "ladder",
        [*TRANSFER_LADDERS, *ACCOUNT_LADDERS],
        ids=_names((*TRANSFER_LADDERS, *ACCOUNT_LADDERS)),
    )
    def test_the_list_of_statuses_is_their_precedence(self, ladder: Ladder) -> None:
        statuses = [status for status, _ in ladder.rungs]
        assert statuses == sorted(statuses)

    def test_every_status_is_on_a_ladder_or_of_a_chain(self) -> None:
        for ladders, known in (
            (TRANSFER_LADDERS, set(TransferStatus)),
            (ACCOUNT_LADDERS, set(AccountStatus)),
        ):
            met = {status for ladder in ladders for _, status in _climb(ladder)}
            missing = {status.name for status in known - met}
            assert missing == {"LINKED_EVENT_FAILED", "LINKED_EVENT_CHAIN_OPEN"}

    def test_a_retry_meets_itself_and_its_first_timestamp(self, store: StandaloneLedger) -> None:
        world.settle(store)
        payment = world.transfer(1, world.SOURCE, world.EMPTY, 25)
        first, second = store.create_transfers([payment, payment], now=world.LATER)
        third = store.create_transfers([payment], now=Instant(world.LATER + 10))[0]
        assert first.status is TransferStatus.CREATED
        assert (second.status, second.timestamp) == (TransferStatus.EXISTS, first.timestamp)
        assert (third.status, third.timestamp) == (TransferStatus.EXISTS, first.timestamp)
        assert store.lookup_accounts([world.EMPTY])[0].credits_posted == 25

    def test_an_id_refused_for_a_passing_reason_stays_refused(
        self, store: StandaloneLedger
    ) -> None:
        world.settle(store)
        payment = world.transfer(1, world.DEBITS_BOUND, world.EMPTY, 25)
        funds = world.transfer(2, world.SOURCE, world.DEBITS_BOUND, 100)
        statuses = [
            store.create_transfers([item], now=world.LATER)[0].status
            for item in (payment, funds, payment)
        ]
        assert statuses == [
            TransferStatus.EXCEEDS_CREDITS,
            TransferStatus.CREATED,
            TransferStatus.ID_ALREADY_FAILED,
        ]

    def test_an_id_refused_for_its_form_may_come_again_mended(
        self, store: StandaloneLedger
    ) -> None:
        world.settle(store)
        crooked = world.transfer(1, world.SOURCE, world.EMPTY, 25, code=0)
        straight = world.transfer(1, world.SOURCE, world.EMPTY, 25)
        first, second = store.create_transfers([crooked, straight], now=world.LATER)
        assert first.status is TransferStatus.CODE_MUST_NOT_BE_ZERO
        assert second.status is TransferStatus.CREATED

    def test_a_repeated_balancing_transfer_may_have_a_higher_bound(
        self, store: StandaloneLedger
    ) -> None:
        world.settle(store)
        flags = int(TransferFlags.BALANCING_DEBIT)
        for bound in (140, 141, world.MAX):
            again = world.transfer(
                world.BALANCED, world.TAKER, world.SOURCE, bound, flags=flags, user_data_32=5
            )
            assert store.create_transfers([again], now=world.LATER)[0].status is (
                TransferStatus.EXISTS
            )

    def test_timestamps_rise_though_the_clock_stands_still_or_goes_back(
        self, store: StandaloneLedger
    ) -> None:
        world.settle(store)
        seen: list[int] = []
        for moment, number in ((world.LATER, 1), (world.LATER, 2), (world.NOW, 3)):
            batch = [
                world.transfer(10 * number + leg, world.SOURCE, world.EMPTY, 1) for leg in range(3)
            ]
            seen += [result.timestamp for result in store.create_transfers(batch, now=moment)]
        assert seen == sorted(set(seen))
        assert seen[2] == world.LATER

    def test_a_batch_is_full_at_its_limit_and_refused_above(self, store: StandaloneLedger) -> None:
        world.settle(store)
        batch = [
            world.transfer(100_000 + number, world.SOURCE, world.EMPTY, 1)
            for number in range(BATCH_TRANSFERS_MAX + 1)
        ]
        with pytest.raises(AssertionError, match="bounded"):
            store.create_transfers(batch, now=world.LATER)
        results = store.create_transfers(batch[:-1], now=world.LATER)
        assert {result.status for result in results} == {TransferStatus.CREATED}
        assert store.create_transfers([], now=world.LATER) == []
        assert store.verify().is_sound

    @pytest.mark.parametrize(
        "fields",
        [
            {"amount": -1},
            {"amount": 2**128},
            {"id": 2**128},
            {"id": -1},
            {"debit_account_id": 2**128},
            {"credit_account_id": -1},
            {"pending_id": 2**128},
            {"user_data_128": 2**128},
            {"user_data_64": 2**64},
            {"user_data_32": 2**32},
            {"timeout_s": 2**32},
            {"ledger": 2**32},
            {"code": 2**16},
            {"flags": 2**16},
        ],
    )
    def test_a_field_too_wide_fails_its_whole_batch_and_changes_nothing(
        self, store: StandaloneLedger, fields: dict[str, int]
    ) -> None:
        world.settle(store)
        before = store.lookup_accounts([world.SOURCE, world.EMPTY])
        good = world.transfer(1, world.SOURCE, world.EMPTY, 25)
        burning = world.transfer(2, world.UNKNOWN, world.EMPTY, 25)
        wide = msgspec.structs.replace(world.transfer(3, world.SOURCE, world.EMPTY, 25), **fields)
        with pytest.raises(AssertionError):
            store.create_transfers([good, burning, wide], now=world.LATER)
        assert store.lookup_accounts([world.SOURCE, world.EMPTY]) == before
        again = [good, msgspec.structs.replace(good, id=2)]
        results = store.create_transfers(again, now=world.LATER)
        assert [result.status for result in results] == [TransferStatus.CREATED] * 2

    def test_an_account_too_wide_fails_its_whole_batch_and_opens_none(
        self, store: StandaloneLedger
    ) -> None:
        with pytest.raises(AssertionError):
            store.create_accounts([Account(1, world.EUR, 1), Account(2, 2**32, 1)], now=world.NOW)
        assert store.lookup_accounts([1, 2]) == []

    def test_the_widest_fields_are_kept_as_they_are(self, store: StandaloneLedger) -> None:
        widest = Account(2**128 - 2, 2**32 - 1, 2**16 - 1, 0, 2**128 - 1, 2**64 - 1, 2**32 - 1)
        other = Account(2**127, 2**32 - 1, 1, user_data_64=2**63)
        store.create_accounts([widest, other], now=world.NOW)
        made = Transfer(
            2**128 - 2,
            widest.id,
            other.id,
            world.MAX,
            0,
            2**128 - 1,
            2**64 - 1,
            2**32 - 1,
            1,
            2**32 - 1,
            2**16 - 1,
            int(TransferFlags.PENDING),
        )
        result = store.create_transfers([made], now=world.LATER)[0]
        assert result.status is TransferStatus.CREATED
        found = store.lookup_transfers([made.id])
        assert found == [msgspec.structs.replace(made, timestamp=result.timestamp)]
        accounts = store.lookup_accounts([widest.id, other.id])
        assert [account.user_data_64 for account in accounts] == [2**64 - 1, 2**63]
        assert accounts[0].user_data_128 == 2**128 - 1
        assert accounts[0].debits_pending == world.MAX
        assert store.verify().is_sound
