"""Handles, names, limits, scopes and states: what is taken and what is refused."""

import string
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from amana.kernel import AMOUNT_MINOR_MAX, AmanaId, currency
from amana.people import (
    TRANSITIONS,
    UNLIMITED,
    Customer,
    Handle,
    LimitReason,
    Limits,
    Merchant,
    MerchantRole,
    PartyStatus,
    RefusalReason,
    Refused,
    Scope,
    decide_holding_limit,
    decide_payment_limits,
    load_tiers,
    parse_handle,
)
from amana.people.rules import (
    ROLE_SCOPES,
    decide_close,
    decide_customer,
    decide_erase,
    decide_label,
    decide_merchant,
    decide_note_key,
    decide_scopes,
    is_name,
)
from amana.people.tiers import parse_tiers

EUR = currency("EUR")
INNER = string.ascii_lowercase + string.digits + "-"
OUTER = string.ascii_lowercase + string.digits
handles = st.builds(
    lambda first, inner, last: first + inner + last,
    st.sampled_from(OUTER),
    st.text(INNER, min_size=1, max_size=23),
    st.sampled_from(OUTER),
)
amounts = st.integers(0, AMOUNT_MINOR_MAX)
positive = st.integers(1, AMOUNT_MINOR_MAX)
some_limits = st.builds(Limits, positive, positive, positive)

CUSTOMER = Customer(
    customer=AmanaId(1),
    ledger_account=AmanaId(2),
    handle=Handle("noor"),
    display_name="Noor",
    language="en",
    tier="play",
    status=PartyStatus.ACTIVE,
)
MERCHANT = Merchant(
    merchant=AmanaId(1),
    ledger_account=AmanaId(2),
    handle=Handle("bakery"),
    name="Bakery Noor",
    names={"ar": "مخبز نور", "zh-Hans": "面包店"},
    category="5462",
    country="AE",
    city="Dubai",
    fee_basis_points=None,
    status=PartyStatus.ACTIVE,
)


@given(handles)
def test_a_well_formed_handle_is_taken_as_written(text: str) -> None:
    assert parse_handle(text) == text


@given(st.text(max_size=30))
def test_any_text_is_a_handle_only_if_it_looks_like_one(text: str) -> None:
    is_one = (
        3 <= len(text) <= 25
        and all(character in INNER for character in text)
        and text[0] != "-"
        and text[-1] != "-"
    )
    assert (parse_handle(text) is not None) == is_one


@given(handles, st.characters(exclude_characters=INNER), st.integers(0, 24))
def test_one_foreign_character_anywhere_spoils_a_handle(
    text: str, foreign: str, place: int
) -> None:
    assert parse_handle(text[:place] + foreign + text[place + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["ab", "a" * 26, "", "-abc", "abc-", "Noor", "no_or", "no.or", "nöor", "noor\n", "١٢٣"]
)
def test_near_misses_are_no_handles(text: str) -> None:
    assert parse_handle(text) is None


@pytest.mark.parametrize(
    "text",
    ["Noor", "مخبز نور", "面包店", "Ó Briain", "O’Brien & Söhne", "नूर", "نور‌جان", "👩‍🍳 Ana"],
)
def test_names_in_any_script_are_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " Noor",
        "Noor ",
        "No\nor",
        "No\x00or",
        "Noor\u202eevil",
        "\u2066Noor",
        "a" * 61,
        "\ud800",
        "\ue000",
        "line\u2028break",
        "\u200d",
    ],
)
def test_what_hides_or_reorders_is_no_name(text: str) -> None:
    assert not is_name(text)


def test_a_well_formed_customer_and_merchant_are_taken() -> None:
    assert decide_customer(CUSTOMER) is None
    assert decide_merchant(MERCHANT) is None
    assert decide_merchant(replace(MERCHANT, fee_basis_points=0)) is None
    assert decide_merchant(replace(MERCHANT, fee_basis_points=10_000)) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"handle": "No"}, RefusalReason.HANDLE_MALFORMED),
        ({"display_name": ""}, RefusalReason.NAME_MALFORMED),
        ({"language": "tlh"}, RefusalReason.LANGUAGE_UNKNOWN),
    ],
)
def test_a_malformed_customer_is_refused_with_the_reason(
    change: dict[str, str], reason: RefusalReason
) -> None:
    refused = decide_customer(replace(CUSTOMER, **change))  # type: ignore[arg-type]
    assert refused is not None
    assert refused.reason is reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"handle": "bakery!"}, RefusalReason.HANDLE_MALFORMED),
        ({"name": "a" * 61}, RefusalReason.NAME_MALFORMED),
        ({"names": {"arabic": "مخبز"}}, RefusalReason.NAME_MALFORMED),
        ({"names": {"ar": ""}}, RefusalReason.NAME_MALFORMED),
        ({"names": {f"a{letter}": "Name" for letter in "abcdefghi"}}, RefusalReason.NAME_MALFORMED),
        ({"category": "546"}, RefusalReason.CATEGORY_MALFORMED),
        ({"category": "٥٤٦٢"}, RefusalReason.CATEGORY_MALFORMED),
        ({"country": "ae"}, RefusalReason.COUNTRY_MALFORMED),
        ({"city": ""}, RefusalReason.CITY_MALFORMED),
        ({"city": "Llanfairpwllgwyngyll"}, RefusalReason.CITY_MALFORMED),
        ({"fee_basis_points": -1}, RefusalReason.FEE_OUT_OF_RANGE),
        ({"fee_basis_points": 10_001}, RefusalReason.FEE_OUT_OF_RANGE),
    ],
)
def test_a_malformed_merchant_is_refused_with_the_reason(
    change: dict[str, object], reason: RefusalReason
) -> None:
    refused = decide_merchant(replace(MERCHANT, **change))  # type: ignore[arg-type]
    assert refused is not None
    assert refused.reason is reason


@given(st.binary(max_size=40))
def test_a_note_key_is_thirty_two_bytes_and_not_nothing(note_key: bytes) -> None:
    is_one = len(note_key) == 32 and note_key != bytes(32)
    assert (decide_note_key(note_key) is None) == is_one


def test_a_note_key_of_zeros_is_refused() -> None:
    assert decide_note_key(bytes(32)) is not None
    assert decide_note_key(bytes(31) + b"\x01") is None


@given(some_limits, amounts, amounts)
def test_a_payment_within_both_limits_passes_and_no_other(
    limits: Limits, amount: int, spent: int
) -> None:
    reason = decide_payment_limits(limits, amount_minor=amount, spent_today_minor=spent)
    if amount > limits.payment_minor_max:
        assert reason is LimitReason.EXCEEDS_PAYMENT_LIMIT
    elif spent + amount > limits.day_minor_max:
        assert reason is LimitReason.EXCEEDS_DAY_LIMIT
    else:
        assert reason is None


@given(some_limits, amounts, amounts)
def test_the_exact_limit_may_be_paid_and_one_unit_more_may_not(
    limits: Limits, spent: int, more: int
) -> None:
    assume(spent <= limits.day_minor_max)
    left = min(limits.payment_minor_max, limits.day_minor_max - spent)
    assert decide_payment_limits(limits, amount_minor=left, spent_today_minor=spent) is None
    over = left + 1 + more
    assert decide_payment_limits(limits, amount_minor=over, spent_today_minor=spent) is not None


@given(some_limits, amounts, st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX))
def test_a_payee_holds_no_more_than_the_limit(limits: Limits, amount: int, holding: int) -> None:
    reason = decide_holding_limit(limits, amount_minor=amount, holding_minor=holding)
    assert (reason is LimitReason.EXCEEDS_HOLDING_LIMIT) == (
        holding + amount > limits.holding_minor_max
    )


@given(amounts)
def test_a_merchants_income_is_not_limited(amount: int) -> None:
    assert decide_holding_limit(UNLIMITED, amount_minor=amount, holding_minor=0) is None


@given(st.frozensets(st.sampled_from(Scope)), st.frozensets(st.sampled_from(Scope)))
def test_a_key_never_does_more_than_its_maker(
    held: frozenset[Scope], wanted: frozenset[Scope]
) -> None:
    refused = decide_scopes(held, wanted)
    assert (refused is None) == (bool(wanted) and wanted <= held)


def test_a_cashier_takes_money_and_gives_none_back() -> None:
    assert Scope.REFUNDS not in ROLE_SCOPES[MerchantRole.CASHIER]
    assert Scope.ORDERS in ROLE_SCOPES[MerchantRole.CASHIER]
    assert ROLE_SCOPES.keys() == set(MerchantRole)


def test_a_label_may_be_empty_but_not_hidden() -> None:
    assert decide_label("") is None
    assert decide_label("Till 2") is None
    assert decide_label("\u202e") is not None


@pytest.mark.parametrize("status", PartyStatus)
@pytest.mark.parametrize("held", [0, 1, -1])
def test_only_an_active_account_that_holds_nothing_is_closed(
    status: PartyStatus, held: int
) -> None:
    refused = decide_close(status, held_minor=held)
    if status is not PartyStatus.ACTIVE:
        assert refused == Refused(RefusalReason.NOT_ACTIVE, "Only an active account can be closed.")
    elif held:
        assert refused is not None
        assert refused.reason is RefusalReason.HOLDS_MONEY
    else:
        assert refused is None


@pytest.mark.parametrize("status", PartyStatus)
def test_an_open_account_is_not_erased(status: PartyStatus) -> None:
    assert (decide_erase(status) is None) == (status is not PartyStatus.ACTIVE)


def test_every_state_has_its_row_and_erasure_is_final() -> None:
    assert TRANSITIONS.keys() == set(PartyStatus)
    assert TRANSITIONS[PartyStatus.ERASED] == frozenset()


@pytest.mark.parametrize("code", ["EUR", "GBP", "JPY", "KWD"])
def test_the_table_of_tiers_reads_in_any_currency(code: str) -> None:
    unit = currency(code)
    tiers = load_tiers(unit)
    assert tiers.default in tiers.limits
    assert "corporate" in tiers.limits
    assert tiers.limits["play"].payment_minor_max == 1_000 * 10**unit.exponent


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"default": "gone", "tiers": {}}', "default tier gone"),
        (
            '{"default": "a", "tiers": {"a": {"payment": "1", "day": "x", "holding": "1"}}}',
            "Tier a",
        ),
        (
            '{"default": "a", "tiers": {"a": {"payment": "0", "day": "1", "holding": "1"}}}',
            "Tier a",
        ),
        (
            '{"default": "a", "tiers": {"a": {"payment": "2", "day": "1", "holding": "1"}}}',
            "Tier a",
        ),
    ],
)
def test_a_faulty_table_of_tiers_is_refused_with_the_tier(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_tiers(EUR, text)
