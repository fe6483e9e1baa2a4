"""Decisions on handles, names, limits, scopes and states: facts in, decision out."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from amana.kernel import AMOUNT_MINOR_MAX
from amana.kernel.limits import (
    DISPLAY_NAME_CHARACTERS_MAX,
    HANDLE_CHARACTERS_MAX,
    HANDLE_CHARACTERS_MIN,
)
from amana.people.model import (
    TRANSITIONS,
    Customer,
    Handle,
    LimitReason,
    Limits,
    Merchant,
    MerchantRole,
    PartyStatus,
    RefusalReason,
    Refused,
    Scope,
)

LANGUAGES: Final = frozenset({"en", "ar"})
"""Languages the wallet speaks."""

NOTE_KEY_BYTES: Final = 32
"""Bytes of an X25519 public key. Source: RFC 7748, section 5."""

FEE_BASIS_POINTS_MAX: Final = 10_000
"""Hundredths of a per cent: a fee takes at most the whole payment."""

CITY_CHARACTERS_MAX: Final = 15
"""Characters of a city, so that it fits EMVCo tag 60."""

UNLIMITED: Final = Limits(AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX)
"""No limit but the engine's: merchants, whose income is not capped here."""

ROLE_SCOPES: Final[Mapping[MerchantRole, frozenset[Scope]]] = {
    MerchantRole.OWNER: frozenset(Scope),
    MerchantRole.MANAGER: frozenset(Scope),
    MerchantRole.CASHIER: frozenset({Scope.ORDERS, Scope.EVENTS, Scope.READ}),
}
"""What a member of a merchant's staff may do at the till: a cashier gives no money back."""

_HANDLE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)
_CATEGORY: Final = re.compile(r"[0-9]{4}", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_LANGUAGE_TAG: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}", re.ASCII)
_NAMES_MAX: Final = 8

_VISIBLE_CATEGORIES: Final = frozenset("LNPS")
"""Letters, numbers, punctuation, symbols: a name shows at least one of them."""

# Controls, characters that reorder what follows them, private use, unassigned, lone surrogates,
# and line and paragraph separators: none of them belongs in a name, and some make one name look
# like another. Joiners and marks stay: scripts need them.
_BARRED_CATEGORIES: Final = frozenset({"Cc", "Co", "Cn", "Cs", "Zl", "Zp"})
_BARRED_CHARACTERS: Final = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


def parse_handle(text: str) -> Handle | None:
    """Return the handle, or None where the text is not one."""
    is_length_right = HANDLE_CHARACTERS_MIN <= len(text) <= HANDLE_CHARACTERS_MAX
    if not is_length_right or _HANDLE.fullmatch(text) is None:
        return None
    return Handle(text)


def is_name(text: str, *, characters_max: int = DISPLAY_NAME_CHARACTERS_MAX) -> bool:
    """Say whether others may be shown this as a name; any script, and never changed by us."""
    if not 0 < len(text) <= characters_max or text != text.strip():
        return False
    categories = [unicodedata.category(character) for character in text]
    is_visible = any(category[0] in _VISIBLE_CATEGORIES for category in categories)
    return is_visible and not any(
        character in _BARRED_CHARACTERS or category in _BARRED_CATEGORIES
        for character, category in zip(text, categories, strict=True)
    )


def decide_customer(customer: Customer) -> Refused | None:
    """Refuse a customer whose profile is not well formed."""
    if parse_handle(customer.handle) is None:
        return Refused(RefusalReason.HANDLE_MALFORMED, _HANDLE_HELP)
    if not is_name(customer.display_name):
        return Refused(RefusalReason.NAME_MALFORMED, _NAME_HELP)
    if customer.language not in LANGUAGES:
        return Refused(RefusalReason.LANGUAGE_UNKNOWN, "The language is en or ar.")
    return None


def decide_merchant(merchant: Merchant) -> Refused | None:
    """Refuse a merchant whose profile is not well formed."""
    if parse_handle(merchant.handle) is None:
        return Refused(RefusalReason.HANDLE_MALFORMED, _HANDLE_HELP)
    if not is_name(merchant.name) or not _are_names(merchant.names):
        return Refused(RefusalReason.NAME_MALFORMED, _NAME_HELP)
    if _CATEGORY.fullmatch(merchant.category) is None:
        return Refused(RefusalReason.CATEGORY_MALFORMED, "A category is four digits, ISO 18245.")
    if _COUNTRY.fullmatch(merchant.country) is None:
        return Refused(RefusalReason.COUNTRY_MALFORMED, "A country is two capitals, ISO 3166-1.")
    if not is_name(merchant.city, characters_max=CITY_CHARACTERS_MAX):
        return Refused(RefusalReason.CITY_MALFORMED, "A city has 1 to 15 visible characters.")
    if not 0 <= (merchant.fee_basis_points or 0) <= FEE_BASIS_POINTS_MAX:
        return Refused(RefusalReason.FEE_OUT_OF_RANGE, "A fee is 0 to 10,000 basis points.")
    return None


def decide_note_key(note_key: bytes) -> Refused | None:
    """Refuse what cannot be an X25519 public key that anybody holds the secret of.

    Points of small order are refused by whoever seals (RFC 7748, section 6.1); the zero point is
    refused here too, because it is what an uninitialised buffer looks like.
    """
    if len(note_key) != NOTE_KEY_BYTES or not any(note_key):
        return Refused(RefusalReason.NOTE_KEY_MALFORMED, "A note key is 32 bytes, not all zero.")
    return None


def decide_payment_limits(
    limits: Limits, *, amount_minor: int, spent_today_minor: int
) -> LimitReason | None:
    """Check what the payer may pay at once, then in the day.

    Args:
        limits: The payer's.
        amount_minor: What is to be paid, tip and fees of the payer included; not negative.
        spent_today_minor: What was paid or is held since the day began, without this payment.
    """
    assert amount_minor >= 0, "a payment is not negative"
    assert spent_today_minor >= 0, "what was spent is not negative"
    if amount_minor > limits.payment_minor_max:
        return LimitReason.EXCEEDS_PAYMENT_LIMIT
    if spent_today_minor + amount_minor > limits.day_minor_max:
        return LimitReason.EXCEEDS_DAY_LIMIT
    return None


def decide_holding_limit(
    limits: Limits, *, amount_minor: int, holding_minor: int
) -> LimitReason | None:
    """Check what the payee would hold with this payment."""
    assert amount_minor >= 0, "a payment is not negative"
    if holding_minor + amount_minor > limits.holding_minor_max:
        return LimitReason.EXCEEDS_HOLDING_LIMIT
    return None


def decide_label(label: str) -> Refused | None:
    """Refuse a label that a list of keys could not show; an empty one is allowed."""
    if label and not is_name(label):
        return Refused(RefusalReason.NAME_MALFORMED, _NAME_HELP)
    return None


def decide_scopes(held: frozenset[Scope], wanted: frozenset[Scope]) -> Refused | None:
    """Refuse a key that could do more than whoever asks for it, or nothing at all."""
    if not wanted or not wanted <= held:
        return Refused(
            RefusalReason.SCOPES_TOO_WIDE,
            "A key carries at least one scope, and none that its maker lacks.",
        )
    return None


def decide_close(status: PartyStatus, *, held_minor: int) -> Refused | None:
    """Refuse to close an account that is not open, or that still holds or awaits money."""
    if PartyStatus.CLOSED not in TRANSITIONS[status]:
        return Refused(RefusalReason.NOT_ACTIVE, "Only an active account can be closed.")
    if held_minor:
        return Refused(RefusalReason.HOLDS_MONEY, "Pay out what the account holds first.")
    return None


def decide_erase(status: PartyStatus) -> Refused | None:
    """Refuse to erase somebody whose account is still open; erasing twice changes nothing."""
    if status is PartyStatus.ERASED or PartyStatus.ERASED in TRANSITIONS[status]:
        return None
    return Refused(RefusalReason.NOT_CLOSED, "Close the account first.")


def _are_names(names: Mapping[str, str]) -> bool:
    return len(names) <= _NAMES_MAX and all(
        _LANGUAGE_TAG.fullmatch(language) is not None and is_name(name)
        for language, name in names.items()
    )


_HANDLE_HELP: Final = (
    "A handle has 3 to 25 lower-case letters, digits and hyphens, with no hyphen at either end."
)
_NAME_HELP: Final = "A name has 1 to 60 visible characters, and no space at either end."
