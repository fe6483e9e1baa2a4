"""Everything a wallet sends, and what should not be in it."""

import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Request
from tests.browser.conftest import Operator

from amana.purse.policy import shipped_policy

_PROOF: Final = {"amount", "id", "secret", "C"}
_OUTPUT: Final = {"amount", "id", "B_"}
_SECRET_CHARACTERS: Final = 64
_TELLING: Final = ("cookie", "authorization", "referer", "idempotency-key", "if-none-match")
_TAKEN: Final = 16
_HANDED: Final = 32
_MERCHANT: Final = "/v1/melt/amana-merchant"
_REISSUE: Final = "/v1/reissue"


@dataclass
class Recorder:
    """Listens to a browser; `leaks` says what it should not have sent."""

    operator: Operator
    requests: list[Request] = field(default_factory=list)

    @classmethod
    def of(cls, context: BrowserContext, operator: Operator) -> "Recorder":
        """Begin to record."""
        recorder = cls(operator)
        context.on("request", recorder.asked)
        return recorder

    def asked(self, request: Request) -> None:
        """Note a request, from a page or from its workers."""
        self.requests.append(request)

    def to_mint(self) -> list[Request]:
        """What went to the mint's own origin."""
        return [one for one in self.requests if one.url.startswith(self.operator.mint_url + "/")]

    def redemptions(self) -> list[Request]:
        """Payments from the purse, each attempt."""
        return [one for one in self.to_mint() if path(one) == _MERCHANT and one.method == "POST"]

    def named_since(self, number: int) -> list[str]:
        """What went to the operator's API since so many requests."""
        opening = self.operator.url + "/v1/"
        return [
            f"{one.method} {path(one)}"
            for one in self.requests[number:]
            if one.url.startswith(opening)
        ]

    def leaks(self) -> list[str]:
        """What is wrong with what was sent, in words."""
        found = [leak for one in self.to_mint() for leak in _of_mint(one)]
        found += [
            leak
            for one in self.requests
            if path(one) == "/v1/purse/refill"
            for leak in _of_refill(one)
        ]
        found += [
            f"PUT backup: {len(_body(one)['sealed'])} characters"
            for one in self.requests
            if path(one) == "/v1/purse/backup" and one.method == "PUT" and not _is_full(one)
        ]
        found += [
            f"{path(one)}: its connection stays open for another payment"
            for one in self.redemptions()
            if _stays_open(one)
        ]
        return found + self._repeats()

    def _repeats(self) -> list[str]:
        """Name secrets and one-time keys that went in requests unlike each other."""
        seen: dict[str, str] = {}
        sent = [
            (path(request), request.post_data or "", key)
            for request in self.to_mint()
            if path(request) != "/v1/restore"
            for key in _keys_in(_body(request))
        ]
        return [
            f"{where}: {key[:8]} was sent before"
            for where, body, key in sent
            if seen.setdefault(key, body) != body
        ]


def path(request: Request) -> str:
    """A request's path."""
    return urlsplit(request.url).path


def _stays_open(request: Request) -> bool:
    """Whether an answered request leaves its connection to the next one."""
    answer = request.response()
    return answer is not None and answer.all_headers().get("connection") != "close"


def _body(request: Request) -> dict[str, Any]:
    if request.method == "GET" or not request.post_data:
        return {}
    body: dict[str, Any] = json.loads(request.post_data)
    return body


def _keys_in(body: dict[str, Any]) -> list[str]:
    keys = [proof["secret"] for proof in body.get("inputs", [])]
    keys += [output["B_"] for output in body.get("outputs", [])]
    return keys + ([body["refund_key"]] if "refund_key" in body else [])


def _of_mint(request: Request) -> list[str]:
    where, policy = f"{request.method} {path(request)}", shipped_policy()
    leaks = [f"{where}: a header {name}" for name in _TELLING if name in request.all_headers()]
    leaks += [f"{where}: something in the address"] * bool(urlsplit(request.url).query)
    body = _body(request)
    inputs, outputs = body.get("inputs", []), body.get("outputs", [])
    leaks += [
        f"{where}: a proof with {set(one)}" for one in inputs if set(one) != _fields(request, one)
    ]
    leaks += [f"{where}: an output with {set(one)}" for one in outputs if set(one) != _OUTPUT]
    leaks += [
        f"{where}: a secret of {len(one['secret'])}"
        for one in inputs
        if len(one["secret"]) != _SECRET_CHARACTERS and not _is_locked(one)
    ]
    leaks += [f"{where}: not sorted" for some in (inputs, outputs) if not _is_ascending(some)]
    is_swap, is_anew = path(request) == "/v1/swap", path(request) == _REISSUE
    if is_swap and not _is_swap_of_ours(inputs, outputs):
        leaks.append(f"{where}: {len(inputs)} into {len(outputs)}")
    if is_anew and not (len(inputs) == len(outputs) == 1):
        leaks.append(f"{where}: {len(inputs)} proofs side by side")
    if inputs and not (is_swap or is_anew) and len(outputs) != policy.spend.blanks:
        leaks.append(f"{where}: {len(outputs)} outputs for change")
    if path(request).endswith("/quote/amana-account") and body:
        leaks += [f"{where}: off the menu"] * (body["amount"] not in policy.deposit.tiers)
    return leaks


def _is_locked(proof: dict[str, Any]) -> bool:
    """Say whether a proof comes from another person, locked to a key; its lock is never a name."""
    return str(proof["secret"]).startswith('["P2PK"')


def _fields(request: Request, proof: dict[str, Any]) -> set[str]:
    """Name what may go along; the blinding factor where a revoked proof is issued anew alone."""
    if path(request) == _REISSUE:
        return _PROOF | {"r"}
    return _PROOF | {"witness"} if _is_locked(proof) else _PROOF


def _is_swap_of_ours(inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> bool:
    """Say whether a swap is of a kind that every wallet makes, so that its shape tells none apart.

    An exchange is one coin for one. Whatever is taken comes out in sixteen: fewer than sixteen
    powers of two make up the most that is sent, and a sum that cannot be divided so often is all in
    ones. What is handed over and what stays come out in sixteen together, or in thirty-two where
    both have so many powers of two that sixteen cannot hold them: that much, one bit of the sums,
    it does tell.
    """
    amounts = [one["amount"] for one in outputs]
    if len(inputs) == len(amounts) == 1 and inputs[0]["amount"] == amounts[0]:
        return True
    if set(amounts) == {1}:
        return len(amounts) < _TAKEN
    is_taken = any(_is_locked(one) for one in inputs)
    return len(amounts) == _TAKEN or (len(amounts) == _HANDED and not is_taken)


def _is_full(backup: Request) -> bool:
    """Whether a backup has the one size that all have, in base64url without padding."""
    return len(_body(backup)["sealed"]) == -(-shipped_policy().backup.bytes * 4 // 3)


def _of_refill(request: Request) -> list[str]:
    if request.method != "PUT":
        return []
    body, policy = _body(request), shipped_policy()
    outputs = body["outputs"]
    wrong = {
        "unpadded": len(outputs) != policy.refill.outputs,
        "unsorted": not _is_ascending(outputs),
        "off the menu": int(body["tier"]["minor"]) not in policy.refill.tiers,
        "telling": any(set(one) != {"amount", "B_"} for one in outputs),
    }
    return [f"PUT refill: {what}" for what, is_wrong in wrong.items() if is_wrong]


def _is_ascending(items: list[dict[str, Any]]) -> bool:
    return all(one["amount"] <= other["amount"] for one, other in pairwise(items))
