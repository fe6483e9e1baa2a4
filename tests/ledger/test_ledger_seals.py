"""The format of seals is fixed: it must not change with an engine or a release."""

import hashlib
import struct

import pytest

from amana.ledger import Account, Expiry, Failure, Pruning, Transfer
from amana.ledger.seals import canonical_row, make_seal, merkle_root, salted_root, seal_hash

SECRET = bytes(range(32))


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def test_a_transfers_row_is_121_bytes_of_fixed_fields() -> None:
    row = canonical_row(Transfer(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13))
    expected = b"\x02" + (13).to_bytes(8)
    expected += b"".join(number.to_bytes(16) for number in (1, 2, 3)) + (4).to_bytes(8)
    expected += (5).to_bytes(16) + (6).to_bytes(16) + (7).to_bytes(8)
    expected += struct.pack(">IIIHH", 8, 9, 10, 11, 12)
    assert row == expected
    assert len(row) == 121


def test_the_other_rows_have_their_kinds_and_fields() -> None:
    account = canonical_row(Account(1, 2, 3, 4, 5, 6, 7, 99, 99, 99, 99, 8))
    expected = b"\x01" + (8).to_bytes(8) + (1).to_bytes(16) + struct.pack(">IHH", 2, 3, 4)
    assert account == expected + (5).to_bytes(16) + struct.pack(">QI", 6, 7)
    assert canonical_row(Expiry(1, 2)) == b"\x03" + (1).to_bytes(8) + (2).to_bytes(16)
    assert canonical_row(Failure(1, 2)) == b"\x04" + (1).to_bytes(8) + (2).to_bytes(16)
    pruning = canonical_row(Pruning(1, 2, 3, SECRET))
    assert pruning == b"\x05" + struct.pack(">QQQ", 1, 2, 3) + SECRET


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 13])
def test_the_tree_is_that_of_rfc_6962(count: int) -> None:
    leaves = [sha(bytes([number])) for number in range(count)]

    def tree(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        split = 1 << (len(part) - 1).bit_length() - 1
        return sha(b"\x01", tree(part[:split]), tree(part[split:]))

    assert merkle_root(leaves) == tree(leaves)


def test_each_row_has_its_own_salt_from_the_batchs_secret() -> None:
    stream = hashlib.shake_256(b"amana ledger salts v1" + (9).to_bytes(8) + SECRET).digest(32)
    left, right = sha(b"\x00", stream[:16], b"one"), sha(b"\x00", stream[16:], b"two")
    root = salted_root([b"one", b"two"], 2, number=9, secret=SECRET)
    assert root == sha(b"\x01", left, right)
    assert root != salted_root([b"one", b"two"], 2, number=9, secret=bytes(32))
    assert root != salted_root([b"one", b"two"], 2, number=8, secret=SECRET)


def test_seals_are_chained_by_their_hashes() -> None:
    first = make_seal(None, [b"one"], first=5, last=5, secret=SECRET)
    second = make_seal(first, [b"two", b"three"], first=6, last=9, secret=SECRET)
    assert (first.number, first.previous_hash) == (1, bytes(32))
    assert (second.number, second.previous_hash, second.count) == (2, first.hash, 2)
    packed = b"\x02" + (2).to_bytes(8) + first.hash + second.root + struct.pack(">QQQ", 2, 6, 9)
    assert second.hash == sha(packed) == seal_hash(second)


def test_a_seal_without_rows_cannot_be_made() -> None:
    with pytest.raises(AssertionError, match="at least one row"):
        make_seal(None, [], first=1, last=1, secret=SECRET)
