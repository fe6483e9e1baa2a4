"""Problem documents: the one shape of every error that the API answers with.

Source: RFC 9457.
"""

import json
from dataclasses import dataclass
from typing import Final

from amana.wire.faults import Fault

CONTENT_TYPE: Final = "application/problem+json"

_STATUS_MIN: Final = 400
_STATUS_MAX: Final = 599


@dataclass(frozen=True, slots=True)
class SchemeMember:
    """The `scheme` member, which is present with the value null where the scheme is unknown."""

    name: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem document.

    `type` is the address of the problem's page in the reference, and what clients switch on.
    `detail` tells this occurrence in a sentence; no personal data, no secrets, no internals.
    Extension members, each left out where it says nothing: `errors` (the faults of a malformed
    request), `payment_id` (the payment that was recorded), `retry_with_same_id` (the outcome is
    unknown: ask again with the same key), `scheme` (whose code was scanned).
    """

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: tuple[Fault, ...] = ()
    payment_id: str | None = None
    retry_with_same_id: bool = False
    scheme: SchemeMember | None = None

    def __post_init__(self) -> None:
        """Hold that a problem is an error."""
        assert _STATUS_MIN <= self.status <= _STATUS_MAX, "a problem has an error's status"

    def to_json(self) -> bytes:
        """Write the document as UTF-8 JSON, members in declared order."""
        members: dict[str, object] = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
        }
        if self.detail is not None:
            members["detail"] = self.detail
        if self.errors:
            members["errors"] = [
                {"field": fault.field, "message": fault.message} for fault in self.errors
            ]
        if self.payment_id is not None:
            members["payment_id"] = self.payment_id
        if self.retry_with_same_id:
            members["retry_with_same_id"] = True
        if self.scheme is not None:
            members["scheme"] = self.scheme.name
        text = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
        # A field's name can come from a request and hold half a surrogate pair.
        return text.encode("utf-8", errors="replace")
