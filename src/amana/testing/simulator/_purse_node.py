"""A node's purse: the product's mint and standing orders over a stand-in for the curve."""

import sqlite3
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Any, Final

import msgspec

from amana.kernel import AmanaId, Chance, Clock, Unavailable
from amana.payments.books import PaymentBooks
from amana.payments.model import ECASH_ACCOUNT, PURSE_PARTY, Party, PartyKind, Payment
from amana.payments.ports import PaymentLedger
from amana.payments.service import PaymentService
from amana.purse.books import PurseBooks
from amana.purse.methods import account, merchant, refund
from amana.purse.methods.account import AccountRedemption
from amana.purse.methods.merchant import MerchantRedemption, Shops
from amana.purse.methods.refund import RefundIssue
from amana.purse.model import (
    BlindedMessage,
    BlindSignature,
    IssueQuote,
    Keyset,
    Proof,
    ProofState,
    RedeemAsk,
    Redeemed,
    RedeemQuote,
    Refusal,
)
from amana.purse.policy import Policy, shipped_policy
from amana.purse.ports import Blank, Claim, Exchanged, Signed, SigningStopped
from amana.purse.service import Mint
from amana.purse.standing import Deposit, Refill, Standing, StandingRows, StandingStore
from amana.purse.standing.model import StandingRefused
from amana.purse.store import WrittenPurse
from amana.storage import Handler
from amana.testing.simulator._writer import SimWriter, Ticket
from amana.testing.standin import StandInSignatory, verify_standin

UNIT: Final = "eur"
TIERS: Final = (100, 500, 1_000)
PURSE: Final = Party(PURSE_PARTY, PartyKind.OPERATOR, ECASH_ACCOUNT)
PACE: Final = 1_000_000
"""Hours of a standing order pass in milliseconds."""

_OUTPUTS: Final = 8
_LADDER: Final = 3
_ID_BYTES: Final = 16


def small_policy() -> Policy:
    """Return the shipped habits with smaller refills, so that a world writes less."""
    policy = shipped_policy()
    return msgspec.structs.replace(
        policy,
        refill=msgspec.structs.replace(
            policy.refill, tiers=TIERS, outputs=_OUTPUTS, ladder_exponent_max=_LADDER
        ),
    )


class PurseParts(msgspec.Struct, frozen=True):
    """What a world's purse is built from, so that a wrong part can take a right one's place."""

    mint: type[Mint] = Mint
    books: type[PurseBooks] = PurseBooks
    store: type[WrittenPurse] = WrittenPurse
    merchant: type[MerchantRedemption] = MerchantRedemption
    standing: type[Standing] = Standing
    rows: type[StandingRows] = StandingRows


class SimSignatory:
    """The signatory at the other end of a wire: it answers when the scheduler says so."""

    def __init__(self, keys: StandInSignatory, gate: Callable[[], None]) -> None:
        """Reach the keys.

        Args:
            keys: What signs and checks.
            gate: Called before each request; raises Unavailable where it is lost.
        """
        self.keys = keys
        self._gate = gate
        self._waiting: list[tuple[Callable[[Any], Any], Any, Ticket]] = []

    @property
    def can_answer(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def answer(self) -> None:
        """Answer everybody who waits, as one batch."""
        waiting, self._waiting = self._waiting, []
        for work, items, ticket in waiting:
            try:
                ticket.resolve(work(items))
            except (SigningStopped, Unavailable) as failure:
                ticket.fail(failure)

    async def _asked(self, work: Callable[[Any], Any], items: Any) -> Any:  # noqa: ANN401 - the work's own types
        self._gate()
        ticket = Ticket()
        self._waiting.append((work, items, ticket))
        return await ticket

    def keysets(self) -> tuple[Keyset, ...]:
        """Return the list of keysets, oldest first."""
        return self.keys.keysets()

    async def verify(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs."""
        checked: list[bytes | None] = await self._asked(self.keys.check, claims)
        return checked

    async def verify_later(self, claims: Sequence[Claim]) -> list[bytes | None]:
        """Check proofs; here all have their turn together."""
        return await self.verify(claims)

    async def exchange(self, claims: Sequence[Claim], blanks: Sequence[Blank]) -> Exchanged:
        """Check proofs, and sign outputs if every one is good."""
        made: Exchanged = await self._asked(self._make_for, (claims, blanks))
        return made

    def _make_for(self, asked: tuple[Sequence[Claim], Sequence[Blank]]) -> Exchanged:
        return self.keys.make_for(*asked)

    async def give_back(self, blanks: Sequence[Blank]) -> None:
        """Count signatures no more that were told to nobody."""
        await self._asked(self.keys.unmake, blanks)

    async def sign(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Sign outputs."""
        signed: list[Signed | None] = await self._asked(self.keys.make, blanks)
        return signed

    async def sign_again(self, blanks: Sequence[Blank]) -> list[Signed | None]:
        """Repeat signatures."""
        signed: list[Signed | None] = await self._asked(self.keys.make_again, blanks)
        return signed

    async def rotate(self, unit: str, *, final_expiry: int) -> Keyset:
        """Begin a new keyset."""
        return self.keys.begin(unit, final_expiry)


class EarlyWriter:
    """A writer whose answers come before they are durable, whatever the ledger does."""

    def __init__(self, writer: SimWriter) -> None:
        self._writer = writer

    async def submit(self, handler: Handler, item: Any) -> Any:  # noqa: ANN401 - the handler's own types
        """Hand one item to a handler; answer when it is applied."""
        return await self._writer.apply(handler, item)

    async def durable(self) -> None:
        """Wait until everything applied is durable."""
        await self._writer.durable()


class PurseAsk(Enum):
    """What a wallet can ask of a node's purse."""

    LEAVE = auto()
    WITHDRAW = auto()
    FETCH = auto()
    CARRY_OUT = auto()
    ADDRESS = auto()
    SWAP = auto()
    QUOTE = auto()
    LOOK = auto()
    REDEEM = auto()
    CLAIM = auto()
    RESTORE = auto()
    STATES = auto()


class PurseRequest(msgspec.Struct, frozen=True):
    """One request of a wallet as it travels; which fields count depends on what is asked."""

    ask: PurseAsk
    initiator: AmanaId = PURSE_PARTY
    inputs: tuple[Proof, ...] = ()
    outputs: tuple[BlindedMessage, ...] = ()
    method: str = merchant.METHOD
    quote: bytes = b""
    target: str = ""
    amount: int | None = None
    fields: dict[str, Any] = {}
    signature: bytes = b""
    nullifiers: tuple[bytes, ...] = ()


Fetched = tuple[Refill | None, tuple[BlindSignature, ...]]
Restored = list[tuple[BlindedMessage, BlindSignature]]
States = list[tuple[ProofState, str | None]]
Signatures = tuple[BlindSignature, ...]
PurseAnswer = (
    Signatures
    | Refusal
    | RedeemQuote
    | Redeemed
    | IssueQuote
    | Refill
    | StandingRefused
    | Deposit
    | Fetched
    | Restored
    | States
    | bool
    | int
    | None
)


class PurseGround(msgspec.Struct, frozen=True):
    """What a node's purse stands on."""

    parts: PurseParts
    connection: sqlite3.Connection
    writer: SimWriter
    shares_commits: bool
    signatory: SimSignatory
    ledger: PaymentLedger
    balance: Callable[[int], int]
    ledger_number: int
    books: PaymentBooks
    payments: PaymentService
    refunds_of: Callable[[AmanaId], Sequence[Payment]]
    parties: dict[AmanaId, Party]
    new_id: Callable[[], AmanaId]
    clock: Clock
    chance: Chance


class NodePurse:
    """The purse of one life of a server."""

    def __init__(self, ground: PurseGround) -> None:
        parts, policy = ground.parts, small_policy()
        self.books = parts.books(ground.connection)
        ground.writer.core.join(self.books)
        rows = parts.rows(ground.connection, self.books)
        writer = EarlyWriter(ground.writer)
        self.standing = parts.standing(
            StandingStore(writer, rows),
            ground.payments,
            ground.signatory,
            policy=policy,
            tiers=TIERS,
            unit=UNIT,
            party=ground.parties.get,
            new_id=ground.new_id,
            clock=ground.clock,
            chance=ground.chance,
            pace=PACE,
        )
        self.mint = parts.mint(
            parts.store(writer, self.books, ground.clock, shares_commits=ground.shares_commits),
            ground.signatory,
            issue_methods={refund.METHOD: RefundIssue(ground.refunds_of)},
            redeem_methods={
                merchant.METHOD: self._merchant(ground),
                account.METHOD: AccountRedemption(
                    find=rows.deposit,
                    fill=rows.fill_deposit,
                    due_at=self.standing.deposit_due_at,
                    tiers=TIERS,
                    grace_s=0,
                    unit=UNIT,
                    clock=ground.clock,
                ),
            },
            verifier=verify_standin,
            ids=lambda: ground.chance.draw(_ID_BYTES),
            clock=ground.clock,
        )

    def _merchant(self, ground: PurseGround) -> MerchantRedemption:
        return ground.parts.merchant(
            Shops(
                order=ground.books.order,
                payment=ground.books.payment,
                merchant=ground.parties.get,
                merchant_by_handle=lambda handle: ground.parties.get(AmanaId(int(handle, 16))),
                profile=lambda party: {"handle": f"{party:x}", "name": f"Shop {party:x}"},
            ),
            take=ground.books.take,
            put_refund=lambda quote: self.books.put_issue_quotes([quote])[0],
            has_refund=lambda quote_id: self.books.issue_quote(quote_id) is not None,
            # Keys are of the stand-in's field, which every number belongs to.
            is_point=lambda _: True,
            ledger=ground.ledger,
            balance=ground.balance,
            ledger_number=ground.ledger_number,
            unit=UNIT,
            new_id=ground.new_id,
            clock=ground.clock,
        )

    async def serve(self, request: PurseRequest) -> PurseAnswer:
        """Do what is asked; raises Unavailable where the outcome is not known."""
        standing = self.standing
        match request.ask:
            case PurseAsk.LEAVE:
                assert request.amount is not None, "a refill has an amount"
                return await standing.leave_refill(
                    request.initiator, request.amount, request.outputs
                )
            case PurseAsk.WITHDRAW:
                return await standing.withdraw_refill(request.initiator)
            case PurseAsk.FETCH:
                return await self._fetch(request.initiator)
            case PurseAsk.CARRY_OUT:
                return await standing.carry_out() + await self.mint.recover()
            case PurseAsk.ADDRESS:
                return await standing.open_deposit(request.initiator)
            case _:
                return await self._serve_anybody(request)

    async def _serve_anybody(self, request: PurseRequest) -> PurseAnswer:
        """Do what is asked by nobody in particular."""
        mint = self.mint
        match request.ask:
            case PurseAsk.SWAP:
                return await mint.swap(request.inputs, request.outputs)
            case PurseAsk.QUOTE:
                return await mint.redeem_quote(
                    request.method, RedeemAsk(request.target, UNIT, request.amount, request.fields)
                )
            case PurseAsk.LOOK:
                return await mint.find_redeem_quote(request.method, request.quote)
            case PurseAsk.REDEEM:
                return await mint.redeem(
                    request.method,
                    request.quote,
                    request.inputs,
                    outputs=request.outputs,
                    quote_text=request.quote.hex(),
                )
            case PurseAsk.CLAIM:
                return await self._claim(request)
            case PurseAsk.RESTORE:
                return await mint.restore(request.outputs)
            case _:
                return await mint.states(request.nullifiers)

    async def _fetch(self, party: AmanaId) -> Fetched:
        refill = await self.standing.refill(party)
        return refill, () if refill is None else await self.standing.signatures(refill)

    async def _claim(self, request: PurseRequest) -> IssueQuote | Signatures | Refusal | None:
        """Look at a refund's quote; with outputs, have them signed for it."""
        if not request.outputs:
            return await self.mint.find_issue_quote(refund.METHOD, request.quote)
        return await self.mint.issue(
            refund.METHOD,
            request.quote,
            request.outputs,
            quote_text=request.quote.hex(),
            signature=request.signature,
        )
