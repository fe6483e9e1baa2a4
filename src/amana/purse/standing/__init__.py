"""Standing orders between an account and its holder's purse: refills and deposits."""

from amana.purse.standing.model import Deposit, DepositState, Refill, RefillState
from amana.purse.standing.rows import StandingRows, take_leave
from amana.purse.standing.service import Standing
from amana.purse.standing.store import StandingStore

__all__ = [
    "Deposit",
    "DepositState",
    "Refill",
    "RefillState",
    "Standing",
    "StandingRows",
    "StandingStore",
    "take_leave",
]
