"""The room's statements: look-ups on a reading connection, changes through the one writer."""

import hmac
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from amana.kernel import AmanaId, Instant
from amana.people import _rows, tables
from amana.people._rows import Row, id_bytes
from amana.people.model import (
    Customer,
    Merchant,
    OperatorStaff,
    PartyStatus,
    Passkey,
    Site,
    Staff,
    Till,
    Token,
)
from amana.storage import Writer, sql_text


def _select(table: sa.Table, by: str, *, order: str | None = None) -> str:
    statement = sa.select(table).where(table.c[by] == sa.bindparam("wanted"))
    return sql_text(statement if order is None else statement.order_by(table.c[order]))


def _insert(table: sa.Table) -> str:
    return sql_text(sa.insert(table))


def _insert_once(table: sa.Table) -> str:
    return sql_text(sa.insert(table).prefix_with("OR IGNORE"))


def _delete(table: sa.Table, by: str) -> str:
    return sql_text(sa.delete(table).where(table.c[by] == sa.bindparam("wanted")))


def _set(table: sa.Table, by: str, name: str) -> str:
    return sql_text(
        sa.update(table)
        .where(table.c[by] == sa.bindparam("wanted"))
        .values({name: sa.bindparam("value")})
    )


_CUSTOMER: Final = _select(tables.customers, "customer")
_CUSTOMER_BY_HANDLE: Final = _select(tables.customers, "handle")
_CUSTOMER_BY_ACCOUNT: Final = _select(tables.customers, "ledger_account")
_MERCHANT: Final = _select(tables.merchants, "merchant")
_MERCHANT_BY_HANDLE: Final = _select(tables.merchants, "handle")
_MERCHANT_BY_ACCOUNT: Final = _select(tables.merchants, "ledger_account")
_SITES: Final = _select(tables.sites, "merchant", order="site")
_TILLS: Final = _select(tables.tills, "merchant", order="till")
_TILL: Final = _select(tables.tills, "till")
_STAFF: Final = _select(tables.staff, "staff")
_OPERATOR_STAFF: Final = _select(tables.operator_staff, "staff")
_TOKEN_BY_DIGEST: Final = _select(tables.tokens, "digest")
_TOKENS_OF: Final = _select(tables.tokens, "holder", order="token")
_PASSKEY: Final = _select(tables.passkeys, "credential_id")
_HANDLE: Final = _select(tables.handles, "keyed_hash")

_ERASED: Final = sql_text(
    sa.select(tables.customers.c.customer).where(tables.customers.c.handle.is_(None))
)

_ADD_HANDLE: Final = _insert(tables.handles)
_ADD_CUSTOMER: Final = _insert(tables.customers)
_ADD_MERCHANT: Final = _insert(tables.merchants)
_ADD_SITE: Final = _insert_once(tables.sites)
_ADD_TILL: Final = _insert_once(tables.tills)
_ADD_STAFF: Final = _insert_once(tables.staff)
_ADD_OPERATOR_STAFF: Final = _insert_once(tables.operator_staff)
_ADD_TOKEN: Final = _insert_once(tables.tokens)
_ADD_PASSKEY: Final = _insert(tables.passkeys)

_DELETE_TOKEN: Final = _delete(tables.tokens, "token")
_DELETE_EXPIRED_TOKENS: Final = sql_text(
    sa.delete(tables.tokens).where(tables.tokens.c.expires_at <= sa.bindparam("now"))
)
_DELETE_TOKENS_OF: Final = _delete(tables.tokens, "holder")
_DELETE_PASSKEYS_OF: Final = _delete(tables.passkeys, "customer")
_DELETE_STAFF_TOKENS_OF: Final = sql_text(
    sa.delete(tables.tokens).where(
        tables.tokens.c.holder.in_(
            sa.select(tables.staff.c.staff).where(tables.staff.c.merchant == sa.bindparam("wanted"))
        )
    )
)
_STAFF_OF: Final = _select(tables.staff, "merchant", order="staff")
_DELETE_STAFF: Final = _delete(tables.staff, "staff")
_SET_NOTE_KEY: Final = _set(tables.customers, "customer", "note_key")
_CLOSED: Final = PartyStatus.CLOSED.value
_CLOSE_CUSTOMER: Final = _set(tables.customers, "customer", "status")
_CLOSE_MERCHANT: Final = _set(tables.merchants, "merchant", "status")
_RAISE_SIGN_COUNT: Final = sql_text(
    sa.update(tables.passkeys)
    .where(
        tables.passkeys.c.credential_id == sa.bindparam("wanted"),
        tables.passkeys.c.sign_count < sa.bindparam("above"),
    )
    .values(sign_count=sa.bindparam("value"))
)
_ERASE_CUSTOMER: Final = sql_text(
    sa.update(tables.customers)
    .where(tables.customers.c.customer == sa.bindparam("wanted"))
    .values(
        handle=sa.null(),
        display_name=sa.null(),
        language=sa.null(),
        note_key=sa.null(),
        user_handle=sa.null(),
        payment_minor_max=sa.null(),
        day_minor_max=sa.null(),
        holding_minor_max=sa.null(),
        status=sa.literal_column("'erased'"),
    )
)


class PeopleRows:
    """Look-ups of what is committed, on a connection that only reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def customer(self, customer: AmanaId) -> Customer | None:
        """Return a customer by id."""
        return self._customer(_CUSTOMER, id_bytes(customer))

    def customer_by_handle(self, handle: str) -> Customer | None:
        """Return the customer who has this handle."""
        return self._customer(_CUSTOMER_BY_HANDLE, handle)

    def customer_by_account(self, ledger_account: AmanaId) -> Customer | None:
        """Return the customer whose money this ledger account holds."""
        return self._customer(_CUSTOMER_BY_ACCOUNT, id_bytes(ledger_account))

    def merchant(self, merchant: AmanaId) -> Merchant | None:
        """Return a merchant by id."""
        return self._merchant(_MERCHANT, id_bytes(merchant))

    def merchant_by_handle(self, handle: str) -> Merchant | None:
        """Return the merchant who has this handle."""
        return self._merchant(_MERCHANT_BY_HANDLE, handle)

    def merchant_by_account(self, ledger_account: AmanaId) -> Merchant | None:
        """Return the merchant whose money this ledger account holds."""
        return self._merchant(_MERCHANT_BY_ACCOUNT, id_bytes(ledger_account))

    def sites(self, merchant: AmanaId) -> tuple[Site, ...]:
        """Return a merchant's sites with their tills, in the order of their making."""
        key = (id_bytes(merchant),)
        return _rows.read_sites(
            self._connection.execute(_SITES, key), self._connection.execute(_TILLS, key)
        )

    def till(self, till: AmanaId) -> Till | None:
        """Return a till by id."""
        row = self._one(_TILL, id_bytes(till))
        return None if row is None else _rows.read_till(row)

    def staff(self, staff: AmanaId) -> Staff | None:
        """Return a member of a merchant's staff."""
        row = self._one(_STAFF, id_bytes(staff))
        return None if row is None else _rows.read_staff(row)

    def staff_of(self, merchant: AmanaId) -> tuple[Staff, ...]:
        """Return a merchant's staff, in the order of their making."""
        rows = self._connection.execute(_STAFF_OF, (id_bytes(merchant),))
        return tuple(_rows.read_staff(row) for row in rows)

    def operator_staff(self, staff: AmanaId) -> OperatorStaff | None:
        """Return a member of the operator's staff."""
        row = self._one(_OPERATOR_STAFF, id_bytes(staff))
        return None if row is None else _rows.read_operator_staff(row)

    def token_by_digest(self, digest: bytes) -> Token | None:
        """Return the token whose SHA-256 this is."""
        row = self._one(_TOKEN_BY_DIGEST, digest)
        return None if row is None else _rows.read_token(row)

    def tokens_of(self, holder: AmanaId) -> tuple[Token, ...]:
        """Return a holder's tokens, in the order of their making."""
        rows = self._connection.execute(_TOKENS_OF, (id_bytes(holder),))
        return tuple(_rows.read_token(row) for row in rows)

    def erased_customers(self) -> tuple[AmanaId, ...]:
        """Return the customers whose rows are emptied."""
        return tuple(_rows.read_id(row[0]) for row in self._connection.execute(_ERASED))

    def passkey(self, credential_id: bytes) -> Passkey | None:
        """Return a passkey by its credential id."""
        row = self._one(_PASSKEY, credential_id)
        return None if row is None else _rows.read_passkey(row)

    def _one(self, statement: str, key: Any) -> Row | None:  # noqa: ANN401 - bytes or text
        row: Row | None = self._connection.execute(statement, (key,)).fetchone()
        return row

    def _customer(self, statement: str, key: Any) -> Customer | None:  # noqa: ANN401
        row = self._one(statement, key)
        return None if row is None else _rows.read_customer(row)

    def _merchant(self, statement: str, key: Any) -> Merchant | None:  # noqa: ANN401
        row = self._one(statement, key)
        return None if row is None else _rows.read_merchant(row)


TakeLeave = Callable[[sqlite3.Connection, AmanaId], int]
"""Ends what a party has going in the rooms above, in the unit of work that closes its account.

Returns what is on its way outside the ledger, in minor units; where anything is, nothing changes.
"""


class PeopleStore:
    """Changes, each one durable unit of work that may be repeated."""

    def __init__(self, writer: Writer, *, handle_pepper: bytes, take_leave: TakeLeave) -> None:
        """Keep rows through a writer.

        Args:
            writer: The one writer of the data folder.
            handle_pepper: 32 bytes from the signatory folder, under which handles are hashed.
            take_leave: What the rooms above do in the unit of work that closes an account.
        """
        assert len(handle_pepper) == sha256().digest_size, "the pepper is 32 bytes"
        self._writer = writer
        self._pepper = handle_pepper
        self._take_leave = take_leave

    async def add_customer(
        self, customer: Customer, *, passkey: Passkey | None = None, token: Token | None = None
    ) -> Customer | None:
        """Keep a customer, with a first passkey and session if there are any, in one unit.

        Returns:
            The stored row; None where the handle or the passkey belongs to somebody else.
        """
        row = _rows.customer_row(customer)

        def work(connection: sqlite3.Connection) -> Customer | None:
            stored = connection.execute(_CUSTOMER, row[:1]).fetchone()
            if stored is not None:
                return _rows.read_customer(stored)
            if (
                passkey is not None
                and connection.execute(_PASSKEY, (passkey.credential_id,)).fetchone()
            ):
                return None
            if not self._take_handle(connection, customer.handle):
                return None
            connection.execute(_ADD_CUSTOMER, row)
            if passkey is not None:
                connection.execute(_ADD_PASSKEY, _rows.passkey_row(passkey))
            if token is not None:
                connection.execute(_ADD_TOKEN, _rows.token_row(token))
            return customer

        return await self._writer.run(work)

    async def add_merchant(self, merchant: Merchant) -> Merchant | None:
        """Keep a merchant; return the stored row, or None where the handle is taken."""
        row = _rows.merchant_row(merchant)

        def work(connection: sqlite3.Connection) -> Merchant | None:
            stored = connection.execute(_MERCHANT, row[:1]).fetchone()
            if stored is not None:
                return _rows.read_merchant(stored)
            if not self._take_handle(connection, merchant.handle):
                return None
            connection.execute(_ADD_MERCHANT, row)
            return merchant

        return await self._writer.run(work)

    async def add_site(self, site: Site) -> None:
        """Keep a site and its tills."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_ADD_SITE, _rows.site_row(site))
            connection.executemany(_ADD_TILL, [_rows.till_row(till) for till in site.tills])

        await self._writer.run(work)

    async def add_staff(self, staff: Staff) -> None:
        """Keep a member of a merchant's staff."""
        await self._execute(_ADD_STAFF, _rows.staff_row(staff))

    async def add_operator_staff(self, staff: OperatorStaff) -> None:
        """Keep a member of the operator's staff."""
        await self._execute(_ADD_OPERATOR_STAFF, _rows.operator_staff_row(staff))

    async def add_token(self, token: Token) -> None:
        """Keep a token."""
        await self._execute(_ADD_TOKEN, _rows.token_row(token))

    async def delete_token(self, token: AmanaId) -> None:
        """Delete a token."""
        await self._execute(_DELETE_TOKEN, (id_bytes(token),))

    async def delete_staff(self, staff: AmanaId) -> None:
        """Delete a member of a merchant's staff with all their tokens."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_DELETE_TOKENS_OF, (id_bytes(staff),))
            connection.execute(_DELETE_STAFF, (id_bytes(staff),))

        await self._writer.run(work)

    async def delete_expired_tokens(self, now: Instant) -> int:
        """Delete tokens whose end has come; return how many."""
        return await self._writer.run(
            lambda connection: connection.execute(_DELETE_EXPIRED_TOKENS, (now,)).rowcount
        )

    async def set_note_key(self, customer: AmanaId, note_key: bytes) -> None:
        """Replace the key that others seal notes to."""
        await self._execute(_SET_NOTE_KEY, (note_key, id_bytes(customer)))

    async def close_party(self, party: AmanaId) -> int:
        """Close a customer or merchant, and delete its tokens and its staff's.

        Returns what is on its way to or from the party outside the ledger, in minor units; where
        anything is, nothing was changed.
        """
        key = (id_bytes(party),)

        def work(connection: sqlite3.Connection) -> int:
            owed = self._take_leave(connection, party)
            if owed:
                return owed
            connection.execute(_CLOSE_CUSTOMER, (_CLOSED, *key))
            connection.execute(_CLOSE_MERCHANT, (_CLOSED, *key))
            connection.execute(_DELETE_TOKENS_OF, key)
            connection.execute(_DELETE_STAFF_TOKENS_OF, key)
            return 0

        return await self._writer.run(work)

    async def raise_sign_count(self, credential_id: bytes, sign_count: int) -> bool:
        """Raise a passkey's sign count; False where it is there already, or higher."""
        row = (sign_count, credential_id, sign_count)
        return await self._writer.run(
            lambda connection: connection.execute(_RAISE_SIGN_COUNT, row).rowcount == 1
        )

    async def erase_customer(self, customer: AmanaId) -> None:
        """Empty a customer's row, and delete passkeys and tokens; the books' ids stay."""
        key = (id_bytes(customer),)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(_DELETE_TOKENS_OF, key)
            connection.execute(_DELETE_PASSKEYS_OF, key)
            connection.execute(_ERASE_CUSTOMER, key)

        await self._writer.run(work)

    def _take_handle(self, connection: sqlite3.Connection, handle: str) -> bool:
        """Take a handle for ever; False where somebody has or had it."""
        keyed_hash = hmac.digest(self._pepper, handle.encode(), "sha256")
        if connection.execute(_HANDLE, (keyed_hash,)).fetchone() is not None:
            return False
        connection.execute(_ADD_HANDLE, (keyed_hash,))
        return True

    async def _execute(self, statement: str, row: Row) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(statement, row)

        await self._writer.run(work)
