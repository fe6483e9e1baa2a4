"""Exchange of revoked e-cash: whoever shows how it was issued, and nobody else, and once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from amana.kernel import DAY_NS, SECOND_NS
from amana.purse.books import PurseBooks
from amana.purse.curve import ORDER, verify_schnorr
from amana.purse.keysets import AUTH_UNIT, KeysetPlan
from amana.purse.model import (
    BlindedMessage,
    BlindSignature,
    Code,
    Keyset,
    Proof,
    Refusal,
    VerifiedProof,
)
from amana.purse.ports import Blank, Claim
from amana.purse.reissue import Issued, Reissue, blind
from amana.purse.reissue.ports import Blinder
from amana.purse.rules.conditions import Verifier
from amana.purse.rules.refusals import FORGED
from amana.purse.service import Mint
from amana.purse.signatory import InProcessSignatory
from amana.purse.store import WrittenPurse
from amana.testing.ecash import Blinded, BlindingWallet
from amana.testing.rooms import Books, HandClock, SeededChance, open_books
from amana.wire.cashu import P2PK, write_secret

GRACE_S = 6 * 366 * 24 * 3_600
AMOUNTS = (1, 2, 4, 8)
_SIGNED = '{"signatures":["' + 128 * "1" + '"]}'


class World:
    """A mint's books, its keys, and somebody with proofs of a keyset that was revoked."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.clock = HandClock()
        self.expiry = (self.clock.now() + 700 * DAY_NS) // SECOND_NS
        plans = [
            KeysetPlan("eur", AMOUNTS, final_expiry=self.expiry),
            KeysetPlan("usd", AMOUNTS, final_expiry=self.expiry),
            KeysetPlan(AUTH_UNIT, (1,)),
        ]
        self.signatory = InProcessSignatory.fresh(bytes(32), plans, self.clock)
        self.rows = PurseBooks(books.connection)
        books.writer.join(self.rows)
        self.store = WrittenPurse(books.writer, self.rows, self.clock)
        self.reissue = self.judging_with()
        self.chance = SeededChance(5)
        self.wallet = BlindingWallet(self.active("eur"), self.chance.draw)

    def judging_with(self, blind: Blinder = blind, verifier: Verifier = verify_schnorr) -> Reissue:
        """What exchanges here, with this curve work."""
        return Reissue(
            self.store,
            self.signatory,
            blind=blind,
            verifier=verifier,
            grace_s=GRACE_S,
            clock=self.clock,
        )

    def active(self, unit: str) -> Keyset:
        return next(one for one in self.signatory.keysets() if one.unit == unit and one.is_active)

    def issued(self, *amounts: int) -> list[Issued]:
        """Proofs that the books know as issued."""
        outputs = [self.wallet.output(amount) for amount in amounts]
        blanks = [
            Blank(self.wallet.keyset.number, one.message.amount, one.message.point)
            for one in outputs
        ]
        assert self.books.run(self.store.swap((), blanks)) is None
        return [self.signed(output, blank) for output, blank in zip(outputs, blanks, strict=True)]

    def signed(self, output: Blinded, blank: Blank) -> Issued:
        """A proof, whether the books know of it or not."""
        (made,) = self.books.run(self.signatory.sign([blank]))
        assert made is not None
        keyset = self.wallet.keyset
        signature = BlindSignature(keyset.id, blank.amount, made.point, made.dleq_e, made.dleq_s)
        return Issued(self.wallet.proof(output, signature), output.factor)

    def revoke(self) -> None:
        """Revoke the keyset that signs; another takes its place."""
        old = self.wallet.keyset
        self.books.run(self.signatory.rotate("eur", final_expiry=self.expiry))
        self.books.run(self.signatory.revoke(old.number))

    def outputs(self, *amounts: int, unit: str = "eur") -> list[BlindedMessage]:
        """Outputs of the keyset that signs now."""
        maker = BlindingWallet(self.active(unit), self.chance.draw)
        return [maker.output(amount).message for amount in amounts]

    def exchange(
        self, shown: list[Issued], outputs: list[BlindedMessage]
    ) -> tuple[BlindSignature, ...] | Refusal:
        return self.books.run(self.reissue.exchange(shown, outputs))

    def code(self, shown: list[Issued], outputs: list[BlindedMessage]) -> int:
        """The code of a refusal; 0 where there was none."""
        answer = self.exchange(shown, outputs)
        return int(answer.code) if isinstance(answer, Refusal) else 0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_books(tmp_path) as books:
        yield World(books)


def test_issued_proofs_of_a_revoked_keyset_are_exchanged_once(world: World) -> None:
    shown = world.issued(1, 2, 8)
    world.revoke()
    given = world.exchange(shown, world.outputs(1, 2, 8))
    assert not isinstance(given, Refusal)
    assert [one.amount for one in given] == [1, 2, 8]
    assert {one.keyset_id for one in given} == {world.active("eur").id}
    assert world.code(shown, world.outputs(1, 1, 1, 8)) == Code.ALREADY_SPENT
    assert world.rows.counts(0, 8) == (1, 1)


def test_two_exchanges_of_one_proof_at_once_are_one(world: World) -> None:
    shown = world.issued(4)
    world.revoke()

    async def both() -> list[object]:
        first, second = world.outputs(4), world.outputs(1, 1, 2)
        return list(
            await asyncio.gather(
                world.reissue.exchange(shown, first), world.reissue.exchange(shown, second)
            )
        )

    answers = world.books.run(both())
    assert sorted(isinstance(answer, Refusal) for answer in answers) == [False, True]
    assert world.rows.counts(0, 4) == (1, 1)


def test_signatures_that_were_lost_before_the_revocation_are_given_again(world: World) -> None:
    mint = Mint(
        world.store,
        world.signatory,
        issue_methods={},
        redeem_methods={},
        verifier=verify_schnorr,
        ids=lambda: bytes(16),
        clock=world.clock,
    )
    lost = world.wallet.output(8)
    blank = Blank(world.wallet.keyset.number, 8, lost.message.point)
    assert world.books.run(world.store.swap((), [blank])) is None
    world.revoke()
    found = world.books.run(mint.restore([lost.message]))
    assert not isinstance(found, Refusal)
    ((_, signature),) = found
    shown = [Issued(world.wallet.proof(lost, signature), lost.factor)]
    assert world.code(shown, world.outputs(8)) == 0


def test_what_is_refused_at_the_commit_is_counted_no_more(world: World) -> None:
    shown, more = world.issued(4), world.issued(2)
    world.revoke()
    world.books.run(world.signatory.set_limit(world.active("eur").number, 4))

    async def both() -> list[object]:
        outputs = world.outputs(1, 1, 2), world.outputs(1, 1, 2)
        return list(
            await asyncio.gather(*(world.reissue.exchange(shown, each) for each in outputs))
        )

    answers = world.books.run(both())
    assert sorted(isinstance(answer, Refusal) for answer in answers) == [False, True]
    assert world.code(more, world.outputs(1, 1)) == 0


def test_a_stranger_costs_few_factors_and_no_look_at_a_lock(world: World) -> None:
    """Goal: nobody needs a token here: what costs much comes after what only holders can show."""
    factors: list[bytes] = []

    def counted(secret: bytes, factor: bytes) -> bytes | None:
        factors.append(factor)
        return blind(secret, factor)

    def judged(*_: bytes) -> bool:
        raise AssertionError("no signature of a stranger is checked")

    world.reissue = world.judging_with(counted, judged)
    key = BlindingWallet(world.active("usd"), world.chance.draw).output(1).message.point.hex()
    held = world.issued(1)
    strange = []
    for number in range(499):
        secret = write_secret(P2PK, nonce=f"{number:064x}", data=key).text
        proof = Proof(world.wallet.keyset.id, 1, secret, held[0].proof.point, _SIGNED)
        strange.append(Issued(proof, bytes([1]) * 32))
    sums = [8] * 62 + [1] * 3
    assert world.code(strange, world.outputs(*sums)) == Code.PROOF_INVALID
    world.books.run(world.signatory.rotate("eur", final_expiry=world.expiry))
    assert world.code(strange, world.outputs(*sums)) == Code.PROOF_INVALID
    assert not factors, "nothing was revoked yet"
    world.revoke()
    for shown, outputs in ((strange, sums), (held + strange, [8] * 62 + [4])):
        factors.clear()
        assert world.code(shown, world.outputs(*outputs)) == Code.PROOF_INVALID
        assert 0 < len(factors) < 20


def test_a_good_signature_without_an_issue_is_worth_nothing(world: World) -> None:
    (true,) = world.issued(8)
    output = world.wallet.output(8)
    false = world.signed(output, Blank(0, 8, output.message.point))
    world.revoke()
    for factor in (false.factor, true.factor, bytes(32), ORDER.to_bytes(32)):
        shown = [Issued(false.proof, factor)]
        assert world.code(shown, world.outputs(8)) == Code.PROOF_INVALID
    assert world.code([Issued(true.proof, false.factor)], world.outputs(8)) == Code.PROOF_INVALID
    assert world.rows.counts(0, 8) == (1, 0)


def test_a_false_signature_on_an_issued_output_is_refused(world: World) -> None:
    (true,) = world.issued(8)
    world.revoke()
    proof = Proof(true.proof.keyset_id, 8, true.proof.secret, b"\2" + bytes(31) + b"\1")
    assert world.code([Issued(proof, true.factor)], world.outputs(8)) == Code.PROOF_INVALID


def test_what_is_not_revoked_is_not_exchanged(world: World) -> None:
    shown = world.issued(8)
    assert world.code(shown, world.outputs(8)) == Code.PROOF_INVALID
    world.books.run(world.signatory.rotate("eur", final_expiry=world.expiry))
    assert world.code(shown, world.outputs(8)) == Code.PROOF_INVALID


def test_what_comes_out_is_what_goes_in_of_the_same_unit(world: World) -> None:
    shown = world.issued(8)
    world.revoke()
    assert world.code(shown, world.outputs(4)) == Code.NOT_BALANCED
    assert world.code(shown, []) == Code.NOT_BALANCED
    assert world.code(shown, world.outputs(8, unit="usd")) == Code.UNITS_DIFFER
    stale = [world.wallet.output(8).message]
    assert world.code(shown, stale) == Code.KEYSET_INACTIVE
    assert world.code([], world.outputs(8)) == Code.PROOF_INVALID
    assert world.rows.counts(0, 8) == (1, 0)


def test_an_output_that_is_no_point_or_was_signed_before_costs_nothing(world: World) -> None:
    shown, more = world.issued(8), world.issued(8)
    world.revoke()
    no_point = BlindedMessage(world.active("eur").id, 8, b"\2" + bytes(31) + b"\5")
    assert world.code(shown, [no_point]) == Code.PROOF_INVALID
    outputs = world.outputs(8)
    assert world.code(shown, outputs) == 0
    assert world.code(more, outputs) == Code.ALREADY_SIGNED
    assert world.rows.counts(0, 8) == (2, 1)


def test_a_denomination_at_its_limit_is_exchanged_no_more(world: World) -> None:
    shown = world.issued(8)
    world.revoke()
    number = world.active("eur").number
    world.books.run(world.signatory.set_limit(number, 0))
    assert world.code(shown, world.outputs(8)) == Code.ISSUE_DISABLED
    world.books.run(world.signatory.set_limit(number, 1_000))
    assert world.code(shown, world.outputs(8)) == 0


def test_no_more_of_an_amount_comes_back_than_was_signed(world: World) -> None:
    """Goal: false proofs that were spent before the revocation do not raise what is owed."""
    first, second = world.issued(8, 8)
    output = world.wallet.output(8)
    false = world.signed(output, Blank(0, 8, output.message.point))
    (nullifier,) = world.books.run(
        world.signatory.verify([Claim(0, 8, false.proof.secret.encode(), false.proof.point)])
    )
    assert nullifier is not None
    assert world.books.run(world.store.swap([VerifiedProof(0, 8, nullifier)], [])) is None
    world.revoke()
    assert world.exchange([first, second], world.outputs(8, 8)) == FORGED
    assert world.code([first], world.outputs(8)) == 0
    assert world.exchange([second], world.outputs(4, 4)) == FORGED
    assert world.rows.counts(0, 8) == (2, 2)


def test_a_locked_proof_needs_its_lock_opened(world: World) -> None:
    text = write_secret(P2PK, "00" * 32, "02" + "79be667e" * 8, ()).text
    output = world.wallet.output(8, text)
    blank = Blank(0, 8, output.message.point)
    assert world.books.run(world.store.swap((), [blank])) is None
    shown = [world.signed(output, blank)]
    world.revoke()
    assert world.code(shown, world.outputs(8)) != 0
    assert world.rows.counts(0, 8) == (1, 0)


def test_years_after_expiry_nothing_is_exchanged(world: World) -> None:
    shown, late = world.issued(8), world.issued(8)
    world.revoke()
    later = world.expiry * SECOND_NS - world.clock.now()
    world.clock.advance(later + DAY_NS)
    world.expiry += 700 * 86_400
    world.books.run(world.signatory.rotate("eur", final_expiry=world.expiry))
    assert world.code(shown, world.outputs(8)) == 0
    world.clock.advance(GRACE_S * SECOND_NS)
    assert world.code(late, []) == Code.KEYSET_EXPIRED
