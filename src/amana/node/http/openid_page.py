"""The two pages on which a customer says yes or no to a wallet, in English and Arabic."""

from html import escape
from typing import Final

_WORDS: Final = {
    "en": {
        "direction": "ltr",
        "title": "Let a wallet fetch tokens?",
        "asks": "A wallet at {client} asks to fetch blind tokens from {operator} in your name.",
        "device": "A wallet on another device asks to fetch blind tokens from {operator} "
        "in your name. Type the code that it shows.",
        "what": "It cannot see your account, your name or your payments, and it cannot pay from "
        "your account. Tokens let it swap and spend e-cash; they do not say whose they are.",
        "only": "Say yes only if you began this yourself, a moment ago.",
        "code": "Code",
        "yes": "Yes, let it",
        "no": "No",
        "done": "Done. You can go back to the other device.",
        "unknown": "No device waits with this code. Begin there again.",
        "failed": "That did not work. Nothing was allowed. Try again in a minute.",
        "sign-in": "Open your wallet in this browser and sign in. Then open this page again.",
        "wallet": "Open the wallet",
    },
    "ar": {
        "direction": "rtl",
        "title": "هل تسمح لمحفظة بجلب الرموز؟",
        "asks": "محفظة على {client} تطلب جلب رموز عمياء من {operator} باسمك.",
        "device": "محفظة على جهاز آخر تطلب جلب رموز عمياء من {operator} باسمك. "
        "اكتب الرمز الذي تعرضه.",
        "what": "لا يمكنها أن ترى حسابك ولا اسمك ولا مدفوعاتك، ولا أن تدفع من حسابك. "
        "الرموز تتيح لها تبديل النقد الإلكتروني وإنفاقه، ولا تقول لمن هي.",
        "only": "وافق فقط إذا كنت قد بدأت هذا بنفسك قبل لحظات.",
        "code": "الرمز",
        "yes": "نعم، أسمح",
        "no": "لا",
        "done": "تم. يمكنك العودة إلى الجهاز الآخر.",
        "unknown": "لا جهاز ينتظر بهذا الرمز. ابدأ من هناك مرة أخرى.",
        "failed": "لم ينجح ذلك، ولم يُسمح بشيء. حاول بعد دقيقة.",
        "sign-in": "افتح محفظتك في هذا المتصفح وسجّل الدخول، ثم افتح هذه الصفحة من جديد.",
        "wallet": "افتح المحفظة",
    },
}
_OUTCOMES: Final = ("done", "unknown", "failed", "sign-in")

SCRIPT: Final = """
"use strict";
const main = document.querySelector("main");
const field = document.querySelector("input");
const told = document.querySelector("[role=status]");
const buttons = [...document.querySelectorAll("button")];
const token = localStorage.getItem("amana.token");

function tell(outcome, isOver) {
  told.textContent = main.dataset[outcome];
  for (const button of buttons) button.disabled = isOver;
  document.querySelector("[data-wallet]").hidden = outcome !== "signIn";
}

async function answer(isApproved) {
  const body = field
    ? { user_code: field.value, is_approved: isApproved }
    : { query: location.search.slice(1), is_approved: isApproved };
  for (const button of buttons) button.disabled = true;
  let came;
  try {
    came = await fetch(main.dataset.address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  } catch {
    tell("failed", false);
    return;
  }
  if (came.status === 401) tell("signIn", true);
  else if (came.status === 404) tell("unknown", false);
  else if (!came.ok) tell("failed", false);
  else if (field) tell("done", true);
  else location.replace((await came.json()).redirect);
}

if (field) field.value = new URLSearchParams(location.search).get("user_code") ?? "";
if (token === null) tell("signIn", true);
for (const button of buttons) {
  button.addEventListener("click", () => void answer(button.name === "yes"));
}
"""

STYLE: Final = """
:root{color-scheme:light dark;font:1.0625rem/1.6 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center}
main{max-width:28rem;padding:2rem 1.25rem}
h1{font-size:1.5rem;line-height:1.3}
label{display:block;font-weight:600}
input{font:600 1.5rem/2 ui-monospace,monospace;letter-spacing:.15em;width:100%;
box-sizing:border-box;text-align:center;text-transform:uppercase}
p.buttons{display:flex;gap:.75rem;flex-wrap:wrap}
button{font:inherit;font-weight:600;min-height:3rem;min-width:8rem;padding:0 1.25rem;
border-radius:.75rem;border:2px solid #0b6b53;background:transparent;color:inherit}
button[name=yes]{background:#0b6b53;color:#fff}
button:disabled{opacity:.55}
:focus-visible{outline:3px solid #1a73e8;outline-offset:2px}
"""


def language_of(asked: str, accepted: str) -> str:
    """Return the language a page is shown in: what the client asked for, else the browser's."""
    for text in (asked.replace(" ", ","), accepted):
        for tag in text.split(","):
            language = tag.strip().partition(";")[0].partition("-")[0].lower()
            if language in _WORDS:
                return language
    return "en"


def approval_page(language: str, operator: str, client: str) -> str:
    """Write the page that asks for a client at an address."""
    words = _WORDS[language]
    asks = words["asks"].format(client=f"<bdi><b>{escape(client)}</b></bdi>", operator=_b(operator))
    return _write(language, f"<p>{asks}</p>", "/v1/openid/approve")


def device_page(language: str, operator: str) -> str:
    """Write the page that asks for a device's code."""
    words = _WORDS[language]
    code = (
        f"<p><label for=code>{words['code']}</label><input id=code dir=ltr maxlength=32 "
        "autocomplete=off autocapitalize=characters spellcheck=false></p>"
    )
    asks = f"<p>{words['device'].format(operator=_b(operator))}</p>"
    return _write(language, asks + code, "/v1/openid/device/approve")


def _b(text: str) -> str:
    return f"<bdi><b>{escape(text)}</b></bdi>"


def _write(language: str, body: str, address: str) -> str:
    words = _WORDS[language]
    outcomes = " ".join(f'data-{name}="{escape(words[name])}"' for name in _OUTCOMES)
    return (
        f"<!doctype html><html lang={language} dir={words['direction']}><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width">'
        f"<title>{words['title']}</title><link rel=stylesheet href=/openid/page.css>"
        "<link rel=icon href=/icons/icon.svg type=image/svg+xml>"
        f'<script src=/openid/page.js defer></script><main data-address="{address}" {outcomes}>'
        f"<h1>{words['title']}</h1>{body}<p>{words['what']}</p><p>{words['only']}</p>"
        f"<p class=buttons><button name=yes>{words['yes']}</button>"
        f"<button name=no>{words['no']}</button></p><p role=status></p>"
        f"<p data-wallet hidden><a href=/wallet>{words['wallet']}</a></p></main></html>"
    )
