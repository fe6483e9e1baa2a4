"""A scanned text is ours, somebody else's by name, or damaged. Every payee here is made up."""

import pytest
from tests.wire.samples import DYNAMIC, VECTORS, sealed

from amana.wire import Malformed
from amana.wire.emv import DataObject, ForeignCode, ReadCode, recognise, seal, write_code
from amana.wire.emv import write_objects as text_of


def template(identifier: str) -> str:
    return text_of([DataObject("00", identifier), DataObject("01", "made-up")])


@pytest.mark.parametrize(
    ("identifier", "scheme"),
    [
        ("br.gov.bcb.pix", "Pix"),
        ("BR.GOV.BCB.PIX", "Pix"),
        ("SG.PAYNOW", "PayNow"),
        ("SG.SGQR", "SGQR"),
        ("A000000677010111", "PromptPay"),
        ("A000000677010112", "PromptPay"),
        ("A000000727", "VietQR"),
        ("ID.CO.QRIS.WWW", "QRIS"),
        ("A0000006150001", "DuitNow"),
        ("hk.com.hkicl", "FPS"),
        ("ph.ppmi.p2m", "QR Ph"),
        ("com.p2pqrpay", "QR Ph"),
        ("A000000524", "BharatQR"),
        ("jp.or.paymentsjapan", "JPQR"),
        ("A005266284662577", "LAO QR"),
        ("int.bceao.pi", "PI-SPI"),
        ("ke.go.qr", "KE-QR"),
        ("tz.go.bot.tips", "TANQR"),
        ("com.mercadolibre", "Mercado Pago"),
        ("com.example.unheard-of", None),
        ("somebody@bank", None),
    ],
)
def test_a_merchant_presented_code_is_named_by_its_identifier(
    identifier: str, scheme: str | None
) -> None:
    assert recognise(sealed(t26=template(identifier))) == ForeignCode(scheme)


def test_a_bakong_account_is_khqr_in_cambodia_only() -> None:
    assert recognise(sealed(t26=None, t29=template("shop@bank"), t58="KH")) == ForeignCode("KHQR")
    assert recognise(sealed(t26=None, t29=template("shop@bank"), t58="SA")) == ForeignCode(None)


@pytest.mark.parametrize(
    ("tag", "scheme"),
    [
        ("02", "Visa"),
        ("05", "Mastercard"),
        ("10", "Discover"),
        ("12", "American Express"),
        ("14", "JCB"),
        ("15", "UnionPay"),
        ("20", None),
    ],
)
def test_a_card_networks_code_is_named_by_its_tag(tag: str, scheme: str | None) -> None:
    assert recognise(sealed(t26=None, **{f"t{tag}": "1234567890"})) == ForeignCode(scheme)


def test_a_national_scheme_is_named_before_the_cards_beside_it() -> None:
    text = sealed(t26=template("ID.CO.QRIS.WWW"), t02="1234567890123456")
    assert recognise(text) == ForeignCode("QRIS")


def test_foreign_codes_that_leave_out_mandatory_objects_are_recognised() -> None:
    # PromptPay codes carry no category, name or city.
    text = seal("000201010211" + "2931" + template("A000000677010111") + "5802TH5303764")
    assert recognise(text) == ForeignCode("PromptPay")


def test_a_foreign_template_that_is_no_template_has_no_name() -> None:
    assert recognise(sealed(t26="made-up")) == ForeignCode(None)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_published_codes_are_foreign(vector: dict[str, str]) -> None:
    assert recognise(vector["text"]) == ForeignCode(vector["scheme"])


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("130000000000000000", "WeChat Pay"),
        ("280000000000000000", "Alipay+"),
        ("300000000000000000000000", "Alipay+"),
        ("hQVDUFYwMWFPTwegAAAAVVVVUA==", "EMVCo consumer-presented"),
        ("BCD\n002\n1\nSCT\n\nMade Up\nDE00\n", "EPC credit transfer"),
        ("BCD\r\n001\r\n1\r\nSCT\r\n", "EPC credit transfer"),
        ("SPC\n0200\n1\n", "Swiss QR-bill"),
        ("UPNQR\n\nmade up", "UPN QR"),
        ("HRVHUB30\nEUR\n", "HUB3"),
        ("SPD*1.0*ACC:XX00*", "SPAYD"),
        ("ST00012|Name=Made up", "ST00012"),
        ("K:PR|V:01|", "NBS IPS"),
        ("upi://pay?pa=made-up@example", "UPI"),
        ("UPI://PAY?PA=MADE-UP@EXAMPLE", "UPI"),
        ("https://qr.alipay.com/made-up", "Alipay+"),
        ("wxp://made-up", "WeChat Pay"),
        ("weixin://wxpay/bizpayurl?pr=made-up", "WeChat Pay"),
        ("https://qr.95516.com/made-up", "UnionPay"),
        ("https://www.paypal.com/qrcodes/made-up", "PayPal"),
        ("https://venmo.com/made-up", "Venmo"),
        ("https://enroll.zellepay.com/qr-codes?data=x", "Zelle"),
        ("https://cash.app/$madeup", "Cash App"),
        ("https://revolut.me/madeup", "Revolut"),
        ("https://payconiq.com/l/made-up", "Payconiq"),
        ("swish://payment?data=x", "Swish"),
        ("cashuAmadeup", "Cashu"),
        ("cashuBmadeup", "Cashu"),
        ("creqAmadeup", "Cashu"),
        ("lightning:lnbc1madeup", "Lightning"),
        ("LNURL1MADEUP", "Lightning"),
        ("lnbc2500u1madeup", "Lightning"),
        ("bitcoin:madeup", "Bitcoin"),
        ("bc1qqqqqqqqqqqqqqqqq", "Bitcoin"),
        ("ethereum:0x00", "Ethereum"),
        ("https://example.org/menu", None),
        ("just words", None),
        ("160000000000000000", None),
        ("١٣٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠", None),
    ],
)
def test_other_texts_are_named_by_how_they_begin(text: str, scheme: str | None) -> None:
    assert recognise(f"  {text}\n") == ForeignCode(scheme)


def test_a_payers_number_that_looks_like_a_checksum_is_still_a_number() -> None:
    assert recognise("130000000063041234") == ForeignCode("WeChat Pay")


def test_our_code_is_read_in_full() -> None:
    text = write_code(DYNAMIC)
    assert isinstance(text, str)
    read = recognise(f"{text}\n")
    assert isinstance(read, ReadCode)
    assert read.code == DYNAMIC


def test_our_damaged_code_is_unreadable_not_foreign() -> None:
    text = write_code(DYNAMIC)
    assert isinstance(text, str)
    assert isinstance(recognise(text[:-1] + "0"), Malformed)
    assert isinstance(recognise("1" + text[1:]), Malformed)
    assert isinstance(recognise(text[:60]), Malformed)


def test_our_code_that_breaks_a_rule_is_unreadable() -> None:
    ours = text_of([DataObject("00", "org.amana"), DataObject("02", "shop")])
    result = recognise(sealed(t26=ours))
    assert isinstance(result, Malformed)
    assert [fault.field for fault in result.faults] == ["26.01"]


@pytest.mark.parametrize("wrong", ["0", "i" * 26, "z" * 26, "0" * 26])
def test_an_id_that_is_none_is_unreadable(wrong: str) -> None:
    ours = text_of(
        [
            DataObject("00", "org.amana"),
            DataObject("01", "a.example"),
            DataObject("02", "shop"),
            DataObject("03", wrong),
        ]
    )
    result = recognise(sealed(t26=ours))
    assert isinstance(result, Malformed)
    assert [fault.field for fault in result.faults] == ["26.03"]


def test_nothing_and_too_much_are_unreadable() -> None:
    assert isinstance(recognise(""), Malformed)
    assert isinstance(recognise("  \n"), Malformed)
    assert isinstance(recognise("x" * 4_297), Malformed)
    assert recognise("x" * 4_296) == ForeignCode(None)
    assert isinstance(recognise("000201" + "x" * 600), Malformed)
