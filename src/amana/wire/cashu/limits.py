"""How long each part of a token, a request or a secret may be.

Every length a stranger chooses has a bound here, in bytes of UTF-8 for texts. The bounds leave room
for what honest wallets write, and hold memory and time to what the numbers say.
"""

from typing import Final

AMOUNT_MAX: Final = 2**63 - 1
"""Storage keeps amounts as signed 64-bit integers; keysets end far below."""

SECRET_BYTES_MAX: Final = 1024
"""Holds a lock with 11 keys (about 900 bytes); the reference mint draws the same line."""

KEYS_MAX: Final = 11
"""Keys in one lock: blinded keys number their places from 0 to 10 (NUT-28)."""

TAGS_MAX: Final = 32
"""Tags in one secret: six are known, the rest is what extensions may ask."""

WITNESS_BYTES_MAX: Final = 2560
"""Holds 16 signatures of 128 digits (131 bytes each as JSON) and a preimage."""

SIGNATURES_MAX: Final = 16
"""Signatures in one witness: one a key, and some that belong to nobody."""

PREIMAGE_CHARACTERS: Final = 64
"""A preimage is 32 bytes in hex, no more and no less (NUT-14)."""

SIGNATURE_CHARACTERS: Final = 128
"""A Schnorr signature is 64 bytes in hex."""

TOKEN_CHARACTERS_MAX: Final = 400_000
"""Holds 500 locked proofs with their DLEQ proofs; a chat message takes far less."""

TOKEN_PROOFS_MAX: Final = 500
"""Proofs in one token or payload: as many as one swap takes."""

REQUEST_CHARACTERS_MAX: Final = 4_296
"""The most that a QR code holds in letters and digits."""

MINT_URL_BYTES_MAX: Final = 255
"""The longest value that one byte of length can say (NUT-26, tag tuples)."""

MINTS_MAX: Final = 16
"""Mints named in one payment request."""

TRANSPORTS_MAX: Final = 8
"""Ways of delivery named in one payment request."""

TARGET_BYTES_MAX: Final = 1024
"""An address, or a Nostr profile with its relays."""

MEMO_BYTES_MAX: Final = 1024
"""A few sentences."""

DESCRIPTION_BYTES_MAX: Final = 1024
"""A few sentences; the reference mint draws the same line for descriptions of quotes."""

UNIT_BYTES_MAX: Final = 64
"""A currency code or a made-up word; as in the reference mint."""

ID_BYTES_MAX: Final = 256
"""Ids of payments and quotes; as in the reference mint."""

TAG_VALUE_BYTES_MAX: Final = 255
"""The longest value that one byte of length can say (NUT-26, tag tuples)."""
