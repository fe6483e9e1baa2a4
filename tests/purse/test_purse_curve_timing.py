"""The time a secret scalar takes tells nothing of it.

Goal: a signature made or checked with a scalar of few set bits takes as long as with many.
Method: both are measured in turns, in many small batches, and the quickest tenth of the batches is
compared, since whatever else the machine does only ever slows one down. The control takes the
route for public scalars, whose time does depend on them; it must be found out, or this test
could not fail.
"""

from collections.abc import Callable
from statistics import median
from time import perf_counter_ns

from amana.purse.curve import ORDER, SECP256K1, hash_to_curve, multiply_public, sign_schnorr

FEW = (3).to_bytes(32)
MANY = (ORDER // 7 * 5 + 12_345).to_bytes(32)
BATCHES = 300
CALLS = 4
BOUND_PERCENT = 4
ROUNDS = 3
"""What else the machine does may hit one side in a round; what the key does hits it in each."""

CONTROL_PERCENT = 20


def _batch(work: Callable[[], object]) -> int:
    begun = perf_counter_ns()
    for _ in range(CALLS):
        work()
    return perf_counter_ns() - begun


def _difference_percent(one: Callable[[], object], other: Callable[[], object]) -> int:
    """Return by how many per cent the two differ, at their quickest."""
    times = [(_batch(one), _batch(other)) for _ in range(BATCHES)]
    quick = [median(sorted(column)[: BATCHES // 10]) for column in zip(*times, strict=True)]
    return int(100 * abs(quick[0] - quick[1]) // max(quick))


def _takes_as_long(one: Callable[[], object], other: Callable[[], object]) -> bool:
    return any(_difference_percent(one, other) <= BOUND_PERCENT for _ in range(ROUNDS))


def test_checking_takes_as_long_whatever_the_key() -> None:
    few, many = SECP256K1.key(FEW), SECP256K1.key(MANY)
    point = hash_to_curve(b"secret")
    assert _takes_as_long(lambda: few.check(b"secret", point), lambda: many.check(b"secret", point))


def test_signing_takes_as_long_whatever_the_key() -> None:
    few, many = SECP256K1.key(FEW), SECP256K1.key(MANY)
    parsed = SECP256K1.parse(hash_to_curve(b"secret"))
    assert parsed is not None
    assert _takes_as_long(lambda: few.sign(parsed), lambda: many.sign(parsed))


def test_multiplying_takes_as_long_whatever_the_key() -> None:
    few, many = SECP256K1.key(FEW), SECP256K1.key(MANY)
    point = hash_to_curve(b"secret")
    assert _takes_as_long(lambda: few.multiply(point), lambda: many.multiply(point))


def test_making_a_public_key_takes_as_long_whatever_the_key() -> None:
    assert _takes_as_long(lambda: SECP256K1.key(FEW), lambda: SECP256K1.key(MANY))


def test_signing_a_hash_takes_as_long_whatever_the_key() -> None:
    assert _takes_as_long(
        lambda: sign_schnorr(FEW, bytes(32)), lambda: sign_schnorr(MANY, bytes(32))
    )


def test_the_measure_finds_the_route_that_is_not_for_secrets() -> None:
    point = hash_to_curve(b"secret")
    differs = _difference_percent(
        lambda: multiply_public(point, FEW), lambda: multiply_public(point, MANY)
    )
    assert differs >= CONTROL_PERCENT
