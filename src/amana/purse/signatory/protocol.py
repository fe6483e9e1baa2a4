"""What the mint and its signatory say to each other: batches over a pair of sockets.

A frame is its length (4 bytes, big-endian) and MessagePack. The signatory speaks first, with its
list of keysets or with why it cannot serve; from then on each batch of questions is answered by
one batch of answers, in order, and the next batch waits for that.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from amana.purse.model import Keyset
from amana.purse.ports import Blank, Claim, Signed

LENGTH_BYTES: Final = 4
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024


class Check(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """Are these proofs good?"""

    claims: list[Claim]
    is_revoked: bool = False


class Sign(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """Sign these outputs, counted, or repeat what was signed."""

    blanks: list[Blank]
    is_repeat: bool = False


class Exchange(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """Are these proofs good? Then sign these outputs, counted."""

    claims: list[Claim]
    blanks: list[Blank]


class GiveBack(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """Count these signatures no more: they were told to nobody."""

    blanks: list[Blank]


class Rotate(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """Begin a new keyset for a unit."""

    unit: str
    final_expiry: int


class Revoke(msgspec.Struct, frozen=True, array_like=True, tag="x"):
    """Let a keyset check and sign no more."""

    number: int


class Limit(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """Change how often each denomination of a keyset may sign."""

    number: int
    signatures_max: int


class Reload(msgspec.Struct, frozen=True, array_like=True, tag="u"):
    """Read the list again."""


Ask: TypeAlias = Check | Sign | Exchange | GiveBack | Rotate | Revoke | Limit | Reload


class Checked(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """A nullifier for each good proof."""

    nullifiers: list[bytes | None]


class Signatures(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A signature for each output."""

    signed: list[Signed | None]


class Made(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """A nullifier for each good proof; where all are good, a signature for each output."""

    nullifiers: list[bytes | None]
    signed: list[Signed | None]


class Listed(msgspec.Struct, frozen=True, array_like=True, tag="l"):
    """The list of keysets as it stands now; `newest` is the place of the one just begun."""

    keysets: list[Keyset]
    newest: int | None = None


class Reason(StrEnum):
    """Why something was not done."""

    STOPPED = "stopped"
    RETIRED = "retired"
    UNKNOWN = "unknown"
    DAMAGED = "damaged"


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """Nothing was done."""

    reason: Reason
    detail: str


Answer: TypeAlias = Checked | Signatures | Made | Listed | Refused

_encoder: Final = msgspec.msgpack.Encoder()
_asks: Final = msgspec.msgpack.Decoder(list[Ask])
_answers: Final = msgspec.msgpack.Decoder(list[Answer])


def write_frame(batch: Sequence[Ask] | Sequence[Answer]) -> bytes:
    """Write a batch."""
    body = _encoder.encode(batch)
    assert len(body) <= FRAME_BYTES_MAX, "limits on requests keep batches small"
    return len(body).to_bytes(LENGTH_BYTES) + body


def read_asks(body: bytes) -> list[Ask]:
    """Read a batch of questions."""
    return _asks.decode(body)


def read_answers(body: bytes) -> list[Answer]:
    """Read a batch of answers."""
    return _answers.decode(body)
