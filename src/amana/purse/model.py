"""What a mint handles: keysets, blinded messages, proofs, quotes, and the refusals it gives.

The words are those of the Cashu specifications (NUT-00 to NUT-28). Amounts are whole minor units
of the keyset's unit; points are compressed, 33 bytes.
"""

from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

import msgspec

from amana.kernel import AmanaId, Instant


class Keyset(msgspec.Struct, frozen=True):
    """Public keys for one unit, one key an amount (NUT-01, NUT-02).

    `number` is the place in the append-only list, from 0; `id` is hex in lower case, of version 01;
    `final_expiry` is in whole seconds since 1970. The key of one that `is_revoked` may be in other
    hands: its e-cash is only exchanged, by whoever shows how it was issued.
    """

    number: int
    id: str
    unit: str
    is_active: bool
    input_fee_ppk: int
    final_expiry: int | None
    keys: dict[int, bytes]
    is_revoked: bool = False


class BlindedMessage(msgspec.Struct, frozen=True):
    """An output: a point to be signed for an amount (NUT-00)."""

    keyset_id: str
    amount: int
    point: bytes


class BlindSignature(msgspec.Struct, frozen=True):
    """The signature on an output, with the proof that the announced key made it (NUT-12)."""

    keyset_id: str
    amount: int
    point: bytes
    dleq_e: bytes
    dleq_s: bytes


class Proof(msgspec.Struct, frozen=True):
    """An input: a secret with the mint's unblinded signature; `witness` is JSON (NUT-10)."""

    keyset_id: str
    amount: int
    secret: str
    point: bytes
    witness: str | None = None


class VerifiedProof(msgspec.Struct, frozen=True):
    """A proof whose signature the signatory checked, and whose conditions hold.

    `nullifier` is the x-coordinate of hash_to_curve(secret), 32 bytes: the first byte of the
    compressed point Y is always 2. `shown` is the witness to keep for others to see: of a
    hash lock, whose preimage the other side of an exchange waits for; None for all else.
    """

    keyset: int
    amount: int
    nullifier: bytes
    shown: str | None = None


class ProofState(StrEnum):
    """Where a proof stands (NUT-07)."""

    UNSPENT = "UNSPENT"
    PENDING = "PENDING"
    SPENT = "SPENT"


class IssueQuote(msgspec.Struct, frozen=True):
    """What will be signed once it is paid for (NUT-04). `id` is 16 random bytes, and secret.

    `pubkey` is the compressed key whose signature the issue asks for (NUT-20).
    """

    id: bytes
    method: str
    request: str
    unit: str
    amount: int
    paid: int
    issued: int
    pubkey: bytes | None
    expires_at: Instant | None
    updated_at: Instant


class RedeemState(IntEnum):
    """Where a redemption stands. HELD is unfinished: nothing is spent yet, money may be held.

    SPENT is decided: proofs are spent, the money is still to be posted. PAID is concluded.
    """

    UNPAID = 1
    HELD = 2
    SPENT = 3
    PAID = 4


class RedeemQuote(msgspec.Struct, frozen=True):
    """What a redemption pays, and to whom (NUT-05). `id` is 16 random bytes, and secret.

    `attempts` counts the holds asked of the ledger. `payment_id` is the id of the payment that the
    redemption becomes in the books, made with the quote, or no payment's where it becomes none;
    `target` is what the method keeps with it (an order's id, a deposit's).
    """

    id: bytes
    method: str
    request: str
    unit: str
    amount: int
    fee_reserve: int
    state: RedeemState
    attempts: int
    expires_at: Instant
    payment_id: AmanaId
    target: bytes


class IssueAsk(NamedTuple):
    """What a wallet asks of a way to issue (NUT-04)."""

    unit: str
    amount: int
    pubkey: bytes | None = None
    description: str | None = None


class RedeemAsk(NamedTuple):
    """What a wallet asks of a way to redeem (NUT-05); `fields` are those of the method."""

    request: str
    unit: str
    amount: int | None = None
    fields: dict[str, Any] = {}  # noqa: RUF012 - never changed


class Redeemed(NamedTuple):
    """What a redemption came to: the quote, change, and the method's own fields (NUT-05, 08)."""

    quote: RedeemQuote
    change: tuple[BlindSignature, ...]
    fields: dict[str, Any]


class ChangeKind(StrEnum):
    """What a subscriber is told of (NUT-17)."""

    PROOF = "proof_state"
    ISSUE_QUOTE = "mint_quote"
    REDEEM_QUOTE = "melt_quote"


class Change(NamedTuple):
    """Something became another; `key` is the nullifier, or the quote's id."""

    kind: ChangeKind
    key: bytes


class Code(IntEnum):
    """The mint's error codes, as the specifications give them (NUTs, error_codes).

    `UNNAMED` is what they have no code for, as the reference mint answers.
    """

    UNNAMED = 0
    PROOF_INVALID = 10001
    ALREADY_SPENT = 11001
    PROOFS_PENDING = 11002
    ALREADY_SIGNED = 11003
    OUTPUTS_PENDING = 11004
    NOT_BALANCED = 11005
    AMOUNT_OUT_OF_RANGE = 11006
    DUPLICATE_INPUTS = 11007
    DUPLICATE_OUTPUTS = 11008
    MANY_UNITS = 11009
    UNITS_DIFFER = 11010
    AMOUNTLESS_INVOICE = 11011
    AMOUNT_DIFFERS = 11012
    UNIT_UNKNOWN = 11013
    TOO_MANY_INPUTS = 11014
    TOO_MANY_OUTPUTS = 11015
    KEYSET_UNKNOWN = 12001
    KEYSET_INACTIVE = 12002
    KEYSET_EXPIRED = 12003
    QUOTE_NOT_PAID = 20001
    ALREADY_ISSUED = 20002
    ISSUE_DISABLED = 20003
    PAYMENT_FAILED = 20004
    QUOTE_PENDING = 20005
    ALREADY_PAID = 20006
    QUOTE_EXPIRED = 20007
    QUOTE_SIGNATURE_INVALID = 20008
    PUBKEY_MISSING = 20009
    CLEAR_AUTH_MISSING = 30001
    CLEAR_AUTH_FAILED = 30002
    BLIND_AUTH_MISSING = 31001
    BLIND_AUTH_FAILED = 31002
    TOO_MANY_BLIND_TOKENS = 31003
    BLIND_TOKENS_TOO_OFTEN = 31004


class Refusal(msgspec.Struct, frozen=True):
    """The mint's no: a code that clients switch on, and what happened in words.

    Nothing was done. Answered as HTTP 400 with `detail` and `code` (NUT-00).
    """

    code: Code
    detail: str
