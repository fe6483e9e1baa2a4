"""Payment codes: written for tills, read for wallets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from amana.kernel import DAY_NS, SECOND_NS, AmanaId, IdKind, Money, format_id
from amana.node.mint.orders import PAY_PATH
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised
from amana.node.purse import KEYSET_LIFE_DAYS, TOKEN_KEYSET_LIFE_DAYS
from amana.payments.model import CaptureMode, Order, TipMode
from amana.people import PartyFacts, PartyKind
from amana.purse.keysets import AUTH_UNIT, list_hash
from amana.purse.model import Keyset
from amana.wire import Malformed
from amana.wire.cashu import PaymentRequest, Transport, write_request_code
from amana.wire.emv import (
    AdditionalData,
    AmanaAccount,
    ForeignCode,
    Initiation,
    LocalName,
    MerchantCode,
    NoTip,
    Tip,
    TipPrompt,
    fitted,
    recognise,
    write_code,
)
from amana.wire.faults import Fault
from amana.wire.problems import SchemeMember

_LIFE_S: Final = KEYSET_LIFE_DAYS * DAY_NS // SECOND_NS
_TOKEN_LIFE_S: Final = TOKEN_KEYSET_LIFE_DAYS * DAY_NS // SECOND_NS
_LISTED_S: Final = 60
"""Seconds after which a keyset that was begun is certainly listed: none takes longer to begin."""
_REQUESTS_KEPT: Final = 2_000
"""Each takes 0.7 ms to write, and tills ask for their open orders again and again."""


@dataclass(frozen=True, slots=True)
class ScannedCode:
    """One of our codes, with whom and what it names."""

    code: MerchantCode
    account: AmanaAccount
    payee: PartyFacts
    order: Order | None


def code_of(
    operator: Operator,
    merchant: PartyFacts,
    *,
    order: Order | None = None,
    till: AmanaId | None = None,
) -> str:
    """Write a merchant's code: dynamic for an order, static without one.

    Raises:
        ProblemRaised: No code can hold the amount or the reference.
    """
    unit = operator.settings.unit
    tip: Tip = TipPrompt() if order is not None and order.tip is TipMode.PROMPT else NoTip()
    account = AmanaAccount(
        operator=operator.settings.host,
        payee=merchant.handle,
        order=None if order is None else order.id,
        # An order knows its till; both ids together would not fit the template's 99 characters.
        till=till if order is None else None,
    )
    code = MerchantCode(
        currency=unit,
        country=merchant.country or "XX",
        name=merchant.name,
        city=merchant.city or "-",
        category=merchant.category or "0000",
        initiation=Initiation.STATIC if order is None else Initiation.DYNAMIC,
        amount=None if order is None else Money(unit, order.amount),
        tip=tip,
        amana=(account,),
        additional=AdditionalData(reference=None if order is None else order.reference or None),
        names=tuple(LocalName(language, name) for language, name in merchant.names.items()),
        keysets=_keysets_hash(operator.purse.mint.keysets(), order),
    )
    text = write_code(fitted(code))
    if isinstance(text, Malformed):
        # A code that many names fill has no room for the hash; it is a good code without.
        text = write_code(fitted(replace(code, keysets=None)))
    if isinstance(text, Malformed):
        raise _unwritable(text)
    return text


def _keysets_hash(keysets: Sequence[Keyset], order: Order | None) -> bytes | None:
    """Return the hash of both lists of keysets: of now, or of when an order was made.

    An order's code never changes, so its lists follow from the order: the keysets that had begun by
    then. All of a list live equally long, so a keyset's end says when it began; the first of each
    is always there. None where the signatory was not heard of yet.
    """
    if not keysets:
        return None
    if order is None:
        return list_hash(keysets)
    until = order.created_at // SECOND_NS - _LISTED_S
    money = [keyset for keyset in keysets if keyset.unit != AUTH_UNIT]
    tokens = [keyset for keyset in keysets if keyset.unit == AUTH_UNIT]
    return list_hash(
        [*_begun(money, until, life_s=_LIFE_S), *_begun(tokens, until, life_s=_TOKEN_LIFE_S)]
    )


def _begun(listed: Sequence[Keyset], until: int, *, life_s: int) -> Iterator[Keyset]:
    """Return the keysets of a list that had begun by then: its first, and those that follow it."""
    yield from listed[:1]
    for keyset in listed[1:]:
        # Only a beginning of the list is found again by wallets, whatever the clock once said.
        if keyset.final_expiry is not None and keyset.final_expiry - life_s > until:
            return
        yield keyset


def cashu_request_of(operator: Operator, merchant: PartyFacts, order: Order) -> str | None:
    """Write an order as wallets by others read it (NUT-18, as a code by NUT-26).

    A merchant's static code has no such form: without an order, any number of payments would come
    to one address, and none could be told from a repetition of another.

    Returns:
        None for an order whose money is taken later, which e-cash cannot be held for; and where
        the operator's addresses are too long for the form.
    """
    if order.capture is CaptureMode.MANUAL:
        return None
    order_id, mint = format_id(IdKind.ORDER, order.id), operator.settings.mint_url
    request = PaymentRequest(
        id=order_id,
        amount=order.amount,
        unit=operator.purse.unit,
        is_single_use=True,
        mints=(mint,),
        description=order.reference or merchant.name,
        transports=(Transport("post", f"{mint.rstrip('/')}{PAY_PATH}/{order_id}"),),
    )
    return _request_code(request)


@lru_cache(maxsize=_REQUESTS_KEPT)
def _request_code(request: PaymentRequest) -> str | None:
    text = write_request_code(request)
    return None if isinstance(text, Malformed) else text


_AMOUNT_TAG: Final = "54"
_FIELDS: Final = {"62.05": "reference", "59": "name", "60": "city"}


def _unwritable(malformed: Malformed) -> ProblemRaised:
    """Return the problem of an order that no code can hold; to be met before it is stored."""
    if any(fault.field == _AMOUNT_TAG for fault in malformed.faults):
        return ProblemRaised("amount-too-large", "Nothing was done. No code can hold this amount.")
    faults = tuple(
        Fault(_FIELDS.get(fault.field, fault.field), fault.message) for fault in malformed.faults
    )
    return ProblemRaised("malformed-request", errors=faults)


def scan(operator: Operator, text: str) -> ScannedCode:
    """Read a code and find whom and what it names.

    Raises:
        ProblemRaised: It is damaged, another scheme's, another operator's, or names nobody here.
    """
    read = recognise(text)
    if isinstance(read, Malformed):
        raise ProblemRaised("code-unreadable", "Nothing was done. Scan the code again.")
    if isinstance(read, ForeignCode):
        raise ProblemRaised(
            "code-not-ours",
            f"This is a code of {read.scheme}." if read.scheme else "This is not a code of Amana.",
            scheme=SchemeMember(read.scheme),
        )
    account = read.code.account_at(operator.settings.host)
    if account is None:
        raise ProblemRaised(
            "code-not-ours",
            "This is a code of another Amana operator; paying there is not there yet.",
            scheme=SchemeMember("Amana, another operator"),
        )
    payee = operator.directory.by_handle(account.payee)
    if payee is None or payee.kind is not PartyKind.MERCHANT:
        raise ProblemRaised("code-unreadable", "The code names nobody here.")
    order = None
    if account.order is not None:
        order = operator.payments_read.order(account.order)
        if order is None or order.merchant != payee.party:
            raise ProblemRaised("code-unreadable", "The code names no order of this merchant.")
    return ScannedCode(read.code, account, payee, order)
