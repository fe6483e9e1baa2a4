"""Codes that several tests of payment codes share."""

import json
import string
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from amana.kernel import CURRENCIES, AmanaId, Money, currency
from amana.wire.emv import (
    AdditionalData,
    AmanaAccount,
    DataObject,
    Initiation,
    LocalName,
    MerchantCode,
    NoTip,
    ReadCode,
    TipFixed,
    TipPercent,
    TipPrompt,
    read_code,
    seal,
    write_objects,
)

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "emv_codes.json").read_text("utf-8")
)["codes"]

GOOD = {
    "00": "01",
    "26": "0012D15600000000",
    "52": "5462",
    "53": "978",
    "58": "DE",
    "59": "Bakery",
    "60": "Berlin",
}


def sealed(**changes: str | None) -> str:
    """Return a good code with objects changed, added (t54="1.00") or left out (t52=None)."""
    objects: dict[str, str | None] = dict(GOOD)
    objects.update({name[1:]: value for name, value in changes.items()})
    return seal(write_objects(DataObject(t, v) for t, v in objects.items() if v is not None))


def good(text: str) -> ReadCode:
    result = read_code(text)
    assert isinstance(result, ReadCode), result
    return result


EUR = currency("EUR")
ORDER = AmanaId((1_700_000_000_000 << 80) | 256)
TILL = AmanaId((1_700_000_000_001 << 80) | 512)

DYNAMIC = MerchantCode(
    currency=EUR,
    country="AE",
    name="Rose Bakery",
    city="Dubai",
    category="5462",
    initiation=Initiation.DYNAMIC,
    amount=Money(EUR, 1250),
    amana=(AmanaAccount("pay.example", "rose-bakery", order=ORDER),),
    additional=AdditionalData(reference="R-1"),
    names=(LocalName("ar", "مخبز الورد", "دبي"), LocalName("zh", "玫瑰面包店")),
)

PLAIN = MerchantCode(
    currency=currency("SAR"),
    country="SA",
    name="مخبز الورد",
    city="Riyadh",
    amount=Money(currency("SAR"), 1250),
    amana=(AmanaAccount("pay.example", "rose-bakery", order=AmanaId(2**100 + 1)),),
)


UNITS = st.sampled_from([CURRENCIES[code] for code in ("EUR", "JPY", "KWD", "SAR", "GBP")])
IDS = st.none() | st.integers(1, 2**128 - 2).map(AmanaId)
SHOWN = st.characters(
    exclude_categories=("Cc", "Cs", "Zl", "Zp"),
    exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)


def shown(characters_max: int) -> st.SearchStrategy[str]:
    return st.text(SHOWN, min_size=1, max_size=characters_max).filter(lambda text: text.strip())


@st.composite
def codes(draw: st.DrawFn) -> MerchantCode:
    unit = draw(UNITS)
    amounts = st.integers(1, 10**9 - 1).map(lambda minor: Money(unit, minor))
    maybe = st.none() | shown(25)
    return MerchantCode(
        currency=unit,
        country=draw(st.text(string.ascii_uppercase, min_size=2, max_size=2)),
        name=draw(shown(25)),
        city=draw(shown(15)),
        category=draw(st.from_regex(r"[0-9]{4}", fullmatch=True)),
        initiation=draw(st.none() | st.sampled_from(Initiation)),
        amount=draw(st.none() | amounts),
        tip=draw(
            st.just(NoTip())
            | st.just(TipPrompt())
            | amounts.map(TipFixed)
            | st.integers(1, 9999).map(TipPercent)
        ),
        amana=(
            AmanaAccount(
                draw(st.from_regex(r"[a-z0-9]{1,9}\.[a-z]{2}", fullmatch=True)),
                draw(st.from_regex(r"[a-z0-9-]{3,8}", fullmatch=True)),
                order=draw(IDS),
                till=draw(IDS),
            ),
        ),
        postcode=draw(st.none() | st.text(string.digits, min_size=1, max_size=10)),
        additional=AdditionalData(reference=draw(maybe), terminal=draw(maybe), purpose=draw(maybe)),
        names=tuple(
            LocalName(language, draw(shown(25)), draw(st.none() | shown(15)))
            for language in draw(st.lists(st.sampled_from(["ar", "zh", "fa"]), max_size=2))
        ),
        keysets=draw(st.none() | st.binary(min_size=16, max_size=16)),
    )
