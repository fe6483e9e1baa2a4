"""Who takes part: customers, merchants with sites and tills, staff, tokens, and their states."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

import msgspec

from amana.kernel import AmanaId, Instant

Handle = NewType("Handle", str)
"""A checked handle: lower-case ASCII letters, digits and inner hyphens, 3 to 25 characters."""


class PartyKind(StrEnum):
    """Who can be paid."""

    PERSON = "person"
    MERCHANT = "merchant"


class PartyStatus(StrEnum):
    """State of a customer or merchant."""

    ACTIVE = "active"
    CLOSED = "closed"
    ERASED = "erased"


TRANSITIONS: Final[Mapping[PartyStatus, frozenset[PartyStatus]]] = {
    PartyStatus.ACTIVE: frozenset({PartyStatus.CLOSED}),
    PartyStatus.CLOSED: frozenset({PartyStatus.ERASED}),
    PartyStatus.ERASED: frozenset(),
}
"""From each state, the states that may follow."""


class Limits(msgspec.Struct, frozen=True, gc=False):
    """The most a party may pay at once, pay in a day, and hold; minor units."""

    payment_minor_max: int
    day_minor_max: int
    holding_minor_max: int


class PartyFacts(msgspec.Struct, frozen=True, gc=False):
    """What a payment needs to know of a payer or payee; all of it public profile or limits.

    `handle` and `name` are empty once the party is erased. `names` are names in other scripts by
    language. Category, country and city are a merchant's only; `note_key` a customer's only.
    `fee_basis_points` is None where the published schedule applies.
    """

    party: AmanaId
    kind: PartyKind
    ledger_account: AmanaId
    status: PartyStatus
    handle: str
    name: str
    names: Mapping[str, str]
    tier: str
    limits: Limits
    language: str | None
    note_key: bytes | None
    fee_basis_points: int | None
    category: str | None
    country: str | None
    city: str | None


class MerchantRole(StrEnum):
    """What a member of a merchant's staff is there for."""

    OWNER = "owner"
    MANAGER = "manager"
    CASHIER = "cashier"


class OperatorRole(StrEnum):
    """What a member of the operator's staff is there for."""

    OFFICER = "officer"
    SUPPORT = "support"
    AUDITOR = "auditor"


class Scope(StrEnum):
    """What a merchant's key may do."""

    ORDERS = "orders"
    REFUNDS = "refunds"
    EVENTS = "events"
    READ = "read"


class PrincipalKind(StrEnum):
    """On whose behalf a request speaks."""

    CUSTOMER = "customer"
    MERCHANT = "merchant"
    OPERATOR = "operator"


class TokenKind(StrEnum):
    """Which kind of token was shown once to its holder."""

    SESSION = "session"
    STAFF_SESSION = "staff-session"
    API_KEY = "api-key"
    OPERATOR = "operator"


TOKEN_PREFIXES: Final[Mapping[TokenKind, str]] = {
    TokenKind.SESSION: "ams_",
    TokenKind.STAFF_SESSION: "ams_",
    TokenKind.API_KEY: "amk_",
    TokenKind.OPERATOR: "amo_",
}


class Principal(msgspec.Struct, frozen=True, gc=False):
    """Who asks, as far as a request needs to know.

    `party` is the customer, the merchant, or the member of the operator's staff; `staff` the
    member of a merchant's staff, if it was one. `ledger_account` is None for the operator's staff.
    `is_confirmation_exempt` is the demo's play-money exemption from payment confirmation.
    """

    token: AmanaId
    kind: PrincipalKind
    party: AmanaId
    ledger_account: AmanaId | None
    scopes: frozenset[Scope]
    role: MerchantRole | OperatorRole | None
    staff: AmanaId | None
    tier: str
    is_confirmation_exempt: bool
    expires_at: Instant | None


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer's row. Legal name, telephone and e-mail address are in the vault, not here."""

    customer: AmanaId
    ledger_account: AmanaId
    handle: Handle
    display_name: str
    language: str
    tier: str
    status: PartyStatus
    note_key: bytes | None = None
    limits_override: Limits | None = None
    user_handle: bytes | None = None


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant's row: a public profile throughout."""

    merchant: AmanaId
    ledger_account: AmanaId
    handle: Handle
    name: str
    names: Mapping[str, str]
    category: str
    country: str
    city: str
    fee_basis_points: int | None
    status: PartyStatus


@dataclass(frozen=True, slots=True)
class Till:
    """A till, or a printed code, at a site."""

    till: AmanaId
    site: AmanaId
    merchant: AmanaId
    name: str


@dataclass(frozen=True, slots=True)
class Site:
    """A place of business with its tills."""

    site: AmanaId
    merchant: AmanaId
    name: str
    tills: tuple[Till, ...] = ()


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of a merchant's staff."""

    staff: AmanaId
    merchant: AmanaId
    name: str
    role: MerchantRole


@dataclass(frozen=True, slots=True)
class OperatorStaff:
    """A member of the operator's staff, by name: readings of the vault are recorded by it."""

    staff: AmanaId
    name: str
    role: OperatorRole


@dataclass(frozen=True, slots=True)
class Token:
    """A token's row; the token itself is stored nowhere."""

    token: AmanaId
    digest: bytes
    kind: TokenKind
    holder: AmanaId
    scopes: frozenset[Scope] = frozenset()
    label: str = ""
    is_confirmation_exempt: bool = False
    expires_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token at the only moment when its text is known."""

    token: AmanaId
    text: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey's public half."""

    credential_id: bytes
    customer: AmanaId
    public_key: bytes
    sign_count: int


class RefusalReason(StrEnum):
    """Why something asked of this room was refused."""

    HANDLE_MALFORMED = "handle-malformed"
    HANDLE_TAKEN = "handle-taken"
    NAME_MALFORMED = "name-malformed"
    LANGUAGE_UNKNOWN = "language-unknown"
    TIER_UNKNOWN = "tier-unknown"
    CATEGORY_MALFORMED = "category-malformed"
    COUNTRY_MALFORMED = "country-malformed"
    CITY_MALFORMED = "city-malformed"
    FEE_OUT_OF_RANGE = "fee-out-of-range"
    NOTE_KEY_MALFORMED = "note-key-malformed"
    SCOPES_TOO_WIDE = "scopes-too-wide"
    NOT_FOUND = "not-found"
    NOT_ACTIVE = "not-active"
    NOT_CLOSED = "not-closed"
    HOLDS_MONEY = "holds-money"
    ID_REUSED = "id-reused"
    PASSKEY_REFUSED = "passkey-refused"


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal; `detail` helps the person who reads it and holds nothing personal."""

    reason: RefusalReason
    detail: str = ""


class LimitReason(StrEnum):
    """Which limit a payment would break; the words are those of the problem documents."""

    EXCEEDS_PAYMENT_LIMIT = "exceeds-payment-limit"
    EXCEEDS_DAY_LIMIT = "exceeds-day-limit"
    EXCEEDS_HOLDING_LIMIT = "exceeds-holding-limit"
