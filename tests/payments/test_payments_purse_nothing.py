"""E-cash on nothing: a tip alone is no purchase."""

import pytest

from amana.kernel import AmanaId, Instant
from amana.payments import rules
from amana.payments.model import Party, PartyKind, PurseTaking, Reason


@pytest.mark.parametrize(("total", "tip"), [(4, 4), (3, 4), (4, -1)])
def test_a_tip_on_nothing_is_no_purchase(total: int, tip: int) -> None:
    taking = PurseTaking(
        id=AmanaId(1 << 8),
        payee=Party(AmanaId(1 << 16), PartyKind.MERCHANT, 99),
        order_id=None,
        total=total,
        tip=tip,
        fee=0,
        attempt=1,
        key=b"k" * 16,
        now=Instant(1),
    )
    assert rules.decide_purse(taking, None, None) is Reason.AMOUNT_NOT_POSITIVE
