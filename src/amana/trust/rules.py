"""Decisions on reading, sealing and re-wrapping: facts in, decision out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from amana.kernel import DAY_NS, AmanaId, Instant
from amana.trust.model import (
    FORBIDDEN_PURPOSES,
    DoorRefusal,
    DoorRefused,
    Machine,
    Owner,
    Permitted,
    Reader,
    ReadPurpose,
    ReadRequest,
    VaultColumn,
)

REWRAP_AFTER_NS: Final = 7 * DAY_NS
"""Age at which the wrapping key is due to be replaced."""

GENERATIONS_KEPT: Final = 2
"""Wrapping keys kept: the present one, and the one before it for the newest backups' sake."""

OWNER_ROLE: Final = "owner"
MACHINE_ROLE: Final = "machine"

_OWN_PURPOSES: Final = frozenset({ReadPurpose.ACCOUNT_MANAGEMENT, ReadPurpose.RIGHTS_FULFILMENT})

DEFAULT_TABLE: Final[Mapping[str, frozenset[ReadPurpose]]] = {
    OWNER_ROLE: _OWN_PURPOSES,
    MACHINE_ROLE: frozenset(
        {
            ReadPurpose.ACCOUNT_MANAGEMENT,
            ReadPurpose.ANTI_MONEY_LAUNDERING_COMPLIANCE,
            ReadPurpose.CUSTOMER_DUE_DILIGENCE,
            ReadPurpose.TRANSACTION_FRAUD_MANAGEMENT,
        }
    ),
    "staff:officer": frozenset(
        {
            ReadPurpose.ANTI_MONEY_LAUNDERING_COMPLIANCE,
            ReadPurpose.CUSTOMER_DUE_DILIGENCE,
            ReadPurpose.LEGAL_COMPLIANCE,
            ReadPurpose.RIGHTS_FULFILMENT,
            ReadPurpose.TAX_REPORTING_COMPLIANCE,
            ReadPurpose.TRANSACTION_FRAUD_MANAGEMENT,
        }
    ),
    "staff:support": frozenset({ReadPurpose.COMMUNICATION_FOR_CUSTOMER_CARE}),
}
"""For which purposes each role may read. A role that is not here reads nothing: auditors check
the books, which hold nothing personal."""


def reader_role(reader: Reader) -> str:
    """Name the role in which somebody asks; no member of staff can be named like an owner."""
    if isinstance(reader, Owner):
        return OWNER_ROLE
    return MACHINE_ROLE if isinstance(reader, Machine) else f"staff:{reader.role}"


@dataclass(frozen=True, slots=True)
class TablePolicy:
    """A plain table of allowed purposes by role. What is not in it is refused."""

    table: Mapping[str, frozenset[ReadPurpose]]
    name: str = "table-1"

    def decide(self, request: ReadRequest) -> Permitted | DoorRefused:
        """Decide on one read; forbidden purposes are refused whatever the table says."""
        if request.purpose in FORBIDDEN_PURPOSES:
            return DoorRefused(DoorRefusal.PURPOSE_FORBIDDEN, self.name)
        reader = request.reader
        if isinstance(reader, Owner) and reader.person != request.person:
            return DoorRefused(DoorRefusal.NOT_THE_OWNER, self.name)
        if request.purpose not in self.table.get(reader_role(reader), frozenset()):
            return DoorRefused(DoorRefusal.NOT_ALLOWED, self.name)
        return Permitted(self.name)


def associated_data(person: AmanaId, column: VaultColumn) -> bytes:
    """Bind a field to its person, its column, and the purpose it was collected for.

    Each part carries its length, so that no two different bindings read the same.
    """
    parts = (
        b"amana vault field",
        person.to_bytes(16),
        column.name.encode(),
        column.purpose.value.encode(),
    )
    return b"".join(len(part).to_bytes(2) + part for part in parts)


def is_rewrap_due(began_at: Instant, now: Instant) -> bool:
    """Say whether the present wrapping key has served its week."""
    return now - began_at >= REWRAP_AFTER_NS


def generations_to_keep(present: int) -> frozenset[int]:
    """Name the generations of wrapping keys that stay while this one is present."""
    assert present > 0, "generations count from one"
    return frozenset(range(max(1, present - GENERATIONS_KEPT + 1), present + 1))
