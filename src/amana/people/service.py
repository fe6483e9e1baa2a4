"""Opening and closing accounts of customers and merchants, their staff, their tokens."""

from collections.abc import Iterable, Mapping
from typing import Final

from amana.kernel import AmanaId, Chance, Clock, Instant, new_id
from amana.ledger import Account, AccountFlags, AccountStatus, Ledger
from amana.people.authenticator import Authenticator
from amana.people.directory import Directory
from amana.people.model import (
    Customer,
    Handle,
    IssuedToken,
    Limits,
    Merchant,
    MerchantRole,
    OperatorRole,
    OperatorStaff,
    PartyStatus,
    Passkey,
    RefusalReason,
    Refused,
    Scope,
    Site,
    Staff,
    Till,
    Token,
    TokenKind,
)
from amana.people.ports import PeopleReader, PeopleWriter, PersonErasure
from amana.people.rules import (
    decide_close,
    decide_customer,
    decide_erase,
    decide_label,
    decide_merchant,
    decide_note_key,
    decide_scopes,
    is_name,
)
from amana.people.tiers import Tiers
from amana.people.tokens import SESSION_LIFE_NS, TOKEN_CHANCE_BYTES, make_token

CUSTOMER_ACCOUNT_CODE: Final = 10
MERCHANT_ACCOUNT_CODE: Final = 20
"""Places in the chart of accounts."""

_NOT_FOUND: Final = Refused(RefusalReason.NOT_FOUND, "There is none with this id.")
_NO_NAMES: Final[Mapping[str, str]] = {}


class PeopleEraser:
    """Empties a customer's rows, and drops them from memory."""

    def __init__(
        self,
        *,
        reader: PeopleReader,
        writer: PeopleWriter,
        directory: Directory,
        authenticator: Authenticator,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._directory = directory
        self._authenticator = authenticator

    async def erase_person(self, person: AmanaId) -> None:
        """Empty the customer's row, delete passkeys and tokens; the books' ids stay."""
        await self._writer.erase_customer(person)
        self._directory.forget(person)
        self._authenticator.forget_party(person)

    def erased_persons(self) -> Iterable[AmanaId]:
        """Return the customers whose rows are emptied."""
        return self._reader.erased_customers()


class People:
    """The room's use cases. Each may be repeated with the same ids without harm."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        ledger_number: int,
        reader: PeopleReader,
        writer: PeopleWriter,
        directory: Directory,
        authenticator: Authenticator,
        erasure: PersonErasure,
        tiers: Tiers,
        clock: Clock,
        chance: Chance,
    ) -> None:
        """Wire the room; `ledger_number` is that of the operator's currency in the books."""
        self._ledger = ledger
        self._ledger_number = ledger_number
        self._reader = reader
        self._writer = writer
        self._directory = directory
        self._authenticator = authenticator
        self._erasure = erasure
        self._tiers = tiers
        self._clock = clock
        self._chance = chance

    def new_customer(
        self,
        handle: str,
        display_name: str,
        *,
        language: str = "en",
        tier: str | None = None,
        limits_override: Limits | None = None,
        user_handle: bytes | None = None,
    ) -> Customer:
        """Make the ids of a customer to be opened; keep them to open the same one again."""
        return Customer(
            customer=self._new_id(),
            ledger_account=self._new_id(),
            handle=Handle(handle),
            display_name=display_name,
            language=language,
            tier=self._tiers.default if tier is None else tier,
            status=PartyStatus.ACTIVE,
            limits_override=limits_override,
            user_handle=user_handle,
        )

    def new_merchant(
        self,
        handle: str,
        name: str,
        *,
        category: str,
        country: str,
        city: str,
        names: Mapping[str, str] = _NO_NAMES,
        fee_basis_points: int | None = None,
    ) -> Merchant:
        """Make the ids of a merchant to be opened; keep them to open the same one again."""
        return Merchant(
            merchant=self._new_id(),
            ledger_account=self._new_id(),
            handle=Handle(handle),
            name=name,
            names=names,
            category=category,
            country=country,
            city=city,
            fee_basis_points=fee_basis_points,
            status=PartyStatus.ACTIVE,
        )

    async def open_customer(
        self, customer: Customer, *, passkey: Passkey | None = None, token: Token | None = None
    ) -> Customer | Refused:
        """Open the ledger account, then keep the customer; return the stored one.

        Raises:
            Unavailable: Whether it was opened is not known; open the same one again.
        """
        refusal = self.decide_opening(customer)
        if refusal is not None:
            return refusal
        await self._open_account(customer.ledger_account, CUSTOMER_ACCOUNT_CODE)
        stored = await self._writer.add_customer(customer, passkey=passkey, token=token)
        if stored is None:
            return _handle_taken()
        if (stored.handle, stored.ledger_account) != (customer.handle, customer.ledger_account):
            return Refused(RefusalReason.ID_REUSED, "The id belongs to another customer.")
        return stored

    def decide_opening(self, customer: Customer) -> Refused | None:
        """Refuse a customer who could not be opened as things stand."""
        refusal = decide_customer(customer)
        if refusal is not None:
            return refusal
        if customer.tier not in self._tiers.limits:
            return Refused(RefusalReason.TIER_UNKNOWN, "There is no tier of this name.")
        return self._decide_handle(customer.handle, customer.customer)

    async def open_merchant(self, merchant: Merchant) -> Merchant | Refused:
        """Open the ledger account, then keep the merchant; return the stored one.

        Raises:
            Unavailable: Whether it was opened is not known; open the same one again.
        """
        refusal = decide_merchant(merchant) or self._decide_handle(
            merchant.handle, merchant.merchant
        )
        if refusal is not None:
            return refusal
        await self._open_account(merchant.ledger_account, MERCHANT_ACCOUNT_CODE)
        stored = await self._writer.add_merchant(merchant)
        if stored is None:
            return _handle_taken()
        if (stored.handle, stored.ledger_account) != (merchant.handle, merchant.ledger_account):
            return Refused(RefusalReason.ID_REUSED, "The id belongs to another merchant.")
        return stored

    async def add_site(
        self, merchant: AmanaId, name: str, till_names: Iterable[str] = ()
    ) -> Site | Refused:
        """Add a place of business, with its tills."""
        tills = tuple(till_names)
        if self._reader.merchant(merchant) is None:
            return _NOT_FOUND
        if not all(is_name(text) for text in (name, *tills)):
            return Refused(RefusalReason.NAME_MALFORMED, "Sites and tills have visible names.")
        site = self._new_id()
        made = tuple(Till(self._new_id(), site, merchant, till) for till in tills)
        kept = Site(site, merchant, name, made)
        await self._writer.add_site(kept)
        return kept

    async def add_staff(self, merchant: AmanaId, name: str, role: MerchantRole) -> Staff | Refused:
        """Add a member of a merchant's staff."""
        if self._reader.merchant(merchant) is None:
            return _NOT_FOUND
        if not is_name(name):
            return Refused(RefusalReason.NAME_MALFORMED, "A member of staff has a visible name.")
        staff = Staff(self._new_id(), merchant, name, role)
        await self._writer.add_staff(staff)
        return staff

    def staff_of(self, merchant: AmanaId) -> tuple[Staff, ...]:
        """Return a merchant's staff."""
        return self._reader.staff_of(merchant)

    async def remove_staff(self, staff: AmanaId, *, merchant: AmanaId) -> Refused | None:
        """Remove a member of this merchant's staff; their tokens end at once."""
        found = self._reader.staff(staff)
        if found is None or found.merchant != merchant:
            return _NOT_FOUND
        tokens = self._reader.tokens_of(staff)
        await self._writer.delete_staff(staff)
        for token in tokens:
            self._authenticator.forget(token.token)
        return None

    async def add_operator_staff(self, name: str, role: OperatorRole) -> OperatorStaff | Refused:
        """Add a member of the operator's own staff."""
        if not is_name(name):
            return Refused(RefusalReason.NAME_MALFORMED, "A member of staff has a visible name.")
        staff = OperatorStaff(self._new_id(), name, role)
        await self._writer.add_operator_staff(staff)
        return staff

    def sites(self, merchant: AmanaId) -> tuple[Site, ...]:
        """Return a merchant's sites with their tills."""
        return self._reader.sites(merchant)

    def till(self, merchant: AmanaId, till: AmanaId) -> Till | None:
        """Return a till, if it is this merchant's."""
        found = self._reader.till(till)
        return None if found is None or found.merchant != merchant else found

    async def set_note_key(self, customer: AmanaId, note_key: bytes) -> Refused | None:
        """Replace the key of the customer's device that others seal notes to."""
        refusal = decide_note_key(note_key)
        if refusal is not None:
            return refusal
        await self._writer.set_note_key(customer, note_key)
        self._directory.forget(customer)
        return None

    async def close(self, party: AmanaId) -> Refused | None:
        """Close an account that holds nothing; its tokens end with it.

        A payment that was already under way may still arrive; the operator pays it out.
        """
        facts = self._directory.by_id(party)
        if facts is None:
            return _NOT_FOUND
        held_minor = await self._held_minor(facts.ledger_account)
        refusal = decide_close(facts.status, held_minor=held_minor)
        if refusal is not None:
            return refusal
        # What is on its way to the account is judged in the unit that closes it: nothing can set
        # out between the two.
        owed_minor = await self._writer.close_party(party)
        refusal = decide_close(facts.status, held_minor=owed_minor)
        if refusal is not None:
            return refusal
        self._directory.forget(party)
        self._authenticator.forget_party(party)
        return None

    async def erase(self, customer: AmanaId) -> Refused | None:
        """Erase a customer whose account is closed: keys first, then rows.

        Raises:
            Unavailable: The keys are destroyed; the rows go with the next start or another call.
        """
        row = self._reader.customer(customer)
        if row is None:
            return _NOT_FOUND
        refusal = decide_erase(row.status)
        if refusal is None:
            await self._erasure.erase(customer)
        return refusal

    async def issue_session(
        self,
        customer: AmanaId,
        *,
        is_confirmation_exempt: bool = False,
        is_lasting: bool = False,
    ) -> IssuedToken | Refused:
        """Sign a customer in: for thirty days, or (a demo's scripts) until revoked."""
        row = self._reader.customer(customer)
        if row is None:
            return _NOT_FOUND
        if row.status is not PartyStatus.ACTIVE:
            return Refused(RefusalReason.NOT_ACTIVE, "The account is closed.")
        token, issued = self.make_session(
            customer, is_confirmation_exempt=is_confirmation_exempt, is_lasting=is_lasting
        )
        await self._writer.add_token(token)
        return issued

    def make_session(
        self, customer: AmanaId, *, is_confirmation_exempt: bool = False, is_lasting: bool = False
    ) -> tuple[Token, IssuedToken]:
        """Make a customer's session without keeping it: its row goes with the customer's."""
        return make_token(
            TokenKind.SESSION,
            customer,
            now=self._clock.now(),
            chance=self._chance.draw(TOKEN_CHANCE_BYTES),
            is_confirmation_exempt=is_confirmation_exempt,
            expires_at=None if is_lasting else self._session_end(),
        )

    async def issue_staff_session(self, staff: AmanaId) -> IssuedToken | Refused:
        """Sign a member of a merchant's staff in at a till, for thirty days."""
        if self._reader.staff(staff) is None:
            return _NOT_FOUND
        return await self._issue(TokenKind.STAFF_SESSION, staff, expires_at=self._session_end())

    async def issue_operator_token(self, staff: AmanaId) -> IssuedToken | Refused:
        """Give a member of the operator's staff a token that lasts until revoked."""
        if self._reader.operator_staff(staff) is None:
            return _NOT_FOUND
        return await self._issue(TokenKind.OPERATOR, staff)

    async def issue_api_key(
        self,
        merchant: AmanaId,
        scopes: frozenset[Scope],
        *,
        held: frozenset[Scope] = frozenset(Scope),
        label: str = "",
        is_confirmation_exempt: bool = False,
    ) -> IssuedToken | Refused:
        """Give a merchant a key that never does more than its maker may, which is `held`."""
        if self._reader.merchant(merchant) is None:
            return _NOT_FOUND
        refusal = decide_scopes(held, scopes) or decide_label(label)
        if refusal is not None:
            return refusal
        return await self._issue(
            TokenKind.API_KEY,
            merchant,
            scopes=scopes,
            label=label,
            is_confirmation_exempt=is_confirmation_exempt,
        )

    def api_keys(self, merchant: AmanaId) -> tuple[Token, ...]:
        """Return a merchant's keys, without the keys themselves."""
        return self._reader.tokens_of(merchant)

    async def revoke(self, token: AmanaId, *, holder: AmanaId) -> Refused | None:
        """End a token of this holder, at once and for good."""
        if token not in {held.token for held in self._reader.tokens_of(holder)}:
            return _NOT_FOUND
        await self._writer.delete_token(token)
        self._authenticator.forget(token)
        return None

    async def forget_expired_tokens(self) -> int:
        """Delete sessions that have ended; due once a day. They speak for nobody before that."""
        return await self._writer.delete_expired_tokens(self._clock.now())

    async def _issue(
        self,
        kind: TokenKind,
        holder: AmanaId,
        *,
        scopes: frozenset[Scope] = frozenset(),
        label: str = "",
        is_confirmation_exempt: bool = False,
        expires_at: Instant | None = None,
    ) -> IssuedToken:
        token, issued = make_token(
            kind,
            holder,
            now=self._clock.now(),
            chance=self._chance.draw(TOKEN_CHANCE_BYTES),
            scopes=scopes,
            label=label,
            is_confirmation_exempt=is_confirmation_exempt,
            expires_at=expires_at,
        )
        await self._writer.add_token(token)
        return issued

    async def _open_account(self, ledger_account: AmanaId, code: int) -> None:
        account = Account(
            id=ledger_account,
            ledger=self._ledger_number,
            code=code,
            flags=AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS,
        )
        (result,) = await self._ledger.create_accounts([account])
        assert result.status in {AccountStatus.CREATED, AccountStatus.EXISTS}, (
            f"an account with a fresh id opens: {result.status.name}"
        )

    async def _held_minor(self, ledger_account: AmanaId) -> int:
        """Sum what an account holds and what is pending in or out of it."""
        (account,) = await self._ledger.lookup_accounts([ledger_account])
        balance = account.credits_posted - account.debits_posted
        return balance + account.credits_pending + account.debits_pending

    def _decide_handle(self, handle: str, party: AmanaId) -> Refused | None:
        holder = self._directory.by_handle(handle)
        return None if holder is None or holder.party == party else _handle_taken()

    def _session_end(self) -> Instant:
        return Instant(self._clock.now() + SESSION_LIFE_NS)

    def _new_id(self) -> AmanaId:
        return new_id(self._clock.now(), self._chance.draw(9))


def _handle_taken() -> Refused:
    return Refused(RefusalReason.HANDLE_TAKEN, "Somebody has this handle, or had it.")
