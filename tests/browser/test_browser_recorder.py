"""What the recorder looks for is found: of each clause one forged message, beside honest ones.

Goal: a recorder that is blind finds nothing, and looks like a wallet that tells nothing. Method: a
run of messages in which nothing is amiss; each row changes one of them, or says one more, and names
the only complaint that is expected.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pytest
from tests.browser.leaks import Sent, leaks_in

from amana.purse.curve import hash_to_curve
from amana.purse.policy import shipped_policy

OPERATOR: Final = "http://operator.example"
MINT: Final = "http://mint.example"
POLICY: Final = shipped_policy()
BROWSER: Final = {"accept": "application/json", "origin": OPERATOR, "sec-fetch-mode": "cors"}
CLOSED: Final = {"connection": "close"}
POINT: Final = "02" + "ab" * 32
AMOUNTS: Final = [1] * 15 + [2]
AFTER: Final = "to the named side after a payment"


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


def named(method: str, path: str, body: object | None = None) -> Sent:
    """A message to the operator by its session."""
    text = "" if body is None else json.dumps(body)
    return Sent(method, OPERATOR + path, {"authorization": "Bearer x"}, text)


def left(method: str, path: str, body: object) -> Sent:
    """A message to the named side of the purse."""
    return named(method, f"/v1/purse{path}", body)


def page(path: str) -> Sent:
    """What everybody asks the operator for."""
    return Sent("GET", OPERATOR + path, {})


def state_asked(*secrets: str) -> Sent:
    """A question where proofs stand."""
    points = [hash_to_curve(secret.ljust(64, "0").encode()).hex() for secret in secrets]
    return asked("/v1/checkstate", {"Ys": points})


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


LOOKS: Final = (named("GET", "/v1/account"), named("GET", "/v1/payments?limit=20"))
HONEST: Final = (
    page("/wallet"),
    page("/assets/wallet-B5g_YUKW.js"),
    *LOOKS,
    named("GET", "/v1/events/stream"),
    named("GET", "/v1/purse/backup"),
    state_asked("of a purse", "that is taken over"),
    refill(),
    fetched(),
    backup(),
    asked("/v1/keysets", method="GET"),
    asked("/v1/swap", {"inputs": [proof(4, "old")], "outputs": [output(4, "new")]}, blind="one"),
    backup(),
    merchant_quote("first"),
    melted("first"),
    state_asked("first2", "first8"),
    melted("first"),
    page("/wallet"),
    page("/health"),
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


def leaks(
    *more: Sent, allowed: Sequence[int] = (), told: Sequence[int] = (), after: Sequence[int] = ()
) -> list[str]:
    """Judge the honest messages and what was said after them; all numbers count from there."""
    so_far = len(HONEST)
    return leaks_in(
        [*HONEST, *more],
        operator=OPERATOR,
        mint=MINT,
        allowed=[so_far + number for number in allowed],
        told=[so_far + number for number in told],
        asked_after=[so_far + number for number in after],
    )


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
    # Addresses that no wallet asks.
    "word to the operator": (named("POST", "/v1/telemetry", {"paid": 1}), "asks the operator"),
    "note to the operator": (named("POST", "/v1/notes", {"quote": "x"}), "asks the operator"),
    "key to the operator": (named("POST", "/v1/keys", {"key": "x"}), "asks the operator"),
    "word in a page's address": (page("/wallet?paid=first"), "asks the operator"),
    "word in a session's address": (named("GET", "/v1/purse?paid=first"), "asks the operator"),
    "page that nobody wrote": (page("/paid.gif"), "asks the operator"),
    "page by name": (named("GET", "/health"), "a page asked for by name"),
    "word to the mint": (asked("/v1/telemetry", {"paid": 1}), "asks the mint"),
    "way that is not ours": (asked("/v1/melt/quote/bolt11", {"request": "x"}), "asks the mint"),
    "name in a path": (asked("/v1/keys/me", method="GET"), "asks the mint"),
    "method": (asked("/v1/keysets", {"who": "me"}), "asks the mint"),
    # Proofs that are asked for before they go, or together with others.
    "state": (state_asked("to be spent"), "asked for proofs"),
    "states of two payments": (state_asked("first8", "second8"), "asked for proofs"),
    "states of a payment and more": (state_asked("first2", "first8", "x"), "asked for proofs"),
    # What a payment causes.
    "upload": (backup(), AFTER),
    "refill after": (refill(), AFTER),
    "tokens after": (fetched(), AFTER),
    "account after": (named("GET", "/v1/account"), AFTER),
    "history after": (named("GET", "/v1/payments?limit=20"), AFTER),
    "purse after": (named("GET", "/v1/purse"), AFTER),
    "refill that is looked for": (named("GET", "/v1/purse/refill"), AFTER),
    "refill that is taken back": (named("DELETE", "/v1/purse/refill"), AFTER),
    "events": (named("GET", "/v1/events/stream"), AFTER),
    "code": (named("POST", "/v1/codes", {"code": "x"}), AFTER),
    "payee": (named("GET", "/v1/payees/souk"), AFTER),
    "merchant's key": (page("/v1/merchants/souk/receipt-key"), AFTER),
    "relay's key": (page("/v1/relay-key"), AFTER),
}
IN_TIME: Final = [name for name, (_, complaint) in FORGED.items() if complaint == AFTER]
"""What is wrong with these is that they come after a payment, and nothing else."""


def test_honest_messages_are_passed_over() -> None:
    assert leaks() == []


def test_what_the_person_asked_for_after_a_payment_is_passed_over() -> None:
    assert leaks(backup(), refill(), allowed=[0]) == []
    assert leaks(backup(), melted("x"), refill(), allowed=[0]) == [
        f"PUT /v1/purse/refill: {AFTER}",
    ]


def test_a_page_looks_once_at_what_the_operator_told_of_by_itself() -> None:
    assert leaks(*LOOKS, told=[0]) == []
    assert leaks(*LOOKS, melted("x"), *LOOKS, told=[0, 3]) == []
    again = [f"GET /v1/account: {AFTER}", f"GET /v1/payments: {AFTER}"]
    assert leaks(*LOOKS, *LOOKS, told=[0]) == again
    assert leaks(*LOOKS, melted("x"), *LOOKS, told=[0]) == again
    assert leaks(named("GET", "/v1/purse"), told=[0]) == [f"GET /v1/purse: {AFTER}"]


def test_whoever_asks_after_what_they_handed_over_names_one_proof_of_it() -> None:
    complaint = "POST /v1/checkstate: asked for proofs that did not go together"
    assert leaks(state_asked("link"), after=[0]) == []
    assert leaks(state_asked("link"), state_asked("link"), after=[0]) == [complaint]
    assert leaks(state_asked("link", "coin"), after=[0]) == [complaint]


def test_a_purse_that_was_taken_over_asks_for_no_coin_once_it_has_paid() -> None:
    fetched_back = named("GET", "/v1/purse/backup")
    assert leaks(fetched_back, state_asked("one", "two"), allowed=[0]) == []
    found = leaks(fetched_back, melted("x"), state_asked("one", "two"), allowed=[0])
    assert found == ["POST /v1/checkstate: asked for proofs that did not go together"]


@pytest.mark.parametrize("name", FORGED)
def test_each_forged_message_is_found_and_nothing_else(name: str) -> None:
    sent, complaint = FORGED[name]
    (found,) = leaks(sent, allowed=() if name in IN_TIME else [0])
    assert complaint in found
