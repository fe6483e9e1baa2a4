"""Receipts: the same bytes for the same payment, and no other bytes under the merchant's key."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.payments.samples import NOW, SHOP, order, payment

from amana.kernel import AmanaId, IdKind, format_id, format_instant
from amana.payments.model import PURSE_PARTY, PaymentKind
from amana.purse.receipts import (
    RECEIPT_TYPE,
    VALUE_CHARACTERS_MAX,
    Receipt,
    ReceiptKey,
    Receipts,
    canonical,
    verify_receipt,
)

SECRET: Final = bytes(range(32))
SHOPS: Final = Receipts(SECRET, operator="pay.example", currency="EUR")
KEY: Final = SHOPS.key_of(SHOP.id)
PROFILE: Final = {"handle": "rose-bakery", "name": 'مخبز "الورد" \\ 玫瑰\n\x7f\u2028'}
LEFT: Final = b"\2" + b"k" * 32
PAID: Final = payment(
    kind=PaymentKind.PURSE,
    payer=PURSE_PARTY,
    total=1_300,
    tip=50,
    order_id=AmanaId(0x3000),
    refund_key=LEFT,
)
Given = dict[str, Any]


def signed(**differing: str | None) -> Given:
    receipt = SHOPS.of(PAID, order(reference="R-1"), PROFILE)
    return {**receipt, **differing}


def test_a_receipt_says_what_was_paid_and_by_which_key() -> None:
    assert verify_receipt(signed(), KEY.public()) == Receipt(
        operator="pay.example",
        merchant="rose-bakery",
        merchant_name=PROFILE["name"],
        order=format_id(IdKind.ORDER, AmanaId(0x3000)),
        reference="R-1",
        amount="1250",
        tip="50",
        currency="EUR",
        paid_at=format_instant(NOW),
        payer_key=LEFT.hex(),
    )


def test_the_receipt_of_a_payment_is_the_same_every_time_to_the_byte() -> None:
    again = Receipts(SECRET, operator="pay.example", currency="EUR")
    first, second = signed(), again.of(PAID, order(reference="R-1"), PROFILE)
    assert msgspec.json.encode(first) == msgspec.json.encode(second)
    assert list(first) == sorted(first)


def test_a_payment_without_order_or_key_has_a_receipt_too() -> None:
    bare = msgspec.structs.replace(PAID, refund_key=None)
    receipt = verify_receipt(SHOPS.of(bare, None, PROFILE), KEY.public())
    assert receipt is not None
    assert (receipt.reference, receipt.payer_key) == (None, None)


def test_each_merchant_has_a_key_of_its_own() -> None:
    keys = {SHOPS.key_of(AmanaId(number)).public() for number in range(20)}
    keys.add(ReceiptKey(b"s" * 32, AmanaId(0)).public())
    assert len(keys) == 21


@pytest.mark.parametrize("name", sorted({*Receipt.__struct_fields__, "signature"}))
def test_no_member_can_be_changed_added_or_taken_away(name: str) -> None:
    given = signed()
    changed: list[Any] = [None, "x", given[name] + " ", given[name][:-1], 1, [], "\ud800"]
    for value in changed:
        assert verify_receipt({**given, name: value}, KEY.public()) is None, value
    without = {key: value for key, value in given.items() if key != name}
    assert verify_receipt(without, KEY.public()) is None
    assert verify_receipt({**given, name + "2": "x"}, KEY.public()) is None


def test_another_key_signed_nothing() -> None:
    assert verify_receipt(signed(), SHOPS.key_of(AmanaId(0x301)).public()) is None
    assert verify_receipt(signed(), b"") is None


@pytest.mark.parametrize("given", [None, 1, "receipt", [], {}, {1: 2}])
def test_what_is_no_receipt_is_refused(given: object) -> None:
    assert verify_receipt(given, KEY.public()) is None


def test_a_receipt_of_another_kind_or_size_is_refused_although_it_is_signed() -> None:
    receipt = verify_receipt(signed(), KEY.public())
    assert receipt is not None
    for other in (
        msgspec.structs.replace(receipt, type="amana-receipt-v2"),
        msgspec.structs.replace(receipt, reference="x" * (VALUE_CHARACTERS_MAX + 1)),
    ):
        assert verify_receipt(KEY.sign(other), KEY.public()) is None
    assert receipt.type == RECEIPT_TYPE


@pytest.mark.parametrize("ending", ["==", "\n", "é"])
def test_a_signature_is_written_in_one_way_only(ending: str) -> None:
    given = signed()
    given["signature"] += ending
    assert verify_receipt(given, KEY.public()) is None
    loose = given["signature"].removesuffix(ending)[:-1]
    others = [loose + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"]
    accepted = [one for one in others if verify_receipt(signed(signature=one), KEY.public())]
    assert accepted == [signed()["signature"]]


@given(st.dictionaries(st.text("abcdefgh_", min_size=1), st.none() | st.text()))
def test_the_canonical_form_reads_back_and_has_no_choices(members: dict[str, str | None]) -> None:
    written = canonical(members)
    assert json.loads(written) == members
    assert canonical(dict(reversed(members.items()))) == written


@pytest.mark.golden
def test_the_published_receipt_verifies_in_every_language(
    golden: Callable[[str, str], None],
) -> None:
    """Written here, read by the wallet's tests: bytes signed, receipt, keys."""
    given = signed()
    unsigned = {name: value for name, value in given.items() if name != "signature"}
    vector = {
        "secret": SECRET.hex(),
        "merchant_id": SHOP.id.to_bytes(16).hex(),
        "public_key": urlsafe_b64encode(KEY.public()).rstrip(b"=").decode(),
        "signed_bytes_hex": canonical(unsigned).hex(),
        "receipt": given,
        "false_receipts": [
            {**given, "amount": "1251"},
            {**given, "payer_key": None},
            {**given, "signature": given["signature"][:-2] + "AA"},
        ],
    }
    golden("receipt.json", json.dumps(vector, indent=2) + "\n")
    assert verify_receipt(vector["receipt"], KEY.public()) is not None
    assert [verify_receipt(one, KEY.public()) for one in vector["false_receipts"]] == [None] * 3
