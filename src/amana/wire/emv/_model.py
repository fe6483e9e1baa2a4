"""What a payment code says."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from amana.kernel import AmanaId, Currency, Money
from amana.wire.emv._tlv import DataObject

GLOBAL_ID: Final = "org.amana"
"""Names our merchant account template among others (sub-tag 00), as a reversed domain name."""

LOCAL_NAME_ID: Final = "org.amana.name"
"""Names our template in 80 to 99 for the merchant's name in a further language."""

KEYSETS_ID: Final = "org.amana.keys"
"""Names our template in 80 to 99 for the hash of the operator's list of keysets."""

KEYSETS_HASH_BYTES: Final = 16

CODE_CHARACTERS_MAX: Final = 512
"""Characters of a whole code, the bound of the EMVCo specification."""

CONSUMER_MUST_ENTER: Final = "***"
"""A value in the additional data by which the merchant asks the payer to type it."""


class Initiation(StrEnum):
    """Tag 01: whether one code serves one payment or many."""

    STATIC = "11"
    DYNAMIC = "12"


@dataclass(frozen=True, slots=True)
class AmanaAccount:
    """Our merchant account template, in any of the tags 26 to 51.

    Sub-tags: 00 the global id, 01 the operator's host, 02 the payee's handle, 03 the order, 04 the
    till; ids stand without their kind's prefix. Sub-tags of later editions are kept in `others`.
    """

    operator: str
    payee: str
    order: AmanaId | None = None
    till: AmanaId | None = None
    others: tuple[DataObject, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemeAccount:
    """Another scheme's merchant account, tags 02 to 51, unread.

    `identifier` is sub-tag 00 of a template in 26 to 51, or None.
    """

    tag: str
    value: str
    identifier: str | None = None


@dataclass(frozen=True, slots=True)
class NoTip:
    """No tip is asked for."""


@dataclass(frozen=True, slots=True)
class TipPrompt:
    """Tag 55 is 01: the wallet asks the payer for a tip."""


@dataclass(frozen=True, slots=True)
class TipFixed:
    """Tag 55 is 02: this much is added."""

    amount: Money


@dataclass(frozen=True, slots=True)
class TipPercent:
    """Tag 55 is 03: this share is added, in hundredths of a percent, 1 to 9999."""

    basis_points: int


Tip = NoTip | TipPrompt | TipFixed | TipPercent


@dataclass(frozen=True, slots=True)
class AdditionalData:
    """Tag 62. A value may be `CONSUMER_MUST_ENTER`. Unknown sub-tags are kept in `others`."""

    bill: str | None = None
    mobile: str | None = None
    store: str | None = None
    loyalty: str | None = None
    reference: str | None = None
    customer: str | None = None
    terminal: str | None = None
    purpose: str | None = None
    consumer_request: str | None = None
    others: tuple[DataObject, ...] = ()


ADDITIONAL_FIELDS: Final = (
    ("01", "bill"),
    ("02", "mobile"),
    ("03", "store"),
    ("04", "loyalty"),
    ("05", "reference"),
    ("06", "customer"),
    ("07", "terminal"),
    ("08", "purpose"),
    ("09", "consumer_request"),
)
"""Sub-tags of tag 62 and the fields of `AdditionalData` they fill."""


@dataclass(frozen=True, slots=True)
class LocalName:
    """The merchant's name in another language; `language` is ISO 639-1, lower case."""

    language: str
    name: str
    city: str | None = None


@dataclass(frozen=True, slots=True)
class MerchantCode:
    """A merchant-presented code.

    The EMVCo language template (tag 64) holds one language. It takes the first of `names`; each
    further one stands in a template of its own in 80 to 99 (sub-tags 00 our id, 01 language,
    02 name, 03 city), which other readers skip. `keysets` is the hash of the lists of keysets that
    the operator had when the code was written, 16 bytes, in a template in 80 to 99 too (sub-tags
    00 our id, 01 the hash in base64url): wallets that see other keysets than everybody else find
    it out by what the merchant shows. `others` holds the objects that have no meaning to us.
    """

    currency: Currency
    country: str
    name: str
    city: str
    category: str = "0000"
    initiation: Initiation | None = None
    amount: Money | None = None
    tip: Tip = NoTip()
    amana: tuple[AmanaAccount, ...] = ()
    accounts: tuple[SchemeAccount, ...] = ()
    postcode: str | None = None
    additional: AdditionalData = AdditionalData()
    names: tuple[LocalName, ...] = ()
    keysets: bytes | None = None
    others: tuple[DataObject, ...] = ()

    def account_at(self, operator: str) -> AmanaAccount | None:
        """Return the account that this operator keeps for the merchant, if there is one."""
        return next((account for account in self.amana if account.operator == operator), None)


@dataclass(frozen=True, slots=True)
class ReadCode:
    """A code that was read: its meaning, the text as scanned, and everything seen in order.

    `seal(write_objects(objects[:-1]))` is `text` again, but for the case of its checksum.
    """

    code: MerchantCode
    text: str
    objects: tuple[DataObject, ...]
