"""What is spent and signed, as the open commit group sees it.

The unique indexes judge: an insert of several rows stands whole or not at all, and what it meets is
the refusal. Each handler takes all waiting items of its kind and judges one after the other.
"""

import logging
import sqlite3
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from amana.kernel import DAY_NS, AmanaId, Instant
from amana.purse import tables
from amana.purse.model import (
    IssueQuote,
    ProofState,
    RedeemQuote,
    RedeemState,
    Refusal,
    VerifiedProof,
)
from amana.purse.ports import Blank, Effect
from amana.purse.rules.refusals import FORGED, ISSUED, PAID, PENDING, SIGNED, SPENT
from amana.storage import sql_text

_log: Final = logging.getLogger("amana.purse")
_ID_BYTES: Final = 16
_KEYS_A_QUERY: Final = 32
_UPSERT_TOTALS: Final = (
    "INSERT INTO purse_totals (keyset, amount, signed, spent) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (keyset, amount) DO UPDATE SET signed = excluded.signed, spent = excluded.spent"
)
_END: Final = (
    "INSERT INTO purse_ended (keyset, amount, signed, spent, is_dropped) VALUES (?, ?, ?, ?, 0)"
)
_DROP_TOTALS: Final = "DELETE FROM purse_totals WHERE keyset = ? AND amount = ?"
_ISSUE_NAMES: Final = ", ".join(column.name for column in tables.issue_quotes_table.columns)
_REDEEM_NAMES: Final = ", ".join(column.name for column in tables.redeem_quotes_table.columns)
_INSERT_ISSUE: Final = sql_text(sa.insert(tables.issue_quotes_table))
_INSERT_REDEEM: Final = sql_text(sa.insert(tables.redeem_quotes_table))
_SELECT_ISSUE: Final = f"SELECT {_ISSUE_NAMES} FROM purse_issue_quotes WHERE id = ?"  # noqa: S608 - column names of our own table
_SELECT_REDEEM: Final = f"SELECT {_REDEEM_NAMES} FROM purse_redeem_quotes"  # noqa: S608 - likewise
_UNFINISHED: Final = f"{_SELECT_REDEEM} WHERE state >= 2 AND state <= 3"
_MOVE: Final = "UPDATE purse_redeem_quotes SET state = ?, attempts = ? WHERE id = ?"
_ISSUE: Final = "UPDATE purse_issue_quotes SET paid = ?, issued = ?, updated_at = ? WHERE id = ?"
_FORGET_REDEEM: Final = (
    "DELETE FROM purse_redeem_quotes WHERE id IN (SELECT id FROM purse_redeem_quotes "
    "WHERE expires_at < ? AND state IN (1, 4) LIMIT ?)"
)
_FORGET_ISSUE: Final = (
    "DELETE FROM purse_issue_quotes WHERE id IN (SELECT id FROM purse_issue_quotes "
    "WHERE expires_at < ? AND issued = paid LIMIT ?)"
)
_FORGET_AT_ONCE: Final = 500
_SEEN_MAX: Final = 1_024


class Swap(NamedTuple):
    """What a swap writes."""

    proofs: Sequence[VerifiedProof]
    blanks: Sequence[Blank]


class Issue(NamedTuple):
    """What an issue writes."""

    quote: IssueQuote
    paid: int
    blanks: Sequence[Blank]
    now: Instant


class Attempt(NamedTuple):
    """A quote, the proofs that it is attempted with, and the outputs for what is over."""

    quote: RedeemQuote
    nullifiers: Sequence[bytes]
    points: Sequence[bytes]


class Conclusion(NamedTuple):
    """What a redemption writes in the commit that spends."""

    quote: RedeemQuote
    proofs: Sequence[VerifiedProof]
    blanks: Sequence[Blank]
    effect: Effect
    now: Instant


def _insert(table: str, columns: str, count: int) -> str:
    """Write an insert of several rows: one statement, so that it stands whole or not at all."""
    return f"INSERT INTO {table} ({columns}) VALUES " + ", ".join(["(?, ?, ?)"] * count)  # noqa: S608 - our own names


class PurseBooks:
    """The purse's rows of the open commit group, and the counts that go with them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._totals: dict[tuple[int, int], list[int]] = {}
        self._changed: set[tuple[int, int]] = set()
        self._moved: dict[bytes, RedeemQuote] = {}
        """The quotes that this group moved, as they stand: one is moved three times on end, and
        written once."""
        self._seen: dict[bytes, RedeemQuote] = {}
        """Quotes that were looked at lately, as they stand: a payment asks for one three times."""
        self._load_totals()

    def _load_totals(self) -> None:
        rows = self._connection.execute("SELECT keyset, amount, signed, spent FROM purse_totals")
        self._totals = {(row[0], row[1]): [row[2], row[3]] for row in rows}
        self._changed = set()

    # The group's fate

    def before_commit(self) -> None:
        """Write the quotes that moved and the counts that changed."""
        self._write_moved()
        if self._changed:
            self._connection.executemany(
                _UPSERT_TOTALS, [(*key, *self._totals[key]) for key in sorted(self._changed)]
            )

    def after_commit(self) -> None:
        """Begin anew."""
        self._changed.clear()

    def after_rollback(self) -> None:
        """Forget a group that was lost."""
        self._moved.clear()
        self._seen.clear()
        self._load_totals()

    def _write_moved(self) -> None:
        if self._moved:
            self._connection.executemany(
                _MOVE, [(int(one.state), one.attempts, one.id) for one in self._moved.values()]
            )
            for one in self._moved.values():
                self._see(one)
            self._moved.clear()

    def _see(self, quote: RedeemQuote) -> None:
        if len(self._seen) >= _SEEN_MAX:
            self._seen.clear()
        self._seen[quote.id] = quote

    def _count(self, keyset: int, amount: int, *, signed: int = 0, spent: int = 0) -> None:
        key = (keyset, amount)
        total = self._totals.get(key)
        if total is None:
            total = self._totals[key] = [0, 0]
        total[0] += signed
        total[1] += spent
        self._changed.add(key)

    def counts(self, keyset: int, amount: int) -> tuple[int, int]:
        """Return how often a denomination was signed and spent, in this group."""
        signed, spent = self._totals.get((keyset, amount), (0, 0))
        return signed, spent

    def end_keysets(self, keysets: Sequence[int]) -> None:
        """Set the counts of keysets apart, for ever: from here on more than none is too much.

        So their proofs are refused, although the rows that told spent from unspent will be gone.
        """
        over = {key: self._totals[key] for key in self._totals if key[0] in keysets}
        self._connection.executemany(_END, [(*key, *counts) for key, counts in over.items()])
        self._connection.executemany(_DROP_TOTALS, over)
        for key in over:
            del self._totals[key]
            self._changed.discard(key)

    # What is spent, and what is signed

    def spend_and_sign(
        self, proofs: Sequence[VerifiedProof], blanks: Sequence[Blank]
    ) -> Refusal | None:
        """Record both, or neither."""
        if proofs:
            spent: list[Any] = []
            for proof in proofs:
                spent += (proof.nullifier, proof.keyset, proof.amount)
            statement = _insert("purse_spent", "nullifier, keyset, amount", len(proofs))
            if not self._stands(statement, spent):
                return SPENT
            if not self._were_signed(proofs):
                self._unspend(proofs)
                _log.critical("more_spent_than_signed keyset=%d", proofs[0].keyset)
                return FORGED
        if blanks:
            signed: list[Any] = []
            for blank in blanks:
                signed += (blank.point, blank.keyset, blank.amount)
            statement = _insert("purse_signed", "point, keyset, amount", len(blanks))
            if not self._stands(statement, signed):
                self._unspend(proofs)
                return SIGNED
        self._record(proofs, blanks)
        return None

    def _were_signed(self, proofs: Sequence[VerifiedProof]) -> bool:
        """Say whether as many were signed of each amount: if not, somebody else has the keys."""
        coming: dict[tuple[int, int], int] = {}
        for proof in proofs:
            key = (proof.keyset, proof.amount)
            coming[key] = coming.get(key, 0) + 1
        for key, count in coming.items():
            signed, spent = self._totals.get(key, (0, 0))
            if spent + count > signed:
                return False
        return True

    def _stands(self, statement: str, values: list[Any]) -> bool:
        try:
            self._connection.execute(statement, values)
        except sqlite3.IntegrityError:
            return False
        return True

    def _record(self, proofs: Sequence[VerifiedProof], blanks: Sequence[Blank]) -> None:
        for proof in proofs:
            self._count(proof.keyset, proof.amount, spent=1)
            if proof.shown is not None:
                self._connection.execute(
                    "INSERT INTO purse_shown (nullifier, witness) VALUES (?, ?)",
                    (proof.nullifier, proof.shown),
                )
        for blank in blanks:
            self._count(blank.keyset, blank.amount, signed=1)

    def _unspend(self, proofs: Sequence[VerifiedProof]) -> None:
        """Take back the rows of this very statement's neighbour, which nobody has seen."""
        self._connection.executemany(
            "DELETE FROM purse_spent WHERE nullifier = ?", [(proof.nullifier,) for proof in proofs]
        )

    def _undo(self, proofs: Sequence[VerifiedProof], blanks: Sequence[Blank]) -> None:
        """Take back what `spend_and_sign` recorded in this very item."""
        self._unspend(proofs)
        self._connection.executemany(
            "DELETE FROM purse_signed WHERE point = ?", [(blank.point,) for blank in blanks]
        )
        for proof in proofs:
            self._count(proof.keyset, proof.amount, spent=-1)
            if proof.shown is not None:
                self._connection.execute(
                    "DELETE FROM purse_shown WHERE nullifier = ?", (proof.nullifier,)
                )
        for blank in blanks:
            self._count(blank.keyset, blank.amount, signed=-1)

    # Handlers of the one writer

    def swaps(self, swaps: Sequence[Swap]) -> list[Refusal | None]:
        """Record each swap that stands."""
        return [self.spend_and_sign(swap.proofs, swap.blanks) for swap in swaps]

    def put_issue_quotes(self, quotes: Sequence[IssueQuote]) -> list[None]:
        """Keep new quotes."""
        self._connection.executemany(_INSERT_ISSUE, [_issue_row(quote) for quote in quotes])
        return [None] * len(quotes)

    def put_redeem_quotes(self, quotes: Sequence[RedeemQuote]) -> list[None]:
        """Keep new quotes."""
        self._connection.executemany(_INSERT_REDEEM, [_redeem_row(quote) for quote in quotes])
        return [None] * len(quotes)

    def issues(self, issues: Sequence[Issue]) -> list[Refusal | None]:
        """Record each issue that its quote still pays for."""
        return [self._issue(issue) for issue in issues]

    def _issue(self, issue: Issue) -> Refusal | None:
        stored = self.issue_quote(issue.quote.id)
        assert stored is not None, "a quote that is issued is there"
        issued = stored.issued + sum(blank.amount for blank in issue.blanks)
        if issued > max(stored.paid, issue.paid):
            return ISSUED
        refusal = self.spend_and_sign((), issue.blanks)
        if refusal is None:
            paid = max(stored.paid, issue.paid)
            # The day alone: by the second in which a refund was fetched, its purchase would be
            # joined with whatever else that wallet did in the same opening.
            updated_at = max(stored.updated_at, issue.now - issue.now % DAY_NS)
            self._connection.execute(_ISSUE, (paid, issued, updated_at, stored.id))
        return refusal

    def begin(self, attempts: Sequence[Attempt]) -> list[RedeemQuote | Refusal]:
        """Count an attempt of each quote that nobody else attempts, with what is new."""
        return [self._begin(*attempt) for attempt in attempts]

    def _begin(
        self, quote: RedeemQuote, nullifiers: Sequence[bytes], points: Sequence[bytes]
    ) -> RedeemQuote | Refusal:
        known = self.known(nullifiers, points)
        if known is not None:
            return known
        stored = self.redeem_quote(quote.id)
        assert stored is not None, "a quote that is redeemed is there"
        if stored.state is RedeemState.PAID:
            return PAID
        if stored.state is not RedeemState.UNPAID:
            return PENDING
        return self._move(stored, RedeemState.HELD, attempts=stored.attempts + 1)

    def _move(self, quote: RedeemQuote, state: RedeemState, *, attempts: int) -> RedeemQuote:
        moved = msgspec.structs.replace(quote, state=state, attempts=attempts)
        self._moved[quote.id] = moved
        return moved

    def conclude(self, conclusions: Sequence[Conclusion]) -> list[Refusal | None]:
        """Spend for each attempt that is still the quote's, and run its effect."""
        return [self._conclude(conclusion) for conclusion in conclusions]

    def _conclude(self, conclusion: Conclusion) -> Refusal | None:
        quote, proofs, blanks, effect, now = conclusion
        stored = self.redeem_quote(quote.id)
        assert stored is not None, "a quote that is redeemed is there"
        if stored.state is not RedeemState.HELD or stored.attempts != quote.attempts:
            return PENDING
        refusal = self.spend_and_sign(proofs, blanks)
        if refusal is not None:
            return refusal
        refusal = effect(stored, now)
        if refusal is not None:
            self._undo(proofs, blanks)
            return refusal
        self._move(stored, RedeemState.SPENT, attempts=stored.attempts)
        return None

    def settle(self, quotes: Sequence[RedeemQuote]) -> list[RedeemQuote]:
        """Conclude what was posted."""
        return [self._end(quote, RedeemState.SPENT, RedeemState.PAID) for quote in quotes]

    def release(self, quotes: Sequence[RedeemQuote]) -> list[RedeemQuote]:
        """Open what was voided."""
        return [self._end(quote, RedeemState.HELD, RedeemState.UNPAID) for quote in quotes]

    def _end(self, quote: RedeemQuote, before: RedeemState, after: RedeemState) -> RedeemQuote:
        stored = self.redeem_quote(quote.id)
        assert stored is not None, "a quote that is redeemed is there"
        if stored.state is not before:
            return stored
        return self._move(stored, after, attempts=stored.attempts)

    # Looking up

    def issue_quote(self, quote_id: bytes) -> IssueQuote | None:
        """Return a quote as it stands in this group."""
        row = self._connection.execute(_SELECT_ISSUE, (quote_id,)).fetchone()
        return None if row is None else _issue_of(row)

    def redeem_quote(self, quote_id: bytes) -> RedeemQuote | None:
        """Return a quote as it stands in this group."""
        found = self._moved.get(quote_id) or self._seen.get(quote_id)
        if found is not None:
            return found
        row = self._connection.execute(f"{_SELECT_REDEEM} WHERE id = ?", (quote_id,)).fetchone()
        if row is None:
            return None
        found = _redeem_of(row)
        self._see(found)
        return found

    def unfinished(self) -> list[RedeemQuote]:
        """Return the quotes that stand at HELD or SPENT; like all looking up, it writes nothing."""
        found = {row[0]: _redeem_of(row) for row in self._connection.execute(_UNFINISHED)}
        found |= self._moved
        over = (RedeemState.UNPAID, RedeemState.PAID)
        return [quote for quote in found.values() if quote.state not in over]

    def known(self, nullifiers: Sequence[bytes], points: Sequence[bytes]) -> Refusal | None:
        """Refuse what is spent or signed."""
        if self._rows("purse_spent", "nullifier", nullifiers, "1"):
            return SPENT
        return SIGNED if self._rows("purse_signed", "point", points, "1") else None

    def states(self, nullifiers: Sequence[bytes]) -> list[tuple[ProofState, str | None]]:
        """Return where proofs stand."""
        spent = dict.fromkeys(
            row[0] for row in self._rows("purse_spent", "nullifier", nullifiers, "nullifier")
        )
        shown = dict(self._rows("purse_shown", "nullifier", nullifiers, "nullifier, witness"))
        return [
            (ProofState.SPENT if key in spent else ProofState.UNSPENT, shown.get(key))
            for key in nullifiers
        ]

    def signed_before(self, points: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Return keyset and amount of the points that were signed."""
        rows = self._rows("purse_signed", "point", points, "point, keyset, amount")
        return {row[0]: (row[1], row[2]) for row in rows}

    def _rows(self, table: str, key: str, keys: Sequence[bytes], names: str) -> list[Any]:
        rows: list[Any] = []
        for start in range(0, len(keys), _KEYS_A_QUERY):
            some = keys[start : start + _KEYS_A_QUERY]
            marks = ",".join("?" * len(some))
            rows += self._connection.execute(
                f"SELECT {names} FROM {table} WHERE {key} IN ({marks})",  # noqa: S608 - our own names
                some,
            )
        return rows

    def forget_quotes(self, until: Instant) -> int:
        """Drop some quotes that ended before an instant; return how many."""
        forgotten = 0
        self._write_moved()
        self._seen.clear()
        for statement in (_FORGET_REDEEM, _FORGET_ISSUE):
            forgotten += self._connection.execute(statement, (until, _FORGET_AT_ONCE)).rowcount
        return forgotten


def _issue_row(quote: IssueQuote) -> tuple[Any, ...]:
    return (
        quote.id,
        quote.method,
        quote.request,
        quote.unit,
        quote.amount,
        quote.paid,
        quote.issued,
        quote.pubkey,
        quote.expires_at,
        quote.updated_at,
    )


def _issue_of(row: Any) -> IssueQuote:  # noqa: ANN401 - a row of the database
    return IssueQuote(*row)


def _redeem_row(quote: RedeemQuote) -> tuple[Any, ...]:
    return (
        quote.id,
        quote.method,
        quote.request,
        quote.unit,
        quote.amount,
        quote.fee_reserve,
        int(quote.state),
        quote.attempts,
        quote.expires_at,
        quote.payment_id.to_bytes(_ID_BYTES),
        quote.target,
    )


def _redeem_of(row: Any) -> RedeemQuote:  # noqa: ANN401 - a row of the database
    return RedeemQuote(
        id=row[0],
        method=row[1],
        request=row[2],
        unit=row[3],
        amount=row[4],
        fee_reserve=row[5],
        state=RedeemState(row[6]),
        attempts=row[7],
        expires_at=Instant(row[8]),
        payment_id=AmanaId(int.from_bytes(row[9])),
        target=row[10],
    )
