"""The keys that wrap persons' keys: one file a generation, wrapped under nothing themselves."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import tink
from tink import aead, proto_keyset_format, secret_key_access

from amana.trust._files import destroy_file, make_folder, write_secret

WRAPPING_FOLDER: Final = "wrapping"


class KeysDamaged(Exception):  # noqa: N818 - a state of the folder, told to the person at the keyboard
    """The key store or a wrapping key is missing or not whole."""


def new_keyset() -> tink.KeysetHandle:
    """Make a keyset of one AES-256-GCM key."""
    return tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)


def primitive_of(handle: tink.KeysetHandle) -> aead.Aead:
    """Return what seals and opens under a keyset."""
    primitive: aead.Aead = handle.primitive(aead.Aead)  # type: ignore[type-abstract]
    return primitive


class WrappingKeys:
    """The wrapping keys, one file a generation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, generation: int) -> None:
        """Make a generation's key, in place of one that was never used."""
        make_folder(self.folder)
        write_secret(
            self.path(generation),
            proto_keyset_format.serialize(new_keyset(), secret_key_access.TOKEN),
        )

    def read(self, generation: int) -> aead.Aead:
        """Read a generation's key.

        Raises:
            KeysDamaged: It is not there or not whole.
        """
        path = self.path(generation)
        try:
            handle = proto_keyset_format.parse(path.read_bytes(), secret_key_access.TOKEN)
        except (FileNotFoundError, tink.TinkError) as failure:
            raise KeysDamaged(
                f"The wrapping key {path} is missing or damaged, so the persons' keys under it "
                "cannot be opened. Restore it from the signatory archive of the newest backup."
            ) from failure
        return primitive_of(handle)

    def generations(self) -> list[int]:
        """List the generations whose key is there."""
        return sorted(int(path.stem) for path in self.folder.glob("*.key"))

    def destroy_others(self, kept: Iterable[int]) -> list[int]:
        """Destroy every key but these, and drafts left by a crash; return what was destroyed."""
        doomed = sorted(set(self.generations()) - set(kept))
        for generation in doomed:
            destroy_file(self.path(generation))
        for draft in self.folder.glob("*.draft"):
            destroy_file(draft)
        return doomed

    def path(self, generation: int) -> Path:
        """Name a generation's file."""
        return self.folder / f"{generation:06}.key"
