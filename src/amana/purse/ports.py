"""What the mint needs from outside."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from amana.kernel import Instant
from amana.purse.model import (
    IssueAsk,
    IssueQuote,
    Keyset,
    ProofState,
    RedeemAsk,
    RedeemQuote,
    Refusal,
    VerifiedProof,
)


class Claim(NamedTuple):
    """A proof to check: `point` must be the key's multiple of hash_to_curve(secret)."""

    keyset: int
    amount: int
    secret: bytes
    point: bytes


class Blank(NamedTuple):
    """An output to sign."""

    keyset: int
    amount: int
    point: bytes


class Signed(NamedTuple):
    """The signature on an output: C_ compressed, and the DLEQ proof (NUT-12)."""

    point: bytes
    dleq_e: bytes
    dleq_s: bytes


class Exchanged(NamedTuple):
    """A nullifier for each good proof; where all are good, a signature for each output."""

    nullifiers: list[bytes | None]
    signed: list[Signed | None]


IdSource = Callable[[], bytes]
"""Makes 16 random bytes: the id of a quote."""


class Signatory(Protocol):
    """Holds the mint's private keys, apart from everything else.

    Every method raises `Unavailable` where the signatory is gone; nothing was signed then that
    anybody was told of, and the same may be asked again.
    """

    def keysets(self) -> tuple[Keyset, ...]:
        """Return the append-only list of keysets, oldest first, as last heard."""

    async def verify(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; answer each with its nullifier (32 bytes), or None where it is false."""

    async def verify_later(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs as `verify` does, after what pays: for looking, and for repeated answers."""

    async def exchange(self, claims: Sequence[Claim], blanks: Sequence[Blank]) -> Exchanged:
        """Check proofs as `verify` does and, if every one is good, sign outputs as `sign` does.

        Raises:
            SigningStopped: The count of a denomination stands at its limit.
        """

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs, all or none; None for a point that is not on the curve.

        Where one cannot be signed none is, and none is counted. The same output has the same
        answer every time.

        Raises:
            SigningStopped: The count of a denomination stands at its limit.
        """

    async def give_back(self, blanks: Sequence[Blank]) -> None:
        """Count signatures no more that were made and never told to anybody."""

    async def sign_again(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Repeat signatures that were given before (NUT-09), without counting them anew.

        What pays comes first.
        """

    async def rotate(self, unit: str, *, final_expiry: int) -> Keyset:
        """Begin a new keyset for a unit; the one before signs no more."""


class SigningStopped(Exception):  # noqa: N818 - a state of the signatory, told as a refusal
    """A denomination was signed as often as its limit allows; an operator must look."""


class IssueMethod(Protocol):
    """A way to pay for what the mint will sign."""

    async def quote(self, quote_id: bytes, ask: IssueAsk) -> IssueQuote | Refusal:
        """Make a quote, or refuse."""

    def paid(self, quote: IssueQuote) -> int:
        """Return what is paid by now, in minor units."""


Effect = Callable[[RedeemQuote, Instant], Refusal | None]
"""What a redemption changes in the same commit that spends its proofs; a refusal changes nothing.
"""


class RedeemMethod(Protocol):
    """A way to turn e-cash back into money.

    The order is: `hold`, then one commit that spends the proofs and runs `effect`, then `post`; a
    commit that was refused is followed by `void`. Each of `hold`, `post` and `void` may come again
    for the same attempt, and then changes nothing.
    """

    @property
    def grace_s(self) -> int:
        """Seconds after a keyset's expiry in which its proofs are taken: years, into an account."""

    async def quote(self, quote_id: bytes, ask: RedeemAsk) -> RedeemQuote | Refusal:
        """Make a quote, or refuse."""

    def cost(self, quote: RedeemQuote) -> int:
        """Return what is kept of the inputs: the amount and what it truly cost to send."""

    async def hold(self, quote: RedeemQuote) -> Refusal | None:
        """Reserve the money for this attempt."""

    def effect(self, quote: RedeemQuote, now: Instant) -> Refusal | None:
        """Change what goes with it, in the commit that spends; waits for nothing."""

    async def post(self, quote: RedeemQuote) -> None:
        """Move what was reserved."""

    async def void(self, quote: RedeemQuote) -> None:
        """Give back what was reserved."""

    def fields(self, quote: RedeemQuote) -> dict[str, Any]:
        """Return the method's own fields of the answer."""


class PurseStore(Protocol):
    """Keeps what was spent and signed, and the quotes.

    Each write is one unit, judged by the unique indexes. A refusal is given only of what is
    durable. On an engine that commits it together with the ledger, `begin` and `conclude` need not
    be durable before they return; `settle`, `swap` and `issue` always are.
    """

    async def swap(
        self, proofs: Sequence[VerifiedProof], blanks: Sequence[Blank]
    ) -> Refusal | None:
        """Spend proofs and record what is signed for them."""

    async def put_issue_quote(self, quote: IssueQuote) -> None:
        """Keep a new quote, durably."""

    async def issue_quote(self, quote_id: bytes, *, is_told: bool = False) -> IssueQuote | None:
        """Return a quote as it stands; one that is told to anybody is durable as it stands."""

    async def issue(self, quote: IssueQuote, paid: int, blanks: Sequence[Blank]) -> Refusal | None:
        """Record what is signed for a quote, at most what is paid and not yet issued."""

    async def put_redeem_quote(self, quote: RedeemQuote) -> None:
        """Keep a new quote, durably."""

    async def redeem_quote(self, quote_id: bytes, *, is_told: bool = False) -> RedeemQuote | None:
        """Return a quote as it stands; one that is told to anybody is durable as it stands."""

    async def caught_up(self, quote: RedeemQuote) -> RedeemQuote:
        """Return the quote as it stands after all that was asked before, waited for or not."""

    async def begin(
        self, quote: RedeemQuote, nullifiers: Sequence[bytes], points: Sequence[bytes]
    ) -> RedeemQuote | Refusal:
        """Count an attempt with what is neither spent nor signed: UNPAID becomes HELD.

        The commit that spends judges again.
        """

    async def conclude(
        self,
        quote: RedeemQuote,
        proofs: Sequence[VerifiedProof],
        blanks: Sequence[Blank],
        *,
        effect: Effect,
    ) -> Refusal | None:
        """Spend the proofs, record the change, run the effect: HELD becomes SPENT, or nothing."""

    async def settle(self, quote: RedeemQuote) -> RedeemQuote:
        """The money was posted: SPENT becomes PAID. Return the quote as stored, durably."""

    async def release(self, quote: RedeemQuote) -> RedeemQuote:
        """The money was given back: HELD becomes UNPAID. Return the quote as stored, durably."""

    async def known(self, nullifiers: Sequence[bytes], points: Sequence[bytes]) -> Refusal | None:
        """Refuse what is known to be spent or signed; the commit judges again."""

    async def states(self, nullifiers: Sequence[bytes]) -> list[tuple[ProofState, str | None]]:
        """Return where proofs stand, with the witness that was kept for others to see."""

    async def signed_before(self, points: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Return keyset and amount of the points that were signed, by point."""

    async def unfinished(self) -> Sequence[RedeemQuote]:
        """Return the quotes that stand at HELD or SPENT."""
