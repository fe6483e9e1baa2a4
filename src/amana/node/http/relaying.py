"""The key to which wallets seal what they send the mint through a relay."""

from base64 import urlsafe_b64encode

from litestar import get

from amana.node.http import edge
from amana.node.http.edge import Asked
from amana.node.operator import Operator
from amana.node.views import View
from amana.relay import SealingKey
from amana.trust import RELAY_SEALING


def sealing_key(operator: Operator) -> SealingKey:
    """Return the key to which requests to the operator's mint are sealed."""
    return SealingKey.from_secret(operator.signatory.secret(RELAY_SEALING))


@get("/v1/relay-key")
async def get_relay_key(request: Asked) -> View:
    """Return where the relay is, and the mint's key for it (RFC 9458), the same to everybody.

    A wallet asks the relay for this key too, and uses neither where they differ: an operator that
    gave each customer another key would know them by it. It keeps both, and asks here only while
    nothing is paid: the question shows the address that the relay is there to hide.
    """
    operator = edge.operator_of(request)
    return {
        "mint": operator.settings.mint_url,
        "relay": operator.settings.relay_url or None,
        "keys": urlsafe_b64encode(sealing_key(operator).config).rstrip(b"=").decode(),
    }
