"""Decisions about payments: facts in, what to store out. No clock, no chance, no waiting."""

from amana.payments.rules._intents import (
    BASIS_POINTS,
    IntentFacts,
    decide_intent,
    fee_due,
    is_refundable,
    same_request,
)
from amana.payments.rules._outcomes import (
    decide_cancel,
    events_of,
    is_held,
    kind_between,
    merchant_of,
    order_of,
    order_status,
    takings_after,
)
from amana.payments.rules._purse import (
    decide_purse,
)
from amana.payments.rules._steps import (
    conclude,
    conclude_step,
    decide_step,
    reason_of,
)

__all__ = [
    "BASIS_POINTS",
    "IntentFacts",
    "conclude",
    "conclude_step",
    "decide_cancel",
    "decide_intent",
    "decide_purse",
    "decide_step",
    "events_of",
    "fee_due",
    "is_held",
    "is_refundable",
    "kind_between",
    "merchant_of",
    "order_of",
    "order_status",
    "reason_of",
    "same_request",
    "takings_after",
]
