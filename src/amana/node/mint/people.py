"""Sending e-cash to a handle, by blind token and without a session, beside the mint.

`GET /v1/people/{handle}` tells to which keys a token is locked and sealed; `POST /v1/mail/{handle}`
leaves the sealed token. Each request costs a blind token, whatever its answer: so handles are asked
for and mailboxes filled by the ration alone, and nobody is named.
"""

from typing import Annotated, Final

import msgspec

from amana.node.mint import shapes
from amana.node.mint.routes import Answer, Fault, Request, Route
from amana.node.operator import Operator
from amana.people import PartyFacts, PartyKind, PartyStatus
from amana.purse.mail import Mail, MailReason, MailRefused

PEOPLE_PATH: Final = "/v1/people/*"
MAIL_PATH: Final = "/v1/mail/*"
_SEALED: Final = r"^[A-Za-z0-9_-]{1,22000}$(?!\n)"
_ID_BYTES: Final = 16
_SAYS: Final = {
    MailReason.MAILBOX_FULL: "The mailbox is full until its owner opens a wallet. The letter was "
    "not taken: send it again later, or take the e-cash back when its lock ends.",
    MailReason.MAILBOX_CROWDED: "Many letters wait in this mailbox, and only some of those that "
    "come now are taken. This one was not: send it again.",
    MailReason.TOO_LARGE: "The letter is too large, and was not taken.",
}
_NOBODY: Final = Fault(404, "Nobody here with this handle receives e-cash.")


class MailBody(msgspec.Struct, frozen=True):
    """A sealed token, base64url; `id` is 32 hex digits of the sender's choice, for retries."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    sealed: Annotated[str, msgspec.Meta(pattern=_SEALED, max_length=22_000)]


_mail: Final = msgspec.json.Decoder(MailBody)


def people_routes(operator: Operator) -> tuple[Route, ...]:
    """Return the addresses for sending e-cash to a handle."""
    endpoints = _People(operator)
    return (
        Route("GET", PEOPLE_PATH, endpoints.get_person, is_asking=True),
        Route("POST", MAIL_PATH, endpoints.post_mail, is_asking=True),
    )


class _People:
    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def _facts(self, handle: str) -> PartyFacts | None:
        facts = self._operator.directory.by_handle(handle.removeprefix("@").lower())
        if facts is None or facts.kind is not PartyKind.PERSON:
            return None
        return facts if facts.status is PartyStatus.ACTIVE else None

    async def get_person(self, request: Request) -> Answer:
        """Answer to which keys a token for a handle is locked and sealed."""
        facts = self._facts(request.tail)
        key = None if facts is None else self._operator.purse.mail_read.key(facts.party)
        if facts is None or key is None or facts.note_key is None:
            return _NOBODY
        return shapes.write(
            {
                "handle": facts.handle,
                "name": facts.name,
                "purse_key": key.hex(),
                "note_key": facts.note_key.hex(),
            }
        )

    async def post_mail(self, request: Request) -> Answer:
        """Keep a sealed token for a handle."""
        body = shapes.read(_mail, request.body)
        facts = self._facts(request.tail)
        if facts is None or self._operator.purse.mail_read.key(facts.party) is None:
            return _NOBODY
        refused = await self._operator.purse.mail.deliver(
            Mail(facts.party, bytes.fromhex(body.id), body.sealed.encode())
        )
        if isinstance(refused, MailRefused):
            return Fault(409, _SAYS[refused.reason])
        return shapes.write({"id": body.id})
