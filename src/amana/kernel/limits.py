"""Every limit of the product in one place, each with its unit and its reason."""

from typing import Final

AMOUNT_MINOR_MAX: Final = 2**63 - 1
"""Minor units. The largest amount, and the largest counter, on every engine of ours: one signed
64-bit integer of SQLite and PostgreSQL."""

BATCH_TRANSFERS_MAX: Final = 8_189
"""Transfers in one batch: the limit of TigerBeetle's one-mebibyte message, so that an operator can
change engines without changing callers."""

IDEMPOTENCY_KEY_CHARACTERS_MAX: Final = 255
"""Visible ASCII characters; the bound that well-known payment interfaces use."""

REFERENCE_CHARACTERS_MAX: Final = 25
"""Characters of an order's reference: what EMVCo tag 62-05 holds."""

SEALED_NOTE_CHARACTERS_MAX: Final = 4_096
"""Characters of base64url of a sealed note."""

HANDLE_CHARACTERS_MIN: Final = 3
HANDLE_CHARACTERS_MAX: Final = 25
"""Characters of a handle, so that it fits one EMVCo sub-field together with its operator."""

DISPLAY_NAME_CHARACTERS_MAX: Final = 60
"""Characters of a name that others see."""

REQUEST_BODY_BYTES_MAX: Final = 65_536
"""Bytes of one request body; the largest legitimate one holds a sealed note."""

PAGE_ITEMS_MAX: Final = 100
"""Items in one page of a list."""

STEPS_PER_PAYMENT_MAX: Final = 15
"""Steps (capture, void, expire) attempted on one hold: the step's number is a nibble of the
transfer's id."""

ORDER_LIFE_MS_MIN: Final = 30_000
ORDER_LIFE_MS_MAX: Final = 86_400_000
ORDER_LIFE_MS_DEFAULT: Final = 900_000
"""Milliseconds an order can be paid."""

QUOTE_LIFE_MS: Final = 15 * 60_000
"""Milliseconds in which a redemption's quote can be paid."""

HOLD_LIFE_MS: Final = 7 * 86_400_000
"""Milliseconds between authorisation and the latest capture."""
