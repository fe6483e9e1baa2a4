"""Money: a whole number of minor units and a currency. No floats, no silent rounding."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from amana.kernel._currency_data import ISO_4217
from amana.kernel.limits import AMOUNT_MINOR_MAX


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency of ISO 4217.

    `exponent` is the number of decimal digits of its minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    """

    code: str
    numeric: str
    exponent: int


CURRENCIES: Final = {
    code: Currency(code, numeric, exponent) for code, numeric, exponent in ISO_4217
}
_BY_NUMERIC: Final = {unit.numeric: unit for unit in CURRENCIES.values()}
_DIGITS: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_DECIMAL: Final = re.compile(r"(-?)([0-9]{1,19})(?:\.([0-9]{1,10}))?", re.ASCII)


def currency(code: str) -> Currency:
    """Return the currency with this ISO 4217 code; KeyError where there is none."""
    return CURRENCIES[code]


def currency_by_numeric(numeric: str) -> Currency | None:
    """Return the currency with this three-digit ISO 4217 number, if there is one."""
    return _BY_NUMERIC.get(numeric)


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in one currency; may be negative, within 64 bits."""

    currency: Currency
    minor: int

    def __post_init__(self) -> None:
        """Hold the bound that every engine has."""
        assert abs(self.minor) <= AMOUNT_MINOR_MAX, "money stays within 64 bits"

    def __add__(self, other: "Money") -> "Money":
        """Add money of the same currency."""
        assert self.currency == other.currency, "only money of one currency can be added"
        return Money(self.currency, self.minor + other.minor)

    def __sub__(self, other: "Money") -> "Money":
        """Subtract money of the same currency."""
        assert self.currency == other.currency, "only money of one currency can be subtracted"
        return Money(self.currency, self.minor - other.minor)

    def split(self, weights: Sequence[int]) -> tuple["Money", ...]:
        """Share an amount by whole weights without losing a unit.

        Args:
            weights: At least one, none negative, not all zero.
        Returns:
            One share a weight, each the share rounded towards zero; the units left over go one
            each to the earliest shares of positive weight. The shares add up to the amount.
        """
        total = sum(weights)
        assert total > 0, "at least one weight is positive"
        assert min(weights) >= 0, "no weight is negative"
        sign = -1 if self.minor < 0 else 1
        shares = [abs(self.minor) * weight // total for weight in weights]
        left_over = abs(self.minor) - sum(shares)
        for position, weight in enumerate(weights):
            if left_over and weight:
                shares[position] += 1
                left_over -= 1
        assert not left_over, "fewer units are left over than there are positive weights"
        return tuple(Money(self.currency, sign * share) for share in shares)

    def decimal(self) -> str:
        """Write the amount with its decimal point, exactly: 1250 EUR-cents as 12.50."""
        sign = "-" if self.minor < 0 else ""
        exponent = self.currency.exponent
        digits = str(abs(self.minor)).rjust(exponent + 1, "0")
        if not exponent:
            return sign + digits
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"

    @classmethod
    def parse_minor(cls, unit: Currency, text: str) -> "Money | None":
        """Read minor units from a string of digits; None where it is not one or too large."""
        if _DIGITS.fullmatch(text) is None or abs(int(text)) > AMOUNT_MINOR_MAX or text == "-0":
            return None
        return cls(unit, int(text))


def parse_decimal(unit: Currency, text: str) -> Money | None:
    """Read a decimal amount exactly.

    Returns:
        The money; None where the text is not a plain decimal, has more digits than the currency's
        minor unit holds (trailing zeros aside), or is too large.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return None
    fraction = (match[3] or "").rstrip("0")
    if len(fraction) > unit.exponent:
        return None
    minor = int(match[2]) * 10**unit.exponent + int(fraction.ljust(unit.exponent, "0") or "0")
    if minor > AMOUNT_MINOR_MAX:
        return None
    return Money(unit, -minor if match[1] else minor)
