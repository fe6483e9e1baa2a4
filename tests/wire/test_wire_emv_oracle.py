"""Payment codes against cemacqr, a reader and writer that we did not write."""

from dataclasses import replace

import cemacqr
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire.samples import DYNAMIC, PLAIN, VECTORS, codes, good, sealed

from amana.wire import Malformed
from amana.wire.emv import MerchantCode, ReadCode, TipPercent, read_code, write_code


@given(codes())
def test_what_we_write_the_other_reader_finds_valid(code: MerchantCode) -> None:
    text = write_code(code)
    if isinstance(text, Malformed):
        return
    theirs = cemacqr.parse_payload(text)
    assert theirs.crc_ok
    complaints = {violation.code for violation in cemacqr.validate(theirs).violations}
    assert not complaints, complaints
    assert theirs.merchant_name == code.name
    assert theirs.merchant_city == code.city
    assert theirs.currency == code.currency.numeric
    assert theirs.amount == (None if code.amount is None else code.amount.decimal())
    assert theirs.template("62").get("05") == code.additional.reference


@pytest.mark.parametrize("code", [DYNAMIC, PLAIN])
def test_our_codes_with_arabic_and_chinese_names_are_valid_to_the_other_reader(
    code: MerchantCode,
) -> None:
    text = write_code(code)
    assert isinstance(text, str)
    assert cemacqr.validate(cemacqr.parse_payload(text)).violations == []


@given(
    name=st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=25),
    arabic=st.text("ابتثجحخدذرز", min_size=1, max_size=25),
    amount=st.integers(1, 10**9),
)
def test_what_the_other_writer_builds_we_read(name: str, arabic: str, amount: int) -> None:
    decimal = f"{amount // 100}.{amount % 100:02}"
    theirs = cemacqr.build(
        [
            cemacqr.Tlv("00", "01"),
            cemacqr.Tlv("26", "0012D15600000000"),
            cemacqr.Tlv("52", "5462"),
            cemacqr.Tlv("53", "682"),
            cemacqr.Tlv("54", decimal),
            cemacqr.Tlv("58", "SA"),
            cemacqr.Tlv("59", name),
            cemacqr.Tlv("60", "Riyadh"),
            cemacqr.Tlv("64", f"0002ar01{len(arabic):02}{arabic}"),
        ]
    )
    read = read_code(str(theirs))
    assert isinstance(read, ReadCode)
    assert read.code.name == name
    assert read.code.names[0].name == arabic
    assert read.code.amount is not None
    assert read.code.amount.minor == amount


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_both_readers_see_the_same_objects_in_published_codes(vector: dict[str, str]) -> None:
    theirs = cemacqr.parse_payload(vector["text"])
    ours = good(vector["text"])
    assert [(item.tag, item.value) for item in ours.objects] == [tuple(o) for o in theirs.objects]


@pytest.mark.parametrize(
    "changes",
    [
        {"t52": None},
        {"t53": None},
        {"t58": None},
        {"t59": None},
        {"t60": None},
        {"t26": None},
        {"t54": "0"},
        {"t54": "1,0"},
        {"t55": "04"},
        {"t55": "02"},
        {"t56": "1"},
        {"t55": "03", "t57": "100"},
        {"t64": "0002ar"},
    ],
)
def test_what_the_other_reader_finds_wrong_so_do_we(changes: dict[str, str | None]) -> None:
    text = sealed(**changes)
    assert cemacqr.validate(cemacqr.parse_payload(text)).violations
    assert isinstance(read_code(text), Malformed)


def test_a_percentage_is_written_as_the_other_reader_wants_it() -> None:
    text = write_code(replace(PLAIN, tip=TipPercent(5)))
    assert isinstance(text, str)
    theirs = cemacqr.parse_payload(text)
    assert theirs.get("57") == "00.05"
    assert cemacqr.validate(theirs).violations == []
