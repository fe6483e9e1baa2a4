"""The signatory's work: what it signs, counts, refuses, and what it keeps."""

import asyncio
import stat
from pathlib import Path

import pytest

from amana.kernel import SECOND_NS, Instant, Unavailable
from amana.purse.curve import hash_to_curve, verify_dleq
from amana.purse.keysets import AUTH_UNIT, KeysetPlan, list_hash, powers_of_two, rebuild
from amana.purse.ports import Blank, Claim, Signed, SigningStopped
from amana.purse.signatory import (
    COUNTS_FILE,
    LIST_FILE,
    SEED_FILE,
    FolderStore,
    InProcessSignatory,
    KeyUnknown,
    MemoryStore,
    SignatoryDamaged,
    Vault,
    make_signatory,
)
from amana.purse.signatory.counts import BLOCK, Counts, Denomination

SEED = bytes(range(100, 132))
NOW = 1_800_000_000
YEAR = 365 * 86_400
EUR = KeysetPlan("eur", powers_of_two(6), final_expiry=NOW + YEAR)
AUTH = KeysetPlan(AUTH_UNIT, (1,))


class HandClock:
    def __init__(self) -> None:
        self.second = NOW

    def now(self) -> Instant:
        return Instant(self.second * SECOND_NS)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def folder(tmp_path: Path, clock: HandClock) -> Path:
    make_signatory(tmp_path / "signatory", [EUR, AUTH], seed=SEED, clock=clock)
    return tmp_path / "signatory"


def _open(folder: Path, clock: HandClock) -> Vault:
    return Vault(FolderStore(folder), clock)


def _limited(limit: int, clock: HandClock) -> InProcessSignatory:
    plan = KeysetPlan("eur", (1, 2), signatures_max=limit)
    return InProcessSignatory.fresh(SEED, [plan], clock)


def _blank(text: str, amount: int = 1, keyset: int = 0) -> Blank:
    return Blank(keyset, amount, hash_to_curve(text.encode()))


def _claim(text: str, signed: Signed | None, amount: int = 1, keyset: int = 0) -> Claim:
    """Make a claim whose output was not blinded: its signature is the proof's."""
    assert signed is not None
    return Claim(keyset, amount, text.encode(), signed.point)


def test_a_new_folder_holds_a_secret_for_its_owner_alone_and_a_public_list(folder: Path) -> None:
    assert (folder / SEED_FILE).read_bytes() == SEED
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    listed = (folder / LIST_FILE).read_text()
    assert SEED.hex() not in listed
    assert '"eur"' in listed


def test_making_it_again_changes_nothing_and_adds_units_that_are_missing(
    folder: Path, clock: HandClock
) -> None:
    before = _open(folder, clock).keysets()
    make_signatory(folder, [EUR, AUTH], seed=SEED[::-1], clock=clock)
    assert _open(folder, clock).keysets() == before
    make_signatory(folder, [KeysetPlan("usd", (1,))], seed=SEED[::-1], clock=clock)
    after = _open(folder, clock).keysets()
    assert after[:2] == before
    assert [keyset.unit for keyset in after] == ["eur", "auth", "usd"]
    assert rebuild(SEED, after) == list(after)


@pytest.mark.parametrize("name", [SEED_FILE, LIST_FILE])
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe{"])
def test_a_damaged_folder_is_told_and_never_made_anew(
    folder: Path, clock: HandClock, name: str, content: bytes | None
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(SignatoryDamaged, match=name):
        make_signatory(folder, [EUR], seed=SEED, clock=clock)
    with pytest.raises(SignatoryDamaged) as told:
        _open(folder, clock)
    assert SEED.hex() not in str(told.value)


def test_a_list_that_does_not_come_of_the_seed_is_refused(folder: Path, clock: HandClock) -> None:
    (folder / SEED_FILE).write_bytes(SEED[::-1])
    with pytest.raises(SignatoryDamaged, match="does not come of this seed"):
        _open(folder, clock)


def test_a_keyset_of_another_curve_is_refused(folder: Path, clock: HandClock) -> None:
    path = folder / LIST_FILE
    path.write_text(path.read_text().replace('"id": "01', '"id": "02', 1))
    with pytest.raises(SignatoryDamaged, match="version"):
        _open(folder, clock)


def test_a_list_that_was_rewritten_is_refused(folder: Path, clock: HandClock) -> None:
    vault = _open(folder, clock)
    path = folder / LIST_FILE
    kept = path.read_text()
    path.write_text("[]")
    with pytest.raises(SignatoryDamaged, match="shorter"):
        vault.reload()
    first, second = (keyset.id for keyset in vault.keysets())
    path.write_text(kept.replace(first, "x").replace(second, first).replace("x", second))
    with pytest.raises(SignatoryDamaged, match="replaced"):
        vault.reload()


def test_signed_outputs_are_good_proofs_and_others_are_not(folder: Path, clock: HandClock) -> None:
    vault = _open(folder, clock)
    blanks = [_blank("one", 1), _blank("two", 32)]
    signed = vault.sign(blanks)
    for blank, each in zip(blanks, signed, strict=True):
        assert each is not None
        assert verify_dleq(vault.keysets()[0].keys[blank.amount], blank.point, each)
    claims = [_claim("one", signed[0]), _claim("two", signed[1], 32), _claim("six", signed[0])]
    assert vault.check([*claims, claims[0]._replace(amount=3)]) == [
        hash_to_curve(b"one")[1:],
        hash_to_curve(b"two")[1:],
        None,
        None,
    ]


def test_the_same_output_is_answered_the_same_every_time(folder: Path, clock: HandClock) -> None:
    blanks = [_blank("one"), _blank("two", 2)]
    signed = _open(folder, clock).sign(blanks)
    assert _open(folder, clock).sign(blanks) == signed
    assert _open(folder, clock).sign_again(blanks) == signed


def test_where_one_output_is_no_point_nothing_is_signed_or_counted(clock: HandClock) -> None:
    signatory = _limited(2, clock)
    bad = Blank(0, 1, b"\2" + b"\xff" * 32)
    assert asyncio.run(signatory.sign([_blank("a"), bad])) == [None, None]
    again = asyncio.run(signatory.sign_again([_blank("a"), bad]))
    assert again[0] is not None
    assert again[1] is None
    assert all(asyncio.run(signatory.sign([_blank("a"), _blank("b")])))


def test_outputs_are_signed_for_good_proofs_and_for_nothing_else(clock: HandClock) -> None:
    signatory = _limited(2, clock)
    (signed,) = asyncio.run(signatory.sign([_blank("a")]))
    good, false = _claim("a", signed), _claim("b", signed)
    assert asyncio.run(signatory.exchange([good, false], [_blank("c")])) == (
        [hash_to_curve(b"a")[1:], None],
        [],
    )
    made = asyncio.run(signatory.exchange([good], [_blank("c")]))
    assert made.nullifiers == [hash_to_curve(b"a")[1:]]
    assert made.signed == asyncio.run(signatory.sign_again([_blank("c")]))
    with pytest.raises(SigningStopped):
        asyncio.run(signatory.exchange([good], [_blank("d")]))
    asyncio.run(signatory.rotate("eur", final_expiry=NOW + YEAR))
    with pytest.raises(Unavailable):
        asyncio.run(signatory.exchange([good], [_blank("d")]))


def test_a_signature_that_was_given_back_may_be_given_again(clock: HandClock) -> None:
    signatory = _limited(1, clock)
    asyncio.run(signatory.sign([_blank("a")]))
    with pytest.raises(SigningStopped):
        asyncio.run(signatory.sign([_blank("b")]))
    asyncio.run(signatory.give_back([_blank("a")]))
    assert all(asyncio.run(signatory.sign([_blank("b")])))


def test_a_process_keeps_no_heap_of_what_was_given_back(folder: Path, clock: HandClock) -> None:
    blanks = [_blank(str(number)) for number in range(200)]
    one, other = _open(folder, clock), _open(folder, clock)
    for _ in range(4):
        one.sign(blanks)
    for _ in range(4):
        other.give_back(blanks)
    kept = FolderStore(folder).counts()["0:1"]
    one.close()
    assert FolderStore(folder).counts()["0:1"] == kept - (1024 - 800)
    other.close()
    assert FolderStore(folder).counts()["0:1"] == 0


def test_a_key_that_is_not_there_is_the_callers_mistake(clock: HandClock) -> None:
    signatory = _limited(9, clock)
    for blank in (_blank("a", 4), _blank("a", 1, 7), _blank("a", 1, -1)):
        with pytest.raises(KeyUnknown):
            asyncio.run(signatory.sign([blank]))
        with pytest.raises(KeyUnknown):
            asyncio.run(signatory.sign_again([blank]))
    with pytest.raises(KeyUnknown):
        asyncio.run(signatory.rotate("usd", final_expiry=NOW + YEAR))


def test_a_denomination_stops_at_its_limit_and_others_go_on(clock: HandClock) -> None:
    signatory = _limited(3, clock)
    for text in ("a", "b", "c"):
        assert asyncio.run(signatory.sign([_blank(text)]))[0] is not None
    with pytest.raises(SigningStopped):
        asyncio.run(signatory.sign([_blank("d")]))
    with pytest.raises(SigningStopped):
        asyncio.run(signatory.sign([_blank("d", 2), _blank("e")]))
    # What was refused was not counted, and repeats are not.
    assert all(asyncio.run(signatory.sign([_blank(text, 2) for text in "def"])))
    assert all(asyncio.run(signatory.sign_again([_blank("a")])))
    asyncio.run(signatory.set_limit(0, 4))
    assert asyncio.run(signatory.sign([_blank("d")]))[0] is not None


def test_a_rotated_keyset_checks_and_repeats_but_signs_no_more(clock: HandClock) -> None:
    signatory = InProcessSignatory.fresh(SEED, [EUR, AUTH], clock)
    old = asyncio.run(signatory.sign([_blank("a")]))
    hash_before = list_hash(signatory.keysets())
    new = asyncio.run(signatory.rotate("eur", final_expiry=NOW + 2 * YEAR))
    assert new == signatory.keysets()[2]
    assert [keyset.is_active for keyset in signatory.keysets()] == [False, True, True]
    assert new.final_expiry == NOW + 2 * YEAR
    assert sorted(new.keys) == list(EUR.amounts)
    assert list_hash(signatory.keysets()) != hash_before
    assert asyncio.run(signatory.verify([_claim("a", old[0])])) == [hash_to_curve(b"a")[1:]]
    assert asyncio.run(signatory.verify([_claim("a", old[0], keyset=2)])) == [None]
    assert asyncio.run(signatory.sign_again([_blank("a")])) == old
    with pytest.raises(Unavailable):
        asyncio.run(signatory.sign([_blank("a"), _blank("b", keyset=2)]))
    assert all(asyncio.run(signatory.sign([_blank("a", keyset=2)])))


def test_an_expired_keyset_checks_but_signs_no_more(clock: HandClock) -> None:
    signatory = InProcessSignatory.fresh(SEED, [EUR], clock)
    signed = asyncio.run(signatory.sign([_blank("a")]))
    clock.second = NOW + YEAR - 1
    assert asyncio.run(signatory.sign([_blank("a")])) == signed
    clock.second = NOW + YEAR
    with pytest.raises(Unavailable):
        asyncio.run(signatory.sign([_blank("a")]))
    assert asyncio.run(signatory.verify([_claim("a", signed[0])])) != [None]


def test_a_keyset_never_begins_expired(clock: HandClock) -> None:
    with pytest.raises(AssertionError):
        InProcessSignatory.fresh(SEED, [KeysetPlan("eur", (1,), final_expiry=NOW)], clock)


def test_a_revoked_keyset_is_good_for_the_exchange_alone(clock: HandClock) -> None:
    signatory = InProcessSignatory.fresh(SEED, [EUR], clock)
    signed = asyncio.run(signatory.sign([_blank("a")]))
    claim = _claim("a", signed[0])
    assert asyncio.run(signatory.verify_revoked([claim])) == [None]
    asyncio.run(signatory.revoke(0))
    assert not signatory.keysets()[0].is_active
    assert asyncio.run(signatory.verify([claim])) == [None]
    assert asyncio.run(signatory.verify_revoked([claim])) == [hash_to_curve(b"a")[1:]]
    with pytest.raises(Unavailable):
        asyncio.run(signatory.sign([_blank("b")]))
    # The successor is begun like any other, and the revoked one stays revoked.
    asyncio.run(signatory.rotate("eur", final_expiry=NOW + YEAR))
    assert asyncio.run(signatory.verify([claim])) == [None]


def test_what_one_process_begins_the_others_find(folder: Path, clock: HandClock) -> None:
    one, other = _open(folder, clock), _open(folder, clock)
    new = one.rotate("eur", NOW + 2 * YEAR)
    assert other.sign([_blank("a", keyset=new.number)])[0] is not None
    assert other.keysets() == one.keysets() == _open(folder, clock).keysets()


def _count(folder: Path, keyset: int = 0, amount: int = 1) -> int:
    return FolderStore(folder).counts().get(str(Denomination(keyset, amount)), 0)


def test_counts_are_durable_before_a_signature_leaves_and_exact_after_an_orderly_end(
    folder: Path, clock: HandClock
) -> None:
    vault = _open(folder, clock)
    vault.sign([_blank("a"), _blank("b")])
    assert _count(folder) == BLOCK
    vault.close()
    assert _count(folder) == 2
    vault.close()
    assert _count(folder) == 2
    _open(folder, clock).close()
    assert _count(folder) == 2


def test_after_a_crash_a_count_is_too_high_never_too_low(folder: Path, clock: HandClock) -> None:
    for crash in range(1, 4):
        _open(folder, clock).sign([_blank("a")])
        assert crash <= _count(folder) <= crash * BLOCK


def test_processes_share_what_is_left_below_a_limit() -> None:
    store = MemoryStore(SEED)
    each, limit = Denomination(0, 1), 100
    processes = [Counts(store), Counts(store)]
    taken = 0
    while granted := sum([counts.take({each: 1}, {each: limit}) for counts in processes]):
        taken += granted
    assert taken == limit
    assert store.counts() == {"0:1": limit}


def test_damaged_counts_are_told(folder: Path, clock: HandClock) -> None:
    (folder / COUNTS_FILE).write_text("{")
    with pytest.raises(SignatoryDamaged, match=COUNTS_FILE):
        _open(folder, clock).sign([_blank("a")])


def test_no_text_of_the_signatory_shows_a_secret(folder: Path, clock: HandClock) -> None:
    vault = _open(folder, clock)
    shown = (
        repr(vault)
        + repr(vars(vault)["_held"])
        + repr(vault.keysets())
        + repr(InProcessSignatory(FolderStore(folder), clock))
    )
    assert SEED.hex() not in shown
    assert repr(SEED)[2:-1] not in shown
