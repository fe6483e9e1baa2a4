"""What requests say: strict types, so that anything else is malformed."""

from typing import Annotated, Literal

import msgspec

from amana.kernel.limits import (
    DISPLAY_NAME_CHARACTERS_MAX,
    ORDER_LIFE_MS_MAX,
    ORDER_LIFE_MS_MIN,
    REFERENCE_CHARACTERS_MAX,
    SEALED_NOTE_CHARACTERS_MAX,
)

_CODE_CHARACTERS_MAX = 4_296
_URL_CHARACTERS_MAX = 2_000

# In Python `$` also matches before a last line feed, in ECMAScript it does not; the look-ahead
# makes one pattern mean the same here and in the OpenAPI document. Fixed lengths have a bound.
Digits = Annotated[str, msgspec.Meta(pattern=r"^-?(0|[1-9][0-9]{0,38})$(?!\n)", examples=["1250"])]
CurrencyCode = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", max_length=3, examples=["EUR"])]
HandleText = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Note = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]+$(?!\n)", max_length=SEALED_NOTE_CHARACTERS_MAX)
]
KeyText = Annotated[
    str,
    msgspec.Meta(pattern="^[A-Za-z0-9_-]{43}$", max_length=43, description="32 bytes, base64url"),
]
Printable = r"^[^\x00-\x1f\x7f]*$(?!\n)"
Name = Annotated[
    str, msgspec.Meta(min_length=1, max_length=DISPLAY_NAME_CHARACTERS_MAX, pattern=Printable)
]


class MoneyShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount: minor units as a string of digits, and their currency."""

    currency: CurrencyCode
    minor: Digits


class PaymentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payment to a handle, or by a scanned code; exactly one of the two."""

    amount: MoneyShape
    payee: HandleText | None = None
    code: Annotated[str, msgspec.Meta(max_length=_CODE_CHARACTERS_MAX)] | None = None
    tip: MoneyShape | None = None
    sealed_note: Note | None = None
    note_key: KeyText | None = None


class CodeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text that was scanned."""

    code: Annotated[str, msgspec.Meta(max_length=_CODE_CHARACTERS_MAX)]


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a merchant asks to be paid."""

    amount: MoneyShape
    reference: (
        Annotated[str, msgspec.Meta(max_length=REFERENCE_CHARACTERS_MAX, pattern=Printable)] | None
    ) = None
    basket_hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)] | None = None
    capture: Literal["automatic", "manual"] = "automatic"
    till: str | None = None
    expires_in_s: Annotated[
        int, msgspec.Meta(ge=ORDER_LIFE_MS_MIN // 1000, le=ORDER_LIFE_MS_MAX // 1000)
    ] = 900
    tip: Literal["none", "prompt"] = "none"


class AmountBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount, or all of it."""

    amount: MoneyShape | None = None


class EmptyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to say."""


class NoteBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was bought, sealed to the order's note key."""

    sealed_note: Note


class NoteKeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key that others seal notes to."""

    note_key: KeyText


class SignUpOptionsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to become a customer."""

    handle: HandleText
    display_name: Name
    language: Literal["en", "ar"] = "en"


class CeremonyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an authenticator answered."""

    ceremony: Annotated[str, msgspec.Meta(max_length=128)]
    credential: dict[str, object]


class CustomerBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A customer that the operator's staff opens."""

    handle: HandleText
    display_name: Name
    language: Literal["en", "ar"] = "en"


class MerchantBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant that the operator's staff opens, with its first site and till."""

    handle: HandleText
    name: Name
    category: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}$", max_length=4)]
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$", max_length=2)]
    city: Annotated[str, msgspec.Meta(min_length=1, max_length=15, pattern=Printable)]
    names: dict[str, Name] = {}
    site: Name = "Main"
    till: Name = "Till 1"


class TopupBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money that came in for a customer."""

    customer: HandleText
    amount: MoneyShape


class WebhookBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a merchant wants to be told, and of what; no kinds means all."""

    url: Annotated[str, msgspec.Meta(pattern="^https?://", max_length=_URL_CHARACTERS_MAX)]
    kinds: list[str] | None = None


class ReplayBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which event on deliveries are to be made again."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class ApiKeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new key may do."""

    scopes: list[Literal["orders", "refunds", "events", "read"]]


class StaffBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of a merchant's staff."""

    name: Name
    role: Literal["owner", "manager", "cashier"]
