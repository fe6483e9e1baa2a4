"""The mint's store over the one writer."""

from collections.abc import Sequence
from typing import Any, Protocol

from amana.kernel import Clock, Instant
from amana.purse.books import Attempt, Conclusion, Issue, PurseBooks, Swap
from amana.purse.model import IssueQuote, ProofState, RedeemQuote, Refusal, VerifiedProof
from amana.purse.ports import Blank, Effect
from amana.storage import Handler


class GroupWriter(Protocol):
    """The part of the one writer that a store needs."""

    async def submit(self, handler: Handler, item: Any) -> Any:  # noqa: ANN401 - the handler's own types
        """Hand one item to a handler; answer when it is applied."""

    async def durable(self) -> None:
        """Wait until everything applied is durable."""


class WrittenPurse:
    """The PurseStore of the service: books reached through the one writer."""

    def __init__(
        self, writer: GroupWriter, books: PurseBooks, clock: Clock, *, shares_commits: bool = True
    ) -> None:
        """Join writer and books.

        Args:
            writer: The one writer of the data folder.
            books: The rows.
            clock: The time.
            shares_commits: Whether the ledger commits together with these rows. If not, each step
                of a redemption is durable before the next.
        """
        self._writer = writer
        self._books = books
        self._clock = clock
        self._shares_commits = shares_commits

    async def _written(self, handler: Handler, item: Any) -> Any:  # noqa: ANN401 - the handler's own types
        answer = await self._writer.submit(handler, item)
        await self._writer.durable()
        return answer

    async def swap(
        self, proofs: Sequence[VerifiedProof], blanks: Sequence[Blank]
    ) -> Refusal | None:
        """Spend proofs and record what is signed for them."""
        refusal: Refusal | None = await self._written(self._books.swaps, Swap(proofs, blanks))
        return refusal

    async def put_issue_quote(self, quote: IssueQuote) -> None:
        """Keep a new quote, durably."""
        await self._written(self._books.put_issue_quotes, quote)

    async def issue_quote(self, quote_id: bytes, *, is_told: bool = False) -> IssueQuote | None:
        """Return a quote; to be told to anybody, when it is durable."""
        found = self._books.issue_quote(quote_id)
        if is_told:
            await self._writer.durable()
        return found

    async def issue(self, quote: IssueQuote, paid: int, blanks: Sequence[Blank]) -> Refusal | None:
        """Record what is signed for a quote, at most what is paid and not yet issued."""
        item = Issue(quote, paid, blanks, self._clock.now())
        refusal: Refusal | None = await self._written(self._books.issues, item)
        return refusal

    async def put_redeem_quote(self, quote: RedeemQuote) -> None:
        """Keep a new quote, durably."""
        await self._written(self._books.put_redeem_quotes, quote)

    async def redeem_quote(self, quote_id: bytes, *, is_told: bool = False) -> RedeemQuote | None:
        """Return a quote; to be told to anybody, when it is durable."""
        found = self._books.redeem_quote(quote_id)
        if is_told:
            await self._writer.durable()
        return found

    async def caught_up(self, quote: RedeemQuote) -> RedeemQuote:
        """Return the quote as it stands after all that was asked before, waited for or not.

        Durably: a ledger apart must not be told to post what these rows may still lose.
        """
        await self._written(_nothing, None)
        found = self._books.redeem_quote(quote.id)
        assert found is not None, "a quote that is redeemed is there"
        return found

    async def begin(
        self, quote: RedeemQuote, nullifiers: Sequence[bytes], points: Sequence[bytes]
    ) -> RedeemQuote | Refusal:
        """Count an attempt with what is neither spent nor signed: UNPAID becomes HELD."""
        item = Attempt(quote, nullifiers, points)
        begun: RedeemQuote | Refusal = await self._writer.submit(self._books.begin, item)
        if isinstance(begun, Refusal) or not self._shares_commits:
            await self._writer.durable()
        return begun

    async def conclude(
        self,
        quote: RedeemQuote,
        proofs: Sequence[VerifiedProof],
        blanks: Sequence[Blank],
        *,
        effect: Effect,
    ) -> Refusal | None:
        """Spend the proofs, record the change, run the effect: HELD becomes SPENT, or nothing."""
        item = Conclusion(quote, proofs, blanks, effect, self._clock.now())
        refusal: Refusal | None = await self._writer.submit(self._books.conclude, item)
        if not self._shares_commits:
            await self._writer.durable()
        return refusal

    async def settle(self, quote: RedeemQuote) -> RedeemQuote:
        """The money was posted: SPENT becomes PAID. Return the quote as stored, durably."""
        stored: RedeemQuote = await self._written(self._books.settle, quote)
        return stored

    async def release(self, quote: RedeemQuote) -> RedeemQuote:
        """The money was given back: HELD becomes UNPAID. Return the quote as stored, durably."""
        stored: RedeemQuote = await self._written(self._books.release, quote)
        return stored

    async def known(self, nullifiers: Sequence[bytes], points: Sequence[bytes]) -> Refusal | None:
        """Refuse what is known to be spent or signed; the commit judges again."""
        refusal = self._books.known(nullifiers, points)
        if refusal is not None:
            await self._writer.durable()
        return refusal

    async def states(self, nullifiers: Sequence[bytes]) -> list[tuple[ProofState, str | None]]:
        """Return where proofs stand, with the witness that was kept for others to see."""
        found = self._books.states(nullifiers)
        await self._writer.durable()
        return found

    async def signed_before(self, points: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Return keyset and amount of the points that were signed, by point."""
        found = self._books.signed_before(points)
        await self._writer.durable()
        return found

    async def unfinished(self) -> Sequence[RedeemQuote]:
        """Return the quotes that stand at HELD or SPENT."""
        return self._books.unfinished()

    async def forget_quotes(self, until: Instant) -> int:
        """Drop quotes that ended before an instant; return how many."""
        forgotten = 0
        while True:
            some: int = await self._written(self._forget, until)
            forgotten += some
            if not some:
                return forgotten

    def _forget(self, untils: Sequence[Instant]) -> list[int]:
        return [self._books.forget_quotes(until) for until in untils]


def _nothing(items: Sequence[None]) -> Sequence[None]:
    """Change nothing: whoever waits for it knows that what was asked before is applied."""
    return items
