"""Blind tokens at the mint's origin: each opens one request, whatever comes at once."""

import json
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.holder import Wallet, read_keyset
from tests.node.mint_world import Reply
from tests.node.purse_town import PurseTown, exchange, purse_town

from amana.audit import audit_folder
from amana.kernel import DAY_NS
from amana.node.workers import look_after_keysets
from amana.purse.model import Code

ATTEMPTS = 200


@pytest.fixture
def town(tmp_path: Path) -> Iterator[PurseTown]:
    with purse_town(tmp_path / "town", blind_tokens=True) as opened:
        yield opened
    assert audit_folder(tmp_path / "town").is_sound


def token_of(town: PurseTown) -> str:
    """Fetch a blind token with a session, as a wallet does with its refill."""
    (keyset,) = town.at_mint("GET", "/v1/auth/blind/keys").json["keysets"]
    wallet = Wallet(read_keyset({"final_expiry": None, "active": True, **keyset}))
    outputs = wallet.outputs([1])
    asked = [{"amount": 1, "B_": outputs[0].message.point.hex()}]
    customer = town.customer(0)
    given = customer.post("/v1/purse/tokens", {"keyset_id": keyset["id"], "outputs": asked})
    (proof,) = wallet.receive(outputs, given.body["signatures"])
    shown = {"id": proof.keyset_id, "secret": proof.secret, "C": proof.point.hex()}
    return "authA" + urlsafe_b64encode(json.dumps(shown).encode()).decode()


def test_a_blind_token_opens_one_of_two_hundred_requests(town: PurseTown) -> None:
    """Goal: two hundred swaps, each of other proofs, come at once with one token; one is made."""
    wallet, token = town.wallet(), token_of(town)
    for _ in range(7):
        town.refill(town.customer(2_000), wallet)
    proofs = wallet.proofs[:ATTEMPTS]
    assert len(proofs) == ATTEMPTS

    async def attempt(number: int) -> Reply:
        body = exchange([proofs[number]], wallet.outputs([proofs[number].amount]))
        return await town.asked("POST", "/v1/swap", body, blind_auth=token)

    answers = town.together(*(attempt(number) for number in range(ATTEMPTS)))
    counted = Counter((answer.status, answer.json.get("code", 0)) for answer in answers)
    assert counted == {(200, 0): 1, (400, Code.BLIND_AUTH_FAILED): ATTEMPTS - 1}
    assert town.states(proofs).count("SPENT") == 1


def test_a_season_of_blind_tokens_ends_and_takes_its_rows_along(town: PurseTown) -> None:
    """Goal: used tokens are not kept for ever.

    Two tokens of one keyset: one is used at once, the other when the next keyset signs already.
    When their keyset has ended, a third opens nothing, and no row of it is left.
    """

    def swap(token: str) -> Reply:
        town.learn(wallet)
        proofs = wallet.pick(1)
        body = exchange(proofs, wallet.sum_of(sum(proof.amount for proof in proofs)))
        return town.at_mint("POST", "/v1/swap", body, blind_auth=token)

    def turn(days: int) -> None:
        town.clock.advance(days * DAY_NS)
        town.run(look_after_keysets(town.operator))

    def used() -> int:
        rows = town.operator.read_connection.execute("SELECT count(*) FROM purse_auth_spent")
        return int(rows.fetchone()[0])

    wallet = town.filled()
    first, second, third = (token_of(town) for _ in range(3))
    (old,) = town.at_mint("GET", "/v1/auth/blind/keys").json["keysets"]
    assert swap(first).status == 200
    turn(91)
    (new,) = town.at_mint("GET", "/v1/auth/blind/keys").json["keysets"]
    assert new["id"] != old["id"]
    assert swap(second).status == 200
    newer = token_of(town)
    turn(88)
    assert used() == 2
    assert swap(newer).status == 200
    turn(3)
    assert swap(third).json["code"] == Code.BLIND_AUTH_FAILED
    assert used() == 1, "the newer keyset's"
