"""Good books, made by the real services over the real stores, for sabotage."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec

from amana.events import Outbox, SqlEventRows
from amana.kernel import HOUR_NS, SECOND_NS, AmanaId, Instant, new_id
from amana.kernel.limits import HOLD_LIFE_MS
from amana.ledger import Account, AccountFlags, SQLiteLedger, Transfer, TransferStatus
from amana.payments import postings, rules
from amana.payments.books import PaymentBooks
from amana.payments.model import (
    CaptureMode,
    Intent,
    Order,
    Party,
    PartyKind,
    Payment,
    PaymentKind,
    StepIntent,
    StepKind,
    TipMode,
)
from amana.payments.service import PaymentService
from amana.payments.store import SqlPaymentRows, WrittenPayments
from amana.storage import Writer, open_writer_connection, upgrade

EUR = 978
BEGINS_AT = Instant(1_800_000_000 * SECOND_NS)
OPERATOR = Party(AmanaId(1 << 8), PartyKind.OPERATOR, postings.SETTLEMENT_ACCOUNT)
MONA = Party(AmanaId(2 << 8), PartyKind.CUSTOMER, 512, day_limit=1_000_000)
LINA = Party(AmanaId(3 << 8), PartyKind.CUSTOMER, 768)
BAKERY = Party(AmanaId(9 << 8), PartyKind.MERCHANT, 2304, fee_basis_points=250)


class Counting:
    """A clock that goes on a second at each look, and chance that counts."""

    def __init__(self) -> None:
        self.instant = BEGINS_AT
        self._drawn = 0

    def now(self) -> Instant:
        self.instant = Instant(self.instant + SECOND_NS)
        return self.instant

    def draw(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(count)


class Ledger:
    """The ledger port over the engine that shares the writer."""

    def __init__(self, writer: Writer, engine: SQLiteLedger, clock: Counting) -> None:
        self._writer = writer
        self._engine = engine
        self._clock = clock

    async def post(self, transfers: Sequence[Transfer]) -> tuple[TransferStatus, ...]:
        answer: tuple[TransferStatus, ...] = await self._writer.submit(self._post, transfers)
        return answer

    def _post(self, chains: Sequence[Sequence[Transfer]]) -> list[tuple[TransferStatus, ...]]:
        return [
            tuple(row.status for row in self._engine.create_transfers(c, now=self._clock.now()))
            for c in chains
        ]


class Shop:
    """A merchant, two customers and the operator over one file of books."""

    def __init__(self, path: Path) -> None:
        self.time = Counting()
        self.connection = open_writer_connection(path)
        self.writer = Writer(self.connection)
        self.engine = SQLiteLedger(self.connection, chance=self.time)
        outbox = Outbox(SqlEventRows(self.connection))
        books = PaymentBooks(SqlPaymentRows(self.connection), outbox, self._holdings)
        for participant in (self.engine, books, outbox):
            self.writer.join(participant)
        store = WrittenPayments(self.writer, books, self.time)
        ledger = Ledger(self.writer, self.engine, self.time)
        self.service = PaymentService(store, ledger, ledger_number=EUR)
        self.store = store
        self._keys = 0

    def _holdings(self, account: int) -> int:
        found = self.engine.lookup_accounts([account])[0]
        return found.credits_posted - found.debits_posted

    def key(self) -> bytes:
        self._keys += 1
        return self._keys.to_bytes(16)

    def new_id(self) -> AmanaId:
        return new_id(self.time.now(), self.time.draw(9))

    async def open_accounts(self) -> None:
        bound = int(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)
        kept = int(AccountFlags.HISTORY)
        accounts = [
            Account(postings.SETTLEMENT_ACCOUNT, EUR, postings.CODE_SETTLEMENT),
            Account(postings.FEES_ACCOUNT, EUR, postings.CODE_FEES, flags=bound),
            Account(MONA.account, EUR, postings.CODE_CUSTOMER, flags=bound),
            Account(LINA.account, EUR, postings.CODE_CUSTOMER, flags=bound),
            Account(BAKERY.account, EUR, postings.CODE_MERCHANT, flags=bound | kept),
        ]
        await self.writer.run(lambda _: self.engine.create_accounts(accounts, now=self.time.now()))

    async def pay(self, payer: Party, payee: Party, amount: int | None, **more: object) -> Payment:
        key = self.key()
        intent = Intent(
            id=self.new_id(),
            kind=rules.kind_between(payer.kind, payee.kind),
            initiator=payer.id,
            key=key,
            body=key,
            payer=payer,
            payee=payee,
            amount=amount,
            created_at=self.time.now(),
        )
        paid = await self.service.pay(msgspec.structs.replace(intent, **more))
        assert isinstance(paid, Payment)
        return paid

    async def refund(self, payment: Payment, amount: int | None) -> Payment:
        return await self.pay(
            BAKERY,
            MONA,
            amount,
            kind=PaymentKind.REFUND,
            refund_of=payment.id,
            order_id=payment.order_id,
        )

    async def order(self, amount: int, capture: CaptureMode = CaptureMode.AUTOMATIC) -> Order:
        now, key = self.time.now(), self.key()
        order = Order(
            id=self.new_id(),
            merchant=BAKERY.id,
            till_id=None,
            amount=amount,
            reference="table 4",
            basket_hash=None,
            capture=capture,
            tip=TipMode.PROMPT,
            key=key,
            body=key,
            created_at=now,
            expires_at=Instant(now + HOUR_NS),
        )
        stored = await self.service.create_order(order)
        assert isinstance(stored, Order)
        return stored

    async def hold(self, amount: int) -> Payment:
        order = await self.order(amount, CaptureMode.MANUAL)
        return await self.pay(MONA, BAKERY, amount, order_id=order.id, is_hold=True)

    async def end(self, payment: Payment, kind: StepKind, amount: int | None = None) -> None:
        key = self.key()
        intent = StepIntent(payment.id, kind, key, key, amount, self.time.now())
        await self.service.step(intent)


async def _trade(shop: Shop) -> dict[str, AmanaId]:
    """Let everything happen that can happen to a payment, at least once."""
    await shop.open_accounts()
    topup = await shop.pay(OPERATOR, MONA, 50_000)
    person = await shop.pay(MONA, LINA, 1_234)
    direct = await shop.pay(MONA, BAKERY, 2_001)
    refused = await shop.pay(LINA, BAKERY, 999_999)
    order = await shop.order(4_000)
    ordered = await shop.pay(MONA, BAKERY, 4_000, order_id=order.id, tip=100)
    refund = await shop.refund(ordered, 1_000)
    await shop.refund(ordered, None)
    expired = await shop.hold(700)
    shop.time.instant = Instant(shop.time.instant + HOLD_LIFE_MS * 1_000_000)
    await shop.service.expire_holds(shop.time.now())
    captured = await shop.hold(3_000)
    await shop.end(captured, StepKind.CAPTURE, 2_500)
    voided = await shop.hold(800)
    await shop.end(voided, StepKind.VOID)
    held = await shop.hold(600)
    cancelled = await shop.order(150)
    await shop.service.cancel_order(cancelled.id)
    credit = await shop.pay(BAKERY, LINA, 77)
    return {
        "topup": topup.id,
        "person": person.id,
        "direct": direct.id,
        "refused": refused.id,
        "order": order.id,
        "ordered": ordered.id,
        "refund": refund.id,
        "expired": expired.id,
        "captured": captured.id,
        "voided": voided.id,
        "held": held.id,
        "cancelled": cancelled.id,
        "credit": credit.id,
    }


def make_books(folder: Path) -> dict[str, AmanaId]:
    """Make good books in a folder; return the ids of what is in them, by name."""
    path = folder / "books.db"
    upgrade(path)
    shop = Shop(path)
    ids = asyncio.run(_trade(shop))
    shop.connection.close()
    return ids


def prune_books(folder: Path, *, before: Instant) -> None:
    """Prune the ledger of a folder's books."""
    connection = open_writer_connection(folder / "books.db")
    time = Counting()
    writer = Writer(connection)
    engine = SQLiteLedger(connection, chance=time)
    writer.join(engine)
    asyncio.run(writer.run(lambda _: engine.prune(before=before, now=before)))
    connection.close()


def change(folder: Path, *statements: str) -> None:
    """Change the file behind everybody's back, against every constraint."""
    connection = sqlite3.connect(folder / "books.db", isolation_level=None)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("PRAGMA foreign_keys = OFF")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, f"nothing changed: {statement}"
    connection.close()
