"""The signatory: the one part that holds the mint's private keys, in processes of its own."""

from amana.purse.signatory.in_process import InProcessSignatory
from amana.purse.signatory.making import make_signatory
from amana.purse.signatory.pool import SignatoryPool, default_processes, open_signatory
from amana.purse.signatory.rebuilding import KeysetCopy, read_copy, rebuild_entries
from amana.purse.signatory.store import (
    COUNTS_FILE,
    LIST_FILE,
    SEED_FILE,
    FolderStore,
    KeysetStatus,
    MemoryStore,
    SignatoryDamaged,
)
from amana.purse.signatory.vault import KeyUnknown, Vault

__all__ = [
    "COUNTS_FILE",
    "LIST_FILE",
    "SEED_FILE",
    "FolderStore",
    "InProcessSignatory",
    "KeyUnknown",
    "KeysetCopy",
    "KeysetStatus",
    "MemoryStore",
    "SignatoryDamaged",
    "SignatoryPool",
    "Vault",
    "default_processes",
    "make_signatory",
    "open_signatory",
    "read_copy",
    "rebuild_entries",
]
