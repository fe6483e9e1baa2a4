"""Nostr profiles: a public key with the relays where its owner reads (NIP-19)."""

from dataclasses import dataclass
from typing import Final

from amana.wire.cashu._bech32 import BECH32, read_bech32, write_bech32

KEY_BYTES: Final = 32

_KEY: Final = 0
_RELAY: Final = 1
_HEAD_BYTES: Final = 2
_PART_BYTES_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Profile:
    """An x-only public key, 32 bytes, and addresses of relays, 255 bytes each at most."""

    key: bytes
    relays: tuple[str, ...] = ()


def read_profile(text: str) -> Profile:
    """Read an `npub` or `nprofile`; raises ValueError for all else."""
    if text.lower().startswith("npub1"):
        key = read_bech32(text, "npub", constant=BECH32)
        if len(key) != KEY_BYTES:
            raise ValueError("not 32 bytes")
        return Profile(key)
    data = read_bech32(text, "nprofile", constant=BECH32)
    keys: list[bytes] = []
    relays: list[str] = []
    while data:
        value = data[_HEAD_BYTES : _HEAD_BYTES + data[1]] if len(data) >= _HEAD_BYTES else b""
        if len(data) < _HEAD_BYTES or len(value) < data[1]:
            raise ValueError("cut short")
        if data[0] == _KEY:
            keys.append(value)
        elif data[0] == _RELAY:
            relays.append(value.decode("ascii"))
        data = data[_HEAD_BYTES + len(value) :]
    if [len(key) for key in keys] != [KEY_BYTES]:
        raise ValueError("not one key of 32 bytes")
    return Profile(keys[0], tuple(relays))


def write_profile(profile: Profile) -> str:
    """Write an `nprofile`."""
    parts = [(_KEY, profile.key), *((_RELAY, relay.encode("ascii")) for relay in profile.relays)]
    assert all(len(value) <= _PART_BYTES_MAX for _, value in parts), "a part has 255 bytes at most"
    data = b"".join(bytes((kind, len(value))) + value for kind, value in parts)
    return write_bech32("nprofile", data, constant=BECH32)
