"""Formats of Cashu: tokens, payment requests, locks in secrets, and what opens them.

What a stranger sends is bounded by `limits`, and read as a value or as `Malformed`.
"""

from amana.wire.cashu._request import LockAsked, PaymentRequest, Transport, write_cbor_request
from amana.wire.cashu._request_code import read_request, write_request_code
from amana.wire.cashu._secret import (
    HTLC,
    P2PK,
    WellKnownSecret,
    Witness,
    read_secret,
    read_witness,
    write_secret,
    write_witness,
)
from amana.wire.cashu._token import (
    Dleq,
    Payload,
    Token,
    TokenProof,
    read_payload,
    read_raw_token,
    read_token,
    write_payload,
    write_raw_token,
    write_token,
)

__all__ = [
    "HTLC",
    "P2PK",
    "Dleq",
    "LockAsked",
    "Payload",
    "PaymentRequest",
    "Token",
    "TokenProof",
    "Transport",
    "WellKnownSecret",
    "Witness",
    "read_payload",
    "read_raw_token",
    "read_request",
    "read_secret",
    "read_token",
    "read_witness",
    "write_cbor_request",
    "write_payload",
    "write_raw_token",
    "write_request_code",
    "write_secret",
    "write_token",
    "write_witness",
]
