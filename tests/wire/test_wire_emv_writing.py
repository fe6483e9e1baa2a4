"""What the writer of payment codes writes, and what it refuses to write."""

from dataclasses import replace

import pytest
from tests.wire.samples import DYNAMIC, EUR, ORDER, TILL

from amana.kernel import Money, currency
from amana.wire import Malformed
from amana.wire.emv import (
    CODE_CHARACTERS_MAX,
    GLOBAL_ID,
    AdditionalData,
    AmanaAccount,
    DataObject,
    Initiation,
    LocalName,
    MerchantCode,
    ReadCode,
    SchemeAccount,
    TipFixed,
    TipPercent,
    TipPrompt,
    fitted,
    read_code,
    read_objects,
    write_code,
)


def written(code: MerchantCode) -> str:
    text = write_code(code)
    assert isinstance(text, str), text
    return text


def back(code: MerchantCode) -> MerchantCode:
    read = read_code(written(code))
    assert isinstance(read, ReadCode)
    return read.code


def refused_fields(code: MerchantCode) -> set[str]:
    result = write_code(code)
    assert isinstance(result, Malformed)
    return {fault.field for fault in result.faults}


def test_a_dynamic_code_reads_as_it_was_written() -> None:
    assert back(DYNAMIC) == DYNAMIC


def test_a_dynamic_code_is_written_byte_for_byte_like_this() -> None:
    order = "01hf7yat000000000000000080"
    assert written(DYNAMIC) == (
        "00020101021226730009org.amana0111pay.example0211rose-bakery0326"
        f"{order}52045462530397854"
        "0512.505802AE5911Rose Bakery6005Dubai62070503R-1"
        "64270002ar0110مخبز الورد0203دبي"
        "80330014org.amana.name0102zh0205玫瑰面包店"
        "630406EE"
    )


def test_a_static_code_carries_the_till_and_no_amount() -> None:
    static = replace(
        DYNAMIC,
        initiation=Initiation.STATIC,
        amount=None,
        amana=(AmanaAccount("localhost:8400", "rose-bakery", till=TILL),),
    )
    read = back(static)
    assert read == static
    account = read.account_at("localhost:8400")
    assert account is not None
    assert (account.payee, account.order, account.till) == ("rose-bakery", None, TILL)
    assert read.account_at("another.example") is None


@pytest.mark.parametrize("tip", [TipPrompt(), TipFixed(Money(EUR, 50)), TipPercent(1000)])
def test_tips_read_as_they_were_written(tip: TipPrompt | TipFixed | TipPercent) -> None:
    assert back(replace(DYNAMIC, tip=tip)).tip == tip


def test_other_schemes_accounts_keep_their_tags_and_ours_takes_a_free_one() -> None:
    foreign = (
        SchemeAccount("02", "4111111111111111"),
        SchemeAccount("26", "0009SG.PAYNOW", "SG.PAYNOW"),
    )
    code = replace(DYNAMIC, accounts=foreign)
    read = read_code(written(code))
    assert isinstance(read, ReadCode)
    assert read.code == code
    ours = next(item for item in read.objects if item.tag == "27")
    assert ours.value.startswith(f"0009{GLOBAL_ID}")


def test_what_later_editions_add_survives_a_round_trip() -> None:
    later = AmanaAccount("a.example", "shop", others=(DataObject("05", "secret"),))
    code = replace(DYNAMIC, amana=(later,), others=(DataObject("99", "0003new"),))
    assert back(code) == code


def test_one_code_may_name_accounts_at_several_operators() -> None:
    accounts = (AmanaAccount("a.example", "shop"), AmanaAccount("b.example", "shop-2"))
    assert back(replace(DYNAMIC, amana=accounts)).amana == accounts


def test_a_postcode_is_written() -> None:
    assert back(replace(DYNAMIC, postcode="10115")).postcode == "10115"


@pytest.mark.parametrize(
    ("code", "field"),
    [
        (replace(DYNAMIC, name="n" * 26), "59"),
        (replace(DYNAMIC, city="c" * 16), "60"),
        (replace(DYNAMIC, postcode="1" * 11), "61"),
        (replace(DYNAMIC, additional=AdditionalData(reference="r" * 26)), "62.05"),
        (replace(DYNAMIC, additional=AdditionalData(consumer_request="AMEA")), "62.09"),
        (replace(DYNAMIC, names=(LocalName("ar", "n" * 26),)), "64.01"),
        (replace(DYNAMIC, names=(LocalName("ar", "n", "c" * 16),)), "64.02"),
        (replace(DYNAMIC, amount=Money(EUR, 0)), "54"),
        (replace(DYNAMIC, amount=Money(EUR, -1)), "54"),
        (replace(DYNAMIC, amount=Money(EUR, 10**13)), "54"),
        (replace(DYNAMIC, amount=Money(currency("USD"), 1)), "54"),
        (replace(DYNAMIC, tip=TipFixed(Money(EUR, 0))), "56"),
        (replace(DYNAMIC, tip=TipPercent(0)), "57"),
        (replace(DYNAMIC, tip=TipPercent(10_000)), "57"),
        (replace(DYNAMIC, amana=(AmanaAccount("h" * 60, "p" * 25, order=ORDER),)), "26"),
        (replace(DYNAMIC, amana=(AmanaAccount("h" * 100, "shop"),)), "26"),
        (replace(DYNAMIC, amana=(AmanaAccount("a.example", "shop"),) * 27), "26"),
        (replace(DYNAMIC, amana=(AmanaAccount("", "shop"),)), "26.01"),
        (replace(DYNAMIC, amana=(AmanaAccount("A.example", "shop"),)), "26.01"),
        (replace(DYNAMIC, amana=(AmanaAccount("a.example", "two words"),)), "26.02"),
        (replace(DYNAMIC, amana=()), "26"),
        (replace(DYNAMIC, names=(LocalName("ara", "n"),)), "64.00"),
        (replace(DYNAMIC, names=(LocalName("ar", ""),)), "64.01"),
        (replace(DYNAMIC, names=(LocalName("ar", "n"),) * 22), "80"),
        (replace(DYNAMIC, country="uae"), "58"),
        (replace(DYNAMIC, category="bread"), "52"),
        (replace(DYNAMIC, others=(DataObject("59", "again"),)), "59"),
        (replace(DYNAMIC, names=(LocalName("AR", "n"),)), "code"),
        (replace(DYNAMIC, postcode=""), "code"),
    ],
)
def test_what_the_format_does_not_hold_is_refused(code: MerchantCode, field: str) -> None:
    assert field in refused_fields(code)


def test_a_code_longer_than_the_format_is_refused() -> None:
    full = replace(
        DYNAMIC,
        additional=AdditionalData(others=(DataObject("50", "x" * 90),)),
        others=tuple(DataObject(str(tag), "0090" + "y" * 90) for tag in range(81, 85)),
    )
    assert refused_fields(full) == {"code"}
    assert CODE_CHARACTERS_MAX == 512


def test_names_are_fitted_by_characters_and_nothing_else_is() -> None:
    long = replace(
        DYNAMIC,
        name="The Rose and Crown Bakery Company",
        city="Llanfairpwllgwyngyll",
        names=(LocalName("zh", "玫" * 30, "城" * 20), LocalName("ar", "مخبز")),
        additional=AdditionalData(reference="r" * 26),
    )
    short = fitted(long)
    assert short.name == "The Rose and Crown Bakery"
    assert short.city == "Llanfairpwllgwy"
    assert short.names[0] == LocalName("zh", "玫" * 25, "城" * 15)
    assert short.names[1] == LocalName("ar", "مخبز")
    assert (short.amount, short.additional) == (long.amount, long.additional)
    assert refused_fields(short) == {"62.05"}


def test_fitting_does_not_part_a_letter_from_its_marks() -> None:
    accented = fitted(replace(DYNAMIC, name="a" * 24 + "e\u0301" + "b"))
    assert accented.name == "a" * 24
    joined = fitted(replace(DYNAMIC, name="a" * 24 + "\u200d" + "bb"))
    assert joined.name == "a" * 24
    assert fitted(replace(DYNAMIC, name="\u0301" * 30)).name == ""


def test_ids_stand_in_a_code_without_their_kind() -> None:
    read = read_code(written(DYNAMIC))
    assert isinstance(read, ReadCode)
    account = read_objects(next(item.value for item in read.objects if item.tag == "26"))
    assert not isinstance(account, Malformed)
    assert {item.tag: item.value for item in account}["03"] == "01hf7yat000000000000000080"
