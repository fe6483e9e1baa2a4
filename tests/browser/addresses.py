"""All addresses that a wallet asks, as closed lists: whatever else goes out is found."""

import re
from collections.abc import Iterable
from typing import Final

_ID: Final = r"[0-9A-Za-z_-]+"
_KEYSET: Final = r"01[0-9a-f]{64}"
_HANDLE: Final = r"[0-9a-z._-]+"


def _listed(asked: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(asked))


AT_MINT: Final = _listed(
    (
        r"GET /v1/keysets",
        rf"GET /v1/keys/{_KEYSET}",
        r"GET /v1/auth/blind/keysets",
        rf"GET /v1/auth/blind/keys/{_KEYSET}",
        r"POST /v1/melt/quote/amana-(merchant|account)",
        rf"GET /v1/melt/quote/amana-(merchant|account)/{_ID}",
        r"POST /v1/melt/amana-(merchant|account)",
        rf"GET /v1/mint/quote/amana-refund/{_ID}",
        r"POST /v1/mint/amana-refund",
        r"POST /v1/swap",
        r"POST /v1/reissue",
        rf"GET /v1/people/{_HANDLE}",
        rf"POST /v1/mail/{_HANDLE}",
        r"POST /v1/checkstate",
        r"POST /v1/restore",
    )
)
"""At the mint's origin: method and path, nothing behind it."""

PAGES: Final = _listed(
    (
        # The wallet is opened again: the files are the same for everybody who opens it.
        r"GET /wallet",
        r"GET /assets/[\w.-]+\.(js|css)",
        r"GET /icons/[\w.-]+\.(svg|png)",
        r"GET /manifest\.webmanifest",
        r"GET /service-worker\.js",
        # Whether the operator's money is play money, as the page says at its top.
        r"GET /health",
    )
)
"""At the operator's origin and for everybody: these go whenever a wallet is opened, unnamed."""

NEWS: Final = frozenset({"GET /v1/account", "GET /v1/payments"})
"""What a page reads again each time that the operator tells it of the account, once each."""

PERSONS: Final = _listed((r"POST /v1/purse/deposits",))
"""Money goes back into the account because the person says so: by name, whenever they paid."""

_NAMED: Final = _listed(
    (
        r"GET /v1/purse",
        r"(GET|PUT|DELETE) /v1/purse/refill",
        r"POST /v1/purse/tokens",
        r"(GET|PUT) /v1/purse/backup",
        r"PUT /v1/purse/key",
        r"GET /v1/purse/mail",
        rf"DELETE /v1/purse/mail/{_ID}",
        rf"GET /v1/merchants/{_HANDLE}/receipt-key",
        r"GET /v1/relay-key",
        r"GET /v1/events/stream",
        r"PUT /v1/account/note-key",
        r"GET /v1/account",
        rf"GET /v1/payments\?limit=\d+(&cursor={_ID})?",
        rf"GET /v1/payments/{_ID}",
        r"POST /v1/payments",
        rf"GET /v1/payees/{_HANDLE}",
        r"POST /v1/codes",
        r"POST /v1/sign-(in|up)(/options)?",
        r"POST /v1/sign-out",
    )
)


def is_operators(asked: str) -> bool:
    """Say whether a wallet asks this at the operator's origin; path and query as they stand."""
    return any(one.fullmatch(asked) for one in (PAGES, PERSONS, _NAMED))
