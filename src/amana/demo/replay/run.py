"""Run months of purchases through an operator: each row once, however often it is run.

What a row became is read from the books, by its key, before and after: so a second run meets
every row, an interrupted one goes on with the rows that are missing, and the sums of the report
are what is stored, not what was intended.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic_ns
from typing import Final

from amana.demo.replay import rules
from amana.demo.replay.model import (
    CURRENCY,
    BooksReport,
    Entry,
    FileReport,
    Month,
    Paid,
    Report,
)
from amana.demo.replay.parties import Opening, Parties
from amana.kernel import AmanaId, Instant, new_id
from amana.node.books import books_view
from amana.node.operator import Operator, make_operator, open_operator
from amana.node.settings import Settings
from amana.payments.model import IdReused, Intent, Party, Payment, PaymentKind
from amana.storage import SETTINGS_FILE
from amana.wire.csv_purchases import RowFault, Unreadable, read_purchases

ROWS_AT_ONCE: Final = 1_024
"""Rows that wait together for one commit group; more only make the group's turn longer."""

_CHANCE_BYTES: Final = 9
_MILLISECOND_NS: Final = 1_000_000

# In any order: which of them is the newest is a matter of the order of replay, not of rows.
_REFUNDABLE: Final = (
    "SELECT id, intent_key, total, created_at FROM payments_payments "
    "WHERE payee = ? AND kind = 1 AND order_id IS NULL AND payer = ? AND status = 3 "
    "AND hold_expires_at IS NULL AND total - refunded >= ?"
)

Watch = Callable[[str, int], None]
"""Is told the name of what is under way, and how much more of it is done."""

OPENING: Final = "cards and merchants"
"""The name of the first part of a run; the others are named after their files."""


class ReplayRefused(Exception):  # noqa: N818 - told to the person at the keyboard
    """Nothing was imported; the text says why."""


def read_months(files: Sequence[Path]) -> tuple[Month, ...]:
    """Read every file before anything of any is imported.

    Raises:
        ReplayRefused: A file cannot be read, told with each line at fault; or comes twice.
    """
    months: list[Month] = []
    faults: list[RowFault] = []
    first_place = 0
    for path in files:
        try:
            data = path.read_bytes()
        except OSError as failure:
            faults.append(RowFault(path.name, 0, None, f"{failure.strerror}."))
            continue
        file = read_purchases(path.name, data)
        if isinstance(file, Unreadable):
            faults += file.faults
            continue
        month = rules.month_of(file, data, first_place=first_place)
        twin = next((other for other in months if other.digest == month.digest), None)
        if twin is not None:
            faults.append(RowFault(path.name, 0, None, f"The same bytes as {twin.name}."))
        months.append(month)
        first_place += len(month.entries)
    if faults:
        raise ReplayRefused("\n".join(_told(fault) for fault in faults) + "\nNothing was imported.")
    return tuple(months)


def _told(fault: RowFault) -> str:
    place = f"{fault.file}:{fault.line}" if fault.line else fault.file
    column = "" if fault.column is None else f"{fault.column}: "
    return f"{place}: {column}{fault.reason}"


def replay_into(folder: Path, months: Sequence[Month], watch: Watch) -> Report:
    """Replay into a folder's operator; make one with play money where there is none.

    Raises:
        ReplayRefused: The operator's books are in another currency.
    """
    if not (folder / SETTINGS_FILE).exists():
        name = "Replayed purchases"
        make_operator(folder, Settings(name=name, currency=CURRENCY, is_play_money=True))
    with open_operator(folder) as operator:
        if operator.settings.currency != CURRENCY:
            raise ReplayRefused(
                f"The books in {folder} are in {operator.settings.currency}, and the purchases "
                f"were billed in {CURRENCY}. Nothing was imported; name another folder."
            )
        return asyncio.run(_replay(operator, months, watch))


async def _replay(operator: Operator, months: Sequence[Month], watch: Watch) -> Report:
    await operator.start()
    started = monotonic_ns()
    opening = Opening(operator, lambda count: watch(OPENING, count))
    parties = await opening.all(rules.cards_of(months), rules.merchants_of(months))
    opening_milliseconds = (monotonic_ns() - started) // _MILLISECOND_NS
    before = _held(operator)
    run = Run(operator, parties, months, watch)
    files = [await run.month(month) for month in months]
    after = _held(operator)
    view = books_view(operator)
    told = tuple(was + moved for was, moved in zip(before, run.moved(), strict=True))
    return Report(
        files=tuple(files),
        books=BooksReport(
            customers=after[0],
            merchants=after[1],
            transfers=view["transfers"],
            is_balanced=view["balanced"],
            unfinished=view["unfinished"],
            moved_as_told=after == told,
        ),
        opened_customers=parties.opened_customers,
        opened_merchants=parties.opened_merchants,
        opening_milliseconds=opening_milliseconds,
    )


def _held(operator: Operator) -> tuple[int, int, int]:
    """Return what customers, merchants and fees hold, each together."""
    held = {row["name"]: int(row["balance"]) for row in books_view(operator)["accounts"]}
    return held.get("customers", 0), held.get("merchants", 0), held.get("fees", 0)


class Run:
    """The rows of a run on their way through the operator."""

    def __init__(
        self, operator: Operator, parties: Parties, months: Sequence[Month], watch: Watch
    ) -> None:
        self._operator = operator
        self._parties = parties
        self._watch = watch
        self._places = {entry.key: entry.place for month in months for entry in month.entries}
        self._made: list[Payment] = []
        self._last_instant = 0

    def moved(self) -> tuple[int, int, int]:
        """Return what the payments this run made moved to customers, merchants and fees."""
        return rules.movements(self._made)

    async def month(self, month: Month) -> FileReport:
        """Replay what is not yet there of a file, then tell what the books hold of it."""
        started = monotonic_ns()
        made_before = len(self._made)
        there = self._stored(entry.key for entry in month.entries)
        self._watch(month.name, len(there))
        missing = [entry for entry in month.entries if entry.key not in there]
        await self._fund(month, missing)
        for entries in rules.rounds(missing):
            for start in range(0, len(entries), ROWS_AT_ONCE):
                await self._together(month, entries[start : start + ROWS_AT_ONCE])
        report = self._report(month)
        report.new = len(self._made) - made_before
        report.milliseconds = (monotonic_ns() - started) // _MILLISECOND_NS
        return report

    async def _together(self, month: Month, entries: Sequence[Entry]) -> None:
        intents = [self._intent(entry) for entry in entries]
        await self._pay([intent for intent in intents if intent is not None])
        self._watch(month.name, len(entries))

    async def _pay(self, intents: Iterable[Intent]) -> None:
        answers = await asyncio.gather(*[self._operator.payments.pay(each) for each in intents])
        for answer in answers:
            assert not isinstance(answer, IdReused), "a row's key belongs to the row alone"
            self._made.append(answer)

    async def _fund(self, month: Month, missing: Sequence[Entry]) -> None:
        """Let the facility pay into each card what its purchases of this file take beyond it.

        What came back to a card before, by refund or repayment, is used up first.
        """
        keys = {card: rules.facility_key(month.digest, card) for card in self._parties.cards}
        there = self._stored(keys.values())
        accounts = self._operator.ledger_read.lookup_accounts(
            [party.account for party in self._parties.cards.values()]
        )
        held = {
            row.id: row.credits_posted - row.debits_posted - row.debits_pending for row in accounts
        }
        by_card = {card: held[party.account] for card, party in self._parties.cards.items()}
        lacking = rules.shortfalls(missing, by_card)
        await self._pay(
            self._topup(self._parties.cards[card], minor, keys[card], keys[card])
            for card, minor in lacking.items()
            if keys[card] not in there
        )

    def _intent(self, entry: Entry) -> Intent | None:
        """Turn a row into what is asked for it; None where its merchant cannot be opened."""
        card = self._parties.cards[entry.card]
        amount = abs(entry.amount_minor)
        if rules.is_repayment(entry.row):
            return self._topup(card, amount, entry.key, entry.body)
        merchant = self._parties.merchants[entry.merchant]
        if isinstance(merchant, str):
            return None
        if not rules.gives_back(entry.row):
            return self._asked(entry, PaymentKind.PURCHASE, payer=card, payee=merchant)
        candidates = self._refundable(card, merchant, amount)
        refunded = rules.refunded_by(amount, candidates, self._places)
        kind = PaymentKind.CREDIT if refunded is None else PaymentKind.REFUND
        return self._asked(entry, kind, payer=merchant, payee=card, refunded=refunded)

    def _asked(
        self,
        entry: Entry,
        kind: PaymentKind,
        *,
        payer: Party,
        payee: Party,
        refunded: Paid | None = None,
    ) -> Intent:
        now = self._now()
        return Intent(
            id=new_id(now, self._operator.chance.draw(_CHANCE_BYTES)),
            kind=kind,
            initiator=payer.id,
            key=entry.key,
            body=entry.body,
            payer=payer,
            payee=payee,
            amount=abs(entry.amount_minor),
            created_at=now,
            refund_of=None if refunded is None else AmanaId(refunded.payment),
        )

    def _topup(self, card: Party, amount: int, key: bytes, body: bytes) -> Intent:
        now = self._now()
        payer = self._operator.own_party
        return Intent(
            id=new_id(now, self._operator.chance.draw(_CHANCE_BYTES)),
            kind=PaymentKind.TOPUP,
            initiator=payer.id,
            key=key,
            body=body,
            payer=payer,
            payee=card,
            amount=amount,
            created_at=now,
        )

    def _now(self) -> Instant:
        """Return the books' time; each payment is later than the one before it."""
        self._last_instant = max(self._operator.clock.now(), self._last_instant + 1)
        return Instant(self._last_instant)

    def _refundable(self, card: Party, merchant: Party, amount: int) -> list[Paid]:
        """Return the card's paid purchases at the merchant with at least this much left."""
        rows = self._operator.read_connection.execute(
            _REFUNDABLE, (merchant.id.to_bytes(16), card.id.to_bytes(16), amount)
        )
        return [Paid(int.from_bytes(row[0]), row[1], row[2], row[3]) for row in rows]

    def _stored(self, keys: Iterable[bytes]) -> dict[bytes, Payment]:
        return self._operator.payments_read.payments_by_key(list(keys))

    def _report(self, month: Month) -> FileReport:
        """Sum up what the books hold under the keys of a file's rows."""
        report = FileReport(
            month.name,
            sha256=month.digest.hex(),
            rows=len(month.entries),
            blank_lines=month.blank_lines,
            outside=month.outside,
            read_minor=month.read_minor,
        )
        stored = self._stored(entry.key for entry in month.entries)
        for entry in month.entries:
            payment = stored.get(entry.key)
            if payment is not None:
                rules.count_row(report, payment)
                continue
            merchant = self._parties.merchants.get(entry.merchant)
            if isinstance(merchant, str):
                rules.count_refusal(report, merchant, entry.amount_minor)
        keys = (rules.facility_key(month.digest, card) for card in self._parties.cards)
        for payment in self._stored(keys).values():
            report.facility.add(payment.total)
        return report
