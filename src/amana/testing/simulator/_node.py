"""A server node: the product's service over the product's books, and the requests it serves."""

import sqlite3
from collections.abc import Callable, Sequence
from enum import Enum, auto

import msgspec

from amana.events import EventRows, Outbox
from amana.kernel import AmanaId, Chance, Clock, Instant, new_id
from amana.ledger import LedgerEngine, MemoryLedger, Transfer, TransferStatus
from amana.payments import rules
from amana.payments.books import PaymentBooks, PaymentRows
from amana.payments.model import (
    CaptureMode,
    IdReused,
    Intent,
    Order,
    Party,
    Payment,
    PaymentKind,
    Refused,
    Step,
    StepIntent,
    StepKind,
    TipMode,
)
from amana.payments.service import PaymentService
from amana.payments.store import WrittenPayments
from amana.testing.simulator._purse_node import (
    NodePurse,
    PurseAnswer,
    PurseGround,
    PurseParts,
    PurseRequest,
    SimSignatory,
)
from amana.testing.simulator._writer import SimWriter

LEDGER_NUMBER = 978
_CHANCE_BYTES = 9


class Parts(msgspec.Struct, frozen=True):
    """What a world is built from, so that a wrong part can take a right one's place."""

    books: type[PaymentBooks] = PaymentBooks
    store: type[WrittenPayments] = WrittenPayments
    service: type[PaymentService] = PaymentService
    outbox: type[Outbox] = Outbox
    ledger: type[MemoryLedger] = MemoryLedger
    purse: PurseParts = PurseParts()


class LedgerPort:
    """Chains of transfers, gathered into batches by a writer."""

    def __init__(self, writer: SimWriter, engine: LedgerEngine, clock: Clock) -> None:
        self._writer = writer
        self._engine = engine
        self._clock = clock

    async def post(self, transfers: Sequence[Transfer]) -> tuple[TransferStatus, ...]:
        """Make a linked chain of transfers."""
        answer: tuple[TransferStatus, ...] = await self._writer.submit(self._post, transfers)
        return answer

    def _post(self, chains: Sequence[Sequence[Transfer]]) -> list[tuple[TransferStatus, ...]]:
        batch = [transfer for chain in chains for transfer in chain]
        results = iter(self._engine.create_transfers(batch, now=self._clock.now()))
        return [tuple(next(results).status for _ in chain) for chain in chains]


class Ask(Enum):
    """What a client can ask of a node."""

    PAY = auto()
    PAY_ORDER = auto()
    REFUND = auto()
    ORDER = auto()
    CANCEL = auto()
    CAPTURE = auto()
    VOID = auto()
    QUERY = auto()
    EXPIRE = auto()
    RECOVER = auto()


class Request(msgspec.Struct, frozen=True):
    """One request as it travels; which fields count depends on what is asked."""

    ask: Ask
    initiator: AmanaId
    key: bytes
    body: bytes
    payee: AmanaId | None = None
    amount: int | None = None
    tip: int = 0
    subject: AmanaId | None = None
    """The order or payment it is about."""
    is_manual: bool = False
    has_tip: bool = False
    life_ns: int = 0


Asked = Request | PurseRequest
Answer = Payment | IdReused | tuple[Payment, Step] | Order | Refused | int | None | PurseAnswer
"""What a node tells; an int is a count of payments finished."""


class PurseStores(msgspec.Struct, frozen=True):
    """What a world gives a node for its purse."""

    connection: sqlite3.Connection
    refunds_of: Callable[[AmanaId], Sequence[Payment]]
    signatory: SimSignatory


class Node:
    """One life of a server: from its start to its crash."""

    def __init__(
        self,
        parts: Parts,
        *,
        writer: SimWriter,
        ledger_writer: SimWriter,
        engine: LedgerEngine,
        rows: PaymentRows,
        event_rows: EventRows,
        parties: dict[AmanaId, Party],
        clock: Clock,
        chance: Chance,
        purse: PurseStores | None,
    ) -> None:
        self._engine = engine
        self._parties = parties
        self._clock = clock
        self._chance = chance
        self.outbox = parts.outbox(event_rows)
        self.books = parts.books(rows, self.outbox, self._holdings)
        writer.core.join(self.books)
        writer.core.join(self.outbox)
        self.store = parts.store(writer, self.books, clock)
        ledger = LedgerPort(ledger_writer, engine, clock)
        self.service = parts.service(self.store, ledger, ledger_number=LEDGER_NUMBER)
        self.purse: NodePurse | None = None
        if purse is not None:
            self.purse = NodePurse(
                PurseGround(
                    parts=parts.purse,
                    connection=purse.connection,
                    writer=writer,
                    shares_commits=writer is ledger_writer,
                    signatory=purse.signatory,
                    ledger=ledger,
                    balance=self._holdings,
                    ledger_number=LEDGER_NUMBER,
                    books=self.books,
                    payments=self.service,
                    refunds_of=purse.refunds_of,
                    parties=parties,
                    new_id=self._new_id,
                    clock=clock,
                    chance=chance,
                )
            )

    def _holdings(self, account: int) -> int:
        found = self._engine.lookup_accounts([account])[0]
        return found.credits_posted - found.debits_posted

    async def serve(self, request: Asked) -> Answer:
        """Do what is asked; raises Unavailable where the outcome is not known."""
        if isinstance(request, PurseRequest):
            assert self.purse is not None, "only a world with a purse asks for it"
            return await self.purse.serve(request)
        match request.ask:
            case Ask.PAY:
                return await self._pay(request)
            case Ask.PAY_ORDER:
                return await self._pay_order(request)
            case Ask.REFUND:
                return await self._refund(request)
            case Ask.ORDER:
                return await self._create_order(request)
            case Ask.CANCEL:
                return await self.service.cancel_order(_subject(request))
            case Ask.CAPTURE:
                return await self._step(request, StepKind.CAPTURE)
            case Ask.VOID:
                return await self._step(request, StepKind.VOID)
            case Ask.QUERY:
                return await self.store.payment(_subject(request))
            case Ask.EXPIRE:
                return len(await self.service.expire_holds(self._clock.now()))
            case Ask.RECOVER:
                finished = len(await self.service.recover())
                return (
                    finished if self.purse is None else finished + await self.purse.mint.recover()
                )

    def _new_id(self) -> AmanaId:
        return new_id(self._clock.now(), self._chance.draw(_CHANCE_BYTES))

    async def _pay(self, request: Request) -> Answer:
        payer = self._parties[request.initiator]
        payee = None if request.payee is None else self._parties.get(request.payee)
        kind = PaymentKind.PERSON if payee is None else rules.kind_between(payer.kind, payee.kind)
        return await self.service.pay(self._intent(request, kind, payer=payer, payee=payee))

    async def _pay_order(self, request: Request) -> Answer:
        order = await self.store.order(_subject(request))
        assert order is not None, "a client pays an order that it was told of"
        intent = self._intent(
            request,
            PaymentKind.PURCHASE,
            payer=self._parties[request.initiator],
            payee=self._parties[order.merchant],
        )
        return await self.service.pay(
            msgspec.structs.replace(intent, order_id=order.id, is_hold=rules.is_held(order))
        )

    async def _refund(self, request: Request) -> Answer:
        original = await self.store.payment(_subject(request))
        assert original is not None, "a merchant refunds a payment that it was told of"
        assert original.payee is not None, "a payment that was made has a payee"
        assert original.payer is not None, "a payment that was made has a payer"
        intent = self._intent(
            request,
            PaymentKind.REFUND,
            payer=self._parties[original.payee],
            payee=self._parties[original.payer],
        )
        return await self.service.pay(
            msgspec.structs.replace(intent, order_id=original.order_id, refund_of=original.id)
        )

    def _intent(
        self, request: Request, kind: PaymentKind, *, payer: Party, payee: Party | None
    ) -> Intent:
        return Intent(
            id=self._new_id(),
            kind=kind,
            initiator=request.initiator,
            key=request.key,
            body=request.body,
            payer=payer,
            payee=payee,
            amount=request.amount,
            created_at=self._clock.now(),
            tip=request.tip,
        )

    async def _create_order(self, request: Request) -> Answer:
        assert request.amount is not None, "an order has an amount"
        now = self._clock.now()
        order = Order(
            id=self._new_id(),
            merchant=request.initiator,
            till_id=None,
            amount=request.amount,
            reference=None,
            basket_hash=None,
            capture=CaptureMode.MANUAL if request.is_manual else CaptureMode.AUTOMATIC,
            tip=TipMode.PROMPT if request.has_tip else TipMode.NONE,
            key=request.key,
            body=request.body,
            created_at=now,
            expires_at=Instant(now + request.life_ns),
        )
        return await self.service.create_order(order)

    async def _step(self, request: Request, kind: StepKind) -> Answer:
        intent = StepIntent(
            payment_id=_subject(request),
            kind=kind,
            key=request.key,
            body=request.body,
            amount=request.amount,
            created_at=self._clock.now(),
        )
        return await self.service.step(intent)


def _subject(request: Request) -> AmanaId:
    assert request.subject is not None, "the request names its subject"
    return request.subject
