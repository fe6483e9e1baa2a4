"""What becomes of keysets years after their expiry: their rows go, and their counts stay."""

from amana.purse.ending.service import Ending
from amana.purse.ending.store import EndingStore

__all__ = ["Ending", "EndingStore"]
