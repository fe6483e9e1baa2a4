"""Sealed batches, from their documented format alone.

A row is one byte of kind and then fixed fields, big end first. Its leaf is SHA-256 over a zero
byte, its salt and the row; inner nodes are those of RFC 6962; a seal's hash covers its number, the
previous hash, the root, the count and both timestamps.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

ACCOUNT: Final = 1
TRANSFER: Final = 2
EXPIRY: Final = 3
FAILURE: Final = 4
PRUNING: Final = 5

GENESIS: Final = bytes(32)
_SALT_BYTES: Final = 16
_ROW_LABEL: Final = b"amana ledger salts v1"
_CLOSING_LABEL: Final = b"amana ledger closing balances v1"
_NO_ID: Final = bytes(16)
_CLOSED: Final = 1 << 5
_UNSIGNED: Final = (1 << 64) - 1

_ACCOUNT: Final = struct.Struct(">BQ16sIHH16sQI")
_TRANSFER: Final = struct.Struct(">BQ16s16s16sQ16s16sQIIIHH")
_MARK: Final = struct.Struct(">BQ16s")
_PRUNING: Final = struct.Struct(">BQQQ32s")
_SEAL: Final = struct.Struct(">BQ32s32sQQQ")
_COUNTERS: Final = struct.Struct(">QQQQ")

Row = tuple[Any, ...]


def row_bytes(kind: int, row: Row) -> bytes:
    """Write a row of the database as the bytes that were sealed."""
    if kind == TRANSFER:
        (at, key, debit, credit, amount, pending, data_128, data_64, *rest) = row
        sides = (debit, credit, amount, pending or _NO_ID, data_128 or _NO_ID)
        return _TRANSFER.pack(kind, at, key, *sides, data_64 & _UNSIGNED, *rest)
    if kind == ACCOUNT:
        at, key, ledger, code, flags, data_128, data_64, data_32, *_ = row
        data = (data_128 or _NO_ID, data_64 & _UNSIGNED, data_32)
        return _ACCOUNT.pack(kind, at, key, ledger, code, flags, *data)
    if kind == PRUNING:
        return _PRUNING.pack(kind, *row)
    return _MARK.pack(kind, *row)


def root_of(rows: Iterable[bytes], *, number: int, count: int, secret: bytes) -> bytes:
    """Return the Merkle root over the salted rows of a batch."""
    seed = _ROW_LABEL + number.to_bytes(8) + secret
    salts = hashlib.shake_256(seed).digest(_SALT_BYTES * count)
    leaves = [
        hashlib.sha256(b"\0" + salts[_SALT_BYTES * place :][:_SALT_BYTES] + row).digest()
        for place, row in enumerate(rows)
    ]
    return _tree(leaves)


def _tree(leaves: Sequence[bytes]) -> bytes:
    """Return the hash of a tree: the left half is the largest power of two. RFC 6962, 2.1."""
    nodes: list[tuple[int, bytes]] = []
    for leaf in leaves:
        size, node = 1, leaf
        while nodes and nodes[-1][0] == size:
            node = hashlib.sha256(b"\1" + nodes.pop()[1] + node).digest()
            size *= 2
        nodes.append((size, node))
    node = nodes.pop()[1]
    while nodes:
        node = hashlib.sha256(b"\1" + nodes.pop()[1] + node).digest()
    return node


def hash_of(seal: Row) -> bytes:
    """Return the hash of a seal.

    Args:
        seal: number, previous hash, root, count, first timestamp, last timestamp, and more.
    """
    return hashlib.sha256(_SEAL.pack(2, *seal[:6])).digest()


def closing_digest(accounts: Iterable[tuple[Row, tuple[int, int, int, int], bool]]) -> bytes:
    """Hash closing balances.

    Args:
        accounts: By timestamp: the account's row, its counters at the cut (pending and posted
            debits, pending and posted credits), and whether it was closed then.
    """
    digest = hashlib.sha256(_CLOSING_LABEL)
    for row, counters, is_closed in accounts:
        flags = row[4] | _CLOSED if is_closed else row[4] & ~_CLOSED
        digest.update(row_bytes(ACCOUNT, (*row[:4], flags, *row[5:])))
        digest.update(_COUNTERS.pack(*counters))
    return digest.digest()
