"""When a keyset makes way for the next one, and when nothing of it is good any more."""

from collections.abc import Sequence

from amana.purse.model import Keyset


def is_rotation_due(
    keysets: Sequence[Keyset], unit: str, *, now_s: int, life_s: int, active_s: int
) -> bool:
    """Say whether a unit's next keyset is to begin.

    Args:
        keysets: The whole list, oldest first.
        unit: The unit.
        now_s: Seconds since 1970.
        life_s: Seconds from a keyset's beginning to its expiry.
        active_s: For how many of them it signs.
    Returns:
        True where none signs, after a revocation; where one has for as long as it should; and
        where one would for ever.
    """
    assert 0 < active_s <= life_s, "a keyset signs for a part of its life"
    active = [each for each in keysets if each.is_active and each.unit == unit]
    if not active or active[-1].final_expiry is None:
        return True
    return now_s >= active[-1].final_expiry - (life_s - active_s)


def ended(
    keysets: Sequence[Keyset], unit: str, *, now_s: int, grace_s: int = 0
) -> tuple[Keyset, ...]:
    """Return the keysets of a unit of which nothing is taken any more.

    Args:
        keysets: The whole list, oldest first.
        unit: The unit.
        now_s: Seconds since 1970.
        grace_s: Seconds after its expiry in which something of a keyset may still be taken.
    """
    assert grace_s >= 0, "nothing ends before its expiry"
    return tuple(
        each
        for each in keysets
        if each.unit == unit
        and each.final_expiry is not None
        and now_s >= each.final_expiry + grace_s
    )
