"""How often strangers may ask: by address where it is one's own, and never so that all are out."""

from collections.abc import Callable

import httpx
import pytest
from tests.node.town import Town

from amana.kernel import MINUTE_NS, Instant
from amana.node.http.openid import DEVICE_ANSWERS_A_MINUTE
from amana.node.http.rates import CEREMONIES_A_MINUTE, TOGETHER_A_MINUTE, Callers
from amana.node.problems import ProblemRaised
from amana.people.openid import CLIENT_ID, DEVICE_LIFE_NS
from amana.people.passkeys import CEREMONIES_OPEN_MAX, CEREMONY_LIFE_NS
from amana.people.pending import PENDING_MAX

STRANGER = "1.1.1.1"
PROXIES = ["127.0.0.1", "::1", "10.0.0.5", "fd00::1", "::ffff:10.0.0.5", "64:ff9b::10.0.0.5", ""]


def _device(address: str) -> Callable[[Town], httpx.Response]:
    """Begin for a device, from an address."""

    async def ask(town: Town) -> httpx.Response:
        transport = httpx.ASGITransport(town.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8400") as http:
            return await http.post("/v1/openid/device", data={"client_id": CLIENT_ID})

    return lambda town: town.run(ask(town))


def test_a_stranger_who_asks_too_often_waits_a_minute_and_nobody_else_does(own_town: Town) -> None:
    stranger, proxy = _device(STRANGER), _device(PROXIES[0])
    for _ in range(CEREMONIES_A_MINUTE):
        assert stranger(own_town).status_code == 200
    assert stranger(own_town).status_code == 429
    for _ in range(CEREMONIES_A_MINUTE + 1):
        assert proxy(own_town).status_code == 200
    own_town.clock.advance(MINUTE_NS)
    assert stranger(own_town).status_code == 200


@pytest.mark.parametrize("address", PROXIES)
def test_those_behind_a_proxy_are_counted_together(address: str) -> None:
    callers, now = Callers(), Instant(MINUTE_NS)
    for _ in range(TOGETHER_A_MINUTE):
        callers.count(address, now)
    with pytest.raises(ProblemRaised):
        callers.count(address, now)
    callers.count(STRANGER, now)


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        ("2606:4700::1", "2606:4700::ffff:2", "2606:4700:0:1::1"),
        ("::ffff:1.1.1.1", "1.1.1.1", "::ffff:1.1.1.2"),
        ("64:ff9b::1.1.1.1", "1.1.1.1", "64:ff9b::1.1.1.2"),
    ],
)
def test_whoever_has_many_addresses_is_one_stranger(one: str, same: str, other: str) -> None:
    """Goal: an address for each question, or one in its other form, gives no more questions."""
    callers, now = Callers(), Instant(MINUTE_NS)
    for _ in range(CEREMONIES_A_MINUTE // 2):
        callers.count(one, now)
        callers.count(same, now)
    with pytest.raises(ProblemRaised):
        callers.count(same, now)
    callers.count(other, now)


def test_what_was_begun_is_not_pushed_out_by_what_may_be_begun_meanwhile() -> None:
    assert TOGETHER_A_MINUTE * CEREMONY_LIFE_NS // MINUTE_NS <= CEREMONIES_OPEN_MAX
    assert TOGETHER_A_MINUTE * DEVICE_LIFE_NS // MINUTE_NS <= PENDING_MAX


def test_a_customer_has_few_tries_at_a_devices_code_and_takes_nobody_elses(town: Town) -> None:
    guesser, other = town.customer(0), town.customer(0)
    guess = {"user_code": "BCDF-GHJK", "is_approved": True}
    for _ in range(DEVICE_ANSWERS_A_MINUTE):
        assert guesser.post("/v1/openid/device/approve", guess).slug == "not-found"
    assert guesser.post("/v1/openid/device/approve", guess).slug == "too-many-requests"
    assert other.post("/v1/openid/device/approve", guess).slug == "not-found"
