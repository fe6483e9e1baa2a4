"""Clients: what they ask, how often, what they hear, and what they learn from it."""

import random
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from amana.kernel import MINUTE_NS, SECOND_NS, AmanaId
from amana.payments.model import Order, Party, PartyKind, Payment, PaymentKind, PaymentStatus
from amana.testing.simulator._faults import CALM, Faults
from amana.testing.simulator._node import Answer, Ask, Asked, Request

OPERATOR: Final = AmanaId(1 << 8)
_PARTY_SHIFT: Final = 8
_CUSTOMERS_FROM: Final = 2
_MERCHANTS_FROM: Final = 40
_SETTLEMENT_ACCOUNT: Final = 1

_AMOUNTS: Final = (1, 7, 99, 100, 250, 333, 499, 500, 501, 1_000, 2_500, 9_999)
_TOPUPS: Final = (500, 1_000, 5_000, 20_000, 20_000)
_MERCHANT_FEES: Final = (0, 20, 20, 250, 3_333)
_BAD_AMOUNTS: Final = (0, -1, 2**63)
_ORDER_LIVES_NS: Final = (30 * SECOND_NS, 15 * MINUTE_NS, 60 * MINUTE_NS)
_HASH_BYTES: Final = 16

_VERY_RARELY: Final = 0.02
_RARELY: Final = 0.05
_SOMETIMES: Final = 0.25
_OFTEN: Final = 0.6


def draw_parties(chance: random.Random) -> dict[AmanaId, Party]:
    """Draw the customers and merchants of a world; the operator is there too."""
    operator = Party(OPERATOR, PartyKind.OPERATOR, _SETTLEMENT_ACCOUNT)
    parties = {OPERATOR: operator}
    for number in range(chance.randint(2, 4)):
        party_id = AmanaId(number + _CUSTOMERS_FROM << _PARTY_SHIFT)
        parties[party_id] = Party(
            party_id,
            PartyKind.CUSTOMER,
            account=int(party_id),
            is_open=chance.random() > _VERY_RARELY,
            payment_limit=chance.choice((None, None, 1_000, 5_000)),
            day_limit=chance.choice((None, 600, 3_000, 12_000)),
            holding_limit=chance.choice((None, None, 2_500, 21_000)),
        )
    for number in range(chance.randint(1, 2)):
        party_id = AmanaId(number + _MERCHANTS_FROM << _PARTY_SHIFT)
        parties[party_id] = Party(
            party_id,
            PartyKind.MERCHANT,
            account=int(party_id),
            is_open=chance.random() > _VERY_RARELY,
            fee_basis_points=chance.choice(_MERCHANT_FEES),
        )
    return parties


class Operation:
    """One thing that somebody wants done, over all its attempts."""

    __slots__ = ("heard", "in_flight", "is_abandoned", "is_crowded", "last", "number", "request")

    def __init__(self, number: int, request: Asked) -> None:
        self.number = number
        self.request = request
        self.heard: list[Answer] = []
        self.in_flight = 0
        self.is_crowded = False
        """Whether several sendings were under way at once, of those that are."""
        self.last: Answer | None = None
        """An answer that nothing of it was under way beside, nor was sent after."""
        self.is_abandoned = False

    @property
    def is_answered(self) -> bool:
        """Whether the client knows how it ended."""
        return bool(self.heard)

    def send(self) -> None:
        """Count an attempt that is under way."""
        self.is_crowded = self.in_flight > 0
        self.in_flight += 1
        self.last = None

    def hear(self, answer: Answer) -> None:
        """Remember the answer of an attempt, which is over."""
        self.in_flight -= 1
        self.heard.append(answer)
        self.last = None if self.is_crowded else answer


class Clients:
    """Everybody outside: draws operations from what has been heard so far."""

    def __init__(
        self, chance: random.Random, parties: dict[AmanaId, Party], faults: Faults
    ) -> None:
        self._chance = chance
        self._faults = faults
        self._customers = [p for p in parties.values() if p.kind is PartyKind.CUSTOMER]
        self._merchants = [p for p in parties.values() if p.kind is PartyKind.MERCHANT]
        self._unfunded = list(self._customers)
        self._orders: list[Order] = []
        self._payments: list[Payment] = []
        self._draws: tuple[Callable[[], Asked], ...] = (
            self._topup,
            self._pay_person,
            self._pay_person,
            self._pay_merchant,
            self._pay_merchant,
            self._order,
            self._order,
            self._pay_order,
            self._pay_order,
            self._pay_order,
            self._pay_order,
            self._cancel,
            self._capture,
            self._capture,
            self._capture,
            self._void,
            self._void,
            self._refund,
            self._refund,
            self._refund,
            self._credit,
            self._query,
            self._sweep,
        )
        self.operations: list[Operation] = []

    def draw(self) -> Operation:
        """Draw the next operation."""
        return self.add(self._topup() if self._unfunded else self._chance.choice(self._draws)())

    def draw_rival(self, latest: Operation) -> Operation | None:
        """Now and then, draw another request under a key that is taken, often just now."""
        if self._chance.random() >= self._faults.key_shared:
            return None
        is_now = self._chance.random() < _OFTEN
        taken = (latest if is_now else self._chance.choice(self.operations)).request
        if not isinstance(taken, Request) or taken.ask in {
            Ask.EXPIRE,
            Ask.QUERY,
            Ask.CANCEL,
            Ask.RECOVER,
        }:
            return None
        return self.add(
            self._of(
                taken.ask,
                taken.initiator,
                key=taken.key,
                payee=taken.payee,
                amount=(taken.amount or 0) + 1,
                subject=taken.subject,
                life_ns=taken.life_ns,
            )
        )

    def add(self, request: Asked) -> Operation:
        """Make a request somebody's operation."""
        operation = Operation(len(self.operations), request)
        self.operations.append(operation)
        return operation

    def hear(self, operation: Operation, answer: Answer) -> None:
        """Remember an answer, and what can be asked because of it."""
        operation.hear(answer)
        if isinstance(answer, Order) and operation.request.ask is Ask.ORDER:
            self._orders.append(answer)
        if isinstance(answer, Payment) and answer.status is not PaymentStatus.REFUSED:
            self._payments.append(answer)

    def calm_down(self) -> None:
        """Draw no more trouble."""
        self._faults = CALM

    def _of(
        self,
        ask: Ask,
        initiator: AmanaId,
        *,
        key: bytes | None = None,
        payee: AmanaId | None = None,
        amount: int | None = None,
        tip: int = 0,
        subject: AmanaId | None = None,
        is_manual: bool = False,
        has_tip: bool = False,
        life_ns: int = 0,
    ) -> Request:
        said = (ask.value, initiator, payee, amount, tip, subject, is_manual, has_tip, life_ns)
        return Request(
            ask,
            initiator,
            self._chance.randbytes(_HASH_BYTES) if key is None else key,
            blake2b(repr(said).encode(), digest_size=_HASH_BYTES).digest(),
            payee,
            amount,
            tip,
            subject,
            is_manual,
            has_tip,
            life_ns,
        )

    # What can be asked

    def _amount(self) -> int:
        if self._chance.random() < _RARELY:
            return self._chance.choice(_BAD_AMOUNTS)
        return self._chance.choice(_AMOUNTS)

    def _customer(self) -> AmanaId:
        return self._chance.choice(self._customers).id

    def _merchant(self) -> AmanaId:
        return self._chance.choice(self._merchants).id

    def _topup(self) -> Request:
        payee = self._unfunded.pop().id if self._unfunded else self._customer()
        return self.topup(payee, self._chance.choice(_TOPUPS))

    def topup(self, payee: AmanaId, amount: int) -> Request:
        """Ask the operator to bring money in."""
        return self._of(Ask.PAY, OPERATOR, payee=payee, amount=amount)

    def _pay_person(self) -> Request:
        payee = None if self._chance.random() < _RARELY else self._customer()
        return self._of(Ask.PAY, self._customer(), payee=payee, amount=self._amount())

    def _pay_merchant(self) -> Request:
        return self._of(Ask.PAY, self._customer(), payee=self._merchant(), amount=self._amount())

    def _credit(self) -> Request:
        return self._of(Ask.PAY, self._merchant(), payee=self._customer(), amount=self._amount())

    def _order(self) -> Request:
        return self._of(
            Ask.ORDER,
            self._merchant(),
            amount=self._chance.choice(_AMOUNTS),
            is_manual=self._chance.random() < _OFTEN,
            has_tip=self._chance.random() < _SOMETIMES,
            life_ns=self._chance.choice(_ORDER_LIVES_NS),
        )

    def _recent(self, payments: list[Payment]) -> Payment:
        """Mostly the newest, so that several ask about the same at once."""
        if self._chance.random() < _OFTEN:
            return payments[-1]
        return self._chance.choice(payments)

    def _recent_order(self) -> Order:
        if self._chance.random() < _OFTEN:
            return self._orders[-1]
        return self._chance.choice(self._orders)

    def _pay_order(self) -> Request:
        if not self._orders:
            return self._order()
        order = self._recent_order()
        is_wrong = self._chance.random() < _RARELY
        return self._of(
            Ask.PAY_ORDER,
            self._customer(),
            subject=order.id,
            amount=order.amount + is_wrong,
            tip=self._chance.choice((0, 0, 0, 5)),
        )

    def _cancel(self) -> Request:
        if not self._orders:
            return self._order()
        order = self._recent_order()
        return self._of(Ask.CANCEL, order.merchant, subject=order.id)

    def _capture(self) -> Request:
        held = self._held()
        if not held:
            return self._pay_order()
        payment = self._recent(held)
        part = self._chance.choice((None, None, payment.total, payment.total // 2 + 1, 1, 0))
        over = payment.total + 1 if self._chance.random() < _RARELY else part
        return self._of(Ask.CAPTURE, self._payee(payment), subject=payment.id, amount=over)

    def _void(self) -> Request:
        held = self._held()
        if not held:
            return self._pay_order()
        payment = self._recent(held)
        return self._of(Ask.VOID, self._payee(payment), subject=payment.id)

    def _refund(self) -> Request:
        bought = [row for row in self._payments if row.kind is PaymentKind.PURCHASE]
        if not bought:
            return self._pay_merchant()
        payment = self._recent(bought)
        part = self._chance.choice((None, None, payment.total, payment.total // 2 + 1, 1))
        return self._of(Ask.REFUND, self._payee(payment), subject=payment.id, amount=part)

    def _held(self) -> list[Payment]:
        """Holds that were open when last heard of."""
        return [row for row in self._payments if row.status is PaymentStatus.AUTHORISED]

    def _query(self) -> Request:
        if not self._payments:
            return self._pay_merchant()
        return self._of(Ask.QUERY, self._customer(), subject=self._recent(self._payments).id)

    def _sweep(self) -> Request:
        return self.sweep()

    def sweep(self) -> Request:
        """Ask the node to give back the holds whose time is over."""
        return self._of(Ask.EXPIRE, OPERATOR)

    def recovery(self) -> Request:
        """Ask the node to finish everything that was interrupted."""
        return self._of(Ask.RECOVER, OPERATOR)

    def _payee(self, payment: Payment) -> AmanaId:
        assert payment.payee is not None, "a payment that was made has a payee"
        return payment.payee
