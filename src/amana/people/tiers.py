"""Limits by tier, read from the one data file that states them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from amana.kernel import Currency, parse_decimal
from amana.people.model import Limits

CORPORATE_TIER: Final = "corporate"
"""The tier of a card whose own limits are stated with each customer."""


@dataclass(frozen=True, slots=True)
class Tiers:
    """The table of limits in one currency."""

    default: str
    limits: Mapping[str, Limits]


def load_tiers(unit: Currency) -> Tiers:
    """Read the table in the operator's currency."""
    return parse_tiers(unit, files("amana.people").joinpath("tiers.json").read_text("utf-8"))


def parse_tiers(unit: Currency, text: str) -> Tiers:
    """Read a table of limits.

    Raises:
        ValueError: The table is not one, told with the tier at fault.
    """
    table = json.loads(text)
    limits = {name: _limits(unit, name, row) for name, row in table["tiers"].items()}
    if table["default"] not in limits:
        raise ValueError(f"The default tier {table['default']} is not in the table of tiers.")
    return Tiers(table["default"], limits)


def _limits(unit: Currency, tier: str, row: Mapping[str, str]) -> Limits:
    amounts = [parse_decimal(unit, row[name]) for name in ("payment", "day", "holding")]
    minor = [amount.minor for amount in amounts if amount is not None and amount.minor > 0]
    if len(minor) != len(amounts) or not minor[0] <= minor[1]:
        raise ValueError(
            f"Tier {tier} needs a payment, day and holding limit, each a positive amount of "
            f"{unit.code}, and no payment limit above the day's."
        )
    return Limits(*minor)
