"""Money neither appears nor disappears, and reads as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.kernel import (
    AMOUNT_MINOR_MAX,
    CURRENCIES,
    Currency,
    Money,
    currency,
    currency_by_numeric,
    parse_decimal,
)

EUR = currency("EUR")
JPY = currency("JPY")
KWD = currency("KWD")

units = st.sampled_from(sorted(CURRENCIES.values(), key=lambda unit: unit.code))
minors = st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX)
weights = st.lists(st.integers(0, 10_000), min_size=1, max_size=9).filter(any)


def eur(minor: int) -> Money:
    return Money(EUR, minor)


@given(minors, weights)
def test_a_split_loses_nothing(minor: int, shares: list[int]) -> None:
    parts = eur(minor).split(shares)
    assert sum(part.minor for part in parts) == minor
    assert len(parts) == len(shares)


@given(minors, weights)
def test_a_share_is_within_one_unit_of_its_part(minor: int, shares: list[int]) -> None:
    for part, share in zip(eur(minor).split(shares), shares, strict=True):
        assert abs(abs(part.minor) * sum(shares) - abs(minor) * share) <= sum(shares)


@given(minors, weights)
def test_a_share_of_no_weight_is_nothing(minor: int, shares: list[int]) -> None:
    parts = eur(minor).split(shares)
    assert all(not part.minor for part, share in zip(parts, shares, strict=True) if not share)


def test_what_is_left_over_goes_to_the_earliest_shares_of_weight() -> None:
    assert [part.minor for part in eur(100).split((0, 1, 1, 1))] == [0, 34, 33, 33]
    assert [part.minor for part in eur(-100).split((1, 1, 1))] == [-34, -33, -33]
    # Even a share that comes out even: here a whole unit more than its part.
    assert [part.minor for part in eur(6).split((2, 1, 1))] == [4, 1, 1]


@pytest.mark.parametrize("shares", [(), (0,), (0, 0), (2, -1)])
def test_weights_that_share_nothing_are_a_mistake(shares: tuple[int, ...]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        eur(1).split(shares)


@given(st.integers(-(2**62) + 1, 2**62 - 1), st.integers(-(2**62), 2**62))
def test_adding_and_subtracting_are_each_others_opposite(first: int, second: int) -> None:
    assert eur(first) + eur(second) - eur(second) == eur(first)


def test_only_money_of_one_currency_can_be_added_or_subtracted() -> None:
    with pytest.raises(AssertionError, match="one currency"):
        _ = eur(1) + Money(JPY, 1)
    with pytest.raises(AssertionError, match="one currency"):
        _ = eur(1) - Money(JPY, 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_money_stays_within_the_bound_of_every_engine(sign: int) -> None:
    assert eur(sign * AMOUNT_MINOR_MAX).minor == sign * AMOUNT_MINOR_MAX
    with pytest.raises(AssertionError, match="64 bits"):
        eur(sign * (AMOUNT_MINOR_MAX + 1))


def test_money_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        eur(1).minor = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("unit", "minor", "text"),
    [
        (EUR, 1250, "12.50"),
        (EUR, 5, "0.05"),
        (EUR, -5, "-0.05"),
        (EUR, 0, "0.00"),
        (JPY, 1250, "1250"),
        (JPY, -7, "-7"),
        (KWD, 1250, "1.250"),
    ],
)
def test_a_decimal_has_the_digits_of_its_currency(unit: Currency, minor: int, text: str) -> None:
    assert Money(unit, minor).decimal() == text


@given(units, minors)
def test_a_decimal_reads_as_it_was_written(unit: Currency, minor: int) -> None:
    assert parse_decimal(unit, Money(unit, minor).decimal()) == Money(unit, minor)


@pytest.mark.parametrize(
    ("unit", "text", "minor"),
    [
        (EUR, "12.5", 1250),
        (EUR, "12.5000", 1250),
        (EUR, "-0", 0),
        (EUR, "007", 700),
        (JPY, "12.0", 12),
        (KWD, "0.001", 1),
        (EUR, "92233720368547758.07", AMOUNT_MINOR_MAX),
    ],
)
def test_decimals_are_read_exactly(unit: Currency, text: str, minor: int) -> None:
    assert parse_decimal(unit, text) == Money(unit, minor)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        (EUR, "12.505"),
        (JPY, "12.5"),
        (EUR, ""),
        (EUR, "."),
        (EUR, ".5"),
        (EUR, "5."),
        (EUR, "1,50"),
        (EUR, "1e3"),
        (EUR, "+1"),
        (EUR, " 1"),
        (EUR, "1\n"),
        (EUR, "١٢"),
        (EUR, "NaN"),
        (EUR, "92233720368547758.08"),
        (EUR, "99999999999999999999"),
    ],
)
def test_what_is_no_exact_amount_is_not_read(unit: Currency, text: str) -> None:
    assert parse_decimal(unit, text) is None


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_and_never_raises(text: str) -> None:
    for read in (parse_decimal(EUR, text), Money.parse_minor(EUR, text)):
        assert read is None or isinstance(read, Money)


@given(units, minors)
def test_minor_units_read_as_they_were_written(unit: Currency, minor: int) -> None:
    assert Money.parse_minor(unit, str(minor)) == Money(unit, minor)


@pytest.mark.parametrize(
    "text",
    ["", "-", "-0", "01", "1.0", "1_000", " 1", "1\n", "٣", "9223372036854775808", "1" * 40],
)
def test_minor_units_have_one_spelling(text: str) -> None:
    assert Money.parse_minor(EUR, text) is None


def test_currencies_are_found_by_code_and_by_number() -> None:
    assert all(currency_by_numeric(unit.numeric) is unit for unit in CURRENCIES.values())
    assert all(currency(code).code == code for code in CURRENCIES)
    assert currency_by_numeric("000") is None
    with pytest.raises(KeyError):
        currency("ZZZ")


def test_currencies_are_well_formed() -> None:
    for unit in CURRENCIES.values():
        assert len(unit.code) == 3
        assert unit.code.isupper()
        assert len(unit.numeric) == 3
        assert unit.numeric.isdigit()
        assert 0 <= unit.exponent <= 4
