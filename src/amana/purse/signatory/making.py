"""Making a mint's signatory folder."""

from collections.abc import Sequence
from pathlib import Path

from amana.kernel import Clock
from amana.purse.keysets import KeysetPlan
from amana.purse.signatory.store import FolderStore
from amana.purse.signatory.vault import Vault


def make_signatory(folder: Path, plans: Sequence[KeysetPlan], *, seed: bytes, clock: Clock) -> None:
    """Make the seed and a first keyset for each unit; what is there stays as it is.

    A unit that has a keyset is left alone, so this may run at every start. Run it before the
    signatory's processes, not beside them.

    Args:
        folder: `signatory` of the data folder; made where it is missing.
        plans: One a unit.
        seed: 32 random bytes, used only where there is no mint yet.
        clock: Says that an expiry lies ahead.
    Raises:
        SignatoryDamaged: A seed or a list is there without the other.
    """
    store = FolderStore(folder)
    if not store.is_made():
        store.make(seed)
    vault = Vault(store, clock)
    units = {keyset.unit for keyset in vault.keysets()}
    for plan in plans:
        if plan.unit not in units:
            vault.begin(plan)
