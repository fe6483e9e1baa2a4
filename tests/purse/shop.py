"""A mint over real books, with shops and account holders, for tests of its use cases."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from amana.events import Outbox, SqlEventRows
from amana.kernel import DAY_NS, SECOND_NS, AmanaId, IdKind, Instant, Unavailable, format_id, new_id
from amana.ledger import Account, AccountFlags, MemoryLedger, Transfer, TransferStatus
from amana.payments import postings
from amana.payments.books import PaymentBooks
from amana.payments.model import (
    ECASH_ACCOUNT,
    PURSE_PARTY,
    CaptureMode,
    Intent,
    Order,
    Party,
    PartyKind,
    Payment,
    PaymentKind,
    TipMode,
)
from amana.payments.service import PaymentService
from amana.payments.store import SqlPaymentRows, WrittenPayments
from amana.purse.books import PurseBooks
from amana.purse.methods import (
    AccountRedemption,
    MerchantRedemption,
    RefundIssue,
    account,
    merchant,
    refund,
)
from amana.purse.methods.merchant import Shops
from amana.purse.model import BlindedMessage, Code, Proof, RedeemAsk, RedeemQuote, Refusal
from amana.purse.policy import refill_outputs
from amana.purse.ports import Blank
from amana.purse.service import Mint
from amana.purse.standing import Standing, StandingRows, StandingStore
from amana.purse.store import WrittenPurse
from amana.testing.rooms import Books, HandClock, SeededChance, open_books
from amana.testing.simulator import small_policy
from amana.testing.standin import StandInSignatory, StandInWallet, verify_standin

LEDGER = 978
TIERS = (100, 500, 1_000)
CUSTOMER = AmanaId(0x200)
SHOP = AmanaId(0x2800)
CLOSED_SHOP = AmanaId(0x2900)
PAYER_KEY = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


class Ledger:
    """The memory engine as the payments await it; it can be lost before or after it moved."""

    def __init__(self, clock: HandClock, chance: SeededChance) -> None:
        self.engine = MemoryLedger(chance=chance)
        self._clock = clock
        self.is_gone = False
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        """What others do before the next chain is made."""

    async def post(self, transfers: Sequence[Transfer]) -> tuple[TransferStatus, ...]:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        if self.is_gone:
            raise Unavailable("the ledger is gone")
        made = self.engine.create_transfers(transfers, now=self._clock.now())
        return tuple(result.status for result in made)

    def balance(self, account_id: int) -> int:
        found = self.engine.lookup_accounts([account_id])[0]
        return found.credits_posted - found.debits_posted

    def held(self) -> int:
        return self.engine.lookup_accounts([ECASH_ACCOUNT])[0].debits_pending


class Shop:
    """Everything put together."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.clock, self.chance = HandClock(), SeededChance(7)
        self.parties = {
            CUSTOMER: Party(CUSTOMER, PartyKind.CUSTOMER, int(CUSTOMER)),
            SHOP: Party(SHOP, PartyKind.MERCHANT, int(SHOP), fee_basis_points=250),
            CLOSED_SHOP: Party(CLOSED_SHOP, PartyKind.MERCHANT, int(CLOSED_SHOP), is_open=False),
            PURSE_PARTY: Party(PURSE_PARTY, PartyKind.OPERATOR, ECASH_ACCOUNT),
        }
        expiry = (self.clock.now() + 700 * DAY_NS) // SECOND_NS
        self.signatory = StandInSignatory(bytes(16), "eur", final_expiry=expiry)
        self.wallet = StandInWallet(self.signatory)
        self.ledger = Ledger(self.clock, self.chance)
        self._open_accounts()
        outbox = Outbox(SqlEventRows(books.connection))
        self.payment_rows = SqlPaymentRows(books.connection)
        self.payment_books = PaymentBooks(self.payment_rows, outbox, self.ledger.balance)
        self.rows = PurseBooks(books.connection)
        self.standing_rows = StandingRows(books.connection, self.rows)
        for participant in (self.payment_books, outbox, self.rows):
            books.writer.join(participant)
        self.payments = PaymentService(
            WrittenPayments(books.writer, self.payment_books, self.clock),
            self.ledger,
            ledger_number=LEDGER,
        )
        self.store = WrittenPurse(books.writer, self.rows, self.clock)
        self.policy = small_policy()
        self.standing = self._standing()
        self.mint = self._mint()

    def _open_accounts(self) -> None:
        bound = int(AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS)
        numbers = [postings.FEES_ACCOUNT, ECASH_ACCOUNT, CUSTOMER, SHOP, CLOSED_SHOP]
        accounts = [Account(int(number), LEDGER, 10, flags=bound) for number in numbers]
        accounts.append(Account(postings.SETTLEMENT_ACCOUNT, LEDGER, postings.CODE_SETTLEMENT))
        self.ledger.engine.create_accounts(accounts, now=self.clock.now())

    def _standing(self) -> Standing:
        return Standing(
            StandingStore(self.books.writer, self.standing_rows),
            self.payments,
            self.signatory,
            policy=self.policy,
            tiers=TIERS,
            unit="eur",
            party=self.parties.get,
            new_id=self.new_id,
            clock=self.clock,
            chance=self.chance,
        )

    def _mint(self) -> Mint:
        return Mint(
            self.store,
            self.signatory,
            issue_methods={refund.METHOD: RefundIssue(self.payment_rows.refunds_of)},
            redeem_methods={
                merchant.METHOD: MerchantRedemption(
                    Shops(
                        order=self.payment_books.order,
                        payment=self.payment_books.payment,
                        merchant=self.parties.get,
                        merchant_by_handle=lambda handle: self.parties.get(AmanaId(int(handle))),
                        profile=lambda party: {"handle": str(party)},
                    ),
                    take=self.payment_books.take,
                    put_refund=lambda quote: self.rows.put_issue_quotes([quote])[0],
                    has_refund=lambda quote_id: self.rows.issue_quote(quote_id) is not None,
                    is_point=lambda _: True,
                    ledger=self.ledger,
                    balance=self.ledger.balance,
                    ledger_number=LEDGER,
                    unit="eur",
                    new_id=self.new_id,
                    clock=self.clock,
                ),
                account.METHOD: AccountRedemption(
                    find=self.standing_rows.deposit,
                    fill=self.standing_rows.fill_deposit,
                    due_at=self.standing.deposit_due_at,
                    tiers=TIERS,
                    grace_s=1_000 * DAY_NS // SECOND_NS,
                    unit="eur",
                    clock=self.clock,
                ),
            },
            verifier=verify_standin,
            ids=lambda: self.chance.draw(16),
            clock=self.clock,
        )

    def new_id(self) -> AmanaId:
        return new_id(self.clock.now(), self.chance.draw(9))

    def run(self, work: Any) -> Any:
        return self.books.run(work)

    def durably(self, work: Any) -> Any:
        async def done() -> Any:
            answer = await work
            await self.books.writer.durable()
            return answer

        return self.run(done())

    # Wallets

    def outputs(self, *amounts: int) -> tuple[BlindedMessage, ...]:
        return tuple(self.wallet.output(self.chance.draw(16), amount) for amount in amounts)

    def proofs(self, outputs: Sequence[BlindedMessage], signatures: Any) -> list[Proof]:
        return [
            self.wallet.proof(output.point, signature)
            for output, signature in zip(outputs, signatures, strict=False)
        ]

    def coins(self, *amounts: int) -> list[Proof]:
        """E-cash that was paid for."""
        outputs = self.outputs(*amounts)
        number = self.signatory.keysets()[-1].number
        blanks = [Blank(number, output.amount, output.point) for output in outputs]
        assert self.run(self.store.swap((), blanks)) is None
        self.move(postings.SETTLEMENT_ACCOUNT, ECASH_ACCOUNT, sum(amounts))
        restored = self.run(self.mint.restore(outputs))
        return self.proofs(outputs, [signature for _, signature in restored])

    def move(self, debit: int, credit: int, amount: int) -> None:
        transfer = Transfer(self.new_id() | 1, debit, credit, amount, ledger=LEDGER, code=1)
        made = self.ledger.engine.create_transfers([transfer], now=self.clock.now())
        assert made[0].status is TransferStatus.CREATED

    # Orders, and paying them

    def order(self, amount: int, **differing: Any) -> Order:
        key = self.chance.draw(16)
        now = self.clock.now()
        order = Order(
            id=self.new_id(),
            merchant=SHOP,
            till_id=None,
            amount=amount,
            reference="table 4",
            basket_hash=None,
            capture=CaptureMode.AUTOMATIC,
            tip=TipMode.PROMPT,
            key=key,
            body=key,
            created_at=now,
            expires_at=Instant(now + 600 * SECOND_NS),
        )
        order = msgspec.structs.replace(order, **differing)
        self.run(self.payments.create_order(order))
        return order

    def ask(self, request: str, amount: int | None = None, **fields: Any) -> Any:
        asked = RedeemAsk(request, "eur", amount, fields)
        return self.run(self.mint.redeem_quote(merchant.METHOD, asked))

    def quote(self, order: Order, **fields: Any) -> RedeemQuote:
        quote = self.ask(format_id(IdKind.ORDER, order.id), **fields)
        assert isinstance(quote, RedeemQuote), quote
        return quote

    def redeeming(
        self, quote: RedeemQuote, inputs: Sequence[Proof], outputs: Sequence[BlindedMessage] = ()
    ) -> Any:
        return self.mint.redeem(
            quote.method, quote.id, inputs, outputs=outputs, quote_text=quote.id.hex()
        )

    def redeem(
        self, quote: RedeemQuote, inputs: Sequence[Proof], outputs: Sequence[BlindedMessage] = ()
    ) -> Any:
        return self.run(self.redeeming(quote, inputs, outputs))

    def stored(self, quote: RedeemQuote) -> RedeemQuote:
        found = self.run(self.mint.find_redeem_quote(quote.method, quote.id))
        assert isinstance(found, RedeemQuote)
        row = PurseBooks(self.books.connection).redeem_quote(quote.id)
        assert row == found, "what is remembered is what is written"
        return found

    def pay(self, kind: PaymentKind, payer: AmanaId, payee: AmanaId, **more: Any) -> Payment:
        key = self.chance.draw(16)
        intent = Intent(
            id=self.new_id(),
            kind=kind,
            initiator=payer,
            key=key,
            body=key,
            payer=self.parties[payer],
            payee=self.parties[payee],
            created_at=self.clock.now(),
            **({"amount": None} | more),
        )
        paid = self.run(self.payments.pay(intent))
        assert isinstance(paid, Payment)
        return paid

    def refill_outputs(self, amount: int) -> tuple[BlindedMessage, ...]:
        return self.outputs(*refill_outputs(self.policy, amount))


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    with open_books(folder) as books:
        yield Shop(books)


def code_of(answer: object) -> Code:
    """Return why something was refused."""
    assert isinstance(answer, Refusal), answer
    return answer.code
