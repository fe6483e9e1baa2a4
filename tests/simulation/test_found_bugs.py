"""What simulated worlds found, as plain tests that do not hang on a seed."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from amana.events import Outbox
from amana.kernel import AmanaId, Instant, Unavailable
from amana.ledger import TransferStatus
from amana.payments import rules
from amana.payments.books import PaymentBooks
from amana.payments.model import Intent, Party, PartyKind, PaymentKind
from amana.payments.store import WrittenPayments
from amana.storage import Writer, open_writer_connection
from amana.testing.simulator._memory import MemoryEventRows, MemoryPaymentRows
from amana.testing.simulator._writer import MemoryCore, SimWriter

NOW = Instant(1_800_000_000_000_000_000)
PAYER = Party(AmanaId(2 << 8), PartyKind.CUSTOMER, account=512)
PAYEE = Party(AmanaId(3 << 8), PartyKind.CUSTOMER, account=768)


class StandingClock:
    def now(self) -> Instant:
        return NOW


def intent(number: int, body: bytes) -> Intent:
    return Intent(
        id=AmanaId(number << 8),
        kind=PaymentKind.PERSON,
        initiator=PAYER.id,
        key=bytes(16),
        body=body,
        payer=PAYER,
        payee=PAYEE,
        amount=100,
        created_at=NOW,
    )


def test_a_chain_that_was_made_before_is_made() -> None:
    again = (TransferStatus.EXISTS, TransferStatus.LINKED_EVENT_FAILED)
    assert rules.reason_of(again) is None


def test_an_answer_about_another_request_waits_until_that_request_is_durable() -> None:
    """Goal: nobody is told of a row that may still be lost.

    Method: two requests with one key in one commit group; the second is driven as far as it goes
    without a commit, and must not have its answer.
    """
    rows, events = MemoryPaymentRows(), MemoryEventRows()
    core = MemoryCore(rows, events)
    books = PaymentBooks(rows, Outbox(events), lambda _: 0)
    core.join(books)
    writer = SimWriter(core, lambda _: None, is_durable_at_once=False)
    store = WrittenPayments(writer, books, StandingClock())
    first = store.record_intent(intent(1, b"a" * 16))
    second = store.record_intent(intent(2, b"b" * 16))
    first.send(None)
    second.send(None)
    writer.turn()
    with pytest.raises(StopIteration):
        first.send(None)
    second.send(None)
    writer.commit()
    with pytest.raises(StopIteration) as told:
        second.send(None)
    assert told.value.value.body == b"a" * 16


def test_after_a_lost_group_nothing_is_said_to_be_durable(tmp_path: Path) -> None:
    """Goal: whoever holds an answer of a lost group learns that it is lost.

    Method: a unit of work fails the whole group after another's answer was given.
    """

    def fails(_: Sequence[object]) -> Sequence[object]:
        raise sqlite3.OperationalError("disk is full")

    async def scene() -> None:
        writer = Writer(open_writer_connection(tmp_path / "books.db"))
        assert await writer.submit(lambda items: items, "applied") == "applied"
        with pytest.raises(Unavailable):
            await writer.submit(fails, "lost")
        with pytest.raises(Unavailable):
            await writer.durable()

    asyncio.run(scene())
