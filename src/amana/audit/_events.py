"""Events against payments: each conclusion told once to each party, each feed without a gap."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from amana.audit._report import Findings
from amana.kernel import IdKind, format_id

_EVENTS: Final = (
    "SELECT stream, number, kind, subject, order_id, amount, occurred_at FROM events_events "
    "ORDER BY stream, number"
)
_PAYMENTS: Final = (
    "SELECT id, kind, status, payer, payee, total, order_id, refund_of, hold_expires_at, "
    "concluded_at "
    "FROM payments_payments WHERE status <> 1"
)
_STEPS: Final = (
    "SELECT s.kind, s.amount, p.id, p.payer, p.payee, p.total, p.order_id, s.concluded_at "
    "FROM payments_steps AS s JOIN payments_payments AS p ON p.id = s.payment_id "
    "WHERE s.status = 2"
)
_CANCELLED: Final = (
    "SELECT merchant, id, amount, cancelled_at FROM payments_orders WHERE cancelled_at IS NOT NULL"
)

_PURCHASE: Final = 1
_REFUND: Final = 4
_DEPOSIT: Final = 8
_REFUSED: Final = 4
_CAPTURE: Final = 1
_MADE: Final[dict[tuple[int, bool], tuple[str | None, str | None]]] = {
    (1, False): ("payment.paid", "order.paid"),
    (1, True): ("payment.authorised", "order.authorised"),
    (2, False): ("payment.paid", "payment.received"),
    (3, False): ("topup.paid", "payment.received"),
    (4, False): ("order.refunded", "payment.refunded"),
    (5, False): ("order.credited", "payment.received"),
    (6, False): (None, "order.paid"),
    (7, False): ("purse.refilled", None),
    (8, False): (None, "purse.deposited"),
}
_NOT_MADE: Final = {
    1: "payment.refused",
    2: "payment.refused",
    3: "topup.refused",
    4: "refund.refused",
    5: "credit.refused",
    7: "refill.refused",
    8: "deposit.refused",
}
_ENDED: Final = {
    1: ("payment.captured", "order.captured"),
    2: ("payment.voided", "order.voided"),
    3: ("payment.expired", "order.expired"),
}
_PROGRESS_EVERY: Final = 50_000

_AUTHORISED: Final = frozenset({"payment.authorised", "order.authorised"})
"""When a hold was authorised is told only by its events: its end takes the place in its row."""

_Fact = tuple[str, bytes, bytes | None, int, int | None]
"""Kind, subject, order, amount, and when it happened, where the rows still say so."""


def audit_events(
    connection: sqlite3.Connection, findings: Findings, progress: Callable[[str, int], None]
) -> int:
    """Check all feeds; return how many events there are."""
    sums: Counter[bytes] = Counter()
    count = 0
    for stream, fact in _told(connection, findings):
        sums[stream] += hash(fact)
        count += 1
        if not count % _PROGRESS_EVERY:
            progress("events", count)
    for stream, fact in _expected(connection):
        sums[stream] -= hash(fact)
    differing = {stream for stream, rest in sums.items() if rest}
    if differing:
        _name(connection, findings, differing)
    return count


def _told(
    connection: sqlite3.Connection, findings: Findings | None = None
) -> Iterator[tuple[bytes, _Fact]]:
    """Yield what was told, and find gaps on the way."""
    previous, last = b"", 0
    for stream, number, kind, subject, order_id, amount, at in connection.execute(_EVENTS):
        if stream != previous:
            previous, last = stream, 0
        if findings is not None and number != last + 1:
            findings.add(
                "events have no gap",
                "events_events",
                stream.hex(),
                expected=last + 1,
                found=number,
            )
        last = number
        yield stream, (kind, subject, order_id, amount, None if kind in _AUTHORISED else at)


def _expected(connection: sqlite3.Connection) -> Iterator[tuple[bytes, _Fact]]:
    """Yield what must have been told, once each."""
    for row in connection.execute(_PAYMENTS):
        key, kind, status, payer, payee, total, order_id, refund_of, hold_ends, at = row
        if kind == _PURCHASE:
            order_id = order_id or key
        elif kind == _REFUND:
            order_id = order_id or refund_of
        if status == _REFUSED:
            told_to = payee if kind == _DEPOSIT else payer
            if told_to is not None:
                yield told_to, (_NOT_MADE[kind], key, order_id, total, at)
            continue
        kinds = _MADE.get((kind, hold_ends is not None), ("a hold", "a hold"))
        for party, told in zip((payer, payee), kinds, strict=True):
            if told is not None:
                yield party, (told, key, order_id, total, None if hold_ends is not None else at)
    for kind, amount, key, payer, payee, total, order_id, at in connection.execute(_STEPS):
        minor = amount if kind == _CAPTURE else total
        for party, told in zip((payer, payee), _ENDED[kind], strict=True):
            yield party, (told, key, order_id or key, minor, at)
    for merchant, key, amount, at in connection.execute(_CANCELLED):
        yield merchant, ("order.cancelled", key, key, amount, at)


def _name(connection: sqlite3.Connection, findings: Findings, streams: set[bytes]) -> None:
    """Go through everything once more for the feeds that differ, and say how."""
    found: Counter[tuple[bytes, _Fact]] = Counter()
    expected: Counter[tuple[bytes, _Fact]] = Counter()
    for stream, fact in _told(connection):
        if stream in streams:
            found[stream, fact] += 1
    for stream, fact in _expected(connection):
        if stream in streams:
            expected[stream, fact] += 1
    for place in sorted(found.keys() | expected.keys(), key=repr):
        if found[place] == expected[place]:
            continue
        stream, (kind, subject, _, amount, _) = place
        what = f"{kind} of {format_id(IdKind.PAYMENT, int.from_bytes(subject))}, {amount}"
        findings.add(
            "one event each",
            "events_events",
            f"{stream.hex()}: {what}",
            expected=expected[place],
            found=found[place],
        )
