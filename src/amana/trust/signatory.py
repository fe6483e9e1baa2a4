"""The signatory folder: the operator's long-lived secrets, each in a file of its own.

They sign and hash for the operator and open nobody's data: what opens data lies under `keys`, and
does not live long.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from amana.kernel import Chance
from amana.trust._files import make_folder, write_secret

SIGNATORY_FOLDER: Final = "signatory"
SECRET_BYTES: Final = 32
HANDLE_PEPPER: Final = "handle-pepper"
"""Keys the hashes by which handles are never given out twice."""
WEBHOOK_SIGNING: Final = "webhook-signing"
"""Seed of the Ed25519 key that signs webhooks."""
OPENID_SIGNING: Final = "openid-signing"
"""Makes the key that signs clear tokens, and the subjects in them."""
RELAY_SEALING: Final = "relay-sealing"
"""Makes the key to which requests are sealed that come through a relay."""
RECEIPT_SIGNING: Final = "receipt-signing"
"""Makes the keys that sign merchants' receipts."""
SECRETS: Final = (HANDLE_PEPPER, WEBHOOK_SIGNING)
"""Every secret that nothing can take the place of."""
RENEWABLE: Final = (OPENID_SIGNING, RELAY_SEALING)
"""Secrets made where they are absent: what they signed or sealed lives for minutes, so a new one
only asks people to sign in again, or wallets to fetch a key. Data folders that were made before a
secret came get it at the start."""
ADDED: Final = (RECEIPT_SIGNING,)
"""Secrets that came later and that nothing can take the place of once they were used: who opens the
folder knows whether they were, and makes them where they were not."""

_NAME: Final = re.compile(r"[a-z][a-z-]{1,40}", re.ASCII)
_SUFFIX: Final = ".secret"


class SecretMissing(Exception):  # noqa: N818 - a state of the folder, told to the person at the keyboard
    """A secret that this data folder was made with is not there or not whole."""


class Signatory:
    """Reads secrets by name."""

    def __init__(self, data_folder: Path) -> None:
        self.folder = data_folder / SIGNATORY_FOLDER

    def make(self, chance: Chance) -> None:
        """Make the secrets of a new data folder; those that are there stay as they are."""
        make_folder(self.folder)
        self._make(SECRETS, chance)
        self._make(RENEWABLE, chance)
        self._make(ADDED, chance)

    def complete(self, chance: Chance) -> None:
        """Make the renewable secrets that this data folder does not have yet."""
        self._make(RENEWABLE, chance)

    def add(self, name: str, chance: Chance) -> None:
        """Make a secret that came later, where it is absent and was never used."""
        assert name in ADDED, "the other secrets are as old as the folder"
        self._make((name,), chance)

    def _make(self, names: Sequence[str], chance: Chance) -> None:
        for name in names:
            path = self._path(name)
            if not path.exists():
                write_secret(path, chance.draw(SECRET_BYTES))

    def secret(self, name: str) -> bytes:
        """Return the 32 bytes of a secret.

        Raises:
            SecretMissing: It is not there. It is not made anew in its place, because what was
                hashed or signed with the old one would no longer match.
        """
        path = self._path(name)
        if not path.is_file() or len(secret := path.read_bytes()) != SECRET_BYTES:
            raise SecretMissing(
                f"The file {path} is missing or damaged, and nothing can take its place. "
                "Restore it from the signatory archive of a backup."
            )
        return secret

    def _path(self, name: str) -> Path:
        assert _NAME.fullmatch(name) is not None, (
            "a secret's name is lower-case letters and hyphens"
        )
        return self.folder / f"{name}{_SUFFIX}"
