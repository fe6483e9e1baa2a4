"""Sealed batches: a Merkle root over the salted rows of a commit group, chained to the last.

The format depends on no engine. A canonical row is one byte of kind and then fixed fields, big end
first, ids and 128-bit user data in 16 bytes:

    1 account   timestamp(8) id(16) ledger(4) code(2) flags(2) user data(16, 8, 4); flags as opened
    2 transfer  timestamp(8) id(16) debit(16) credit(16) amount(8) pending id(16)
                user data(16, 8, 4) timeout(4) ledger(4) code(2) flags(2)
    3 expiry    timestamp(8) transfer id(16)
    4 failure   timestamp(8) transfer id(16)
    5 pruning   timestamp(8) cut(8) batches(8) digest(32)

Rows stand in the order of their timestamps. Row n's salt is bytes 16n to 16n+16 of SHAKE-256 over
a label, the batch's number and the batch's secret; its leaf is SHA-256 over a zero byte, the salt
and the row; inner nodes and the tree's shape are RFC 6962's. Without the secret, a root says
nothing about the rows, however few values they may have.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Final

from amana.ledger.model import Account, Expiry, Failure, Pruning, Seal, Transfer

SECRET_BYTES: Final = 32
_SALT_BYTES: Final = 16
_LABEL: Final = b"amana ledger salts v1"
_GENESIS: Final = bytes(32)

_ACCOUNT: Final = struct.Struct(">BQ16sIHH16sQI")
TRANSFER: Final = struct.Struct(">BQ16s16s16sQ16s16sqIIIHH")
"""A transfer's row; 64-bit user data is packed as two's complement, which is the same bytes."""
_MARK: Final = struct.Struct(">BQ16s")
_PRUNING: Final = struct.Struct(">BQQQ32s")
_SEAL: Final = struct.Struct(">BQ32s32sQQQ")

Row = Account | Transfer | Expiry | Failure | Pruning


def canonical_row(row: Row) -> bytes:
    """Write one row of the books as the bytes that are sealed."""
    match row:
        case Transfer():
            return canonical_transfer(row)
        case Account():
            return _ACCOUNT.pack(
                1,
                row.timestamp,
                row.id.to_bytes(16, "big"),
                row.ledger,
                row.code,
                row.flags,
                row.user_data_128.to_bytes(16, "big"),
                row.user_data_64,
                row.user_data_32,
            )
        case Expiry():
            return _MARK.pack(3, row.timestamp, row.transfer_id.to_bytes(16, "big"))
        case Failure():
            return _MARK.pack(4, row.timestamp, row.transfer_id.to_bytes(16, "big"))
        case Pruning():
            return _PRUNING.pack(5, row.timestamp, row.cut, row.batches, row.digest)


def canonical_transfer(row: Transfer) -> bytes:
    """Write one transfer as the bytes that are sealed."""
    return TRANSFER.pack(
        2,
        row.timestamp,
        row.id.to_bytes(16, "big"),
        row.debit_account_id.to_bytes(16, "big"),
        row.credit_account_id.to_bytes(16, "big"),
        row.amount,
        row.pending_id.to_bytes(16, "big"),
        row.user_data_128.to_bytes(16, "big"),
        row.user_data_64 - (row.user_data_64 >> 63 << 64),
        row.user_data_32,
        row.timeout_s,
        row.ledger,
        row.code,
        row.flags,
    )


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a tree over leaf hashes. Source: RFC 6962, section 2.1."""
    assert leaves, "a batch has at least one row"
    sha256 = hashlib.sha256
    level = list(leaves)
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd
    return level[0]


def salted_root(rows: Iterable[bytes], count: int, *, number: int, secret: bytes) -> bytes:
    """Return the Merkle root over the salted rows of a batch."""
    assert len(secret) == SECRET_BYTES, "a batch's secret has 32 bytes"
    stream = hashlib.shake_256(_LABEL + number.to_bytes(8, "big") + secret)
    salts = stream.digest(_SALT_BYTES * count)
    sha256 = hashlib.sha256
    offsets = range(0, _SALT_BYTES * count, _SALT_BYTES)
    leaves = [
        sha256(b"\x00" + salts[offset : offset + _SALT_BYTES] + row).digest()
        for offset, row in zip(offsets, rows, strict=True)
    ]
    return merkle_root(leaves)


def make_seal(
    previous: Seal | None, rows: Sequence[bytes], *, first: int, last: int, secret: bytes
) -> Seal:
    """Seal a batch.

    Args:
        previous: The seal before; None for the first.
        rows: The canonical rows, at least one, in the order of their timestamps.
        first: The first row's timestamp.
        last: The last row's timestamp.
        secret: Exactly 32 random bytes.
    """
    number = previous.number + 1 if previous else 1
    previous_hash = previous.hash if previous else _GENESIS
    root = salted_root(rows, len(rows), number=number, secret=secret)
    seal = Seal(number, previous_hash, root, len(rows), first, last, b"", secret)
    return Seal(number, previous_hash, root, len(rows), first, last, seal_hash(seal), secret)


def seal_hash(seal: Seal) -> bytes:
    """Hash every field of a seal but its own hash and its secret."""
    packed = _SEAL.pack(
        2,
        seal.number,
        seal.previous_hash,
        seal.root,
        seal.count,
        seal.timestamp_min,
        seal.timestamp_max,
    )
    return hashlib.sha256(packed).digest()


def closing_digest(accounts: Iterable[Account]) -> bytes:
    """Hash closing balances, in the order of the accounts' timestamps."""
    digest = hashlib.sha256(b"amana ledger closing balances v1")
    for account in accounts:
        digest.update(canonical_row(account))
        for counter in (
            account.debits_pending,
            account.debits_posted,
            account.credits_pending,
            account.credits_posted,
        ):
            digest.update(counter.to_bytes(8, "big"))
    return digest.digest()
