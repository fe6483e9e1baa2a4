"""Every limit is written once, fits its neighbours, and says its unit."""

import ast

from amana.kernel import AMOUNT_MINOR_MAX, limits


def test_the_largest_amount_is_the_largest_signed_64_bit_number() -> None:
    assert AMOUNT_MINOR_MAX == 9_223_372_036_854_775_807


def test_bounds_are_in_order() -> None:
    assert limits.HANDLE_CHARACTERS_MIN <= limits.HANDLE_CHARACTERS_MAX
    assert limits.ORDER_LIFE_MS_MIN <= limits.ORDER_LIFE_MS_DEFAULT <= limits.ORDER_LIFE_MS_MAX
    assert limits.SEALED_NOTE_CHARACTERS_MAX < limits.REQUEST_BODY_BYTES_MAX


def test_steps_of_a_payment_fit_a_nibble() -> None:
    assert limits.STEPS_PER_PAYMENT_MAX < 16


def test_every_group_of_limits_gives_its_reason() -> None:
    with open(limits.__file__, encoding="utf-8") as file:  # noqa: PTH123 - a module's own path
        body = ast.parse(file.read()).body[2:]
    assert isinstance(body[-1], ast.Expr)
    assert all(isinstance(node, ast.AnnAssign | ast.Expr) for node in body)
