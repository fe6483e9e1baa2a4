"""Decisions of a replay: which name is whose, in which order, and what gives back what."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b, sha256
from itertools import chain
from typing import Final

from amana.demo.replay.model import Entry, FileReport, Month, Paid, RowClass, Sum
from amana.kernel.limits import HANDLE_CHARACTERS_MAX, HANDLE_CHARACTERS_MIN
from amana.payments.model import Payment, PaymentKind, PaymentStatus
from amana.wire.csv_purchases import Purchase, PurchaseFile

REPAYMENT_NAMES: Final = ("direct debit payment",)
"""How names begin that the card's issuer prints where no merchant is: the card's holder pays."""

_KEY_BYTES: Final = 16
_HASH_LENGTHS: Final = (6, 12)
_NOT_HANDLE: Final = re.compile(r"[^a-z0-9]+")
_MONTH: Final = re.compile(r"(?<![0-9])(20[0-9]{2})[-_]?(0[1-9]|1[0-2])(?![0-9])", re.ASCII)


def fold_name(name: str) -> str:
    """Return what two prints of one merchant's name have in common.

    Letter case and the number of blanks change with the printer, not with the shop. Everything
    else stays: whether `welcome break kfc` and `welcome break-kfc` are one shop, a file cannot say.
    """
    return " ".join(name.split()).casefold()


def is_repayment(row: Purchase) -> bool:
    """Whether a row is money its holder paid to the card, and no merchant's business."""
    return row.amount_minor < 0 and fold_name(row.merchant).startswith(REPAYMENT_NAMES)


def gives_back(row: Purchase) -> bool:
    """Whether a merchant gives money to a card."""
    return row.amount_minor < 0 and not is_repayment(row)


def row_key(digest: bytes, line: int) -> bytes:
    """Return a row's identity: the content of its file, and its line."""
    return _hash(b"row", digest, b"%d" % line)


def facility_key(digest: bytes, card: str) -> bytes:
    """Return the identity of what the facility pays into a card for a file."""
    return _hash(b"facility", digest, card.encode())


def _hash(*parts: bytes) -> bytes:
    whole = blake2b(digest_size=_KEY_BYTES, person=b"amana replay")
    for part in parts:
        whole.update(b"%d:" % len(part) + part)
    return whole.digest()


def month_of(file: PurchaseFile, data: bytes, *, first_place: int) -> Month:
    """Put a file's rows in the order of their replay.

    By date, because files are not; on one day, what is paid comes before what is given back,
    because files have no time of day; otherwise as in the file.
    """
    digest = sha256(data).digest()
    rows = sorted(file.rows, key=lambda row: (row.occurred_on, row.amount_minor < 0))
    entries = tuple(
        Entry(place, row, fold_name(row.merchant), row_key(digest, row.line), _body(row))
        for place, row in enumerate(rows, first_place)
    )
    outside = _outside(file.name, rows)
    return Month(file.name, digest, entries, file.blank_lines, outside, file.total_minor())


def _body(row: Purchase) -> bytes:
    parts = (row.occurred_on.isoformat(), str(row.amount_minor), row.merchant, row.card)
    return _hash(b"body", *(part.encode() for part in parts))


def _outside(name: str, rows: Iterable[Purchase]) -> int | None:
    """Count the rows whose date is not in the month that the file's name states."""
    stated = _MONTH.search(name)
    if stated is None:
        return None
    month = (int(stated[1]), int(stated[2]))
    return sum((row.occurred_on.year, row.occurred_on.month) != month for row in rows)


def rounds(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Part rows into rounds, so that the rows of one round do not depend on each other.

    What a merchant may give back depends on what it was paid and gave back before; nothing else
    depends on order, because each card has its money before the first round. So within a round,
    a merchant is either paid any number of times or gives back once, and every merchant's rows
    keep their order from round to round.
    """
    made: list[list[Entry]] = []
    reached: dict[str, tuple[int, bool]] = {}
    for entry in entries:
        number = 0
        if not is_repayment(entry.row):
            is_back = gives_back(entry.row)
            number, was_back = reached.get(entry.merchant, (0, False))
            if entry.merchant in reached and (is_back or was_back):
                number += 1
            reached[entry.merchant] = (number, is_back)
        if number == len(made):
            made.append([])
        made[number].append(entry)
    return made


def refunded_by(
    amount_minor: int, candidates: Sequence[Paid], places: Mapping[bytes, int]
) -> Paid | None:
    """Choose the earlier payment that a row gives back, if there is one.

    Args:
        amount_minor: What is given back, positive.
        candidates: Paid purchases of the card at the merchant with at least that much left.
        places: Where in this run the rows stand, by key; other payments were there before.
    Returns:
        The newest of exactly this amount; else the newest of all; newest by order of replay.
    """
    exact = [paid for paid in candidates if paid.total == amount_minor]
    return max(
        exact or candidates,
        key=lambda paid: (places.get(paid.key, -1), paid.created_at, paid.payment),
        default=None,
    )


def card_handles(card: str) -> tuple[str, ...]:
    """Return the handles a card may have, first choice first: of its number, the last four digits.

    Two masked numbers may end alike; a hash of the masked text then tells them apart.
    """
    return _handles(f"card-{card[-4:]}", card)


def merchant_handles(merchant: str) -> tuple[str, ...]:
    """Return the handles a merchant may have, first choice first: from its name, then hashed."""
    slug = _NOT_HANDLE.sub("-", merchant).strip("-")
    if len(slug) < HANDLE_CHARACTERS_MIN:
        slug = f"shop-{slug}".strip("-")
    return _handles(slug, merchant)


def _handles(slug: str, name: str) -> tuple[str, ...]:
    digest = sha256(name.encode()).hexdigest()
    tails = ("", *(f"-{digest[:length]}" for length in _HASH_LENGTHS))
    return tuple(slug[: HANDLE_CHARACTERS_MAX - len(tail)].strip("-") + tail for tail in tails)


_CLASSES: Final = {
    PaymentKind.PURCHASE: RowClass.PURCHASE,
    PaymentKind.REFUND: RowClass.REFUND,
    PaymentKind.CREDIT: RowClass.CREDIT,
    PaymentKind.TOPUP: RowClass.REPAYMENT,
}


def count_row(report: FileReport, payment: Payment) -> None:
    """Add what the books hold of a row to its class; one that is not concluded is in none."""
    signed = payment.total if payment.kind is PaymentKind.PURCHASE else -payment.total
    if payment.status is PaymentStatus.REFUSED:
        assert payment.reason is not None, "a refusal has its reason"
        count_refusal(report, payment.reason.value, signed)
    elif payment.status is PaymentStatus.PAID:
        report.classes[_CLASSES[payment.kind]].add(signed)
        if payment.kind is PaymentKind.REFUND:
            report.fees_returned += payment.fee
        else:
            report.fees_taken += payment.fee


def count_refusal(report: FileReport, reason: str, signed: int) -> None:
    """Add a refused row, with its reason."""
    report.classes[RowClass.REFUSED].add(signed)
    report.reasons.setdefault(reason, Sum()).add(signed)


def movements(payments: Iterable[Payment]) -> tuple[int, int, int]:
    """Return by how much payments change what customers, merchants and fees hold together."""
    customers = merchants = fees = 0
    for payment in payments:
        assert payment.kind is not PaymentKind.PERSON, "a replay has no payments between people"
        if payment.status is not PaymentStatus.PAID:
            continue
        sign = -1 if payment.kind is PaymentKind.PURCHASE else 1
        fee = -sign * payment.fee
        customers += sign * payment.total
        if payment.kind is not PaymentKind.TOPUP:
            merchants -= sign * payment.total + fee
            fees += fee
    return customers, merchants, fees


def shortfalls(entries: Iterable[Entry], held: Mapping[str, int]) -> dict[str, int]:
    """Return by card what its purchases take beyond what the card holds; none where enough."""
    spent: dict[str, int] = {}
    for entry in entries:
        spent[entry.card] = spent.get(entry.card, 0) + max(0, entry.amount_minor)
    lacking = {card: minor - held.get(card, 0) for card, minor in spent.items()}
    return {card: minor for card, minor in lacking.items() if minor > 0}


def cards_of(months: Iterable[Month]) -> list[str]:
    """Return every card once, in the order of replay."""
    return list(dict.fromkeys(entry.card for entry in _all(months)))


def merchants_of(months: Iterable[Month]) -> list[str]:
    """Return every merchant's folded name once, in the order of replay."""
    names = (entry.merchant for entry in _all(months) if not is_repayment(entry.row))
    return list(dict.fromkeys(names))


def _all(months: Iterable[Month]) -> Iterator[Entry]:
    return chain.from_iterable(month.entries for month in months)
