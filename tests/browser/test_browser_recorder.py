"""What the recorder looks for is found: of each clause one forged message, beside honest ones.

Goal: a recorder that is blind finds nothing, and looks like a wallet that tells nothing. Method: a
run of messages in which nothing is amiss; each row changes one of them, or says one more, and names
the only complaint that is expected.
"""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any, Final

import pytest
from tests.browser.leaks import Sent, leaks_in

from amana.purse.policy import shipped_policy

OPERATOR: Final = "http://operator.example"
MINT: Final = "http://mint.example"
POLICY: Final = shipped_policy()
BROWSER: Final = {"accept": "application/json", "origin": OPERATOR, "sec-fetch-mode": "cors"}
CLOSED: Final = {"connection": "close"}
POINT: Final = "02" + "ab" * 32
AMOUNTS: Final = [1] * 15 + [2]


def proof(amount: int, name: str, **more: str) -> dict[str, Any]:
    """A proof with a secret that follows from its name."""
    return {"amount": amount, "id": "01aa", "secret": name.ljust(64, "0"), "C": POINT, **more}


def locked(name: str, *, to: str, refund: str) -> dict[str, Any]:
    """A proof that somebody locked to a key."""
    lock = ["P2PK", {"nonce": name, "data": to, "tags": [["locktime", "9"], ["refund", refund]]}]
    return {**proof(8, name), "secret": json.dumps(lock, separators=(",", ":")), "witness": "{}"}


def output(amount: int, name: str) -> dict[str, Any]:
    """An output whose point follows from its name."""
    return {"amount": amount, "id": "01aa", "B_": name}


def outputs(name: str, amounts: list[int]) -> list[dict[str, Any]]:
    """So many outputs, none like another."""
    return [output(amount, f"{name}-{at}") for at, amount in enumerate(amounts)]


def token(name: str, **more: str) -> str:
    """A blind token as its header carries it."""
    text = json.dumps({"id": "01bb", "secret": name, "C": POINT, **more})
    return "authA" + urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def asked(
    path: str, body: object | None = None, *, method: str = "POST", blind: str | None = None
) -> Sent:
    """A message to the mint, answered on a connection that ends."""
    headers = BROWSER if blind is None else {**BROWSER, "blind-auth": token(blind)}
    text = "" if body is None else json.dumps(body)
    return Sent(method, MINT + path, headers, text, CLOSED)


def left(method: str, path: str, body: object) -> Sent:
    """A message to the named side."""
    return Sent(
        method, f"{OPERATOR}/v1/purse{path}", {"authorization": "Bearer x"}, json.dumps(body)
    )


def refill(tier: int = POLICY.refill.tiers[0], count: int = POLICY.refill.outputs) -> Sent:
    """A standing order for the next refill."""
    points = [{"amount": 1, "B_": f"refill-{at}"} for at in range(count)]
    tiered = {"currency": "EUR", "minor": str(tier)}
    return left("PUT", "/refill", {"tier": tiered, "keyset_id": "01aa", "outputs": points})


def backup(characters: int = -(-POLICY.backup.bytes * 4 // 3)) -> Sent:
    """A sealed backup."""
    return left("PUT", "/backup", {"sealed": "A" * characters})


def fetched(count: int = POLICY.blind_tokens.per_fetch) -> Sent:
    """Blind tokens that are asked for."""
    points = [{"amount": 1, "B_": f"token-{at}"} for at in range(count)]
    return left("POST", "/tokens", {"keyset_id": "01bb", "outputs": points})


def melted(name: str, **more: object) -> Sent:
    """A payment to a merchant."""
    body = {
        "quote": name,
        "inputs": [proof(2, f"{name}2"), proof(8, f"{name}8")],
        "outputs": outputs(f"{name}-change", [0] * POLICY.spend.blanks),
    }
    return asked("/v1/melt/amana-merchant", {**body, **more}, blind=f"{name}-token")


def swapped(name: str, **more: object) -> Sent:
    """E-cash handed to somebody."""
    inputs = [proof(8, f"{name}8"), proof(9, f"{name}9")]
    body = {"inputs": inputs, "outputs": outputs(name, AMOUNTS)}
    return asked("/v1/swap", {**body, **more}, blind=f"{name}-token")


def taken(name: str, to: str, refund: str) -> Sent:
    """E-cash from somebody, taken for oneself."""
    inputs = [
        locked(name, to=to, refund=refund),
        locked(f"{name}, too", to=f"{name}-key", refund=f"{name}-back"),
    ]
    body = {"inputs": inputs, "outputs": outputs(name, AMOUNTS)}
    return asked("/v1/swap", body, blind=f"{name}-token")


def account_quote(amount: int) -> Sent:
    """A sum that goes back into the account."""
    body = {"request": "amana-deposit:1", "unit": "eur", "amount": amount}
    return asked("/v1/melt/quote/amana-account", body, blind=f"back-{amount}")


def merchant_quote(name: str) -> Sent:
    """What an order asks for; its connection is kept for the payment."""
    body = {"request": name, "unit": "eur", "refund_key": f"refund-{name}"}
    sent = asked("/v1/melt/quote/amana-merchant", body, blind=f"{name}-quote")
    return replace(sent, answered={})


HONEST: Final = (
    refill(),
    fetched(),
    backup(),
    asked("/v1/keysets", method="GET"),
    asked("/v1/swap", {"inputs": [proof(4, "old")], "outputs": [output(4, "new")]}, blind="one"),
    backup(),
    merchant_quote("first"),
    melted("first"),
    melted("first"),
    merchant_quote("second"),
    melted("second"),
    swapped("handed"),
    taken("came", "key", "back"),
    asked("/v1/restore", {"outputs": outputs("handed", AMOUNTS)}),
    asked("/v1/reissue", {"inputs": [proof(4, "ended", r="1")], "outputs": [output(4, "anew")]}),
    left("POST", "/deposits", {"closing": True}),
    account_quote(POLICY.deposit.tiers[0] + 1),
    left("POST", "/deposits", {}),
    account_quote(POLICY.deposit.tiers[0]),
)


def leaks(*more: Sent, allowed: tuple[int, ...] = ()) -> list[str]:
    """Judge the honest messages and what was said after them."""
    return leaks_in([*HONEST, *more], operator=OPERATOR, mint=MINT, allowed=allowed)


def with_header(name: str, value: str = "x") -> Sent:
    """A payment with one header more."""
    sent = melted("third")
    return replace(sent, headers={**sent.headers, name: value})


def with_token(text: str) -> Sent:
    """A payment with another blind token."""
    sent = melted("third")
    return replace(sent, headers={**sent.headers, "blind-auth": text})


FORGED: Final = {
    # The blinding factor, wherever it could go along.
    "factor": (melted("x", inputs=[proof(8, "x", r="1")]), "a proof with"),
    "dleq": (melted("x", inputs=[{**proof(8, "x"), "dleq": {"r": "1"}}]), "a proof with"),
    "factor in a swap": (
        swapped("x", inputs=[proof(8, "x", r="1"), proof(9, "y")]),
        "a proof with",
    ),
    "factor of a locked proof": (
        asked(
            "/v1/swap",
            {
                "inputs": [{**locked("x", to="k", refund="l"), "dleq": {}}],
                "outputs": outputs("x", AMOUNTS),
            },
        ),
        "a proof with",
    ),
    "factor of a blind token": (with_token(token("x", dleq="1")), "a blind token with"),
    "factor of an output": (swapped("x", outputs=[{**output(1, "x"), "r": "1"}]), "an output with"),
    # Repeated keys, each kind.
    "secret": (melted("x", inputs=[proof(8, "first8")]), "first800 was sent before"),
    "output": (
        swapped("x", outputs=outputs("handed", [1]) + outputs("x", AMOUNTS[1:])),
        "handed-0 was sent before",
    ),
    "output within a message": (
        swapped("x", outputs=[output(1, "same")] * 2 + outputs("x", AMOUNTS[2:])),
        "same was sent before",
    ),
    "refund key": (
        asked("/v1/melt/quote/amana-merchant", {"request": "x", "refund_key": "refund-first"}),
        "refund-f was sent before",
    ),
    "blind token": (with_token(token("first-token")), "first-to was sent before"),
    "lock": (taken("x", "key", "other"), "key was sent before"),
    "lock for the refund": (taken("x", "other", "back"), "back was sent before"),
    # Order and padding.
    "inputs": (melted("x", inputs=[proof(8, "x8"), proof(2, "x2")]), "inputs not sorted"),
    "outputs": (swapped("x", outputs=outputs("x", [2] + [1] * 15)), "outputs not sorted"),
    "outputs of a refund": (
        asked("/v1/mint/amana-refund", {"quote": "x", "outputs": outputs("x", [8, 4])}),
        "outputs not sorted",
    ),
    "swap": (swapped("x", outputs=outputs("x", [2, 14])), "2 into 2"),
    "proofs issued anew together": (
        asked(
            "/v1/reissue",
            {
                "inputs": [proof(4, "x", r="1"), proof(4, "y", r="1")],
                "outputs": outputs("x", [4, 4]),
            },
        ),
        "2 proofs side by side",
    ),
    "change": (melted("x", outputs=outputs("x", [0, 0])), "2 outputs for change"),
    "refill": (refill(count=POLICY.refill.outputs - 1), "unpadded, 31 outputs"),
    "tokens": (fetched(3), "unpadded, 3 outputs"),
    "backup": (backup(100), "100 characters"),
    "secret's length": (melted("x", inputs=[{**proof(8, "x"), "secret": "x"}]), "a secret of 1"),
    # Off the menu.
    "withdrawal": (refill(POLICY.refill.tiers[0] + 1), "off the menu"),
    "return": (account_quote(POLICY.deposit.tiers[0] + 2), "off the menu"),
    # Who it is.
    "cookie": (with_header("cookie"), "a header cookie"),
    "session": (with_header("Authorization"), "a header Authorization"),
    "clear token": (with_header("clear-auth"), "a header clear-auth"),
    "referrer": (with_header("referer"), "a header referer"),
    "what was kept": (with_header("if-none-match"), "a header if-none-match"),
    "address": (asked("/v1/keysets?who=me", method="GET"), "something in the address"),
    # One connection for two payments.
    "connection": (replace(melted("x"), answered={}), "its connection stays open"),
    "connection of a swap": (
        replace(swapped("x"), answered={"connection": "keep-alive"}),
        "its connection stays open",
    ),
    # What a payment causes.
    "upload": (backup(), "an upload after a payment"),
    "refill after": (refill(), "an upload after a payment"),
    "tokens after": (fetched(), "an upload after a payment"),
}
ASKED_FOR: Final = ("refill", "tokens", "backup", "withdrawal")
"""What is wrong with these is not that they come after a payment."""


def test_honest_messages_are_passed_over() -> None:
    assert leaks() == []


def test_an_upload_that_the_person_asked_for_is_passed_over() -> None:
    assert leaks(backup(), refill(), allowed=(len(HONEST),)) == []
    assert leaks(backup(), melted("x"), refill(), allowed=(len(HONEST),)) == [
        "PUT /v1/purse/refill: an upload after a payment"
    ]


@pytest.mark.parametrize("name", FORGED)
def test_each_forged_message_is_found_and_nothing_else(name: str) -> None:
    sent, complaint = FORGED[name]
    (found,) = leaks(sent, allowed=(len(HONEST),) if name in ASKED_FOR else ())
    assert complaint in found
