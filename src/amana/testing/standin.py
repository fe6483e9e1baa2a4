"""A stand-in for the e-cash's curve: the same algebra in a group where every secret is plain.

Points are numbers of a field under addition, so that blinding, signing, unblinding and checking
cost a multiplication each, and whole worlds of purses fit into seconds. Nothing is hidden here:
for simulated worlds, the trial town and tests, never where money is.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Final

from amana.kernel import Unavailable
from amana.purse.model import BlindedMessage, BlindSignature, Keyset, Proof
from amana.purse.ports import Blank, Claim, Exchanged, Signed, SigningStopped

_FIELD: Final = 2**255 - 19
_NUMBER_BYTES: Final = 32
_MARK: Final = b"\x02"

STANDIN_AMOUNTS: Final = tuple(1 << exponent for exponent in range(14))
"""The denominations of an operator's keyset."""


def _point(number: int) -> bytes:
    return _MARK + (number % _FIELD).to_bytes(_NUMBER_BYTES)


def _number(point: bytes) -> int:
    return int.from_bytes(point[1:])


def _hashed(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"|".join(parts)).digest()) % _FIELD


def hash_to_standin(secret: bytes) -> bytes:
    """Return the point that a secret stands for; its last 32 bytes are the nullifier."""
    return _point(_hashed(b"secret", secret))


class StandInSignatory:
    """A `Signatory` over the stand-in group."""

    def __init__(
        self,
        seed: bytes,
        unit: str,
        *,
        final_expiry: int,
        amounts: Sequence[int] = STANDIN_AMOUNTS,
        fee_ppk: int = 0,
    ) -> None:
        """Begin with one keyset.

        Args:
            seed: Every key follows from it.
            unit: What the keysets are of.
            final_expiry: When they expire, in seconds since 1970.
            amounts: Their denominations.
            fee_ppk: What an input costs, in thousandths.
        """
        self._seed = seed
        self._amounts = tuple(amounts)
        self._fee_ppk = fee_ppk
        self._keys: list[dict[int, int]] = []
        self._listed: tuple[Keyset, ...] = ()
        self.is_stopped = False
        """Whether the counts stand at their limit."""
        self.is_gone = False
        """Whether nobody answers."""
        self.counted: Counter[tuple[int, int]] = Counter()
        """How many were signed, by keyset and amount, and not given back."""
        self.begin(unit, final_expiry)

    def begin(self, unit: str, final_expiry: int) -> Keyset:
        """Begin a keyset; the unit's one before signs no more."""
        number = len(self._listed)
        keys = {
            amount: _hashed(b"key", self._seed, bytes([number]), str(amount).encode())
            for amount in self._amounts
        }
        keyset = Keyset(
            number=number,
            id="01" + hashlib.sha256(self._seed + bytes([number])).hexdigest(),
            unit=unit,
            is_active=True,
            input_fee_ppk=self._fee_ppk,
            final_expiry=final_expiry,
            keys={amount: _point(key) for amount, key in keys.items()},
        )
        self._keys.append(keys)
        self._listed = (*(_retired(each, unit) for each in self._listed), keyset)
        return keyset

    # At once, for schedulers of their own

    def check(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; answer each with its nullifier, or None where it is false."""
        self._be_there()
        answers: list[bytes | None] = []
        for claim in claims:
            point = hash_to_standin(claim.secret)
            signed = _point(_number(point) * self._keys[claim.keyset][claim.amount])
            answers.append(point[1:] if signed == claim.point else None)
        return answers

    def make_for(self, claims: Sequence[Claim], blanks: Sequence[Blank]) -> Exchanged:
        """Check proofs, and sign outputs if every one is good."""
        nullifiers = self.check(claims)
        return Exchanged(nullifiers, [] if None in nullifiers else self.make(blanks))

    def make(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs, all or none; a number outside the field is no point."""
        self._be_there()
        if self.is_stopped:
            raise SigningStopped
        if not all(self._listed[blank.keyset].is_active for blank in blanks):
            raise Unavailable("a keyset has just retired")
        self.counted += Counter([blank[:2] for blank in blanks])
        return self.make_again(blanks)

    def unmake(self, blanks: Sequence[Blank]) -> None:
        """Count signatures no more that were told to nobody."""
        self._be_there()
        self.counted -= Counter([blank[:2] for blank in blanks])

    def make_again(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Repeat signatures that were given before."""
        self._be_there()
        if any(_number(blank.point) >= _FIELD for blank in blanks):
            return [None] * len(blanks)
        return [self._signed(blank) for blank in blanks]

    def _signed(self, blank: Blank) -> Signed:
        point = _point(_number(blank.point) * self._keys[blank.keyset][blank.amount])
        return Signed(point, point[1:], blank.point[1:])

    def _be_there(self) -> None:
        if self.is_gone:
            raise Unavailable("the signatory is gone")

    # The port

    def keysets(self) -> tuple[Keyset, ...]:
        """Return the list of keysets, oldest first."""
        return self._listed

    async def verify(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs."""
        return self.check(claims)

    async def verify_later(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; here nothing waits."""
        return self.check(claims)

    async def exchange(self, claims: Sequence[Claim], blanks: Sequence[Blank]) -> Exchanged:
        """Check proofs, and sign outputs if every one is good."""
        return self.make_for(claims, blanks)

    async def give_back(self, blanks: Sequence[Blank]) -> None:
        """Count signatures no more that were told to nobody."""
        self.unmake(blanks)

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs, all or none."""
        return self.make(blanks)

    async def sign_again(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Repeat signatures that were given before."""
        return self.make_again(blanks)

    async def rotate(self, unit: str, *, final_expiry: int) -> Keyset:
        """Begin a new keyset for a unit; the one before signs no more."""
        return self.begin(unit, final_expiry)


def _retired(keyset: Keyset, unit: str) -> Keyset:
    if keyset.unit != unit or not keyset.is_active:
        return keyset
    return Keyset(
        number=keyset.number,
        id=keyset.id,
        unit=unit,
        is_active=False,
        input_fee_ppk=keyset.input_fee_ppk,
        final_expiry=keyset.final_expiry,
        keys=keyset.keys,
    )


class StandInWallet:
    """A wallet's side: makes outputs, remembers what only it knows, and makes proofs of them."""

    def __init__(self, signatory: StandInSignatory) -> None:
        self._signatory = signatory
        self._known: dict[bytes, tuple[str, int]] = {}

    def output(self, random: bytes, amount: int, keyset: Keyset | None = None) -> BlindedMessage:
        """Make an output of the newest keyset, or of the one named; 16 random bytes each."""
        keyset = keyset or self._signatory.keysets()[-1]
        secret, factor = random.hex(), _hashed(b"factor", random)
        point = _point(_number(hash_to_standin(secret.encode())) + factor)
        self._known[point] = secret, factor
        return BlindedMessage(keyset.id, amount, point)

    def proof(self, point: bytes, signature: BlindSignature) -> Proof:
        """Turn the signature on one of our outputs into a proof."""
        secret, factor = self._known[point]
        keysets = {keyset.id: keyset for keyset in self._signatory.keysets()}
        key = _number(keysets[signature.keyset_id].keys[signature.amount])
        unblinded = _point(_number(signature.point) - factor * key)
        return Proof(signature.keyset_id, signature.amount, secret, unblinded)

    def is_good(self, proof: Proof) -> bool:
        """Say whether the keys really made a proof."""
        number = next(k.number for k in self._signatory.keysets() if k.id == proof.keyset_id)
        claim = Claim(number, proof.amount, proof.secret.encode(), proof.point)
        gone, self._signatory.is_gone = self._signatory.is_gone, False
        answer = self._signatory.check([claim])
        self._signatory.is_gone = gone
        return answer != [None]


def nullifier_of(proof: Proof) -> bytes:
    """Return what the books keep of a proof that is spent."""
    return hash_to_standin(proof.secret.encode())[1:]


# Signatures of the stand-in group: whoever knows the public key can make them


def standin_signature(key: bytes, digest: bytes) -> bytes:
    """Sign 32 bytes for a compressed key."""
    return hashlib.sha512(key[1:] + digest).digest()


def verify_standin(key: bytes, digest: bytes, signature: bytes) -> bool:
    """Check a signature as the mint's verifier does: x-only key, 32 bytes, 64 bytes."""
    return hashlib.sha512(key + digest).digest() == signature
