"""The ways in and out of the purse that a real operator has."""

from amana.purse.methods.account import AccountRedemption
from amana.purse.methods.merchant import MerchantRedemption
from amana.purse.methods.refund import RefundIssue, refund_quote_id

__all__ = ["AccountRedemption", "MerchantRedemption", "RefundIssue", "refund_quote_id"]
