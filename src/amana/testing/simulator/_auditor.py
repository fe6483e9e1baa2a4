"""The auditor of a world: recomputes everything from what is durable and what clients were told.

It shares no code with what it audits: fees, limits, events and transfer ids are worked out here
once more, from the published rules.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from amana.events import Event, EventKind
from amana.kernel import AmanaId, day_number
from amana.ledger import Account, AccountFlags, Transfer, TransferFlags
from amana.payments.model import (
    Order,
    Party,
    PartyKind,
    Payment,
    PaymentKind,
    PaymentStatus,
    Step,
    StepKind,
    StepStatus,
)
from amana.testing.simulator._purse_auditor import expected_purse_transfers
from amana.testing.simulator._stores import Stored
from amana.testing.simulator._violation import Violation, broken

_FEES: Final = 2
_HOLDS: Final = frozenset({PaymentStatus.AUTHORISED, PaymentStatus.VOIDED, PaymentStatus.EXPIRED})
_COUNTERS: Final = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")


def audit_stored(stored: Stored, parties: dict[AmanaId, Party]) -> Iterator[Violation]:
    """Check everything that can be checked without knowing what clients were told."""
    yield from _ledger(stored)
    yield from _transfers_of_payments(stored)
    yield from _fees(stored, parties)
    yield from _refunds(stored)
    yield from _orders(stored)
    yield from _limits(stored, parties)
    yield from _events(stored, parties)
    yield from _unfinished(stored)


# The ledger by itself


def _ledger(stored: Stored) -> Iterator[Violation]:
    """Debits equal credits; counters follow from transfers; no bound was broken on the way."""
    sums = {account.id: dict.fromkeys(_COUNTERS, 0) for account in stored.accounts}
    accounts = {account.id: account for account in stored.accounts}
    holds: dict[int, Transfer] = {}
    for transfer in stored.transfers:
        yield from _apply(transfer, sums, holds)
        for account_id in (transfer.debit_account_id, transfer.credit_account_id):
            yield from _bounds(accounts[account_id], sums[account_id], transfer)
    for account in stored.accounts:
        found = {name: getattr(account, name) for name in _COUNTERS}
        if found != sums[account.id]:
            yield broken("balances", account.id, expected=sums[account.id], found=found)
    debits = sum(account.debits_posted for account in stored.accounts)
    credit = sum(account.credits_posted for account in stored.accounts)
    if debits != credit:
        yield broken("debits equal credits", "books", expected=debits, found=credit)
    for held in holds.values():
        yield broken("no hold is left over", held.id, expected="ended", found="open")


def _apply(
    transfer: Transfer, sums: dict[int, dict[str, int]], holds: dict[int, Transfer]
) -> Iterator[Violation]:
    debit, credit = sums[transfer.debit_account_id], sums[transfer.credit_account_id]
    flags = int(transfer.flags)
    if flags & TransferFlags.PENDING:
        holds[transfer.id] = transfer
        debit["debits_pending"] += transfer.amount
        credit["credits_pending"] += transfer.amount
        return
    if flags & (TransferFlags.POST_PENDING_TRANSFER | TransferFlags.VOID_PENDING_TRANSFER):
        held = holds.pop(transfer.pending_id, None)
        if held is None:
            yield broken("holds end once", transfer.pending_id, expected="open", found="ended")
            return
        debit["debits_pending"] -= held.amount
        credit["credits_pending"] -= held.amount
    if not flags & TransferFlags.VOID_PENDING_TRANSFER:
        debit["debits_posted"] += transfer.amount
        credit["credits_posted"] += transfer.amount


def _bounds(account: Account, sums: dict[str, int], transfer: Transfer) -> Iterator[Violation]:
    flags = int(account.flags)
    if flags & AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS:
        room = sums["credits_posted"] - sums["debits_posted"] - sums["debits_pending"]
        if room < 0:
            yield broken("no bound is broken", transfer.id, expected="at least 0", found=room)
    if flags & AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS:
        room = sums["debits_posted"] - sums["credits_posted"] - sums["credits_pending"]
        if room < 0:
            yield broken("no bound is broken", transfer.id, expected="at least 0", found=room)


# Payments against the ledger


def _expected_transfers(
    payment: Payment, steps: Iterable[Step]
) -> dict[int, tuple[int, int, int, int]]:
    """Return id to (debit account, credit account, amount, flags without LINKED)."""
    pays, is_paid = (payment.payer_account, payment.payee_account), payment.payee_account
    expected: dict[int, tuple[int, int, int, int]] = {}
    if payment.status in _HOLDS or (payment.is_hold and payment.status is PaymentStatus.PAID):
        expected[payment.id | 1] = (*pays, payment.total, TransferFlags.PENDING)
        for step in steps:
            if step.payment_id != payment.id or step.status is not StepStatus.DONE:
                continue
            base = payment.id + 16 * step.number
            if step.kind is StepKind.CAPTURE:
                flags = TransferFlags.POST_PENDING_TRANSFER
                expected[base + 1] = (*pays, step.amount, flags)
                if step.fee:
                    expected[base + 2] = (is_paid, _FEES, step.fee, 0)
            else:
                flags = TransferFlags.VOID_PENDING_TRANSFER
                expected[base + 1] = (*pays, payment.total, flags)
    elif payment.status is PaymentStatus.PAID:
        expected[payment.id | 1] = (*pays, payment.total, 0)
        if payment.fee and payment.kind is PaymentKind.REFUND:
            expected[payment.id | 2] = (_FEES, payment.payer_account, payment.fee, 0)
        elif payment.fee:
            expected[payment.id | 2] = (is_paid, _FEES, payment.fee, 0)
    return expected


def _transfers_of_payments(stored: Stored) -> Iterator[Violation]:
    """Each payment moved what its row says, and the ledger moved nothing else."""
    found = {
        transfer.id: (
            transfer.debit_account_id,
            transfer.credit_account_id,
            transfer.amount,
            int(transfer.flags) & ~TransferFlags.LINKED,
        )
        for transfer in stored.transfers
    }
    if len(found) != len(stored.transfers):
        yield broken("transfer ids are unique", "books", expected="unique", found="repeated")
    expected: dict[int, tuple[int, int, int, int]] = {}
    for payment in stored.payments.values():
        if payment.kind is not PaymentKind.PURSE:
            expected |= _expected_transfers(payment, stored.steps.values())
    expected |= expected_purse_transfers(stored, found)
    if found == expected:
        return
    for transfer_id in sorted(found.keys() | expected.keys()):
        have, want = found.get(transfer_id), expected.get(transfer_id)
        if have != want:
            yield broken("the ledger moved what was told", transfer_id, expected=want, found=have)


def _fees(stored: Stored, parties: dict[AmanaId, Party]) -> Iterator[Violation]:
    """Fees are the published share of what was taken, rounded down."""
    for payment in stored.payments.values():
        if payment.status is not PaymentStatus.PAID or payment.kind is PaymentKind.REFUND:
            continue
        assert payment.payee is not None, "a payment that was made has a payee"
        party = parties[payment.payee]
        taken = payment.captured if payment.is_hold else payment.total
        share = party.fee_basis_points if party.kind is PartyKind.MERCHANT else 0
        due = (taken * share - taken * share % 10_000) // 10_000
        if payment.fee != due:
            yield broken("fee", payment.id, expected=due, found=payment.fee)
        if payment.is_hold and not 0 < payment.captured <= payment.total:
            yield broken(
                "captured", payment.id, expected=f"1 to {payment.total}", found=payment.captured
            )


def _refunds(stored: Stored) -> Iterator[Violation]:
    """Never more is given back than was taken, and the fee of what is given back with it."""
    refunds: defaultdict[AmanaId, list[Payment]] = defaultdict(list)
    for payment in stored.payments.values():
        if payment.refund_of is not None:
            refunds[payment.refund_of].append(payment)
    for payment in stored.payments.values():
        made = [row for row in refunds[payment.id] if row.status is PaymentStatus.PAID]
        given, fee = sum(row.total for row in made), sum(row.fee for row in made)
        taken = 0
        if payment.status is PaymentStatus.PAID:
            taken = payment.captured if payment.is_hold else payment.total
        if given > taken:
            yield broken("refunds", payment.id, expected=f"at most {taken}", found=given)
        if (payment.refunded, payment.fee_returned) != (given, fee):
            found = (payment.refunded, payment.fee_returned)
            yield broken("refunded", payment.id, expected=(given, fee), found=found)
        if not made:
            continue
        # A refund that the ledger refused may have shifted a unit between two others.
        slack = 0 if given == taken else len(refunds[payment.id]) - len(made)
        stays = (taken - given) * payment.fee_basis_points // 10_000
        if abs(payment.fee - fee - stays) > slack:
            yield broken("fee that stays", payment.id, expected=stays, found=payment.fee - fee)


def _orders(stored: Stored) -> Iterator[Violation]:
    """An order is paid at most once, in time, as asked, and never after its cancelling."""
    takers: defaultdict[AmanaId, list[Payment]] = defaultdict(list)
    for payment in stored.payments.values():
        is_taker = payment.kind is not PaymentKind.REFUND and payment.order_id is not None
        if is_taker and payment.status is not PaymentStatus.REFUSED:
            assert payment.order_id is not None, "just checked"
            takers[payment.order_id].append(payment)
    for order in stored.orders.values():
        yield from _order(order, takers[order.id])


def _order(order: Order, takers: list[Payment]) -> Iterator[Violation]:
    ids = [payment.id for payment in takers]
    expected = [] if order.payment_id is None else [order.payment_id]
    if ids != expected:
        yield broken("an order is paid once", order.id, expected=expected, found=ids)
    if order.cancelled_at is not None and takers:
        yield broken("a cancelled order is not paid", order.id, expected=[], found=ids)
    for payment in takers:
        if payment.total - payment.tip != order.amount:
            found = payment.total - payment.tip
            yield broken("order's amount", order.id, expected=order.amount, found=found)
        if payment.created_at >= order.expires_at:
            late = payment.created_at
            yield broken("paid in time", order.id, expected=order.expires_at, found=late)


# Limits


def _limits(stored: Stored, parties: dict[AmanaId, Party]) -> Iterator[Violation]:
    """No payment, day or holding went beyond its limit."""
    spent: Counter[tuple[AmanaId, int]] = Counter()
    counted = {PaymentStatus.PENDING, PaymentStatus.AUTHORISED, PaymentStatus.PAID}
    for payment in stored.payments.values():
        if payment.status not in counted or payment.kind is PaymentKind.REFUND:
            continue
        assert payment.payer is not None, "a payment that was made has a payer"
        limit = parties[payment.payer].payment_limit
        if limit is not None and payment.total > limit:
            yield broken("payment limit", payment.id, expected=limit, found=payment.total)
        # What a capture left of a hold went back to the payer, and to the limit of that day.
        is_captured = payment.is_hold and payment.status is PaymentStatus.PAID
        used = payment.captured if is_captured else payment.total
        spent[payment.payer, day_number(payment.created_at)] += used
    for (payer, day), minor in spent.items():
        limit = parties[payer].day_limit
        if limit is not None and minor > limit:
            yield broken("day limit", payer, expected=limit, found=minor)
        if stored.days.get((payer, day), 0) != minor:
            found = stored.days.get((payer, day), 0)
            yield broken("spent in a day", payer, expected=minor, found=found)
    for (payer, day), minor in stored.days.items():
        if minor and (payer, day) not in spent:
            yield broken("spent in a day", payer, expected=0, found=minor)
    yield from _holding_limits(stored, parties)
    yield from _takings(stored)


def _takings(stored: Stored) -> Iterator[Violation]:
    """A merchant's day is the sum of its payments, refunds and credits."""
    sums: defaultdict[tuple[AmanaId, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for payment in stored.payments.values():
        if payment.status is not PaymentStatus.PAID:
            continue
        assert payment.concluded_at is not None, "a payment that was made has its instant"
        day = day_number(payment.concluded_at)
        if payment.kind in {PaymentKind.PURCHASE, PaymentKind.PURSE}:
            assert payment.payee is not None, "a payment that was made has a payee"
            row = sums[payment.payee, day]
            row[0] += 1
            row[1] += payment.captured if payment.is_hold else payment.total
            row[2] += payment.fee
        elif payment.kind in {PaymentKind.REFUND, PaymentKind.CREDIT}:
            assert payment.payer is not None, "a payment that was made has a payer"
            row = sums[payment.payer, day]
            row[2] -= payment.fee
            row[3] += payment.total
    found = {
        key: [taken.payments, taken.gross, taken.fees, taken.refunded]
        for key, taken in stored.takings.items()
    }
    for key in sums.keys() | found.keys():
        if sums.get(key) != found.get(key):
            yield broken("takings", key[0], expected=sums.get(key), found=found.get(key))


def _holding_limits(stored: Stored, parties: dict[AmanaId, Party]) -> Iterator[Violation]:
    """Refunds and deposits may go over a holding limit, nothing else may."""
    limits = {
        party.account: party.holding_limit
        for party in parties.values()
        if party.holding_limit is not None
    }
    balances: Counter[int] = Counter()
    given_back: Counter[int] = Counter()
    for transfer in stored.transfers:
        if int(transfer.flags) & (TransferFlags.PENDING | TransferFlags.VOID_PENDING_TRANSFER):
            continue
        balances[transfer.debit_account_id] -= transfer.amount
        account = transfer.credit_account_id
        balances[account] += transfer.amount
        if transfer.code in {PaymentKind.REFUND, PaymentKind.DEPOSIT}:
            given_back[account] += transfer.amount
        elif account in limits and balances[account] - given_back[account] > limits[account]:
            held = balances[account] - given_back[account]
            yield broken("holding limit", account, expected=limits[account], found=held)


# Events


_PAIRS: Final[dict[tuple[PaymentKind, bool], tuple[EventKind | None, EventKind | None]]] = {
    (PaymentKind.PURCHASE, False): (EventKind.PAYMENT_PAID, EventKind.ORDER_PAID),
    (PaymentKind.PURCHASE, True): (EventKind.PAYMENT_AUTHORISED, EventKind.ORDER_AUTHORISED),
    (PaymentKind.PERSON, False): (EventKind.PAYMENT_PAID, EventKind.PAYMENT_RECEIVED),
    (PaymentKind.TOPUP, False): (EventKind.TOPUP_PAID, EventKind.PAYMENT_RECEIVED),
    (PaymentKind.REFUND, False): (EventKind.ORDER_REFUNDED, EventKind.PAYMENT_REFUNDED),
    (PaymentKind.CREDIT, False): (EventKind.ORDER_CREDITED, EventKind.PAYMENT_RECEIVED),
    (PaymentKind.PURSE, False): (None, EventKind.ORDER_PAID),
    (PaymentKind.REFILL, False): (EventKind.PURSE_REFILLED, None),
    (PaymentKind.DEPOSIT, False): (None, EventKind.PURSE_DEPOSITED),
}
_REFUSALS: Final = {
    PaymentKind.PURCHASE: EventKind.PAYMENT_REFUSED,
    PaymentKind.PERSON: EventKind.PAYMENT_REFUSED,
    PaymentKind.TOPUP: EventKind.TOPUP_REFUSED,
    PaymentKind.REFUND: EventKind.REFUND_REFUSED,
    PaymentKind.CREDIT: EventKind.CREDIT_REFUSED,
    PaymentKind.REFILL: EventKind.REFILL_REFUSED,
}
_ENDINGS: Final = {
    StepKind.CAPTURE: (EventKind.PAYMENT_CAPTURED, EventKind.ORDER_CAPTURED),
    StepKind.VOID: (EventKind.PAYMENT_VOIDED, EventKind.ORDER_VOIDED),
    StepKind.EXPIRE: (EventKind.PAYMENT_EXPIRED, EventKind.ORDER_EXPIRED),
}


def _expected_events(
    stored: Stored, parties: dict[AmanaId, Party]
) -> Iterator[tuple[AmanaId, EventKind, AmanaId, int]]:
    """Yield (stream, kind, subject, amount) of everything that must have been told, once each."""
    for payment in stored.payments.values():
        if payment.status is PaymentStatus.REFUSED:
            if payment.kind is PaymentKind.DEPOSIT:
                assert payment.payee is not None, "a deposit has its account holder"
                yield payment.payee, EventKind.DEPOSIT_REFUSED, payment.id, payment.total
            elif payment.payer in parties:
                yield payment.payer, _REFUSALS[payment.kind], payment.id, payment.total
        elif payment.status is not PaymentStatus.PENDING:
            assert payment.payer is not None, "a payment that was made has a payer"
            assert payment.payee is not None, "a payment that was made has a payee"
            to_payer, to_payee = _PAIRS[payment.kind, payment.is_hold]
            if to_payer is not None:
                yield payment.payer, to_payer, payment.id, payment.total
            if to_payee is not None:
                yield payment.payee, to_payee, payment.id, payment.total
    for step in stored.steps.values():
        if step.status is StepStatus.DONE:
            payment = stored.payments[step.payment_id]
            assert payment.payer is not None, "a payment that was made has a payer"
            assert payment.payee is not None, "a payment that was made has a payee"
            amount = step.amount if step.kind is StepKind.CAPTURE else payment.total
            to_payer, to_payee = _ENDINGS[step.kind]
            yield payment.payer, to_payer, payment.id, amount
            yield payment.payee, to_payee, payment.id, amount
    for order in stored.orders.values():
        if order.cancelled_at is not None:
            yield order.merchant, EventKind.ORDER_CANCELLED, order.id, order.amount


def _events(stored: Stored, parties: dict[AmanaId, Party]) -> Iterator[Violation]:
    """One event for each conclusion and party, and each feed counts from one without a gap."""
    found: Counter[tuple[AmanaId, EventKind, AmanaId, int]] = Counter()
    for stream, feed in stored.feeds.items():
        numbers = [event.number for event in feed]
        if numbers != list(range(1, len(feed) + 1)):
            counted = f"1 to {len(feed)}"
            yield broken("events have no gap", stream, expected=counted, found=numbers)
        for event in feed:
            found[stream, event.kind, event.subject, event.amount] += 1
    expected = Counter(_expected_events(stored, parties))
    if found == expected:
        return
    for key in found.keys() | expected.keys():
        if found[key] != expected[key]:
            subject = f"{key[1].value} of {key[2]:x}"
            yield broken("one event each", subject, expected=expected[key], found=found[key])


def audit_feeds(
    stored: Stored, followed: dict[AmanaId, list[Event]], told_live: list[Event]
) -> Iterator[Violation]:
    """Check that a reader saw each event once, in order, and nobody saw one that was lost."""
    for stream, seen in followed.items():
        feed = stored.feeds.get(stream, [])
        if seen != feed:
            yield broken("feed as followed", stream, expected=len(feed), found=len(seen))
    told: Counter[tuple[AmanaId, int]] = Counter()
    for event in told_live:
        told[event.stream, event.number] += 1
        feed = stored.feeds.get(event.stream, [])
        if event.number > len(feed) or feed[event.number - 1] != event:
            yield broken("events told stay", event.stream, expected=event, found="another")
    for (stream, number), count in told.items():
        if count > 1:
            yield broken("events told once", stream, expected=number, found=f"{count} times")


def _unfinished(stored: Stored) -> Iterator[Violation]:
    """Nothing waits at the end, and no hold outlives its time."""
    for payment in stored.payments.values():
        if payment.status in {PaymentStatus.PENDING, PaymentStatus.AUTHORISED}:
            found = payment.status.name
            yield broken("nothing is unfinished", payment.id, expected="an end", found=found)
    for step in stored.steps.values():
        if step.status is StepStatus.PENDING:
            yield broken(
                "nothing is unfinished", step.payment_id, expected="an end", found="step PENDING"
            )
