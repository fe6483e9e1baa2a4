"""Exchange of revoked e-cash, for whoever shows how it was issued."""

from amana.purse.reissue.blinding import blind
from amana.purse.reissue.model import Issued
from amana.purse.reissue.ports import RevokingSignatory
from amana.purse.reissue.service import Reissue

__all__ = ["Issued", "Reissue", "RevokingSignatory", "blind"]
