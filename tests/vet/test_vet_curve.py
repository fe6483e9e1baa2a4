"""Real signatures, and the wallet's own choice and curve code, agree with the town's policy."""

import asyncio
from pathlib import Path

from amana.vet.play import play
from amana.vet.town import run_town


def test_the_wallets_own_code_pays_as_the_policy_foresaw(room: Path) -> None:
    place = room / "curve"
    place.mkdir()
    town = run_town(6, 10, 5, losses=False)
    assert sum(event["kind"] == "pay" for event in town.events) >= 15
    assert {"give", "take"} <= {event["kind"] for event in town.events}
    # Playing raises where wallet, mint and policy do not agree on a proof, a sum or its change.
    cast = asyncio.run(play(town.facts, town.events, place, with_curve=True))
    assert len(cast.people) == 6
