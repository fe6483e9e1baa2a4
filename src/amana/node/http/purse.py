"""The named side of the purse: standing orders between an account and its holder's e-cash.

What is asked here goes by the customer's session. What e-cash is spent on never comes this way: it
goes to the mint's own origin, without one.
"""

import re
from base64 import urlsafe_b64encode
from typing import Annotated, Final

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from amana.kernel import DAY_NS, Instant, day_number, format_instant
from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.mint.shapes import signature_views
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised
from amana.node.shapes import MoneyShape
from amana.node.views import View, money_view
from amana.purse.backups import Backup
from amana.purse.limits import OUTPUTS_MAX
from amana.purse.methods.account import ADDRESS_MARK
from amana.purse.model import BlindedMessage, Code, Refusal
from amana.purse.standing import Refill, RefillState
from amana.purse.standing.model import StandingRefused
from amana.wire.faults import Fault

_POINT: Final = r"^0[23][0-9a-f]{64}$(?!\n)"
Point = Annotated[str, msgspec.Meta(pattern=_POINT, max_length=66, description="A point, hex")]
KeysetId = Annotated[str, msgspec.Meta(pattern=r"^01[0-9a-f]{64}$(?!\n)", max_length=66)]
_BACKUP_CHARACTERS_MAX: Final = 100_000
_BACKUP_BODY_BYTES_MAX: Final = 131_072
_MAIL_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CROWD: Final = "SELECT count(*) FROM purse_refills WHERE state <> 1 OR attempts = 0"
"""Whoever was filled stays in the crowd while the next refill waits. A first one is signed at once;
whoever waits for it because the account cannot pay has no purse yet.
"""

_STATES: Final = {
    RefillState.WAITING: "waiting",
    RefillState.DEBITED: "waiting",
    RefillState.SIGNED: "signed",
}
_TOO_OFTEN: Final = frozenset({Code.TOO_MANY_BLIND_TOKENS, Code.BLIND_TOKENS_TOO_OFTEN})


class OutputShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An output to be signed (NUT-00)."""

    amount: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    B_: Point


class TokensBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Blind tokens to be signed (NUT-22)."""

    keyset_id: KeysetId
    outputs: Annotated[tuple[OutputShape, ...], msgspec.Meta(min_length=1, max_length=OUTPUTS_MAX)]


class RefillBody(TokensBody, frozen=True, forbid_unknown_fields=True):
    """The outputs of the next refill, ascending, as the policy has them for its sum."""

    tier: MoneyShape


def _outputs(body: TokensBody) -> list[BlindedMessage]:
    return [
        BlindedMessage(body.keyset_id, output.amount, bytes.fromhex(output.B_))
        for output in body.outputs
    ]


def _refill_view(operator: Operator, refill: Refill | None) -> View | None:
    if refill is None:
        return None
    return {
        "tier": money_view(operator, refill.amount),
        "state": _STATES[refill.state],
        "outputs": len(refill.outputs),
        # How often the account could not pay for it: the wallet says so in words.
        "refused": refill.attempts,
    }


@get("/v1/purse")
async def get_purse(request: Asked) -> View:
    """Return where the mint is, and how the customer's next refill stands."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    purse = operator.purse
    (crowd,) = operator.read_connection.execute(_CROWD).fetchone()
    return {
        "mint": operator.settings.mint_url,
        "unit": purse.unit,
        "policy_version": purse.policy.version,
        "refill": _refill_view(operator, await purse.standing.refill(principal.party)),
        "crowd": crowd,
    }


@put("/v1/purse/refill", status_code=200)
async def put_refill(request: Asked, data: JSONBody[RefillBody]) -> View:
    """Leave the outputs of the next refill; the operator signs them at an hour of its own."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    amount = edge.money_of(operator, data.tier)
    left = await operator.purse.standing.leave_refill(principal.party, amount, _outputs(data))
    if isinstance(left, StandingRefused):
        raise ProblemRaised(left.reason.value)
    view = _refill_view(operator, left)
    assert view is not None, "a refill that was left is there"
    return view


@get("/v1/purse/refill")
async def get_refill(request: Asked) -> View:
    """Return the signatures of the last refill; asking for them leaves no trace."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    refill = await operator.purse.standing.refill(principal.party)
    if refill is None:
        raise ProblemRaised("not-found", "No refill was left.")
    view = _refill_view(operator, refill)
    assert view is not None, "the refill is there"
    signatures = await operator.purse.standing.signatures(refill)
    return {**view, "signatures": signature_views(signatures)}


@delete("/v1/purse/refill", status_code=204)
async def delete_refill(request: Asked) -> None:
    """Withdraw the next refill, if it still waits."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    await operator.purse.standing.withdraw_refill(principal.party)


@post("/v1/purse/tokens", status_code=200)
async def post_tokens(request: Asked, data: JSONBody[TokensBody]) -> View:
    """Sign blind tokens, as many as the day still allows; a wallet asks with its refill."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    given = await operator.purse.auth.give(principal.party, _outputs(data))
    if isinstance(given, Refusal):
        if given.code in _TOO_OFTEN:
            raise ProblemRaised("too-many-requests", given.detail)
        raise ProblemRaised("malformed-request", errors=(Fault("outputs", given.detail),))
    return {"signatures": signature_views(given)}


class DepositBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the whole purse comes back at once, because its owner closes the account."""

    closing: bool = False


@post("/v1/purse/deposits", status_code=201)
async def post_deposit(request: Asked, data: JSONBody[DepositBody]) -> View:
    """Make a one-use address, to which e-cash comes back into the account.

    An address for closing takes any sum; that sum, and its time, can give payments away.
    """
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    deposit = await operator.purse.standing.open_deposit(principal.party, is_closing=data.closing)
    return {"request": f"{ADDRESS_MARK}{deposit.id.hex()}"}


class PurseKeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key to which others lock e-cash for this customer (NUT-28 blinds it each time)."""

    purse_key: Point


@put("/v1/purse/key", status_code=204)
async def put_purse_key(request: Asked, data: JSONBody[PurseKeyBody]) -> None:
    """Publish the key to which others lock e-cash."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    await operator.purse.mail.put_key(principal.party, bytes.fromhex(data.purse_key))


@get("/v1/purse/mail")
async def get_mail(request: Asked) -> View:
    """Return sealed e-cash that waits for the customer: neither from whom nor since when."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    return {
        "items": [
            {"id": mail.id.hex(), "sealed": mail.sealed.decode()}
            for mail in operator.purse.mail_read.waiting(principal.party)
        ]
    }


@delete("/v1/purse/mail/{mail_id:str}", status_code=204)
async def delete_mail(request: Asked, mail_id: FromPath[str]) -> None:
    """Drop what was fetched and put away."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    if _MAIL_ID.fullmatch(mail_id) is None:
        raise ProblemRaised("not-found")
    await operator.purse.mail.drop(principal.party, bytes.fromhex(mail_id))


class BackupBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed purse, base64url, of the one size that every backup has."""

    sealed: Annotated[
        str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+$(?!\n)", max_length=_BACKUP_CHARACTERS_MAX)
    ]


@put("/v1/purse/backup", status_code=204, request_max_body_size=_BACKUP_BODY_BYTES_MAX)
async def put_backup(request: Asked, data: JSONBody[BackupBody]) -> None:
    """Keep the customer's sealed purse; its row says the day, and nothing finer."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    size = operator.purse.policy.backup.bytes
    sealed = edge.bytes_of(data.sealed, "sealed", count=size)
    assert sealed is not None, "the body has a backup"
    day = day_number(operator.clock.now())
    await operator.purse.backups.put(principal.party, Backup(sealed, day))


@get("/v1/purse/backup")
async def get_backup(request: Asked) -> View:
    """Return the customer's sealed purse; null where none was left, which is nothing amiss."""
    principal, operator = edge.customer_of(request), edge.operator_of(request)
    backup = operator.purse.backups_read.backup(principal.party)
    if backup is None:
        return {"sealed": None, "day": None}
    day = format_instant(Instant(backup.day * DAY_NS)).partition("T")[0]
    return {"sealed": urlsafe_b64encode(backup.sealed).rstrip(b"=").decode(), "day": day}


HANDLERS: Final = [
    put_backup,
    get_backup,
    put_purse_key,
    get_mail,
    delete_mail,
    get_purse,
    put_refill,
    get_refill,
    delete_refill,
    post_tokens,
    post_deposit,
]
