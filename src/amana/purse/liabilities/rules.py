"""Making a statement out of what the books say."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from amana.purse.liabilities.model import (
    Count,
    DenominationStatement,
    Facts,
    KeysetStatement,
    Statement,
)
from amana.purse.model import Keyset

_EPOCH: Final = date(1970, 1, 1).toordinal()


def date_of(day: int) -> str:
    """Write a day as a date (ISO 8601)."""
    return date.fromordinal(_EPOCH + day).isoformat()


def read_date(text: str) -> int | None:
    """Return the day of a date in the one form it is written in; None for anything else."""
    try:
        day = date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError:
        return None
    return day if date_of(day) == text else None


def make_statement(
    facts: Facts, keysets: Sequence[Keyset], *, day: int, unit: str, previous: str | None
) -> Statement:
    """Write down what is owed.

    Args:
        facts: The books at one moment.
        keysets: The whole list, oldest first.
        day: The day of that moment.
        unit: The unit of the operator's e-cash.
        previous: The hash of the statement before, in hex.
    """
    own = [keyset for keyset in keysets if keyset.unit == unit]
    numbers = {keyset.number for keyset in own}
    counts = [count for count in facts.counts if count.keyset in numbers]
    assert len(counts) == len(facts.counts), "what was signed is of a keyset in the list"
    outstanding = sum(_out(count) for count in counts)
    owed = outstanding + facts.promised + facts.returning
    return Statement(
        day=date_of(day),
        unit=unit,
        keysets=tuple(_keyset(keyset, counts) for keyset in own),
        outstanding=str(outstanding),
        promised=str(facts.promised),
        returning=str(facts.returning),
        to_post=str(facts.to_post),
        ledger_balance=str(facts.balance),
        even=owed == facts.balance - facts.to_post,
        previous=previous,
    )


def _out(count: Count) -> int:
    return (count.signed - count.spent) * count.amount


def _keyset(keyset: Keyset, counts: Sequence[Count]) -> KeysetStatement:
    own = sorted(count for count in counts if count.keyset == keyset.number)
    return KeysetStatement(
        id=keyset.id,
        active=keyset.is_active,
        revoked=keyset.is_revoked,
        final_expiry=keyset.final_expiry,
        outstanding=str(sum(_out(count) for count in own)),
        denominations=tuple(
            DenominationStatement(
                amount=str(count.amount),
                signed=str(count.signed),
                spent=str(count.spent),
                outstanding=str(count.signed - count.spent),
            )
            for count in own
        ),
    )
