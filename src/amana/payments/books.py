"""Payments as one commit group sees them: decisions made in memory, rows written once.

Within a group a payment is recorded, posted and concluded; only its last state is written, by
`before_commit`. If the group is lost, so is everything here that belongs to it.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from amana.events import EventKind, Outbox
from amana.kernel import AmanaId, Instant, day_number
from amana.payments import rules
from amana.payments.model import (
    Intent,
    Order,
    Payment,
    PaymentKind,
    PaymentStatus,
    PurseTaking,
    Reason,
    Refused,
    Step,
    StepIntent,
    StepStatus,
    Takings,
)

SPENT_DAYS_KEPT_MAX: Final = 200_000


class Changes(msgspec.Struct, frozen=True):
    """What a commit group writes."""

    new_payments: list[Payment]
    changed_payments: list[Payment]
    new_steps: list[Step]
    changed_steps: list[Step]
    new_orders: list[Order]
    changed_orders: list[Order]
    spent: list[tuple[AmanaId, int, int]]
    """Payer, day number, minor units."""
    takings: list[tuple[AmanaId, int, Takings]]
    """Merchant, day number, what was taken."""


class PaymentRows(Protocol):
    """Where payments are kept between groups."""

    def payment(self, payment_id: AmanaId) -> Payment | None:
        """Return a payment."""

    def payments_by_key(self, keys: Sequence[bytes]) -> dict[bytes, Payment]:
        """Return the payments with these keys, by key."""

    def step_by_key(self, key: bytes) -> Step | None:
        """Return the step with this key."""

    def open_step(self, payment_id: AmanaId) -> Step | None:
        """Return the pending step of a hold."""

    def order(self, order_id: AmanaId) -> Order | None:
        """Return an order."""

    def order_by_key(self, key: bytes) -> Order | None:
        """Return the order with this key."""

    def spent(self, payer: AmanaId, day: int) -> int:
        """Return what a payer's limit of one day has taken so far."""

    def takings(self, merchant: AmanaId, day: int) -> Takings:
        """Return what a merchant took on one day."""

    def unfinished(self) -> list[tuple[Payment, Step | None]]:
        """Return pending payments, and holds with a pending step."""

    def holds_expiring(self, until: Instant) -> list[Payment]:
        """Return holds whose time is over, without a pending step."""

    def write(self, changes: Changes) -> None:
        """Write a group's changes within the open commit group."""


class PaymentBooks:
    """The payments of the open commit group, over the rows of all earlier ones."""

    def __init__(self, rows: PaymentRows, outbox: Outbox, holdings: Callable[[int], int]) -> None:
        """Join rows, outbox and the ledger's balances.

        Args:
            rows: Payments of earlier groups.
            outbox: Where conclusions are told.
            holdings: The posted balance of a ledger account, credits less debits, as of now.
        """
        self.rows = rows
        self._outbox = outbox
        self._holdings = holdings
        self._spent: dict[tuple[AmanaId, int], int] = {}
        self._takings: dict[tuple[AmanaId, int], Takings] = {}
        self._incoming: dict[int, int] = {}
        self._open: dict[AmanaId, Payment] = {}
        self._last_payments: dict[AmanaId, Payment] = {}
        self._last_orders: dict[AmanaId, Order] = {}
        """Of the last group that was committed: what ended just now is looked at at once."""
        self._forget()
        self._load_incoming()

    def _forget(self) -> None:
        self._payments: dict[AmanaId, Payment] = {}
        self._new_payments: set[AmanaId] = set()
        self._payment_keys: dict[bytes, AmanaId] = {}
        self._steps: dict[bytes, Step] = {}
        self._new_steps: set[bytes] = set()
        self._orders: dict[AmanaId, Order] = {}
        self._new_orders: set[AmanaId] = set()
        self._order_keys: dict[bytes, AmanaId] = {}
        self._spent_changed: set[tuple[AmanaId, int]] = set()
        self._takings_changed: set[tuple[AmanaId, int]] = set()

    def _load_incoming(self) -> None:
        self._incoming.clear()
        for payment, step in self.rows.unfinished():
            if step is None:
                self._add_incoming(payment.payee_account, payment.total)

    def _add_incoming(self, account: int, amount: int) -> None:
        left = self._incoming.get(account, 0) + amount
        if left:
            self._incoming[account] = left
        else:
            self._incoming.pop(account, None)

    # Looking up

    def payment(self, payment_id: AmanaId) -> Payment | None:
        """Return a payment as it stands in this group."""
        for known in (self._payments, self._open, self._last_payments):
            if payment_id in known:
                return known[payment_id]
        return self.rows.payment(payment_id)

    def order(self, order_id: AmanaId) -> Order | None:
        """Return an order as it stands in this group."""
        found = self._orders.get(order_id) or self._last_orders.get(order_id)
        return found if found is not None else self.rows.order(order_id)

    def _spent_on(self, payer: AmanaId, day: int) -> int:
        found = self._spent.get((payer, day))
        if found is None:
            found = self._spent[payer, day] = self.rows.spent(payer, day)
        return found

    # Intents

    def record_intents(self, intents: Sequence[Intent]) -> list[Payment]:
        """Decide and record each intent, or return what its key recorded before."""
        unknown = [intent.key for intent in intents if intent.key not in self._payment_keys]
        stored = self.rows.payments_by_key(unknown)
        answers = []
        for intent in intents:
            met = self._payment_keys.get(intent.key)
            found = stored.get(intent.key) if met is None else self._payments[met]
            if found is not None:
                answers.append(self._payments.get(found.id, found))
            else:
                answers.append(self._record_intent(intent))
        return answers

    def _record_intent(self, intent: Intent) -> Payment:
        payment = rules.decide_intent(intent, self._facts(intent))
        self._payments[payment.id] = payment
        self._new_payments.add(payment.id)
        self._payment_keys[payment.key] = payment.id
        if payment.status is PaymentStatus.PENDING:
            self._reserve(payment, 1)
        else:
            self._tell(payment)
        return payment

    def _facts(self, intent: Intent) -> rules.IntentFacts:
        payer, payee = intent.payer, intent.payee
        order = None if intent.order_id is None else self.order(intent.order_id)
        spent = holding = 0
        if payer is not None and payer.day_limit is not None:
            spent = self._spent_on(payer.id, day_number(intent.created_at))
        if payee is not None and payee.holding_limit is not None:
            holding = self._holdings(payee.account) + self._incoming.get(payee.account, 0)
        return rules.IntentFacts(
            spent_today=spent,
            holding=holding,
            order=order,
            order_payment=(
                None
                if order is None or order.payment_id is None
                else self.payment(order.payment_id)
            ),
            original=None if intent.refund_of is None else self.payment(intent.refund_of),
        )

    def _reserve(self, payment: Payment, sign: int) -> None:
        """Take (sign 1) or give back (sign -1) what a payment uses up besides money."""
        self._add_incoming(payment.payee_account, sign * payment.total)
        if payment.kind is PaymentKind.REFUND:
            assert payment.refund_of is not None, "a refund names its payment"
            original = self.payment(payment.refund_of)
            assert original is not None, "a refund's payment is there"
            self._payments[original.id] = msgspec.structs.replace(
                original,
                refunded=original.refunded + sign * payment.total,
                fee_returned=original.fee_returned + sign * payment.fee,
            )
            return
        self._spend(payment, sign * payment.total)
        if payment.order_id is not None:
            order = self.order(payment.order_id)
            assert order is not None, "a payment's order is there"
            taken_by = payment.id if sign > 0 else None
            self._orders[order.id] = msgspec.structs.replace(order, payment_id=taken_by)

    def _spend(self, payment: Payment, minor: int) -> None:
        """Take from the limit of the payment's day, or give back what is negative."""
        assert payment.payer is not None, "a payment that is not refused has a payer"
        key = (payment.payer, day_number(payment.created_at))
        self._spent[key] = self._spent_on(*key) + minor
        self._spent_changed.add(key)

    # Conclusions

    def conclude(
        self, conclusions: Sequence[tuple[AmanaId, Reason | None, Instant]]
    ) -> list[Payment]:
        """Record each outcome unless one is recorded; return the recorded ones."""
        return [self._conclude(*conclusion) for conclusion in conclusions]

    def _conclude(self, payment_id: AmanaId, reason: Reason | None, now: Instant) -> Payment:
        stored = self.payment(payment_id)
        assert stored is not None, "what is concluded was recorded"
        if stored.status is not PaymentStatus.PENDING:
            return stored
        concluded = rules.conclude(stored, reason, now=now)
        self._payments[payment_id] = concluded
        if concluded.status is PaymentStatus.REFUSED:
            self._reserve(stored, -1)
        else:
            self._add_incoming(stored.payee_account, -stored.total)
        self._tell(concluded)
        return concluded

    def take(self, taking: PurseTaking) -> Payment | Reason:
        """Record a purchase that e-cash pays now; a refusal changes nothing."""
        order = None if taking.order_id is None else self.order(taking.order_id)
        paying = None if order is None or order.payment_id is None else order.payment_id
        decided = rules.decide_purse(
            taking, order, None if paying is None else self.payment(paying)
        )
        if isinstance(decided, Reason):
            return decided
        payment, taken = decided
        self._payments[payment.id] = payment
        self._new_payments.add(payment.id)
        self._payment_keys[payment.key] = payment.id
        self._orders[taken.id] = taken
        if order is None:
            self._new_orders.add(taken.id)
            self._order_keys[taken.key] = taken.id
        self._spend(payment, payment.total)
        self._tell(payment)
        return payment

    # Steps

    def record_steps(self, intents: Sequence[StepIntent]) -> list[tuple[Payment, Step]]:
        """Decide and record each step, or return what its key recorded before."""
        return [self._record_step(intent) for intent in intents]

    def _record_step(self, intent: StepIntent) -> tuple[Payment, Step]:
        payment = self.payment(intent.payment_id)
        assert payment is not None, "a step is asked of a payment that is there"
        met = self._step_by_key(intent.key)
        if met is not None:
            return payment, met
        step = rules.decide_step(intent, payment, self._open_step(payment.id))
        self._steps[step.key] = step
        self._new_steps.add(step.key)
        if step.status is StepStatus.PENDING:
            payment = msgspec.structs.replace(payment, steps=step.number)
            self._payments[payment.id] = payment
        return payment, step

    def _step_by_key(self, key: bytes) -> Step | None:
        found = self._steps.get(key)
        return found if found is not None else self.rows.step_by_key(key)

    def _open_step(self, payment_id: AmanaId) -> Step | None:
        for step in self._steps.values():
            if step.payment_id == payment_id and step.status is StepStatus.PENDING:
                return step
        stored = self.rows.open_step(payment_id)
        return None if stored is None or stored.key in self._steps else stored

    def conclude_steps(
        self, conclusions: Sequence[tuple[Step, Reason | None, Instant]]
    ) -> list[tuple[Payment, Step]]:
        """Record each step's outcome unless one is recorded; return the recorded ones."""
        return [self._conclude_step(*conclusion) for conclusion in conclusions]

    def _conclude_step(
        self, step: Step, reason: Reason | None, now: Instant
    ) -> tuple[Payment, Step]:
        payment, stored = self.payment(step.payment_id), self._step_by_key(step.key)
        assert payment is not None, "a step's payment is there"
        assert stored is not None, "what is concluded was recorded"
        if stored.status is not StepStatus.PENDING:
            return payment, stored
        moved, done = rules.conclude_step(payment, stored, reason, now=now)
        self._payments[moved.id] = moved
        self._steps[done.key] = done
        if done.status is StepStatus.DONE:
            if done.amount != payment.total:
                self._spend(payment, done.amount - payment.total)
            self._tell(moved, step=done)
        return moved, done

    # Orders

    def create_orders(self, orders: Sequence[Order]) -> list[Order]:
        """Record each order, or return what its key recorded before."""
        return [self._create_order(order) for order in orders]

    def _create_order(self, order: Order) -> Order:
        met = self._order_keys.get(order.key)
        stored = self.rows.order_by_key(order.key) if met is None else self._orders[met]
        if stored is not None:
            return self._orders.get(stored.id, stored)
        self._orders[order.id] = order
        self._new_orders.add(order.id)
        self._order_keys[order.key] = order.id
        return order

    def cancel_orders(
        self, cancellations: Sequence[tuple[AmanaId, Instant]]
    ) -> list[Order | Refused]:
        """Cancel each order that nobody has paid."""
        return [self._cancel_order(*cancellation) for cancellation in cancellations]

    def _cancel_order(self, order_id: AmanaId, now: Instant) -> Order | Refused:
        order = self.order(order_id)
        assert order is not None, "an order to cancel is there"
        paying = None if order.payment_id is None else self.payment(order.payment_id)
        decided = rules.decide_cancel(order, paying, now=now)
        if isinstance(decided, Order) and decided is not order:
            self._orders[order.id] = decided
            self._outbox.append(
                order.merchant,
                EventKind.ORDER_CANCELLED,
                subject=order.id,
                order_id=order.id,
                amount=order.amount,
                occurred_at=now,
            )
        return decided

    # Telling

    def _tell(self, payment: Payment, step: Step | None = None) -> None:
        """Tell each party of an outcome, once."""
        assert payment.concluded_at is not None, "an outcome has its instant"
        self._count_takings(payment, payment.concluded_at)
        amount = payment.total if step is None or not step.amount else step.amount
        for party, kind in rules.events_of(payment, step):
            self._outbox.append(
                party,
                kind,
                subject=payment.id,
                order_id=rules.order_of(payment),
                amount=amount,
                occurred_at=payment.concluded_at,
            )

    def _count_takings(self, payment: Payment, concluded_at: Instant) -> None:
        merchant = rules.merchant_of(payment)
        if merchant is None or payment.status is not PaymentStatus.PAID:
            return
        key = (merchant, day_number(concluded_at))
        before = self._takings.get(key) or self.rows.takings(*key)
        self._takings[key] = rules.takings_after(before, payment)
        self._takings_changed.add(key)

    # The group's fate

    def before_commit(self) -> None:
        """Write each row of this group once, in its last state."""
        payments, steps, orders = self._payments, self._steps, self._orders
        new_payments, new_steps, new_orders = (
            self._new_payments,
            self._new_steps,
            self._new_orders,
        )
        self.rows.write(
            Changes(
                new_payments=[payments[key] for key in payments if key in new_payments],
                changed_payments=[payments[key] for key in payments if key not in new_payments],
                new_steps=[steps[key] for key in steps if key in new_steps],
                changed_steps=[steps[key] for key in steps if key not in new_steps],
                new_orders=[orders[key] for key in orders if key in new_orders],
                changed_orders=[orders[key] for key in orders if key not in new_orders],
                spent=[(payer, day, self._spent[payer, day]) for payer, day in self._spent_changed],
                takings=[(*key, self._takings[key]) for key in self._takings_changed],
            )
        )

    def after_commit(self) -> None:
        """Let the rows speak for this group; keep what is pending at hand."""
        for payment in self._payments.values():
            if payment.status is PaymentStatus.PENDING:
                self._open[payment.id] = payment
            else:
                self._open.pop(payment.id, None)
        self._last_payments, self._last_orders = self._payments, self._orders
        self._forget()
        if len(self._spent) > SPENT_DAYS_KEPT_MAX:
            self._spent.clear()
        if len(self._takings) > SPENT_DAYS_KEPT_MAX:
            self._takings.clear()

    def after_rollback(self) -> None:
        """Forget a group that was lost."""
        self._forget()
        self._spent.clear()
        self._takings.clear()
        self._open.clear()
        self._load_incoming()
