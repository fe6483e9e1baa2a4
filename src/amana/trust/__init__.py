"""The vault and its one door, persons' keys, erasure by key, the signatory folder, backups."""

from amana.trust._wrapping import KeysDamaged
from amana.trust.backup import BackupMade, Places, Restored, make_backup, restore_backup
from amana.trust.keys import KeyStore, PersonKeys, RewrapStep
from amana.trust.model import (
    ALLOWED_PURPOSES,
    FORBIDDEN_PURPOSES,
    BackupReason,
    BackupRefused,
    DoorColumn,
    DoorCount,
    DoorRecord,
    DoorRefusal,
    DoorRefused,
    Erased,
    Machine,
    Opened,
    Owner,
    Permitted,
    Reader,
    ReadPurpose,
    ReadRequest,
    StaffMember,
    VaultColumn,
)
from amana.trust.ports import Eraser, Policy, VaultReader, VaultWriter
from amana.trust.rules import DEFAULT_TABLE, TablePolicy
from amana.trust.service import Door, Erasure, FieldDamaged
from amana.trust.signatory import (
    HANDLE_PEPPER,
    OPENID_SIGNING,
    WEBHOOK_SIGNING,
    SecretMissing,
    Signatory,
)
from amana.trust.store import VaultRows, VaultStore

__all__ = [
    "ALLOWED_PURPOSES",
    "DEFAULT_TABLE",
    "FORBIDDEN_PURPOSES",
    "HANDLE_PEPPER",
    "OPENID_SIGNING",
    "WEBHOOK_SIGNING",
    "BackupMade",
    "BackupReason",
    "BackupRefused",
    "Door",
    "DoorColumn",
    "DoorCount",
    "DoorRecord",
    "DoorRefusal",
    "DoorRefused",
    "Erased",
    "Eraser",
    "Erasure",
    "FieldDamaged",
    "KeyStore",
    "KeysDamaged",
    "Machine",
    "Opened",
    "Owner",
    "Permitted",
    "PersonKeys",
    "Places",
    "Policy",
    "ReadPurpose",
    "ReadRequest",
    "Reader",
    "Restored",
    "RewrapStep",
    "SecretMissing",
    "Signatory",
    "StaffMember",
    "TablePolicy",
    "VaultColumn",
    "VaultReader",
    "VaultRows",
    "VaultStore",
    "VaultWriter",
    "make_backup",
    "restore_backup",
]
