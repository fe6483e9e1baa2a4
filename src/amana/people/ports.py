"""What this room needs from outside: its rows, the keeping of them, and accounts in the books."""

from typing import Protocol

from amana.kernel import AmanaId, Instant
from amana.people.model import (
    Customer,
    Merchant,
    OperatorStaff,
    Passkey,
    Site,
    Staff,
    Till,
    Token,
)


class PeopleReader(Protocol):
    """Look-ups of what is committed, answered at once."""

    def customer(self, customer: AmanaId) -> Customer | None:
        """Return a customer by id."""

    def customer_by_handle(self, handle: str) -> Customer | None:
        """Return the customer who has this handle."""

    def customer_by_account(self, ledger_account: AmanaId) -> Customer | None:
        """Return the customer whose money this ledger account holds."""

    def merchant(self, merchant: AmanaId) -> Merchant | None:
        """Return a merchant by id."""

    def merchant_by_handle(self, handle: str) -> Merchant | None:
        """Return the merchant who has this handle."""

    def merchant_by_account(self, ledger_account: AmanaId) -> Merchant | None:
        """Return the merchant whose money this ledger account holds."""

    def sites(self, merchant: AmanaId) -> tuple[Site, ...]:
        """Return a merchant's sites with their tills, in the order of their making."""

    def till(self, till: AmanaId) -> Till | None:
        """Return a till by id."""

    def staff(self, staff: AmanaId) -> Staff | None:
        """Return a member of a merchant's staff."""

    def staff_of(self, merchant: AmanaId) -> tuple[Staff, ...]:
        """Return a merchant's staff, in the order of their making."""

    def operator_staff(self, staff: AmanaId) -> OperatorStaff | None:
        """Return a member of the operator's staff."""

    def token_by_digest(self, digest: bytes) -> Token | None:
        """Return the token whose SHA-256 this is."""

    def tokens_of(self, holder: AmanaId) -> tuple[Token, ...]:
        """Return a holder's tokens, in the order of their making."""

    def erased_customers(self) -> tuple[AmanaId, ...]:
        """Return the customers whose rows are emptied."""

    def passkey(self, credential_id: bytes) -> Passkey | None:
        """Return a passkey by its credential id."""


class PersonErasure(Protocol):
    """Destroys a person's keys and has every room delete its rows about them."""

    async def erase(self, person: AmanaId) -> object:
        """Erase a person; again and again without harm."""


class PeopleWriter(Protocol):
    """The keeping of rows; each call is one durable unit of work and may be repeated.

    Raises:
        Unavailable: Storage failed; ask again with the same ids.
    """

    async def add_customer(
        self, customer: Customer, *, passkey: Passkey | None, token: Token | None
    ) -> Customer | None:
        """Keep a customer, with a first passkey and session if there are any, in one unit.

        Returns:
            The stored row; None where the handle or the passkey belongs to somebody else.
        """

    async def add_merchant(self, merchant: Merchant) -> Merchant | None:
        """Keep a merchant; return the stored row, or None where the handle is taken."""

    async def add_site(self, site: Site) -> None:
        """Keep a site and its tills."""

    async def add_staff(self, staff: Staff) -> None:
        """Keep a member of a merchant's staff."""

    async def add_operator_staff(self, staff: OperatorStaff) -> None:
        """Keep a member of the operator's staff."""

    async def add_token(self, token: Token) -> None:
        """Keep a token."""

    async def delete_staff(self, staff: AmanaId) -> None:
        """Delete a member of a merchant's staff with all their tokens."""

    async def delete_token(self, token: AmanaId) -> None:
        """Delete a token."""

    async def delete_expired_tokens(self, now: Instant) -> int:
        """Delete tokens whose end has come; return how many."""

    async def set_note_key(self, customer: AmanaId, note_key: bytes) -> None:
        """Replace the key that others seal notes to."""

    async def close_party(self, party: AmanaId) -> int:
        """Close a customer or merchant, and delete its tokens and its staff's.

        Returns what is on its way to or from the party outside the ledger, in minor units; where
        anything is, nothing was changed.
        """

    async def raise_sign_count(self, credential_id: bytes, sign_count: int) -> bool:
        """Raise a passkey's sign count; False where it is there already, or higher."""

    async def erase_customer(self, customer: AmanaId) -> None:
        """Empty a customer's row, and delete passkeys and tokens; the books' ids stay."""
