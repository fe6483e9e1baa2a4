"""Rows of the room's tables, to and from the types of its model."""

import json
from collections.abc import Iterable
from sys import intern
from typing import Any, Final

from amana.kernel import AmanaId, Instant
from amana.people.model import (
    Customer,
    Handle,
    Limits,
    Merchant,
    MerchantRole,
    OperatorRole,
    OperatorStaff,
    PartyStatus,
    Passkey,
    Scope,
    Site,
    Staff,
    Till,
    Token,
    TokenKind,
)

Row = tuple[Any, ...]

_SCOPES: Final[dict[str, frozenset[Scope]]] = {}
"""Sets of scopes, one for all tokens that have the same."""


def id_bytes(identifier: int) -> bytes:
    """Write an id as the tables hold it: 16 bytes, most significant first."""
    return identifier.to_bytes(16)


def read_id(stored: bytes) -> AmanaId:
    """Read an id from 16 bytes."""
    return AmanaId(int.from_bytes(stored))


def customer_row(customer: Customer) -> Row:
    """Write a customer in the order of the table's columns."""
    limits = customer.limits_override
    return (
        id_bytes(customer.customer),
        id_bytes(customer.ledger_account),
        customer.handle,
        customer.display_name,
        customer.language,
        customer.note_key,
        customer.user_handle,
        customer.tier,
        None if limits is None else limits.payment_minor_max,
        None if limits is None else limits.day_minor_max,
        None if limits is None else limits.holding_minor_max,
        customer.status.value,
    )


def read_customer(row: Row) -> Customer:
    """Read a customer; an erased one has neither handle nor name nor language.

    Words that thousands share are kept once: the directory holds many customers in memory.
    """
    customer, account, handle, name, language, note_key, user_handle, tier = row[:8]
    payment, day, holding, status = row[8:]
    return Customer(
        customer=read_id(customer),
        ledger_account=read_id(account),
        handle=Handle(handle or ""),
        display_name=name or "",
        language=intern(language or ""),
        tier=intern(tier),
        status=PartyStatus(status),
        note_key=note_key,
        limits_override=None if payment is None else Limits(payment, day, holding),
        user_handle=user_handle,
    )


def merchant_row(merchant: Merchant) -> Row:
    """Write a merchant in the order of the table's columns."""
    return (
        id_bytes(merchant.merchant),
        id_bytes(merchant.ledger_account),
        merchant.handle,
        merchant.name,
        json.dumps(dict(merchant.names), ensure_ascii=False, sort_keys=True),
        merchant.category,
        merchant.country,
        merchant.city,
        merchant.fee_basis_points,
        merchant.status.value,
    )


def read_merchant(row: Row) -> Merchant:
    """Read a merchant."""
    merchant, account, handle, name, names, category, country, city, fee, status = row
    return Merchant(
        merchant=read_id(merchant),
        ledger_account=read_id(account),
        handle=Handle(handle),
        name=name,
        names=json.loads(names),
        category=category,
        country=country,
        city=city,
        fee_basis_points=fee,
        status=PartyStatus(status),
    )


def site_row(site: Site) -> Row:
    """Write a site in the order of the table's columns."""
    return (id_bytes(site.site), id_bytes(site.merchant), site.name)


def till_row(till: Till) -> Row:
    """Write a till in the order of the table's columns."""
    return (id_bytes(till.till), id_bytes(till.site), id_bytes(till.merchant), till.name)


def read_till(row: Row) -> Till:
    """Read a till."""
    till, site, merchant, name = row
    return Till(read_id(till), read_id(site), read_id(merchant), name)


def read_sites(rows: Iterable[Row], tills: Iterable[Row]) -> tuple[Site, ...]:
    """Read sites, each with its tills."""
    by_site: dict[bytes, list[Till]] = {}
    for row in tills:
        by_site.setdefault(row[1], []).append(read_till(row))
    return tuple(
        Site(read_id(site), read_id(merchant), name, tuple(by_site.get(site, ())))
        for site, merchant, name in rows
    )


def staff_row(staff: Staff) -> Row:
    """Write a member of a merchant's staff in the order of the table's columns."""
    return (id_bytes(staff.staff), id_bytes(staff.merchant), staff.name, staff.role.value)


def read_staff(row: Row) -> Staff:
    """Read a member of a merchant's staff."""
    staff, merchant, name, role = row
    return Staff(read_id(staff), read_id(merchant), name, MerchantRole(role))


def operator_staff_row(staff: OperatorStaff) -> Row:
    """Write a member of the operator's staff in the order of the table's columns."""
    return (id_bytes(staff.staff), staff.name, staff.role.value)


def read_operator_staff(row: Row) -> OperatorStaff:
    """Read a member of the operator's staff."""
    staff, name, role = row
    return OperatorStaff(read_id(staff), name, OperatorRole(role))


def token_row(token: Token) -> Row:
    """Write a token in the order of the table's columns."""
    return (
        id_bytes(token.token),
        token.digest,
        token.kind.value,
        id_bytes(token.holder),
        " ".join(sorted(token.scopes)),
        token.label,
        int(token.is_confirmation_exempt),
        token.expires_at,
    )


def read_token(row: Row) -> Token:
    """Read a token."""
    token, digest, kind, holder, words, label, is_exempt, expires_at = row
    scopes = _SCOPES.get(words)
    if scopes is None:
        scopes = _SCOPES[words] = frozenset(Scope(word) for word in words.split())
    return Token(
        token=read_id(token),
        digest=digest,
        kind=TokenKind(kind),
        holder=read_id(holder),
        scopes=scopes,
        label=label,
        is_confirmation_exempt=bool(is_exempt),
        expires_at=None if expires_at is None else Instant(expires_at),
    )


def passkey_row(passkey: Passkey) -> Row:
    """Write a passkey in the order of the table's columns."""
    return (
        passkey.credential_id,
        id_bytes(passkey.customer),
        passkey.public_key,
        passkey.sign_count,
    )


def read_passkey(row: Row) -> Passkey:
    """Read a passkey."""
    credential_id, customer, public_key, sign_count = row
    return Passkey(credential_id, read_id(customer), public_key, sign_count)
