"""How often an operator does what it does by itself."""

from amana.node.workers import STANDING_EVERY_S, standing_every_s


def test_standing_orders_are_carried_out_oftener_where_the_hours_fly() -> None:
    assert standing_every_s(1) == STANDING_EVERY_S
    assert standing_every_s(3_600) < 1
    assert standing_every_s(3_600) > 0.1, "not so often that nothing else is done"
