"""Every problem the API answers with, in one table; and how a refusal becomes one."""

from typing import Final

from amana.payments.model import Reason
from amana.wire.faults import Fault
from amana.wire.problems import Problem, SchemeMember

PROBLEMS: Final = {
    "malformed-request": (400, "The request was not understood"),
    "idempotency-key-missing": (400, "The request needs an Idempotency-Key"),
    "not-signed-in": (401, "The request needs a valid token"),
    "passkey-refused": (401, "The passkey was not accepted"),
    "not-allowed": (403, "This token may not do that"),
    "not-found": (404, "There is no such thing here"),
    "method-not-allowed": (405, "This address takes other methods"),
    "handle-taken": (409, "Somebody has this handle, or had it"),
    "account-holds-money": (409, "The account still holds money"),
    "account-not-closed": (409, "The account is not closed"),
    "order-cancelled": (409, "The order was cancelled"),
    "order-expired": (409, "The order's time is over"),
    "order-already-paid": (409, "The order is paid already"),
    "order-in-progress": (409, "A payment of this order is under way"),
    "order-not-authorised": (409, "The order holds no authorised payment"),
    "order-not-paid": (409, "The order holds no payment to give back"),
    "refund-needs-key": (409, "This payer left no key for refunds"),
    "hold-expired": (409, "The authorisation's time is over"),
    "hold-not-expired": (409, "The authorisation's time is not over"),
    "too-many-steps": (409, "Too many attempts were made on this authorisation"),
    "purse-cannot-hold": (409, "The order's money is taken later, which needs an account"),
    "link-expired": (409, "The payment link's time is over"),
    "link-used": (409, "The payment link was for one payment, and is paid"),
    "purse-refill-debited": (409, "A refill of another sum is under way"),
    "purse-keyset-inactive": (409, "The outputs are of a keyset that signs no more"),
    "purse-outputs-used": (409, "One of the outputs was signed before"),
    "payload-too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The request's body is not JSON"),
    "idempotency-key-reused": (422, "The key was used for a different request"),
    "wrong-currency": (422, "The operator's books are in another currency"),
    "amount-not-positive": (422, "The amount is not above zero"),
    "amount-too-large": (422, "The amount is larger than the books can hold"),
    "amount-mismatch": (422, "The amount is not the order's"),
    "tip-not-asked": (422, "This order asks for no tip"),
    "payee-not-found": (422, "Nobody here has this handle"),
    "payee-is-payer": (422, "Payer and payee are the same"),
    "payer-closed": (422, "The payer's account is closed"),
    "payee-closed": (422, "The payee's account is closed"),
    "order-not-found": (422, "The code's order is not known here"),
    "code-not-ours": (422, "The code belongs to another scheme"),
    "code-unreadable": (422, "The code is damaged"),
    "insufficient-funds": (422, "The payer's available balance is too small"),
    "exceeds-payment-limit": (422, "The amount is above the limit for one payment"),
    "exceeds-day-limit": (422, "The amount is above what is left of the day's limit"),
    "exceeds-holding-limit": (422, "The payee's balance would exceed its limit"),
    "exceeds-paid": (422, "More than what is left of the payment cannot be given back"),
    "exceeds-hold": (422, "More than what was authorised cannot be captured"),
    "purse-not-a-tier": (422, "A refill has one of the sums that everybody's has"),
    "purse-outputs-differ": (422, "The outputs are not those that everybody leaves for this sum"),
    "transfer-refused": (422, "The ledger refused the transfer"),
    "too-many-requests": (429, "Too many requests came at once"),
    "internal-error": (500, "The operator made a mistake"),
    "outcome-unknown": (503, "The outcome is not known yet"),
    "storage-unavailable": (503, "The books cannot be written at the moment"),
}
"""Slug: status and title. A slug is never reused for another meaning."""

DETAILS: Final = {
    "malformed-request": "Nothing was done. `errors` says what is wrong: mend it and ask again.",
    "not-signed-in": "Send `Authorization: Bearer …` with a token or an API key.",
    "order-not-paid": "Nothing was given back. Read the order's status: once it is paid, give back "
    "with a new Idempotency-Key.",
    "exceeds-paid": "Nothing was given back. The order says what was paid and what of it was "
    "refunded: ask for at most the rest, with a new Idempotency-Key.",
    "refund-needs-key": "Nothing was done. The wallet that paid left no way back: give it back in "
    "another way.",
    "insufficient-funds": "No money was moved. Top up, or pay a smaller amount with a new key.",
    "account-holds-money": "Nothing was done. Pay out what it holds, and end what is pending.",
    "account-not-closed": "Nothing was done. Close the account first.",
    "idempotency-key-reused": "Nothing was done. Repeat the first request, or use a new key.",
    "outcome-unknown": "Ask again with the same Idempotency-Key: it never pays twice.",
    "storage-unavailable": "Nothing was done. Ask again with the same Idempotency-Key.",
    "internal-error": "Nothing more was done. Ask again with the same Idempotency-Key.",
    "order-in-progress": "Query the order; its outcome will be known shortly.",
}
"""What to do next, where the title does not say it."""


class ProblemRaised(Exception):  # noqa: N818 - carries an answer, not a mistake
    """Ends a request with a problem document."""

    def __init__(
        self,
        slug: str,
        detail: str | None = None,
        *,
        errors: tuple[Fault, ...] = (),
        payment_id: str | None = None,
        scheme: SchemeMember | None = None,
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.detail = detail
        self.errors = errors
        self.payment_id = payment_id
        self.scheme = scheme


def problem_of(raised: ProblemRaised, base_url: str) -> Problem:
    """Turn what ended a request into its document."""
    status, title = PROBLEMS[raised.slug]
    return Problem(
        type=f"{base_url}/docs/problems/{raised.slug}",
        title=title,
        status=status,
        detail=raised.detail or DETAILS.get(raised.slug),
        errors=raised.errors,
        payment_id=raised.payment_id,
        retry_with_same_id=raised.slug in {"outcome-unknown", "storage-unavailable"},
        scheme=raised.scheme,
    )


def refuse(reason: Reason, *, payment_id: str | None = None) -> ProblemRaised:
    """Return the problem of a refusal: its slug is the reason."""
    return ProblemRaised(reason.value, payment_id=payment_id)
