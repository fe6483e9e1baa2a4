"""Payments against the ledger: each check is one statement that returns what is wrong.

Transfer ids are the payment's id with its low byte filled: the high half is the step's number, the
low half the leg (1 the payment, 2 the fee). Numbers in the statements are the stored ones: kinds
1 purchase, 2 person, 3 top-up, 4 refund, 5 credit, 6 purchase from the purse (checked by
`_purse.py`), 7 refill, 8 deposit; statuses 1 pending, 2 authorised, 3 paid,
4 refused, 5 voided, 6 expired; steps 1 capture, 2 void, 3 expire, each 1 pending, 2 done,
3 refused. Each statement returns: id, expected, found, loss in minor units.
"""

import sqlite3
from collections.abc import Callable
from typing import Final

from amana.audit._report import Findings
from amana.kernel import DAY_NS, MILLISECOND_NS, IdKind, format_id
from amana.kernel.limits import HOLD_LIFE_MS

_LEGS: Final = ", ".join(
    f"({number}, {leg}, x'{number << 4 | leg:02x}')" for number in range(16) for leg in (1, 2)
)
_WITH_LEGS: Final = f"WITH leg_of(number, leg, byte) AS (VALUES {_LEGS})"
_MAIN: Final = "CAST(substr({0}.id, 1, 15) || x'01' AS BLOB)"
_FEE: Final = "CAST(substr({0}.id, 1, 15) || x'02' AS BLOB)"
_STEP: Final = "CAST(substr(p.id, 1, 15) || b.byte AS BLOB)"
_TAKEN: Final = (
    "CASE WHEN {0}.status <> 3 THEN 0 WHEN {0}.hold_expires_at IS NULL "
    "THEN {0}.total ELSE {0}.captured END"
)
_FEES_ACCOUNT: Final = "x'00000000000000000000000000000002'"
_ECASH_ACCOUNT: Final = "x'00000000000000000000000000000003'"
_PURSE_PARTY: Final = "x'00000000000000000000000000000002'"
_PAYMENT_CODES: Final = "(1, 2, 3, 4, 5, 7, 8, 100, 101)"

# ruff: noqa: S608 - statements are joined from constants of this file; there are no values in them


def _due(taken: str) -> str:
    """Write the fee on an amount, rounded down, without leaving 64 bits."""
    return (
        f"(({taken}) / 10000 * p.fee_basis_points + ({taken}) % 10000 * p.fee_basis_points / 10000)"
    )


_EXPECTED: Final = f"""
    SELECT p.id AS payment, {_MAIN.format("p")} AS id, p.payer_account AS debit,
        p.payee_account AS credit, p.total AS amount, p.kind AS code,
        CASE WHEN p.hold_expires_at IS NULL THEN 0 ELSE 2 END AS flags
    FROM payments_payments AS p WHERE p.status IN (2, 3, 5, 6) AND p.kind <> 6
    UNION ALL
    SELECT p.id, {_FEE.format("p")}, p.payee_account, {_FEES_ACCOUNT}, p.fee, 100, 0
    FROM payments_payments AS p
    WHERE p.status = 3 AND p.hold_expires_at IS NULL AND p.kind NOT IN (4, 6) AND p.fee > 0
    UNION ALL
    SELECT p.id, {_FEE.format("p")}, {_FEES_ACCOUNT}, p.payer_account, p.fee, 101, 0
    FROM payments_payments AS p WHERE p.status = 3 AND p.kind = 4 AND p.fee > 0
    UNION ALL
    SELECT p.id, {_STEP}, p.payer_account, p.payee_account,
        CASE WHEN s.kind = 1 THEN s.amount ELSE p.total END, p.kind,
        CASE WHEN s.kind = 1 THEN 4 ELSE 8 END
    FROM payments_steps AS s JOIN payments_payments AS p ON p.id = s.payment_id
    JOIN leg_of AS b ON b.number = s.number AND b.leg = 1 WHERE s.status = 2
    UNION ALL
    SELECT p.id, {_STEP}, p.payee_account, {_FEES_ACCOUNT}, s.fee, 100, 0
    FROM payments_steps AS s JOIN payments_payments AS p ON p.id = s.payment_id
    JOIN leg_of AS b ON b.number = s.number AND b.leg = 2
    WHERE s.status = 2 AND s.kind = 1 AND s.fee > 0
"""

_MOVED: Final = f"""{_WITH_LEGS}
    SELECT e.payment,
        'transfer ' || hex(e.id) || ': ' || e.amount || ' from ' || hex(e.debit) || ' to '
            || hex(e.credit),
        CASE WHEN t.id IS NULL THEN 'none' ELSE t.amount || ' from ' || hex(t.debit_account_id)
            || ' to ' || hex(t.credit_account_id) || ', code ' || t.code || ', flags ' || t.flags
            END,
        CASE WHEN t.id IS NULL OR t.amount = e.amount THEN e.amount ELSE t.amount - e.amount END
    FROM ({_EXPECTED}) AS e LEFT JOIN ledger_transfers AS t ON t.id = e.id
    WHERE (t.id IS NULL OR t.debit_account_id <> e.debit OR t.credit_account_id <> e.credit
        OR t.amount <> e.amount OR t.code <> e.code OR t.flags & 14 <> e.flags)
    AND NOT EXISTS (SELECT 1 FROM ledger_pruned_ids AS r WHERE r.transfer_id = e.id)
"""

_NOT_TOLD: Final = f"""{_WITH_LEGS}
    SELECT t.id, 'a payment that says so',
        CASE WHEN p.id IS NULL THEN 'no payment' ELSE 'a payment of status ' || p.status END,
        t.amount
    FROM ledger_transfers AS t
    LEFT JOIN leg_of AS b ON b.byte = substr(t.id, 16, 1)
    LEFT JOIN payments_payments AS p
        ON p.id = CAST(substr(t.id, 1, 15) || x'00' AS BLOB)
    LEFT JOIN payments_steps AS s
        ON b.number > 0 AND s.payment_id = p.id AND s.number = b.number
    WHERE t.code IN {_PAYMENT_CODES} AND NOT coalesce(
        p.status = 1
        OR (b.number = 0 AND b.leg = 1 AND p.status IN (2, 3, 5, 6))
        OR (b.number = 0 AND b.leg = 2 AND p.status = 3 AND p.hold_expires_at IS NULL
            AND p.fee > 0)
        OR (b.number > 0 AND s.status = 1)
        OR (b.number > 0 AND s.status = 2 AND (b.leg = 1 OR (s.kind = 1 AND s.fee > 0))), 0)
"""

_FEES: Final = f"""
    SELECT p.id, {_due(_TAKEN.format("p"))}, p.fee, p.fee - {_due(_TAKEN.format("p"))}
    FROM payments_payments AS p
    WHERE p.status = 3 AND p.kind <> 4 AND p.fee <> {_due(_TAKEN.format("p"))}
"""

_REASONS: Final = """
    SELECT id, CASE WHEN status = 4 THEN 'a reason' ELSE 'no reason' END,
        coalesce(reason, 'no reason'), 0
    FROM payments_payments WHERE (status = 4) <> (reason IS NOT NULL)
"""

_ENDINGS: Final = """
    SELECT p.id,
        CASE WHEN p.status = 3 THEN 'a capture of ' || p.captured || ' with the fee ' || p.fee
            WHEN p.status = 5 THEN 'a void' WHEN p.status = 6 THEN 'an expiry'
            ELSE 'no step that is done' END,
        CASE WHEN count(s.kind) = 0 THEN 'none'
            ELSE group_concat('step ' || s.kind || ' of ' || s.amount || ' with the fee ' || s.fee)
            END,
        p.total
    FROM payments_payments AS p
    LEFT JOIN payments_steps AS s ON s.payment_id = p.id AND s.status = 2
    WHERE p.hold_expires_at IS NOT NULL GROUP BY p.id
    HAVING CASE p.status
        WHEN 3 THEN count(s.kind) <> 1 OR max(s.kind) <> 1 OR max(s.amount) <> p.captured
            OR max(s.fee) <> p.fee
        WHEN 5 THEN count(s.kind) <> 1 OR max(s.kind) <> 2
        WHEN 6 THEN count(s.kind) <> 1 OR max(s.kind) <> 3
        ELSE count(s.kind) <> 0 END
    UNION ALL
    SELECT p.id, 'no step', 'step ' || s.kind, p.total
    FROM payments_steps AS s JOIN payments_payments AS p ON p.id = s.payment_id
    WHERE p.hold_expires_at IS NULL AND s.status = 2
    UNION ALL
    SELECT s.payment_id, 'a payment', 'none', s.amount
    FROM payments_steps AS s LEFT JOIN payments_payments AS p ON p.id = s.payment_id
    WHERE p.id IS NULL
    UNION ALL
    SELECT p.id, 'nothing captured', 'captured ' || p.captured, p.captured
    FROM payments_payments AS p
    WHERE p.captured <> 0 AND (p.hold_expires_at IS NULL OR p.status <> 3)
"""

_GIVEN_BACK: Final = """
    (SELECT refund_of, sum(CASE WHEN status IN (1, 3) THEN total ELSE 0 END) AS total,
        sum(CASE WHEN status IN (1, 3) THEN fee ELSE 0 END) AS fee, sum(status = 4) AS refused
    FROM payments_payments WHERE refund_of IS NOT NULL GROUP BY refund_of)
"""

_REFUNDS: Final = f"""
    SELECT p.id, 'at most ' || ({_TAKEN.format("p")}) || ' given back', r.total,
        r.total - ({_TAKEN.format("p")})
    FROM {_GIVEN_BACK} AS r JOIN payments_payments AS p ON p.id = r.refund_of
    WHERE r.total > ({_TAKEN.format("p")})
    UNION ALL
    SELECT p.id, coalesce(r.total, 0) || ' refunded, fee ' || coalesce(r.fee, 0),
        p.refunded || ' refunded, fee ' || p.fee_returned,
        CASE WHEN p.refunded = coalesce(r.total, 0) THEN p.fee_returned - coalesce(r.fee, 0)
            ELSE p.refunded - coalesce(r.total, 0) END
    FROM payments_payments AS p LEFT JOIN {_GIVEN_BACK} AS r ON r.refund_of = p.id
    WHERE p.refunded <> coalesce(r.total, 0) OR p.fee_returned <> coalesce(r.fee, 0)
    UNION ALL
    SELECT r.id, 'the payment that it gives back', 'none', r.total
    FROM payments_payments AS r LEFT JOIN payments_payments AS p ON p.id = r.refund_of
    WHERE r.refund_of IS NOT NULL AND r.status <> 4 AND p.id IS NULL
    UNION ALL
    SELECT r.id, 'a payment that it gives back', 'none', r.total
    FROM payments_payments AS r WHERE r.kind = 4 AND r.status <> 4 AND r.refund_of IS NULL
"""

_FEE_STAYS: Final = f"""
    SELECT p.id, 'fee ' || {_due(_TAKEN.format("p") + " - r.total")} || ' stays',
        p.fee - r.fee, p.fee - r.fee - {_due(_TAKEN.format("p") + " - r.total")}
    FROM {_GIVEN_BACK} AS r JOIN payments_payments AS p ON p.id = r.refund_of
    WHERE r.total > 0 AND abs(p.fee - r.fee - {_due(_TAKEN.format("p") + " - r.total")})
        > CASE WHEN r.total = ({_TAKEN.format("p")}) THEN 0 ELSE r.refused END
"""

_ORDERS: Final = """
    SELECT o.id, 'a payment of ' || o.amount,
        CASE WHEN p.id IS NULL THEN 'none' ELSE (p.total - p.tip) || ' of status ' || p.status END,
        o.amount
    FROM payments_orders AS o LEFT JOIN payments_payments AS p ON p.id = o.payment_id
    WHERE o.payment_id IS NOT NULL AND (p.id IS NULL OR p.order_id IS NOT o.id
        OR p.kind = 4 OR p.status = 4 OR p.payee IS NOT o.merchant
        OR p.total - p.tip <> o.amount OR p.created_at >= o.expires_at)
    UNION ALL
    SELECT p.order_id, 'this payment: ' || hex(p.id),
        CASE WHEN o.id IS NULL THEN 'no order' ELSE coalesce(hex(o.payment_id), 'none') END,
        p.total
    FROM payments_payments AS p LEFT JOIN payments_orders AS o ON o.id = p.order_id
    WHERE p.order_id IS NOT NULL AND p.kind <> 4 AND p.status <> 4 AND o.payment_id IS NOT p.id
"""

_SPENT: Final = f"""
    SELECT payer, sum(made) || ' on day ' || day, sum(stored), sum(stored) - sum(made)
    FROM (
        SELECT payer, created_at / {DAY_NS} AS day,
            CASE WHEN status = 3 AND hold_expires_at IS NOT NULL THEN captured ELSE total END
            AS made, 0 AS stored
        FROM payments_payments WHERE status IN (1, 2, 3) AND kind <> 4
        UNION ALL SELECT payer, day, 0, minor FROM payments_spent
    ) GROUP BY payer, day HAVING sum(made) <> sum(stored)
"""

_TAKINGS: Final = f"""
    SELECT merchant, sum(n) || ', ' || sum(g) || ', ' || sum(f) || ', ' || sum(r) || ' on day '
        || day, -sum(sn) || ', ' || -sum(sg) || ', ' || -sum(sf) || ', ' || -sum(sr),
        max(abs(sum(g) + sum(sg)), abs(sum(f) + sum(sf)), abs(sum(r) + sum(sr)))
    FROM (
        SELECT p.payee AS merchant, p.concluded_at / {DAY_NS} AS day, 1 AS n,
            {_TAKEN.format("p")} AS g, p.fee AS f, 0 AS r, 0 AS sn, 0 AS sg, 0 AS sf, 0 AS sr
        FROM payments_payments AS p WHERE p.status = 3 AND p.kind IN (1, 6)
        UNION ALL
        SELECT payer, concluded_at / {DAY_NS}, 0, 0, -fee, total, 0, 0, 0, 0
        FROM payments_payments WHERE status = 3 AND kind IN (4, 5)
        UNION ALL
        SELECT merchant, day, 0, 0, 0, 0, -payments, -gross, -fees, -refunded
        FROM payments_takings
    ) GROUP BY merchant, day
    HAVING sum(n) + sum(sn) <> 0 OR sum(g) + sum(sg) <> 0 OR sum(f) + sum(sf) <> 0
        OR sum(r) + sum(sr) <> 0
"""

_HOLD_LIFE_NS: Final = HOLD_LIFE_MS * MILLISECOND_NS
_HOLD_FACTS: Final = f"""
    SELECT p.id, 'held until ' || (p.created_at + {_HOLD_LIFE_NS}),
        'held until ' || p.hold_expires_at, p.total
    FROM payments_payments AS p WHERE p.hold_expires_at <> p.created_at + {_HOLD_LIFE_NS}
    UNION ALL
    SELECT p.id, coalesce(s.last, 0) || ' steps', p.steps || ' steps', 0
    FROM payments_payments AS p
    LEFT JOIN (SELECT payment_id, max(number) AS last FROM payments_steps GROUP BY payment_id)
        AS s ON s.payment_id = p.id
    WHERE p.steps <> coalesce(s.last, 0) AND p.kind <> 6
    UNION ALL
    SELECT p.id, 'a tip within ' || p.total, 'a tip of ' || p.tip, p.tip
    FROM payments_payments AS p WHERE p.tip > p.total
"""

_PARTIES: Final = f"""
    WITH parties(party, account, code) AS (
        SELECT customer, ledger_account, 10 FROM people_customers
        UNION ALL SELECT merchant, ledger_account, 20 FROM people_merchants),
    sides(party, account) AS (
        SELECT payer, payer_account FROM payments_payments
        WHERE payer IS NOT NULL AND kind <> 3 AND payer <> {_PURSE_PARTY}
        UNION SELECT payee, payee_account FROM payments_payments
        WHERE payee IS NOT NULL AND payee <> {_PURSE_PARTY}
        UNION SELECT {_PURSE_PARTY}, payer_account FROM payments_payments
        WHERE payer = {_PURSE_PARTY} AND payer_account <> {_ECASH_ACCOUNT}
        UNION SELECT {_PURSE_PARTY}, payee_account FROM payments_payments
        WHERE payee = {_PURSE_PARTY} AND payee_account <> {_ECASH_ACCOUNT})
    SELECT s.party, 'account ' || hex(s.account),
        CASE WHEN w.party IS NULL THEN 'no such party' ELSE 'account ' || hex(w.account) END, 0
    FROM sides AS s LEFT JOIN parties AS w ON w.party = s.party
    WHERE w.account IS NOT s.account AND EXISTS (SELECT 1 FROM parties)
    UNION ALL
    SELECT w.party, 'an account of code ' || w.code, coalesce('code ' || a.code, 'none'), 0
    FROM parties AS w LEFT JOIN ledger_accounts AS a ON a.id = w.account
    WHERE a.code IS NOT w.code
    UNION ALL
    SELECT max(party), 'an account of its own', count(*) || ' parties of ' || hex(account), 0
    FROM parties GROUP BY account HAVING count(*) > 1
"""
"""Whose account is whose: what the people's tables say now is what each payment was made by."""

UNFINISHED: Final = """
    SELECT id FROM payments_payments WHERE status = 1 AND status <= 2
    UNION SELECT payment_id FROM payments_steps WHERE status = 1 ORDER BY 1
"""


def _party(key: bytes) -> str:
    return key.hex()


def payment_text(key: bytes) -> str:
    """Write a payment's id."""
    return format_id(IdKind.PAYMENT, int.from_bytes(key))


def _order(key: bytes) -> str:
    return format_id(IdKind.ORDER, int.from_bytes(key))


def _transfer(key: bytes) -> str:
    return format_id(IdKind.TRANSFER, int.from_bytes(key))


_CHECKS: Final[tuple[tuple[str, str, Callable[[bytes], str], str], ...]] = (
    ("a payment moved what it says", "payments_payments", payment_text, _MOVED),
    ("a transfer belongs to a payment", "ledger_transfers", _transfer, _NOT_TOLD),
    ("fee", "payments_payments", payment_text, _FEES),
    ("refused for a reason", "payments_payments", payment_text, _REASONS),
    ("how a hold ended", "payments_payments", payment_text, _ENDINGS),
    ("refunds", "payments_payments", payment_text, _REFUNDS),
    ("fee that stays", "payments_payments", payment_text, _FEE_STAYS),
    ("an order and its payment", "payments_orders", _order, _ORDERS),
    ("spent in a day", "payments_spent", _party, _SPENT),
    ("takings of a day", "payments_takings", _party, _TAKINGS),
    ("what a hold says of itself", "payments_payments", payment_text, _HOLD_FACTS),
)
_CHECKS_OF_PEOPLE: Final = (("whose account is whose", "people", _party, _PARTIES),)
_HAS_PEOPLE: Final = "SELECT 1 FROM sqlite_master WHERE name = 'people_customers'"


def audit_payments(
    connection: sqlite3.Connection, findings: Findings, progress: Callable[[str, int], None]
) -> None:
    """Check each payment against its transfers, steps, refunds, order and day."""
    has_people = connection.execute(_HAS_PEOPLE).fetchone() is not None
    checks = (*_CHECKS, *_CHECKS_OF_PEOPLE) if has_people else _CHECKS
    for number, (check, table, text_of, statement) in enumerate(checks, start=1):
        try:
            for key, expected, found, loss in connection.execute(statement):
                findings.add(
                    check,
                    table,
                    text_of(key or b""),
                    expected=expected,
                    found=found,
                    loss_minor=int(loss or 0),
                )
        except sqlite3.OperationalError as overflow:
            if "overflow" not in str(overflow):
                raise
            findings.add(
                check, table, "all", expected="sums within 64 bits", found="a sum beyond them"
            )
        progress("checks of payments", number)
