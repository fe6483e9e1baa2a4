"""Blind tokens: given out to customers a few a day, used once by nobody knows whom."""

from collections import Counter
from collections.abc import Sequence

from amana.kernel import DAY_NS, SECOND_NS, AmanaId, Clock, day_number
from amana.purse.auth.model import AUTH_UNIT, Allowance, BlindToken
from amana.purse.auth.ports import AuthReader, AuthWriter, SpentKey
from amana.purse.auth.rules import decide_count, decide_fetch, decide_token, read_blind_token
from amana.purse.keysets import ended
from amana.purse.model import BlindedMessage, BlindSignature, Code, Keyset, Refusal
from amana.purse.ports import Blank, Claim, Signatory, SigningStopped
from amana.purse.rules.refusals import plain

_DAY_S = DAY_NS // SECOND_NS
_SPENT = Refusal(Code.BLIND_AUTH_FAILED, "The blind token was used before.")


class SpentToken:
    """A blind token set aside for one request: `commit` uses it up, `release` gives it back.

    While it is set aside nobody else can come with it; exactly one of the two ends that.
    """

    def __init__(self, token: SpentKey, reserved: set[SpentKey], writer: AuthWriter) -> None:
        self._token = token
        self._reserved = reserved
        self._writer = writer
        self._is_ended = False

    async def commit(self) -> None:
        """Use the token up, durably: the request succeeded.

        Raises:
            Unavailable: It could not be written. The token stays set aside and opens nothing more
                before the mint starts anew; what it was shown for is done all the same.
        """
        self._is_ended = True
        await self._writer.spend(self._token)
        self._reserved.discard(self._token)

    def release(self) -> None:
        """Give the token back: the request changed nothing. After a commit this does nothing."""
        if not self._is_ended:
            self._reserved.discard(self._token)


class BlindAuth:
    """Gives out blind tokens and takes them."""

    def __init__(
        self,
        *,
        signatory: Signatory,
        reader: AuthReader,
        writer: AuthWriter,
        clock: Clock,
        allowance: Allowance | None = None,
    ) -> None:
        self._signatory = signatory
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self._reserved: set[SpentKey] = set()
        self._under_way: Counter[AmanaId] = Counter()
        self.allowance = allowance or Allowance()

    def keysets(self) -> tuple[Keyset, ...]:
        """Return the keysets of blind tokens, oldest first."""
        return tuple(keyset for keyset in self._signatory.keysets() if keyset.unit == AUTH_UNIT)

    async def give(
        self, party: AmanaId, outputs: Sequence[BlindedMessage]
    ) -> tuple[BlindSignature, ...] | Refusal:
        """Sign blind tokens for a customer, as many as the day still allows.

        They are signed first and counted then, and leave when the count is durable: whatever is
        interrupted in between gave nobody a token.

        Raises:
            Unavailable: The signatory or the storage is gone; ask again with the same outputs.
        """
        now = self._clock.now()
        keyset = decide_fetch(outputs, self.keysets(), self.allowance, now_s=now // SECOND_NS)
        if isinstance(keyset, Refusal):
            return keyset
        day, count = day_number(now), len(outputs)
        # What others of this customer's requests are having signed counts as given, so that many
        # at once cost the signatory no more than a day's tokens.
        given = self._reader.given(party, day) + self._under_way[party]
        refused = decide_count(given, count, self.allowance)
        if refused is not None:
            return refused
        self._under_way[party] += count
        try:
            return await self._give(party, day, keyset, outputs)
        finally:
            self._under_way[party] -= count
            if not self._under_way[party]:
                del self._under_way[party]

    async def _give(
        self, party: AmanaId, day: int, keyset: Keyset, outputs: Sequence[BlindedMessage]
    ) -> tuple[BlindSignature, ...] | Refusal:
        signatures = await self._sign(keyset, outputs)
        if isinstance(signatures, Refusal):
            return signatures
        a_day, count = self.allowance.a_day, len(outputs)
        is_counted = await self._writer.count(party, day=day, tokens=count, a_day=a_day)
        assert is_counted, "what is under way and what was counted fit a day together"
        return signatures

    async def forget_counts(self) -> None:
        """Forget how many tokens anybody got on days before this one.

        Raises:
            Unavailable: Storage is gone; ask again.
        """
        await self._writer.forget_counts(before=day_number(self._clock.now()))

    async def forget_spent(self) -> int:
        """Forget which tokens were used of keysets that ended a day ago; return how many.

        Such a token opens nothing more by its keyset's end, so nothing is lost. The day is for a
        request that came just before it, and for a clock that is set back a little.

        Raises:
            Unavailable: Storage is gone; ask again.
        """
        now_s, forgotten = self._clock.now() // SECOND_NS, 0
        for keyset in ended(self.keysets(), AUTH_UNIT, now_s=now_s, grace_s=_DAY_S):
            while some := await self._writer.forget_spent(keyset.number):
                forgotten += some
        return forgotten

    async def _sign(
        self, keyset: Keyset, outputs: Sequence[BlindedMessage]
    ) -> tuple[BlindSignature, ...] | Refusal:
        try:
            signed = await self._signatory.sign(
                [Blank(keyset.number, 1, output.point) for output in outputs]
            )
        except SigningStopped:
            return Refusal(Code.BLIND_TOKENS_TOO_OFTEN, "No more blind tokens are signed for now.")
        signatures = tuple(
            BlindSignature(keyset.id, 1, made.point, made.dleq_e, made.dleq_s)
            for made in signed
            if made is not None
        )
        if len(signatures) != len(outputs):
            return Refusal(Code.PROOF_INVALID, "An output is no point of the curve.")
        return signatures

    async def admit(self, text: str | None) -> SpentToken | Refusal:
        """Check a `Blind-auth` header and set its token aside for one request.

        Raises:
            Unavailable: The signatory is gone.
        """
        if not text:
            return plain(Code.BLIND_AUTH_MISSING)
        token = read_blind_token(text)
        if isinstance(token, Refusal):
            return token
        spent = await self._verify(token)
        if isinstance(spent, Refusal):
            return spent
        # From here to the return nothing is awaited: two requests cannot both find it unused.
        if spent in self._reserved or self._reader.is_spent(spent):
            return _SPENT
        self._reserved.add(spent)
        return SpentToken(spent, self._reserved, self._writer)

    async def _verify(self, token: BlindToken) -> SpentKey | Refusal:
        now_s = self._clock.now() // SECOND_NS
        found = next((keyset for keyset in self.keysets() if keyset.id == token.keyset_id), None)
        refused = decide_token(found, now_s=now_s)
        if refused is not None:
            return refused
        assert found is not None, "a token that is not refused has a keyset"
        claim = Claim(found.number, 1, token.secret.encode("utf-8", "surrogatepass"), token.point)
        (nullifier,) = await self._signatory.verify([claim])
        if nullifier is None:
            return Refusal(Code.BLIND_AUTH_FAILED, "The blind token's signature is not ours.")
        return SpentKey(found.number, nullifier)
