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
