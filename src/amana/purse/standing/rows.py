"""Refills and deposits in the file of books."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from amana.kernel import AmanaId, Instant
from amana.purse.books import PurseBooks
from amana.purse.model import Refusal
from amana.purse.ports import Blank
from amana.purse.rules.refusals import PENDING
from amana.purse.standing import rules
from amana.purse.standing.model import (
    Deposit,
    DepositState,
    Refill,
    RefillState,
    StandingRefused,
)

_ID_BYTES: Final = 16
_AMOUNT_BYTES: Final = 4
_POINT_BYTES: Final = 33
_OUTPUT_BYTES: Final = _AMOUNT_BYTES + _POINT_BYTES
_DUE_AT_ONCE: Final = 64
_REFILL: Final = "SELECT party, id, keyset, amount, outputs, state, attempts, due_at "
_DEPOSIT: Final = "SELECT id, party, amount, state, due_at "
_PUT_REFILL: Final = (
    "INSERT INTO purse_refills (party, id, keyset, amount, outputs, state, attempts, due_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (party) DO UPDATE SET id = excluded.id, "
    "keyset = excluded.keyset, amount = excluded.amount, outputs = excluded.outputs, "
    "state = excluded.state, attempts = excluded.attempts, due_at = excluded.due_at"
)


class StandingRows:
    """Standing orders of the open commit group."""

    def __init__(self, connection: sqlite3.Connection, books: PurseBooks) -> None:
        self._connection = connection
        self._books = books

    # Refills

    def refill(self, party: AmanaId) -> Refill | None:
        """Return a party's refill."""
        row = self._connection.execute(
            f"{_REFILL} FROM purse_refills WHERE party = ?", (party.to_bytes(_ID_BYTES),)
        ).fetchone()
        return None if row is None else _refill_of(row)

    def refills_due(self, until: Instant) -> list[Refill]:
        """Return some refills to be made now: those debited before, and those that are due."""
        rows = self._connection.execute(
            f"{_REFILL} FROM purse_refills WHERE state IN (1, 2) AND due_at <= ? "
            "ORDER BY state DESC, due_at LIMIT ?",
            (until, _DUE_AT_ONCE),
        )
        return [_refill_of(row) for row in rows]

    def leave(self, refills: Sequence[Refill]) -> list[Refill | StandingRefused]:
        """Put each refill in the place of its party's last one."""
        return [self._leave(refill) for refill in refills]

    def _leave(self, refill: Refill) -> Refill | StandingRefused:
        used = self._books.known((), [blank.point for blank in refill.outputs])
        decided = rules.decide_leave(refill, self.refill(refill.party), are_used=used is not None)
        if isinstance(decided, Refill):
            self._put(decided)
        return decided

    def _put(self, refill: Refill) -> None:
        outputs = b"".join(
            [blank.amount.to_bytes(_AMOUNT_BYTES) + blank.point for blank in refill.outputs]
        )
        self._connection.execute(
            _PUT_REFILL,
            (
                refill.party.to_bytes(_ID_BYTES),
                refill.id,
                refill.keyset,
                refill.amount,
                outputs,
                int(refill.state),
                refill.attempts,
                refill.due_at,
            ),
        )

    def withdraw(self, parties: Sequence[AmanaId]) -> list[bool]:
        """Drop each party's refill that still waits; say whether one did."""
        return [
            self._connection.execute(
                "DELETE FROM purse_refills WHERE party = ? AND state = 1",
                (party.to_bytes(_ID_BYTES),),
            ).rowcount
            > 0
            for party in parties
        ]

    def put(self, moves: Sequence[tuple[Refill, Refill]]) -> list[Refill | None]:
        """Move each refill from what it was to what it is, unless it moved on meanwhile."""
        return [self._put_own(*move) for move in moves]

    def _put_own(self, before: Refill, refill: Refill) -> Refill | None:
        stored = self.refill(refill.party)
        if stored is None or stored.id != before.id:
            return stored  # one that was withdrawn stays withdrawn
        if (stored.state, stored.attempts) != (before.state, before.attempts):
            return stored  # another round took it up: what it debited stays debited
        if stored.outputs != refill.outputs:
            # Other outputs were left meanwhile: they are the ones to sign.
            refill = msgspec.structs.replace(refill, outputs=stored.outputs, keyset=stored.keyset)
        self._put(refill)
        return refill

    def sign(self, refills: Sequence[Refill]) -> list[Refusal | None]:
        """Record what is signed for each debited refill, in one with its new state."""
        return [self._sign(refill) for refill in refills]

    def _sign(self, refill: Refill) -> Refusal | None:
        stored = self.refill(refill.party)
        if stored is None or stored.id != refill.id or stored.outputs != refill.outputs:
            return PENDING
        refusal = self._books.spend_and_sign((), refill.outputs)
        if refusal is None:
            self._connection.execute(
                "UPDATE purse_refills SET state = 3 WHERE party = ? AND id = ?",
                (refill.party.to_bytes(_ID_BYTES), refill.id),
            )
        return refusal

    # Deposits

    def deposit(self, deposit_id: bytes) -> Deposit | None:
        """Return a deposit."""
        row = self._connection.execute(
            f"{_DEPOSIT} FROM purse_deposits WHERE id = ?", (deposit_id,)
        ).fetchone()
        return None if row is None else _deposit_of(row)

    def deposits_due(self, until: Instant) -> list[Deposit]:
        """Return some deposits whose money is to be in the account now."""
        rows = self._connection.execute(
            f"{_DEPOSIT} FROM purse_deposits WHERE state = 2 AND due_at <= ? "
            "ORDER BY due_at LIMIT ?",
            (until, _DUE_AT_ONCE),
        )
        return [_deposit_of(row) for row in rows]

    def add_deposits(self, deposits: Sequence[Deposit]) -> list[None]:
        """Keep new addresses, each in the place of its party's unused one."""
        self._connection.executemany(
            "DELETE FROM purse_deposits WHERE party = ? AND state IN (1, 3)",
            [(d.party.to_bytes(_ID_BYTES),) for d in deposits],
        )
        self._connection.executemany(
            "INSERT INTO purse_deposits (id, party, amount, state, due_at) VALUES (?, ?, ?, ?, ?)",
            [
                (d.id, d.party.to_bytes(_ID_BYTES), d.amount, int(d.state), d.due_at)
                for d in deposits
            ],
        )
        return [None] * len(deposits)

    def fill_deposit(self, deposit_id: bytes, amount: int, due_at: Instant) -> bool:
        """Record what an address was sent, within the commit that spends; once only."""
        filled = self._connection.execute(
            "UPDATE purse_deposits SET amount = ?, due_at = ?, state = 2 "
            "WHERE id = ? AND state IN (1, 3)",
            (amount, due_at, deposit_id),
        )
        return filled.rowcount > 0

    def end_deposits(self, ids: Sequence[bytes]) -> list[None]:
        """Drop deposits whose money is in the account."""
        self._connection.executemany(
            "DELETE FROM purse_deposits WHERE id = ? AND state = 2", [(key,) for key in ids]
        )
        return [None] * len(ids)

    def postpone_deposits(self, later: Sequence[tuple[Deposit, Instant]]) -> list[None]:
        """Try deposits that were refused again later, unless that was done already."""
        self._connection.executemany(
            "UPDATE purse_deposits SET due_at = ? WHERE id = ? AND state = 2 AND due_at = ?",
            [(due_at, deposit.id, deposit.due_at) for deposit, due_at in later],
        )
        return [None] * len(later)


_OWED: Final = (
    "SELECT coalesce(sum(amount), 0) FROM (SELECT amount FROM purse_deposits "
    "WHERE party = ?1 AND state = 2 UNION ALL SELECT amount FROM purse_refills "
    "WHERE party = ?1 AND state = 2)"
)


_LEAVE: Final = (
    "DELETE FROM purse_deposits WHERE party = ? AND state IN (1, 3)",
    "DELETE FROM purse_refills WHERE party = ? AND state = 1",
)


def take_leave(connection: sqlite3.Connection, party: AmanaId) -> int:
    """End a party's standing orders, in the unit of work that closes its account.

    Returns what is on its way between account and purse, in minor units; where anything is,
    nothing was changed. Addresses go with the account, so e-cash that was to be sent to one is
    refused before it is spent.
    """
    key = (party.to_bytes(_ID_BYTES),)
    (owed,) = connection.execute(_OWED, key).fetchone()
    if not owed:
        for statement in _LEAVE:
            connection.execute(statement, key)
    return int(owed)


def _refill_of(row: Any) -> Refill:  # noqa: ANN401 - a row of the database
    packed: bytes = row[4]
    outputs = [
        packed[start : start + _OUTPUT_BYTES] for start in range(0, len(packed), _OUTPUT_BYTES)
    ]
    return Refill(
        party=AmanaId(int.from_bytes(row[0])),
        id=row[1],
        keyset=row[2],
        amount=row[3],
        outputs=tuple(
            [
                Blank(row[2], int.from_bytes(output[:_AMOUNT_BYTES]), output[_AMOUNT_BYTES:])
                for output in outputs
            ]
        ),
        state=RefillState(row[5]),
        attempts=row[6],
        due_at=Instant(row[7]),
    )


def _deposit_of(row: Any) -> Deposit:  # noqa: ANN401 - likewise
    return Deposit(
        id=row[0],
        party=AmanaId(int.from_bytes(row[1])),
        amount=row[2],
        state=DepositState(row[3]),
        due_at=Instant(row[4]),
    )
