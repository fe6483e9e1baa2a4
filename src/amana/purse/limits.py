"""How much one request may ask of the mint, and how long its parts may be.

Lengths of texts are in bytes of UTF-8. A request over a limit is refused before any work on it.
The lengths inside tokens and secrets are those of the wire.
"""

from typing import Final

from amana.wire.cashu.limits import (
    AMOUNT_MAX,
    DESCRIPTION_BYTES_MAX,
    ID_BYTES_MAX,
    KEYS_MAX,
    MEMO_BYTES_MAX,
    PREIMAGE_CHARACTERS,
    SECRET_BYTES_MAX,
    SIGNATURE_CHARACTERS,
    SIGNATURES_MAX,
    TAGS_MAX,
    UNIT_BYTES_MAX,
    WITNESS_BYTES_MAX,
)

__all__ = [
    "AMOUNT_MAX",
    "BODY_BYTES_MAX",
    "CHECKS_MAX",
    "DESCRIPTION_BYTES_MAX",
    "ID_BYTES_MAX",
    "INPUTS_MAX",
    "KEYSET_ID_CHARACTERS_MAX",
    "KEYS_MAX",
    "MEMO_BYTES_MAX",
    "OUTPUTS_MAX",
    "POINT_CHARACTERS",
    "PREIMAGE_CHARACTERS",
    "REQUEST_BYTES_MAX",
    "RESTORE_OUTPUTS_MAX",
    "SECRET_BYTES_MAX",
    "SIGNATURES_MAX",
    "SIGNATURE_CHARACTERS",
    "STATES_MAX",
    "TAGS_MAX",
    "UNIT_BYTES_MAX",
    "WITNESS_BYTES_MAX",
]

INPUTS_MAX: Final = 500
"""Proofs in one operation: 18 ms of a signatory (35 µs each).

5,000 in coins of up to 81.92 is about 75 proofs.
"""

OUTPUTS_MAX: Final = 500
"""Outputs in one operation: up to 140 ms of a signatory (130 to 280 µs each), so that one request
does not hold the batches of the others for longer."""

RESTORE_OUTPUTS_MAX: Final = 500
"""Outputs in one restore: each found one is signed again; wallets ask for 25 to 300 at once."""

STATES_MAX: Final = 500
"""Proofs asked after in one request: one read by key each; wallets ask for 100 at once."""

CHECKS_MAX: Final = 2_000
"""Schnorr checks in one operation, 0.2 s of one core at most (0.1 ms each).

Every signature may be tried with every key, so inputs and signatures that are each within their
bounds multiply to more than the mint would do for anybody.
"""

BODY_BYTES_MAX: Final = 2**20
"""A request's body: 500 locked inputs and 500 outputs take about half."""

REQUEST_BYTES_MAX: Final = 10_000
"""What is to be paid: an order's id, a one-use address, for tests an invoice; as in the reference
mint."""

POINT_CHARACTERS: Final = 66
"""A compressed point in hex."""

KEYSET_ID_CHARACTERS_MAX: Final = 66
"""A keyset id of version 01 in hex; those of version 00 are shorter."""
