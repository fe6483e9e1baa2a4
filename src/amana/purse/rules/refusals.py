"""What the mint says no with, where it is the same everywhere."""

from typing import Final

from amana.purse.model import Code, Refusal

EXCEEDED: Final = Refusal(
    Code.PAYMENT_FAILED,
    "More e-cash came back than is out. Nothing was spent. Tell the operator.",
)
FALSE: Final = Refusal(Code.PROOF_INVALID, "proofs could not be verified")
FORGED: Final = Refusal(
    Code.PROOF_INVALID,
    "More e-cash of this amount came back than was signed. Nothing was spent. Tell the operator.",
)
ISSUED: Final = Refusal(Code.ALREADY_ISSUED, "quote already issued")
NO_METHOD: Final = Refusal(Code.UNIT_UNKNOWN, "payment method is not supported")
NO_POINT: Final = Refusal(Code.PROOF_INVALID, "an output is no point of the curve")
NO_QUOTE: Final = Refusal(Code.QUOTE_NOT_PAID, "quote not found")
PAID: Final = Refusal(Code.ALREADY_PAID, "invoice already paid")
PENDING: Final = Refusal(Code.QUOTE_PENDING, "quote is pending")
PROOFS_PENDING: Final = Refusal(Code.PROOFS_PENDING, "proofs are pending")
SIGNED: Final = Refusal(Code.ALREADY_SIGNED, "outputs have already been signed before.")
SPENT: Final = Refusal(Code.ALREADY_SPENT, "proofs already spent")
STOPPED: Final = Refusal(
    Code.ISSUE_DISABLED,
    "The mint has stopped signing this amount. Nothing was spent now. Tell the operator.",
)
