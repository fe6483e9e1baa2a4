"""What the mint says of itself (NUT-06): the same bytes for everybody."""

from typing import Any, Final

import msgspec

import amana
from amana.node.mint.retries import KEPT_S

_SUPPORTED: Final = ("7", "8", "9", "10", "11", "12", "14", "20", "28")
"""NUTs that are told by nothing more than their support."""


class MethodInfo(msgspec.Struct, frozen=True):
    """A way to pay in or out for one unit (NUT-04, NUT-05); amounts in minor units."""

    method: str
    unit: str
    min_amount: int | None = None
    max_amount: int | None = None
    options: dict[str, Any] = {}


class ProtectedAddress(msgspec.Struct, frozen=True):
    """An address that asks for a token; a path that ends with `*` stands for all that begin so."""

    method: str
    path: str


class AuthInfo(msgspec.Struct, frozen=True):
    """Where clear tokens come from (NUT-21), and what blind tokens open (NUT-22)."""

    openid_discovery: str
    client_id: str
    clear: tuple[ProtectedAddress, ...]
    blind: tuple[ProtectedAddress, ...]
    bat_max_mint: int


class MintInfo(msgspec.Struct, frozen=True):
    """What an operator says of the mint, and the ways to pay in and out."""

    name: str
    description: str
    urls: tuple[str, ...]
    issue: tuple[MethodInfo, ...]
    redeem: tuple[MethodInfo, ...]
    auth: AuthInfo | None = None
    version: str = f"Amana/{amana.__version__}"
    contact: tuple[dict[str, str], ...] = ()
    description_long: str | None = None
    tos_url: str | None = None


def write_info(info: MintInfo) -> bytes:
    """Write the answer."""
    return msgspec.json.encode(
        {
            "name": info.name,
            "version": info.version,
            "description": info.description,
            "contact": info.contact,
            "urls": info.urls,
            **({"description_long": info.description_long} if info.description_long else {}),
            **({"tos_url": info.tos_url} if info.tos_url else {}),
            "nuts": _nuts(info),
        }
    )


def _nuts(info: MintInfo) -> dict[str, Any]:
    nuts: dict[str, Any] = {
        "4": {"methods": info.issue, "disabled": not info.issue},
        "5": {"methods": info.redeem, "disabled": not info.redeem},
        **{number: {"supported": True} for number in _SUPPORTED},
        "17": {"supported": _subscriptions(info)},
        "19": {"ttl": KEPT_S, "cached_endpoints": _kept(info)},
    }
    if info.auth is not None:
        nuts["21"] = {
            "openid_discovery": info.auth.openid_discovery,
            "client_id": info.auth.client_id,
            "protected_endpoints": info.auth.clear,
        }
        nuts["22"] = {
            "bat_max_mint": info.auth.bat_max_mint,
            "protected_endpoints": info.auth.blind,
        }
    return nuts


def _subscriptions(info: MintInfo) -> list[dict[str, Any]]:
    issue = {(one.method, one.unit) for one in info.issue}
    redeem = {(one.method, one.unit) for one in info.redeem}
    return [
        {
            "method": method,
            "unit": unit,
            "commands": [
                *([f"{method}_mint_quote"] if (method, unit) in issue else []),
                *([f"{method}_melt_quote"] if (method, unit) in redeem else []),
                "proof_state",
            ],
        }
        for method, unit in sorted(issue | redeem)
    ]


def _kept(info: MintInfo) -> list[dict[str, str]]:
    issue = sorted({one.method for one in info.issue})
    redeem = sorted({one.method for one in info.redeem})
    paths = [*(f"/v1/mint/{name}" for name in issue), *(f"/v1/melt/{name}" for name in redeem)]
    return [{"method": "POST", "path": path} for path in [*paths, "/v1/swap"]]
