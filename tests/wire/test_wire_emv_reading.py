"""What the reader of payment codes takes, and what it refuses."""

from typing import Any

import pytest
from tests.wire.samples import GOOD, VECTORS, good, sealed

from amana.kernel import Money, currency
from amana.wire import Malformed
from amana.wire.emv import (
    DataObject,
    Initiation,
    NoTip,
    ReadCode,
    TipFixed,
    TipPercent,
    TipPrompt,
    read_code,
    read_objects,
    seal,
    write_objects,
)


def fields_of(result: ReadCode | Malformed) -> set[str]:
    assert isinstance(result, Malformed)
    return {fault.field for fault in result.faults}


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_published_codes_are_read_as_published(vector: dict[str, Any]) -> None:
    read = good(vector["text"])
    code = read.code
    assert (code.initiation.value if code.initiation else None) == vector["initiation"]
    assert code.category == vector["category"]
    assert code.currency == currency(vector["currency"])
    assert (code.amount.minor if code.amount else None) == vector["minor"]
    assert type(code.tip).__name__ == vector["tip"]
    assert (code.country, code.name, code.city) == (
        vector["country"],
        vector["name"],
        vector["city"],
    )
    assert code.postcode == vector["postcode"]
    assert [[n.language, n.name, n.city] for n in code.names] == vector["names"]
    assert [account.identifier for account in code.accounts] == vector["identifiers"]
    assert seal(write_objects(read.objects[:-1])) == vector["text"]


def test_the_specifications_example_has_values_to_be_entered_by_the_payer() -> None:
    additional = good(VECTORS[0]["text"]).code.additional
    assert (additional.store, additional.customer) == ("1234", "***")
    assert (additional.terminal, additional.consumer_request) == ("A6008667", "ME")


def test_unknown_objects_are_kept() -> None:
    read = good(sealed(t65="later", t80="0003abc", t64=None))
    assert read.code.others == (DataObject("65", "later"), DataObject("80", "0003abc"))
    assert [item.tag for item in read.objects] == [*GOOD, "65", "80", "63"]


def test_unknown_additional_data_are_kept() -> None:
    assert good(sealed(t62="0503R-11003021")).code.additional.others == (DataObject("10", "021"),)


def test_objects_may_stand_in_any_order() -> None:
    turned = {"00": "01", **dict(reversed(list(GOOD.items())))}
    text = seal(write_objects(DataObject(tag, value) for tag, value in turned.items()))
    assert good(text).code == good(sealed()).code


def test_a_checksum_in_small_letters_is_read() -> None:
    text = sealed(t59="Bakery 7")
    assert any(letter.isalpha() for letter in text[-4:])
    assert good(text[:-4] + text[-4:].lower()).code == good(text).code


def test_blanks_around_a_code_are_dropped() -> None:
    assert good(f" \r\n{sealed()}\n").text == sealed()


@pytest.mark.parametrize(
    ("text", "minor"),
    [("1", 100), ("1.5", 150), ("98.", 9800), ("0.01", 1), ("10.00", 1000), ("0012.50", 1250)],
)
def test_an_amount_is_read_exactly(text: str, minor: int) -> None:
    assert good(sealed(t54=text)).code.amount == Money(currency("EUR"), minor)


@pytest.mark.parametrize(
    "text",
    ["", "0", "0.00", "-1", "1.005", "1,00", "1 000", "1e3", ".", "..1", "+1", "٣", "1" * 14],
)
def test_an_amount_that_is_not_exact_and_positive_is_refused(text: str) -> None:
    assert fields_of(read_code(sealed(t54=text))) == {"54"}


def test_the_currencys_exponent_decides_what_is_exact() -> None:
    assert good(sealed(t53="414", t54="1.005")).code.amount == Money(currency("KWD"), 1005)
    assert good(sealed(t53="392", t54="100")).code.amount == Money(currency("JPY"), 100)
    assert fields_of(read_code(sealed(t53="392", t54="100.5"))) == {"54"}


@pytest.mark.parametrize("tag", ["52", "53", "58", "59", "60"])
def test_a_missing_mandatory_object_is_named(tag: str) -> None:
    assert fields_of(read_code(sealed(**{f"t{tag}": None}))) == {tag}


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("52", "546"),
        ("52", "54a2"),
        ("52", "٥٤٦٢"),
        ("53", "EUR"),
        ("53", "000"),
        ("58", "de"),
        ("58", "DEU"),
        ("59", "  "),
        ("59", "Bak\x00ery"),
        ("60", "Ber\u202elin"),
        ("01", "13"),
        ("01", ""),
        ("26", "00"),
        ("64", "0002"),
        ("80", "xx"),
        ("62", "0503R-1x"),
    ],
)
def test_a_malformed_object_is_named(tag: str, value: str) -> None:
    assert {field[:2] for field in fields_of(read_code(sealed(**{f"t{tag}": value})))} == {tag}


def test_every_fault_is_told() -> None:
    result = read_code(sealed(t26=None, t52=None, t54="x", t58="d", t59=None, t60="\x07"))
    assert fields_of(result) == {"26", "52", "54", "58", "59", "60"}


def test_additional_data_that_cannot_be_shown_are_refused() -> None:
    assert fields_of(read_code(sealed(t62="0503R\u202e1"))) == {"62"}


def test_initiation_is_static_dynamic_or_not_said() -> None:
    assert good(sealed(t01="11")).code.initiation is Initiation.STATIC
    assert good(sealed(t01="12")).code.initiation is Initiation.DYNAMIC
    assert good(sealed()).code.initiation is None


def test_tips_are_read() -> None:
    assert good(sealed()).code.tip == NoTip()
    assert good(sealed(t55="01")).code.tip == TipPrompt()
    assert good(sealed(t55="02", t56="0.50")).code.tip == TipFixed(Money(currency("EUR"), 50))
    assert good(sealed(t55="03", t57="5")).code.tip == TipPercent(500)
    assert good(sealed(t55="03", t57="12.5")).code.tip == TipPercent(1250)
    assert good(sealed(t55="03", t57="00.01")).code.tip == TipPercent(1)


@pytest.mark.parametrize(
    "changes",
    [
        {"t55": "04"},
        {"t55": "02"},
        {"t55": "02", "t56": "0"},
        {"t55": "03"},
        {"t55": "03", "t57": "0.00"},
        {"t55": "03", "t57": "100"},
        {"t55": "03", "t57": "5%"},
        {"t56": "1.00"},
        {"t57": "5"},
        {"t55": "01", "t56": "1.00"},
        {"t55": "01", "t57": "5"},
    ],
)
def test_a_tip_that_contradicts_itself_is_refused(changes: dict[str, str]) -> None:
    assert fields_of(read_code(sealed(**changes))) <= {"55", "56", "57"}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "code"),
        (" \n", "code"),
        ("x" * 513, "code"),
        ("0002\ud80001", "code"),
        ("000201\u0665\u0662041234", "code"),
        ("0002016", "code"),
        ("000201590", "code"),
        ("00020159", "code"),
        ("0002015999x", "59"),
        ("00020100020163041234", "00"),
        ("000201", "63"),
        ("0002016303123", "63"),
        ("0002016304xyz!", "63"),
        ("00020163041234", "63"),
        (seal("520441115802CN"), "00"),
        (seal("000202"), "00"),
    ],
)
def test_a_broken_outer_form_is_refused(text: str, field: str) -> None:
    assert field in fields_of(read_code(text))


def test_a_tag_that_stands_twice_is_refused() -> None:
    assert fields_of(read_code(seal(sealed()[:-8] + "5905Other"))) == {"59"}


def test_a_tag_that_stands_twice_in_a_template_is_named_with_it() -> None:
    result = read_objects("00021100021101", "26")
    assert isinstance(result, Malformed)
    assert [fault.field for fault in result.faults] == ["26.00", "26"]


def test_characters_are_counted_and_bytes_are_summed() -> None:
    text = sealed(t59="مخبز الورد")
    assert "5910مخبز الورد" in text
    assert good(text).code.name == "مخبز الورد"


def test_the_language_templates_name_comes_first_wherever_it_stands() -> None:
    further = "0014org.amana.name0102zh0201玫"
    text = seal(
        write_objects(
            [
                *(DataObject(tag, value) for tag, value in GOOD.items()),
                DataObject("80", further),
                DataObject("64", "0002ar0103ورد"),
            ]
        )
    )
    assert [local.language for local in good(text).code.names] == ["ar", "zh"]
