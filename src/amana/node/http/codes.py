"""Payment codes: written for tills, read for wallets."""

from dataclasses import dataclass
from typing import Final

from amana.kernel import AmanaId, Money
from amana.node.operator import Operator
from amana.node.problems import ProblemRaised
from amana.payments.model import Order, TipMode
from amana.people import PartyFacts, PartyKind
from amana.wire import Malformed
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
    )
    text = write_code(fitted(code))
    if isinstance(text, Malformed):
        raise _unwritable(text)
    return text


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
