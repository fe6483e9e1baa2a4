"""The relay: somebody other than the mint's operator passes sealed requests on.

Whoever runs the relay learns from where a request comes and its size to the nearest of a few; the
mint learns what is asked and not from where (RFC 9458, Oblivious HTTP). `forwarder` is the relay,
`gateway` the mint's side, `sealing` what the two and the wallet agree on.
"""

from amana.relay.forwarder import RelayApp
from amana.relay.gateway import GATEWAY_PATH, Gateway
from amana.relay.sealing import (
    KEYS_TYPE,
    REQUEST_TYPE,
    RESPONSE_TYPE,
    SEALED_BYTES_MAX,
    SIZES,
    SealingKey,
)

__all__ = [
    "GATEWAY_PATH",
    "KEYS_TYPE",
    "REQUEST_TYPE",
    "RESPONSE_TYPE",
    "SEALED_BYTES_MAX",
    "SIZES",
    "Gateway",
    "RelayApp",
    "SealingKey",
]
