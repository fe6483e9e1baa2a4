"""The reference wallet's own code, fetching blind tokens; run with its own Python.

Usage: python nutshell_auth.py facts.json folder
The facts are the demo's ready file. Where the wallet would open a browser for its holder, this
approves as the customer's own page does. Prints JSON: how many tokens came, the first as a header.
"""

import asyncio
import json
import sys
import webbrowser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from cashu.core.base import AuthProof  # type: ignore[import-not-found]
from cashu.wallet.auth.auth import WalletAuth  # type: ignore[import-not-found]
from cashu.wallet.auth.openid_connect.openid_client import (  # type: ignore[import-not-found]
    AuthorizationFlow,
)

FACTS = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


def approve(url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: FBT001, FBT002 - the browser's
    """Say yes on the page that the wallet sends its holder to."""
    del new, autoraise
    (code,) = parse_qs(urlsplit(url).query)["user_code"]
    answer = httpx.post(
        FACTS["url"] + "/v1/openid/device/approve",
        json={"user_code": code, "is_approved": True},
        headers={"Authorization": f"Bearer {FACTS['customers'][0]['token']}"},
    )
    answer.raise_for_status()
    return True


async def main() -> None:
    """Sign in, fetch tokens, and write them as the wallet does."""
    webbrowser.open = approve
    wallet = await WalletAuth.with_db(url=FACTS["mint"]["url"], db=sys.argv[2])
    wallet.auth_flow = AuthorizationFlow.DEVICE_CODE
    is_asked = await wallet.init_auth_wallet()
    proofs = wallet.proofs
    told = {
        "is_asked": is_asked,
        "count": len(proofs),
        "headers": [AuthProof.from_proof(proof).to_base64() for proof in proofs],
    }
    first = wallet.oidc_client.access_token
    await wallet.oidc_client.refresh_access_token()
    told["is_refreshed"] = wallet.oidc_client.access_token != first
    sys.stdout.write("\n" + json.dumps(told) + "\n")


asyncio.run(main())
