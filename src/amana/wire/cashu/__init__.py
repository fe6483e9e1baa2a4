"""Formats of Cashu: locks in secrets (NUT-10), and what opens them."""

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

__all__ = [
    "HTLC",
    "P2PK",
    "WellKnownSecret",
    "Witness",
    "read_secret",
    "read_witness",
    "write_secret",
    "write_witness",
]
