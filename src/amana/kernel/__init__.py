"""The shared words: money, identifiers, instants, limits, and the unknown outcome."""

from amana.kernel._ids import (
    ID_ALPHABET,
    AmanaId,
    IdKind,
    format_id,
    id_instant,
    new_id,
    parse_id,
)
from amana.kernel._instants import (
    DAY_NS,
    HOUR_NS,
    MILLISECOND_NS,
    MINUTE_NS,
    SECOND_NS,
    Instant,
    day_number,
    format_instant,
    parse_instant,
)
from amana.kernel._money import (
    CURRENCIES,
    Currency,
    Money,
    currency,
    currency_by_numeric,
    parse_decimal,
)
from amana.kernel._ports import Chance, Clock, Unavailable
from amana.kernel.limits import AMOUNT_MINOR_MAX

__all__ = [
    "AMOUNT_MINOR_MAX",
    "CURRENCIES",
    "DAY_NS",
    "HOUR_NS",
    "ID_ALPHABET",
    "MILLISECOND_NS",
    "MINUTE_NS",
    "SECOND_NS",
    "AmanaId",
    "Chance",
    "Clock",
    "Currency",
    "IdKind",
    "Instant",
    "Money",
    "Unavailable",
    "currency",
    "currency_by_numeric",
    "day_number",
    "format_id",
    "format_instant",
    "id_instant",
    "new_id",
    "parse_decimal",
    "parse_id",
    "parse_instant",
]
