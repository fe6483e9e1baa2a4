"""Names of other payment schemes, by the identifiers that their codes carry.

Identifiers are public facts. Most were seen alike in several independent implementations; some text
and address patterns are common knowledge that nothing here confirms. A wrong one shows a wrong name
and charges nobody. A scheme that is not listed is still foreign, only without a name.
"""

import re
from typing import Final

IDENTIFIERS: Final = (
    ("br.gov.bcb.pix", "Pix"),
    ("sg.paynow", "PayNow"),
    ("a00000067701", "PromptPay"),
    ("a000000727", "VietQR"),
    ("id.co.qris.www", "QRIS"),
    ("a000000615", "DuitNow"),
    ("my.paynet", "DuitNow"),
    ("hk.com.hkicl", "FPS"),
    ("ph.ppmi", "QR Ph"),
    ("com.p2pqrpay", "QR Ph"),
    ("a000000524", "BharatQR"),
    ("jp.or.paymentsjapan", "JPQR"),
    ("a005266284662577", "LAO QR"),
    ("int.bceao.pi", "PI-SPI"),
    ("ke.go.qr", "KE-QR"),
    ("tz.go.bot.tips", "TANQR"),
    ("com.mercadolibre", "Mercado Pago"),
    ("sg.sgqr", "SGQR"),
    ("sg.com.nets", "NETS"),
    ("com.qq.weixin", "WeChat Pay"),
    ("com.alipay", "Alipay+"),
    ("com.grab", "GrabPay"),
    ("fonepay.com", "Fonepay"),
)
"""Beginnings of sub-tag 00 of a merchant account template, in lower case, most telling first."""

CARD_NETWORKS: Final = {
    "02": "Visa",
    "03": "Visa",
    "04": "Mastercard",
    "05": "Mastercard",
    "09": "Discover",
    "10": "Discover",
    "11": "American Express",
    "12": "American Express",
    "13": "JCB",
    "14": "JCB",
    "15": "UnionPay",
    "16": "UnionPay",
}
"""Tags that EMVCo reserves for card networks (EMV QRCPS, table 4.3)."""


def _begins(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII | re.IGNORECASE)


PATTERNS: Final = (
    # Codes that a payer shows. First digits tell WeChat Pay (10 to 15) from Alipay (25 to 30).
    (_begins(r"1[0-5][0-9]{16}\Z"), "WeChat Pay"),
    (_begins(r"(?:2[5-9]|30)[0-9]{14,30}\Z"), "Alipay+"),
    # Base64 of the payload format of EMVCo's consumer-presented mode: 85 05 "CPV01".
    (_begins(r"hQVDUFYwMQ?"), "EMVCo consumer-presented"),
    # Codes of texts.
    (_begins(r"BCD\r?\n00[12]\r?\n"), "EPC credit transfer"),
    (_begins(r"SPC\r?\n02"), "Swiss QR-bill"),
    (_begins(r"UPNQR\r?\n"), "UPN QR"),
    (_begins(r"HRVHUB30\r?\n"), "HUB3"),
    (_begins(r"SPD\*1\.0\*"), "SPAYD"),
    (_begins(r"ST0001[12]\|"), "ST00012"),
    (_begins(r"K:P[RTK]\|"), "NBS IPS"),
    # Links and schemes.
    (_begins(r"upi:"), "UPI"),
    (_begins(r"(?:https?://qr\.alipay\.com/|alipays?:)"), "Alipay+"),
    (
        _begins(r"(?:wxp:|weixin:|https?://(?:wx\.tenpay\.com|payapp\.weixin\.qq\.com)/)"),
        "WeChat Pay",
    ),
    (_begins(r"https?://qr\.95516\.com/"), "UnionPay"),
    (_begins(r"https?://(?:www\.)?(?:paypal\.com/qrcodes/|paypal\.me/)"), "PayPal"),
    (_begins(r"https?://(?:www\.|account\.)?venmo\.com/"), "Venmo"),
    (_begins(r"https?://enroll\.zellepay\.com/"), "Zelle"),
    (_begins(r"https?://cash\.app/"), "Cash App"),
    (_begins(r"https?://(?:www\.)?revolut\.me/"), "Revolut"),
    (_begins(r"https?://(?:www\.)?payconiq\.com/"), "Payconiq"),
    (_begins(r"swish:"), "Swish"),
    (_begins(r"cashu(?:[ab]|:|req)|creqa"), "Cashu"),
    (_begins(r"(?:lightning:|lnurl1|ln(?:bcrt|bc|tbs|tb)[0-9a-z])"), "Lightning"),
    (_begins(r"(?:bitcoin:|bc1[02-9ac-hj-np-z]{8})"), "Bitcoin"),
    (_begins(r"ethereum:"), "Ethereum"),
)
"""Texts that are no merchant-presented EMVCo code, by how they begin."""
