"""Write a merchant-presented code, within the specification's limits."""

from dataclasses import replace
from typing import Final

from amana.kernel import IdKind, Money, format_id
from amana.wire.emv._model import (
    ADDITIONAL_FIELDS,
    GLOBAL_ID,
    KEYSETS_HASH_BYTES,
    KEYSETS_ID,
    LOCAL_NAME_ID,
    AmanaAccount,
    LocalName,
    MerchantCode,
    NoTip,
    TipFixed,
    TipPrompt,
)
from amana.wire.emv._read import FIRST_TEMPLATE, LAST_ACCOUNT, read_code
from amana.wire.emv._tlv import VALUE_CHARACTERS_MAX, DataObject, seal, write_objects
from amana.wire.emv._values import shortened, write_amount, write_keysets, write_percent
from amana.wire.faults import Fault, Malformed

NAME_CHARACTERS_MAX: Final = 25
CITY_CHARACTERS_MAX: Final = 15
POSTCODE_CHARACTERS_MAX: Final = 10
ADDITIONAL_CHARACTERS_MAX: Final = 25
CONSUMER_REQUEST_CHARACTERS_MAX: Final = 3

_ACCOUNT_TAGS: Final = tuple(str(tag) for tag in range(int(FIRST_TEMPLATE), int(LAST_ACCOUNT) + 1))
_NAME_TAGS: Final = tuple(str(tag) for tag in range(80, 100))

_Faults = list[Fault]


def write_code(code: MerchantCode) -> str | Malformed:
    """Write a code, closed with its checksum.

    What is returned has been read back and says the same. Nothing is shortened: see `fitted`.

    Refuses, with every fault found:
        Values beyond the limits of the specification, an amount or a fixed tip that is not more
        than zero or in another currency, and whatever `read_code` refuses.
    Source: EMV QRCPS, merchant-presented mode, tables 3.2 to 3.8.
    """
    faults = [
        Fault(field, f"Longer than {limit} characters.")
        for field, text, limit in _limits(code)
        if text is not None and len(text) > limit
    ]
    objects = [DataObject("00", "01"), *_accounts(code, faults), *_merchant(code)]
    if code.amount is not None:
        objects.append(DataObject("54", _amount("54", code.amount, code, faults)))
    objects += _tip(code, faults)
    objects += _local_names(code, faults)
    objects += _keysets(code, objects, faults)
    objects += code.others
    faults += [
        Fault(item.tag, f"Longer than {VALUE_CHARACTERS_MAX} characters.")
        for item in objects
        if len(item.value) > VALUE_CHARACTERS_MAX
    ]
    if faults:
        return Malformed(tuple(faults))
    text = seal(write_objects(sorted(objects, key=lambda item: item.tag)))
    read = read_code(text)
    if isinstance(read, Malformed):
        return read
    if read.code != code:
        return Malformed((Fault("code", "The code would not read back as it was meant."),))
    return text


def fitted(code: MerchantCode) -> MerchantCode:
    """Shorten what is only shown (names, cities) to the specification's limits, by characters.

    Amounts, references and ids are never shortened: `write_code` refuses them when too long.
    """
    return replace(
        code,
        name=shortened(code.name, NAME_CHARACTERS_MAX),
        city=shortened(code.city, CITY_CHARACTERS_MAX),
        names=tuple(
            LocalName(
                local.language,
                shortened(local.name, NAME_CHARACTERS_MAX),
                None if local.city is None else shortened(local.city, CITY_CHARACTERS_MAX),
            )
            for local in code.names
        ),
    )


def _limits(code: MerchantCode) -> list[tuple[str, str | None, int]]:
    limits: list[tuple[str, str | None, int]] = [
        ("59", code.name, NAME_CHARACTERS_MAX),
        ("60", code.city, CITY_CHARACTERS_MAX),
        ("61", code.postcode, POSTCODE_CHARACTERS_MAX),
    ]
    for tag, name in ADDITIONAL_FIELDS:
        limit = CONSUMER_REQUEST_CHARACTERS_MAX if tag == "09" else ADDITIONAL_CHARACTERS_MAX
        limits.append((f"62.{tag}", getattr(code.additional, name), limit))
    for local in code.names:
        limits.append(("64.01", local.name, NAME_CHARACTERS_MAX))
        limits.append(("64.02", local.city, CITY_CHARACTERS_MAX))
    return limits


def _merchant(code: MerchantCode) -> list[DataObject]:
    objects = [
        DataObject("52", code.category),
        DataObject("53", code.currency.numeric),
        DataObject("58", code.country),
        DataObject("59", code.name),
        DataObject("60", code.city),
    ]
    if code.initiation is not None:
        objects.append(DataObject("01", code.initiation.value))
    if code.postcode is not None:
        objects.append(DataObject("61", code.postcode))
    given = [(tag, getattr(code.additional, name)) for tag, name in ADDITIONAL_FIELDS]
    additional = [DataObject(tag, value) for tag, value in given if value is not None]
    additional += code.additional.others
    if additional:
        objects.append(DataObject("62", _nested(additional)))
    return objects


def _accounts(code: MerchantCode, faults: _Faults) -> list[DataObject]:
    objects = [DataObject(account.tag, account.value) for account in code.accounts]
    taken = {item.tag for item in objects}
    free = [tag for tag in _ACCOUNT_TAGS if tag not in taken]
    if len(free) < len(code.amana):
        faults.append(Fault(FIRST_TEMPLATE, "More merchant accounts than the format has room for."))
    for tag, account in zip(free, code.amana, strict=False):
        objects.append(DataObject(tag, _nested(_amana_account(account))))
    return objects


def _amana_account(account: AmanaAccount) -> list[DataObject]:
    fields = [
        DataObject("00", GLOBAL_ID),
        DataObject("01", account.operator),
        DataObject("02", account.payee),
    ]
    if account.order is not None:
        fields.append(DataObject("03", _bare_id(IdKind.ORDER, account.order)))
    if account.till is not None:
        fields.append(DataObject("04", _bare_id(IdKind.TILL, account.till)))
    return [*fields, *account.others]


def _bare_id(kind: IdKind, identifier: int) -> str:
    return format_id(kind, identifier).removeprefix(f"{kind.value}_")


def _amount(field: str, amount: Money, code: MerchantCode, faults: _Faults) -> str:
    text = write_amount(amount) if amount.currency == code.currency else None
    if text is None:
        faults.append(
            Fault(field, "Not more than zero, too long, or not in the currency of the code.")
        )
    return text or ""


def _tip(code: MerchantCode, faults: _Faults) -> list[DataObject]:
    if isinstance(code.tip, NoTip):
        return []
    if isinstance(code.tip, TipPrompt):
        return [DataObject("55", "01")]
    if isinstance(code.tip, TipFixed):
        text = _amount("56", code.tip.amount, code, faults)
        return [DataObject("55", "02"), DataObject("56", text)]
    percent = write_percent(code.tip.basis_points)
    if percent is None:
        faults.append(Fault("57", "A percentage lies between 0.01 and 99.99."))
    return [DataObject("55", "03"), DataObject("57", percent or "")]


def _local_names(code: MerchantCode, faults: _Faults) -> list[DataObject]:
    if not code.names:
        return []
    first, *further = code.names
    objects = [DataObject("64", _nested(_local_name(first, first=0)))]
    taken = {item.tag for item in code.others}
    free = [tag for tag in _NAME_TAGS if tag not in taken]
    if len(free) < len(further):
        faults.append(Fault("80", "More languages than the format has room for."))
    for tag, local in zip(free, further, strict=False):
        fields = [DataObject("00", LOCAL_NAME_ID), *_local_name(local, first=1)]
        objects.append(DataObject(tag, _nested(fields)))
    return objects


def _keysets(code: MerchantCode, before: list[DataObject], faults: _Faults) -> list[DataObject]:
    if code.keysets is None:
        return []
    taken = {item.tag for item in (*before, *code.others)}
    # From the end, so that the names stand where they would stand without it.
    tag = next((tag for tag in reversed(_NAME_TAGS) if tag not in taken), "")
    if not tag:
        faults.append(Fault("80", "The format has no room for the hash of the list of keysets."))
        return []
    if len(code.keysets) != KEYSETS_HASH_BYTES:
        faults.append(Fault(f"{tag}.01", f"The hash is not {KEYSETS_HASH_BYTES} bytes."))
    fields = [DataObject("00", KEYSETS_ID), DataObject("01", write_keysets(code.keysets))]
    return [DataObject(tag, _nested(fields))]


def _local_name(local: LocalName, *, first: int) -> list[DataObject]:
    given = (local.language, local.name, local.city)
    return [
        DataObject(f"{first + step:02}", value)
        for step, value in enumerate(given)
        if value is not None
    ]


def _nested(fields: list[DataObject]) -> str:
    # A field too long for two digits makes its template too long, which is refused as a whole.
    if any(len(item.value) > VALUE_CHARACTERS_MAX for item in fields):
        return " " * (VALUE_CHARACTERS_MAX + 1)
    return write_objects(fields)
