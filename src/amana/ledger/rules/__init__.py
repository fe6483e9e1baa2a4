"""The pure state machine of the books: one set of rules inside every engine of ours.

An engine gathers the facts a batch can touch into `Books`, asks the rules, and stores what they
added. The rules know no clock, no chance, no storage. They change `Books` in place, because copying
balances per batch would cost more than the decision; a batch that raises leaves `Books` unchanged.
Source: TigerBeetle's reference, requests `create_accounts` and `create_transfers`.
"""

from amana.ledger.rules._accounts import create_accounts
from amana.ledger.rules._books import NO_EXPIRY, AccountState, Books, Hold
from amana.ledger.rules._holds import expire_holds
from amana.ledger.rules._transfers import create_transfers

__all__ = [
    "NO_EXPIRY",
    "AccountState",
    "Books",
    "Hold",
    "create_accounts",
    "create_transfers",
    "expire_holds",
]
