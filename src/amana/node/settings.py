"""Settings of an operator: one table, read from `amana.toml` in the data folder."""

import os
import re
from pathlib import Path
from typing import Final

import msgspec

from amana.kernel import CURRENCIES, Currency
from amana.storage import SETTINGS_FILE

_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,21}[a-z0-9])?", re.ASCII)
"""At most 23 characters: then the longest handle and an id fit beside it in a payment code."""


_EXPIRED_YEARS_MIN: Final = 6
_ORIGIN: Final = re.compile(r"https?://[^/?#@\s]+", re.ASCII)
_SCHEMES: Final = ("http://", "https://")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an operator decides about itself."""

    name: str = "Amana operator"
    host: str = "localhost"
    url: str = "http://localhost:8400"
    mint_url: str = "http://mint.localhost:8401"
    checkout_url: str = "http://pay.localhost:8402"
    relay_url: str = ""
    currency: str = "EUR"
    merchant_fee_basis_points: int = 20
    blind_tokens: bool = False
    expired_keyset_years: int = 6
    is_play_money: bool = False

    @property
    def unit(self) -> Currency:
        """The currency of the books."""
        return CURRENCIES[self.currency]


SETTINGS: Final = (
    ("name", "The operator's name, as wallets show it."),
    ("host", "The name that stands in payment codes and is the passkeys' domain."),
    ("url", "Where wallets and tills reach this operator."),
    ("mint_url", "Where wallets reach the mint: an origin of its own, without cookies."),
    ("checkout_url", "Where people pay online: an origin of its own, without sessions."),
    (
        "relay_url",
        "A relay that somebody else runs, through which wallets reach the mint; or none.",
    ),
    ("currency", "The one currency of the books, by its ISO 4217 code; never changed later."),
    ("merchant_fee_basis_points", "What merchants pay, in hundredths of a percent, rounded down."),
    ("blind_tokens", "Whether swaps and payments from the purse ask for a blind token (NUT-22)."),
    (
        "expired_keyset_years",
        "For how many years e-cash of an expired keyset is taken into a named account; 6 or more.",
    ),
    ("is_play_money", "Whether this is a demonstration without real money."),
)
"""Each setting and its meaning: the file, the reference and a test read this table."""


class SettingsRefused(Exception):  # noqa: N818 - told to the person at the keyboard
    """The settings cannot be used; the text says which line and why."""


def read_settings(folder: Path) -> Settings:
    """Read an operator's settings.

    Raises:
        SettingsRefused: The file is absent, or not understood.
    """
    path = folder / SETTINGS_FILE
    if not path.is_file():
        raise SettingsRefused(
            f"{folder} holds no operator: {SETTINGS_FILE} is not there. "
            f"Make one with `amana init --data {folder}`."
        )
    try:
        settings = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except (msgspec.ValidationError, msgspec.DecodeError) as fault:
        raise SettingsRefused(f"{path} was not understood: {fault}. Nothing was done.") from None
    return check_settings(settings)


def check_settings(settings: Settings) -> Settings:
    """Return the settings, or say which value cannot be used."""
    if settings.currency not in CURRENCIES:
        raise SettingsRefused(f"'{settings.currency}' is no ISO 4217 currency. Nothing was done.")
    if not 0 <= settings.merchant_fee_basis_points <= 1_000:  # noqa: PLR2004 - ten percent
        raise SettingsRefused(
            "merchant_fee_basis_points lies between 0 and 1000. Nothing was done."
        )
    if _HOST.fullmatch(settings.host) is None:
        raise SettingsRefused(
            f"'{settings.host}' is no host name of at most 23 characters in lower case: it stands "
            "in every payment code beside the merchant's handle. Nothing was done."
        )
    for name in ("url", "mint_url", "checkout_url"):
        if not getattr(settings, name).startswith(_SCHEMES):
            raise SettingsRefused(f"{name} begins with http:// or https://. Nothing was done.")
    if _ORIGIN.fullmatch(settings.mint_url) is None:
        raise SettingsRefused(
            "mint_url is an origin, and has nothing behind the host and the port: wallets take no "
            "other address of a mint. Nothing was done."
        )
    if settings.relay_url and not settings.relay_url.startswith(_SCHEMES):
        raise SettingsRefused(
            "relay_url begins with http:// or https://, or is empty. Nothing was done."
        )
    if settings.expired_keyset_years < _EXPIRED_YEARS_MIN:
        raise SettingsRefused(
            f"expired_keyset_years is {_EXPIRED_YEARS_MIN} or more. Nothing was done."
        )
    return settings


def write_settings(folder: Path, settings: Settings) -> None:
    """Write a new operator's settings, each with its meaning; never over an existing file."""
    lines: list[str] = []
    for name, meaning in SETTINGS:
        value = getattr(settings, name)
        lines += [f"# {meaning}", f"{name} = {_toml(value)}", ""]
    # The folder is an operator's once this file is there: so it appears whole, or not at all.
    part = folder / f"{SETTINGS_FILE}.part"
    with part.open("w", encoding="utf-8") as file:
        file.write("\n".join(lines))
        file.flush()
        os.fsync(file.fileno())
    os.link(part, folder / SETTINGS_FILE)
    part.unlink()


def _toml(value: str | int | bool) -> str:  # noqa: FBT001 - a value of the file, not a switch
    return msgspec.json.encode(value).decode()
