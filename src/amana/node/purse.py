"""The purse put together: the mint and its ways in and out, over the rooms below."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from amana.kernel import DAY_NS, SECOND_NS, AmanaId, Chance, Clock, Instant
from amana.ledger import Account, AccountFlags
from amana.node.ledger import WrittenLedger
from amana.node.settings import Settings
from amana.payments import postings
from amana.payments.books import PaymentBooks
from amana.payments.model import ECASH_ACCOUNT, PURSE_PARTY, Party, Payment
from amana.payments.model import PartyKind as Side
from amana.payments.service import PaymentService
from amana.payments.store import SqlPaymentRows
from amana.people import Directory, PartyFacts, PartyKind, PartyStatus, PeopleRows
from amana.purse.auth import AuthRows, AuthStore, BlindAuth
from amana.purse.backups import BackupRows, BackupStore
from amana.purse.books import PurseBooks
from amana.purse.curve import is_point, verify_schnorr
from amana.purse.ending import Ending, EndingStore
from amana.purse.keysets import AUTH_UNIT, SEED_BYTES, KeysetPlan, powers_of_two
from amana.purse.liabilities import Facts, Liabilities, StatementStore, read_facts
from amana.purse.mail import MailRows, MailStore
from amana.purse.methods import account, merchant, refund
from amana.purse.methods.account import AccountRedemption
from amana.purse.methods.merchant import MerchantRedemption, Shops
from amana.purse.methods.refund import RefundIssue
from amana.purse.policy import Policy, deposit_tiers, refill_tiers, shipped_policy
from amana.purse.ports import Signatory
from amana.purse.receipts import Receipts
from amana.purse.reissue import Reissue, RevokingSignatory, blind
from amana.purse.service import Mint
from amana.purse.signatory import (
    SEED_FILE,
    SignatoryPool,
    default_processes,
    make_signatory,
)
from amana.purse.standing import Deposit, Standing, StandingRows, StandingStore
from amana.purse.store import WrittenPurse
from amana.storage import BOOKS_FILE, Writer, open_reader
from amana.trust import RECEIPT_SIGNING, SIGNATORY_FOLDER, SecretMissing
from amana.trust import Signatory as Secrets

KEYSET_ACTIVE_DAYS: Final = 90
"""Days a keyset signs before the next one begins. Short lives bound what a stolen key is worth,
long ones keep the crowd of each keyset large."""

KEYSET_LIFE_DAYS: Final = 730
"""Days from a keyset's beginning to its expiry: wallets change what they hold in good time."""

TOKEN_KEYSET_LIFE_DAYS: Final = 180
"""Days from a keyset of blind tokens to its expiry: it signs for half of them. A keyset tells
whether a token is of this season or of the last; wallets use theirs up in weeks."""

_QUOTE_ID_BYTES: Final = 16
_IS_SIGNED: Final = "SELECT 1 FROM purse_totals UNION ALL SELECT 1 FROM purse_ended"
_IS_SPENT: Final = (
    "SELECT 1 FROM purse_totals WHERE spent > 0 UNION ALL SELECT 1 FROM purse_ended WHERE spent > 0"
)
_DAYS_A_YEAR: Final = 366

PURSE: Final = Party(PURSE_PARTY, Side.OPERATOR, ECASH_ACCOUNT)
"""Whoever holds e-cash, as a side of a payment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """Everything about e-cash."""

    mint: Mint
    standing: Standing
    reissue: Reissue | None
    ending: Ending
    liabilities: Liabilities
    auth: BlindAuth
    signatory: Signatory
    store: WrittenPurse
    books: PurseBooks
    mail: MailStore
    mail_read: MailRows
    backups: BackupStore
    backups_read: BackupRows
    policy: Policy
    receipts: Receipts
    unit: str
    pace: int

    async def start(self) -> None:
        """Start the signatory's processes, where it has any."""
        if isinstance(self.signatory, SignatoryPool):
            try:
                await self.signatory.start(default_processes())
            except BaseException:
                await self.signatory.stop()
                raise

    async def stop(self) -> None:
        """End them."""
        if isinstance(self.signatory, SignatoryPool):
            await self.signatory.stop()


def ecash_account(ledger: int) -> Account:
    """Describe the account of all e-cash that is out: never more goes back than came in."""
    return Account(
        id=ECASH_ACCOUNT,
        ledger=ledger,
        code=postings.CODE_ECASH,
        flags=AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS,
    )


def keyset_plan(unit: str, clock: Clock) -> KeysetPlan:
    """Return what the next keyset of the operator's money is to be."""
    return KeysetPlan(
        unit,
        powers_of_two(shipped_policy().denomination_exponent_max + 1),
        final_expiry=final_expiry(clock),
    )


def final_expiry(clock: Clock, *, days: int = KEYSET_LIFE_DAYS) -> int:
    """Return when a keyset that begins now expires, in seconds since 1970."""
    return (clock.now() + days * DAY_NS) // SECOND_NS


def token_plan(clock: Clock) -> KeysetPlan:
    """Return what the first keyset of blind tokens is to be."""
    expiry = final_expiry(clock, days=TOKEN_KEYSET_LIFE_DAYS)
    return KeysetPlan(AUTH_UNIT, (1,), final_expiry=expiry)


def make_keys(
    folder: Path, unit: str, *, connection: sqlite3.Connection, clock: Clock, chance: Chance
) -> None:
    """Make the mint's seed and first keysets where there are none yet.

    Raises:
        SecretMissing: E-cash is out and its seed is not there: it must be restored, not replaced.
    """
    seed = folder / SIGNATORY_FOLDER / SEED_FILE
    if not seed.is_file() and connection.execute(_IS_SIGNED).fetchone():
        raise SecretMissing(
            f"The file {seed} is missing, and e-cash is out that only its keys can take back. "
            "Restore it from the signatory archive of a backup."
        )
    plans = [keyset_plan(unit, clock), token_plan(clock)]
    make_signatory(folder / SIGNATORY_FOLDER, plans, seed=chance.draw(SEED_BYTES), clock=clock)


def make_receipt_secret(folder: Path, *, connection: sqlite3.Connection, chance: Chance) -> bytes:
    """Return the secret of receipts; it is made where no e-cash was spent yet.

    Raises:
        SecretMissing: E-cash was spent and the secret is not there: receipts that were handed out
            would not verify with another.
    """
    secrets = Secrets(folder)
    if connection.execute(_IS_SPENT).fetchone() is None:
        secrets.add(RECEIPT_SIGNING, chance)
    return secrets.secret(RECEIPT_SIGNING)


def public_profile(facts: PartyFacts) -> dict[str, Any]:
    """Write what everybody may know of a party."""
    return {
        "handle": facts.handle,
        "kind": "merchant" if facts.kind is PartyKind.MERCHANT else "person",
        "name": facts.name,
        "names": dict(facts.names),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseFloor:
    """What the purse stands on."""

    folder: Path
    settings: Settings
    clock: Clock
    chance: Chance
    connection: sqlite3.Connection
    reading: sqlite3.Connection
    writer: Writer
    ledger: WrittenLedger
    payment_books: PaymentBooks
    payments: PaymentService
    directory: Directory
    party: Callable[[PartyFacts], Party]
    pace: int
    new_id: Callable[[], AmanaId]


def compose_purse(floor: PurseFloor, signatory: Signatory | None) -> Purse:
    """Put the purse together; its keys are made where there are none."""
    unit = floor.settings.currency.lower()
    signatory = signatory or _own_signatory(floor, unit)
    receipts = Receipts(
        make_receipt_secret(floor.folder, connection=floor.connection, chance=floor.chance),
        operator=floor.settings.host,
        currency=floor.settings.currency,
    )
    books = PurseBooks(floor.connection)
    floor.writer.join(books)
    rows = StandingRows(floor.connection, books)
    standing = _standing(floor, signatory, rows, unit)
    store = WrittenPurse(floor.writer, books, floor.clock)
    mint = Mint(
        store,
        signatory,
        issue_methods={refund.METHOD: RefundIssue(_refunds(floor))},
        redeem_methods={
            merchant.METHOD: _merchant_method(floor, books, receipts),
            account.METHOD: _account_method(floor, standing, rows, unit),
        },
        verifier=verify_schnorr,
        ids=lambda: floor.chance.draw(_QUOTE_ID_BYTES),
        clock=floor.clock,
    )
    auth = BlindAuth(
        signatory=signatory,
        reader=AuthRows(floor.reading),
        writer=AuthStore(floor.writer, floor.connection),
        clock=floor.clock,
    )
    return Purse(
        mint=mint,
        standing=standing,
        reissue=_reissue(floor, signatory, store),
        ending=_ending(floor, signatory, books, unit),
        liabilities=_liabilities(floor, signatory, unit),
        auth=auth,
        signatory=signatory,
        store=store,
        books=books,
        mail=MailStore(floor.writer, floor.connection, floor.chance),
        mail_read=MailRows(floor.reading),
        backups=BackupStore(floor.writer),
        backups_read=BackupRows(floor.reading),
        policy=shipped_policy(),
        receipts=receipts,
        unit=unit,
        pace=floor.pace,
    )


def _own_signatory(floor: PurseFloor, unit: str) -> SignatoryPool:
    make_keys(
        floor.folder, unit, connection=floor.connection, clock=floor.clock, chance=floor.chance
    )
    return SignatoryPool(floor.folder / SIGNATORY_FOLDER)


def _standing(floor: PurseFloor, signatory: Signatory, rows: StandingRows, unit: str) -> Standing:
    policy = shipped_policy()
    return Standing(
        StandingStore(floor.writer, rows),
        floor.payments,
        signatory,
        policy=policy,
        tiers=refill_tiers(policy, floor.settings.unit),
        unit=unit,
        party=lambda party: _party(floor, party),
        new_id=floor.new_id,
        clock=floor.clock,
        chance=floor.chance,
        pace=floor.pace,
    )


def _grace_s(floor: PurseFloor) -> int:
    return floor.settings.expired_keyset_years * _DAYS_A_YEAR * DAY_NS // SECOND_NS


def _reissue(floor: PurseFloor, signatory: Signatory, store: WrittenPurse) -> Reissue | None:
    """Return the exchange of revoked e-cash, where the signatory can revoke."""
    if not isinstance(signatory, RevokingSignatory):
        return None
    return Reissue(
        store,
        signatory,
        blind=blind,
        verifier=verify_schnorr,
        grace_s=_grace_s(floor),
        clock=floor.clock,
    )


def _ending(floor: PurseFloor, signatory: Signatory, books: PurseBooks, unit: str) -> Ending:
    return Ending(
        EndingStore(floor.writer, books),
        keysets=signatory.keysets,
        unit=unit,
        grace_s=_grace_s(floor),
        clock=floor.clock,
    )


def _liabilities(floor: PurseFloor, signatory: Signatory, unit: str) -> Liabilities:
    """Return the daily statement; it reads on a connection of its own, beside the loop."""
    path = (floor.folder / BOOKS_FILE).resolve()

    def read() -> Facts:
        with closing(open_reader(path)) as connection:
            return read_facts(connection)

    async def facts() -> Facts:
        return await asyncio.to_thread(read)

    return Liabilities(
        StatementStore(floor.reading, floor.writer, floor.connection),
        facts=facts,
        keysets=signatory.keysets,
        unit=unit,
        clock=floor.clock,
    )


def _party(floor: PurseFloor, party: AmanaId) -> Party | None:
    facts = floor.directory.by_id(party)
    return None if facts is None else floor.party(facts)


def _refunds(floor: PurseFloor) -> Callable[[AmanaId], Sequence[Payment]]:
    rows = SqlPaymentRows(floor.reading)
    return rows.refunds_of


def _merchant_method(
    floor: PurseFloor, books: PurseBooks, receipts: Receipts
) -> MerchantRedemption:
    def by_handle(handle: str) -> Party | None:
        facts = floor.directory.by_handle(handle)
        return None if facts is None else floor.party(facts)

    def profile(party: AmanaId) -> dict[str, Any]:
        facts = floor.directory.by_id(party)
        return {} if facts is None else public_profile(facts)

    return MerchantRedemption(
        Shops(
            order=floor.payment_books.order,
            payment=floor.payment_books.payment,
            merchant=lambda party: _party(floor, party),
            merchant_by_handle=by_handle,
            profile=profile,
        ),
        take=floor.payment_books.take,
        put_refund=lambda quote: books.put_issue_quotes([quote])[0],
        has_refund=lambda quote_id: books.issue_quote(quote_id) is not None,
        is_point=is_point,
        ledger=floor.ledger,
        balance=floor.ledger.balance,
        ledger_number=int(floor.settings.unit.numeric),
        unit=floor.settings.currency.lower(),
        new_id=floor.new_id,
        clock=floor.clock,
        receipt=receipts.of,
    )


def _account_method(
    floor: PurseFloor, standing: Standing, rows: StandingRows, unit: str
) -> AccountRedemption:
    # On the writer's own connection: in the commit that spends, an account that closes in the same
    # commit is closed already, whatever the directory still says.
    people = PeopleRows(floor.connection)

    def find(deposit_id: bytes) -> Deposit | None:
        deposit = rows.deposit(deposit_id)
        customer = None if deposit is None else people.customer(deposit.party)
        is_open = customer is not None and customer.status is PartyStatus.ACTIVE
        return deposit if is_open else None

    def fill(deposit_id: bytes, amount: int, due_at: Instant) -> bool:
        is_open = find(deposit_id) is not None
        return is_open and rows.fill_deposit(deposit_id, amount, due_at)

    return AccountRedemption(
        find=find,
        fill=fill,
        due_at=standing.deposit_due_at,
        tiers=deposit_tiers(shipped_policy(), floor.settings.unit),
        grace_s=_grace_s(floor),
        unit=unit,
        clock=floor.clock,
    )
