"""What the mint says no with, where it is the same everywhere.

Wallets by others read codes, and some read the words too: so where a code says it all, its words
are the reference mint's, and where that has none the specifications' (NUTs, error_codes).
"""

from typing import Final

from amana.purse.model import Code, Refusal

WORDS: Final = {
    Code.PROOF_INVALID: "proofs could not be verified",
    Code.ALREADY_SPENT: "proofs already spent",
    Code.PROOFS_PENDING: "proofs are pending",
    Code.ALREADY_SIGNED: "outputs already signed",
    Code.DUPLICATE_INPUTS: "Duplicate inputs provided",
    Code.DUPLICATE_OUTPUTS: "Duplicate outputs provided",
    Code.UNITS_DIFFER: "Inputs and outputs not of same unit",
    Code.AMOUNTLESS_INVOICE: "Amountless invoice is not supported",
    Code.AMOUNT_DIFFERS: "Amount in request does not equal invoice",
    Code.KEYSET_UNKNOWN: "keyset not found",
    Code.KEYSET_INACTIVE: "Keyset is inactive, cannot sign messages",
    Code.KEYSET_EXPIRED: "Keyset has expired",
    Code.QUOTE_NOT_PAID: "quote not paid",
    Code.ALREADY_ISSUED: "quote already issued",
    Code.QUOTE_PENDING: "Quote is pending",
    Code.ALREADY_PAID: "Invoice already paid",
    Code.QUOTE_EXPIRED: "Quote is expired",
    Code.QUOTE_SIGNATURE_INVALID: "Signature for mint request invalid",
    Code.CLEAR_AUTH_MISSING: "Endpoint requires clear auth",
    Code.CLEAR_AUTH_FAILED: "Clear authentication failed",
    Code.BLIND_AUTH_MISSING: "Endpoint requires blind auth",
}
"""What is said with a code that says it all. Other codes, and these where more is known, have
words of the place."""


def plain(code: Code) -> Refusal:
    """Refuse with a code that says it all."""
    return Refusal(code, WORDS[code])


EXCEEDED: Final = Refusal(
    Code.PAYMENT_FAILED,
    "More e-cash came back than is out. Nothing was spent. Tell the operator.",
)
FALSE: Final = plain(Code.PROOF_INVALID)
FORGED: Final = Refusal(
    Code.PROOF_INVALID,
    "More e-cash of this amount came back than was signed. Nothing was spent. Tell the operator.",
)
ISSUED: Final = plain(Code.ALREADY_ISSUED)
NO_METHOD: Final = Refusal(Code.UNIT_UNKNOWN, "payment method is not supported")
NO_POINT: Final = Refusal(Code.PROOF_INVALID, "an output is no point of the curve")
NO_QUOTE: Final = Refusal(Code.UNNAMED, "quote not found")
PAID: Final = plain(Code.ALREADY_PAID)
PENDING: Final = plain(Code.QUOTE_PENDING)
PROOFS_PENDING: Final = plain(Code.PROOFS_PENDING)
SIGNED: Final = plain(Code.ALREADY_SIGNED)
SPENT: Final = plain(Code.ALREADY_SPENT)
STOPPED: Final = Refusal(
    Code.ISSUE_DISABLED,
    "The mint has stopped signing this amount. Nothing was spent now. Tell the operator.",
)
