"""Goal: all engines give the same answers and keep the same books, whatever comes.

Method: a stateful machine hands random batches to every engine at once. Ids are fresh, or of what
was asked before, so that retries, collisions and conclusions are common; amounts are small, zero,
the largest and beyond it; time jumps, stands and goes back; groups are rolled back; the durable
engine is closed and reopened. After each step the engines agree to the last seal and the books are
sound; at the end they are made again from the change feed.
"""

import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from amana.kernel import AMOUNT_MINOR_MAX, SECOND_NS, Instant
from amana.ledger import (
    AMOUNT_MAX_SENTINEL,
    LEDGER_EPOCH,
    Account,
    AccountFilter,
    AccountFlags,
    ChangeKind,
    StandaloneLedger,
    Transfer,
    TransferFilter,
    TransferFlags,
    TransferStatus,
    open_memory_ledger,
    open_sqlite_ledger,
)

ACCOUNT_IDS = range(1, 8)
F = TransferFlags

amounts = st.sampled_from(
    [0, 1, 5, 5, 10, 10, 10, 100, AMOUNT_MINOR_MAX - 5, AMOUNT_MINOR_MAX, AMOUNT_MAX_SENTINEL]
) | st.integers(0, 200)
account_ids = st.sampled_from([*[*ACCOUNT_IDS] * 3, 0, 50])
# Zero stands for a fresh id; another number counts back through the ids used before.
picks = st.sampled_from([0, 0, 0, 0, 0, 0, 1, 2, 3, 5, 8])
linked = st.sampled_from([0, 0, 0, int(F.LINKED)])

accounts = st.builds(
    Account,
    id=st.sampled_from([*ACCOUNT_IDS]),
    ledger=st.sampled_from([1, 1, 1, 1, 2]),
    code=st.sampled_from([1, 1, 1, 2, 0]),
    flags=st.sampled_from([0, 0, 0, 2, 4, 8, 10, 12, 1, 32, 6]),
    user_data_64=st.sampled_from([0, 0, 2**63]),
)


def movements_of(kinds: list[TransferFlags], timeouts: list[int]) -> st.SearchStrategy[Transfer]:
    return st.builds(
        lambda kind, link, **fields: Transfer(flags=int(kind) | link, **fields),
        kind=st.sampled_from(kinds),
        link=linked,
        id=picks,
        debit_account_id=account_ids,
        credit_account_id=account_ids,
        amount=amounts,
        timeout_s=st.sampled_from(timeouts),
        user_data_128=st.sampled_from([0, 0, 7]),
        ledger=st.sampled_from([1] * 8 + [2]),
        code=st.sampled_from([1, 1, 1, 2]),
    )


postings = movements_of([F.NONE] * 4 + [F.BALANCING_DEBIT, F.BALANCING_CREDIT], [0])
holds = movements_of(
    [F.PENDING] * 6
    + [
        F.PENDING | F.BALANCING_DEBIT,
        F.PENDING | F.CLOSING_DEBIT,
        F.PENDING | F.CLOSING_CREDIT,
    ],
    [0, 0, 1, 60],
)
conclusions = st.builds(
    lambda kind, link, **fields: Transfer(flags=kind | link, **fields),
    kind=st.sampled_from([int(F.POST_PENDING_TRANSFER), int(F.VOID_PENDING_TRANSFER)]),
    link=linked,
    id=picks,
    amount=amounts,
    pending_id=st.sampled_from([1, 1, 1, 2, 2, 3, 4, 0]),
    debit_account_id=st.sampled_from([0] * 9 + [1]),
    user_data_32=st.sampled_from([0, 0, 9]),
)
batches = st.lists(postings | holds | conclusions, min_size=1, max_size=6)
openings = st.lists(accounts, min_size=1, max_size=4)
steps = st.sampled_from([0, 1, SECOND_NS, 30 * SECOND_NS, 61 * SECOND_NS, -SECOND_NS])


class CountedChance:
    """Bytes that look random and repeat from run to run."""

    def __init__(self) -> None:
        self._count = 0

    def draw(self, count: int) -> bytes:
        self._count += 1
        return sha256(self._count.to_bytes(8)).digest()[:count]


class GroupLostError(Exception):
    """Raised on purpose in the middle of a commit group."""


class EveryEngine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.now = 1_790_000_000 * SECOND_NS
        self.chances = [CountedChance(), CountedChance()]
        self.memory = open_memory_ledger(chance=self.chances[0])
        self.sqlite = self.open_sqlite()
        self.opened: dict[int, int] = {}
        self.used: list[int] = []
        self.holds: list[int] = []
        self.asked: list[list[Transfer]] = []

    def open_sqlite(self) -> StandaloneLedger:
        store = open_sqlite_ledger(self.folder / "ledger.db", chance=self.chances[1])
        # What survives a crash is another test's question; this one asks for answers, and many.
        engine: Any = store.engine
        engine._connection.execute("PRAGMA synchronous = OFF")
        return store

    def teardown(self) -> None:
        self.the_books_can_be_made_again()
        self.sqlite.close()
        shutil.rmtree(self.folder)

    def spelt(self, batch: list[Transfer]) -> list[Transfer]:
        """Put ids where the strategies left picks."""
        made = []
        for item in batch:
            known = self.used[-item.id :] if item.id else []
            transfer_id = known[0] if known else len(self.used) + 1
            held = self.holds[-item.pending_id :] if item.pending_id else []
            pending_id = held[0] if held else item.pending_id
            self.used.append(transfer_id)
            made.append(msgspec.structs.replace(item, id=transfer_id, pending_id=pending_id))
        self.asked.append(made)
        return made

    def on_both(self, ask: Callable[[StandaloneLedger], Any]) -> Any:
        first, second = ask(self.memory), ask(self.sqlite)
        assert first == second
        return first

    @initialize()
    def open_the_first(self) -> None:
        flags = (0, 0, 2, 4, 8, 10)
        self.open_accounts([Account(number, 1, 1, flag) for number, flag in enumerate(flags, 1)])
        funds = [Transfer(900 + n, 1, n, 500, ledger=1, code=1) for n in (2, 3, 5, 6)]
        self.on_both(lambda store: store.create_transfers(funds, now=Instant(self.now)))

    @rule(batch=openings)
    def open_accounts(self, batch: list[Account]) -> None:
        results = self.on_both(lambda store: store.create_accounts(batch, now=Instant(self.now)))
        for account, result in zip(batch, results, strict=True):
            if not result.status:
                self.opened[account.id] = account.flags

    @rule(batch=batches)
    def transfer(self, batch: list[Transfer]) -> None:
        asked = self.spelt(batch)
        results = self.on_both(lambda store: store.create_transfers(asked, now=Instant(self.now)))
        for item, result in zip(asked, results, strict=True):
            if item.flags & F.PENDING and result.status is TransferStatus.CREATED:
                self.holds.append(item.id)

    @precondition(lambda self: bool(self.asked))
    @rule(back=st.integers(1, 5))
    def retry(self, back: int) -> None:
        asked = self.asked[-back:][0]
        self.on_both(lambda store: store.create_transfers(asked, now=Instant(self.now)))

    @rule(first=batches, second=batches, later=steps)
    def transfer_twice_in_one_commit(
        self, first: list[Transfer], second: list[Transfer], later: int
    ) -> None:
        def work(store: StandaloneLedger) -> Any:
            engine = store.engine
            return (
                engine.create_transfers(one, now=Instant(self.now)),
                engine.create_transfers(two, now=Instant(self.now + later)),
            )

        one, two = self.spelt(first), self.spelt(second)

        self.on_both(lambda store: store.run(lambda: work(store)))

    @rule(first=batches, second=batches, opening=openings, later=steps)
    def lose_a_commit(
        self, first: list[Transfer], second: list[Transfer], opening: list[Account], later: int
    ) -> None:
        def work(store: StandaloneLedger) -> None:
            store.engine.create_accounts(opening, now=Instant(self.now))
            store.engine.create_transfers(one, now=Instant(self.now))
            store.engine.create_transfers(two, now=Instant(self.now + later))
            raise GroupLostError

        one, two = self.spelt(first), self.spelt(second)
        for store in (self.memory, self.sqlite):
            before = store.lookup_accounts(ACCOUNT_IDS)
            with pytest.raises(GroupLostError):
                store.run(lambda store=store: work(store))  # type: ignore[misc]
            assert store.lookup_accounts(ACCOUNT_IDS) == before

    @rule(step=steps)
    def let_time_pass(self, step: int) -> None:
        self.now += step

    @rule()
    def expire(self) -> None:
        self.on_both(lambda store: store.expire_due(now=Instant(self.now)))

    @rule()
    def reopen(self) -> None:
        # A clock that goes back on reopening gives later timestamps only if it reads the seals.
        last = self.memory.engine._books.last  # type: ignore[attr-defined]
        self.sqlite.close()
        self.sqlite = self.open_sqlite()
        self.sqlite.engine._books.last = last  # type: ignore[attr-defined]

    @rule(account=st.sampled_from([*ACCOUNT_IDS]), newest=st.booleans(), code=st.integers(0, 2))
    def look_up(self, account: int, newest: bool, code: int) -> None:  # noqa: FBT001 - Hypothesis hands it over
        wanted = AccountFilter(account, code=code, limit=5, is_newest_first=newest)
        self.on_both(lambda store: store.account_transfers(wanted))
        self.on_both(lambda store: store.account_balances(wanted))
        everything = TransferFilter(code=code, limit=7, is_newest_first=newest)
        self.on_both(lambda store: store.query_transfers(everything))

    @invariant()
    def engines_agree(self) -> None:
        self.on_both(lambda store: store.lookup_accounts(ACCOUNT_IDS))
        self.on_both(lambda store: store.changes(LEDGER_EPOCH, 1_000))
        self.on_both(lambda store: store.lookup_transfers(self.used))
        memory: Any = self.memory.engine
        sqlite: Any = self.sqlite.engine
        assert list(memory.seals()) == list(sqlite._reader.seals())

    @invariant()
    def the_books_are_sound(self) -> None:
        report = self.on_both(lambda store: store.verify())
        assert report.is_sound, report.differences

    @invariant()
    def bounds_hold(self) -> None:
        for account in self.memory.lookup_accounts(ACCOUNT_IDS):
            debits = account.debits_posted + account.debits_pending
            credits_ = account.credits_posted + account.credits_pending
            assert max(debits, credits_) <= AMOUNT_MINOR_MAX
            if account.flags & AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS:
                assert debits <= account.credits_posted
            if account.flags & AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS:
                assert credits_ <= account.debits_posted

    def the_books_can_be_made_again(self) -> None:
        copy = open_memory_ledger()
        originals = sorted(
            self.memory.lookup_accounts(ACCOUNT_IDS), key=lambda account: account.timestamp
        )
        changes = self.sqlite.changes(LEDGER_EPOCH, 10_000)
        events: list[tuple[int, Callable[[], object]]] = []
        for original in originals:
            flags = self.opened.get(original.id, original.flags) & ~AccountFlags.LINKED
            account = Account(
                original.id,
                original.ledger,
                original.code,
                flags,
                user_data_64=original.user_data_64,
            )
            at = Instant(original.timestamp)
            events.append((at, partial(copy.create_accounts, [account], now=at)))
        for change in changes:
            at = Instant(change.timestamp)
            row = change.transfer
            if change.kind is ChangeKind.HOLD_EXPIRED:
                due = Instant(row.timestamp + row.timeout_s * SECOND_NS)
                events.append((at, partial(copy.expire_due, now=due)))
                continue
            fields = {name: getattr(row, name) for name in row.__struct_fields__}
            again = Transfer(**{**fields, "timestamp": 0, "flags": row.flags & ~F.LINKED})
            events.append((at, partial(self.again, copy, again, at)))
        for _, act in sorted(events, key=lambda event: event[0]):
            act()
        for original in originals:
            twin = copy.lookup_accounts([original.id])[0]
            assert twin.flags | 1 == original.flags | 1
            for name in ("debits_pending", "debits_posted", "credits_pending", "credits_posted"):
                assert getattr(twin, name) == getattr(original, name)

    @staticmethod
    def again(copy: StandaloneLedger, transfer: Transfer, at: Instant) -> None:
        # Timestamps run ahead of a clock that went back, and holds end by the clock: the copy's
        # stands still here, so that none ends before the feed says so.
        engine: Any = copy.engine
        engine._books.last = at - 1
        result = copy.create_transfers([transfer], now=Instant(0))[0]
        assert result.status is TransferStatus.CREATED
        assert result.timestamp == at


EveryEngine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


TestMemoryAndSqliteTogether = EveryEngine.TestCase
