"""Goal: thousands of random transfers get the same answers from every engine, in a second or two.

Method: a seeded generator that mostly asks for what can succeed, over few accounts and holds, with
commits of several batches, lost commits and reopenings; engines are compared to their last seal.
"""

from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from amana.kernel import SECOND_NS, Instant
from amana.ledger import (
    AMOUNT_MAX_SENTINEL,
    LEDGER_EPOCH,
    Account,
    StandaloneLedger,
    Transfer,
    TransferFlags,
    TransferResult,
    TransferStatus,
    open_memory_ledger,
    open_sqlite_ledger,
)

F = TransferFlags
ACCOUNTS = [Account(number, 1, 1, [0, 0, 0, 2, 2, 4, 8, 10][number % 8]) for number in range(1, 25)]
KINDS = [
    *[F.NONE] * 40,
    *[F.PENDING] * 30,
    *[F.BALANCING_DEBIT] * 4,
    *[F.BALANCING_CREDIT] * 4,
    F.PENDING | F.CLOSING_DEBIT,
    *[F.POST_PENDING_TRANSFER] * 25,
    *[F.VOID_PENDING_TRANSFER] * 25,
]


class SeededChance:
    def __init__(self) -> None:
        self._count = 0

    def draw(self, count: int) -> bytes:
        self._count += 1
        return sha256(self._count.to_bytes(8)).digest()[:count]


class Generator:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.asked: list[Transfer] = []
        self.holds: list[int] = []

    def batch(self) -> list[Transfer]:
        made = [self.transfer() for _ in range(self.random.randint(1, 30))]
        self.asked += made
        return made

    def transfer(self) -> Transfer:
        pick = self.random
        if self.asked and pick.random() < 0.08:
            return pick.choice(self.asked)
        transfer_id = (len(self.asked) << 40) | pick.getrandbits(40) | 1
        flags = int(pick.choice(KINDS)) | (1 if pick.random() < 0.15 else 0)
        if flags & (F.POST_PENDING_TRANSFER | F.VOID_PENDING_TRANSFER):
            held = pick.choice(self.holds[-40:] or [1])
            amount = pick.choice([0, 1, AMOUNT_MAX_SENTINEL]) if flags & 4 else 0
            return Transfer(transfer_id, amount=amount, pending_id=held, flags=flags)
        debit, credit = pick.sample(range(1, 25), 2)
        if flags & F.PENDING:
            self.holds.append(transfer_id)
        return Transfer(
            transfer_id,
            debit,
            credit,
            2**62 if pick.random() < 0.01 else pick.randint(0, 500),
            timeout_s=pick.choice([0, 1, 30]) if flags & F.PENDING else 0,
            user_data_128=pick.choice([0, pick.getrandbits(128)]),
            ledger=1,
            code=pick.randint(1, 4),
            flags=flags,
        )


def seals(store: StandaloneLedger) -> list[object]:
    engine: Any = store.engine
    return list(getattr(engine, "_reader", engine).seals())


def in_one_commit(
    store: StandaloneLedger, batches: list[list[Transfer]], now: int
) -> list[list[TransferResult]]:
    return store.run(
        lambda: [store.engine.create_transfers(batch, now=Instant(now)) for batch in batches]
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_thousands_of_transfers_are_answered_alike(tmp_path: Path, seed: int) -> None:
    make, chance = Generator(seed), SeededChance()
    memory = open_memory_ledger(chance=SeededChance())
    sqlite = open_sqlite_ledger(tmp_path / "ledger.db", chance=chance)
    now = 1_790_000_000 * SECOND_NS
    created = 0
    for store in (memory, sqlite):
        store.create_accounts(ACCOUNTS, now=Instant(now))
    for turn in range(120):
        now += make.random.choice([0, 1_000, SECOND_NS, 20 * SECOND_NS, -SECOND_NS])
        batches = [make.batch() for _ in range(make.random.randint(1, 3))]
        answers = [in_one_commit(store, batches, now) for store in (memory, sqlite)]
        assert answers[0] == answers[1]
        created += sum(
            result.status is TransferStatus.CREATED for results in answers[0] for result in results
        )
        if turn % 40 == 39:
            last = memory.engine._books.last  # type: ignore[attr-defined]
            sqlite.close()
            sqlite = open_sqlite_ledger(tmp_path / "ledger.db", chance=chance)
            sqlite.engine._books.last = last  # type: ignore[attr-defined]
    assert created > 1_500
    assert memory.changes(LEDGER_EPOCH, 10_000) == sqlite.changes(LEDGER_EPOCH, 10_000)
    ids = range(1, 25)
    assert memory.lookup_accounts(ids) == sqlite.lookup_accounts(ids)
    assert seals(memory) == seals(sqlite)
    assert memory.verify() == sqlite.verify()
    assert sqlite.verify().is_sound
    sqlite.close()
