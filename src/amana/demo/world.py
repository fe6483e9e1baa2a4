"""Who lives in the demo: made once in a folder, met again at each later start."""

from hashlib import blake2b
from typing import Final

import msgspec

from amana.node.operator import Operator
from amana.payments.links import Link, url_secret
from amana.payments.model import Intent, Payment, PaymentKind
from amana.people import (
    Customer,
    Merchant,
    OperatorRole,
    OperatorStaff,
    PartyFacts,
    Refused,
    Scope,
)
from amana.people.vault import EMAIL, LEGAL_NAME, TELEPHONE

_CUSTOMERS: Final = (
    ("amal", "Amal Haddad", "ar"),
    ("bruno", "Bruno Keller", "en"),
    ("chen-li", "陈丽", "en"),
)
_MERCHANTS: Final = (
    ("corner-bakery", "Corner Bakery", {"ar": "مخبز الزاوية", "zh": "街角面包店"}, "5462"),
    ("tram-line", "City Tram", {"ar": "ترام المدينة", "zh": "城市电车"}, "4111"),
    ("book-harbour", "Book Harbour", {"ar": "مرفأ الكتب", "zh": "书港"}, "5942"),
)
PASSERS_BY: Final = 24
"""Simulated customers who pay in the shops, so that a till has something to show."""

CANARY: Final = "canary"
"""Stands in every personal detail of the demo: it must be found nowhere but sealed in the vault."""

_PURSE_MINOR: Final = 100_000
_PASSER_BY_MINOR: Final = 50_000
_LINK_MINOR: Final = 1_850
_ALL_SCOPES: Final = frozenset(Scope)
_KEY_BYTES: Final = 16


class Holder(msgspec.Struct, frozen=True):
    """A customer with a token to sign in."""

    handle: str
    token: str


class Shop(msgspec.Struct, frozen=True):
    """A merchant with a key for its till."""

    handle: str
    api_key: str


class Staff(msgspec.Struct, frozen=True):
    """The operator's staff."""

    token: str


class MintPlace(msgspec.Struct, frozen=True):
    """The mint's own origin."""

    url: str


class CheckoutPlace(msgspec.Struct, frozen=True):
    """Where people pay online."""

    url: str


class RelayPlace(msgspec.Struct, frozen=True):
    """The relay between wallets and the mint."""

    url: str


class DemoWorld(msgspec.Struct, frozen=True):
    """Everything a person or a script needs to use the demo: what the ready file holds."""

    url: str
    mint: MintPlace
    checkout: CheckoutPlace
    relay: RelayPlace
    operator: Staff
    customers: list[Holder]
    merchants: list[Shop]
    link: str
    """What stands after # in the address of a payment link of the last shop."""


async def prepare(operator: Operator) -> DemoWorld:
    """Make the demo's people where they are not there yet, and sign everybody in anew."""
    staff = await operator.people.add_operator_staff("Demo officer", OperatorRole.OFFICER)
    assert isinstance(staff, OperatorStaff), "the demo's officer has a good name"
    token = await operator.people.issue_operator_token(staff.staff)
    assert not isinstance(token, Refused), "an officer can have a token"
    customers = [await _customer(operator, *entry) for entry in _CUSTOMERS]
    merchants = [
        await _merchant(operator, handle, name, names=names, category=category)
        for handle, name, names, category in _MERCHANTS
    ]
    for number in range(1, PASSERS_BY + 1):
        await _open(operator, passer_by(number), f"Passer-by {number}", "en")
        await fund(operator, passer_by(number), _PASSER_BY_MINOR, key="first")
    return DemoWorld(
        operator.settings.url,
        MintPlace(operator.settings.mint_url),
        CheckoutPlace(operator.settings.checkout_url),
        RelayPlace(operator.settings.relay_url),
        Staff(token.text),
        customers,
        merchants,
        await _link(operator, _MERCHANTS[-1][0]),
    )


def passer_by(number: int) -> str:
    """Return the handle of a simulated customer."""
    return f"passer-by-{number:02}"


async def _customer(operator: Operator, handle: str, name: str, language: str) -> Holder:
    facts = await _open(operator, handle, name, language)
    await fund(operator, handle, _PURSE_MINOR, key="first")
    await _plant(operator, facts, name)
    issued = await operator.people.issue_session(
        facts.party, is_confirmation_exempt=True, is_lasting=True
    )
    assert not isinstance(issued, Refused), "the demo's customers are active"
    return Holder(handle, issued.text)


async def _plant(operator: Operator, facts: PartyFacts, name: str) -> None:
    """Keep personal details in the vault that can be searched for everywhere else."""
    refused = await operator.door.keep(
        facts.party,
        {
            LEGAL_NAME: f"{name} {CANARY}",
            TELEPHONE: f"+0 {CANARY} {facts.handle}",
            EMAIL: f"{facts.handle}.{CANARY}@mail.invalid",
        },
    )
    assert refused is None, "the demo's people are not erased"


async def _open(operator: Operator, handle: str, name: str, language: str) -> PartyFacts:
    facts = operator.directory.by_handle(handle)
    if facts is None:
        made = operator.people.new_customer(handle, name, language=language)
        opened = await operator.people.open_customer(made)
        assert isinstance(opened, Customer), "the demo's handles are free in a new folder"
        facts = operator.directory.by_handle(handle)
    assert facts is not None, "a customer who was opened is there"
    return facts


async def _merchant(
    operator: Operator, handle: str, name: str, *, names: dict[str, str], category: str
) -> Shop:
    facts = operator.directory.by_handle(handle)
    if facts is None:
        made = operator.people.new_merchant(
            handle, name, category=category, country="AE", city="Dubai", names=names
        )
        opened = await operator.people.open_merchant(made)
        assert isinstance(opened, Merchant), "the demo's handles are free in a new folder"
        site = await operator.people.add_site(opened.merchant, "High Street", ["Till 1", "Till 2"])
        assert not isinstance(site, Refused), "the demo's site has a good name"
        facts = operator.directory.by_handle(handle)
    assert facts is not None, "a merchant who was opened is there"
    issued = await operator.people.issue_api_key(
        facts.party, _ALL_SCOPES, is_confirmation_exempt=True
    )
    assert not isinstance(issued, Refused), "the demo's merchants are active"
    return Shop(handle, issued.text)


async def _link(operator: Operator, handle: str) -> str:
    """Make a payment link, the same at each start; return its secret."""
    facts = operator.directory.by_handle(handle)
    assert facts is not None, "the demo's shops are there"
    key = blake2b(f"{facts.party} tour".encode(), digest_size=_KEY_BYTES).digest()
    kept = await operator.links.add(
        Link(
            id=operator.new_id(),
            merchant=facts.party,
            secret=operator.chance.draw(_KEY_BYTES),
            amount=_LINK_MINOR,
            reference=None,
            is_single_use=False,
            key=key,
            body=key,
            created_at=operator.clock.now(),
            expires_at=None,
        )
    )
    assert isinstance(kept, Link), "the same key comes with the same link"
    return url_secret(kept)


async def fund(operator: Operator, handle: str, minor: int, *, key: str) -> None:
    """Top a customer up with play money; the same key tops up once."""
    facts = operator.directory.by_handle(handle)
    assert facts is not None, "the demo tops up its own people"
    hashed = blake2b(f"{facts.party} {key}".encode(), digest_size=_KEY_BYTES).digest()
    paid = await operator.payments.pay(
        Intent(
            id=operator.new_id(),
            kind=PaymentKind.TOPUP,
            initiator=facts.party,
            key=hashed,
            body=minor.to_bytes(_KEY_BYTES),
            payer=operator.own_party,
            payee=operator.party(facts),
            amount=minor,
            created_at=operator.clock.now(),
        )
    )
    assert isinstance(paid, Payment), "the same key comes with the same sum"
