"""What this room needs from outside: a policy, its rows, and rooms that erase with it."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from amana.kernel import AmanaId, Instant
from amana.trust.model import (
    DoorColumn,
    DoorCount,
    DoorRecord,
    DoorRefused,
    Permitted,
    ReadPurpose,
    ReadRequest,
)


class Policy(Protocol):
    """Decides whether a read is allowed. Denies unless it permits."""

    def decide(self, request: ReadRequest) -> Permitted | DoorRefused:
        """Decide on one read."""


class VaultReader(Protocol):
    """Look-ups of what is committed, answered at once."""

    def fields(self, person: AmanaId) -> Mapping[DoorColumn, bytes]:
        """Return a person's sealed fields."""

    def records(self, person: AmanaId) -> tuple[DoorRecord, ...]:
        """Return the recorded readings of a person's fields, oldest first."""

    def counts(self, person: AmanaId) -> tuple[DoorCount, ...]:
        """Return the counts of a person's own and machines' readings."""


class VaultWriter(Protocol):
    """The keeping of rows; durable when it returns.

    Raises:
        Unavailable: Storage failed; whether it was kept is not known.
    """

    async def keep_fields(self, person: AmanaId, fields: Mapping[DoorColumn, bytes]) -> None:
        """Keep sealed fields, replacing those of the same column."""

    async def keep_record(
        self, request: ReadRequest, outcome: str, policy: str, now: Instant
    ) -> None:
        """Record a reading by a human other than the owner."""

    async def count(self, person: AmanaId, purpose: ReadPurpose, reader: str, day: int) -> None:
        """Count a reading by the owner or a machine."""

    async def forget_counts(self, before_day: int) -> None:
        """Delete the counts of days before this one."""

    async def delete_person(self, person: AmanaId) -> None:
        """Delete a person's fields and counts; records of staff's readings are about the staff."""


class Eraser(Protocol):
    """A room that holds rows about a person and deletes what no duty keeps."""

    async def erase_person(self, person: AmanaId) -> None:
        """Delete or empty the person's rows; again and again without harm."""

    def erased_persons(self) -> Iterable[AmanaId]:
        """Return everybody whom this room's rows say to be erased."""
