"""What must not be in what a wallet sends, judged from the messages alone."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final
from urllib.parse import urlsplit

from tests.browser.addresses import AT_MINT, NEWS, PAGES, PERSONS, is_operators

from amana.purse.curve import hash_to_curve
from amana.purse.policy import shipped_policy

MERCHANT: Final = "/v1/melt/amana-merchant"
_ACCOUNT_QUOTE: Final = "/v1/melt/quote/amana-account"
_QUOTES: Final = "/v1/melt/quote/"
_REISSUE: Final = "/v1/reissue"
_DEPOSITS: Final = "/v1/purse/deposits"
_STATES: Final = "/v1/checkstate"
_BACKUP: Final = "GET /v1/purse/backup"
_PROOF: Final = {"amount", "id", "secret", "C"}
_OUTPUT: Final = {"amount", "id", "B_"}
_TOKEN: Final = {"id", "secret", "C"}
_TOKEN_MARK: Final = "authA"
_SECRET_CHARACTERS: Final = 64
_TAKEN: Final = 16
_HANDED: Final = 32
_HEADERS: Final = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "blind-auth", "cache-control"),
        *("connection", "content-length", "content-type", "host", "origin", "pragma", "priority"),
        "user-agent",
    }
)
"""What a browser sends of itself, the same for everybody who has it, and a blind token."""


@dataclass(frozen=True)
class Sent:
    """One message: what was asked, and the headers of the answer, if one came."""

    method: str
    url: str
    headers: Mapping[str, str]
    text: str = ""
    answered: Mapping[str, str] | None = None

    @property
    def path(self) -> str:
        """The address without origin and query."""
        return urlsplit(self.url).path

    @property
    def where(self) -> str:
        """How a complaint begins."""
        return f"{self.method} {self.path}"

    @property
    def asked(self) -> str:
        """All that the address says."""
        query = urlsplit(self.url).query
        return f"{self.where}?{query}" if query else self.where

    @cached_property
    def body(self) -> dict[str, Any]:
        """What is sent along, empty where nothing is."""
        return json.loads(self.text) if self.text and self.method != "GET" else {}

    @cached_property
    def token(self) -> dict[str, Any]:
        """The blind token, empty where none goes along."""
        text = self.headers.get("blind-auth", "").removeprefix(_TOKEN_MARK)
        return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))) if text else {}

    def of(self, name: str) -> list[dict[str, Any]]:
        """Return the proofs or outputs of a message."""
        return list(self.body.get(name, []))


def leaks_in(
    sent: Sequence[Sent],
    *,
    operator: str,
    mint: str,
    allowed: Collection[int] = (),
    told: Collection[int] = (),
    asked_after: Collection[int] = (),
) -> list[str]:
    """Say in words what is wrong with what was sent.

    Args:
        sent: All messages of one wallet, in order.
        operator: The origin of the named side.
        mint: The mint's own origin.
        allowed: Before which of them the person asked for the named side, or let the quiet time
            after a payment pass.
        told: Before which of them the operator told the page of the account.
        asked_after: Before which of them the person asked after something they handed over.
    """
    to_mint = [one for one in sent if one.url.startswith(f"{mint}/")]
    found = [
        f"{one.where}: {leak}" for one in to_mint for leak in (*_of_asker(one), *_of_mint(one))
    ]
    found += [
        f"{one.where}: {leak}"
        for one in sent
        if one.url.startswith(f"{operator}/v1/purse/")
        for leak in _of_named_side(one)
    ]
    found += [
        f"{one.where}: {leak}"
        for one in sent
        if one.url.startswith(f"{operator}/")
        for leak in _of_operator(one)
    ]
    found += [*_repeats(to_mint), *_off_menu(sent)]
    found += _after_paying(sent, operator=operator, mint=mint, allowed=allowed, told=told)
    return found + list(_states(sent, operator=operator, mint=mint, asked_after=asked_after))


def _of_asker(one: Sent) -> Iterator[str]:
    """Say what would tell the mint who asks, beside what is asked."""
    for name in one.headers:
        if name.lower() not in _HEADERS and not name.lower().startswith("sec-"):
            yield f"a header {name}"
    if urlsplit(one.url).query:
        yield "something in the address"
    if not AT_MINT.fullmatch(one.where):
        yield "nothing that a wallet asks the mint"
    if one.token and set(one.token) != _TOKEN:
        yield f"a blind token with {sorted(one.token)}"
    if _stays_open(one):
        yield "its connection stays open for another payment"


def _of_mint(one: Sent) -> Iterator[str]:
    """Say what no message to the mint's origin may have."""
    inputs, outputs, lists = one.of("inputs"), one.of("outputs"), ("inputs", "outputs")
    for proof in inputs:
        if set(proof) != _fields(one, proof):
            yield f"a proof with {sorted(proof)}"
        if len(proof["secret"]) != _SECRET_CHARACTERS and not _is_locked(proof):
            yield f"a secret of {len(proof['secret'])}"
    yield from (f"an output with {sorted(out)}" for out in outputs if set(out) != _OUTPUT)
    yield from (f"{name} not sorted" for name in lists if not _is_ascending(one.of(name)))
    if one.path == "/v1/swap" and not _is_swap_of_ours(inputs, outputs):
        yield f"{len(inputs)} into {len(outputs)}"
    if one.path == _REISSUE and not (len(inputs) == len(outputs) == 1):
        yield f"{len(inputs)} proofs side by side"
    is_melt = one.path.startswith("/v1/melt/") and not one.path.startswith(_QUOTES)
    if is_melt and inputs and len(outputs) != shipped_policy().spend.blanks:
        yield f"{len(outputs)} outputs for change"


def _of_operator(one: Sent) -> Iterator[str]:
    """Say what no message to the operator's origin may be, whenever it goes."""
    if not is_operators(one.asked):
        yield "nothing that a wallet asks the operator"
    if PAGES.fullmatch(one.where) and {"authorization", "cookie"} & set(one.headers):
        yield "a page asked for by name"


def _of_named_side(one: Sent) -> Iterator[str]:
    """Say what no message about the purse to the operator may have, which knows who sends it."""
    policy, outputs = shipped_policy(), one.of("outputs")
    match one.method, one.path:
        case "PUT", "/v1/purse/refill":
            if int(one.body["tier"]["minor"]) not in policy.refill.tiers:
                yield "off the menu"
            if len(outputs) != policy.refill.outputs:
                yield f"unpadded, {len(outputs)} outputs"
        case "POST", "/v1/purse/tokens":
            if len(outputs) != policy.blind_tokens.per_fetch:
                yield f"unpadded, {len(outputs)} outputs"
        case "PUT", "/v1/purse/backup":
            # The one size that all have, in base64url without padding.
            if len(one.body["sealed"]) != -(-policy.backup.bytes * 4 // 3):
                yield f"{len(one.body['sealed'])} characters"
        case _:
            pass
    if not _is_ascending(outputs):
        yield "outputs not sorted"
    yield from (f"an output with {sorted(out)}" for out in outputs if set(out) != {"amount", "B_"})


def _stays_open(one: Sent) -> bool:
    """Say whether an answer leaves its connection to others; a quote's is for its payment."""
    if one.answered is None or one.path.startswith(_QUOTES):
        return False
    return one.answered.get("connection") != "close"


def _off_menu(sent: Sequence[Sent]) -> Iterator[str]:
    """Name sums that go back to the account and are no tier, but of an account that is closed."""
    is_closing, tiers = False, shipped_policy().deposit.tiers
    for one in sent:
        if one.path == _DEPOSITS:
            is_closing = one.body.get("closing", False)
        is_return = one.path == _ACCOUNT_QUOTE and one.method == "POST"
        if is_return and not is_closing and one.body["amount"] not in tiers:
            yield f"{one.where}: off the menu"


def _after_paying(
    sent: Sequence[Sent],
    *,
    operator: str,
    mint: str,
    allowed: Collection[int],
    told: Collection[int],
) -> Iterator[str]:
    """Name what went to the operator after a payment, however it was asked.

    But for what is allowed, all messages lie within the quiet time that the policy keeps. Besides
    go the pages, what only a person does, and one look at what the operator told of by itself.
    """
    is_after, unread = False, frozenset[str]()
    for number, one in enumerate(sent):
        unread = NEWS if number in told else unread
        is_after = (is_after and number not in allowed) or _is_spend(one, mint)
        is_excepted = one.where in unread or any(
            listed.fullmatch(one.asked) for listed in (PAGES, PERSONS)
        )
        unread -= {one.where}
        if is_after and one.url.startswith(f"{operator}/") and not is_excepted:
            yield f"{one.where}: to the named side after a payment"


def _states(
    sent: Sequence[Sent], *, operator: str, mint: str, asked_after: Collection[int]
) -> Iterator[str]:
    """Name questions where proofs stand that join some, or that come before them.

    Proofs that went together are asked for together: the mint saw them so. What has not gone yet is
    asked for by a purse that is being taken over, whose coins are exchanged before they are spent,
    and by whoever wants to know of something handed over: by one proof of it, each time.
    """
    together: list[list[str]] = []
    is_taken_over = may_ask = False
    for number, one in enumerate(sent):
        may_ask = may_ask or number in asked_after
        is_named = one.url.startswith(f"{operator}/")
        is_restore = is_named and one.where == _BACKUP
        is_taken_over = (is_taken_over or is_restore) and not _is_spend(one, mint)
        if not is_named:
            together.append([proof["secret"] for proof in one.of("inputs")])
        if is_named or one.path != _STATES or is_taken_over:
            continue
        asked = set(one.body["Ys"])
        if any(asked <= {_point_of(secret) for secret in secrets} for secrets in together):
            continue
        if not (may_ask and len(asked) == 1):
            yield f"{one.where}: asked for proofs that did not go together"
        may_ask = False


def _point_of(secret: str) -> str:
    return hash_to_curve(secret.encode()).hex()


def _is_spend(one: Sent, mint: str) -> bool:
    """Say whether somebody is paid; an exchange of one coin for one is not that."""
    if not one.url.startswith(f"{mint}/") or one.method != "POST":
        return False
    is_parted = len(one.of("inputs")) > 1 or len(one.of("outputs")) > 1
    is_taken = any(_is_locked(proof) for proof in one.of("inputs"))
    return one.path == MERCHANT or (one.path == "/v1/swap" and is_parted and not is_taken)


def _repeats(to_mint: Sequence[Sent]) -> Iterator[str]:
    """Name secrets and one-time keys that go twice, but with the very same message again."""
    seen: dict[str, tuple[str, str]] = {}
    for one in to_mint:
        whole, keys = (one.where, one.text), list(_keys_in(one))
        for number, key in enumerate(keys):
            if key in keys[:number] or seen.setdefault(key, whole) != whole:
                yield f"{one.where}: {key[:8]} was sent before"


def _keys_in(one: Sent) -> Iterator[str]:
    yield from (str(one.body[name]) for name in ("refund_key",) if name in one.body)
    yield from (str(one.token[name]) for name in ("secret",) if name in one.token)
    for proof in one.of("inputs"):
        yield proof["secret"]
        yield from _locks_of(proof) if _is_locked(proof) else ()
    if one.path != "/v1/restore":
        yield from (output["B_"] for output in one.of("outputs"))


def _locks_of(proof: dict[str, Any]) -> Iterator[str]:
    """Return the keys that open a locked proof (NUT-11)."""
    lock = json.loads(proof["secret"])[1]
    yield lock["data"]
    for name, *values in lock.get("tags", []):
        yield from values if name in {"pubkeys", "refund"} else ()


def _is_locked(proof: dict[str, Any]) -> bool:
    """Say whether a proof comes from another person, locked to a key; its lock is never a name."""
    return str(proof["secret"]).startswith('["P2PK"')


def _fields(one: Sent, proof: dict[str, Any]) -> set[str]:
    """Name what may go along; the blinding factor where a revoked proof is issued anew alone."""
    if one.path == _REISSUE:
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


def _is_ascending(items: list[dict[str, Any]]) -> bool:
    return all(one["amount"] <= other["amount"] for one, other in pairwise(items))
