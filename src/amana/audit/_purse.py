"""The purse against the ledger: what is out, what is promised, and who was paid with e-cash.

Numbers in the statements are the stored ones: redemptions 1 unpaid, 2 held, 3 spent, 4 paid;
refills 1 waiting, 2 debited, 3 signed; deposits 2 waiting; payments' kinds 4 refund, 6 purchase
from the purse, 7 refill, 8 deposit. A purse payment's transfers have its id with the attempt's
number in the high half of the low byte, and a leg in the low half: 1 and 2 hold the payee's part
and the fee, 3 and 4 post them, 5 and 6 void them.
"""

import sqlite3
from collections.abc import Callable
from hashlib import blake2b, sha256
from typing import Final

import msgspec

from amana.audit._payments import payment_text
from amana.audit._report import Findings
from amana.kernel import IdKind, format_id, parse_id

# ruff: noqa: S608 - statements are joined from constants of this file; there are no values in them

_ECASH: Final = "x'00000000000000000000000000000003'"
_FEES: Final = "x'00000000000000000000000000000002'"
_PURSE_PARTY: Final = "x'00000000000000000000000000000002'"
_NUMBERS: Final = 16
_LEGS_OF: Final = ", ".join(
    f"({number}, {leg}, x'{number << 4 | leg:02x}')"
    for number in range(_NUMBERS)
    for leg in range(1, 7)
)
_WITH_LEGS: Final = f"WITH leg_of(number, leg, byte) AS (VALUES {_LEGS_OF})"

UNFINISHED_REDEMPTIONS: Final = """
    SELECT payment_id FROM purse_redeem_quotes WHERE state >= 2 AND state <= 3 ORDER BY 1
"""

_TOTALS: Final = """
    SELECT keyset, amount, sum(signed), sum(spent), sum(signed_rows), sum(spent_rows), sum(step)
    FROM (
        SELECT keyset, amount, signed, spent, 0 AS signed_rows, 0 AS spent_rows, 0 AS step
        FROM purse_totals
        UNION ALL
        SELECT keyset, amount, signed, spent, 0, 0, 1 + is_dropped FROM purse_ended
        UNION ALL
        SELECT keyset, amount, 0, 0, count(*), 0, 0 FROM purse_signed GROUP BY keyset, amount
        UNION ALL
        SELECT keyset, amount, 0, 0, 0, count(*), 0 FROM purse_spent GROUP BY keyset, amount
    ) GROUP BY keyset, amount
"""
_LIVE, _ENDING, _DROPPED = range(3)
"""Steps of a keyset: rows and counts agree; rows are being dropped; none is left."""
_TWICE: Final = """
    SELECT e.keyset, count(*) FROM purse_ended AS e
    WHERE e.keyset IN (SELECT keyset FROM purse_totals) GROUP BY e.keyset
"""

_MADE: Final = f"""{_WITH_LEGS}, expected AS (
    SELECT p.id AS payment, b.leg, CAST(substr(p.id, 1, 15) || b.byte AS BLOB) AS id,
        CASE WHEN b.leg % 2 = 1 THEN p.total - p.fee ELSE p.fee END AS amount,
        CASE WHEN b.leg % 2 = 1 THEN p.payee_account ELSE {_FEES} END AS credit,
        CASE WHEN b.leg % 2 = 1 THEN 6 ELSE 102 END AS code,
        CASE WHEN b.leg <= 2 THEN 2 ELSE 4 END AS flags
    FROM payments_payments AS p JOIN leg_of AS b ON b.number = p.steps AND b.leg <= 4
    WHERE p.kind = 6 AND p.status = 3)
    SELECT e.payment, 'transfer ' || hex(e.id) || ': ' || e.amount || ' to ' || hex(e.credit),
        CASE WHEN t.id IS NULL THEN 'none' ELSE t.amount || ' from ' || hex(t.debit_account_id)
            || ' to ' || hex(t.credit_account_id) || ', code ' || t.code || ', flags ' || t.flags
            END,
        CASE WHEN t.id IS NULL OR t.amount = e.amount THEN e.amount ELSE t.amount - e.amount END
    FROM expected AS e LEFT JOIN ledger_transfers AS t ON t.id = e.id
    WHERE e.amount > 0
    AND (t.id IS NULL OR t.debit_account_id <> {_ECASH} OR t.credit_account_id <> e.credit
        OR t.amount <> e.amount OR t.code <> e.code OR t.flags & 14 <> e.flags)
    AND NOT (t.id IS NULL AND e.leg > 2 AND EXISTS (SELECT 1 FROM purse_redeem_quotes AS q
        WHERE q.payment_id = e.payment AND q.state = 3))
    AND NOT EXISTS (SELECT 1 FROM ledger_pruned_ids AS r WHERE r.transfer_id = e.id)
"""

_HELD: Final = f"""{_WITH_LEGS}
    SELECT t.id, 'a payment from the purse, or a void', 'neither', t.amount
    FROM ledger_transfers AS t
    JOIN leg_of AS b ON b.byte = substr(t.id, 16, 1)
    LEFT JOIN payments_payments AS p
        ON p.id = CAST(substr(t.id, 1, 15) || x'00' AS BLOB) AND p.kind = 6 AND p.status = 3
    LEFT JOIN leg_of AS v ON v.number = b.number AND v.leg = b.leg + 4
    WHERE t.code IN (6, 102) AND b.leg <= 4
    AND p.steps IS NOT b.number
    AND NOT EXISTS (SELECT 1 FROM ledger_transfers AS o
        WHERE o.id = CAST(substr(t.id, 1, 15) || v.byte AS BLOB))
    AND NOT EXISTS (SELECT 1 FROM purse_redeem_quotes AS q
        WHERE q.payment_id = CAST(substr(t.id, 1, 15) || x'00' AS BLOB)
        AND q.state = 2 AND q.attempts = b.number)
    UNION ALL
    SELECT t.id, 'no void of what was paid', 'a void', t.amount
    FROM ledger_transfers AS t
    JOIN leg_of AS b ON b.byte = substr(t.id, 16, 1) AND b.leg IN (5, 6)
    JOIN payments_payments AS p
        ON p.id = CAST(substr(t.id, 1, 15) || x'00' AS BLOB) AND p.kind = 6 AND p.status = 3
        AND p.steps = b.number
    WHERE t.code IN (6, 102)
"""

_QUOTED: Final = """
    SELECT q.payment_id, 'a payment of ' || q.amount,
        CASE WHEN p.id IS NULL THEN 'none' ELSE p.total || ', attempt ' || p.steps END, q.amount
    FROM purse_redeem_quotes AS q LEFT JOIN payments_payments AS p ON p.id = q.payment_id
    WHERE q.method = 'amana-merchant' AND q.state IN (3, 4)
    AND (p.id IS NULL OR p.kind <> 6 OR p.total <> q.amount OR p.steps <> q.attempts)
    UNION ALL
    SELECT q.payment_id, 'no payment', 'a payment of ' || p.total, p.total
    FROM purse_redeem_quotes AS q JOIN payments_payments AS p ON p.id = q.payment_id
    WHERE q.state IN (1, 2)
"""

_ALL_COUNTS: Final = """(SELECT keyset, amount, signed, spent FROM purse_totals
    UNION ALL SELECT keyset, amount, signed, spent FROM purse_ended)"""
"""What was never brought back of a keyset that ended is owed as before."""
_OUT: Final = f"SELECT coalesce(sum((signed - spent) * amount), 0) FROM {_ALL_COUNTS}"
_BALANCE: Final = f"""
    SELECT coalesce(sum(credits_posted - debits_posted), 0) FROM ledger_accounts WHERE id = {_ECASH}
"""
_STILL_TO_POST: Final = f"""{_WITH_LEGS}
    SELECT coalesce(sum(q.amount), 0) FROM purse_redeem_quotes AS q
    WHERE q.state = 3 AND q.method = 'amana-merchant' AND NOT EXISTS (
        SELECT 1 FROM leg_of AS b JOIN ledger_transfers AS t
            ON t.id = CAST(substr(q.payment_id, 1, 15) || b.byte AS BLOB)
        WHERE b.number = q.attempts AND b.leg IN (3, 4))
"""
_HAS_MOVED: Final = """(status = 3 OR (status = 1 AND EXISTS (SELECT 1 FROM ledger_transfers AS t
    WHERE t.id = CAST(substr(payments_payments.id, 1, 15) || x'01' AS BLOB))))"""
"""A pending payment may have moved already: its outcome is recorded after."""
_REFUNDED: Final = f"""
    SELECT coalesce(sum(total), 0) FROM payments_payments
    WHERE kind = 4 AND payee = {_PURSE_PARTY} AND {_HAS_MOVED}
"""
_CLAIMED: Final = (
    "SELECT coalesce(sum(issued), 0) FROM purse_issue_quotes WHERE method = 'amana-refund'"
)
_DEBITED: Final = "SELECT id, attempts FROM purse_refills WHERE state = 2"
_WAITING: Final = "SELECT id, amount, due_at FROM purse_deposits WHERE state = 2"
_PAID_BY_KEY: Final = f"SELECT total FROM payments_payments WHERE intent_key = ? AND {_HAS_MOVED}"
_CLAIMS: Final = "SELECT request, issued FROM purse_issue_quotes WHERE method = 'amana-refund'"
_REFUNDS_OF: Final = (
    "SELECT coalesce(sum(total), 0) FROM payments_payments "
    "WHERE refund_of = ? AND kind = 4 AND status = 3"
)
_LAST_STATEMENTS: Final = "SELECT day, statement FROM purse_statements ORDER BY day DESC LIMIT 2"
_COUNTED: Final = f"""
    SELECT coalesce(sum(signed), 0), coalesce(sum(spent), 0) FROM {_ALL_COUNTS} WHERE amount = ?
"""
_ID_BYTES: Final = 16


def audit_purse(
    connection: sqlite3.Connection, findings: Findings, progress: Callable[[str, int], None]
) -> dict[str, int]:
    """Check the purse; return how many proofs were spent, and outputs signed."""
    signed, spent = _check_totals(connection, findings)
    progress("counts of the purse", signed + spent)
    _check_statements(connection, findings)
    _check_claims(connection, findings)
    _check_liabilities(connection, findings)
    _check_statement(connection, findings)
    progress("checks of the purse", 6)
    return {"outputs_signed": signed, "proofs_spent": spent}


def _check_totals(connection: sqlite3.Connection, findings: Findings) -> tuple[int, int]:
    all_signed = all_spent = 0
    for row in connection.execute(_TOTALS):
        keyset, amount, signed, spent, signed_rows, spent_rows, step = row
        all_signed += signed_rows
        all_spent += spent_rows
        if not _agree((signed, spent), (signed_rows, spent_rows), step):
            findings.add(
                "signed and spent",
                "purse_totals" if step == _LIVE else "purse_ended",
                f"keyset {keyset}, amount {amount}",
                expected=f"{signed_rows} signed, {spent_rows} spent",
                found=f"{signed} signed, {spent} spent",
                loss_minor=max(abs(signed - signed_rows), abs(spent - spent_rows)) * amount,
            )
        if step == _LIVE and spent_rows > signed_rows:
            findings.add(
                "no more spent than signed",
                "purse_spent",
                f"keyset {keyset}, amount {amount}",
                expected=f"at most {signed_rows}",
                found=spent_rows,
                loss_minor=(spent_rows - signed_rows) * amount,
            )
    for keyset, amounts in connection.execute(_TWICE):
        findings.add(
            "signed and spent",
            "purse_ended",
            f"keyset {keyset}",
            expected="counts of a keyset that ended, or of one that did not",
            found=f"both, for {amounts} amounts",
        )
    return all_signed, all_spent


def _agree(counts: tuple[int, int], rows: tuple[int, int], step: int) -> bool:
    """Say whether rows are what the counts say; of a keyset that ended they are dropped in time.

    What is left there can be checked no more: the counts are what they were, and `signed` bounds
    what was spent. Each published statement has them too.
    """
    if step == _LIVE:
        return counts == rows
    if step == _ENDING:
        return rows[0] <= counts[0] and rows[1] <= counts[1]
    return rows == (0, 0)


def _transfer(key: bytes) -> str:
    return format_id(IdKind.TRANSFER, int.from_bytes(key))


_CHECKS: Final = (
    ("a purse payment moved what it says", "payments_payments", payment_text, _MADE),
    ("a hold of the purse ended", "ledger_transfers", _transfer, _HELD),
    ("a redemption and its payment", "purse_redeem_quotes", payment_text, _QUOTED),
)


def _check_statements(connection: sqlite3.Connection, findings: Findings) -> None:
    for check, table, text_of, statement in _CHECKS:
        for key, expected, found, loss in connection.execute(statement):
            findings.add(
                check, table, text_of(key), expected=expected, found=found, loss_minor=int(loss)
            )


def _check_claims(connection: sqlite3.Connection, findings: Findings) -> None:
    """No refund is claimed for more than was given back."""
    for request, issued in connection.execute(_CLAIMS):
        payment = parse_id(IdKind.PAYMENT, request)
        key = b"" if payment is None else payment.to_bytes(_ID_BYTES)
        (refunded,) = connection.execute(_REFUNDS_OF, (key,)).fetchone()
        if issued > refunded:
            findings.add(
                "claims of refunds",
                "purse_issue_quotes",
                request,
                expected=f"at most {refunded}",
                found=issued,
                loss_minor=issued - refunded,
            )


def _check_liabilities(connection: sqlite3.Connection, findings: Findings) -> None:
    """What is out and what is promised is what the ledger owes to holders of e-cash."""

    def one(statement: str) -> int:
        return int(connection.execute(statement).fetchone()[0])

    promised = one(_REFUNDED) - one(_CLAIMED)
    promised += sum(
        _paid(connection, b"refill", key, attempts)
        for key, attempts in connection.execute(_DEBITED).fetchall()
    )
    waiting = sum(
        amount
        for key, amount, due_at in connection.execute(_WAITING).fetchall()
        if not _paid(connection, b"deposit", key, due_at)
    )
    owed, booked = one(_OUT) + promised + waiting, one(_BALANCE) - one(_STILL_TO_POST)
    if owed != booked:
        findings.add(
            "what is owed to holders of e-cash",
            "ledger_accounts",
            format_id(IdKind.LEDGER_ACCOUNT, 3),
            expected=f"{owed}: {one(_OUT)} out, {promised} promised, {waiting} on its way back",
            found=booked,
            loss_minor=abs(owed - booked),
        )


def _paid(connection: sqlite3.Connection, kind: bytes, key: bytes, turn: int) -> int:
    """Return what the payment of a standing order moved, by the key that follows from it.

    The turn is a refill's attempt, or the instant at which a deposit is due.
    """
    intent = blake2b(kind + key + turn.to_bytes(8), digest_size=_ID_BYTES).digest()
    row = connection.execute(_PAID_BY_KEY, (intent,)).fetchone()
    return 0 if row is None else int(row[0])


class _Denomination(msgspec.Struct):
    amount: str
    signed: str
    spent: str
    outstanding: str


class _Keyset(msgspec.Struct):
    outstanding: str
    denominations: list[_Denomination]


class _Statement(msgspec.Struct):
    day: str
    keysets: list[_Keyset]
    outstanding: str
    promised: str
    returning: str
    to_post: str
    ledger_balance: str
    previous: str | None


def _check_statement(connection: sqlite3.Connection, findings: Findings) -> None:
    """The last published statement is even, follows from the one before, and took nothing back."""
    published = connection.execute(_LAST_STATEMENTS).fetchall()
    if not published:
        return
    day, text = published[0]
    previous = sha256(published[1][1]).hexdigest() if len(published) > 1 else None

    def find(what: str, expected: object, found: object, loss: int = 0) -> None:
        if expected != found:
            findings.add(
                "the published statement",
                "purse_statements",
                f"day {day}, {what}",
                expected=str(expected),
                found=str(found),
                loss_minor=abs(loss),
            )

    try:
        told = msgspec.json.decode(text, type=_Statement)
        all_told = [each for keyset in told.keysets for each in keyset.denominations]
        out = sum(_outstanding(each) for each in all_told)
        owed = out + int(told.promised) + int(told.returning)
        booked = int(told.ledger_balance) - int(told.to_post)
        stated_out = int(told.outstanding)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        find("its text", "a statement", "something else")
        return
    find("what is out", out, stated_out, out - stated_out)
    find("what is owed", owed, booked, owed - booked)
    find("the statement before", previous, told.previous)
    for amount in sorted({each.amount for each in all_told}):
        of = [each for each in all_told if each.amount == amount]
        signed, spent = connection.execute(_COUNTED, (int(amount),)).fetchone()
        stated = sum(int(each.signed) for each in of), sum(int(each.spent) for each in of)
        if stated[0] > signed or stated[1] > spent:
            find(f"amount {amount}", f"at most {signed} signed, {spent} spent", str(stated))


def _outstanding(told: _Denomination) -> int:
    return (int(told.signed) - int(told.spent)) * int(told.amount)
