"""Purchase files: every form seen is read to the penny, every doubt stops the whole file."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amana.kernel import Money, currency
from amana.wire.csv_purchases import (
    Purchase,
    PurchaseFile,
    RowFault,
    Unreadable,
    read_purchases,
)

HEADING = (
    "TRANS DATE;TRANS VAT DESC;ORIGINAL GROSS AMT;ORIGINAL CUR;BILLING GROSS AMT;"
    "BILLING CUR CODE;MERCHANT NAME;CARD NUMBER;Directorate\n"
)
CARD = "************1147"


def row(**changes: str) -> str:
    cells = {
        "date": "22/12/16",
        "vat": "VR",
        "original": "20.00",
        "cur": "GBP",
        "billed": "20.00",
        "billed_cur": "GBP",
        "merchant": "shell kings 587",
        "card": CARD,
        "directorate": "Adult & Communities",
    }
    return ";".join({**cells, **changes}.values()) + "\n"


def read(*rows: str, heading: str = HEADING) -> PurchaseFile | Unreadable:
    return read_purchases("made-up.csv", (heading + "".join(rows)).encode())


def good(*rows: str, heading: str = HEADING) -> PurchaseFile:
    result = read(*rows, heading=heading)
    assert isinstance(result, PurchaseFile), result
    return result


def faults(*rows: str, heading: str = HEADING) -> tuple[RowFault, ...]:
    result = read(*rows, heading=heading)
    assert isinstance(result, Unreadable), result
    return result.faults


def test_a_row_is_read() -> None:
    assert good(row()) == PurchaseFile(
        "made-up.csv",
        (
            Purchase(
                2,
                date(2016, 12, 22),
                2000,
                Money(currency("GBP"), 2000),
                "shell kings 587",
                CARD,
            ),
        ),
        0,
    )


def test_what_was_billed_counts_and_the_original_is_kept_beside_it() -> None:
    file = good(
        row(original="280,102.23", cur="HUF", billed="795.73"),
        row(original="1,500", cur="JPY", billed="10.00"),
        row(original="10.00", cur="HRK", billed="1.20"),
    )
    assert file.total_minor() == 79573 + 1000 + 120
    assert [one.original.minor for one in file.rows if one.original] == [28010223, 1500, 1000]


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("0.00", 0),
        ("9.99", 999),
        ("1,234.56", 123456),
        ("105,527.58", 10552758),
        ("-105,527.58", -10552758),
        ("1234.5", 123450),
        ("12", 1200),
        ("12.500", 1250),
        ("(12.50)", -1250),
        ("12.50-", -1250),
        ("£1,234.56", 123456),
        ("-£12.50", -1250),
        ("(£12.50)", -1250),
        (" 12.50 ", 1250),
        ('"1,234.56"', 123456),
    ],
)
def test_an_amount_is_read_to_the_penny(text: str, minor: int) -> None:
    assert good(row(billed=text)).rows[0].amount_minor == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12,50",
        "1.234,56",
        "1,23.00",
        "12,3456.00",
        ",123",
        "12.505",
        "1e3",
        "(12.50",
        "12.50)",
        "--1",
        "-(1.00)",
        "-1.00-",
        "$1.00",
        "#N/D",
        "١٢",
        "9" * 20,
        "NaN",
    ],
)
def test_an_amount_in_doubt_stops_the_file(text: str) -> None:
    found = faults(row(), row(billed=text))
    assert [(fault.line, fault.column) for fault in found] == [(3, "BILLING GROSS AMT")]


@pytest.mark.parametrize(
    "text",
    [
        "22/12/16",
        "22/12/2016",
        "22-12-16",
        "22.12.2016",
        "2016-12-22",
        "22/12/2016 00:00:00",
        "2016-12-22T00:00",
    ],
)
def test_a_date_is_read_day_first(text: str) -> None:
    assert good(row(date=text)).rows[0].occurred_on == date(2016, 12, 22)


def test_a_day_below_thirteen_is_still_the_day() -> None:
    assert good(row(date="1/2/17")).rows[0].occurred_on == date(2017, 2, 1)


@pytest.mark.parametrize(
    "text", ["", "12/22/16", "31/02/17", "22/12", "22/12-16", "2016-13-01", "22/12/016", "0/1/17"]
)
def test_a_date_in_doubt_stops_the_file(text: str) -> None:
    assert [fault.column for fault in faults(row(date=text))] == ["TRANS DATE"]


def test_rows_outside_the_files_month_are_read() -> None:
    assert good(row(date="25/10/16"), row(date="02/01/17")).rows[1].occurred_on.year == 2017


def test_a_file_without_billing_columns_is_read_as_pounds() -> None:
    heading = "TRANS DATE;ORIGINAL GROSS AMT;MERCHANT NAME;CARD NUMBER\n"
    file = good(f"22/12/16;-1,020.00;shell;{CARD}\n", heading=heading)
    assert (file.rows[0].amount_minor, file.rows[0].original) == (-102000, None)


def test_a_currency_without_billing_columns_must_be_the_pound() -> None:
    heading = "TRANS DATE;ORIGINAL GROSS AMT;ORIGINAL CUR;MERCHANT NAME;CARD NUMBER\n"
    assert good(f"22/12/16;1.00;GBP;shell;{CARD}\n", heading=heading).total_minor() == 100
    found = faults(f"22/12/16;1.00;EUR;shell;{CARD}\n", heading=heading)
    assert [fault.column for fault in found] == ["ORIGINAL CUR"]


def test_billing_columns_alone_are_enough() -> None:
    heading = "TRANS DATE;BILLING GROSS AMT;BILLING CUR CODE;MERCHANT NAME;CARD NUMBER\n"
    file = good(f"22/12/16;1.00;GBP;shell;{CARD}\n", heading=heading)
    assert (file.total_minor(), file.rows[0].original) == (100, None)


def test_headings_are_read_with_blanks_and_in_any_case() -> None:
    heading = HEADING.replace(";", " ; ").replace("MERCHANT NAME", " Merchant  Name")
    assert good(row(), heading=heading).total_minor() == 2000


@pytest.mark.parametrize("separator", [",", "\t"])
def test_other_separators_are_taken_from_the_heading(separator: str) -> None:
    text = (HEADING + row(billed="1.00")).replace(";", separator)
    file = read_purchases("f", text.encode())
    assert isinstance(file, PurchaseFile)
    assert file.total_minor() == 100


def test_a_quoted_file_with_commas_is_read() -> None:
    heading = '"TRANS DATE","ORIGINAL GROSS AMT","MERCHANT NAME","CARD NUMBER"\r\n'
    data = f'22/12/16,"1,234.50","smith, sons\n& co",{CARD}\r\n22/12/16,1.00,b,{CARD}\r\n'
    file = good(data, heading=heading)
    assert [(one.line, one.amount_minor) for one in file.rows] == [(2, 123450), (4, 100)]
    assert file.rows[0].merchant == "smith, sons\n& co"


def test_blank_rows_are_counted_and_passed_over() -> None:
    file = good(row(), ";;;;;;;;\n", "\n", row(), "  ; ;;;;;;;\n")
    assert (len(file.rows), file.blank_lines) == (2, 3)
    assert [one.line for one in file.rows] == [2, 5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_each_encoding_gives_the_same_text(encoding: str) -> None:
    data = (HEADING + row(merchant="café \u2013 horizon")).encode(encoding)
    file = read_purchases("f", data)
    assert isinstance(file, PurchaseFile)
    assert file.rows[0].merchant == "café \u2013 horizon"


def test_blanks_inside_a_merchants_name_are_kept() -> None:
    assert good(row(merchant=" j  a (int) ltd ")).rows[0].merchant == "j  a (int) ltd"


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"merchant": ""}, "MERCHANT NAME"),
        ({"merchant": "#N/D"}, "MERCHANT NAME"),
        ({"card": ""}, "CARD NUMBER"),
        ({"card": "1147"}, "CARD NUMBER"),
        ({"billed_cur": "EUR"}, "BILLING CUR CODE"),
        ({"cur": "XYZ"}, "ORIGINAL CUR"),
        ({"original": "x"}, "ORIGINAL GROSS AMT"),
        ({"original": "1.50", "cur": "JPY"}, "ORIGINAL GROSS AMT"),
    ],
)
def test_a_cell_in_doubt_stops_the_file(changes: dict[str, str], column: str) -> None:
    assert [fault.column for fault in faults(row(**changes))] == [column]


def test_an_unmasked_card_number_is_refused_and_not_repeated() -> None:
    found = faults(row(card="4111111111111111"))
    assert [fault.column for fault in found] == ["CARD NUMBER"]
    assert "4111" not in repr(found)


def test_every_fault_is_told_by_line_and_column() -> None:
    found = faults(
        row(date="x", billed="y"), row(), row(card=""), "22/12/16;VR\n", row()[:-1] + ";z"
    )
    assert [(fault.file, fault.line, fault.column) for fault in found] == [
        ("made-up.csv", 2, "TRANS DATE"),
        ("made-up.csv", 2, "BILLING GROSS AMT"),
        ("made-up.csv", 4, "CARD NUMBER"),
        ("made-up.csv", 5, None),
        ("made-up.csv", 6, None),
    ]
    assert found[0].reason == "This is no date of the form dd/mm/yy."


def test_empty_fields_beyond_the_heading_do_no_harm() -> None:
    assert good(row()[:-1] + ";;\n").total_minor() == 2000


def test_a_total_below_the_purchases_stops_the_file() -> None:
    found = faults(row(), ";;20.00;GBP;20.00;GBP;;;\n")
    assert {fault.column for fault in found} == {"TRANS DATE", "MERCHANT NAME", "CARD NUMBER"}


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("a;b;c\n", None),
        ("TRANS DATE;MERCHANT NAME;CARD NUMBER\n", "ORIGINAL GROSS AMT"),
        ("TRANS DATE;MERCHANT NAME;CARD NUMBER;BILLING GROSS AMT\n", "BILLING GROSS AMT"),
        ("TRANS DATE;MERCHANT NAME;CARD NUMBER;BILLING CUR CODE\n", "BILLING CUR CODE"),
        ("TRANS DATE;MERCHANT NAME;CARD NUMBER;ORIGINAL GROSS AMT;CARD NUMBER\n", "CARD NUMBER"),
    ],
)
def test_a_heading_that_lacks_something_stops_the_file(heading: str, column: str | None) -> None:
    assert [(fault.line, fault.column) for fault in faults(row(), heading=heading)] == [(1, column)]


@pytest.mark.parametrize("data", [b"", b"\xff\xfeT\0R\0", b"\x81\x8d\x9d", b"x" * (2**26 + 1)])
def test_bytes_that_are_no_text_stop_the_file(data: bytes) -> None:
    result = read_purchases("f", data)
    assert isinstance(result, Unreadable)
    assert [(fault.line, fault.column) for fault in result.faults] == [(0, None)]


def test_a_heading_alone_is_no_file_of_purchases() -> None:
    assert [fault.reason for fault in faults()] == ["The file holds no purchase."]


def test_quotation_marks_that_do_not_match_are_told_with_their_line() -> None:
    found = faults(row(), row(merchant='"shell" kings'), row())
    assert [(fault.line, fault.column) for fault in found] == [(3, None)]


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    assert isinstance(read_purchases("f", data), Unreadable)
    read_purchases("f", HEADING.encode() + data)


@given(st.text(st.sampled_from(';,"\n\r0123456789/.-£()GBP*'), max_size=200))
def test_no_rows_make_the_reader_raise(text: str) -> None:
    read_purchases("f", (HEADING + row() + text).encode())


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20))
def test_the_total_is_what_was_written(pence: list[int]) -> None:
    texts = [f"{'-' if p < 0 else ''}{abs(p) // 100:,}.{abs(p) % 100:02}" for p in pence]
    assert good(*(row(billed=text) for text in texts)).total_minor() == sum(pence)
