"""Read a merchant-presented code, strictly."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from amana.kernel import Currency, IdKind, currency_by_numeric, parse_id
from amana.kernel.limits import HANDLE_CHARACTERS_MAX
from amana.wire.emv._model import (
    ADDITIONAL_FIELDS,
    CODE_CHARACTERS_MAX,
    GLOBAL_ID,
    KEYSETS_ID,
    LOCAL_NAME_ID,
    AdditionalData,
    AmanaAccount,
    Initiation,
    LocalName,
    MerchantCode,
    NoTip,
    ReadCode,
    SchemeAccount,
    Tip,
    TipFixed,
    TipPercent,
    TipPrompt,
)
from amana.wire.emv._tlv import CRC_TAG, DataObject, checksum_faults, read_objects
from amana.wire.emv._values import is_printable, read_amount, read_keysets, read_percent
from amana.wire.faults import Fault, Malformed

FIRST_TEMPLATE: Final = "26"
LAST_ACCOUNT: Final = "51"
_FIRST_ACCOUNT: Final = "02"
_FIRST_FREE_TEMPLATE: Final = "80"
_FORMAT: Final = DataObject("00", "01")
_NAMED: Final = frozenset(("00", "01", *map(str, range(52, 63)), CRC_TAG, "64"))

_CATEGORY: Final = re.compile(r"[0-9]{4}", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2}", re.ASCII)
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?", re.ASCII)
_HANDLE: Final = re.compile(rf"[!-~]{{1,{HANDLE_CHARACTERS_MAX}}}", re.ASCII)
_MANDATORY: Final = {"52": "The merchant category", "58": "The country"}

_Values = Mapping[str, str]
_Faults = list[Fault]


def read_code(text: str) -> ReadCode | Malformed:
    """Read a merchant-presented code.

    Objects may stand in any order but for the first and the last, and unknown ones are kept.
    Values longer than the specification's limits are read: those limits are held on writing.

    Refuses, with every fault found:
        Text that is not whole data objects, a tag twice, a wrong checksum, no merchant account,
        a missing or malformed 52, 53, 58, 59 or 60, an amount that is not exact in its currency,
        a tip that contradicts itself, a name that cannot be shown, a broken template.
    Source: EMV QRCPS, merchant-presented mode, section 4 and table 3.
    """
    opened = open_code(text)
    if isinstance(opened, Malformed):
        return opened
    faults: _Faults = []
    values = {item.tag: item.value for item in opened.objects}
    unit = currency_by_numeric(values.get("53", ""))
    amount = tip = None
    if unit is None:
        faults.append(Fault("53", "The currency is missing or no ISO 4217 number."))
    else:
        if "54" in values and (amount := read_amount(unit, values["54"])) is None:
            faults.append(Fault("54", "The amount is not exact, more than zero and in bounds."))
        tip = _tip(values, unit, faults)
    amana, accounts = _accounts(opened.objects, faults)
    names, others = _templates(opened.objects, faults)
    keysets = _keysets(opened.objects, faults)
    initiation = _initiation(values, faults)
    category = _matching(values, "52", _CATEGORY, faults)
    country = _matching(values, "58", _COUNTRY, faults)
    name, city = (_shown(values, tag, tag, faults) for tag in ("59", "60"))
    additional = _additional(values, faults)
    if faults or unit is None or tip is None:
        return Malformed(tuple(faults))
    code = MerchantCode(
        currency=unit,
        country=country,
        name=name,
        city=city,
        category=category,
        initiation=initiation,
        amount=amount,
        tip=tip,
        amana=amana,
        accounts=accounts,
        postcode=values.get("61") or None,
        additional=additional,
        names=names,
        keysets=keysets,
        others=others,
    )
    return ReadCode(code, opened.text, opened.objects)


@dataclass(frozen=True, slots=True)
class OpenedCode:
    """A code whose outer form is right: whole objects, no tag twice, checksum good."""

    text: str
    objects: tuple[DataObject, ...]


def open_code(text: str) -> OpenedCode | Malformed:
    """Check the outer form of a code; blanks around it, as scanners add them, are dropped."""
    text = text.strip(" \t\r\n")
    if not text:
        return Malformed((Fault("code", "The code is empty."),))
    if len(text) > CODE_CHARACTERS_MAX:
        return Malformed((Fault("code", f"More than {CODE_CHARACTERS_MAX} characters."),))
    if any("\ud800" <= character <= "\udfff" for character in text):
        return Malformed((Fault("code", "The code is not Unicode text."),))
    objects = read_objects(text)
    if isinstance(objects, Malformed):
        return objects
    faults = checksum_faults(text, objects)
    if objects[0] != _FORMAT:
        faults.append(Fault("00", "The code does not begin with the payload format 01."))
    return Malformed(tuple(faults)) if faults else OpenedCode(text, objects)


def template_identifier(value: str) -> str | None:
    """Return sub-tag 00 of a template, or None where it is not one or has none."""
    objects = read_objects(value)
    if isinstance(objects, Malformed):
        return None
    return next((item.value for item in objects if item.tag == "00"), None)


def _matching(values: _Values, tag: str, pattern: re.Pattern[str], faults: _Faults) -> str:
    value = values.get(tag, "")
    if pattern.fullmatch(value) is None:
        faults.append(Fault(tag, f"{_MANDATORY[tag]} is missing or malformed."))
    return value


def _shown(values: _Values, tag: str, field: str, faults: _Faults) -> str:
    value = values.get(tag, "")
    if not value.strip():
        faults.append(Fault(field, "A name is missing."))
    elif not is_printable(value):
        faults.append(Fault(field, "A name holds characters that are never shown."))
    return value


def _initiation(values: _Values, faults: _Faults) -> Initiation | None:
    value = values.get("01")
    if value is None:
        return None
    try:
        return Initiation(value)
    except ValueError:
        faults.append(Fault("01", "The point of initiation is neither 11 nor 12."))
        return None


def _tip(values: _Values, unit: Currency, faults: _Faults) -> Tip:
    kind, fixed, percent = (values.get(tag) for tag in ("55", "56", "57"))
    if fixed is not None and kind != "02":
        faults.append(Fault("56", "A fixed tip stands here, but tag 55 does not say so."))
    if percent is not None and kind != "03":
        faults.append(Fault("57", "A percentage stands here, but tag 55 does not say so."))
    if kind is None:
        return NoTip()
    if kind == "01":
        return TipPrompt()
    if kind == "02" and (amount := read_amount(unit, fixed or "")) is not None:
        return TipFixed(amount)
    if kind == "03" and (basis_points := read_percent(percent or "")) is not None:
        return TipPercent(basis_points)
    faults.append(Fault("55", "The tip's kind is unknown, or its value missing or malformed."))
    return NoTip()


def _template(value: str, tag: str, faults: _Faults) -> dict[str, str]:
    objects = read_objects(value, tag)
    if isinstance(objects, Malformed):
        faults.extend(objects.faults)
        return {}
    return {item.tag: item.value for item in objects}


def _accounts(
    objects: tuple[DataObject, ...], faults: _Faults
) -> tuple[tuple[AmanaAccount, ...], tuple[SchemeAccount, ...]]:
    amana: list[AmanaAccount] = []
    others: list[SchemeAccount] = []
    for item in objects:
        if not _FIRST_ACCOUNT <= item.tag <= LAST_ACCOUNT:
            continue
        if item.tag < FIRST_TEMPLATE:
            others.append(SchemeAccount(item.tag, item.value))
            continue
        fields = _template(item.value, item.tag, faults)
        if fields.get("00") == GLOBAL_ID:
            amana.append(_amana_account(fields, item.tag, faults))
        else:
            others.append(SchemeAccount(item.tag, item.value, fields.get("00")))
    if not amana and not others:
        faults.append(Fault(FIRST_TEMPLATE, "The code names no merchant account."))
    return tuple(amana), tuple(others)


def _amana_account(fields: _Values, tag: str, faults: _Faults) -> AmanaAccount:
    operator, payee = fields.get("01", ""), fields.get("02", "")
    if _HOST.fullmatch(operator) is None:
        faults.append(Fault(f"{tag}.01", "The operator's host is missing or malformed."))
    if _HANDLE.fullmatch(payee) is None:
        faults.append(Fault(f"{tag}.02", "The payee's handle is missing or malformed."))
    ids = []
    for sub_tag, kind in (("03", IdKind.ORDER), ("04", IdKind.TILL)):
        text = fields.get(sub_tag)
        identifier = None if text is None else parse_id(kind, f"{kind.value}_{text}")
        if text is not None and identifier is None:
            faults.append(Fault(f"{tag}.{sub_tag}", f"This is no {kind.name.lower()} id."))
        ids.append(identifier)
    others = (DataObject(sub, value) for sub, value in fields.items() if sub > "04")
    return AmanaAccount(operator, payee, ids[0], ids[1], tuple(others))


def _templates(
    objects: tuple[DataObject, ...], faults: _Faults
) -> tuple[tuple[LocalName, ...], tuple[DataObject, ...]]:
    names: list[LocalName] = []
    others: list[DataObject] = []
    for item in objects:
        if item.tag == "64":
            fields = _template(item.value, item.tag, faults)
            names.insert(0, _local_name(fields, item.tag, faults, first=0))
        elif item.tag >= _FIRST_FREE_TEMPLATE:
            fields = _template(item.value, item.tag, faults)
            if fields.get("00") == LOCAL_NAME_ID:
                names.append(_local_name(fields, item.tag, faults, first=1))
            elif fields.get("00") != KEYSETS_ID:
                others.append(item)
        elif item.tag > LAST_ACCOUNT and item.tag not in _NAMED:
            others.append(item)
    return tuple(names), tuple(others)


def _keysets(objects: tuple[DataObject, ...], faults: _Faults) -> bytes | None:
    found = [
        item
        for item in objects
        if item.tag >= _FIRST_FREE_TEMPLATE and template_identifier(item.value) == KEYSETS_ID
    ]
    if not found:
        return None
    if len(found) > 1:
        faults.append(Fault(found[1].tag, "The hash of the list of keysets stands twice."))
    tag = found[0].tag
    value = read_keysets(_template(found[0].value, tag, faults).get("01", ""))
    if value is None:
        faults.append(Fault(f"{tag}.01", "The hash of the list of keysets is malformed."))
    return value


def _local_name(fields: _Values, tag: str, faults: _Faults, *, first: int) -> LocalName:
    language_tag, name_tag, city_tag = (f"{first + step:02}" for step in range(3))
    language = fields.get(language_tag, "")
    if _LANGUAGE.fullmatch(language) is None:
        faults.append(Fault(f"{tag}.{language_tag}", "The language is missing or malformed."))
    name = _shown(fields, name_tag, f"{tag}.{name_tag}", faults)
    city = None
    if fields.get(city_tag):
        city = _shown(fields, city_tag, f"{tag}.{city_tag}", faults)
    return LocalName(language.lower(), name, city)


def _additional(values: _Values, faults: _Faults) -> AdditionalData:
    fields = _template(values.get("62", ""), "62", faults)
    known = {name: fields.pop(tag, "") or None for tag, name in ADDITIONAL_FIELDS}
    faults.extend(
        Fault("62", "The additional data hold characters that are never shown.")
        for value in known.values()
        if value is not None and not is_printable(value)
    )
    others = tuple(DataObject(tag, value) for tag, value in fields.items())
    return AdditionalData(**known, others=others)
