"""Who may ask the mint: clear tokens fetch blind tokens, blind tokens say nothing of anybody."""

from amana.purse.auth.guard import Admission, MintGuard
from amana.purse.auth.model import AUTH_UNIT, Access, Allowance, BlindToken, Endpoint
from amana.purse.auth.ports import AuthReader, AuthWriter, ClearTokens
from amana.purse.auth.rules import ENDPOINTS, access_of, protected
from amana.purse.auth.service import BlindAuth, SpentToken
from amana.purse.auth.store import AuthRows, AuthStore

__all__ = [
    "AUTH_UNIT",
    "ENDPOINTS",
    "Access",
    "Admission",
    "Allowance",
    "AuthReader",
    "AuthRows",
    "AuthStore",
    "AuthWriter",
    "BlindAuth",
    "BlindToken",
    "ClearTokens",
    "Endpoint",
    "MintGuard",
    "SpentToken",
    "access_of",
    "protected",
]
