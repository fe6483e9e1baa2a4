"""What a person's browser finds at the mint's root: whose mint this is, and that wallets use it.

The one page of this origin. It is the same for everybody, in both languages, loads nothing and
leads nowhere else.
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from typing import Final

from amana.node.mint.info import MintInfo

_STYLE: Final = """
:root { color-scheme: light dark; }
body { max-width: 30rem; margin: 0 auto; padding: 2rem 1rem; line-height: 1.5;
  font-family: system-ui, "Noto Sans", "Noto Sans Arabic", sans-serif; }
h1, h2 { font-size: 1.5rem; line-height: 1.25; }
div { padding-block-start: 1rem; }
"""
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest())

HEADERS: Final = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"accept"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; img-src data:; style-src 'sha256-%s'; base-uri 'none'; "
        b"form-action 'none'; frame-ancestors 'none'" % _STYLE_HASH,
    ),
]

_PAGE: Final = """<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name} · Mint</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>Mint of <bdi>{name}</bdi></h1>
<p>Wallets fetch e-cash at this address and pay with it. They do so by themselves: there is nothing
to sign in to here, and nothing to press. To pay or to look at your money, open your wallet.</p>
<p>For programs: <a href="/v1/info">what this mint can do</a>.</p>
<div lang="ar" dir="rtl">
<h2>دار السكّ لدى <bdi>{name}</bdi></h2>
<p>من هذا العنوان تأخذ المحافظ النقد الإلكتروني وبه تدفع. تفعل ذلك تلقائيًا: لا دخول هنا إلى حساب
ولا شيء يُضغط. لتدفع أو لترى مالك افتح محفظتك.</p>
<p>للبرامج: <a href="/v1/info">ما تستطيعه دار السكّ هذه</a>.</p>
</div>
</main>
</body>
</html>
"""


def write_front(info: MintInfo) -> bytes:
    """Write the page of a mint."""
    return _PAGE.format(name=escape(info.name), style=_STYLE).encode()


def asks_for_page(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Say whether a request is a browser's for a page; a program names JSON, or nothing at all."""
    accepted = b",".join(value for name, value in headers if name == b"accept").lower()
    return b"text/html" in accepted and b"json" not in accepted
